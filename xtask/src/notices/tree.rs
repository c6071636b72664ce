//! The crates that are linked for a target, as `cargo tree` lists them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::process;
use crate::workspace::Workspace;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    manifest_path: PathBuf,
}

/// A crate that is linked.
pub(super) struct Crate {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: String,
    /// Where its sources lie.
    pub(super) folder: PathBuf,
}

/// One line of `cargo tree`.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) version: String,
    /// Where it lies, unless it comes from a registry.
    pub(super) path: Option<PathBuf>,
    /// Empty if it names none.
    pub(super) license: String,
}

/// What is no third party's.
const OWN: [&str; 2] = ["arr-session", "arr-client"];

/// The crates of our library for a target, or for `all`.
pub(super) fn of_library(workspace: &Workspace, target: &str) -> Result<Vec<Crate>> {
    let folders = folders(workspace)?;
    let mut crates = Vec::new();
    let mut cargo = workspace.cargo();
    cargo.args(["tree", "--package", "arr-session"]);
    for Line { name, version, license, .. } in linked(cargo, target)? {
        if OWN.contains(&name.as_str()) {
            continue;
        }
        ensure!(!license.is_empty(), "{name} names no license");
        let folder = folders.get(&(name.clone(), version.clone()));
        let folder = folder.with_context(|| format!("cargo does not say where {name} {version} lies"))?.clone();
        crates.push(Crate { name, version, license, folder });
    }
    Ok(crates)
}

/// What a call of `cargo tree` lists that is linked for a target: neither what only a build takes, nor macros.
pub(super) fn linked(mut cargo: Command, target: &str) -> Result<Vec<Line>> {
    cargo.args(["--locked", "--edges", "normal,no-proc-macro", "--target", target]);
    cargo.args(["--prefix", "none", "--format", "{p}|{l}"]);
    process::stdout(&mut cargo)?.lines().map(understood).collect()
}

/// `name v1.2.3 (where it lies)|licence (*)`.
fn understood(line: &str) -> Result<Line> {
    let (package, license) = line.trim_end_matches(" (*)").split_once('|').context("cargo tree: no license")?;
    let mut words = package.splitn(3, ' ');
    let mut word = || words.next().unwrap_or_default();
    let (name, version, place) = (word(), word(), word());
    let path = place.strip_prefix('(').and_then(|place| place.strip_suffix(')'));
    Ok(Line {
        name: name.to_owned(),
        version: version.trim_start_matches('v').to_owned(),
        path: path.map(PathBuf::from),
        license: license.trim().to_owned(),
    })
}

fn folders(workspace: &Workspace) -> Result<BTreeMap<(String, String), PathBuf>> {
    let mut cargo = workspace.cargo();
    cargo.args(["metadata", "--format-version", "1", "--locked"]);
    let json = process::stdout(&mut cargo)?;
    let metadata: Metadata = serde_json::from_str(&json).context("cannot read the answer of `cargo metadata`")?;
    let folder = |package: Package| {
        let folder = package.manifest_path.parent().unwrap_or(Path::new(".")).to_owned();
        ((package.name, package.version), folder)
    };
    Ok(metadata.packages.into_iter().map(folder).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_says_of_a_package_is_understood() {
        let line = |name: &str, version: &str, path: Option<&str>, license: &str| Line {
            name: name.to_owned(),
            version: version.to_owned(),
            path: path.map(PathBuf::from),
            license: license.to_owned(),
        };
        let read = |text| understood(text).unwrap();
        let ring = line("ring", "0.17.14", None, "Apache-2.0 AND ISC");
        assert_eq!(read("ring v0.17.14|Apache-2.0 AND ISC (*)"), ring);
        let here = line("std", "0.0.0", Some("/usr/src/of it/std"), "MIT OR Apache-2.0");
        assert_eq!(read("std v0.0.0 (/usr/src/of it/std)|MIT OR Apache-2.0"), here);
        assert_eq!(read("nameless v1.0.0|"), line("nameless", "1.0.0", None, ""));
        assert!(understood("no line of a tree").is_err());
    }

    #[test]
    fn a_target_has_its_own_crates_and_no_macros() {
        let workspace = Workspace::find().unwrap();
        let names = |target| -> Vec<String> {
            of_library(&workspace, target).unwrap().into_iter().map(|found| found.name).collect()
        };
        let (linux, windows) = (names("x86_64-unknown-linux-gnu"), names("x86_64-pc-windows-gnu"));
        let has = |names: &[String], wanted: &str| names.iter().any(|name| name == wanted);
        assert!(has(&linux, "ring") && has(&windows, "ring"));
        assert!(has(&linux, "libc") && !has(&linux, "windows-sys") && has(&windows, "windows-sys"));
        for foreign in ["jni", "wasm-bindgen", "syn", "serde_derive", "cc", "arr-session", "arr-client"] {
            assert!(!has(&linux, foreign) && !has(&windows, foreign), "{foreign}");
        }
    }
}

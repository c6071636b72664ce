//! The crates that are linked for a target, as `cargo tree` lists them: those of our packages, and those in Rust's standard
//! library, which is built from Debian's sources.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::packages::RUSTC;
use crate::process;
use crate::workspace::{Workspace, crate_sources};

/// The licence of the Rust project's own crates, which have one notice.
const RUSTS_LICENSE: &str = "MIT OR Apache-2.0";
/// One of them without a licence, which contains only a macro.
const WITHOUT_LICENSE: &str = "windows-link";

/// A linked third-party crate.
pub(super) struct Crate {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: String,
    /// The folder of its sources.
    pub(super) folder: PathBuf,
}

/// One line of `cargo tree`.
struct Line {
    name: String,
    version: String,
    /// Its folder, unless it comes from a registry.
    path: Option<PathBuf>,
    /// Empty if it has none.
    license: String,
}

/// The crates of our package `package` for a target, or for `all`.
pub(super) fn of_package(workspace: &Workspace, package: &str, target: &str) -> Result<Vec<Crate>> {
    let mut cargo = workspace.cargo();
    cargo.args(["tree", "--package", package]);
    // Crates in the checkout are our own.
    listed(cargo, target, &|line| line.path.is_some())
}

/// The crates in the standard library for a target that are not the Rust project's, or have another licence.
pub(super) fn of_standard_library(workspace: &Workspace, target: &str) -> Result<Vec<Crate>> {
    let manifest = sysroot(&mut Command::new(RUSTC))?.join("lib/rustlib/src/rust/library/sysroot/Cargo.toml");
    let mut cargo = workspace.cargo();
    // As for -Zbuild-std.
    cargo.env("RUSTC", RUSTC).env("RUSTC_BOOTSTRAP", "1");
    cargo.arg("tree").arg("--manifest-path").arg(manifest);
    cargo.args(["--package", "std", "--features", "backtrace,panic-unwind"]);
    listed(cargo, target, &|Line { name, path, license, .. }| {
        path.is_some() && (license == RUSTS_LICENSE || (license.is_empty() && name == WITHOUT_LICENSE))
    })
}

/// The folder of a compiler and its libraries.
pub(super) fn sysroot(rustc: &mut Command) -> Result<PathBuf> {
    let root = process::stdout(rustc.args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(root.trim_end()))
}

/// The linked crates in the output of `cargo tree`: without build dependencies, macros and our own crates.
fn listed(mut cargo: Command, target: &str, is_own: &dyn Fn(&Line) -> bool) -> Result<Vec<Crate>> {
    cargo.args(["--locked", "--edges", "normal,no-proc-macro", "--target", target]);
    cargo.args(["--prefix", "none", "--format", "{p}|{l}"]);
    let fetched = crate_sources()?;
    let mut crates = Vec::new();
    for line in process::stdout_within(&mut cargo, process::CARGO_LIMIT, Stdio::piped())?.lines() {
        let line = understood(line)?;
        if !is_own(&line) {
            crates.push(found(line, &fetched)?);
        }
    }
    Ok(crates)
}

/// Adds the crate's folder: its path, or the folder among the fetched crates.
fn found(Line { name, version, path, license }: Line, fetched: &[PathBuf]) -> Result<Crate> {
    ensure!(!license.is_empty(), "{name} names no license");
    let among_fetched =
        || fetched.iter().map(|folder| folder.join(format!("{name}-{version}"))).find(|folder| folder.is_dir());
    let folder = path.or_else(among_fetched).with_context(|| format!("cargo has not fetched {name} {version}"))?;
    Ok(Crate { name, version, license, folder })
}

/// `name v1.2.3 (folder)|licence (*)`.
fn understood(line: &str) -> Result<Line> {
    let (package, license) = line.trim_end_matches(" (*)").split_once('|').context("cargo tree: no license")?;
    let mut words = package.splitn(3, ' ');
    let mut word = || words.next().unwrap_or_default();
    let (name, version, place) = (word(), word(), word());
    let path = place.strip_prefix('(').and_then(|place| place.strip_suffix(')'));
    Ok(Line {
        name: name.to_owned(),
        version: version.trim_start_matches('v').to_owned(),
        path: path.filter(|path| Path::new(path).is_absolute()).map(PathBuf::from),
        license: license.trim().to_owned(),
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn lines_of_cargo_tree_are_parsed() {
        let ring = understood("ring v0.17.14|Apache-2.0 AND ISC (*)").unwrap();
        assert_eq!(
            (&*ring.name, &*ring.version, &*ring.license, ring.path),
            ("ring", "0.17.14", "Apache-2.0 AND ISC", None)
        );
        let here = understood("std v0.0.0 (/usr/src/of it/std)|MIT OR Apache-2.0").unwrap();
        assert_eq!(here.path.as_deref(), Some(Path::new("/usr/src/of it/std")));
        for unknown in ["nameless v1.0.0|", "absent v1.0.0|MIT"] {
            assert!(found(understood(unknown).unwrap(), &[]).is_err(), "{unknown}");
        }
    }

    #[test]
    fn a_target_has_its_own_crates_and_no_macros() {
        let workspace = Workspace::find().unwrap();
        let has = |package, target, wanted: &str| {
            of_package(&workspace, package, target).unwrap().iter().any(|found| found.name == wanted)
        };
        let (linux, windows) = ("x86_64-unknown-linux-gnu", "x86_64-pc-windows-gnu");
        assert!(has("arr-session", linux, "ring") && has("arr-service", linux, "axum"));
        assert!(!has("arr-session", linux, "windows-sys") && has("arr-session", windows, "windows-sys"));
        for foreign in ["wasm-bindgen", "syn", "serde_derive", "cc", "arr-client", "axum"] {
            assert!(!has("arr-session", linux, foreign), "{foreign}");
        }
    }
}

//! The crates that are in the native library, and their licences, for the packages' notices: a table, and every text, as
//! the licences ask of those who hand out binaries.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

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

/// A crate of the library.
struct Crate {
    name: String,
    version: String,
    license: String,
    /// Where its sources lie.
    folder: PathBuf,
}

/// All crates that the library has on any of its platforms: first a table, then each text once, with those whose it is.
pub(crate) fn of_all_crates(workspace: &Workspace) -> Result<String> {
    let crates = crates(workspace)?;
    let mut text = String::from("| crate | version | licence |\n|---|---|---|\n");
    let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for Crate { name, version, license, folder } in &crates {
        text.push_str(&format!("| {name} | {version} | {license} |\n"));
        let mut texts = license_texts(folder)?;
        if texts.is_empty() {
            // The one text that is the same for everybody.
            ensure!(license.contains("Apache-2.0"), "{name} {version} comes without the text of its licence");
            texts.push(tidy(&workspace.read("LICENSE-APACHE")?));
        }
        for license in texts {
            owners.entry(license).or_default().push(format!("{name} {version}"));
        }
    }
    let mut texts: Vec<(Vec<String>, String)> = owners.into_iter().map(|(text, owners)| (owners, text)).collect();
    texts.sort();
    for (owners, license) in texts {
        text.push_str(&format!("\n---\n\n**{}**\n\n```text\n{license}\n```\n", owners.join(", ")));
    }
    Ok(text)
}

fn crates(workspace: &Workspace) -> Result<Vec<Crate>> {
    let folders = folders(workspace)?;
    let mut tree = workspace.cargo();
    tree.args(["tree", "--locked", "--package", "arr-session", "--edges", "normal", "--target", "all"]);
    tree.args(["--prefix", "none", "--format", "{p}|{l}"]);
    let said = process::stdout(&mut tree)?;
    let mut crates: BTreeMap<(String, String), Crate> = BTreeMap::new();
    for line in said.lines() {
        let (package, license) = line.trim_end_matches(" (*)").split_once('|').context("cargo tree: no license")?;
        // `name v1.2.3 (where it lies, or that it is a macro)`
        let mut words = package.split(' ');
        let name = words.next().unwrap_or_default().to_owned();
        let version = words.next().unwrap_or_default().trim_start_matches('v').to_owned();
        if name == "arr-session" {
            continue;
        }
        let license = license.trim().to_owned();
        ensure!(!license.is_empty(), "{name} names no license");
        let key = (name.clone(), version.clone());
        let folder = folders.get(&key).with_context(|| format!("cargo does not say where {name} {version} lies"))?;
        crates.insert(key, Crate { name, version, license, folder: folder.clone() });
    }
    Ok(crates.into_values().collect())
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

/// The texts that a crate brings, in the order of their files' names, without what differs only in white space.
fn license_texts(folder: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        let is_text = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];
        if is_text.iter().any(|start| name.starts_with(start)) && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    let read = |file: PathBuf| -> Result<String> {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(tidy(&text))
    };
    files.into_iter().map(read).collect()
}

fn tidy(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
}

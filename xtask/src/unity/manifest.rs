//! The package's `package.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// The package's name in Unity's package manager.
pub(crate) const NAME: &str = "com.arr-session";

/// Its members, sorted. Unity ignores any others, so a misspelt one would go unnoticed.
const MEMBERS: &str = "author dependencies description displayName keywords license name samples unity version";

/// The problems of `package.json`. `version` is the library's.
pub(crate) fn problems(package: &Path, version: &str) -> Result<Vec<String>> {
    let manifest = read(package)?;
    let mut problems = Vec::new();
    let members = manifest.keys().map(String::as_str).collect::<Vec<_>>().join(" ");
    if members != MEMBERS {
        problems.push(format!("package.json: its members are {members}, not {MEMBERS}"));
    }
    let (name, found) = (&manifest["name"], &manifest["version"]);
    if name != NAME || found != version {
        problems.push(format!("package.json: the package is {name} {found}, not {NAME} {version}"));
    }
    let samples = manifest["samples"].as_array().into_iter().flatten();
    let mut listed: Vec<&str> = samples.filter_map(|sample| sample["path"].as_str()).collect();
    let mut there = Vec::new();
    for entry in fs::read_dir(package.join("Samples~")).context("there are no samples")? {
        there.push(format!("Samples~/{}", entry?.file_name().to_string_lossy()));
    }
    listed.sort();
    there.sort();
    if listed != there {
        problems.push(format!("package.json: the samples listed are {listed:?}, but there are {there:?}"));
    }
    Ok(problems)
}

/// The name of the package in this folder, if there is one.
pub(crate) fn name(package: &Path) -> Option<String> {
    Some(read(package).ok()?.get("name")?.as_str()?.to_owned())
}

fn read(package: &Path) -> Result<BTreeMap<String, Value>> {
    let text = fs::read_to_string(package.join("package.json")).context("cannot read package.json")?;
    serde_json::from_str(&text).context("package.json is not an object of JSON")
}

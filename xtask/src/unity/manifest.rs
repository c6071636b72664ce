//! The package's `package.json`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// The package's name in Unity's package manager.
pub(crate) const NAME: &str = "com.arr-session";

/// Its members, with empty texts. Unity ignores any others, so a misspelt one would go unnoticed.
const MEMBERS: &str = r#"{"author":{"name":""},"dependencies":{"com.unity.modules.imgui":""},"description":"","displayName":"",
"keywords":["","",""],"license":"","name":"","unity":"","version":"",
"samples":[{"description":"","displayName":"","path":""},{"description":"","displayName":"","path":""}]}"#;

/// The problems of `package.json`. `version` is the library's.
pub(crate) fn problems(package: &Path, version: &str) -> Result<Vec<String>> {
    let manifest = read(package)?;
    let mut problems = Vec::new();
    if shape(&manifest) != serde_json::from_str::<Value>(MEMBERS)? {
        problems.push(format!("package.json: its members are {}, not {MEMBERS}", shape(&manifest)));
    }
    if manifest["name"] != NAME || manifest["version"] != version {
        let (name, found) = (&manifest["name"], &manifest["version"]);
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

fn read(package: &Path) -> Result<Value> {
    let text = fs::read_to_string(package.join("package.json")).context("cannot read package.json")?;
    serde_json::from_str(&text).context("package.json is not JSON")
}

fn shape(json: &Value) -> Value {
    match json {
        Value::String(_) => "".into(),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        other => other.clone(),
    }
}

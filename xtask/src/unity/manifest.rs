//! The package's `package.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// The package's name in Unity's package manager.
pub(crate) const NAME: &str = "com.arr-session";

/// The members that Unity reads. It ignores any others, so a misspelt one would go unnoticed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "some members only have to be present")]
struct Manifest {
    name: String,
    version: String,
    display_name: String,
    description: String,
    unity: String,
    license: String,
    documentation_url: Option<String>,
    changelog_url: Option<String>,
    licenses_url: Option<String>,
    keywords: Vec<String>,
    author: Author,
    dependencies: BTreeMap<String, String>,
    samples: Vec<Sample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "Unity shows it")]
struct Author {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "Unity shows some of them")]
struct Sample {
    display_name: String,
    description: String,
    path: String,
}

/// The problems of `package.json`. `version` is the library's.
pub(crate) fn problems(package: &Path, version: &str) -> Result<Vec<String>> {
    let text = fs::read_to_string(package.join("package.json")).context("cannot read package.json")?;
    let manifest: Manifest = serde_json::from_str(&text).context("package.json is not as expected")?;
    let mut problems = Vec::new();
    if (&*manifest.name, &*manifest.version) != (NAME, version) {
        problems
            .push(format!("package.json: the package is {} {}, not {NAME} {version}", manifest.name, manifest.version));
    }
    let mut listed: Vec<String> = manifest.samples.into_iter().map(|sample| sample.path).collect();
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
    let text = fs::read_to_string(package.join("package.json")).ok()?;
    let json: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(json["name"].as_str()?.to_owned())
}

//! The package's `package.json`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// The package's name in Unity's package manager.
pub(crate) const NAME: &str = "com.arr-session";

/// The oldest Unity that the package says it is for.
const UNITY: &str = "2019.4";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Manifest {
    name: String,
    version: String,
    display_name: String,
    description: String,
    unity: String,
    license: String,
    keywords: Vec<String>,
    author: Author,
    samples: Vec<Sample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Author {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Sample {
    display_name: String,
    description: String,
    path: String,
}

/// What is wrong with it. `version` is the library's.
pub(crate) fn problems(package: &Path, version: &str) -> Vec<String> {
    match read(package) {
        Ok(manifest) => manifest.problems(package, version),
        Err(error) => vec![format!("{error:#}")],
    }
}

/// The name of the package in this folder, if there is one.
pub(crate) fn name(package: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    let text = fs::read_to_string(package.join("package.json")).ok()?;
    serde_json::from_str::<Named>(&text).ok().map(|named| named.name)
}

fn read(package: &Path) -> Result<Manifest> {
    let text = fs::read_to_string(package.join("package.json")).context("cannot read package.json")?;
    serde_json::from_str(&text).context("package.json is not as expected")
}

impl Manifest {
    fn problems(&self, package: &Path, version: &str) -> Vec<String> {
        let mut problems = Vec::new();
        if self.name != NAME {
            problems.push(format!("package.json: the name must be {NAME}, not {}", self.name));
        }
        if self.version != version {
            problems.push(format!("package.json: the version is {}, and Cargo.toml's is {version}", self.version));
        }
        if self.unity != UNITY {
            problems.push(format!("package.json: `unity` must be {UNITY}, not {}", self.unity));
        }
        let texts = [&self.display_name, &self.description, &self.license, &self.author.name];
        if texts.iter().any(|text| text.trim().is_empty()) || self.keywords.is_empty() {
            problems.push("package.json: display name, description, license, author or keywords are empty".to_owned());
        }
        for sample in &self.samples {
            if sample.display_name.is_empty() || sample.description.is_empty() {
                problems.push(format!("package.json: the sample {} is not described", sample.path));
            }
            if !sample.path.starts_with("Samples~/") || !package.join(&sample.path).is_dir() {
                problems.push(format!("package.json: the sample {} is not there", sample.path));
            }
        }
        for folder in folders_of(&package.join("Samples~")) {
            let path = format!("Samples~/{folder}");
            if self.samples.iter().all(|sample| sample.path != path) {
                problems.push(format!("package.json: it does not list the sample {path}"));
            }
        }
        problems
    }
}

fn folders_of(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

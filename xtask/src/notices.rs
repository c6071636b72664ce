//! What is in the native library besides our own code, and its licences, for the packages' notices: a table, and every text,
//! as the licences ask of those who hand out binaries.

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

/// What every library of Rust's has in it, and cargo does not list.
const STANDARD_LIBRARY: &str = "Rust's standard library";

/// What a linker adds to a library of its own: start files, what the processor cannot do, the unwinder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Linked {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    pub(crate) license: &'static str,
    /// The file with its text; `None` where the licence excepts what is linked, so that nobody has to be told.
    pub(crate) text: Option<PathBuf>,
}

/// All crates that the library has on any of its platforms, and what was linked to them: first a table, then each text once,
/// with those whose it is.
pub(crate) fn of_library(workspace: &Workspace, linked: impl IntoIterator<Item = Linked>) -> Result<String> {
    let apache = tidy(&workspace.read("LICENSE-APACHE")?);
    let mut noticed = vec![Notice {
        name: STANDARD_LIBRARY.to_owned(),
        version: "of the compiler".to_owned(),
        license: "MIT OR Apache-2.0".to_owned(),
        texts: vec![apache.clone()],
    }];
    for Linked { name, version, license, text } in linked {
        let texts = text.iter().map(|file| read(file)).collect::<Result<_>>()?;
        noticed.push(Notice { name: name.to_owned(), version, license: license.to_owned(), texts });
    }
    for Crate { name, version, license, folder } in crates(workspace)? {
        let mut texts = license_texts(&folder)?;
        if texts.is_empty() {
            ensure!(apache_suffices(&license), "{name} {version} comes without the text of its licence");
            texts.push(apache.clone());
        }
        noticed.push(Notice { name, version, license, texts });
    }
    Ok(written(&noticed))
}

/// What is said about a crate, or another part.
struct Notice {
    name: String,
    version: String,
    license: String,
    texts: Vec<String>,
}

fn written(notices: &[Notice]) -> String {
    let mut text = String::from("| part | version | licence |\n|---|---|---|\n");
    let mut owners: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for Notice { name, version, license, texts } in notices {
        text.push_str(&format!("| {name} | {version} | {license} |\n"));
        for license in texts {
            owners.entry(license).or_default().push(format!("{name} {version}"));
        }
    }
    let mut texts: Vec<(Vec<String>, &str)> = owners.into_iter().map(|(text, owners)| (owners, text)).collect();
    texts.sort();
    for (owners, license) in texts {
        text.push_str(&format!("\n---\n\n**{}**\n\n```text\n{license}\n```\n", owners.join(", ")));
    }
    text
}

/// Whether the Apache licence alone, whose text is the same for everybody, may be chosen.
fn apache_suffices(license: &str) -> bool {
    license.replace('/', " OR ").split(" OR ").any(|choice| choice.trim() == "Apache-2.0")
}

fn crates(workspace: &Workspace) -> Result<Vec<Crate>> {
    let folders = folders(workspace)?;
    let mut tree = workspace.cargo();
    tree.args(["tree", "--locked", "--package", "arr-session", "--edges", "normal", "--target", "all"]);
    tree.args(["--prefix", "none", "--format", "{p}|{l}"]);
    let said = process::stdout(&mut tree)?;
    let mut crates: BTreeMap<(String, String), Crate> = BTreeMap::new();
    for line in said.lines() {
        let (name, version, license) = package_and_license(line)?;
        if name == "arr-session" {
            continue;
        }
        let key = (name.clone(), version.clone());
        let folder = folders.get(&key).with_context(|| format!("cargo does not say where {name} {version} lies"))?;
        crates.insert(key, Crate { name, version, license, folder: folder.clone() });
    }
    Ok(crates.into_values().collect())
}

/// One line of `cargo tree`: `name v1.2.3 (where it lies, or that it is a macro)|licence (*)`.
fn package_and_license(line: &str) -> Result<(String, String, String)> {
    let (package, license) = line.trim_end_matches(" (*)").split_once('|').context("cargo tree: no license")?;
    let mut words = package.split(' ');
    let name = words.next().unwrap_or_default().to_owned();
    let version = words.next().unwrap_or_default().trim_start_matches('v').to_owned();
    let license = license.trim().to_owned();
    ensure!(!license.is_empty(), "{name} names no license");
    Ok((name, version, license))
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
    files.iter().map(|file| read(file)).collect()
}

fn read(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(tidy(&text))
}

fn tidy(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(name: &str, texts: &[&str]) -> Notice {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        Notice { name: name.to_owned(), version: "1.0.0".to_owned(), license: "MIT".to_owned(), texts }
    }

    #[test]
    fn every_crate_is_in_the_table_and_each_text_stands_once_below_all_whose_it_is() {
        let text = written(&[notice("one", &["common", "of one"]), notice("two", &["common"])]);
        assert!(text.contains("| one | 1.0.0 | MIT |\n| two | 1.0.0 | MIT |\n"), "{text}");
        assert_eq!(text.matches("common").count(), 1, "{text}");
        assert!(text.contains("**one 1.0.0, two 1.0.0**\n\n```text\ncommon\n```"), "{text}");
        assert!(text.contains("**one 1.0.0**\n\n```text\nof one\n```"), "{text}");
    }

    #[test]
    fn what_cargo_says_of_a_package_is_understood() {
        let ring = ("ring".to_owned(), "0.17.14".to_owned(), "Apache-2.0 AND ISC".to_owned());
        assert_eq!(package_and_license("ring v0.17.14|Apache-2.0 AND ISC (*)").unwrap(), ring);
        let (name, version, _) = package_and_license("serde_derive v1.0.1 (proc-macro)|MIT").unwrap();
        assert_eq!((&*name, &*version), ("serde_derive", "1.0.1"));
        assert!(package_and_license("nameless v1.0.0|").is_err());
        assert!(package_and_license("no line of a tree").is_err());
    }

    #[test]
    fn the_apache_licence_stands_for_others_only_where_it_may_be_chosen() {
        for license in ["Apache-2.0", "MIT OR Apache-2.0", "Apache-2.0/MIT", "Apache-2.0 OR ISC OR MIT"] {
            assert!(apache_suffices(license), "{license}");
        }
        for license in ["MIT", "Apache-2.0 AND ISC", "MIT AND Apache-2.0", "ISC OR (Apache-2.0 AND MIT)"] {
            assert!(!apache_suffices(license), "{license}");
        }
    }

    #[test]
    fn texts_are_found_by_their_files_names_and_nothing_else_is() {
        let folder = std::env::temp_dir().join(format!("arr-notices-{}", std::process::id()));
        fs::create_dir_all(folder.join("licenses")).unwrap();
        let files =
            [("LICENSE-MIT", "mit  \n\n"), ("copying.txt", "copying"), ("NOTICE", "notice"), ("README.md", "no")];
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        let texts = license_texts(&folder);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(texts.unwrap(), ["mit", "notice", "copying"]);
    }

    #[test]
    fn the_crates_of_this_library_all_have_their_texts() {
        let text = of_library(&Workspace::find().unwrap(), []).unwrap();
        for part in ["| ring | ", "| reqwest | ", STANDARD_LIBRARY, "Permission is hereby granted", "Apache License"] {
            assert!(text.contains(part), "{part}");
        }
        assert!(!text.contains("| arr-session | "), "the library itself is not a third party");
    }

    #[test]
    fn what_was_linked_is_told_with_the_text_that_it_asks_for() {
        let workspace = Workspace::find().unwrap();
        let linked = |name, text| Linked { name, version: "12".to_owned(), license: "MIT", text };
        let told = of_library(
            &workspace,
            [linked("unwinder", Some(workspace.root.join("LICENSE-MIT"))), linked("start files", None)],
        )
        .unwrap();
        for part in ["| unwinder | 12 | MIT |", "| start files | 12 | MIT |", "**unwinder 12**"] {
            assert!(told.contains(part), "{part}");
        }
        assert!(!told.contains("start files 12**"), "there is no text of it");
        let missing = linked("unwinder", Some(PathBuf::from("there/is/no/such/file")));
        assert!(of_library(&workspace, [missing]).is_err());
    }
}

//! The crates that are in the native library, and their licences, for the package's notices.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};

use crate::process;
use crate::workspace::Workspace;

/// A table of all crates that the library has on any of its platforms.
pub(crate) fn table(workspace: &Workspace) -> Result<String> {
    let mut tree = workspace.cargo();
    tree.args(["tree", "--locked", "--package", "arr-session", "--edges", "normal", "--target", "all"]);
    tree.args(["--prefix", "none", "--format", "{p}|{l}"]);
    let said = process::stdout(&mut tree)?;
    let mut rows = BTreeSet::new();
    for line in said.lines() {
        let (package, license) = line.trim_end_matches(" (*)").split_once('|').context("cargo tree: no license")?;
        // `name v1.2.3 (where it lies, or that it is a macro)`
        let mut words = package.split(' ');
        let (name, version) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if name == "arr-session" {
            continue;
        }
        ensure!(!license.trim().is_empty(), "{name} names no license");
        rows.insert(format!("| {name} | {} | {} |", version.trim_start_matches('v'), license.trim()));
    }
    let rows: Vec<String> = rows.into_iter().collect();
    Ok(format!("| crate | version | licence |\n|---|---|---|\n{}\n", rows.join("\n")))
}

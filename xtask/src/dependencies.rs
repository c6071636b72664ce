//! The crates in what ships: each, on any platform, must be in the list.

use std::collections::BTreeSet;
use std::process::Stdio;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::process;
use crate::step::Report;

/// The crates, one name per line: of the library, and what the command line adds to them.
const LIST: &str = "xtask/dependencies.txt";

pub(crate) fn check(context: &Context) -> Result<Report> {
    let list = context.workspace.read(LIST)?;
    let (mut known, mut problems, mut counts) = (BTreeSet::new(), Vec::new(), Vec::new());
    for package in ["arr-session", "arr-cli"] {
        let section = list.split('[').find_map(|part| part.strip_prefix(package)?.strip_prefix("]\n"));
        let section = section.with_context(|| format!("{LIST} has no section [{package}]"))?;
        let listed: BTreeSet<String> = section.lines().map(str::to_owned).collect();
        let names = crates(context, package)?;
        let new = names.difference(&known).filter(|name| !listed.contains(*name));
        problems
            .extend(new.map(|name| format!("{name} is new in {package}: if it is worth its cost, add it to {LIST}")));
        let gone = listed.iter().filter(|name| !names.contains(*name));
        problems.extend(gone.map(|name| format!("{name} is no longer in {package}: remove it from {LIST}")));
        counts.push(format!("{} crates in {package}", names.len()));
        known.extend(names);
    }
    Report::unless(problems, format!("{}, on all platforms, as listed", counts.join(", ")))
}

/// The crates of a package, including ours.
fn crates(context: &Context, package: &str) -> Result<BTreeSet<String>> {
    let mut cargo = context.workspace.cargo();
    cargo.args(["tree", "--locked", "--package", package, "--edges", "normal,no-proc-macro", "--target", "all"]);
    cargo.args(["--prefix", "none", "--format", "{p}"]);
    let tree = process::stdout_within(&mut cargo, process::CARGO_LIMIT, Stdio::piped())?;
    Ok(tree.lines().filter_map(|line| Some(line.split(' ').next()?.to_owned())).collect())
}

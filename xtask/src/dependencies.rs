//! The crates in the shipped library: each, on any platform, must be in the list.

use std::collections::BTreeSet;
use std::process::Stdio;

use anyhow::Result;

use crate::context::Context;
use crate::process;
use crate::step::Report;

/// The crates, one name per line.
const LIST: &str = "xtask/dependencies.txt";

pub(crate) fn check(context: &Context) -> Result<Report> {
    let mut cargo = context.workspace.cargo();
    cargo.args(["tree", "--locked", "--package", "arr-session", "--edges", "normal,no-proc-macro", "--target", "all"]);
    cargo.args(["--prefix", "none", "--format", "{p}"]);
    let tree = process::stdout_within(&mut cargo, process::CARGO_LIMIT, Stdio::piped())?;
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    let list = context.workspace.read(LIST)?;
    let listed: BTreeSet<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    let new = names
        .difference(&listed)
        .map(|name| format!("{name} is new in the library: if it is worth its cost, add it to {LIST}"));
    let gone =
        listed.difference(&names).map(|name| format!("{name} is no longer in the library: remove it from {LIST}"));
    Report::unless(new.chain(gone).collect(), format!("{} crates on all platforms, as listed", names.len()))
}

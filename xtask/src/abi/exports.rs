//! The exports and imports of the library that ships for this machine.

use anyhow::{Context as _, Result};

use crate::abi::Abi;
use crate::abi::binary::{Archive, Binary};
use crate::artifacts::{Development, Progress};
use crate::context::Context;
use crate::step::Report;
use crate::workspace::Workspace;

/// The libraries that one for Linux may need: those that every system has.
const SYSTEM_LIBRARIES: &str = "abi/imports-linux.txt";

/// Checks that the library exports exactly the header's functions, and needs only the system.
pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let library = context.library()?;
    let abi = Abi::read(workspace)?;
    let binary = Binary::read(&library.shared)?;
    let mut problems = abi.differences("the shared library", &binary.exports);
    problems.extend(abi.differences("the static library", &Archive::read(&library.archive)?.names));
    problems.extend(foreign_imports(workspace, &binary, SYSTEM_LIBRARIES)?);
    let elf = binary.elf.context("the library is no ELF file")?;
    if !elf.position_independent {
        problems.push("the library has text relocations: it is not position independent".to_owned());
    }
    if !elf.stripped {
        problems.push("the library is not stripped".to_owned());
    }
    let rlib = Development::build(workspace, Progress::Hidden)?.rlib;
    let in_rust = Archive::read(&rlib)?.names;
    problems.extend(in_rust.iter().map(|name| format!("arr-client, and so every Rust program with it, has {name}")));
    let count = abi.functions.len();
    Report::unless(problems, format!("{count} functions, exactly those of abi/; none in arr-client"))
}

/// What a library needs beyond the list in the file `allowed`: one library per line, `*` for parts that differ by machine.
pub(crate) fn foreign_imports(workspace: &Workspace, binary: &Binary, allowed: &str) -> Result<Vec<String>> {
    let text = workspace.read(allowed)?;
    let patterns: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let foreign = binary.imports.iter().filter(|(library, _)| !patterns.iter().any(|pattern| fits(library, pattern)));
    let problem =
        |(library, functions)| format!("it needs {library}, which {allowed} does not allow, for {functions:?}");
    Ok(foreign.map(problem).collect())
}

fn fits(library: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => {
            library.len() >= start.len() + end.len() && library.starts_with(start) && library.ends_with(end)
        }
        None => library == pattern,
    }
}

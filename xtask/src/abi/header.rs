//! `cargo xtask header`: the C header and the layout of its structs, which the library's own tests generate and compare.

use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::abi::{self, Abi};
use crate::workspace::Workspace;

pub(crate) const PATH: &str = "include/arr_session.h";

/// How the structs lie in memory.
pub(crate) const LAYOUT: &str = "abi/layout.txt";

/// A file that a test of the library generates and compares.
struct Generated {
    path: &'static str,
    /// What `cargo test` is told, to run that test.
    test: &'static [&'static str],
    /// Set, it makes the test write the file before it compares.
    update: &'static str,
}

const GENERATED: &[Generated] = &[
    Generated { path: PATH, test: &["--test", "header"], update: "ARR_UPDATE_HEADER" },
    Generated { path: LAYOUT, test: &["--lib", "ffi::layout"], update: "ARR_UPDATE_LAYOUT" },
];

#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Write,
    Check,
}

pub(crate) fn run(mode: Mode) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let before = Abi::read(&workspace).ok();
    let layout_before = workspace.read(LAYOUT);
    let mut all_good = true;
    for generated in GENERATED {
        all_good &= generated.run(&workspace, mode)?;
    }
    if all_good {
        all_good = lock(&workspace, before.as_ref(), mode)?;
        if let (false, Ok(layout)) = (all_good, layout_before) {
            // It is part of what is locked: written anew, the same would pass next time.
            fs::write(workspace.root.join(LAYOUT), layout).with_context(|| format!("cannot write {LAYOUT}"))?;
        }
    }
    Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The rest of `abi/`, which the header and the layout give. What would break a promise is not written.
fn lock(workspace: &Workspace, before: Option<&Abi>, mode: Mode) -> Result<bool> {
    let now = Abi::now(workspace)?;
    let broken = before.map_or(Vec::new(), |before| before.broken_promises(&now));
    if !broken.is_empty() {
        eprintln!("error: {}", abi::advice(&broken));
        return Ok(false);
    }
    let (symbols, constants) = (abi::SYMBOLS, abi::CONSTANTS);
    match mode {
        Mode::Write => {
            now.write(workspace)?;
            println!("{symbols} and {constants} are what the header gives");
        }
        Mode::Check if before == Some(&now) => println!("{symbols} and {constants} are up to date"),
        Mode::Check => {
            eprintln!("error: {symbols} or {constants} is not up to date: run `cargo xtask header`");
            return Ok(false);
        }
    }
    Ok(true)
}

/// Has cargo's tests compare the generated files, whatever the caller's environment says.
pub(crate) fn never_write(tests: &mut Command) {
    for generated in GENERATED {
        tests.env_remove(generated.update);
    }
}

impl Generated {
    fn run(&self, workspace: &Workspace, mode: Mode) -> Result<bool> {
        let mut test = workspace.cargo();
        test.args(["test", "--quiet", "--package", "arr-session"]).args(self.test);
        match mode {
            Mode::Write => test.env(self.update, "1"),
            Mode::Check => test.env_remove(self.update),
        };
        let succeeded = test.status().context("cannot run cargo")?.success();
        let path = self.path;
        match (mode, succeeded) {
            (Mode::Write, true) => println!("{path} is what the Rust sources give"),
            (Mode::Check, true) => println!("{path} is up to date"),
            (Mode::Write, false) => eprintln!("error: {path} could not be generated"),
            (Mode::Check, false) => eprintln!("error: {path} is not up to date: run `cargo xtask header`"),
        }
        Ok(succeeded)
    }
}

//! `cargo xtask header`: the C header and the layout of its structs, which the library's own tests generate, and what these two
//! give: the rest of `abi/`, and the declarations in C#.

use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::abi::c_header::{Header, PATH};
use crate::abi::{self, Abi, LAYOUT, csharp};
use crate::workspace::Workspace;

/// A file that a test of the library compares with what it generates.
struct Generated {
    path: &'static str,
    /// What `cargo test` is told, to run that test.
    test: &'static [&'static str],
    /// Set, it is the file to which the test writes instead.
    to: &'static str,
}

const HEADER: Generated = Generated { path: PATH, test: &["--test", "header"], to: "ARR_HEADER_TO" };
const STRUCTS: Generated = Generated { path: LAYOUT, test: &["--lib", "layout"], to: "ARR_LAYOUT_TO" };

/// All is generated elsewhere, and judged, before anything is written: what breaks a promise would be one itself next time.
pub(crate) fn run(only_check: bool) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let before = Abi::read(&workspace)?;
    let (header, structs) = (HEADER.generate(&workspace)?, STRUCTS.generate(&workspace)?);
    let now = Abi::of(&header, &structs)?;
    let broken = before.broken_promises(&now);
    if !broken.is_empty() {
        eprintln!("error: {}", abi::advice(&broken));
        return Ok(ExitCode::FAILURE);
    }
    let declarations = csharp::texts(&Header::read(&header)?);
    let mut all_good = true;
    for (path, text) in [(PATH, header), (LAYOUT, structs)].into_iter().chain(now.texts()).chain(declarations) {
        all_good &= put(&workspace, path, &text, only_check)?;
    }
    Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes a file, or compares it.
fn put(workspace: &Workspace, path: &str, text: &str, only_check: bool) -> Result<bool> {
    if !only_check {
        fs::write(workspace.root.join(path), text).with_context(|| format!("cannot write {path}"))?;
    // A checkout on Windows may have changed the line ends.
    } else if workspace.read(path)?.replace("\r\n", "\n") != text {
        eprintln!("error: {path} is not up to date: run `cargo xtask header`");
        return Ok(false);
    }
    println!("{path} is what the Rust sources give");
    Ok(true)
}

/// Has cargo's tests compare the generated files, whatever the caller's environment says.
pub(crate) fn never_write(tests: &mut Command) {
    for generated in [HEADER, STRUCTS] {
        tests.env_remove(generated.to);
    }
}

impl Generated {
    /// What the Rust sources give.
    fn generate(&self, workspace: &Workspace) -> Result<String> {
        let file = workspace.scratch("xtask/header")?.join(self.to);
        // What is left from before is not what is generated now.
        fs::write(&file, "").with_context(|| format!("cannot write {}", file.display()))?;
        let mut test = workspace.cargo();
        test.args(["test", "--quiet", "--package", "arr-session"]).args(self.test).env(self.to, &file);
        let status = test.status().context("cannot run cargo")?;
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        ensure!(status.success() && !text.is_empty(), "{} could not be generated", self.path);
        Ok(text)
    }
}

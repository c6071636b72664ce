//! `cargo xtask header`: the library's own tests generate the C header and the layout of its structs. The rest of `abi/` and the
//! declarations in C# follow from these two.

use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::abi::c_header::{Header, PATH};
use crate::abi::{self, Abi, LAYOUT, csharp};
use crate::workspace::Workspace;

/// A file that a test of the library generates and compares.
struct Generated {
    path: &'static str,
    /// The arguments of `cargo test` for that test.
    test: &'static [&'static str],
    /// The environment variable with the file to write instead.
    to: &'static str,
}

const HEADER: Generated = Generated { path: PATH, test: &["--test", "header"], to: "ARR_HEADER_TO" };
const STRUCTS: Generated = Generated { path: LAYOUT, test: &["--lib", "layout"], to: "ARR_LAYOUT_TO" };

/// Generates everything elsewhere and checks it before anything is written: once written, a breaking change would be the lock.
pub(crate) fn run() -> Result<ExitCode> {
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
    for (path, text) in [(PATH, header), (LAYOUT, structs)].into_iter().chain(now.texts()).chain(declarations) {
        fs::write(workspace.root.join(path), text).with_context(|| format!("cannot write {path}"))?;
        println!("{path} is up to date");
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes cargo's tests compare the generated files, regardless of the caller's environment.
pub(crate) fn never_write(tests: &mut Command) {
    for generated in [HEADER, STRUCTS] {
        tests.env_remove(generated.to);
    }
}

impl Generated {
    /// The file's text, generated from the Rust sources.
    fn generate(&self, workspace: &Workspace) -> Result<String> {
        let file = workspace.scratch("xtask/header")?.join(self.to);
        // A file from an earlier run must not count.
        fs::write(&file, "").with_context(|| format!("cannot write {}", file.display()))?;
        let mut test = workspace.cargo();
        test.args(["test", "--quiet", "--package", "arr-session"]).args(self.test).env(self.to, &file);
        let status = test.status().context("cannot run cargo")?;
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        ensure!(status.success() && !text.is_empty(), "{} could not be generated", self.path);
        Ok(text)
    }
}

//! The commands by which docs/csharp.md has people compile: they are run as they stand there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::process;
use crate::workspace::Workspace;

pub(crate) const PAGE: &str = "docs/csharp.md";
const EXAMPLE: &str = "examples/csharp/Quickstart.cs";
/// Where the sources are in a checkout.
const SOURCES: &str = "bindings/csharp";

/// As somebody does it in a checkout; the example's head says the same. Returns the program.
pub(super) fn check(workspace: &Workspace) -> Result<PathBuf> {
    let page = workspace.read(PAGE)?;
    ensure!(workspace.read(EXAMPLE)?.contains(command(&page, SOURCES)?), "{EXAMPLE} does not tell what {PAGE} tells");
    // What is made does not belong into the checkout.
    let folder = workspace.scratch("xtask/csharp/documented")?;
    for name in ["bindings", "examples"] {
        process::link(&workspace.root.join(name), &folder.join(name))?;
    }
    compile(&page, SOURCES, &folder)
}

/// Runs in `folder` what the page tells for sources that lie in `sources`, and returns the program.
pub(crate) fn compile(page: &str, sources: &str, folder: &Path) -> Result<PathBuf> {
    let program = folder.join("quickstart.exe");
    if program.exists() {
        fs::remove_file(&program).with_context(|| format!("cannot remove {}", program.display()))?;
    }
    let command = command(page, sources)?;
    let mut sh = Command::new("sh");
    sh.current_dir(folder).args(["-c", command]);
    process::run(sh, process::TOOL_LIMIT)?.expect_success(command)?;
    ensure!(program.exists(), "`{command}` has made no {}", program.display());
    Ok(program)
}

/// The line that compiles the sources of this folder.
fn command<'a>(page: &'a str, sources: &str) -> Result<&'a str> {
    let named = format!(" {sources}/*.cs ");
    page.lines()
        .find(|line| line.starts_with("mcs ") && line.contains(&named))
        .with_context(|| format!("{PAGE} does not tell how to compile {sources}"))
}

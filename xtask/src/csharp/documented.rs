//! Runs the compile commands in docs/csharp.md, as printed there.

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

/// Compiles the example as in a checkout; its head has the same command. Returns the program.
pub(super) fn check(workspace: &Workspace) -> Result<PathBuf> {
    let page = workspace.read(PAGE)?;
    ensure!(workspace.read(EXAMPLE)?.contains(command(&page, SOURCES)?), "{EXAMPLE} lacks the command in {PAGE}");
    // Keep the output out of the checkout.
    let folder = workspace.scratch("xtask/csharp/documented")?;
    for name in ["bindings", "examples"] {
        process::link(&workspace.root.join(name), &folder.join(name))?;
    }
    compile(&page, SOURCES, &folder)
}

/// Runs the page's command for the sources in `sources`, in `folder`, and returns the program.
pub(crate) fn compile(page: &str, sources: &str, folder: &Path) -> Result<PathBuf> {
    let program = folder.join("quickstart.exe");
    if program.exists() {
        fs::remove_file(&program).with_context(|| format!("cannot remove {}", program.display()))?;
    }
    let command = command(page, sources)?;
    let mut sh = Command::new("sh");
    sh.current_dir(folder).args(["-c", command]);
    process::run(sh, process::TOOL_LIMIT)?.expect_success(command)?;
    ensure!(program.exists(), "`{command}` did not make {}", program.display());
    Ok(program)
}

/// The line that compiles the sources of this folder.
fn command<'a>(page: &'a str, sources: &str) -> Result<&'a str> {
    let named = format!(" {sources}/*.cs ");
    page.lines()
        .find(|line| line.starts_with("mcs ") && line.contains(&named))
        .with_context(|| format!("{PAGE} has no command to compile {sources}"))
}

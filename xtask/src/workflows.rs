//! The workflows of GitHub Actions, which nothing here can run: at least what is written is what GitHub would accept.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::context::Context;
use crate::process;
use crate::python::{Environment, Packages};
use crate::step::Report;
use crate::workspace::Workspace;

const PACKAGES: Packages = Packages {
    folder: "workflows",
    requirements: "xtask/workflows/requirements.txt",
    complete: true,
    what: "the checker of workflows",
};
const FOLDER: &str = ".github/workflows";

/// A key that a workflow has, and a mistake in it that is easily made. The checker has to see it, or it sees nothing.
const MISTAKE: (&str, &str) = ("runs-on:", "run-on:");

/// Every workflow is as GitHub's schema says, and a mistake in it would not be.
pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let python = Environment::provide(workspace, &PACKAGES)?;
    let files = list(workspace)?;
    process::run(by_schema(&python, &files), process::TOOL_LIMIT)?.expect_success(FOLDER)?;

    let folder = workspace.scratch("xtask/workflow-defects")?;
    for file in &files {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        ensure!(text.contains(MISTAKE.0), "{} has no `{}`", file.display(), MISTAKE.0);
        let wrong = folder.join(file.file_name().unwrap_or_default());
        fs::write(&wrong, text.replacen(MISTAKE.0, MISTAKE.1, 1))
            .with_context(|| format!("cannot write {}", wrong.display()))?;
        let judged = process::run(by_schema(&python, std::slice::from_ref(&wrong)), process::TOOL_LIMIT)?;
        ensure!(
            !judged.succeeded(),
            "`{}` in {} is taken for right: the checker checks nothing",
            MISTAKE.1,
            wrong.display()
        );
    }
    Ok(Report(format!("{} by GitHub's schema, which refuses a mistake in it", count(files.len()))))
}

fn count(files: usize) -> String {
    if files == 1 { "1 file".to_owned() } else { format!("{files} files") }
}

/// All of them, in the order of their names.
fn list(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let folder = workspace.root.join(FOLDER);
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "yml" || ending == "yaml") {
            files.push(path);
        }
    }
    ensure!(!files.is_empty(), "there is no workflow in {FOLDER}");
    files.sort();
    Ok(files)
}

/// The schema is the one that comes with the checker: nothing is fetched.
fn by_schema(python: &Environment, files: &[PathBuf]) -> Command {
    let mut checker = python.command();
    checker.args(["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]).args(files);
    checker
}

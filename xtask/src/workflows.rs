//! The workflows of GitHub Actions, which nothing here can run, are at least what GitHub's schema allows.

use anyhow::{Context as _, Result, ensure};

use crate::context::Context;
use crate::process;
use crate::python::{Environment, Packages};
use crate::step::Report;

const PACKAGES: Packages = Packages {
    folder: "workflows",
    requirements: "xtask/workflows/requirements.txt",
    complete: true,
    what: "the checker of workflows",
};
const FOLDER: &str = ".github/workflows";

pub(crate) fn check(context: &Context) -> Result<Report> {
    let folder = context.workspace.root.join(FOLDER);
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    ensure!(!files.is_empty(), "there is no workflow in {FOLDER}");
    let mut checker = Environment::provide(&context.workspace, &PACKAGES)?.command();
    // The schema that comes with the checker: nothing is fetched.
    checker.args(["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]).args(&files);
    process::run(checker, process::TOOL_LIMIT)?.expect_success(FOLDER)?;
    Ok(Report(format!("{} files", files.len())))
}

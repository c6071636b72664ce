//! The quickstarts print the same text in every language, on every runtime and with both versions of the REST API: the story in
//! `tests/story`.

mod failures;
pub(crate) mod quickstarts;
pub(crate) mod text;

use std::path::Path;

use anyhow::{Result, ensure};

use crate::context::{Context, STARTUP};
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::parallel;
use crate::process::Finished;
use crate::step::Report;
use crate::story::quickstarts::{Quickstart, without_errors_of_wine};
use crate::story::text::{PORTS, expect};
use crate::workspace::Workspace;

/// Checks the whole story, and the failures.
pub(crate) fn check(context: &Context) -> Result<Report> {
    let quickstarts = quickstarts::compile(context)?;
    let mut problems = compare(&context.workspace, &context.emulators()?.program, &quickstarts);
    if problems.is_empty() {
        problems = failures::check(context, &quickstarts)?;
    }
    let names: Vec<&str> = quickstarts.iter().map(|quickstart| &*quickstart.name).collect();
    let summary = format!(
        "{}: the same over HTTPS with both REST versions\n\
         a wrong key, a closed port and a refused lease end with an error message and leave no session, even with standard output closed",
        names.join(", ")
    );
    Report::unless(problems, summary)
}

/// Runs each program with each version of the REST API, and returns the differences from the story.
pub(crate) fn compare(workspace: &Workspace, emulator: &Path, quickstarts: &[Quickstart]) -> Vec<String> {
    let runs: Vec<(&Quickstart, ApiVersion)> = ApiVersion::BOTH
        .into_iter()
        .flat_map(|version| quickstarts.iter().map(move |quickstart| (quickstart, version)))
        .collect();
    let outcomes = parallel::map(&runs, |&(quickstart, version)| {
        let run = run(workspace, emulator, quickstart, version)?;
        let good = run.exit_code() == Some(0) && without_errors_of_wine(&run.stderr).is_empty();
        ensure!(good, "it should succeed, with nothing on standard error: {run}");
        expect(workspace, "quickstart", &run)
    });
    let problem = |(&(quickstart, version), outcome): (&(&Quickstart, ApiVersion), Result<()>)| {
        outcome.err().map(|error| format!("{}, REST {version}: {error:#}", quickstart.name))
    };
    runs.iter().zip(outcomes).filter_map(problem).collect()
}

/// Each run has its own emulator, so that the list of sessions has no others.
fn run(workspace: &Workspace, program: &Path, quickstart: &Quickstart, version: ApiVersion) -> Result<Finished> {
    let name: String = quickstart.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let folder = workspace.scratch(&format!("xtask/story/{name}-{version}"))?;
    let emulator = Emulator::start(program, &folder, Scheme::Https, &["--startup", STARTUP, "--session-ports", PORTS])?;
    let finished = quickstart.run(&emulator, version, &[])?;
    emulator.stop()?;
    Ok(finished)
}

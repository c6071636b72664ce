//! The quickstarts tell the same story, word for word, in every language, on every runtime and with both versions of the REST API.
//! `tests/story` has it.

mod failures;
pub(crate) mod tellers;
pub(crate) mod text;

use std::path::Path;

use anyhow::{Result, ensure};

use crate::context::{Context, STARTUP};
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::parallel;
use crate::process::Finished;
use crate::step::Report;
use crate::story::tellers::Teller;
use crate::story::text::{PORTS, expect};
use crate::workspace::Workspace;

/// All of them tell the whole story, and fail in the same way.
pub(crate) fn check(context: &Context) -> Result<Report> {
    let tellers = tellers::compile(context)?;
    let mut problems = compare(&context.workspace, &context.emulators()?.program, &tellers);
    if problems.is_empty() {
        problems = failures::check(context, &tellers)?;
    }
    let names: Vec<&str> = tellers.iter().map(|teller| &*teller.name).collect();
    let summary = format!(
        "{}: the same over HTTPS with both REST versions\n\
         a wrong key, a closed port and a refused lease end with an error message, and leave no session, even if nobody reads on",
        names.join(", ")
    );
    Report::unless(problems, summary)
}

/// Has each of them tell the story with each version of the REST API, and returns what is not as it should be.
pub(crate) fn compare(workspace: &Workspace, emulator: &Path, tellers: &[Teller]) -> Vec<String> {
    let runs: Vec<(&Teller, ApiVersion)> =
        ApiVersion::BOTH.into_iter().flat_map(|version| tellers.iter().map(move |teller| (teller, version))).collect();
    let outcomes = parallel::map(&runs, |&(teller, version)| {
        let told = tell(workspace, emulator, teller, version)?;
        let good = told.exit_code() == Some(0) && told.stderr.is_empty();
        ensure!(good, "it should end well, with nothing on standard error: {told}");
        expect(workspace, "quickstart", &told)
    });
    let problem = |(&(teller, version), outcome): (&(&Teller, ApiVersion), Result<()>)| {
        outcome.err().map(|error| format!("{}, REST {version}: {error:#}", teller.name))
    };
    runs.iter().zip(outcomes).filter_map(problem).collect()
}

/// Each telling has an emulator of its own: in a list of sessions there are no others then.
fn tell(workspace: &Workspace, program: &Path, teller: &Teller, version: ApiVersion) -> Result<Finished> {
    let name: String = teller.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let folder = workspace.scratch(&format!("xtask/story/{name}-{version}"))?;
    let emulator = Emulator::start(program, &folder, Scheme::Https, &["--startup", STARTUP, "--session-ports", PORTS])?;
    let telling = teller.tell(&emulator, version, &[])?;
    emulator.stop()?;
    Ok(telling)
}

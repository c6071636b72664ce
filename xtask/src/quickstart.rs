//! What the quickstart says when things go wrong: a newcomer's first error is a wrong key or a wrong address.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::compiler;
use crate::context::{Context, POLL_INTERVAL_MS};
use crate::emulator::ApiVersion;
use crate::process::{self, Finished};
use crate::step::Report;

const SOURCE: &str = "examples/c/quickstart.c";
const RUN_LIMIT: Duration = Duration::from_secs(120);

/// `wrong`, in base64.
const WRONG_KEY: &str = "d3Jvbmc=";
/// No one listens at port 1.
const CLOSED_PORT: &str = "https://127.0.0.1:1";

pub(crate) fn check_failures(context: &mut Context) -> Result<Report> {
    let folder = context.workspace.scratch("xtask/quickstart")?;
    let source = context.workspace.root.join(SOURCE);
    let program = compiler::compile(&context.workspace, &source, context.library()?, &folder)?;

    let refused = run(context, &program, &[("ARR_ACCOUNT_KEY", WRONG_KEY)])?;
    expect_failure("with a wrong account key", &refused)?;
    ensure!(
        refused.output.contains("401"),
        "with a wrong account key it does not mention the HTTP status 401 on standard error:\n{}",
        refused.output
    );

    let nowhere = [("ARR_ACCOUNT_DOMAIN", CLOSED_PORT), ("ARR_SERVICE_ENDPOINT", CLOSED_PORT)];
    let unreachable = run(context, &program, &nowhere)?;
    expect_failure("towards a closed port", &unreachable)?;
    ensure!(!unreachable.output.is_empty(), "towards a closed port it says nothing on standard error");

    Ok(Report("a wrong key and a closed port end with an error message".to_owned()))
}

/// Runs the quickstart against the emulator with some variables changed, and listens to its standard error only.
fn run(context: &Context, program: &Path, changed: &[(&str, &str)]) -> Result<Finished> {
    let mut quickstart = Command::new(program);
    context.library()?.let_find(&mut quickstart)?;
    context.emulators()?.https.introduce_to(&mut quickstart, ApiVersion::V1, POLL_INTERVAL_MS);
    quickstart.envs(changed.iter().copied());
    process::run_for_errors(quickstart, RUN_LIMIT).with_context(|| format!("cannot run {}", program.display()))
}

/// An exit code of its own choice: neither success, nor a crash, nor going on for ever.
fn expect_failure(when: &str, finished: &Finished) -> Result<()> {
    let failed = finished.exit_code().is_some_and(|code| code != 0);
    ensure!(failed, "{when} it should end with an exit code other than 0: {}\n{}", finished.end, finished.output);
    Ok(())
}

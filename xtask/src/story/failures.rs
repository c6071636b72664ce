//! The quickstarts' error messages, above all for a newcomer's first errors: a wrong key and a wrong address.

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::context::Context;
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::parallel;
use crate::story::quickstarts::{FIRST_WORDS, Quickstart};
use crate::story::text::{PORTS, expect};

/// `wrong`, in base64.
const WRONG_KEY: &str = "d3Jvbmc=";
/// Nothing listens on port 1.
const CLOSED_PORT: &str = "https://127.0.0.1:1";
/// Makes a call fail in every program while its session runs.
const NO_LEASE: &str = r#"{"rules": [{"method": "PATCH", "times": 0, "action": {"type": "status", "status": 400}}]}"#;

/// Longer than a second: some programs write nothing until their session starts, then a dot each second.
const STARTUP: &str = "1500ms";

/// A failure: the emulator, the variables to change, the expected output, and what standard error must contain.
type Failure<'a> = (&'a Emulator, &'a [(&'a str, &'a str)], &'a str, &'a [&'a str]);

pub(super) fn check(context: &Context, quickstarts: &[Quickstart]) -> Result<Vec<String>> {
    let workspace = &context.workspace;
    let emulator = &context.emulators()?.https;
    let strict = emulator_that_extends_no_lease(context)?;
    let nowhere = [("ARR_ACCOUNT_DOMAIN", CLOSED_PORT), ("ARR_SERVICE_ENDPOINT", CLOSED_PORT)];
    let failures: [Failure<'_>; 3] = [
        (emulator, &[("ARR_ACCOUNT_KEY", WRONG_KEY)], "refused", &["error: ", "401", "MS-CV "]),
        (emulator, &nowhere, "refused", &["error: "]),
        (&strict, &[], "no-lease", &["error: ", "400", "MS-CV "]),
    ];
    let fail = |quickstart: &Quickstart| -> Result<()> {
        for (emulator, changed, text, signs) in failures {
            let run = quickstart.run(emulator, ApiVersion::V1, changed)?;
            let good = run.exit_code() == Some(1) && signs.iter().all(|sign| run.stderr.contains(sign));
            ensure!(good, "it should end with 1, and with {signs:?} on standard error: {run}");
            expect(workspace, text, &run)?;
        }
        // With its standard output closed, it must still stop its session, which is checked below.
        let unread = quickstart.run_and_leave(&strict, ApiVersion::V1)?;
        let good = unread.stdout.contains(FIRST_WORDS) && unread.exit_code().is_some();
        ensure!(good, "with its standard output closed it should end normally: {unread}");
        Ok(())
    };

    // With a closed port, they mostly wait for the next attempt.
    let outcomes = parallel::map_at_once(quickstarts, fail);
    let problem = |(quickstart, outcome): (&Quickstart, Result<()>)| {
        outcome.err().map(|error| format!("{}: {error:#}", quickstart.name))
    };
    let mut problems: Vec<String> = quickstarts.iter().zip(outcomes).filter_map(problem).collect();
    let sessions = sessions_of(&strict)?;
    strict.stop()?;
    // One from the run whose lease was refused, and one from the run whose output was closed.
    if problems.is_empty() && sessions.len() != 2 * quickstarts.len() {
        problems.push(format!("{} programs have created {} sessions, not 2 each", quickstarts.len(), sessions.len()));
    }
    let running = sessions.iter().filter(|session| session.status != "Stopped");
    problems.extend(running.map(|session| format!("session {} is {}, not stopped", session.id, session.status)));
    Ok(problems)
}

/// A separate emulator, because its fault hits every program.
fn emulator_that_extends_no_lease(context: &Context) -> Result<Emulator> {
    let workspace = &context.workspace;
    let folder = workspace.scratch("xtask/quickstart/no-lease")?;
    let emulator = Emulator::start(
        &context.emulators()?.program,
        &folder,
        Scheme::Http,
        &["--startup", STARTUP, "--session-ports", PORTS],
    )?;
    emulator.control("POST", "faults", NO_LEASE)?;
    Ok(emulator)
}

#[derive(Deserialize)]
struct Session {
    id: String,
    status: String,
}

/// All sessions of an emulator, ended ones too.
fn sessions_of(emulator: &Emulator) -> Result<Vec<Session>> {
    #[derive(Deserialize)]
    struct Sessions {
        sessions: Vec<Session>,
    }
    let reply = emulator.control("GET", "sessions", "")?;
    let Sessions { sessions } =
        serde_json::from_str(&reply).with_context(|| format!("not a list of sessions: {reply}"))?;
    Ok(sessions)
}

//! What the quickstarts say when things go wrong: a newcomer's first error is a wrong key or a wrong address.

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::context::Context;
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::parallel;
use crate::story::tellers::{FIRST_WORDS, Teller};
use crate::story::text::{PORTS, expect};

/// `wrong`, in base64.
const WRONG_KEY: &str = "d3Jvbmc=";
/// No one listens at port 1.
const CLOSED_PORT: &str = "https://127.0.0.1:1";
/// The session is there, and costs; then a call fails, for every program.
const NO_LEASE: &str = r#"{"rules": [{"method": "PATCH", "times": 0, "action": {"type": "status", "status": 400}}]}"#;

/// Longer than a second: some programs write nothing before their session starts, and then a dot each second.
const STARTUP: &str = "1500ms";

/// A failure: what to change, the text that is told all the same, and what must be on standard error.
type Failure<'a> = (&'a Emulator, &'a [(&'a str, &'a str)], &'a str, &'a [&'a str]);

pub(super) fn check(context: &Context, tellers: &[Teller]) -> Result<Vec<String>> {
    let workspace = &context.workspace;
    let emulator = &context.emulators()?.https;
    let strict = emulator_that_extends_no_lease(context)?;
    let nowhere = [("ARR_ACCOUNT_DOMAIN", CLOSED_PORT), ("ARR_SERVICE_ENDPOINT", CLOSED_PORT)];
    let failures: [Failure<'_>; 3] = [
        (emulator, &[("ARR_ACCOUNT_KEY", WRONG_KEY)], "refused", &["error: ", "401", "MS-CV "]),
        (emulator, &nowhere, "refused", &["error: "]),
        (&strict, &[], "no-lease", &["error: ", "400", "MS-CV "]),
    ];
    let fail = |teller: &Teller| -> Result<()> {
        for (emulator, changed, text, signs) in failures {
            let told = teller.tell(emulator, ApiVersion::V1, changed)?;
            let good = told.exit_code() == Some(1) && signs.iter().all(|sign| told.stderr.contains(sign));
            ensure!(good, "it should end with 1, and with {signs:?} on standard error: {told}");
            expect(workspace, text, &told)?;
        }
        // What a session costs does not depend on who looks on. That it was stopped is seen below.
        let unheard = teller.tell_to_one_who_leaves(&strict, ApiVersion::V1)?;
        let good = unheard.stdout.contains(FIRST_WORDS) && unheard.exit_code().is_some();
        ensure!(good, "when nobody reads on it should end by itself: {unheard}");
        Ok(())
    };

    // Towards a closed port they wait most of the time, before they try again.
    let outcomes = parallel::map_at_once(tellers, fail);
    let problem =
        |(teller, outcome): (&Teller, Result<()>)| outcome.err().map(|error| format!("{}: {error:#}", teller.name));
    let mut problems: Vec<String> = tellers.iter().zip(outcomes).filter_map(problem).collect();
    let sessions = sessions_of(&strict)?;
    strict.stop()?;
    // One of the program that had no lease, and one of the program that nobody listened to.
    if problems.is_empty() && sessions.len() != 2 * tellers.len() {
        problems.push(format!("{} programs have made {} sessions, not 2 each", tellers.len(), sessions.len()));
    }
    let running = sessions.iter().filter(|session| session.status != "Stopped");
    problems.extend(running.map(|session| format!("session {} is {}, not stopped", session.id, session.status)));
    Ok(problems)
}

/// For these programs alone: what fails there would fail for all.
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

/// All sessions that an emulator has had.
fn sessions_of(emulator: &Emulator) -> Result<Vec<Session>> {
    #[derive(Deserialize)]
    struct Sessions {
        sessions: Vec<Session>,
    }
    let answer = emulator.control("GET", "sessions", "")?;
    let Sessions { sessions } =
        serde_json::from_str(&answer).with_context(|| format!("no list of sessions: {answer}"))?;
    Ok(sessions)
}

//! What the quickstarts say when things go wrong: a newcomer's first error is a wrong key or a wrong address.

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::context::Context;
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::parallel;
use crate::story::normalise::normalise;
use crate::story::tellers::{FIRST_WORDS, Teller, Telling};
use crate::story::{LAST_WORDS, PORTS};

/// `wrong`, in base64.
const WRONG_KEY: &str = "d3Jvbmc=";
/// No one listens at port 1.
const CLOSED_PORT: &str = "https://127.0.0.1:1";
/// The session is there, and costs; then a call fails, for every program.
const NO_LEASE: &str = r#"{"rules": [{"method": "PATCH", "times": 0, "action": {"type": "status", "status": 400}}]}"#;

/// Longer than a second: some programs write nothing before their session starts, and then a dot each second.
const STARTUP: &str = "1500ms";

/// What goes wrong, in the order of what a program tells.
const FAILURES: [&str; 3] = ["with a wrong account key", "towards a closed port", "when the lease is not extended"];

pub(super) fn check(context: &Context, tellers: &[Teller]) -> Result<Vec<String>> {
    let emulator = &context.emulators()?.https;
    let strict = emulator_that_extends_no_lease(context)?;
    let wrong_key = [("ARR_ACCOUNT_KEY", WRONG_KEY)];
    let nowhere = [("ARR_ACCOUNT_DOMAIN", CLOSED_PORT), ("ARR_SERVICE_ENDPOINT", CLOSED_PORT)];
    let fail = |teller: &Teller| -> Result<[Telling; 3]> {
        let tell = |changed: &[_]| teller.tell(emulator, ApiVersion::V1, changed);
        let [key, port, lease] = FAILURES;
        let refused = tell(&wrong_key)?;
        expect_failure(key, &refused, &["error: ", "401", "MS-CV "])?;
        let unreachable = tell(&nowhere)?;
        expect_failure(port, &unreachable, &["error: "])?;
        let unextended = teller.tell(&strict, ApiVersion::V1, &[])?;
        expect_failure(lease, &unextended, &["error: ", "400", "MS-CV "])?;
        let stopped = unextended.stdout.ends_with(LAST_WORDS);
        ensure!(stopped, "{lease} it should stop the session: {}", unextended.in_words());
        // What a session costs does not depend on who looks on. That it was stopped is seen below.
        let unheard = teller.tell_to_one_who_leaves(&strict, ApiVersion::V1)?;
        let good = unheard.stdout.contains(FIRST_WORDS) && unheard.end.exit_code().is_some();
        ensure!(good, "when nobody reads on it should end by itself: {}", unheard.in_words());
        Ok([refused, unreachable, unextended])
    };

    // Towards a closed port they wait most of the time, before they try again.
    let outcomes = parallel::map_at_once(tellers, fail);
    let mut problems = Vec::new();
    let mut told = Vec::new();
    for (teller, outcome) in tellers.iter().zip(outcomes) {
        match outcome {
            Ok(tellings) => told.push((&teller.name, tellings)),
            Err(error) => problems.push(format!("{}: {error:#}", teller.name)),
        }
    }
    if let Some(((model, model_told), others)) = told.split_first() {
        for (name, tellings) in others {
            for (when, (one, other)) in FAILURES.iter().zip(model_told.iter().zip(tellings)) {
                if sign(one) != sign(other) {
                    let (one, other) = (one.in_words(), other.in_words());
                    problems.push(format!("{when} {name} ends otherwise than {model}: {other}\nand {model}: {one}"));
                }
            }
        }
    }
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

/// What is to be the same in all languages: the exit code, and standard output. The message is the language's own.
fn sign(telling: &Telling) -> (Option<i32>, String) {
    (telling.end.exit_code(), normalise(&telling.stdout))
}

/// An exit code of its own choice: neither success, nor a crash, nor going on for ever; and signs on standard error.
fn expect_failure(when: &str, telling: &Telling, signs: &[&str]) -> Result<()> {
    let failed = telling.end.exit_code().is_some_and(|code| code != 0);
    ensure!(failed, "{when} it should end with an exit code other than 0: {}", telling.in_words());
    for sign in signs {
        let there = telling.stderr.contains(sign);
        ensure!(there, "{when}, `{sign}` is not on standard error: {}", telling.in_words());
    }
    Ok(())
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

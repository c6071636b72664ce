//! What the quickstarts say when things go wrong: a newcomer's first error is a wrong key or a wrong address.

use anyhow::{Result, ensure};

use crate::context::Context;
use crate::emulator::ApiVersion;
use crate::parallel;
use crate::step::Report;
use crate::story::normalise::normalise;
use crate::story::tellers::{Teller, Telling};

/// `wrong`, in base64.
const WRONG_KEY: &str = "d3Jvbmc=";
/// No one listens at port 1.
const CLOSED_PORT: &str = "https://127.0.0.1:1";

pub(crate) fn check_failures(context: &mut Context) -> Result<Report> {
    let emulator = &context.emulators()?.https;
    let tellers = context.tellers()?;
    let wrong_key = [("ARR_ACCOUNT_KEY", WRONG_KEY)];
    let nowhere = [("ARR_ACCOUNT_DOMAIN", CLOSED_PORT), ("ARR_SERVICE_ENDPOINT", CLOSED_PORT)];
    let fail = |teller: &Teller| -> Result<[Telling; 2]> {
        let tell = |changed: &[_]| teller.tell(emulator, ApiVersion::V1, changed);
        let refused = tell(&wrong_key)?;
        expect_failure("with a wrong account key", &refused)?;
        for sign in ["error: ", "401", "MS-CV "] {
            let there = refused.stderr.contains(sign);
            ensure!(there, "with a wrong account key, `{sign}` is not on standard error: {}", refused.in_words());
        }
        let unreachable = tell(&nowhere)?;
        expect_failure("towards a closed port", &unreachable)?;
        ensure!(unreachable.stderr.contains("error: "), "towards a closed port: {}", unreachable.in_words());
        Ok([refused, unreachable])
    };

    // Towards a closed port they wait most of the time, before they try again.
    let outcomes = parallel::map_at_once(&tellers.all, fail);
    let mut problems = Vec::new();
    let mut told = Vec::new();
    for (teller, outcome) in tellers.all.iter().zip(outcomes) {
        match outcome {
            Ok(tellings) => told.push((&teller.name, tellings)),
            Err(error) => problems.push(format!("{}: {error:#}", teller.name)),
        }
    }
    if let Some(((model, model_told), others)) = told.split_first() {
        for (name, tellings) in others {
            for (when, (one, other)) in
                ["with a wrong key", "towards a closed port"].iter().zip(model_told.iter().zip(tellings))
            {
                if sign(one) != sign(other) {
                    let (one, other) = (one.in_words(), other.in_words());
                    problems.push(format!("{when} {name} ends otherwise than {model}: {other}\nand {model}: {one}"));
                }
            }
        }
    }
    let summary = format!("{} programs: a wrong key and a closed port end with an error message", tellers.all.len());
    Report::unless(problems, tellers.report(summary))
}

/// What is to be the same in all languages: the exit code, and standard output. The message is the language's own.
fn sign(telling: &Telling) -> (Option<i32>, String) {
    (telling.end.exit_code(), normalise(&telling.stdout))
}

/// An exit code of its own choice: neither success, nor a crash, nor going on for ever.
fn expect_failure(when: &str, telling: &Telling) -> Result<()> {
    let failed = telling.end.exit_code().is_some_and(|code| code != 0);
    ensure!(failed, "{when} it should end with an exit code other than 0: {}", telling.in_words());
    Ok(())
}

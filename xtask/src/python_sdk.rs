//! The official Python SDK as a client of the emulator: a program that we did not write judges what we serve.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::context::{Context, POLL_INTERVAL_MS, STARTUP};
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::process;
use crate::python::{Environment, Packages};
use crate::step::Report;

const PACKAGES: Packages = Packages {
    folder: "python",
    requirements: "tests/python/requirements.txt",
    complete: false,
    what: "the official SDK",
};
const PROGRAM: &str = "tests/python/life_cycle.py";

/// The service's two ways of writing, both of which the SDK has to understand.
const WIRES: [&str; 2] = ["2021", "2022"];

const RUN_LIMIT: Duration = Duration::from_secs(120);

/// Runs the SDK's tests against an emulator over HTTPS, once for each way of writing.
pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let python = Environment::provide(workspace, &PACKAGES)?;
    let program = &context.emulators()?.program;
    let mut runs = Vec::new();
    for wire in WIRES {
        let folder = workspace.scratch(&format!("xtask/python-{wire}"))?;
        let options = ["--startup", STARTUP, "--page-size", "2", "--wire", wire];
        let emulator = Emulator::start(program, &folder, Scheme::Https, &options)?;
        let mut program = python.command();
        program.arg(workspace.root.join(PROGRAM));
        emulator.introduce_to(&mut program, ApiVersion::V2021_01_01, POLL_INTERVAL_MS);
        let said = process::run(program, RUN_LIMIT)?.expect_success(&format!("{PROGRAM}, --wire {wire}"))?;
        runs.push(format!("{} with --wire {wire}", tests_run(&said)?));
        emulator.stop()?;
    }
    Ok(Report(runs.join(", ")))
}

/// `9 tests`, out of what Python's `unittest` says at its end.
fn tests_run(said: &str) -> Result<&str> {
    let line = said.lines().find_map(|line| line.strip_prefix("Ran ")?.split_once(" in "));
    let (tests, _) = line.filter(|(tests, _)| !tests.starts_with("0 ")).context("no Python test was run")?;
    Ok(tests)
}

#[cfg(test)]
mod tests {
    use super::tests_run;

    #[test]
    fn a_run_without_a_test_is_no_success() {
        assert_eq!(tests_run(".........\n-----\nRan 9 tests in 1.103s\n\nOK\n").unwrap(), "9 tests");
        assert_eq!(tests_run("Ran 1 test in 0.1s").unwrap(), "1 test");
        assert!(tests_run("Ran 0 tests in 0.000s\n\nOK\n").is_err());
        assert!(tests_run("").is_err());
    }
}

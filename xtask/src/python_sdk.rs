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
        let ran = said.lines().find(|line| line.starts_with("Ran ") && !line.starts_with("Ran 0 "));
        runs.push(format!("--wire {wire}: {}", ran.context("no Python test was run")?));
        emulator.stop()?;
    }
    Ok(Report(runs.join(", ")))
}

//! The official Python SDK as a client of the emulator: an independent check of what the emulator serves.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::context::{Context, POLL_INTERVAL_MS, STARTUP};
use crate::csharp::dotnet::Dotnet;
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
const TESTS: &str = "tests/python";

/// The service's two JSON formats. The SDK must understand both.
const WIRES: [&str; 2] = ["2021", "2022"];

const RUN_LIMIT: Duration = Duration::from_secs(240);

/// Runs tests with the SDK against an emulator over HTTPS, once for each JSON format.
pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let python = Environment::provide(workspace, &PACKAGES)?;
    let program = &context.emulators()?.program;
    let mut runs = Vec::new();
    for wire in WIRES {
        let folder = workspace.scratch(&format!("xtask/python-{wire}"))?;
        let conversions = ["--conversion", "1m", "--missing-input", "**/missing.fbx"];
        let options = [&["--startup", STARTUP, "--page-size", "2", "--wire", wire][..], &conversions].concat();
        let emulator = Emulator::start(program, &folder, Scheme::Https, &options)?;
        let mut tests = python.command();
        tests.args(["-m", "unittest", "discover", "-p", "*.py", "-s"]).arg(workspace.root.join(TESTS));
        // No compiled files among the sources.
        tests.env("ARR_EMULATOR", program).env("PYTHONDONTWRITEBYTECODE", "1");
        if let Ok(dotnet) = Dotnet::provide(workspace) {
            tests.env("ARR_DOTNET", dotnet.host).env("ARR_ROSLYN", dotnet.roslyn);
        }
        emulator.introduce_to(&mut tests, ApiVersion::V2021_01_01, POLL_INTERVAL_MS);
        let output = process::run(tests, RUN_LIMIT)?.expect_success(&format!("{TESTS}, --wire {wire}"))?;
        let ran = output.lines().find(|line| line.starts_with("Ran ") && !line.starts_with("Ran 0 "));
        runs.push(format!("--wire {wire}: {}", ran.context("no Python test was run")?));
        emulator.stop()?;
    }
    Ok(Report(runs.join(", ")))
}

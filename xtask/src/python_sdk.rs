//! The official Python SDK as a client of the emulator: a program that we did not write judges what we serve.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::artifacts::{self, Progress};
use crate::context::{Context, POLL_INTERVAL_MS};
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::process;
use crate::step::Report;
use crate::test::STARTUP;
use crate::workspace::Workspace;

const REQUIREMENTS: &str = "tests/python/requirements.txt";
const PROGRAM: &str = "tests/python/life_cycle.py";

/// The service's two ways of writing, both of which the SDK has to understand.
const WIRES: [&str; 2] = ["2021", "2022"];

/// For the packages, which come over the network.
const INSTALL_LIMIT: Duration = Duration::from_secs(10 * 60);

const RUN_LIMIT: Duration = Duration::from_secs(120);

/// Runs the SDK's tests against an emulator over HTTPS, once for each way of writing.
pub(crate) fn check(context: &mut Context) -> Result<Report> {
    let workspace = &context.workspace;
    let python = Environment::provide(workspace)?;
    let emulator = artifacts::build_emulator(workspace, Progress::Hidden)?;
    let mut runs = Vec::new();
    for wire in WIRES {
        let folder = workspace.scratch(&format!("xtask/python-{wire}"))?;
        let options = ["--startup", STARTUP, "--page-size", "2", "--wire", wire];
        let emulator = Emulator::start(&emulator, &folder, Scheme::Https, &options)?;
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

/// A virtual environment with the packages that are pinned in [`REQUIREMENTS`].
struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// The one of an earlier run if it was made for the same Python and the same packages, and a new one otherwise.
    fn provide(workspace: &Workspace) -> Result<Self> {
        let requirements = workspace.read(REQUIREMENTS)?;
        let python =
            process::stdout(Command::new("python3").args(["-c", "import sys; print(sys.executable, sys.version)"]))?;
        let made_for = format!("{python}\n{requirements}");

        let environment = Self { folder: workspace.target.join("xtask/python") };
        // Written last: an installation that was broken off has none.
        let marker = environment.folder.join("made-for.txt");
        if fs::read_to_string(&marker).is_ok_and(|found| found == made_for) {
            return Ok(environment);
        }
        environment.make(workspace)?;
        fs::write(&marker, made_for).with_context(|| format!("cannot write {}", marker.display()))?;
        Ok(environment)
    }

    fn make(&self, workspace: &Workspace) -> Result<()> {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv", "--clear"]).arg(&self.folder);
        process::run(venv, INSTALL_LIMIT)?.expect_success("cannot make a virtual environment")?;

        let mut pip = self.command();
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--requirement"]);
        pip.arg(workspace.root.join(REQUIREMENTS));
        let hint = "cannot install the official SDK; it takes PyPI, or a mirror that pip's configuration names";
        process::run(pip, INSTALL_LIMIT)?.expect_success(hint)?;
        Ok(())
    }

    /// Its Python, which looks for packages nowhere else.
    fn command(&self) -> Command {
        let mut python = Command::new(self.folder.join("bin/python"));
        for name in ["PYTHONPATH", "PYTHONHOME"] {
            python.env_remove(name);
        }
        python
    }
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

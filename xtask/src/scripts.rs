//! The checks by shell scripts in `tests`.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::abi::c_header;
use crate::c::compiler;
use crate::context::{Context, Emulators, POLL_INTERVAL_MS};
use crate::emulator::ApiVersion;
use crate::process;
use crate::step::{Report, Unavailable};

const LIMIT: Duration = Duration::from_secs(120);

/// A device on the network: the quickstart reaches the emulator over HTTPS, through an interface other than the loopback.
pub(crate) fn device(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let folder = workspace.scratch("xtask/device")?;
    let quickstart = workspace.root.join("examples/c/quickstart.c");
    let program = compiler::compile(workspace, &quickstart, context.library()?, &folder)?;
    let Emulators { program: emulator, https, .. } = context.emulators()?;

    let mut sh = Command::new("sh");
    sh.arg(workspace.root.join("tests/device.sh")).arg(emulator).arg(program).arg(folder).arg("300ms");
    https.introduce_to(&mut sh, ApiVersion::V1, 1_000);
    process::run(sh, LIMIT)?.expect_success("tests/device.sh").context("a device on the network")?;
    Ok(Report("a device at 10.77.0.2 runs the quickstart; its control calls are refused".to_owned()))
}

/// The emulator's page in Chromium.
pub(crate) fn page(context: &Context) -> Result<Report> {
    let mut sh = Command::new("sh");
    sh.arg(context.workspace.root.join("tests/browser/run.sh")).arg(&context.emulators()?.program);
    sh.arg(context.workspace.scratch("xtask/browser")?);
    let finished = process::run(sh, 4 * LIMIT)?;
    ensure!(finished.exit_code() != Some(77), Unavailable(finished.stderr));
    let output = finished.expect_success("tests/browser/run.sh")?;
    Ok(Report(output.lines().filter(|line| line.starts_with("ℹ pass")).collect()))
}

/// The header stays compatible with existing programs, as checked by abidiff.
pub(crate) fn frozen(context: &Context) -> Result<Report> {
    let root = &context.workspace.root;
    let mut sh = Command::new("sh");
    sh.arg(root.join("tests/frozen.sh")).args([root.join(c_header::PATH), root.join("abi/arr_session.abi")]);
    sh.arg(context.workspace.scratch("xtask/frozen")?);
    process::run(sh, LIMIT)?.expect_success("abidiff")?;
    Ok(Report(String::new()))
}

/// Binding generators for other languages read the header, and their bindings work.
pub(crate) fn bindings(context: &Context) -> Result<Report> {
    let root = &context.workspace.root;
    let mut sh = Command::new("sh");
    sh.arg(root.join("tests/bindings/check.sh")).arg(root).arg(&context.library()?.shared);
    sh.arg(context.workspace.scratch("xtask/bindings")?);
    context.emulators()?.http.introduce_to(&mut sh, ApiVersion::V1, POLL_INTERVAL_MS);
    Ok(Report(process::run(sh, LIMIT)?.expect_success("tests/bindings/check.sh")?))
}

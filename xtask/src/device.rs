//! The way of a device on the network: the quickstart reaches the emulator over HTTPS through an interface that is not the
//! loopback.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::c::compiler;
use crate::context::{Context, Emulators};
use crate::emulator::ApiVersion;
use crate::process;
use crate::step::Report;

const SCRIPT: &str = "tests/device.sh";
const LIMIT: Duration = Duration::from_secs(120);

pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let folder = workspace.scratch("xtask/device")?;
    let quickstart = workspace.root.join("examples/c/quickstart.c");
    let program = compiler::compile(workspace, &quickstart, context.library()?, &folder)?;
    let Emulators { program: emulator, https, .. } = context.emulators()?;

    let mut sh = Command::new("sh");
    sh.arg(workspace.root.join(SCRIPT)).arg(emulator).arg(program).arg(folder).arg("300ms");
    https.introduce_to(&mut sh, ApiVersion::V1, 1_000);
    process::run(sh, LIMIT)?.expect_success("two network namespaces").context("the device's way")?;
    Ok(Report("a device at 10.77.0.2 runs the quickstart; its control calls are refused".to_owned()))
}

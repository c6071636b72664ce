//! The way of a device on the network: the quickstart reaches the emulator over HTTPS through an interface that is not the
//! loopback.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::artifacts::{self, Progress};
use crate::compiler;
use crate::context::Context;
use crate::emulator::ApiVersion;
use crate::packages;
use crate::process;
use crate::step::Report;

const SCRIPT: &str = include_str!("device.sh");
const LIMIT: Duration = Duration::from_secs(120);

pub(crate) fn check(context: &mut Context) -> Result<Report> {
    let workspace = &context.workspace;
    let folder = workspace.scratch("xtask/device")?;
    let quickstart = workspace.root.join("examples/c/quickstart.c");
    let program = compiler::compile(workspace, &quickstart, context.library()?, &folder)?;
    let emulator = artifacts::build_emulator(workspace, Progress::Hidden)?;

    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "--mount"]);
    if !packages::is_root() {
        unshare.arg("--map-root-user");
    }
    unshare.args(["sh", "-c", SCRIPT, "device.sh"]).arg(emulator).arg(program).arg(folder).arg("300ms");
    context.emulators()?.https.introduce_to(&mut unshare, ApiVersion::V1, 1_000);
    process::run(unshare, LIMIT)?.expect_success("two network namespaces").context("the device's way")?;
    Ok(Report("a device at 10.77.0.2 runs the quickstart; its control calls are refused".to_owned()))
}

//! The way of a device on the network: the quickstart reaches the emulator over HTTPS through an interface that is not the
//! loopback.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::c::compiler;
use crate::context::{Context, Emulators};
use crate::emulator::ApiVersion;
use crate::process;
use crate::step::Report;

const SCRIPT: &str = include_str!("../../tests/device.sh");
const LIMIT: Duration = Duration::from_secs(120);

pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let folder = workspace.scratch("xtask/device")?;
    let quickstart = workspace.root.join("examples/c/quickstart.c");
    let program = compiler::compile(workspace, &quickstart, context.library()?, &folder)?;
    let Emulators { program: emulator, https, .. } = context.emulators()?;

    let mut unshare = namespaces()?;
    unshare.args(["sh", "-c", SCRIPT, "device.sh"]).arg(emulator).arg(program).arg(folder).arg("300ms");
    https.introduce_to(&mut unshare, ApiVersion::V1, 1_000);
    process::run(unshare, LIMIT)?.expect_success("two network namespaces").context("the device's way")?;
    Ok(Report("a device at 10.77.0.2 runs the quickstart; its control calls are refused".to_owned()))
}

/// The call of `unshare` that works here. Root may do without a user namespace, but not in every container; a user needs
/// one, and not every system gives one.
fn namespaces() -> Result<Command> {
    let mut refusals = Vec::new();
    for user in [&[][..], &["--map-root-user"]] {
        let unshare = || {
            let mut unshare = Command::new("unshare");
            // With the first of its processes all others go, however the test ends.
            unshare.args(["--net", "--mount", "--pid", "--fork", "--kill-child"]).args(user);
            unshare
        };
        let mut probe = unshare();
        probe.arg("true");
        match process::run(probe, process::TOOL_LIMIT)?.expect_success("unshare") {
            Ok(_) => return Ok(unshare()),
            Err(refusal) => refusals.push(format!("{refusal:#}")),
        }
    }
    bail!(
        "this system gives no network namespace, neither to this user nor in a user namespace of its own: run the tests \
         as root on a machine, in a container with CAP_SYS_ADMIN (docker run --privileged), or where \
         user.max_user_namespaces is not 0 and kernel.apparmor_restrict_unprivileged_userns is\n{}",
        refusals.join("\n")
    )
}

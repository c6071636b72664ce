//! `cargo xtask demo`: a C program creates, watches and stops a session. Needs nothing but this checkout.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::artifacts::{Development, Progress};
use crate::c::compiler;
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::workspace::Workspace;

/// Long enough to watch a session start, short enough to wait for.
const STARTUP: &str = "3s";
const POLL_INTERVAL_MS: u32 = 250;

pub(crate) fn run() -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let folder = workspace.scratch("demo")?;
    let source = workspace.root.join("examples/c/quickstart.c");

    println!("[1/4] building the library and the emulator, without optimisation …");
    let Development { library, emulator, .. } = Development::build(&workspace, Progress::for_this_terminal())?;
    println!("[2/4] starting the emulator …");
    let emulator = Emulator::start(&emulator, &folder, Scheme::Https, &["--startup", STARTUP])?;
    println!("      it listens at {}", emulator.url());
    println!("[3/4] compiling examples/c/quickstart.c …");
    let program = compiler::compile(&workspace, &source, &library, &folder)?;

    println!("[4/4] running quickstart\n");
    let mut quickstart = Command::new(&program);
    quickstart.stdin(Stdio::null());
    library.let_find(&mut quickstart)?;
    emulator.introduce_to(&mut quickstart, ApiVersion::V1, POLL_INTERVAL_MS);
    let status = quickstart.status().with_context(|| format!("cannot run {}", program.display()))?;
    if !status.success() {
        bail!("quickstart ended with {status}; the emulator wrote:\n{}", emulator.log().trim_end());
    }
    emulator.stop()?;
    println!("\nThe demo is complete: the session is stopped, and so is the emulator.");
    Ok(ExitCode::SUCCESS)
}

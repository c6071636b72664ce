//! `cargo xtask demo`: a C program creates, watches and stops a session, with nothing but this checkout.

use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::artifacts::{self, Library, Progress};
use crate::c::compiler;
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::workspace::Workspace;

/// Long enough to watch a session start, short enough to wait for.
const STARTUP: &str = "3s";
const POLL_INTERVAL_MS: u32 = 250;

const STEPS: u32 = 5;

pub(crate) fn run() -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let folder = workspace.scratch("demo")?;
    let source = workspace.root.join("examples/c/quickstart.c");
    let progress = Progress::for_this_terminal();

    let library = step(1, "building the release library", progress, || Library::build(&workspace, progress))?;
    let program = step(2, "building the emulator", progress, || artifacts::build_emulator(&workspace, progress))?;
    let emulator = step(3, "starting the emulator", Progress::Hidden, || {
        Emulator::start(&program, &folder, Scheme::Https, &["--startup", STARTUP])
    })?;
    println!("      the emulator listens at {}", emulator.url());
    let quickstart = step(4, "compiling examples/c/quickstart.c", Progress::Hidden, || {
        compiler::compile(&workspace, &source, &library, &folder)
    })?;

    println!("[5/{STEPS}] running quickstart\n");
    run_quickstart(&quickstart, &library, &emulator).context("step 5, running quickstart, failed")?;
    emulator.stop()?;
    println!("\nThe demo is complete: the session is stopped, and so is the emulator.");
    Ok(ExitCode::SUCCESS)
}

/// Its output goes straight to whoever watches.
fn run_quickstart(program: &Path, library: &Library, emulator: &Emulator) -> Result<()> {
    let mut quickstart = Command::new(program);
    quickstart.stdin(Stdio::null());
    library.let_find(&mut quickstart)?;
    emulator.introduce_to(&mut quickstart, ApiVersion::V1, POLL_INTERVAL_MS);
    let status = quickstart.status().with_context(|| format!("cannot run {}", program.display()))?;
    if !status.success() {
        bail!("it ended with {status}; the emulator wrote:\n{}", emulator.log().trim_end());
    }
    Ok(())
}

/// Runs one step with a line for the person who watches: what is done now, and how long it took.
fn step<T>(number: u32, what: &str, progress: Progress, run: impl FnOnce() -> Result<T>) -> Result<T> {
    // Cargo's progress follows below the line; where there is none, the line is finished later.
    let (after, before_time) = match progress {
        Progress::Shown => ("\n", "     "),
        Progress::Hidden => ("", ""),
    };
    print!("[{number}/{STEPS}] {what} …{after}");
    std::io::stdout().flush()?;

    let started = Instant::now();
    let outcome = run();
    let verdict = if outcome.is_ok() { "" } else { "failed after " };
    println!("{before_time} {verdict}{:.1} s", started.elapsed().as_secs_f64());
    outcome.with_context(|| format!("step {number}, {what}, failed"))
}

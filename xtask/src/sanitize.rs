//! `cargo xtask sanitize`: threads that share the library, under ThreadSanitizer and under valgrind.
//!
//! ThreadSanitizer needs the whole program instrumented, including the standard library and ring's C: where it cannot see how
//! threads synchronise, it reports false races. Stable Rust has no switch for that. Debian's compiler of the same version has one;
//! Debian also has the standard library's sources and, in clang, ThreadSanitizer.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::artifacts::{self, Development, Progress};
use crate::c::programs::{UNDEFINED_VALUES_ALLOWED, VALGRIND};
use crate::context::{POLL_INTERVAL_MS, STARTUP};
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::packages::{self, ADDR2LINE, CLANG, Chore, RUSTC};
use crate::parallel;
use crate::process;
use crate::step;
use crate::workspace::Workspace;

/// How often the stress program runs with each version of the REST API. Not every run hits every race: use more for a risky change.
pub(crate) const DEFAULT_RUNS: NonZeroU32 = NonZeroU32::new(1).unwrap();

/// A program, and the package of both programs.
const STRESS: &str = "arr-stress";
const SEEDED_RACE: &str = "seeded-race";
/// The report of the seeded race must contain this.
const SEEDED_RACE_FILE: &str = "seeded-race.rs";

const SUPPRESSIONS: &str = "tests/tsan.suppressions";

/// The exit code of a program with races, in place of its own.
const RACES_FOUND: i32 = 66;

/// For one run of the stress program, which both tools slow down many times over. More than twice the program's own limit for a
/// call (`tests/stress/src/main.rs`), so that the program can report what hangs.
const RUN_LIMIT: Duration = Duration::from_secs(600);

/// Runs the stress program in one way.
type Watch<'a> = &'a (dyn Fn(&Emulator) -> Result<()> + Sync);

pub(crate) fn run(runs: NonZeroU32) -> Result<ExitCode> {
    let started = Instant::now();
    if !cfg!(target_os = "linux") {
        return Ok(step::skip_all("it needs Debian's Rust and clang's ThreadSanitizer, and runs on Linux only"));
    }
    if let Some(advice) = packages::provide(Chore::Sanitize)? {
        return Ok(step::skip_all(&advice));
    }
    let workspace = Workspace::find()?;
    find_seeded_race(&workspace)?;
    println!("the seeded race is found, {:.0} s", started.elapsed().as_secs_f64());
    let Development { emulator: program, stress: unoptimised, .. } = Development::build(&workspace, Progress::Hidden)?;
    let by_tsan = |emulator: &Emulator| stress(&workspace, emulator, runs);
    let by_valgrind = |emulator: &Emulator| stress_under_valgrind(&unoptimised, emulator);
    let tools: [(&str, Watch<'_>); 2] = [("ThreadSanitizer", &by_tsan), ("valgrind", &by_valgrind)];
    let problems = parallel::work_off(&tools, |(name, watch)| {
        // Each has its own emulator: the program expects no other sessions.
        let folder = workspace.scratch(&format!("xtask/sanitize/{name}"))?;
        let emulator = Emulator::start(&program, &folder, Scheme::Https, &["--startup", STARTUP])?;
        watch(&emulator).context(*name)?;
        emulator.stop()?;
        println!("{name} found nothing in the stress program, {:.0} s", started.elapsed().as_secs_f64());
        Ok(())
    });
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(ExitCode::SUCCESS)
}

/// If a deliberate race went unnoticed, a clean run of the library would mean nothing. The suppressions apply here too, which shows
/// that none is too broad.
fn find_seeded_race(workspace: &Workspace) -> Result<()> {
    let program = build(workspace, SEEDED_RACE)?;
    let finished = process::run(watched(workspace, &program), process::TOOL_LIMIT)?;
    let found = finished.exit_code() == Some(RACES_FOUND) && finished.output().contains(SEEDED_RACE_FILE);
    ensure!(
        found,
        "{SEEDED_RACE} should end with {RACES_FOUND} and a report that names {SEEDED_RACE_FILE}: {finished}"
    );
    Ok(())
}

fn stress(workspace: &Workspace, emulator: &Emulator, runs: NonZeroU32) -> Result<()> {
    let program = build(workspace, STRESS)?;
    for run in 1..=runs.get() {
        for version in ApiVersion::BOTH {
            let mut stress = watched(workspace, &program);
            emulator.introduce_to(&mut stress, version, POLL_INTERVAL_MS);
            let finished = process::run(stress, RUN_LIMIT)?;
            finished.expect_success(&format!("run {run} with REST {version}; {RACES_FOUND} means a race"))?;
        }
    }
    Ok(())
}

/// With fewer operations: valgrind runs one thread at a time, and slows it down many times over.
fn stress_under_valgrind(program: &Path, emulator: &Emulator) -> Result<()> {
    for version in ApiVersion::BOTH {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(VALGRIND).arg(UNDEFINED_VALUES_ALLOWED).arg(program).env("ARR_STRESS_OPERATIONS", "150");
        emulator.introduce_to(&mut valgrind, version, POLL_INTERVAL_MS);
        process::run(valgrind, RUN_LIMIT)?.expect_success(&format!("REST {version}"))?;
    }
    Ok(())
}

/// Builds a program with its whole standard library, and returns its path. In its own target folder, so that this and other builds
/// stay incremental.
fn build(workspace: &Workspace, program: &str) -> Result<PathBuf> {
    let host = &workspace.host;
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--package", STRESS, "--bin", program, "--target", host]);
    cargo.args(["-Zbuild-std=std,panic_unwind", "--target-dir"]).arg(workspace.scratch("sanitize")?);

    // RUSTC_BOOTSTRAP allows -Z switches, which are otherwise for nightly compilers.
    cargo.env("RUSTC", RUSTC).env("RUSTC_BOOTSTRAP", "1");
    // Clang adds its ThreadSanitizer to the program; Debian's rustc has none.
    let linker = format!("-Clinker={CLANG}");
    let flags = ["-Zsanitizer=thread", "-Zexternal-clangrt", &linker, "-Clink-arg=-fsanitize=thread"];
    cargo.env("RUSTFLAGS", flags.join(" ")).env_remove("CARGO_ENCODED_RUSTFLAGS");
    cargo.env(format!("CC_{host}"), CLANG).env(format!("CFLAGS_{host}"), "-fsanitize=thread");
    artifacts::build_program(cargo, program)
}

/// A call of a program from [`build`].
fn watched(workspace: &Workspace, program: &Path) -> Command {
    let suppressions = workspace.root.join(SUPPRESSIONS);
    let mut command = Command::new(program);
    command.env(
        "TSAN_OPTIONS",
        format!(
            "exitcode={RACES_FOUND} suppressions='{}' external_symbolizer_path={ADDR2LINE}",
            suppressions.display()
        ),
    );
    command
}

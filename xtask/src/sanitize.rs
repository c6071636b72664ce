//! `cargo xtask sanitize`: threads that share the library, watched by ThreadSanitizer, and by valgrind.
//!
//! All of the program is compiled for it, the standard library and ring's C too: where it cannot see how threads wait for
//! each other, it reports races that are none. Stable Rust has no switch for that. Debian's compiler of the same age takes
//! it, and comes with the standard library's sources and, from clang, ThreadSanitizer itself.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::artifacts::{self, Progress};
use crate::c::programs::{UNDEFINED_VALUES_ALLOWED, VALGRIND};
use crate::context::{POLL_INTERVAL_MS, STARTUP};
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::packages::{self, ADDR2LINE, CLANG, Chore, RUSTC};
use crate::process::{self, Finished};
use crate::step::{self, Report, Step};
use crate::workspace::Workspace;

/// How often the stress program runs with each version of the REST API. Not every run meets every race: more of them for a change that
/// may have one.
pub(crate) const DEFAULT_RUNS: NonZeroU32 = NonZeroU32::new(1).unwrap();

/// The package of both programs.
const PACKAGE: &str = "arr-stress";
const STRESS: &str = "arr-stress";
const SEEDED_RACE: &str = "seeded-race";
/// Where the seeded race's report has to place it.
const SEEDED_RACE_FILE: &str = "seeded-race.rs";

const SUPPRESSIONS: &str = "tests/tsan.suppressions";

/// The exit code of a program that has races, whatever it would have been without.
const RACES_FOUND: i32 = 66;

/// For one run of the stress program, which either tool slows down many times over. More than twice the program's own patience
/// with a call (`tests/stress/src/main.rs`), so that the program has the word about what hangs.
const RUN_LIMIT: Duration = Duration::from_secs(600);

struct Shared {
    workspace: Workspace,
    runs: NonZeroU32,
    emulator: OnceLock<Emulator>,
}

const FINDS: &str = "seeded race is found";
const EMULATOR: &str = "emulator starts";

const STEPS: &[Step<Shared>] = &[
    // It builds all that the stress program consists of.
    Step::new(FINDS, find_seeded_race),
    Step::new(EMULATOR, start_emulator),
    Step::new("stress", stress).needs(&[FINDS, EMULATOR]),
    Step::new("stress under valgrind", stress_under_valgrind).needs(&[EMULATOR]),
];

pub(crate) fn run(runs: NonZeroU32) -> Result<ExitCode> {
    let started = Instant::now();
    if let Some(reason) = unavailable()? {
        return Ok(step::skip_all(&reason));
    }
    let shared = Shared { workspace: Workspace::find()?, runs, emulator: OnceLock::new() };
    let tally = step::run_all(STEPS, &shared);
    shared.emulator.into_inner().map_or(Ok(()), Emulator::stop)?;
    Ok(tally.finish(started))
}

/// Why it cannot be run on this system, if so.
fn unavailable() -> Result<Option<String>> {
    if !cfg!(target_os = "linux") {
        return Ok(Some("it takes Debian's Rust and clang's ThreadSanitizer, as on Linux".to_owned()));
    }
    packages::provide(Chore::Sanitize)
}

/// Were a race on purpose missed, silence about the library would mean nothing. The suppressions apply, so that none can be
/// too wide; they go by names, as the report's place does.
fn find_seeded_race(shared: &Shared) -> Result<Report> {
    let program = build(&shared.workspace, SEEDED_RACE)?;
    let finished = process::run(watched(&shared.workspace, &program), process::TOOL_LIMIT)?;
    let found = finished.exit_code() == Some(RACES_FOUND) && finished.output().contains(SEEDED_RACE_FILE);
    ensure!(
        found,
        "{SEEDED_RACE} should end with {RACES_FOUND} and a report that names {SEEDED_RACE_FILE}: {finished}"
    );
    Ok(Report(String::new()))
}

fn start_emulator(shared: &Shared) -> Result<Report> {
    let program = artifacts::build_emulator(&shared.workspace, Progress::Hidden)?;
    let folder = shared.workspace.scratch("xtask/sanitize")?;
    let emulator = Emulator::start(&program, &folder, Scheme::Https, &["--startup", STARTUP])?;
    Ok(Report(shared.emulator.get_or_init(|| emulator).url().to_owned()))
}

fn stress(shared: &Shared) -> Result<Report> {
    let program = build(&shared.workspace, STRESS)?;
    let emulator = shared.emulator.get().context("the emulator is not running")?;
    for run in 1..=shared.runs.get() {
        for version in ApiVersion::BOTH {
            let mut stress = watched(&shared.workspace, &program);
            emulator.introduce_to(&mut stress, version, POLL_INTERVAL_MS);
            let finished = process::run(stress, RUN_LIMIT)?;
            expect_no_race(finished).with_context(|| format!("run {run} with REST {version}"))?;
        }
    }
    Ok(Report(format!("{} runs with each REST version, over HTTPS, no race", shared.runs)))
}

/// Fewer operations: valgrind lets one thread run at a time, and slows that one down many times over.
fn stress_under_valgrind(shared: &Shared) -> Result<Report> {
    const OPERATIONS: &str = "150";
    let mut cargo = shared.workspace.cargo();
    cargo.args(["build", "--package", PACKAGE, "--bin", STRESS]);
    let program = artifacts::build_program(cargo, STRESS, Progress::Hidden)?;
    let emulator = shared.emulator.get().context("the emulator is not running")?;
    for version in ApiVersion::BOTH {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(VALGRIND).arg(UNDEFINED_VALUES_ALLOWED).arg(&program);
        valgrind.env("ARR_STRESS_OPERATIONS", OPERATIONS);
        emulator.introduce_to(&mut valgrind, version, POLL_INTERVAL_MS);
        let finished = process::run(valgrind, RUN_LIMIT)?;
        finished.expect_success("run the stress program under valgrind").with_context(|| format!("REST {version}"))?;
    }
    Ok(Report(format!(
        "{OPERATIONS} operations with each REST version, nothing lost, nothing touched that must not be"
    )))
}

fn expect_no_race(finished: Finished) -> Result<()> {
    if finished.exit_code() == Some(RACES_FOUND) {
        bail!("ThreadSanitizer reports a race: {finished}");
    }
    finished.expect_success("the stress program failed")?;
    Ok(())
}

/// Builds a program with its whole standard library, in a target folder of its own: nothing else has to be built anew for
/// it, nor it for anything else. Returns its path.
fn build(workspace: &Workspace, program: &str) -> Result<PathBuf> {
    let host = &workspace.host;
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--package", PACKAGE, "--bin", program, "--target", host]);
    cargo.args(["-Zbuild-std=std,panic_unwind", "--target-dir"]).arg(workspace.scratch("sanitize")?);

    // The switches beginning with -Z are for nightly compilers, unless this is set.
    cargo.env("RUSTC", RUSTC).env("RUSTC_BOOTSTRAP", "1");
    // Clang adds its ThreadSanitizer to the program, as rustc brings none.
    let linker = format!("-Clinker={CLANG}");
    let flags = ["-Zsanitizer=thread", "-Zexternal-clangrt", &linker, "-Clink-arg=-fsanitize=thread"];
    cargo.env("RUSTFLAGS", flags.join(" ")).env_remove("CARGO_ENCODED_RUSTFLAGS");
    cargo.env(format!("CC_{host}"), CLANG).env(format!("CFLAGS_{host}"), "-fsanitize=thread");
    artifacts::build_program(cargo, program, Progress::Hidden)
}

/// A call of a program that [`build`] has made.
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

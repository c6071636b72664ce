//! `cargo xtask sanitize`: threads that share the library, watched by ThreadSanitizer, and by valgrind.
//!
//! All of the program is compiled for it, the standard library and ring's C too: where it cannot see how threads wait for
//! each other, it reports races that are none. Stable Rust has no switch for that. Debian's compiler of the same age takes
//! it, and comes with the standard library's sources and, from clang, ThreadSanitizer itself.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::artifacts::{self, Progress};
use crate::c::programs::{UNDEFINED_VALUES_ALLOWED, VALGRIND};
use crate::context::{POLL_INTERVAL_MS, STARTUP};
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::packages::{self, ADDR2LINE, CLANG, Chore, RUSTC};
use crate::parallel;
use crate::process;
use crate::step;
use crate::workspace::Workspace;

/// How often the stress program runs with each version of the REST API. Not every run meets every race: more of them for a change that
/// may have one.
pub(crate) const DEFAULT_RUNS: NonZeroU32 = NonZeroU32::new(1).unwrap();

/// A program, and the package of both.
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

/// Runs the stress program in one way.
type Watch<'a> = &'a (dyn Fn(&Emulator) -> Result<()> + Sync);

pub(crate) fn run(runs: NonZeroU32) -> Result<ExitCode> {
    let started = Instant::now();
    if !cfg!(target_os = "linux") {
        return Ok(step::skip_all("it takes Debian's Rust and clang's ThreadSanitizer, as on Linux"));
    }
    if let Some(advice) = packages::provide(Chore::Sanitize)? {
        return Ok(step::skip_all(&advice));
    }
    let workspace = Workspace::find()?;
    find_seeded_race(&workspace)?;
    println!("the seeded race is found, {:.0} s", started.elapsed().as_secs_f64());
    let program = artifacts::build_emulator(&workspace, Progress::Hidden)?;
    let by_tsan = |emulator: &Emulator| stress(&workspace, emulator, runs);
    let by_valgrind = |emulator: &Emulator| stress_under_valgrind(&workspace, emulator);
    let tools: [(&str, Watch<'_>); 2] = [("ThreadSanitizer", &by_tsan), ("valgrind", &by_valgrind)];
    let problems = parallel::work_off(&tools, |(name, watch)| {
        // Each has one of its own: the program knows all sessions that there are.
        let folder = workspace.scratch(&format!("xtask/sanitize/{name}"))?;
        let emulator = Emulator::start(&program, &folder, Scheme::Https, &["--startup", STARTUP])?;
        watch(&emulator).context(*name)?;
        emulator.stop()?;
        println!("{name} has nothing to say of the stress program, {:.0} s", started.elapsed().as_secs_f64());
        Ok(())
    });
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(ExitCode::SUCCESS)
}

/// Were a race on purpose missed, silence about the library would mean nothing. The suppressions apply, so that none can be
/// too wide; they go by names, as the report's place does.
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

/// Fewer operations: valgrind lets one thread run at a time, and slows that one down many times over.
fn stress_under_valgrind(workspace: &Workspace, emulator: &Emulator) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--package", STRESS, "--bin", STRESS]);
    let program = artifacts::build_program(cargo, STRESS, Progress::Hidden)?;
    for version in ApiVersion::BOTH {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(VALGRIND).arg(UNDEFINED_VALUES_ALLOWED).arg(&program).env("ARR_STRESS_OPERATIONS", "150");
        emulator.introduce_to(&mut valgrind, version, POLL_INTERVAL_MS);
        process::run(valgrind, RUN_LIMIT)?.expect_success(&format!("REST {version}"))?;
    }
    Ok(())
}

/// Builds a program with its whole standard library, in a target folder of its own: nothing else has to be built anew for
/// it, nor it for anything else. Returns its path.
fn build(workspace: &Workspace, program: &str) -> Result<PathBuf> {
    let host = &workspace.host;
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--package", STRESS, "--bin", program, "--target", host]);
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

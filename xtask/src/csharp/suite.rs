//! The C# tests, on every runtime.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::abi;
use crate::context::{Context, Emulators, POLL_INTERVAL_MS, STARTUP};
use crate::csharp::{self, Programs, Runtime, Runtimes};
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::parallel;
use crate::process;
use crate::step::Report;
use crate::workspace::replace;

const RUN_LIMIT: Duration = Duration::from_secs(120);

/// The name that the system's loader looks for.
const FILE: &str = "libarr_session.so";

/// Libraries that must be refused, by the value of ARR_EXPECT for the tests.
const NOT_OURS: [&str; 3] = ["wrong-abi", "wrong-file", "no-library"];

/// A library with our name and another ABI version.
const WRONG_ABI: &str = "\
#include <stdint.h>
uint32_t arr_abi_version(void) { return 1000; }
const char *arr_version_string(void) { return \"1000.0.0\"; }
";

/// Words in the names of the tests that depend on the garbage collector and its order.
const ABOUT_COLLECTION: [&str; 5] = ["dispose", "shutdown", "background", "domain", "hold"];

/// Mono's last line in every program, with Unity's collector.
const LAST_LINE: &str = "Waiting on threads to park on joinable thread list timed out.";

pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let folder = workspace.scratch("xtask/csharp/runs")?;
    let runtimes = Runtimes::provide(workspace)?;
    let programs = Programs::of(workspace)?;
    let foreign = make_foreign_libraries(&folder)?;
    let program = |runtime: Runtime, library: &Path| -> Result<Command> {
        let mut program = runtimes.command(runtime, &programs.tests(runtime))?;
        program.current_dir(&folder).env("ARR_RUNTIME", runtime.word());
        csharp::let_find(&mut program, library);
        Ok(program)
    };

    let mut runs = vec![(Runtime::MonoBoehm, ApiVersion::V2021_01_01)];
    runs.extend(Runtime::ALL.iter().flat_map(|&runtime| ApiVersion::BOTH.map(|version| (runtime, version))));
    // The tests mostly wait.
    let outcomes = parallel::map_at_once(&runs, |&(runtime, version)| -> Result<String> {
        let mut tests = program(runtime, context.library()?.folder())?;
        if runtime == Runtime::MonoBoehm {
            tests.args(ABOUT_COLLECTION);
        }
        tests.env("ARR_LAYOUT", workspace.root.join(abi::LAYOUT));
        let folder = folder.join(format!("{}-{version}", runtime.word()));
        run_tests(tests, version, context.emulators()?, &folder)
    });
    let mut problems = Vec::new();
    let mut summary = String::new();
    for ((runtime, version), outcome) in runs.iter().zip(outcomes) {
        match outcome {
            Ok(output) => {
                summary += &format!("\n{runtime}, REST {version}: {}", output.lines().last().unwrap_or_default());
            }
            Err(error) => problems.push(format!("{runtime}, REST {version}: {error:#}")),
        }
    }

    let refusals: Vec<(Runtime, &str)> =
        Runtime::ALL.iter().flat_map(|&runtime| NOT_OURS.map(|word| (runtime, word))).collect();
    problems.extend(parallel::work_off(&refusals, |&(runtime, word)| {
        let mut refused = program(runtime, &foreign.join(word))?;
        refused.env("ARR_EXPECT", word);
        process::run(refused, RUN_LIMIT)?.expect_success(&format!("{runtime}, {word}"))?;
        Ok(())
    }));
    Report::unless(
        problems,
        format!("{} runs, {} of them without the library{summary}", runs.len() + refusals.len(), refusals.len()),
    )
}

/// Each run has its own emulator, so that it can move the clock and inject faults. It uses HTTP, because the tests send control
/// calls themselves and Mono's TLS does not run fully ahead of time. The tests of TLS use the emulator that all steps share, and do
/// not change it.
fn run_tests(mut program: Command, version: ApiVersion, emulators: &Emulators, folder: &Path) -> Result<String> {
    replace(&folder.join("scratch"))?;
    let emulator = Emulator::start(&emulators.program, folder, Scheme::Http, &["--startup", STARTUP])?;
    emulator.introduce_to(&mut program, version, POLL_INTERVAL_MS);
    let authority = emulators.https.authority().context("the emulator has no certificate authority")?;
    program.env("ARR_TLS_URL", emulators.https.url()).env("ARR_TLS_CA_FILE", authority);
    // With a short path, because messages cut long ones.
    program.current_dir(folder).env("ARR_SCRATCH", "scratch").env_remove("ARR_EXPECT");
    let output = process::run(program, RUN_LIMIT)?.expect_success("the test program")?;
    emulator.stop()?;
    Ok(output.trim_end().trim_end_matches(LAST_LINE).to_owned())
}

/// Makes the libraries that must be refused, each in its own folder.
fn make_foreign_libraries(folder: &Path) -> Result<PathBuf> {
    let foreign = folder.join("foreign");
    for word in NOT_OURS {
        fs::create_dir_all(foreign.join(word))?;
    }
    fs::write(foreign.join("wrong-file").join(FILE), "This is not a library for this machine.\n")?;
    let source = foreign.join("wrong-abi/wrong_abi.c");
    fs::write(&source, WRONG_ABI)?;
    let mut gcc = Command::new("gcc");
    process::stdout(gcc.args(["-shared", "-fPIC", "-o"]).arg(foreign.join("wrong-abi").join(FILE)).arg(&source))?;
    Ok(foreign)
}

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

/// Libraries that must not be taken for ours, by the word that tells the tests what to expect (ARR_EXPECT).
const NOT_OURS: [&str; 3] = ["wrong-abi", "wrong-file", "no-library"];

/// A library of another time: of our name, and with the function that tells its version.
const WRONG_ABI: &str = "\
#include <stdint.h>
uint32_t arr_abi_version(void) { return 1000; }
const char *arr_version_string(void) { return \"1000.0.0\"; }
";

/// The words in the names of the tests for which it matters who collects, and in which order.
const ABOUT_COLLECTION: [&str; 5] = ["dispose", "shutdown", "background", "domain", "hold"];

/// What Mono says at the end of every program, when it has Unity's collector.
const FAREWELL: &str = "Waiting on threads to park on joinable thread list timed out.";

pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let folder = workspace.scratch("xtask/csharp/runs")?;
    let runtimes = Runtimes::provide(workspace)?;
    let programs = Programs::of(workspace)?;
    let strangers = make_strangers(&folder)?;
    let program = |runtime: Runtime, library: &Path| -> Result<Command> {
        let mut program = runtimes.command(runtime, &programs.tests(runtime))?;
        program.current_dir(&folder).env("ARR_RUNTIME", runtime.word());
        csharp::let_find(&mut program, library);
        Ok(program)
    };

    let mut runs = vec![(Runtime::MonoBoehm, ApiVersion::V2021_01_01)];
    runs.extend(Runtime::ALL.iter().flat_map(|&runtime| ApiVersion::BOTH.map(|version| (runtime, version))));
    // They wait most of the time.
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
            Ok(said) => summary += &format!("\n{runtime}, REST {version}: {}", said.lines().last().unwrap_or_default()),
            Err(error) => problems.push(format!("{runtime}, REST {version}: {error:#}")),
        }
    }

    let refusals: Vec<(Runtime, &str)> =
        Runtime::ALL.iter().flat_map(|&runtime| NOT_OURS.map(|word| (runtime, word))).collect();
    problems.extend(parallel::work_off(&refusals, |&(runtime, word)| {
        let mut refused = program(runtime, &strangers.join(word))?;
        refused.env("ARR_EXPECT", word);
        process::run(refused, RUN_LIMIT)?.expect_success(&format!("{runtime}, {word}"))?;
        Ok(())
    }));
    Report::unless(
        problems,
        format!("{} runs, {} of them without the library{summary}", runs.len() + refusals.len(), refusals.len()),
    )
}

/// Each run has an emulator of its own, whose clock and faults it can move as it likes. It is spoken to over HTTP, as
/// the tests make these calls themselves, and Mono's TLS does not run fully ahead of time. The tests that are about
/// TLS speak to the emulator that all steps share, which they leave as it is.
fn run_tests(mut program: Command, version: ApiVersion, emulators: &Emulators, folder: &Path) -> Result<String> {
    replace(&folder.join("scratch"))?;
    let emulator = Emulator::start(&emulators.program, folder, Scheme::Http, &["--startup", STARTUP])?;
    emulator.introduce_to(&mut program, version, POLL_INTERVAL_MS);
    let authority = emulators.https.authority().context("the emulator has no certificate authority")?;
    program.env("ARR_TLS_URL", emulators.https.url()).env("ARR_TLS_CA_FILE", authority);
    // By a short way, as messages cut long paths.
    program.current_dir(folder).env("ARR_SCRATCH", "scratch").env_remove("ARR_EXPECT");
    let said = process::run(program, RUN_LIMIT)?.expect_success("the test program")?;
    emulator.stop()?;
    Ok(said.trim_end().trim_end_matches(FAREWELL).to_owned())
}

/// Makes the libraries that are not ours, each in a folder of its own.
fn make_strangers(folder: &Path) -> Result<PathBuf> {
    let strangers = folder.join("strangers");
    for word in NOT_OURS {
        fs::create_dir_all(strangers.join(word))?;
    }
    fs::write(strangers.join("wrong-file").join(FILE), "This is not a library of this machine's.\n")?;
    let source = strangers.join("wrong-abi/wrong_abi.c");
    fs::write(&source, WRONG_ABI)?;
    let mut gcc = Command::new("gcc");
    gcc.args(["-shared", "-fPIC", "-o"]).arg(strangers.join("wrong-abi").join(FILE)).arg(&source);
    process::run(gcc, process::TOOL_LIMIT)?.expect_success("a library of another version")?;
    Ok(strangers)
}

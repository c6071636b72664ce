//! The CMake project in `tests`: every C and C++ test and example, in every dialect of both compilers.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::c::programs::VALGRIND;
use crate::context::{Context, POLL_INTERVAL_MS};
use crate::cpp::install::{configure, define};
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::parallel;
use crate::process;
use crate::step::Report;

const COMPILERS: [(&str, &str); 2] = [("gcc", "g++"), ("clang", "clang++")];

/// For a complete build on a busy machine.
const LIMIT: Duration = Duration::from_secs(1200);

/// More than there are cores, because programs wait for the service.
const TESTS_AT_ONCE: &str = "-j4";

/// Gives the viewer time to show the states before the replies to a create and a stop.
const SLOW_REPLIES: &str = r#"{"rules": [
    {"method": "POST", "action": {"type": "delay", "ms": 1000}},
    {"method": "DELETE", "action": {"type": "delay", "ms": 1000}}
]}"#;

/// Compiles everything, in folders that stay, so that the next build is incremental.
pub(crate) fn build(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let folder = workspace.scratch("xtask/tests")?;
    for (cc, cxx) in COMPILERS {
        let build = folder.join(cc);
        let mut cmake = configure(workspace, "tests", &build)?;
        cmake.arg(define("CMAKE_C_COMPILER", cc)).arg(define("CMAKE_CXX_COMPILER", cxx));
        cmake.arg(define("ARR_SESSION_LIBRARY_DIR", context.library()?.folder()));
        cmake.arg(define("VALGRIND", format!("valgrind;{}", VALGRIND.join(";"))));
        process::run(cmake, LIMIT)?.expect_success("configure")?;
        let mut cmake = Command::new("cmake");
        // -k0 reports all problems at once.
        cmake.arg("--build").arg(&build).args(["--", "-k0"]);
        let built = process::run(cmake, LIMIT)?;
        if !built.succeeded() {
            bail!("{cc} and {cxx}:\n{}", without(&["] Building ", "] Linking "], &built.output()));
        }
    }
    Ok(Report("by gcc and clang, in every dialect".to_owned()))
}

/// Runs all tests, against each service that they need.
pub(crate) fn test(context: &Context) -> Result<Report> {
    let folder = context.workspace.scratch("xtask/tests")?;
    let emulators = context.emulators()?;
    let slow = context.workspace.scratch("xtask/tests/slow-emulator")?;
    let slow = Emulator::start(&emulators.program, &slow, Scheme::Http, &["--startup", "2s"])?;
    slow.control("POST", "faults", SLOW_REPLIES)?;
    let services = [
        ("https-v1", &emulators.https, ApiVersion::V1),
        ("https-2021-01-01", &emulators.https, ApiVersion::V2021_01_01),
        ("http-v1", &emulators.http, ApiVersion::V1),
        ("slow-http-v1", &slow, ApiVersion::V1),
    ];
    // The last service is slow.
    let groups = [&services[..3], &services[3..]];
    let outcomes = parallel::map_at_once(&groups, |group| {
        group.iter().map(|&(label, emulator, version)| ctest(&folder, label, emulator, version)).collect::<Vec<_>>()
    });
    let (mut passed, mut problems) = (0, Vec::new());
    for outcome in outcomes.into_iter().flatten() {
        match outcome {
            Ok(count) => passed += count,
            Err(error) => problems.push(format!("{error:#}")),
        }
    }
    slow.stop()?;
    Report::unless(problems, format!("{passed} passed"))
}

/// Runs the tests of both compilers that have this label. Returns how many there are.
fn ctest(folder: &Path, label: &str, emulator: &Emulator, version: ApiVersion) -> Result<usize> {
    // CTest keeps its log and the tests' times in this folder.
    let place = folder.join(label);
    fs::create_dir_all(&place)?;
    let builds = COMPILERS.map(|(cc, _)| format!("subdirs(\"{}\")\n", folder.join(cc).display()));
    fs::write(place.join("CTestTestfile.cmake"), builds.concat())?;
    let mut ctest = Command::new("ctest");
    ctest.arg("--test-dir").arg(place).args(["-L", &format!("^{label}$"), TESTS_AT_ONCE]);
    ctest.args(["--output-on-failure", "--no-tests=error"]).env_remove("LD_LIBRARY_PATH");
    emulator.introduce_to(&mut ctest, version, POLL_INTERVAL_MS);
    let finished = process::run(ctest, LIMIT)?;
    if !finished.succeeded() {
        bail!("{label}:\n{}", without(&["  Start ", "   Passed  "], &finished.output()));
    }
    let count = finished.stdout.split("0 tests failed out of ").nth(1).and_then(|rest| rest.lines().next());
    count.and_then(|count| count.parse().ok()).context("ctest does not say how many tests passed")
}

/// The lines without these words.
fn without(words: &[&str], text: &str) -> String {
    let kept = text.lines().filter(|line| !words.iter().any(|word| line.contains(word)));
    kept.collect::<Vec<_>>().join("\n")
}

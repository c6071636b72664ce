//! `cargo xtask test`: all checks, two at a time.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::artifacts::{Development, Library, Progress};
use crate::context::{Context, Emulators, STARTUP};
use crate::dependencies;
use crate::emulator::{Emulator, Scheme};
use crate::packages::{self, Chore};
use crate::pages;
use crate::python_sdk;
use crate::rust;
use crate::scripts;
use crate::step::EXIT_UNUSABLE;
use crate::step::{self, Report, Step};
use crate::workspace::Workspace;
use crate::{abi, c, cpp, csharp, csharp_pages, story, unity};

/// Why some steps cannot run here, if so.
const NOT_LINUX: Option<&str> = if cfg!(target_os = "linux") {
    None
} else {
    Some("it needs gcc, clang, valgrind, ELF, Mono or Debian's Python, and runs on Linux only")
};

/// The folder of a library that `cargo xtask pack` has built, to be tested as it ships. Otherwise one is built.
const LIBRARY_DIR: &str = "ARR_LIBRARY_DIR";

const LIBRARY: &str = "release library";
const EMULATOR: &str = "emulators start";
const BOTH: &[&str] = &[LIBRARY, EMULATOR];
const C_BUILD: &str = "C and C++ compile";
const RUST_TESTS: &str = "Rust tests";
const CSHARP: &str = "C# compiles";
const UNITY: &str = "Unity package";
const UNITY_CODE: &str = "Unity code";

/// Steps that take long or that others need come first.
const STEPS: &[Step<Context>] = &[
    Step::new(LIBRARY, build_library),
    Step::new("formatting", rust::formatting),
    Step::new(EMULATOR, start_emulators),
    Step::new("ABI", abi::check),
    Step::new("frozen by abidiff", scripts::frozen).unless(NOT_LINUX),
    Step::new("dependencies", dependencies::check),
    Step::new("clippy", rust::clippy),
    Step::new(CSHARP, csharp::compile).unless(NOT_LINUX),
    Step::new(RUST_TESTS, rust::tests),
    Step::new(C_BUILD, c::suite::build).needs(&[LIBRARY]).unless(NOT_LINUX),
    Step::new("C and C++ tests", c::suite::test).needs(&[C_BUILD, EMULATOR]).unless(NOT_LINUX),
    Step::new("C++ package", cpp::install::check).needs(BOTH).unless(NOT_LINUX),
    Step::new("binding generators", scripts::bindings).needs(BOTH).unless(NOT_LINUX),
    Step::new("C# tests", csharp::suite::check).needs(&[LIBRARY, EMULATOR, CSHARP]).unless(NOT_LINUX),
    Step::new(UNITY, unity::check_package).needs(&[LIBRARY]).unless(NOT_LINUX),
    Step::new(UNITY_CODE, unity::check_code).needs(&[UNITY, EMULATOR, CSHARP]).unless(NOT_LINUX),
    Step::new("quickstarts", story::check).needs(BOTH).after(&[CSHARP]),
    Step::new("Python SDK", python_sdk::check).needs(&[EMULATOR]).after(&[CSHARP]).unless(NOT_LINUX),
    Step::new("device on the network", scripts::device).needs(BOTH).unless(NOT_LINUX),
    Step::new("page in Chromium", scripts::page).needs(&[EMULATOR]).unless(NOT_LINUX),
    Step::new("C# in the pages", csharp_pages::check).needs(&[CSHARP, UNITY_CODE]).unless(NOT_LINUX),
    Step::new("pages", pages::check).unless(NOT_LINUX),
    Step::new("exports", abi::exports::check).needs(&[LIBRARY]).after(&[RUST_TESTS]).unless(NOT_LINUX),
    Step::new("rustdoc", rust::rustdoc),
];

pub(crate) fn list() -> Result<ExitCode> {
    for step in STEPS {
        println!("{step}");
    }
    Ok(ExitCode::SUCCESS)
}

/// All checks, or those with `part` in their names and what they need.
pub(crate) fn run(part: &str) -> Result<ExitCode> {
    let started = Instant::now();
    let steps = step::choose(STEPS, part);
    if steps.is_empty() {
        eprintln!("error: no check has `{part}` in its name; `cargo xtask test list` lists them");
        return Ok(ExitCode::from(EXIT_UNUSABLE));
    }
    if !cfg!(target_os = "linux") {
        println!("This is not Linux; the steps that need its tools are skipped");
    } else if steps.iter().any(Step::takes_tools)
        && let Some(advice) = packages::provide(Chore::Tests)?
    {
        eprintln!("{advice}");
        return Ok(ExitCode::from(EXIT_UNUSABLE));
    }
    let context = Context::new(Workspace::find()?);
    let mut tally = step::run_all(&steps, &context);
    if let Some(emulators) = context.emulators.into_inner() {
        tally.add("emulators stop", emulators.https.stop().and(emulators.http.stop()));
    }
    Ok(tally.finish(started))
}

fn build_library(context: &Context) -> Result<Report> {
    let library = match std::env::var_os(LIBRARY_DIR) {
        Some(folder) => Library::find(Path::new(&folder))?,
        None => Library::build(&context.workspace, Progress::Hidden)?,
    };
    let megabytes = |file: &Path| Ok::<_, std::io::Error>(fs::metadata(file)?.len() as f64 / 1e6);
    let (shared, archive) = (megabytes(&library.shared)?, megabytes(&library.archive)?);
    let Library { shared: file, .. } = context.library.get_or_init(|| library);
    Ok(Report(format!("{}; {shared:.2} MB shared and stripped, {archive:.2} MB static", file.display())))
}

fn start_emulators(context: &Context) -> Result<Report> {
    let built = Development::build(&context.workspace, Progress::Hidden)?.emulator;
    // A copy, because the Rust tests have cargo rebuild the program.
    let program = context.workspace.scratch("xtask")?.join(built.file_name().context("a program has a name")?);
    fs::copy(&built, &program).with_context(|| format!("cannot write {}", program.display()))?;
    let start = |folder, scheme| {
        Emulator::start(&program, &context.workspace.scratch(folder)?, scheme, &["--startup", STARTUP])
    };
    let (https, http) = (start("xtask/https", Scheme::Https)?, start("xtask/http", Scheme::Http)?);
    let Emulators { https, http, .. } = context.emulators.get_or_init(|| Emulators { program, https, http });
    Ok(Report(format!("{} and {}", https.url(), http.url())))
}

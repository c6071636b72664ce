//! The checks that cargo itself makes.

use std::env;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::abi::header;
use crate::artifacts::{self, TestProgram};
use crate::context::Context;
use crate::parallel;
use crate::process::{self, CARGO_LIMIT};
use crate::step::Report;
use crate::workspace::Workspace;

pub(crate) fn formatting(context: &Context) -> Result<Report> {
    let mut cargo = context.workspace.cargo();
    // rustfmt colours its output even where no terminal reads it.
    cargo.args(["fmt", "--all", "--check", "--", "--color", "never"]);
    process::run(cargo, CARGO_LIMIT)?.expect_success("run `cargo fmt --all`")?;
    Ok(Report(String::new()))
}

pub(crate) fn clippy(context: &Context) -> Result<Report> {
    let mut cargo = context.workspace.cargo();
    cargo.args(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]);
    process::run(cargo, CARGO_LIMIT)?.expect_success("cargo clippy")?;
    Ok(Report(String::new()))
}

pub(crate) fn rustdoc(context: &Context) -> Result<Report> {
    let mut cargo = context.workspace.cargo();
    cargo.args(["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings");
    process::run(cargo, CARGO_LIMIT)?.expect_success("cargo doc")?;
    Ok(Report(String::new()))
}

/// All Rust tests, among them the header's, and those that hold the C boundary to its rules.
///
/// As many programs run side by side as there are cores, the longest first.
pub(crate) fn tests(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let mut programs = artifacts::build_tests(workspace)?;
    programs.sort_by_key(|program| program.name != BEHAVIOUR);
    let mut outputs = parallel::map(&programs, run_tests);
    outputs.push(documentation_tests(workspace));

    let (mut sum, mut problems) = (0, Vec::new());
    for output in outputs {
        match output {
            Ok(output) => sum += passed(&output),
            Err(error) => problems.push(format!("{error:#}")),
        }
    }
    ensure!(sum > 0 || !problems.is_empty(), "the Rust tests ran no test");
    let recordings = match env::var_os("ARR_RECORDINGS") {
        Some(folder) => folder.to_string_lossy().into_owned(),
        None => "not set, the project's own vectors only".to_owned(),
    };
    Report::unless(problems, format!("{sum} passed in {} programs\nrecordings: {recordings}", programs.len()))
}

/// The client's behaviour tests: the longest program, begun first so that it does not run alone at the end.
const BEHAVIOUR: &str = "it";

/// More than there are cores, as its tests wait for most of their time.
const BEHAVIOUR_THREADS: &str = "--test-threads=8";

/// As cargo runs it, but for libraries in cargo's folders, of which there are none.
fn run_tests(TestProgram { name, program, folder }: &TestProgram) -> Result<String> {
    let mut command = Command::new(program);
    command.current_dir(folder);
    if name == BEHAVIOUR {
        command.arg(BEHAVIOUR_THREADS);
    }
    header::never_write(&mut command);
    process::run(command, CARGO_LIMIT)?.expect_success(&format!("the tests of {name}"))
}

fn documentation_tests(workspace: &Workspace) -> Result<String> {
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--workspace", "--locked", "--doc"]);
    process::run(cargo, CARGO_LIMIT)?.expect_success("the documentation's tests")
}

/// How many tests have passed, by lines such as `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
fn passed(output: &str) -> u32 {
    let counts = output.lines().filter_map(|line| line.strip_prefix("test result: ok. ")?.split_once(" passed"));
    counts.filter_map(|(count, _)| count.parse::<u32>().ok()).sum()
}

#[test]
fn the_counts_of_all_test_programs_are_added() {
    let output = "test a ... ok\n\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s\n";
    assert_eq!(passed(&output.repeat(2)), 6);
    assert_eq!(passed("error: could not compile"), 0);
}

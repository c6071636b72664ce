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

    let mut summary = Summary::default();
    let mut problems = Vec::new();
    for output in outputs {
        match output {
            Ok(output) => summary.add(&Summary::read(&output)),
            Err(error) => problems.push(format!("{error:#}")),
        }
    }
    ensure!(summary.passed > 0 || !problems.is_empty(), "the Rust tests ran no test");
    let recordings = match env::var_os("ARR_RECORDINGS") {
        Some(folder) => folder.to_string_lossy().into_owned(),
        None => "not set, the project's own vectors only".to_owned(),
    };
    Report::unless(problems, format!("{summary} in {} programs\nrecordings: {recordings}", programs.len()))
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

/// The counts of all test programs together.
#[derive(Debug, Default, PartialEq)]
struct Summary {
    passed: u32,
    failed: u32,
    ignored: u32,
}

impl Summary {
    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }

    /// Reads lines such as `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s`.
    fn read(output: &str) -> Self {
        let mut sum = Self::default();
        for line in output.lines().filter_map(|line| line.trim().strip_prefix("test result: ")) {
            let counts = line.split_once(". ").map_or("", |(_verdict, counts)| counts);
            for count in counts.split("; ") {
                let Some((number, kind)) = count.split_once(' ') else {
                    continue;
                };
                let number = number.parse().unwrap_or(0);
                match kind {
                    "passed" => sum.passed += number,
                    "failed" => sum.failed += number,
                    "ignored" => sum.ignored += number,
                    _ => {}
                }
            }
        }
        sum
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} ignored", self.passed, self.failed, self.ignored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_the_counts_of_all_test_programs() {
        let output = "\
running 3 tests
test a ... ok

test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s

test result: FAILED. 20 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 11.20s
";
        assert_eq!(Summary::read(output), Summary { passed: 23, failed: 2, ignored: 1 });
    }

    #[test]
    fn counts_nothing_where_no_test_ran() {
        assert_eq!(Summary::read("error: could not compile"), Summary::default());
    }
}

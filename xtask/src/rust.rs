//! The checks that cargo itself makes.

use std::env;

use anyhow::{Result, bail, ensure};

use crate::context::Context;
use crate::header;
use crate::process::{self, CARGO_LIMIT};
use crate::step::Report;

pub(crate) fn formatting(context: &mut Context) -> Result<Report> {
    let mut cargo = context.workspace.cargo();
    // rustfmt colours its output even where no terminal reads it.
    cargo.args(["fmt", "--all", "--check", "--", "--color", "never"]);
    process::run(cargo, CARGO_LIMIT)?.expect_success("run `cargo fmt --all`")?;
    Ok(Report(String::new()))
}

pub(crate) fn clippy(context: &mut Context) -> Result<Report> {
    let mut cargo = context.workspace.cargo();
    cargo.args(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]);
    process::run(cargo, CARGO_LIMIT)?.expect_success("cargo clippy")?;
    Ok(Report(String::new()))
}

pub(crate) fn rustdoc(context: &mut Context) -> Result<Report> {
    let mut cargo = context.workspace.cargo();
    cargo.args(["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings");
    process::run(cargo, CARGO_LIMIT)?.expect_success("cargo doc")?;
    Ok(Report(String::new()))
}

/// All Rust tests, among them the header's, and those that hold the C boundary to its rules.
pub(crate) fn tests(context: &mut Context) -> Result<Report> {
    let mut cargo = context.workspace.cargo();
    cargo.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    header::never_write(&mut cargo);
    let finished = process::run(cargo, CARGO_LIMIT)?;
    let summary = Summary::read(&finished.output);
    if !finished.succeeded() {
        bail!("{summary}: {}\n{}", finished.end, finished.output);
    }
    ensure!(summary.passed > 0, "cargo test ran no test:\n{}", finished.output);
    let recordings = match env::var_os("ARR_RECORDINGS") {
        Some(folder) => folder.to_string_lossy().into_owned(),
        None => "not set, the project's own vectors only".to_owned(),
    };
    Ok(Report(format!("{summary}\nrecordings: {recordings}")))
}

/// The counts of all test programs together.
#[derive(Debug, Default, PartialEq)]
struct Summary {
    passed: u32,
    failed: u32,
    ignored: u32,
}

impl Summary {
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

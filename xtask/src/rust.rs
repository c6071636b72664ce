//! The checks that cargo itself makes.

use std::env;

use anyhow::{Result, ensure};

use crate::abi::header;
use crate::context::Context;
use crate::process::{self, CARGO_LIMIT};
use crate::step::Report;

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
pub(crate) fn tests(context: &Context) -> Result<Report> {
    let mut cargo = context.workspace.cargo();
    cargo.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    // More than there are cores, as the tests wait for most of their time.
    cargo.env("RUST_TEST_THREADS", "8");
    header::never_write(&mut cargo);
    let sum = passed(&process::run(cargo, CARGO_LIMIT)?.expect_success("cargo test")?);
    ensure!(sum > 0, "the Rust tests ran no test");
    let recordings = match env::var_os("ARR_RECORDINGS") {
        Some(folder) => folder.to_string_lossy().into_owned(),
        None => "not set, the project's own vectors only".to_owned(),
    };
    Ok(Report(format!("{sum} passed\nrecordings: {recordings}")))
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

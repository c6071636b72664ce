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
    let output = process::run(cargo, CARGO_LIMIT)?.expect_success("cargo test")?;
    // `test result: ok. 3 passed; 0 failed; 1 ignored; …`
    let counts = output.lines().filter_map(|line| line.strip_prefix("test result: ok. ")?.split_once(" passed"));
    let sum: u32 = counts.filter_map(|(count, _)| count.parse::<u32>().ok()).sum();
    ensure!(sum > 0, "the Rust tests ran no test");
    let recordings = match env::var_os("ARR_RECORDINGS") {
        Some(folder) => folder.to_string_lossy().into_owned(),
        None => "not set, the project's own vectors only".to_owned(),
    };
    Ok(Report(format!("{sum} passed\nrecordings: {recordings}")))
}

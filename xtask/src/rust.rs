//! The checks by cargo.

use std::env;

use anyhow::{Result, ensure};

use crate::abi::header;
use crate::context::Context;
use crate::process::{self, CARGO_LIMIT};
use crate::step::Report;

pub(crate) fn formatting(context: &Context) -> Result<Report> {
    // rustfmt colours its output even without a terminal.
    check(context, &["fmt", "--all", "--check", "--", "--color", "never"])
}

pub(crate) fn clippy(context: &Context) -> Result<Report> {
    check(context, &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])
}

pub(crate) fn rustdoc(context: &Context) -> Result<Report> {
    check(context, &["doc", "--workspace", "--no-deps", "--locked"])
}

fn check(context: &Context, arguments: &[&str]) -> Result<Report> {
    let mut cargo = context.workspace.cargo();
    cargo.args(arguments).env("RUSTDOCFLAGS", "-D warnings");
    process::run(cargo, CARGO_LIMIT)?.expect_success(&format!("cargo {}", arguments[0]))?;
    Ok(Report(String::new()))
}

/// All Rust tests, including those of the header and of the C ABI.
pub(crate) fn tests(context: &Context) -> Result<Report> {
    let mut cargo = context.workspace.cargo();
    cargo.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    // More than there are cores, because the tests mostly wait.
    cargo.env("RUST_TEST_THREADS", "8");
    header::never_write(&mut cargo);
    let output = process::run(cargo, CARGO_LIMIT)?.expect_success("cargo test")?;
    // `test result: ok. 3 passed; 0 failed; 1 ignored; …`
    let counts = output.lines().filter_map(|line| line.strip_prefix("test result: ok. ")?.split_once(" passed"));
    let sum: u32 = counts.filter_map(|(count, _)| count.parse::<u32>().ok()).sum();
    ensure!(sum > 0, "no Rust test was run");
    let recordings = match env::var_os("ARR_RECORDINGS") {
        Some(folder) => folder.to_string_lossy().into_owned(),
        None => "not set; only the project's own vectors".to_owned(),
    };
    Ok(Report(format!("{sum} passed\nrecordings: {recordings}")))
}

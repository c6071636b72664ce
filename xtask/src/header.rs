//! `cargo xtask header`: the C header, which the library's own test generates and compares.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

pub(crate) const PATH: &str = "include/arr_session.h";

pub(crate) enum Mode {
    Write,
    Check,
}

pub(crate) fn run(mode: Mode) -> Result<ExitCode> {
    let mut test = Workspace::find()?.cargo();
    test.args(["test", "--quiet", "--package", "arr-session", "--test", "header"]);
    match mode {
        Mode::Write => test.env("ARR_UPDATE_HEADER", "1"),
        Mode::Check => test.env_remove("ARR_UPDATE_HEADER"),
    };
    let status = test.status().context("cannot run cargo")?;
    match (mode, status.success()) {
        (Mode::Write, true) => println!("{PATH} is what the Rust sources give"),
        (Mode::Check, true) => println!("{PATH} is up to date"),
        (Mode::Write, false) => eprintln!("error: {PATH} could not be generated"),
        (Mode::Check, false) => {
            eprintln!("error: {PATH} is not up to date: run `cargo xtask header`")
        }
    }
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

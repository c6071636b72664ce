//! Running other programs.

use std::process::{Command, Output};

/// Runs a program to its end. Without it the test fails and says what to install: a check that nobody makes is none.
pub(crate) fn run(command: &mut Command, package: &str) -> Output {
    let program = command.get_program().to_string_lossy().into_owned();
    command.output().unwrap_or_else(|error| {
        panic!("this test needs {program} ({error}); install it with: apt-get install {package}")
    })
}

//! Running other programs.

use std::process::{Command, Output};

/// Runs a program to its end. If it is missing, the test fails with the package to install, rather than being skipped.
pub(crate) fn run(command: &mut Command, package: &str) -> Output {
    let program = command.get_program().to_string_lossy().into_owned();
    command.output().unwrap_or_else(|error| {
        panic!("this test needs {program} ({error}); install it with: apt-get install {package}")
    })
}

//! What the tests with other programs share.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// An empty folder for one test; `name` is the test's own.
pub(crate) fn folder(name: &str) -> PathBuf {
    let name = format!("{name}-{}", std::process::id());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder for the test");
    folder
}

/// Runs a program to its end. Without it the test fails and says what to install: a check that nobody makes is none.
pub(crate) fn run(command: &mut Command, package: &str) -> Output {
    let program = command.get_program().to_string_lossy().into_owned();
    command.output().unwrap_or_else(|error| {
        panic!("this test needs {program} ({error}); install it with: apt-get install {package}")
    })
}

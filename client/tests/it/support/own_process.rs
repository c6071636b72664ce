//! Tests that need their own process, because they check or change state that all tests of this program share: its
//! threads, its memory, its environment, and the end of all its clients.

use std::path::Path;
use std::process::Command;

/// The variable that names the test for which a process was started.
const TEST: &str = "ARR_TEST_OWN_PROCESS";

/// A process that runs only one test of this program.
pub(crate) fn command(module: &str, test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a program knows its path"));
    command.args(["--exact", &name(module, test), "--nocapture"]);
    command
}

/// A test's name as the program's arguments have it: without the crate.
fn name(module: &str, test: &str) -> String {
    let module = module.split_once("::").map_or("", |(_crate, module)| module);
    format!("{module}::{test}")
}

/// Runs `body` in its own process, from the test of this name in this module (`module_path!()`).
///
/// # Panics
/// If it fails there.
pub(crate) fn run(module: &str, test: &str, body: impl FnOnce()) {
    run_with(module, test, &[], body);
}

/// The same with these environment variables.
///
/// # Panics
/// If it fails there.
pub(crate) fn run_with(module: &str, test: &str, variables: &[(&str, &Path)], body: impl FnOnce()) {
    let name = name(module, test);
    if std::env::var(TEST).is_ok_and(|started_for| started_for == name) {
        return body();
    }
    let output = command(module, test)
        .env(TEST, &name)
        .envs(variables.iter().copied())
        .output()
        .expect("this program can be started again");
    let (printed, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // The program also succeeds for a name that no test has.
    let passed = output.status.success() && printed.contains("1 passed");
    assert!(passed, "{name} in its own process: {}\n{printed}\n{errors}", output.status);
    print!("{printed}");
}

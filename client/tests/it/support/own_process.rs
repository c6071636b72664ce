//! Tests that need their own process, because they check or change state that all tests of this program share: its
//! threads, its memory, its environment, and the end of all its clients.

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
    let name = name(module, test);
    if std::env::var(TEST).is_ok_and(|started_for| started_for == name) {
        return body();
    }
    let output = command(module, test).env(TEST, &name).output().expect("this program can be started again");
    check(&name, &output);
}

/// Like [`run`], as a user for whom limits and permissions count, unless root may not start such a process.
///
/// # Panics
/// If it fails there.
#[cfg(target_os = "linux")]
pub(crate) fn run_as_nobody(module: &str, test: &str, body: impl FnOnce()) {
    let name = name(module, test);
    if std::env::var(TEST).is_ok_and(|started_for| started_for == name) {
        return body();
    }
    let program = Copy::new();
    match program.as_nobody(module, test).env(TEST, &name).output() {
        Ok(output) => check(&name, &output),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            println!("skipped: only root may start a process of another user");
        }
    }
}

/// A copy of this program that every user can start: this one may be in a folder that only its owner can read.
#[cfg(target_os = "linux")]
pub(crate) struct Copy(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl Copy {
    pub(crate) fn new() -> Copy {
        let program = std::env::temp_dir().join(format!("copy-{}", uuid::Uuid::new_v4()));
        let this = std::env::current_exe().expect("a program knows its path");
        // Copied by another process: otherwise a test that forks just now would inherit the file open for writing.
        let copied = Command::new("install").args(["-m", "755"]).arg(this).arg(&program).status();
        assert!(copied.expect("install can be started").success());
        Copy(program)
    }

    /// A process of another user that runs only one test.
    pub(crate) fn as_nobody(&self, module: &str, test: &str) -> Command {
        use std::os::unix::process::CommandExt;
        let mut started = Command::new(&self.0);
        started.args(command(module, test).get_args()).current_dir("/").uid(NOBODY).gid(NOBODY);
        started
    }
}

#[cfg(target_os = "linux")]
impl Drop for Copy {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(target_os = "linux")]
pub(crate) const NOBODY: u32 = 65_534;

fn check(name: &str, output: &std::process::Output) {
    let (printed, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // The program also succeeds for a name that no test has.
    let passed = output.status.success() && printed.contains("1 passed");
    assert!(passed, "{name} in its own process: {}\n{printed}\n{errors}", output.status);
    print!("{printed}");
}

//! The program as a running process.

use std::env;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::run;

/// Longer than any step takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program, to be run in this folder: the one that `$ARR_EMULATOR` names, such as a packed one, or cargo's.
pub(crate) fn program(folder: &Path, options: &[&str]) -> Command {
    let program = env::var_os("ARR_EMULATOR").unwrap_or_else(|| env!("CARGO_BIN_EXE_arr-emulator").into());
    let mut command = Command::new(program);
    command.current_dir(folder).args(options).stdin(Stdio::null());
    command
}

/// A running emulator with a ready file, on a free port.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) ready_file: PathBuf,
    /// The contents of the ready file.
    pub(crate) ready: Value,
}

impl Running {
    pub(crate) fn begin(folder: &Path, options: &[&str]) -> Running {
        Running::begin_on(folder, "127.0.0.1:0", options)
    }

    pub(crate) fn begin_on(folder: &Path, listen: &str, options: &[&str]) -> Running {
        Running::begin_where(folder, listen, options, |_| true)
    }

    /// Waits for the emulator's own ready file, where it must replace another.
    pub(crate) fn begin_where(
        folder: &Path,
        listen: &str,
        options: &[&str],
        is_own: impl Fn(&[u8]) -> bool,
    ) -> Running {
        let mut program = program(folder, &["--listen", listen, "--ready-file", "ready.json"]);
        Running::begin_program(folder, program.args(options), is_own)
    }

    /// Runs the program by another command, such as a shell.
    pub(crate) fn begin_command(folder: &Path, command: impl Fn(&Command) -> Command, options: &[&str]) -> Running {
        let mut program = program(folder, &["--listen", "127.0.0.1:0", "--ready-file", "ready.json"]);
        let mut command = command(program.args(options));
        Running::begin_program(folder, command.current_dir(folder).stdin(Stdio::null()), |_| true)
    }

    fn begin_program(folder: &Path, program: &mut Command, is_own: impl Fn(&[u8]) -> bool) -> Running {
        let child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
        let mut running = Running { child, ready_file: folder.join("ready.json"), ready: Value::Null };
        running.ready = running.wait_until_ready(is_own);
        running
    }

    fn wait_until_ready(&mut self, is_own: impl Fn(&[u8]) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(contents) = fs::read(&self.ready_file).ok().filter(|contents| is_own(contents)) {
                return serde_json::from_slice(&contents).expect("complete at first sight");
            }
            assert_eq!(self.child.try_wait().expect("a child"), None, "it ended");
            assert!(Instant::now() < deadline, "no ready file");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a signal, by its name for `kill`.
    pub(crate) fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        // The shell's builtin: a small system has no such program.
        let killed = run(Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &process]), "dash");
        assert!(killed.status.success(), "{killed:?}");
    }

    /// Waits for the end; returns how it ended and what it printed to stdout and stderr.
    pub(crate) fn end(mut self) -> (ExitStatus, String, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            thread::sleep(Duration::from_millis(5));
        };
        let (mut stdout, mut stderr) = (String::new(), String::new());
        if let Some(mut pipe) = self.child.stdout.take() {
            pipe.read_to_string(&mut stdout).expect("UTF-8");
        }
        if let Some(mut pipe) = self.child.stderr.take() {
            pipe.read_to_string(&mut stderr).expect("UTF-8");
        }
        (status, stdout, stderr)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After a failed assertion, nothing else ends it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! Runs programs to their end, within a time limit, without a terminal, and with all of their output.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// For cargo calls: enough for a cold build on a small machine, but finite for a test that hangs.
pub(crate) const CARGO_LIMIT: Duration = Duration::from_secs(45 * 60);

/// For compilers and other quick tools.
pub(crate) const TOOL_LIMIT: Duration = Duration::from_secs(60);

/// How long to wait for the rest of a program's output once it has ended: a grandchild may hold the pipe open.
const OUTPUT_GRACE: Duration = Duration::from_secs(2);

/// How often a running program is polled.
pub(crate) const POLL: Duration = Duration::from_millis(10);

pub(crate) enum End {
    Exited(ExitStatus),
    /// It was killed because it exceeded this limit.
    TooLong(Duration),
}

/// A program that ran, and its output.
pub(crate) struct Finished {
    pub(crate) end: End,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    pub(crate) fn succeeded(&self) -> bool {
        self.exit_code() == Some(0)
    }

    /// The exit code, unless the program was killed or crashed.
    pub(crate) fn exit_code(&self) -> Option<i32> {
        match self.end {
            End::Exited(status) => status.code(),
            End::TooLong(_) => None,
        }
    }

    pub(crate) fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// The output if the program succeeded; otherwise an error with its end and output.
    pub(crate) fn expect_success(self, what: &str) -> Result<String> {
        if self.succeeded() {
            return Ok(self.output());
        }
        bail!("{what}: {self}");
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.end {
            End::Exited(status) => write!(f, "{status}"),
            End::TooLong(limit) => write!(f, "killed because it was still running after {} s", limit.as_secs()),
        }?;
        write!(f, "\n{}", self.output().trim_end())
    }
}

/// Runs `command` to its end, but no longer than `limit`.
pub(crate) fn run(mut command: Command, limit: Duration) -> Result<Finished> {
    run_until(&mut command, limit, Stdio::piped(), |_| false)
}

/// The same, but its standard output is read until `word` is in it, and then closed.
pub(crate) fn run_and_leave(mut command: Command, word: &str, limit: Duration) -> Result<Finished> {
    let (word, mut read) = (word.to_owned(), Vec::new());
    run_until(&mut command, limit, Stdio::piped(), move |piece| {
        read.extend_from_slice(piece);
        String::from_utf8_lossy(&read).contains(&word)
    })
}

/// The standard output of a quick command.
pub(crate) fn stdout(command: &mut Command) -> Result<String> {
    stdout_within(command, TOOL_LIMIT, Stdio::piped())
}

/// The same, within a limit. If standard error is piped, it is part of the error.
pub(crate) fn stdout_within(command: &mut Command, limit: Duration, stderr: Stdio) -> Result<String> {
    let words: Vec<_> =
        std::iter::once(command.get_program()).chain(command.get_args()).map(|word| word.to_string_lossy()).collect();
    let name = format!("`{}`", words.join(" "));
    let finished = run_until(command, limit, stderr, |_| false)?;
    if !finished.succeeded() {
        bail!("{name}: {finished}");
    }
    Ok(finished.stdout)
}

fn run_until(
    command: &mut Command,
    limit: Duration,
    stderr: Stdio,
    is_last: impl FnMut(&[u8]) -> bool + Send + 'static,
) -> Result<Finished> {
    // In its own process group, so that the processes it starts can be killed with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
    let mut child = command.spawn().with_context(|| format!("cannot run `{name}`"))?;
    let stdout = child.stdout.take().map(|pipe| read(pipe, is_last));
    let stderr = child.stderr.take().map(|pipe| read(pipe, |_| false));
    let end = wait(&mut child, limit)?;
    let [stdout, stderr] = [stdout, stderr].map(|pieces| pieces.map_or(String::new(), |pieces| collect(&pieces)));
    Ok(Finished { end, stdout, stderr })
}

/// Waits for a program's end. At the limit, kills it and its process group.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Result<End> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(End::Exited(status));
        }
        if started.elapsed() >= limit {
            if cfg!(unix) {
                // The shell's builtin: not every machine has a program `kill`.
                let mut kill = Command::new("sh");
                kill.args(["-c", "kill -s KILL -- \"-$0\"", &child.id().to_string()]);
                kill.stdin(Stdio::null()).stderr(Stdio::null()).status().ok();
            }
            child.kill().ok();
            child.wait().ok();
            return Ok(End::TooLong(limit));
        }
        thread::sleep(POLL);
    }
}

/// Reads a pipe on a thread, to its end or until `is_last`; then the pipe is closed.
fn read(
    mut pipe: impl Read + Send + 'static,
    mut is_last: impl FnMut(&[u8]) -> bool + Send + 'static,
) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            let piece = &buffer[..length];
            if sender.send(piece.to_vec()).is_err() || is_last(piece) {
                return;
            }
        }
    });
    receiver
}

/// Joins the pieces until the end, or until the grace period is over.
fn collect(pieces: &Receiver<Vec<u8>>) -> String {
    let mut output = Vec::new();
    let deadline = Instant::now() + OUTPUT_GRACE;
    while let Ok(piece) = pieces.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        output.extend(piece);
    }
    String::from_utf8_lossy(&output).into_owned()
}

/// Marks a file as executable. With Unix's own tool, so that xtask compiles on every system.
pub(crate) fn make_executable(file: &Path) -> Result<()> {
    stdout(Command::new("chmod").arg("+x").arg(file)).map(drop)
}

/// Makes `at` a link to `target`, replacing an existing link.
pub(crate) fn link(target: &Path, at: &Path) -> Result<()> {
    stdout(Command::new("ln").args(["-s", "-f", "-n"]).arg(target).arg(at)).map(drop)
}

/// Writes a shell script that passes its arguments to this call.
pub(crate) fn script(path: PathBuf, call: &str) -> Result<PathBuf> {
    fs::write(&path, format!("#!/bin/sh\nexec {call} \"$@\"\n"))
        .with_context(|| format!("cannot write {}", path.display()))?;
    make_executable(&path)?;
    Ok(path)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut sh = Command::new("sh");
        sh.args(["-c", script]);
        sh
    }

    #[test]
    fn a_program_cannot_write_after_its_reader_leaves() {
        let endless = sh("echo one; while echo more; do :; done; exit 1");
        let finished = run_and_leave(endless, "one\n", TOOL_LIMIT).unwrap();
        assert!(finished.stdout.starts_with("one\n"), "{finished}");
        // The closed pipe ends the shell, or its `echo` fails. It does not run until the limit.
        assert!(matches!(finished.end, End::Exited(status) if !status.success()), "{finished}");
    }

    #[test]
    fn the_children_of_a_killed_program_are_killed_too() {
        // A surviving grandchild would hold the pipe open for the whole grace period.
        let started = Instant::now();
        let finished = run(sh("sleep 60 & echo begun; wait"), Duration::from_millis(300)).unwrap();
        assert!(matches!(finished.end, End::TooLong(_)));
        assert_eq!(finished.stdout, "begun\n");
        assert!(started.elapsed() < OUTPUT_GRACE, "{:?}", started.elapsed());
    }
}

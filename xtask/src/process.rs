//! Runs programs to their end: never longer than a limit, never reading the terminal, nothing they say lost.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// For cargo calls: generous enough for a cold build on a small machine, and an end for a test that hangs.
pub(crate) const CARGO_LIMIT: Duration = Duration::from_secs(45 * 60);

/// For compilers and other tools that are done in a moment.
pub(crate) const TOOL_LIMIT: Duration = Duration::from_secs(60);

/// How long the rest of a killed program's output is waited for: a grandchild may hold the pipe open.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How often a running program is looked at.
pub(crate) const POLL: Duration = Duration::from_millis(10);

/// How a program ended.
pub(crate) enum End {
    Exited(ExitStatus),
    /// It was killed, because it ran longer than this.
    TooLong(Duration),
}

/// A program that ran, and all it wrote.
pub(crate) struct Finished {
    pub(crate) end: End,
    /// Standard output and standard error in the order in which they were written.
    pub(crate) output: String,
}

impl Finished {
    pub(crate) fn succeeded(&self) -> bool {
        matches!(&self.end, End::Exited(status) if status.success())
    }

    /// The exit code, unless it was killed or crashed.
    pub(crate) fn exit_code(&self) -> Option<i32> {
        match &self.end {
            End::Exited(status) => status.code(),
            End::TooLong(_) => None,
        }
    }

    /// Its output if it succeeded; otherwise an error with how it ended and what it wrote.
    pub(crate) fn expect_success(self, what: &str) -> Result<String> {
        if self.succeeded() {
            return Ok(self.output);
        }
        bail!("{what}: {}\n{}", self.end, self.output.trim_end());
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(status) => write!(f, "{status}"),
            Self::TooLong(limit) => write!(f, "stopped after {} s without an end", limit.as_secs()),
        }
    }
}

/// Runs `command` to its end, but no longer than `limit`, and collects all that it writes.
pub(crate) fn run(mut command: Command, limit: Duration) -> Result<Finished> {
    let (reader, writer) = io::pipe().context("cannot make a pipe")?;
    command.stdout(writer.try_clone()?).stderr(writer);
    finish(command, reader, limit)
}

/// Like [`run`], but collects standard error only.
pub(crate) fn run_for_errors(mut command: Command, limit: Duration) -> Result<Finished> {
    let (reader, writer) = io::pipe().context("cannot make a pipe")?;
    command.stdout(Stdio::null()).stderr(writer);
    finish(command, reader, limit)
}

fn finish(mut command: Command, reader: io::PipeReader, limit: Duration) -> Result<Finished> {
    let name = command.get_program().to_string_lossy().into_owned();
    let spawned = command.stdin(Stdio::null()).spawn();
    // The command holds the pipe's writing end, which would keep the reader waiting for ever.
    drop(command);
    let mut child = spawned.with_context(|| format!("cannot run `{name}`"))?;

    let chunks = read_on_a_thread(reader);
    let started = Instant::now();
    let end = loop {
        if let Some(status) = child.try_wait()? {
            break End::Exited(status);
        }
        if started.elapsed() >= limit {
            child.kill().ok();
            child.wait().ok();
            break End::TooLong(limit);
        }
        thread::sleep(POLL);
    };

    let mut output = Vec::new();
    let deadline = Instant::now() + LAST_WORDS;
    while let Ok(chunk) = chunks.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        output.extend(chunk);
    }
    Ok(Finished { end, output: String::from_utf8_lossy(&output).into_owned() })
}

fn read_on_a_thread(mut reader: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = reader.read(&mut buffer) {
            if sender.send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Runs a quick command and returns its standard output.
pub(crate) fn stdout(command: &mut Command) -> Result<String> {
    let words: Vec<_> =
        std::iter::once(command.get_program()).chain(command.get_args()).map(OsStr::to_string_lossy).collect();
    let name = format!("`{}`", words.join(" "));
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {name}"))?;
    if !output.status.success() {
        bail!("{name}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name} wrote something other than UTF-8"))
}

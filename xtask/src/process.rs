//! Runs programs to their end: never longer than a limit, never reading the terminal, nothing they say lost.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// For cargo calls: generous enough for a cold build on a small machine, and an end for a test that hangs.
pub(crate) const CARGO_LIMIT: Duration = Duration::from_secs(45 * 60);

/// For compilers and other tools that are done in a moment.
pub(crate) const TOOL_LIMIT: Duration = Duration::from_secs(60);

/// How long the rest of a program's output is waited for once it has ended: a grandchild may hold the pipe open.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How often a running program is looked at.
pub(crate) const POLL: Duration = Duration::from_millis(10);

/// How a program ended.
pub(crate) enum End {
    Exited(ExitStatus),
    /// It was killed, because it ran longer than this.
    TooLong(Duration),
}

/// A program that ran, and what it wrote, apart.
pub(crate) struct Apart {
    pub(crate) end: End,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
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
        self.end.exit_code()
    }

    /// Its output if it succeeded; otherwise an error with how it ended and what it wrote.
    pub(crate) fn expect_success(self, what: &str) -> Result<String> {
        if self.succeeded() {
            return Ok(self.output);
        }
        bail!("{what}: {}\n{}", self.end, self.output.trim_end());
    }
}

impl End {
    /// The exit code, unless the program was killed or crashed.
    pub(crate) fn exit_code(&self) -> Option<i32> {
        match self {
            Self::Exited(status) => status.code(),
            Self::TooLong(_) => None,
        }
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
    let spawned = spawn(&mut command);
    // The command holds the pipe's writing end, which would keep the reader waiting for ever.
    drop(command);
    let mut child = spawned?;
    let chunks = read_on_a_thread(reader);
    let end = wait(&mut child, limit)?;
    Ok(Finished { end, output: text(collect(&chunks, LAST_WORDS)) })
}

/// Starts a program in a process group of its own, so that whatever it starts can be ended with it.
fn spawn(command: &mut Command) -> Result<Child> {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).spawn().with_context(|| format!("cannot run `{name}`"))
}

fn wait(child: &mut Child, limit: Duration) -> Result<End> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(End::Exited(status));
        }
        if started.elapsed() >= limit {
            kill_group(child);
            child.kill().ok();
            child.wait().ok();
            return Ok(End::TooLong(limit));
        }
        thread::sleep(POLL);
    }
}

/// Kills a program and all that it has started.
fn kill_group(child: &Child) {
    if cfg!(unix) {
        // The shell's own `kill`: the program of that name is not on every machine.
        let mut kill = Command::new("sh");
        kill.args(["-c", "kill -s KILL -- \"-$0\"", &child.id().to_string()]);
        kill.stdin(Stdio::null()).stderr(Stdio::null()).status().ok();
    }
}

/// What comes until the end, or until nothing is waited for any longer.
fn collect(chunks: &mpsc::Receiver<Vec<u8>>, patience: Duration) -> Vec<u8> {
    let mut output = Vec::new();
    let deadline = Instant::now() + patience;
    while let Ok(chunk) = chunks.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        output.extend(chunk);
    }
    output
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

fn read_on_a_thread(reader: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    read_on_a_thread_until(reader, |_| false)
}

/// Reads to the end, or until a piece is the last that is wanted; then what it reads from is closed.
fn read_on_a_thread_until(
    mut reader: impl Read + Send + 'static,
    mut is_last: impl FnMut(&[u8]) -> bool + Send + 'static,
) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = reader.read(&mut buffer) {
            let piece = &buffer[..length];
            if sender.send(piece.to_vec()).is_err() || is_last(piece) {
                return;
            }
        }
    });
    receiver
}

/// Marks a file as a program. For Unix, by its own tool: these chores compile on every system.
pub(crate) fn make_executable(file: &Path) -> Result<()> {
    let mut chmod = Command::new("chmod");
    chmod.arg("+x").arg(file);
    run(chmod, TOOL_LIMIT)?.expect_success(&format!("cannot make {} a program", file.display()))?;
    Ok(())
}

/// Makes `at` a link to `target`, in place of one that is there. Also by Unix's own tool.
pub(crate) fn link(target: &Path, at: &Path) -> Result<()> {
    let mut ln = Command::new("ln");
    ln.args(["-s", "-f", "-n"]).arg(target).arg(at);
    run(ln, TOOL_LIMIT)?.expect_success(&format!("cannot make {} a link", at.display()))?;
    Ok(())
}

/// Writes a program for Unix that hands its arguments on to this call.
pub(crate) fn script(path: PathBuf, call: &str) -> Result<PathBuf> {
    fs::write(&path, format!("#!/bin/sh\nexec {call} \"$@\"\n"))
        .with_context(|| format!("cannot write {}", path.display()))?;
    make_executable(&path)?;
    Ok(path)
}

/// Runs a quick command and returns its standard output.
pub(crate) fn stdout(command: &mut Command) -> Result<String> {
    stdout_within(command.stderr(Stdio::piped()), TOOL_LIMIT)
}

/// Runs `command` to its end, but no longer than `limit`, and returns its standard output. Standard error goes where it
/// was sent; if that is a pipe, it is in the error when there is one.
pub(crate) fn stdout_within(command: &mut Command, limit: Duration) -> Result<String> {
    let words: Vec<_> =
        std::iter::once(command.get_program()).chain(command.get_args()).map(OsStr::to_string_lossy).collect();
    let name = format!("`{}`", words.join(" "));
    let (end, stdout, stderr) = collect_apart(command, limit)?;
    if !matches!(&end, End::Exited(status) if status.success()) {
        bail!("{name}: {end}\n{}", text(stderr).trim_end());
    }
    String::from_utf8(stdout).with_context(|| format!("{name} wrote something other than UTF-8"))
}

/// Runs `command` to its end, but no longer than `limit`, and collects what it writes to each of its outputs.
pub(crate) fn run_apart(mut command: Command, limit: Duration) -> Result<Apart> {
    let (end, stdout, stderr) = collect_apart(command.stderr(Stdio::piped()), limit)?;
    Ok(Apart { end, stdout: text(stdout), stderr: text(stderr) })
}

/// Runs `command`, whose standard output is read until `word` is in it, and then closed.
pub(crate) fn run_and_leave(mut command: Command, word: &str, limit: Duration) -> Result<Apart> {
    let mut child = spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let stdout = child.stdout.take().context("it has no standard output")?;
    let (word, mut heard) = (word.to_owned(), Vec::new());
    let stdout = read_on_a_thread_until(stdout, move |piece| {
        heard.extend_from_slice(piece);
        String::from_utf8_lossy(&heard).contains(&word)
    });
    let stderr = child.stderr.take().map(read_on_a_thread).context("it has no standard error")?;
    let end = wait(&mut child, limit)?;
    Ok(Apart { end, stdout: text(collect(&stdout, LAST_WORDS)), stderr: text(collect(&stderr, LAST_WORDS)) })
}

fn collect_apart(command: &mut Command, limit: Duration) -> Result<(End, Vec<u8>, Vec<u8>)> {
    let mut child = spawn(command.stdout(Stdio::piped()))?;
    let stdout = child.stdout.take().map(read_on_a_thread);
    let stderr = child.stderr.take().map(read_on_a_thread);
    let end = wait(&mut child, limit)?;
    let all_of = |chunks: Option<mpsc::Receiver<_>>| chunks.map_or(Vec::new(), |chunks| collect(&chunks, LAST_WORDS));
    Ok((end, all_of(stdout), all_of(stderr)))
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
    fn a_program_whose_reader_leaves_cannot_write_any_more() {
        let endless = sh("echo one; while echo more; do :; done; exit 1");
        let told = run_and_leave(endless, "one\n", TOOL_LIMIT).unwrap();
        assert!(told.stdout.starts_with("one\n"), "{}", told.stdout);
        // The shell dies of it, or its `echo` fails: it does not write on until its time is over.
        assert!(matches!(told.end, End::Exited(status) if !status.success()), "{}", told.end);
    }

    #[test]
    fn what_a_program_has_started_does_not_outlive_it_when_it_is_killed() {
        // The grandchild holds the pipe: were it alive, its last words would be waited for.
        let started = Instant::now();
        let finished = run(sh("sleep 60 & echo begun; wait"), Duration::from_millis(300)).unwrap();
        assert!(matches!(finished.end, End::TooLong(_)));
        assert_eq!(finished.output, "begun\n");
        assert!(started.elapsed() < LAST_WORDS, "{:?}", started.elapsed());
    }

    #[test]
    fn standard_output_has_a_limit_too_and_an_error_has_what_was_said() {
        assert_eq!(stdout(&mut sh("echo out; echo err >&2")).unwrap(), "out\n");
        let error = stdout(&mut sh("echo err >&2; exit 3")).unwrap_err().to_string();
        assert!(error.contains("exit status: 3\nerr"), "{error}");
        let error = stdout_within(&mut sh("sleep 60"), Duration::from_millis(50)).unwrap_err().to_string();
        assert!(error.contains("without an end"), "{error}");
    }
}

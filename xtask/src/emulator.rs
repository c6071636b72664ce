//! The emulator as a child process: started on a free port, and always stopped.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;

use crate::process::{self, End};

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

/// A version of the REST API, as the examples' environment names it.
#[derive(Clone, Copy)]
pub(crate) struct ApiVersion(&'static str);

impl ApiVersion {
    pub(crate) const V1: ApiVersion = ApiVersion("v1");
    pub(crate) const V2021_01_01: ApiVersion = ApiVersion("2021-01-01");
    pub(crate) const BOTH: [ApiVersion; 2] = [ApiVersion::V1, ApiVersion::V2021_01_01];
}

impl std::fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

pub(crate) struct Emulator {
    child: Child,
    log: PathBuf,
    ready: Ready,
}

/// The emulator's ready file, which it writes as soon as it listens.
#[derive(Deserialize)]
struct Ready {
    url: String,
    account_id: String,
    account_key: String,
    account_domain: String,
    ca_file: Option<PathBuf>,
}

impl Emulator {
    /// Starts an emulator with these options, and waits until it listens. Its certificate authority, ready file and log go into
    /// `folder`.
    pub(crate) fn start(program: &Path, folder: &Path, scheme: Scheme, options: &[&str]) -> Result<Self> {
        let ready_file = folder.join("ready.json");
        let log = folder.join("emulator.log");
        // A ready file from an earlier run would name a port that nothing listens on.
        if ready_file.exists() {
            fs::remove_file(&ready_file).with_context(|| format!("cannot remove {}", ready_file.display()))?;
        }
        // Unlike a pipe, a file never fills up and needs no reader.
        let log_writer = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;

        let mut command = Command::new(program);
        if scheme == Scheme::Https {
            // A name that does not resolve here, for tests with a proxy.
            command.args(["--tls", "--tls-name", "arr.test", "--ca-file"]).arg(folder.join("ca.pem"));
        }
        let mut child = command
            .args(["--listen", "127.0.0.1:0", "--ready-file"])
            .arg(&ready_file)
            .args(options)
            .stdin(Stdio::null())
            .stdout(log_writer.try_clone()?)
            .stderr(log_writer)
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;

        match wait_until_ready(&mut child, &ready_file) {
            Ok(ready) => Ok(Self { child, log, ready }),
            Err(error) => {
                end(&mut child)?;
                let log = fs::read_to_string(&log).unwrap_or_default();
                Err(anyhow!("{error:#}\n{}", log.trim_end()))
            }
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.ready.url
    }

    /// The certificate authority to trust; none without HTTPS.
    pub(crate) fn authority(&self) -> Option<&Path> {
        self.ready.ca_file.as_deref()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Points a program at this emulator, with the environment variables that every example reads.
    pub(crate) fn introduce_to(&self, program: &mut Command, version: ApiVersion, poll_interval_ms: u32) {
        program
            .env("ARR_ACCOUNT_ID", &self.ready.account_id)
            .env("ARR_ACCOUNT_KEY", &self.ready.account_key)
            .env("ARR_ACCOUNT_DOMAIN", &self.ready.account_domain)
            .env("ARR_SERVICE_ENDPOINT", &self.ready.url)
            .env("ARR_API_VERSION", version.0)
            .env("ARR_POLL_INTERVAL_MS", poll_interval_ms.to_string());
        match &self.ready.ca_file {
            Some(ca_file) => program.env("ARR_CA_FILE", ca_file),
            None => program.env_remove("ARR_CA_FILE"),
        };
    }

    /// Sends a control call to an emulator over HTTP, and returns the reply's body.
    pub(crate) fn control(&self, method: &str, path: &str, body: &str) -> Result<String> {
        let mut curl = Command::new("curl");
        // -q: without the user's settings.
        curl.args(["-q", "-sS", "--fail-with-body", "--noproxy", "*", "-X", method, "-d", body]);
        process::stdout(curl.arg(format!("{}/emulator/{path}", self.ready.url)))
    }

    /// Stops the emulator. Fails if it had already ended, or did not stop properly.
    pub(crate) fn stop(mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the emulator had already ended ({status})\n{}", self.log().trim_end());
        }
        match end(&mut self.child)? {
            End::Exited(status) if status.success() || !cfg!(unix) => Ok(()),
            End::Exited(status) => bail!("the emulator stopped with {status}\n{}", self.log().trim_end()),
            End::TooLong(limit) => {
                bail!("the emulator did not stop within {} s and was killed", limit.as_secs())
            }
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // No effect after `stop`.
        end(&mut self.child).ok();
    }
}

fn wait_until_ready(child: &mut Child, ready_file: &Path) -> Result<Ready> {
    let started = Instant::now();
    while !ready_file.exists() {
        if let Some(status) = child.try_wait()? {
            bail!("the emulator ended before it was ready ({status})");
        }
        if started.elapsed() > START_LIMIT {
            bail!("the emulator was not ready after {} s", START_LIMIT.as_secs());
        }
        thread::sleep(process::POLL);
    }
    let json = fs::read_to_string(ready_file).context("cannot read the emulator's ready file")?;
    serde_json::from_str(&json).with_context(|| format!("the emulator's ready file is not as expected: {json}"))
}

/// Ends the child if it still runs: gracefully where the system has signals, then by force.
fn end(child: &mut Child) -> Result<End> {
    if child.try_wait()?.is_none() {
        if cfg!(unix) {
            // The shell's builtin: not every machine has a program `kill`.
            Command::new("sh").args(["-c", "kill -TERM \"$0\"", &child.id().to_string()]).status().ok();
        } else {
            child.kill().ok();
        }
    }
    process::wait(child, STOP_LIMIT)
}

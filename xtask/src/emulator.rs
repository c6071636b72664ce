//! The emulator as a child process: started on a free port, and stopped whatever happens.

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

/// How an emulator is spoken to.
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

/// A running `arr-emulator`.
pub(crate) struct Emulator {
    child: Child,
    log: PathBuf,
    ready: Ready,
}

/// What the emulator writes into its ready file as soon as it can be called.
#[derive(Deserialize)]
struct Ready {
    url: String,
    account_id: String,
    account_key: String,
    account_domain: String,
    ca_file: Option<PathBuf>,
}

impl Emulator {
    /// Starts it with these options and waits until it listens. Its certificate authority, its ready file and its log
    /// are written to `folder`.
    pub(crate) fn start(program: &Path, folder: &Path, scheme: Scheme, options: &[&str]) -> Result<Self> {
        let ready_file = folder.join("ready.json");
        let log = folder.join("emulator.log");
        // A ready file from an earlier run would name a port at which nobody listens any more.
        if ready_file.exists() {
            fs::remove_file(&ready_file).with_context(|| format!("cannot remove {}", ready_file.display()))?;
        }
        // A file, unlike a pipe, never fills up and needs nobody to read it.
        let log_writer = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;

        let mut command = Command::new(program);
        if scheme == Scheme::Https {
            command.arg("--tls").arg("--ca-file").arg(folder.join("ca.pem"));
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
                let said = fs::read_to_string(&log).unwrap_or_default();
                Err(anyhow!("{error:#}\n{}", said.trim_end()))
            }
        }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.ready.url
    }

    /// The certificate authority to trust, if it is spoken to over HTTPS.
    pub(crate) fn authority(&self) -> Option<&Path> {
        self.ready.ca_file.as_deref()
    }

    /// What it has written so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Points a program at this emulator, by the environment variables that every example understands.
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

    /// Makes a control call of one that is spoken to over HTTP, and returns what it answers.
    pub(crate) fn control(&self, method: &str, path: &str, body: &str) -> Result<String> {
        let mut curl = Command::new("curl");
        // -q: nobody's own settings, and no proxy.
        curl.args(["-q", "-sS", "--fail-with-body", "--noproxy", "*", "-X", method, "-d", body]);
        process::stdout(curl.arg(format!("{}/emulator/{path}", self.ready.url)))
    }

    /// Stops it, and says so if it had ended before, or could not be stopped in peace.
    pub(crate) fn stop(mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the emulator had ended by itself ({status})\n{}", self.log().trim_end());
        }
        match end(&mut self.child)? {
            End::Exited(status) if status.success() || !cfg!(unix) => Ok(()),
            End::Exited(status) => bail!("the emulator, asked to stop, ended with {status}\n{}", self.log().trim_end()),
            End::TooLong(limit) => {
                bail!("the emulator, asked to stop, went on for {} s and was killed", limit.as_secs())
            }
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Nothing can be done about a failure here, and after `stop` there is nothing left to do.
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

/// Ends the child if it has not ended: politely where the system knows how, then by force.
fn end(child: &mut Child) -> Result<End> {
    if child.try_wait()?.is_none() {
        if cfg!(unix) {
            // The shell's own `kill`: the program of that name is not on every machine.
            Command::new("sh").args(["-c", "kill -TERM \"$0\"", &child.id().to_string()]).status().ok();
        } else {
            child.kill().ok();
        }
    }
    process::wait(child, STOP_LIMIT)
}

//! Another process with its own client, which executes orders until it is killed or stopped.

use super::started::LONG;
use super::wire::Wire;
use super::{an_hour, own_process};
use arr_client::{
    ApiVersion, Client, ClientConfig, Result, Session, SessionId, StopScope, StoppedAll, WatchOptions, shut_down_all,
};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

pub(crate) struct Process {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

const JOURNAL: &str = "ARR_TEST_JOURNAL";
const VERSION: &str = "ARR_TEST_VERSION";
const SERVICE: &str = "ARR_TEST_SERVICE";
const TIMEOUT_MS: &str = "ARR_TEST_TIMEOUT_MS";

/// The other process. Does nothing when run alone.
#[test]
fn child_process() {
    let Ok(journal) = std::env::var(JOURNAL) else { return };
    let var = |name| std::env::var(name).unwrap();
    let account = arr_service::Account::development();
    let timeout = Duration::from_millis(var(TIMEOUT_MS).parse().unwrap());
    let config = ClientConfig {
        account_id: account.id().to_owned(),
        credential: arr_client::Credential::AccountKey(account.key().into()),
        account_domain: var(SERVICE),
        service_endpoint: var(SERVICE),
        api_version: if var(VERSION) == "v1" { ApiVersion::V1 } else { ApiVersion::V2021_01_01 },
        journal_folder: Some(Path::new(&journal).to_owned()),
        call_timeout: timeout,
        attempt_timeout: timeout,
        ..ClientConfig::default()
    };
    let client = Client::new(config.clone()).unwrap();
    println!("\nready");
    let mut session = None;
    // Also ends if the test that should kill it has died.
    for order in std::io::stdin().lines() {
        match order.unwrap().as_str() {
            "prepare" => session = said(prepare(&client, &config)),
            "create" => session = said(client.create_session(&an_hour()).run()),
            "create in the background" => {
                let create = client.create_session(&an_hour()).start().unwrap();
                create.wait(Duration::MAX);
                session = said(create.outcome());
            }
            "read" => done(session.as_ref().unwrap().properties().run()),
            "get a token" => done(client.access_token().run()),
            "stop all" => {
                let stopped = client.stop_all(StopScope::Account).run();
                done(stopped.and_then(StoppedAll::into_result));
            }
            "wait" => done(session.as_ref().unwrap().wait_until_ready().timeout(timeout).run()),
            "wait in the background" => {
                let wait = session.as_ref().unwrap().wait_until_ready().timeout(timeout).start().unwrap();
                wait.wait(Duration::MAX);
                done(wait.outcome());
            }
            order @ ("end" | "end all") => {
                session.as_ref().unwrap().watch(WatchOptions::default().stop_on_shutdown(true), 0).unwrap();
                done(if order == "end" { client.shut_down_within(timeout) } else { shut_down_all(timeout) });
            }
            _ => {
                session.take().unwrap().stop().run().unwrap();
                println!("done");
            }
        }
    }
}

/// A session that another client has created, because a create has only one attempt.
fn prepare(client: &Client, config: &ClientConfig) -> Result<Session> {
    let other = ClientConfig { journal_folder: None, attempt_timeout: LONG, ..config.clone() };
    let created = Client::new(other)?.create_session(&an_hour()).timeout(LONG).run()?;
    client.open_session(created.id()).timeout(LONG).run()
}

fn said(created: Result<Session>) -> Option<Session> {
    match &created {
        Ok(session) => println!("created {}", session.id()),
        Err(error) => println!("failed {error}"),
    }
    created.ok()
}

fn done<T>(outcome: Result<T>) {
    println!("{}", outcome.map_or_else(|error| format!("failed {error}"), |_| "done".to_owned()));
}

impl Process {
    /// Starts it, with this timeout for each of its calls.
    pub(crate) fn start(wire: &Wire, service: &str, journal: &Path, timeout: Duration) -> Process {
        let mut child = own_process::command(module_path!(), "child_process")
            .env(JOURNAL, journal)
            .env(VERSION, if wire.is_v1() { "v1" } else { "2021-01-01" })
            .env(SERVICE, service)
            .env(TIMEOUT_MS, timeout.as_millis().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (orders, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut process = Process { child, orders, answers };
        process.receive("ready");
        process
    }

    pub(crate) fn send(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
    }

    /// Waits for an answer that begins like this, and returns the rest of it.
    pub(crate) fn receive(&mut self, beginning: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.answers.read_line(&mut line).unwrap() > 0, "it ended before it printed {beginning}");
            assert!(!line.starts_with("failed"), "{line}");
            if let Some(rest) = line.trim_end().strip_prefix(beginning) {
                return rest.trim().to_owned();
            }
        }
    }

    /// Opens a session, regardless of the timeout, so that the next call needs no new token or HTTP client.
    pub(crate) fn prepare(&mut self) -> SessionId {
        self.send("prepare");
        SessionId::parse(&self.receive("created")).unwrap()
    }

    pub(crate) fn create(&mut self) -> SessionId {
        self.send("create");
        SessionId::parse(&self.receive("created")).unwrap()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Stops it like a debugger, until [`Process::thaw`].
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

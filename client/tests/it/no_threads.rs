//! A process that cannot start more threads. Root always can, so it runs as another user.

use crate::support::own_process::{Copy, NOBODY};
use crate::support::wire::{Wire, in_both_versions};
use crate::support::{SECOND, an_hour};
use arr_client::{ApiVersion, Client, ClientConfig, Credential, ErrorKind, WatchOptions};
use arr_service::{Account, Config, Emulator, Fault, SessionStatus};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

in_both_versions![stop_on_shutdown_works_without_new_threads, a_stop_that_hangs_does_not_keep_others_from_being_sent];

const SERVICE: &str = "ARR_TEST_SERVICE";
const VERSION: &str = "ARR_TEST_VERSION";
const SESSIONS: &str = "ARR_TEST_SESSIONS";
/// The time of a stop that hangs. No other request takes that long, however busy the machine is.
const ATTEMPT: Duration = Duration::from_secs(10);

/// The process. Does nothing when run alone.
#[test]
fn child_with_stop_on_shutdown() {
    let Ok(service) = std::env::var(SERVICE) else { return };
    let account = Account::development();
    let config = ClientConfig {
        account_id: account.id().to_owned(),
        credential: Credential::AccountKey(account.key().into()),
        account_domain: service.clone(),
        service_endpoint: service,
        api_version: if std::env::var(VERSION).unwrap() == "v1" { ApiVersion::V1 } else { ApiVersion::V2021_01_01 },
        attempt_timeout: ATTEMPT,
        ..ClientConfig::default()
    };
    let client = Client::new(config.clone()).unwrap();
    let session = client.create_session(&an_hour()).run().unwrap();
    session.watch(WatchOptions::default().stop_on_shutdown(true), 1).unwrap();
    let more = (1..std::env::var(SESSIONS).unwrap().parse().unwrap()).map(|label| {
        let session = client.create_session(&an_hour()).run().unwrap();
        session.watch(WatchOptions::default().stop_on_shutdown(true), label).unwrap();
        session
    });
    let _more: Vec<_> = more.collect();
    let other = Client::new(config).unwrap();
    let opened = other.open_session(session.id()).run().unwrap();
    println!("\nready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let unwatched = opened.watch(WatchOptions::default().stop_on_shutdown(true), 1).unwrap_err();
    assert_eq!(unwatched.kind(), ErrorKind::OutOfResources, "{unwatched}");
    other.shut_down_within(60 * SECOND).unwrap();
    let status = session.properties().run().unwrap().status;
    assert_ne!(
        status,
        arr_client::SessionStatus::Stopped,
        "a session that cannot be watched is not stopped at the end"
    );
    let refused = client.create_session(&an_hour()).run().unwrap_err();
    assert_eq!((refused.kind(), refused.is_outcome_unknown()), (ErrorKind::OutOfResources, false), "{refused}");
    println!("ended {:?}", client.shut_down_within(60 * SECOND));
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

fn stop_on_shutdown_works_without_new_threads(wire: &'static Wire) {
    let emulator = Emulator::start(Config::default()).unwrap();
    let Some(ended) = end_without_threads(wire, &emulator, 1, || ()) else { return };
    assert_eq!(ended, "ended Ok(())");
    let statuses: Vec<SessionStatus> = emulator.sessions().iter().map(|session| session.status).collect();
    assert_eq!(statuses, [SessionStatus::Stopped], "and no other session was created");
}

/// They are sent on one thread, one after another.
fn a_stop_that_hangs_does_not_keep_others_from_being_sent(wire: &'static Wire) {
    let emulator = Emulator::start(Config::default()).unwrap();
    let hang = || {
        let method = wire.stop.split(' ').next().unwrap();
        let path = format!("**{}**", emulator.sessions()[0].id);
        emulator.add_faults([Fault::on(method, &path).stall().always()]).unwrap();
    };
    let Some(ended) = end_without_threads(wire, &emulator, 3, hang) else { return };
    let statuses = || emulator.sessions().into_iter().map(|session| session.status);
    assert_eq!(statuses().filter(|status| *status == SessionStatus::Stopped).count(), 2, "{ended}");
    let running = emulator.sessions().into_iter().find(|session| session.status != SessionStatus::Stopped).unwrap();
    assert!(ended.contains("Network") && ended.contains(&running.id), "{ended}");
}

/// The last line of a process that ends its client with so many watched sessions once it can start no more threads.
fn end_without_threads(
    wire: &'static Wire,
    emulator: &Emulator,
    sessions: usize,
    before_the_end: impl FnOnce(),
) -> Option<String> {
    let program = Copy::new();
    let mut command = program.as_nobody(module_path!(), "child_with_stop_on_shutdown");
    command
        .env(SERVICE, emulator.url())
        .env(SESSIONS, sessions.to_string())
        .env(VERSION, if wire.is_v1() { "v1" } else { "2021-01-01" })
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let child = command.spawn();
    let Ok(mut child) = child else {
        assert!(std::env::var_os("CI").is_none(), "{child:?}");
        println!("skipped: only root may start a process of another user");
        return None;
    };
    let (mut orders, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    let mut answers = answers.lines().map(|line| line.unwrap());
    assert!(answers.any(|line| line == "ready"));
    let task = format!("/proc/{}/task", child.id());
    let threads = || -> Vec<String> {
        let tasks = fs::read_dir(&task).unwrap().flatten();
        tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok()).collect()
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    while threads().iter().any(|name| name.starts_with("arr-worker")) {
        assert!(Instant::now() < deadline, "idle threads end: {:?}", threads());
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut limit = Command::new("prlimit");
    limit.args(["--pid", &child.id().to_string(), "--nproc=1:1"]).uid(NOBODY).gid(NOBODY);
    assert!(limit.status().unwrap().success());

    before_the_end();
    writeln!(orders, "end").unwrap();
    let ended = answers.find(|line| line.starts_with("ended"));
    let left: Vec<String> =
        threads().into_iter().filter(|name| name.starts_with("arr-") || name.contains("reqwest")).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(left.is_empty(), "{left:?}");
    ended
}

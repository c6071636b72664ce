//! Many watched sessions need only one list, and many calls only a few connections.

use crate::support::paced::Lab;
use crate::support::wire::{Wire, in_both_versions, in_both_versions_in_own_processes};
use crate::support::{HOUR, SECOND};
use arr_client::{EventKind, OperationState, Session, SessionStatus, WatchOptions};
use std::collections::HashSet;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

in_both_versions_in_own_processes![a_thousand_watched_sessions_need_one_list_and_no_thread];
in_both_versions![calls_started_at_once_share_a_few_connections, calls_one_after_the_other_share_one_connection];

fn a_thousand_watched_sessions_need_one_list_and_no_thread(wire: &Wire) {
    for count in [100, 1_000] {
        watch_many(wire, count);
    }
}

fn watch_many(wire: &Wire, count: usize) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    // Starts the threads of both sides.
    lab.ready(HOUR).watch(WatchOptions::default(), 0).unwrap();
    lab.clock.pass(MINUTE);
    let sessions: Vec<Session> = (0..count).map(|_| lab.ready(24 * HOUR)).collect();
    lab.requests();
    let before = Usage::now();
    for (session, label) in sessions.iter().zip(1..) {
        session.watch(WatchOptions::default(), label).unwrap();
    }
    lab.clock.pass(10 * MINUTE);
    lab.requests();
    let mut after = Usage::now();
    // A thread that is about to end is still counted.
    let deadline = std::time::Instant::now() + MINUTE;
    while after.threads > before.threads + 1 && std::time::Instant::now() < deadline {
        std::thread::yield_now();
        after.threads = Usage::now().threads;
    }
    println!(
        "{:?}, {count} sessions: watching them takes {} KiB more; {} KiB and {} threads in all, the emulator's included",
        wire.version,
        after.resident_kib.saturating_sub(before.resident_kib),
        after.resident_kib,
        after.threads
    );
    assert!(after.threads <= before.threads + 1, "{before:?}, {after:?}");
    assert!(after.resident_kib < before.resident_kib + 8 * 1024, "{before:?}, {after:?}");

    // An hour with the larger number takes long in an unoptimised build.
    let minutes = if count > 100 { 2 } else { 60 };
    let sleeps = lab.clock.drivers_sleeps();
    assert_eq!(lab.pump(minutes * MINUTE, MINUTE), []);
    let sleeps = lab.clock.drivers_sleeps() - sleeps;
    assert!(sleeps <= 4 * u64::from(minutes), "two lists a minute, but {sleeps} wake-ups in {minutes} minutes");
    let requests = lab.requests();
    assert_eq!(requests, vec![wire.list; 2 * minutes as usize], "two lists a minute, and no single reads");

    let gone = &sessions[count / 2];
    lab.emulator.fail_session(gone.id().as_str(), "gone");
    lab.clock.pass(MINUTE);
    let events = lab.events();
    let reported: Vec<_> = events.iter().map(|event| (event.label.user_data, event.kind)).collect();
    assert_eq!(reported, [(count as u64 / 2 + 1, EventKind::StatusChanged)]);
    assert_eq!(gone.snapshot().status, SessionStatus::Error);
    let mut requests = lab.requests();
    requests.sort();
    let mut expected = [wire.list, wire.properties, wire.list];
    expected.sort_unstable();
    assert_eq!(requests, expected, "a session that is no longer listed is read");
    lab.clock.pass(10 * SECOND);
}

fn calls_started_at_once_share_a_few_connections(wire: &Wire) {
    const WORKERS: usize = 8;
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let sessions: Vec<Session> = (0..100).map(|_| lab.create(HOUR)).collect();
    let client = lab.another_client(wire.config());
    client.list_sessions().run().unwrap();
    lab.requests();
    let opens: Vec<_> = sessions.iter().map(|session| client.open_session(session.id()).start().unwrap()).collect();
    assert!(opens.iter().all(|open| open.wait(MINUTE) == OperationState::Succeeded));
    let requests = lab.emulator.requests();
    let connections: HashSet<_> = requests.iter().map(|request| request.connection).collect();
    assert_eq!(requests.len(), sessions.len());
    // Usually as many. A call that finds no connection makes one, but takes the first that is there. If that is one that
    // another call gives back, its own remains for later, and while those are still being made, the next calls find none
    // and make more: in theory one for each call that ends during the first handshakes.
    assert!(connections.len() <= 2 * WORKERS, "{} connections", connections.len());
    assert!(connections.len() >= 2, "they are sent concurrently");
}

/// Exactly one: the HTTP library's thread puts a connection back before it takes up the next request, also if the caller
/// has been faster.
fn calls_one_after_the_other_share_one_connection(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.create(HOUR);
    lab.requests();
    let client = lab.another_client(wire.config());
    for _ in 0..20 {
        client.list_sessions().run().unwrap();
        let opened = client.open_session(session.id()).run().unwrap();
        opened.properties().run().unwrap();
        assert_eq!(opened.properties().start().unwrap().wait(MINUTE), OperationState::Succeeded);
    }
    let requests = lab.emulator.requests();
    let connections: HashSet<_> = requests.iter().map(|request| request.connection).collect();
    assert!(requests.len() >= 80 && connections.len() == 1, "{} connections", connections.len());
}

#[derive(Clone, Copy, Debug)]
struct Usage {
    resident_kib: u64,
    threads: u64,
}

impl Usage {
    /// Zeros where the system does not say.
    fn now() -> Usage {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or_default()
        };
        Usage { resident_kib: number("VmRSS:"), threads: number("Threads:") }
    }
}

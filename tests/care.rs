//! Many sessions that are looked after, and the end of a client; under a clock that only the test moves. How one is watched
//! and kept alive is in `watching.rs` and `keep_alive.rs`, and what a sleep of the machine does in `away.rs`.

mod support;

use arr_emulator::SessionStatus as Emulated;
use arr_session::{Client, ErrorKind, OperationState, SessionStatus, WatchOptions};
use std::time::Duration;
use support::paced::Lab;
use support::wire::{Wire, in_both_versions};
use support::{HOUR, SECOND};

in_both_versions![a_hundred_sessions_cost_two_lists_a_minute, what_was_promised_for_the_end_is_kept,];

const MINUTE: Duration = Duration::from_secs(60);

fn watched(lab: &Lab, lease: Duration) -> arr_session::Session {
    let session = lab.ready(lease);
    session.watch(WatchOptions::default(), 7.into()).unwrap();
    session
}

fn a_hundred_sessions_cost_two_lists_a_minute(wire: &Wire) {
    for count in [100, 1_000] {
        let lab = Lab::with_startup(wire, Duration::ZERO);
        let sessions: Vec<_> = (0..count).map(|_| lab.ready(2 * HOUR)).collect();
        let (memory, threads) = cost();
        sessions.iter().for_each(|session| session.watch(WatchOptions::default(), 7.into()).unwrap());
        lab.requests();
        let minutes = if count > 100 { 5 } else { 60 };
        lab.pump(minutes * MINUTE, MINUTE);
        let (memory_after, threads_after) = cost();
        println!(
            "{count} watched sessions: {} kB and {threads_after} threads of the process, which is the emulator too; {} kB and \
             {} threads more than before they were watched",
            memory_after,
            memory_after.saturating_sub(memory),
            threads_after.saturating_sub(threads)
        );
        let asked = lab.requests();
        // A list is read page by page in one version.
        let lists = asked.iter().filter(|line| *line == wire.list).count();
        assert_eq!(lists, asked.len(), "no session is read singly: {asked:?}");
        let pages = if wire.is_v1() { 1 } else { lists.div_ceil(2 * minutes as usize) };
        assert!(lists <= 2 * minutes as usize * pages, "{lists} lists in {minutes} minutes");
        // One that leaves the list is asked what became of it.
        lab.emulator.set_session_status(sessions[7].id().as_str(), Emulated::Stopped, None).unwrap();
        lab.clock.pass(31 * SECOND);
        assert_eq!(lab.requests().iter().filter(|line| *line == wire.properties).count(), 1);
        assert_eq!(sessions[7].snapshot().status, SessionStatus::Stopped);
    }
}

/// Resident memory in kB, and threads, of this process.
fn cost() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let number = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default()
    };
    (number("VmRSS:"), number("Threads:"))
}

fn what_was_promised_for_the_end_is_kept(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let (promised, other) = (lab.ready(HOUR), watched(&lab, HOUR));
    promised.watch(WatchOptions { stop_on_shutdown: true, ..WatchOptions::default() }, 1.into()).unwrap();
    let waiting = promised.properties_start(None, 3.into()).unwrap();
    waiting.wait(MINUTE);
    lab.client.shut_down_within(MINUTE).unwrap();
    let left: Vec<_> =
        lab.emulator.sessions().into_iter().filter(|session| session.status == Emulated::Ready).collect();
    assert_eq!(left.iter().map(|session| session.id.as_str()).collect::<Vec<_>>(), [other.id().as_str()]);
    assert_eq!(waiting.state(), OperationState::Succeeded);
    assert_eq!(rest(&lab.client).last(), Some(&ErrorKind::ShutDown), "what is queued is delivered, then the end");
}

/// Pulls to the end.
fn rest(client: &Client) -> Vec<ErrorKind> {
    loop {
        match client.next_event(Duration::ZERO) {
            Ok(Some(_)) => {}
            Ok(None) => return Vec::new(),
            Err(error) => return vec![error.kind()],
        }
    }
}

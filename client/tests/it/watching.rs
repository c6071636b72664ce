//! Watched sessions: their events, their snapshots, and the requests for them.

use crate::support::paced::Lab;
use crate::support::wire::{Asked, TOKEN, Wire, in_both_versions};
use crate::support::{HOUR, SECOND};
use arr_client::{ClientConfig, ErrorKind, EventKind, Lease, SessionStatus, WatchOptions};
use arr_service::{Config, SessionStatus as Emulated};
use std::time::Duration;

in_both_versions![
    each_status_change_is_reported_once,
    the_end_of_a_lease_is_reported_at_the_right_second,
    the_end_of_an_opened_session_is_known_within_a_poll_interval,
    the_warning_can_be_turned_off,
    a_failure_is_reported_with_the_current_snapshot,
    a_change_found_by_the_applications_calls_is_reported_once,
    nothing_is_reported_after_unwatching,
    nothing_is_reported_once_the_handle_is_dropped,
    watching_belongs_to_the_handle_that_requested_it,
    a_session_unknown_to_the_service_has_ended,
    a_snapshot_counts_down_between_polls_and_sends_nothing,
    the_snapshot_of_an_unwatched_session_ages,
    a_watched_session_is_read_only_at_the_poll_intervals,
    failing_lists_and_their_recovery_are_reported,
    failing_reads_of_a_starting_session_are_reported,
    with_a_long_poll_interval_failing_reads_are_reported_after_two,
    reads_failing_for_less_than_a_minute_are_not_reported,
    a_recovery_event_is_retracted_if_reads_fail_again,
    a_start_of_fifteen_minutes_is_reported_once,
    a_long_start_is_reported_only_if_a_read_confirms_it,
];

const MINUTE: Duration = Duration::from_secs(60);

fn watch() -> WatchOptions {
    WatchOptions::default()
}

fn each_status_change_is_reported_once(wire: &Wire) {
    let lab = Lab::with_startup(wire, 25 * SECOND);
    let session = lab.create(HOUR);
    session.watch(watch(), 7).unwrap();
    let reported = lab.pump(2 * HOUR, SECOND);
    // v1 reports seconds of the lease; 2021-01-01 whole minutes, so the end is known only to the poll interval.
    let ready = if wire.is_v1() { 25 * SECOND } else { 30 * SECOND };
    let expected = [
        (30 * SECOND, EventKind::StatusChanged),
        (55 * MINUTE + ready, EventKind::LeaseExpiring),
        (HOUR + ready, EventKind::StatusChanged),
    ];
    assert_eq!(reported, expected);
    assert_eq!(session.snapshot().status, SessionStatus::Expired);
}

fn the_end_of_a_lease_is_reported_at_the_right_second(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(watch().warn_before(123 * SECOND), 0).unwrap();
    let reported = lab.pump(2 * HOUR, SECOND);
    assert_eq!(reported, [(HOUR - 123 * SECOND, EventKind::LeaseExpiring), (HOUR, EventKind::StatusChanged)]);

    // There is one warning per lease.
    let session = lab.ready(HOUR);
    session.watch(watch(), 0).unwrap();
    assert_eq!(lab.pump(56 * MINUTE, MINUTE), [(55 * MINUTE, EventKind::LeaseExpiring)]);
    session.update_lease(Lease::new(2 * HOUR).unwrap()).run().unwrap();
    let reported = lab.pump(70 * MINUTE, MINUTE);
    assert_eq!(reported, [(59 * MINUTE, EventKind::LeaseExpiring), (64 * MINUTE, EventKind::StatusChanged)]);
}

fn the_end_of_an_opened_session_is_known_within_a_poll_interval(wire: &Wire) {
    let lab = Lab::with_startup(wire, 17 * SECOND);
    let id = lab.create(HOUR).id().clone();
    lab.clock.jump(20 * MINUTE + 13 * SECOND);
    let session = lab.client.open_session(&id).run().unwrap();
    session.watch(watch(), 0).unwrap();
    let begun = lab.clock.time();
    let reported = lab.pump(HOUR, SECOND);
    let kinds: Vec<EventKind> = reported.iter().map(|(_, kind)| *kind).collect();
    assert_eq!(kinds, [EventKind::LeaseExpiring, EventKind::StatusChanged]);
    let late = |index: usize, due: Duration| begun + reported[index].0 - due;
    let interval = if wire.is_v1() { Duration::ZERO } else { 30 * SECOND };
    assert!(late(0, 55 * MINUTE + 17 * SECOND) <= interval, "{reported:?}");
    assert!(late(1, 60 * MINUTE + 17 * SECOND) <= interval, "{reported:?}");
}

fn the_warning_can_be_turned_off(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(watch().warn_before(Duration::ZERO), 0).unwrap();
    assert_eq!(lab.pump(2 * HOUR, MINUTE), [(HOUR, EventKind::StatusChanged)]);
}

fn a_failure_is_reported_with_the_current_snapshot(wire: &Wire) {
    let lab = Lab::with_startup(wire, MINUTE);
    let session = lab.create(HOUR);
    session.watch(watch(), 9).unwrap();
    lab.clock.pass(15 * SECOND);
    lab.emulator.fail_session(session.id().as_str(), "no server was free");
    lab.clock.pass(HOUR);
    let events = lab.events();
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!((event.kind, event.label.user_data), (EventKind::StatusChanged, 9));
    assert_eq!(event.session.as_ref(), Some(session.id()));
    assert_eq!(event.snapshot.as_ref().unwrap().status, SessionStatus::Error);
    assert_eq!(session.known_properties().message.as_deref(), Some("no server was free"));
}

fn a_change_found_by_the_applications_calls_is_reported_once(wire: &Wire) {
    let lab = Lab::with_startup(wire, 5 * SECOND);
    let session = lab.create(HOUR);
    session.watch(watch(), 0).unwrap();
    lab.clock.pass(5 * SECOND);
    assert_eq!(session.properties().run().unwrap().status, SessionStatus::Ready);
    assert_eq!(lab.kinds(), [EventKind::StatusChanged]);
    lab.clock.pass(5 * MINUTE);
    assert_eq!(lab.kinds(), []);
    session.stop().run().unwrap();
    lab.clock.settle();
    assert_eq!(lab.kinds(), [EventKind::StatusChanged], "one event, because the stopping session was read at once");
    assert_eq!(session.snapshot().status, SessionStatus::Stopped);
    lab.clock.pass(HOUR);
    assert_eq!(lab.kinds(), []);

    let failed = lab.ready_after(5 * SECOND);
    failed.watch(watch(), 0).unwrap();
    lab.emulator.fail_session(failed.id().as_str(), "gone");
    assert_eq!(
        failed.wait_until_ready().timeout(Duration::ZERO).run().map(|session| session.status).ok(),
        Some(SessionStatus::Ready)
    );
    assert_eq!(failed.properties().run().unwrap().status, SessionStatus::Error);
    assert_eq!(lab.kinds(), [EventKind::StatusChanged], "at once");
    lab.clock.pass(HOUR);
    assert_eq!(lab.kinds(), []);
}

impl Lab {
    fn ready_after(&self, startup: Duration) -> arr_client::Session {
        let session = self.create(HOUR);
        self.clock.jump(startup);
        session.properties().run().unwrap();
        session
    }
}

fn nothing_is_reported_after_unwatching(wire: &Wire) {
    let lab = Lab::with_startup(wire, 5 * SECOND);
    let session = lab.create(HOUR);
    session.watch(watch(), 0).unwrap();
    lab.clock.pass(MINUTE);
    session.unwatch();
    lab.requests();
    assert_eq!(lab.pump(2 * HOUR, MINUTE), [], "not even queued events");
    assert!(lab.requests().is_empty());
    session.watch(watch(), 0).unwrap();
    lab.clock.pass(MINUTE);
    assert_eq!(lab.kinds(), [EventKind::StatusChanged], "watched again, it is found to have expired");
}

fn nothing_is_reported_once_the_handle_is_dropped(wire: &Wire) {
    let lab = Lab::with_startup(wire, 5 * SECOND);
    let (gone, stays) = (lab.create(HOUR), lab.create(HOUR));
    gone.watch(watch(), 1).unwrap();
    stays.watch(watch(), 2).unwrap();
    lab.clock.pass(MINUTE);
    drop(gone);
    lab.clock.pass(2 * HOUR);
    let labels: Vec<u64> = lab.events().iter().map(|event| event.label.user_data).collect();
    assert_eq!(labels, [2, 2], "its status, and the end of its lease");
    assert_eq!(stays.snapshot().status, SessionStatus::Expired);
}

fn watching_belongs_to_the_handle_that_requested_it(wire: &Wire) {
    let lab = Lab::with_startup(wire, 5 * SECOND);
    let first = lab.create(HOUR);
    let second = first.clone();
    first.watch(watch(), 1).unwrap();
    let keep = Some(arr_client::KeepAlive::until(2 * HOUR));
    assert_eq!(second.keep_alive(keep).unwrap_err().kind(), ErrorKind::InvalidArgument);
    second.unwatch();
    drop(second);
    lab.clock.pass(MINUTE);
    assert_eq!(lab.kinds(), [EventKind::StatusChanged]);

    let second = lab.client.open_session(first.id()).run().unwrap();
    second.watch(watch(), 2).unwrap();
    first.unwatch();
    drop(first);
    lab.clock.pass(2 * HOUR);
    let events = lab.events();
    assert_eq!(events.iter().map(|event| event.label.user_data).collect::<Vec<_>>(), [2, 2]);
    drop(second);
}

/// The service forgets sessions 30 days after their end.
fn a_session_unknown_to_the_service_has_ended(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    lab.clock.jump(40 * 24 * HOUR);
    session.watch(watch(), 0).unwrap();
    lab.clock.pass(MINUTE);
    assert_eq!((lab.kinds(), session.snapshot().status), (vec![EventKind::StatusChanged], SessionStatus::Stopped));
}

fn a_snapshot_counts_down_between_polls_and_sends_nothing(wire: &Wire) {
    let lab = Lab::with_startup(wire, 25 * SECOND);
    let session = lab.create(HOUR);
    session.watch(watch(), 0).unwrap();
    lab.clock.settle();
    let starting = session.snapshot();
    assert_eq!((starting.status.clone(), starting.remaining), (SessionStatus::Starting, HOUR));
    lab.clock.pass(30 * SECOND);
    let ready = session.snapshot();
    assert_eq!(ready.status, SessionStatus::Ready);
    assert!(ready.revision > starting.revision && ready.handshake_port.is_some() && ready.arr_inspector_port.is_some());
    let used = if wire.is_v1() { 5 * SECOND } else { Duration::ZERO };
    assert_eq!((ready.elapsed, ready.remaining, ready.age), (used, HOUR - used, Duration::ZERO));
    lab.requests();
    lab.clock.pass(29 * SECOND);
    let later = session.snapshot();
    assert_eq!((later.age, later.remaining), (29 * SECOND, HOUR - used - 29 * SECOND));
    assert_eq!((later.elapsed, later.revision), (used + 29 * SECOND, ready.revision));
    assert!(lab.requests().is_empty());
    lab.clock.pass(10 * MINUTE);
    let later = session.snapshot();
    assert_eq!(later.revision, ready.revision, "only the time has changed");
    let exact = HOUR - (lab.clock.time() - 25 * SECOND);
    let off = later.remaining - exact;
    assert!(off <= if wire.is_v1() { Duration::ZERO } else { 30 * SECOND }, "{off:?}");
    session.update_lease(Lease::new(2 * HOUR).unwrap()).run().unwrap();
    let extended = session.snapshot();
    assert_eq!((extended.revision, extended.remaining), (ready.revision + 1, later.remaining + HOUR));
    lab.clock.pass(MINUTE);
    assert_eq!(session.snapshot().revision, extended.revision);
    session.stop().run().unwrap();
    lab.clock.pass(MINUTE);
    let ended = session.snapshot();
    assert_eq!(ended.status, SessionStatus::Stopped);
    assert!(ended.revision > extended.revision);
    lab.clock.pass(HOUR);
    assert_eq!(session.snapshot().elapsed, ended.elapsed, "its lease no longer runs");
}

fn the_snapshot_of_an_unwatched_session_ages(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    lab.requests();
    lab.clock.jump(40 * MINUTE);
    let snapshot = session.snapshot();
    assert_eq!((snapshot.age, snapshot.remaining), (40 * MINUTE, 20 * MINUTE));
    lab.clock.jump(HOUR);
    let snapshot = session.snapshot();
    assert_eq!((snapshot.status, snapshot.remaining), (SessionStatus::Ready, Duration::ZERO), "as last reported");
    assert!(lab.requests().is_empty());
}

fn a_watched_session_is_read_only_at_the_poll_intervals(wire: &Wire) {
    let config = Config { startup: 25 * SECOND, stopping: 15 * SECOND, ..Config::default() };
    let lab = Lab::new(config, wire.config());
    let session = lab.create(HOUR);
    session.watch(watch(), 0).unwrap();
    lab.clock.pass(30 * SECOND + 5 * MINUTE);
    let expected = [&[TOKEN, wire.create][..], &[wire.properties; 3], &[wire.list; 10]].concat();
    assert_eq!(lab.requests(), expected);
    session.stop().run().unwrap();
    assert_eq!(lab.emulator.sessions()[0].status, Emulated::Stopping);
    lab.clock.pass(HOUR);
    let requests = lab.requests();
    assert_eq!(requests[0], wire.stop);
    assert!(requests[1..].iter().all(|line| line == wire.properties) && requests.len() <= 4, "{requests:?}");
    assert_eq!(session.snapshot().status, SessionStatus::Stopped);
}

/// A lab without retries, so that each read fails at once.
fn lab_without_retries(wire: &Wire, startup: Duration) -> Lab {
    Lab::new(Config { startup, ..Config::default() }, ClientConfig { max_retries: 0, ..wire.config() })
}

fn failing_lists_and_their_recovery_are_reported(wire: &Wire) {
    let lab = lab_without_retries(wire, Duration::ZERO);
    let sessions = [lab.ready(HOUR), lab.ready(HOUR)];
    for (label, session) in (1..).zip(&sessions) {
        session.watch(watch(), label).unwrap();
    }
    lab.emulator.add_faults([wire.on(Asked::List).always().status(503)]).unwrap();
    assert_eq!(lab.pump(90 * SECOND - SECOND, SECOND), [], "the first list failed after 30 s");
    lab.clock.pass(SECOND);
    let events = lab.events();
    let reported: Vec<_> = events.iter().map(|event| (event.label.user_data, event.kind, event.error)).collect();
    let failing = |label: u64| (label, EventKind::ReadsFailing, Some(ErrorKind::ServiceFailure));
    assert_eq!(reported, [failing(1), failing(2)]);
    assert_eq!(events[0].session.as_ref(), Some(sessions[0].id()));
    assert_eq!(events[0].snapshot.as_ref().map(|now| now.age), Some(90 * SECOND));
    assert_eq!(lab.pump(10 * MINUTE, SECOND), [], "it is reported once");
    lab.emulator.clear_faults();
    assert_eq!(lab.pump(10 * MINUTE, SECOND), [(30 * SECOND, EventKind::ReadsRecovered); 2]);
}

fn failing_reads_of_a_starting_session_are_reported(wire: &Wire) {
    let lab = lab_without_retries(wire, 3 * MINUTE);
    let session = lab.create(HOUR);
    session.watch(watch(), 0).unwrap();
    lab.emulator.add_faults([wire.on(Asked::Read).always().status(403)]).unwrap();
    assert_eq!(
        lab.pump(2 * MINUTE, SECOND),
        [(70 * SECOND, EventKind::ReadsFailing)],
        "the first read failed after 10 s"
    );
    lab.emulator.clear_faults();
    let expected = [(10 * SECOND, EventKind::ReadsRecovered), (MINUTE, EventKind::StatusChanged)];
    assert_eq!(lab.pump(2 * MINUTE, SECOND), expected);
}

fn with_a_long_poll_interval_failing_reads_are_reported_after_two(wire: &Wire) {
    let config = wire.config().max_retries(0).ready_poll_interval(5 * MINUTE);
    let lab = Lab::new(Config { startup: Duration::ZERO, ..Config::default() }, config);
    let session = lab.ready(HOUR);
    session.watch(watch(), 0).unwrap();
    lab.emulator.add_faults([wire.on(Asked::List).always().status(503)]).unwrap();
    assert_eq!(lab.pump(20 * MINUTE, SECOND), [(15 * MINUTE, EventKind::ReadsFailing)]);
}

fn reads_failing_for_less_than_a_minute_are_not_reported(wire: &Wire) {
    let lab = lab_without_retries(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(watch(), 0).unwrap();
    for _ in 0..5 {
        lab.emulator.add_faults([wire.on(Asked::List).times(2).status(503)]).unwrap();
        assert_eq!(lab.pump(2 * MINUTE, SECOND), []);
    }
    // The application's own reads count too.
    lab.emulator.add_faults([wire.on(Asked::List).always().status(503)]).unwrap();
    for _ in 0..5 {
        assert_eq!(lab.pump(MINUTE, SECOND), []);
        session.properties().run().unwrap();
    }
}

fn a_recovery_event_is_retracted_if_reads_fail_again(wire: &Wire) {
    let lab = lab_without_retries(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(watch(), 0).unwrap();
    for _ in 0..2 {
        lab.emulator.add_faults([wire.on(Asked::List).times(4).status(503)]).unwrap();
        lab.clock.pass(3 * MINUTE);
    }
    assert_eq!(lab.kinds(), [EventKind::ReadsFailing, EventKind::ReadsRecovered]);
    for times in [4, 0] {
        lab.emulator.add_faults([wire.on(Asked::List).times(times).status(503)]).unwrap();
        lab.clock.pass(3 * MINUTE);
    }
    assert_eq!(lab.kinds(), [EventKind::ReadsFailing]);
}

fn a_start_of_fifteen_minutes_is_reported_once(wire: &Wire) {
    let lab = Lab::with_startup(wire, 40 * MINUTE);
    let session = lab.create(HOUR);
    session.watch(watch(), 7).unwrap();
    assert_eq!(lab.pump(15 * MINUTE - SECOND, SECOND), []);
    assert_eq!(session.snapshot().starting_for, 15 * MINUTE - SECOND);
    lab.clock.pass(SECOND);
    let events = lab.events();
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!((event.kind, event.label.user_data), (EventKind::StartingLong, 7));
    assert_eq!(event.snapshot.as_ref().map(|now| now.starting_for), Some(15 * MINUTE));
    assert_eq!(lab.pump(HOUR, SECOND), [(25 * MINUTE, EventKind::StatusChanged)]);
    assert_eq!(session.snapshot().starting_for, Duration::ZERO);

    drop(session);
    let late = lab.create(HOUR);
    lab.clock.pass(20 * MINUTE);
    late.watch(watch(), 0).unwrap();
    lab.clock.pass(10 * SECOND);
    assert_eq!(lab.kinds(), [EventKind::StartingLong], "also if it is watched late");
    late.watch(watch(), 0).unwrap();
    lab.clock.pass(MINUTE);
    assert_eq!(lab.kinds(), []);
}

fn a_long_start_is_reported_only_if_a_read_confirms_it(wire: &Wire) {
    let lab = Lab::with_startup(wire, 10 * MINUTE);
    let session = lab.create(HOUR);
    lab.clock.jump(20 * MINUTE);
    session.watch(watch(), 0).unwrap();
    lab.clock.pass(MINUTE);
    assert_eq!(lab.kinds(), [EventKind::StatusChanged], "it has been ready for a long time");

    let session = lab.create(HOUR);
    session.watch(watch(), 0).unwrap();
    lab.emulator.add_faults([wire.on(Asked::Read).always().status(503)]).unwrap();
    lab.clock.pass(20 * MINUTE);
    assert_eq!((lab.kinds(), session.snapshot().starting_for), (vec![EventKind::ReadsFailing], 20 * MINUTE));
}

//! Sessions that are watched: what is told of them, what is known of them, and what that costs.

use crate::support::paced::Lab;
use crate::support::wire::{TOKEN, Wire, in_both_versions};
use crate::support::{HOUR, SECOND};
use arr_client::{ErrorKind, EventKind, Lease, SessionStatus, WatchOptions};
use arr_service::{Config, SessionStatus as Emulated};
use std::time::Duration;

in_both_versions![
    changes_of_status_are_told_once_each,
    the_end_of_a_lease_is_told_at_the_right_second,
    of_a_session_that_was_opened_in_its_middle_the_end_is_known_to_the_poll_interval,
    an_application_that_wants_no_warning_gets_none,
    a_failure_is_told_with_the_session_as_it_is,
    what_the_applications_own_calls_found_is_told_once,
    nothing_is_told_after_unwatching,
    nothing_is_told_of_a_session_whose_handle_is_gone,
    watching_belongs_to_the_handle_that_asked_for_it,
    a_session_that_the_service_forgot_has_ended,
    a_snapshot_counts_down_between_polls_and_asks_nothing,
    a_snapshot_of_a_session_that_is_not_watched_grows_old,
    a_watched_session_is_read_at_the_poll_intervals_and_no_oftener,
];

const MINUTE: Duration = Duration::from_secs(60);

fn watch() -> WatchOptions {
    WatchOptions::default()
}

fn changes_of_status_are_told_once_each(wire: &Wire) {
    let lab = Lab::with_startup(wire, 25 * SECOND);
    let session = lab.create(HOUR);
    session.watch(watch(), 7).unwrap();
    let told = lab.pump(2 * HOUR, SECOND);
    // One version tells the seconds of a lease; the other whole minutes, so it is known to the poll interval.
    let ready = if wire.is_v1() { 25 * SECOND } else { 30 * SECOND };
    let expected = [
        (30 * SECOND, EventKind::StatusChanged),
        (55 * MINUTE + ready, EventKind::LeaseExpiring),
        (HOUR + ready, EventKind::StatusChanged),
    ];
    assert_eq!(told, expected);
    assert_eq!(session.snapshot().status, SessionStatus::Expired);
}

fn the_end_of_a_lease_is_told_at_the_right_second(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(watch().warn_before(123 * SECOND), 0).unwrap();
    let told = lab.pump(2 * HOUR, SECOND);
    assert_eq!(told, [(HOUR - 123 * SECOND, EventKind::LeaseExpiring), (HOUR, EventKind::StatusChanged)]);

    // Each lease is warned of once.
    let session = lab.ready(HOUR);
    session.watch(watch(), 0).unwrap();
    assert_eq!(lab.pump(56 * MINUTE, MINUTE), [(55 * MINUTE, EventKind::LeaseExpiring)]);
    session.update_lease(Lease::new(2 * HOUR).unwrap()).run().unwrap();
    let told = lab.pump(70 * MINUTE, MINUTE);
    assert_eq!(told, [(59 * MINUTE, EventKind::LeaseExpiring), (64 * MINUTE, EventKind::StatusChanged)]);
}

fn of_a_session_that_was_opened_in_its_middle_the_end_is_known_to_the_poll_interval(wire: &Wire) {
    let lab = Lab::with_startup(wire, 17 * SECOND);
    let id = lab.create(HOUR).id().clone();
    lab.clock.jump(20 * MINUTE + 13 * SECOND);
    let session = lab.client.open_session(&id).run().unwrap();
    session.watch(watch(), 0).unwrap();
    let begun = lab.clock.time();
    let told = lab.pump(HOUR, SECOND);
    let kinds: Vec<EventKind> = told.iter().map(|(_, kind)| *kind).collect();
    assert_eq!(kinds, [EventKind::LeaseExpiring, EventKind::StatusChanged]);
    let late = |index: usize, due: Duration| begun + told[index].0 - due;
    let interval = if wire.is_v1() { Duration::ZERO } else { 30 * SECOND };
    assert!(late(0, 55 * MINUTE + 17 * SECOND) <= interval, "{told:?}");
    assert!(late(1, 60 * MINUTE + 17 * SECOND) <= interval, "{told:?}");
}

fn an_application_that_wants_no_warning_gets_none(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(watch().warn_before(Duration::ZERO), 0).unwrap();
    assert_eq!(lab.pump(2 * HOUR, MINUTE), [(HOUR, EventKind::StatusChanged)]);
}

fn a_failure_is_told_with_the_session_as_it_is(wire: &Wire) {
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

fn what_the_applications_own_calls_found_is_told_once(wire: &Wire) {
    let lab = Lab::with_startup(wire, 5 * SECOND);
    let session = lab.create(HOUR);
    session.watch(watch(), 0).unwrap();
    lab.clock.pass(5 * SECOND);
    assert_eq!(session.properties().run().unwrap().status, SessionStatus::Ready);
    assert_eq!(lab.told(), [EventKind::StatusChanged]);
    lab.clock.pass(5 * MINUTE);
    assert_eq!(lab.told(), []);
    session.stop().run().unwrap();
    lab.clock.settle();
    assert_eq!(lab.told(), [EventKind::StatusChanged], "it was stopping in between, and was read at once");
    assert_eq!(session.snapshot().status, SessionStatus::Stopped);
    lab.clock.pass(HOUR);
    assert_eq!(lab.told(), []);

    let failed = lab.ready_after(5 * SECOND);
    failed.watch(watch(), 0).unwrap();
    lab.emulator.fail_session(failed.id().as_str(), "gone");
    assert_eq!(
        failed.wait_until_ready().timeout(Duration::ZERO).run().map(|session| session.status).ok(),
        Some(SessionStatus::Ready)
    );
    assert_eq!(failed.properties().run().unwrap().status, SessionStatus::Error);
    assert_eq!(lab.told(), [EventKind::StatusChanged], "at once");
    lab.clock.pass(HOUR);
    assert_eq!(lab.told(), []);
}

impl Lab {
    fn ready_after(&self, startup: Duration) -> arr_client::Session {
        let session = self.create(HOUR);
        self.clock.jump(startup);
        session.properties().run().unwrap();
        session
    }
}

fn nothing_is_told_after_unwatching(wire: &Wire) {
    let lab = Lab::with_startup(wire, 5 * SECOND);
    let session = lab.create(HOUR);
    session.watch(watch(), 0).unwrap();
    lab.clock.pass(MINUTE);
    session.unwatch();
    lab.requests();
    assert_eq!(lab.pump(2 * HOUR, MINUTE), [], "not even what was queued");
    assert!(lab.requests().is_empty());
    session.watch(watch(), 0).unwrap();
    lab.clock.pass(MINUTE);
    assert_eq!(lab.told(), [EventKind::StatusChanged], "watched again, it is found to have expired");
}

fn nothing_is_told_of_a_session_whose_handle_is_gone(wire: &Wire) {
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

fn watching_belongs_to_the_handle_that_asked_for_it(wire: &Wire) {
    let lab = Lab::with_startup(wire, 5 * SECOND);
    let first = lab.create(HOUR);
    let second = first.clone();
    first.watch(watch(), 1).unwrap();
    let keep = Some(arr_client::KeepAlive::until(2 * HOUR));
    assert_eq!(second.keep_alive(keep).unwrap_err().kind(), ErrorKind::InvalidArgument);
    second.unwatch();
    drop(second);
    lab.clock.pass(MINUTE);
    assert_eq!(lab.told(), [EventKind::StatusChanged]);

    let second = lab.client.open_session(first.id()).run().unwrap();
    second.watch(watch(), 2).unwrap();
    first.unwatch();
    drop(first);
    lab.clock.pass(2 * HOUR);
    let events = lab.events();
    assert_eq!(events.iter().map(|event| event.label.user_data).collect::<Vec<_>>(), [2, 2]);
    drop(second);
}

/// It forgets sessions 30 days after their end.
fn a_session_that_the_service_forgot_has_ended(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    lab.clock.jump(40 * 24 * HOUR);
    session.watch(watch(), 0).unwrap();
    lab.clock.pass(MINUTE);
    assert_eq!((lab.told(), session.snapshot().status), (vec![EventKind::StatusChanged], SessionStatus::Stopped));
}

fn a_snapshot_counts_down_between_polls_and_asks_nothing(wire: &Wire) {
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
    assert_eq!(later.revision, ready.revision, "nothing but the time has changed");
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
    assert_eq!(session.snapshot().elapsed, ended.elapsed, "its lease does not run any more");
}

fn a_snapshot_of_a_session_that_is_not_watched_grows_old(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    lab.requests();
    lab.clock.jump(40 * MINUTE);
    let snapshot = session.snapshot();
    assert_eq!((snapshot.age, snapshot.remaining), (40 * MINUTE, 20 * MINUTE));
    lab.clock.jump(HOUR);
    let snapshot = session.snapshot();
    assert_eq!((snapshot.status, snapshot.remaining), (SessionStatus::Ready, Duration::ZERO), "as it was told last");
    assert!(lab.requests().is_empty());
}

fn a_watched_session_is_read_at_the_poll_intervals_and_no_oftener(wire: &Wire) {
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

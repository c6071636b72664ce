//! Sessions that look after themselves: watched and kept alive by the client's own thread.

mod support;

use arr_session::{EventKind, KeepAlive, SessionStatus, WatchOptions};
use std::time::Duration;
use support::paced::Lab;
use support::wire::{Wire, in_both_versions};
use support::{HOUR, SECOND};

in_both_versions![changes_of_status_are_told_once_each, a_session_that_is_kept_alive_lives_exactly_until_its_cap,];

const MINUTE: Duration = Duration::from_secs(60);

fn changes_of_status_are_told_once_each(wire: &Wire) {
    let lab = Lab::with_startup(wire, 25 * SECOND);
    let session = lab.create(HOUR);
    session.watch(WatchOptions::default(), 7.into()).unwrap();
    let told = lab.pump(2 * HOUR, SECOND);
    // One version tells the seconds of a lease; the other whole minutes, so it is known to the poll interval.
    let at = if wire.is_v1() { 25 * SECOND } else { 30 * SECOND };
    let expected = [
        (30 * SECOND, EventKind::StatusChanged),
        (55 * MINUTE + at, EventKind::LeaseExpiring),
        (HOUR + at, EventKind::StatusChanged),
    ];
    assert_eq!(told, expected);
    assert_eq!(session.snapshot().status, SessionStatus::Expired);
}

fn a_session_that_is_kept_alive_lives_exactly_until_its_cap(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 7.into()).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    let told = lab.pump(7 * HOUR, MINUTE);
    println!("{told:?}");
}

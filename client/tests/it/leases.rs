//! Leases that the service does not report, and those whose update is lost.

use crate::support::journal::JournalWorld as World;
use crate::support::paced::Paced;
use crate::support::scripted::{Act, Scripted, reply};
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, an_hour};
use arr_client::{ClientConfig, ErrorKind, EventKind, KeepAlive, Lease, WatchOptions};
use std::sync::Arc;
use std::time::Duration;

in_both_versions![
    a_lease_that_the_service_leaves_out_is_the_requested_one,
    a_lease_that_is_never_reported_cannot_be_extended,
    a_longer_lease_is_recorded_even_if_its_update_was_lost,
];

/// Reports nothing but the status.
fn without_lease(wire: &'static Wire) -> Scripted {
    let body = if wire.is_v1() { r#"{"sessionStatus":"Ready"}"# } else { r#"{"status":"Ready"}"# };
    Scripted::by(move |line| match wire.act_of(line) {
        Asked::Read => Act::Answer(reply("200 OK", "", body)),
        Asked::List => {
            let id = super::support::wire::ID;
            let entry = format!(r#"{{"id":"{id}","status":"Ready","sessionId":"{id}","sessionStatus":"Ready"}}"#);
            Act::Answer(reply("200 OK", "", &format!(r#"{{"sessions":[{entry}]}}"#)))
        }
        Asked::Update => Act::Answer(reply("200 OK", "", if wire.is_v1() { "" } else { body })),
        _ => Act::Answer(wire.good(line)),
    })
}

fn a_lease_that_the_service_leaves_out_is_the_requested_one(wire: &'static Wire) {
    let (server, clock) = (without_lease(wire), Arc::new(Paced::default()));
    let client = server.client_with_clock(clock.clone(), wire.config());
    let session = client.create_session(&an_hour()).run().unwrap();
    session.watch(WatchOptions::default(), 0).unwrap();
    clock.pass(11 * SECOND);
    assert_eq!(session.known_properties().max_lease, Some(HOUR));
    clock.pass(10 * 60 * SECOND);
    assert_eq!(session.snapshot().remaining, HOUR - 601 * SECOND, "ready after 10 s");
    session.keep_alive(Some(KeepAlive::until(2 * HOUR).liveness(None))).unwrap();
    clock.pass(44 * 60 * SECOND);
    assert!(!server.seen().iter().any(|line| line == wire.update));
    clock.pass(2 * 60 * SECOND);
    assert!(server.seen().iter().any(|line| line == wire.update), "less than 5 minutes are left");
}

fn a_lease_that_is_never_reported_cannot_be_extended(wire: &'static Wire) {
    let (server, clock) = (without_lease(wire), Arc::new(Paced::default()));
    let client = server.client_with_clock(clock.clone(), wire.config());
    let session = client.open_session(&super::support::wire::ID.parse().unwrap()).run().unwrap();
    session.watch(WatchOptions::default(), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(2 * HOUR))).unwrap();
    clock.pass(100 * SECOND);
    let events: Vec<_> = std::iter::from_fn(|| client.next_event(Duration::ZERO).unwrap()).collect();
    let reported: Vec<_> = events.iter().map(|event| (event.kind, event.error)).collect();
    assert_eq!(reported, [(EventKind::LeaseNotExtended, Some(ErrorKind::UnexpectedReply))], "once");
}

fn a_longer_lease_is_recorded_even_if_its_update_was_lost(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client_with(ClientConfig { max_retries: 0, ..world.config() });
    let session = client.create_session(&an_hour()).run().unwrap();
    let recorded = || world.folder.records()[0]["max_lease_seconds"].as_u64().unwrap();
    let hours = |hours: u64| Lease::from_secs(hours * 3_600).unwrap();
    for executed in [true, false] {
        world.emulator.add_faults([wire.on(Asked::Update).close().executed(executed)]).unwrap();
        let longer = if executed { 5 } else { 7 };
        assert!(session.update_lease(hours(longer)).run().unwrap_err().is_outcome_unknown());
        assert_eq!(recorded(), longer * 3_600);
    }
    // Another client extends it.
    let other = world.client_with(ClientConfig { journal_folder: None, ..world.config() });
    other.open_session(session.id()).run().unwrap().update_lease(hours(20)).run().unwrap();
    assert_eq!(recorded(), 7 * 3_600);
    session.properties().run().unwrap();
    assert_eq!(recorded(), 20 * 3_600);
}

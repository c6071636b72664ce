//! Sessions that the service does not know for a moment.

use crate::support::journal::{Folder, JournalWorld as World};
use crate::support::paced::Lab;
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, World as Plain, an_hour, config_for};
use arr_client::{ClientConfig, ErrorKind, Lease, Session, SessionStatus, WatchOptions};
use arr_service::Config;
use std::time::Duration;

in_both_versions![
    a_promised_stop_stays_promised_until_one_worked,
    a_single_404_does_not_end_a_record,
    a_single_404_ends_no_wait,
    a_404_to_a_read_or_an_update_counts_once_it_is_repeated,
];

/// The service does not know the session for long enough, and a stop fails.
fn a_promised_stop_stays_promised_until_one_worked(wire: &Wire) {
    let folder = Folder::new();
    let lab = Lab::with(Config { startup: HOUR, ..Config::default() }, |emulator| {
        config_for(emulator, ClientConfig { max_retries: 0, ..folder.config(wire) })
    });
    let session = lab.create(2 * HOUR);
    session.watch(WatchOptions::default().stop_on_shutdown(true), 0).unwrap();
    let (unknown, refused) = (wire.on(Asked::Read).status(404).times(50), wire.on(Asked::Stop).status(403).times(50));
    lab.emulator.add_faults([unknown, refused]).unwrap();
    lab.requests();
    lab.clock.pass(60 * SECOND);
    let stops = lab.requests().iter().filter(|request| **request == wire.stop).count();
    assert!((2..=6).contains(&stops), "once per poll interval of 10 s at most: {stops}");
    assert_eq!(session.known_properties().status, SessionStatus::Starting);
    assert_eq!(folder.states(), ["created"]);
    lab.emulator.clear_faults();
    lab.client.shut_down_within(60 * SECOND).unwrap();
    assert_eq!(lab.emulator.sessions()[0].status.as_str(), "Stopped");
    folder.becomes(&[]);
}

fn a_single_404_does_not_end_a_record(wire: &'static Wire) {
    let world = World::new(wire);
    world.leave(world.client(), 2);
    let unknown = |times| world.emulator.add_faults([wire.on(Asked::Read).status(404).times(times)]).unwrap();
    unknown(1);
    let begun = world.clock.now();
    let client = world.client();
    assert_eq!(client.recover_sessions().run().unwrap().len(), 2);
    assert_eq!(world.folder.states(), ["created"; 2]);
    assert!(world.clock.now() > begun, "the second read is a moment later");
    drop(client);
    // Now it does not know them any more.
    unknown(4);
    assert!(world.client().recover_sessions().run().unwrap().is_empty());
    world.folder.becomes(&[]);
}

/// Two in a row, a poll interval apart, do.
fn a_single_404_ends_no_wait(wire: &'static Wire) {
    type Wait = fn(&Session) -> Option<ErrorKind>;
    let blocking: Wait = |session| session.wait_until_ready().timeout(HOUR).run().err().map(|error| error.kind());
    let in_slices: Wait = |session| {
        let slice = || session.wait_until_ready().timeout(3 * SECOND).run().err().map(|error| error.kind());
        (0..1_000).map(|_| slice()).find(|ended| *ended != Some(ErrorKind::Timeout)).unwrap()
    };
    for wait in [blocking, in_slices] {
        let world = Plain::with_startup(wire, 25 * SECOND);
        let created = || world.client.create_session(&an_hour()).run().unwrap();
        let unknown = |times| world.emulator.add_faults([wire.on(Asked::Read).status(404).times(times)]).unwrap();
        let session = created();
        unknown(1);
        assert_eq!(wait(&session), None);
        let session = created();
        unknown(2);
        world.requests();
        assert_eq!((wait(&session), world.requests().len()), (Some(ErrorKind::NotFound), 2));
    }
}

fn a_404_to_a_read_or_an_update_counts_once_it_is_repeated(wire: &'static Wire) {
    // Even without retries.
    let config = ClientConfig { max_retries: 0, ..wire.config() };
    let world = Plain::new(Config { startup: Duration::ZERO, ..Config::default() }, config);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    let two_hours = Lease::new(2 * HOUR).unwrap();
    let read = || session.properties().run().map(drop);
    let open = || world.client.open_session(session.id()).run().map(drop);
    let extend = || session.update_lease(two_hours).run().map(drop);
    for (asked, call) in [(Asked::Read, &read as &dyn Fn() -> _), (Asked::Read, &open), (Asked::Update, &extend)] {
        for (times, ended) in [(2, Some(ErrorKind::NotFound)), (1, None)] {
            world.emulator.add_faults([wire.on(asked).status(404).times(times)]).unwrap();
            world.requests();
            let begun = world.clock.now();
            assert_eq!((call().err().map(|error| error.kind()), world.requests().len()), (ended, 2), "{asked:?}");
            assert!(world.clock.now() > begun, "the second request is a moment later");
        }
    }
}

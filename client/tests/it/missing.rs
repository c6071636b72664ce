//! Sessions that the service does not know for a moment.

use crate::support::journal::{Folder, JournalWorld as World};
use crate::support::paced::Lab;
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, config_for};
use arr_client::{ClientConfig, SessionStatus, WatchOptions};
use arr_service::Config;

in_both_versions![a_promised_stop_stays_promised_until_one_worked, a_single_404_does_not_end_a_record];

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

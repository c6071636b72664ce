//! A timeout of zero means the same everywhere: do not wait.

use crate::support::journal::JournalWorld;
use crate::support::wire::{Wire, in_both_versions};
use crate::support::{HOUR, SECOND, World, an_hour};
use arr_client::{Call, ClientConfig, ErrorKind, Lease, LogLevel, Reuse, StopScope};
use std::fmt::Debug;
use std::time::Duration;

in_both_versions![
    a_call_without_time_sends_nothing,
    a_create_without_time_leaves_nothing_in_the_journal,
    a_call_that_needs_no_request_needs_no_time,
    a_wait_without_time_starts_one_read_if_one_is_due,
    an_operation_cannot_be_started_without_time,
    a_wake_ends_one_wait_even_if_it_comes_first,
];

fn none<T: Debug>(call: Call<T>) {
    assert_eq!(call.timeout(Duration::ZERO).run().unwrap_err().kind(), ErrorKind::Timeout);
}

fn a_call_without_time_sends_nothing(wire: &'static Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let client = &world.client;
    let session = client.create_session(&an_hour()).run().unwrap();
    let id = session.id().clone();
    for token_is_known in [true, false] {
        let client = if token_is_known { client } else { &world.another_client(wire.config()) };
        world.requests();
        none(client.create_session(&an_hour()));
        none(client.open_session(&id));
        none(client.list_sessions());
        none(client.reuse_or_create(&an_hour(), Reuse::default()));
        none(client.stop_all(StopScope::Account));
        none(session.properties());
        none(session.update_lease(Lease::new(2 * HOUR).unwrap()));
        none(session.stop());
        assert_eq!(world.requests(), [""; 0], "the token is cached: {token_is_known}");
    }
    none(world.another_client(wire.config()).access_token());
    assert_eq!(world.requests(), [""; 0]);
    // They leave nothing behind that would delay other calls.
    assert_eq!(client.list_sessions().run().unwrap().len(), 1);
}

fn a_create_without_time_leaves_nothing_in_the_journal(wire: &'static Wire) {
    let world = JournalWorld::with_startup(wire, Duration::ZERO);
    let client = world.client();
    none(client.create_session(&an_hour()));
    assert_eq!(world.folder.texts(), [""; 0]);
    drop(client.create_session(&an_hour()).run().unwrap());
}

fn a_call_that_needs_no_request_needs_no_time(wire: &'static Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    session.properties().run().unwrap();
    world.requests();
    assert!(world.client.access_token().timeout(Duration::ZERO).run().is_ok());
    assert!(session.cached_properties().timeout(Duration::ZERO).run().is_ok());
    assert!(session.update_lease(Lease::new(HOUR).unwrap()).timeout(Duration::ZERO).run().is_ok());
    assert_eq!(world.requests(), [""; 0]);
}

fn a_wait_without_time_starts_one_read_if_one_is_due(wire: &'static Wire) {
    let world = World::with_startup(wire, HOUR);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    world.clock.advance(10 * SECOND);
    world.requests();
    none(session.wait_until_ready());
    assert_eq!(world.requests_when(1), [wire.properties]);
    // Whether or not the first has completed, the next is not due.
    for _ in 0..3 {
        none(session.wait_until_ready());
    }
    assert_eq!(session.properties().run().unwrap().id, *session.id());
    assert_eq!(world.requests(), [wire.properties]);
}

fn an_operation_cannot_be_started_without_time(wire: &'static Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    for started in [
        session.wait_until_ready().timeout(Duration::ZERO).start().map(drop),
        session.stop().timeout(Duration::ZERO).start().map(drop),
        world.client.list_sessions().timeout(Duration::ZERO).start().map(drop),
    ] {
        assert_eq!(started.unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}

fn a_wake_ends_one_wait_even_if_it_comes_first(wire: &'static Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let client = world.another_client(ClientConfig { log_level: LogLevel::Error, ..wire.config() });
    // No event is to come: only a wake ends these waits.
    client.wake();
    client.wake();
    assert!(client.next_event(Duration::ZERO).unwrap().is_none(), "this is not a wait, so it uses up no wake");
    assert!(client.next_log(Duration::ZERO).unwrap().is_none());
    assert!(client.next_event(Duration::MAX).unwrap().is_none());
    assert!(client.next_log(Duration::MAX).unwrap().is_none());
    // The earlier wakes counted as one, so this wait times out, and the next ones need another wake.
    let before = world.clock.now();
    assert!(client.next_log(SECOND).unwrap().is_none());
    assert_eq!(world.clock.now() - before, SECOND);
    std::thread::scope(|scope| {
        let event = scope.spawn(|| client.next_event(Duration::MAX));
        let log = scope.spawn(|| client.next_log(Duration::MAX));
        client.wake();
        assert!(event.join().unwrap().unwrap().is_none() && log.join().unwrap().unwrap().is_none());
    });
    client.wake();
    client.shut_down();
    assert_eq!(client.next_event(Duration::MAX).unwrap_err().kind(), ErrorKind::ShutDown);
}

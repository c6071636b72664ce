//! Reusing an existing session instead of creating another.

use crate::support::gate::{At, Mood};
use crate::support::journal::{JournalWorld as World, alive};
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, an_hour};
use arr_client::{
    ApiVersion, Client, ClientConfig, ErrorKind, Lease, NewSession, OperationState, Reuse, Reused, Session,
    SessionSize, StopScope,
};
use arr_service::SessionStatus;
use std::time::Duration;

in_both_versions![
    without_a_suitable_session_one_is_created,
    a_dead_clients_session_is_reused_and_owned,
    the_newest_suitable_session_is_reused,
    unsuitable_sessions_are_left_alone,
    other_clients_sessions_are_not_reused,
    an_own_session_is_reused_and_its_handles_share_it,
    the_session_with_the_given_id_is_reused_first,
    a_given_session_in_the_journal_becomes_ours,
    an_unsuitable_given_session_is_skipped,
    if_a_candidate_cannot_be_read_no_session_is_created,
    a_single_404_makes_no_second_session,
    a_started_reuse_does_the_same,
    a_cancelled_reuse_stops_only_a_session_it_created,
];

fn reuse(client: &Client) -> Reused {
    client.reuse_or_create(&an_hour(), Reuse::default()).run().unwrap()
}

fn with_id(session: &Session) -> Reuse {
    Reuse::default().id(Some(session.id().clone()))
}

fn create(client: &Client, size: SessionSize, lease: Duration) -> Session {
    client.create_session(&NewSession::new(size, Lease::new(lease).unwrap())).run().unwrap()
}

/// Creates a session with a client that then goes away. Returns its id.
fn left(client: Client, size: SessionSize, lease: Duration) -> String {
    create(&client, size, lease).id().to_string()
}

fn without_a_suitable_session_one_is_created(wire: &'static Wire) {
    let world = World::new(wire);
    for journal in [true, false] {
        let config = world.config();
        let client = world
            .client_with(ClientConfig { journal_folder: config.journal_folder.clone().filter(|_| journal), ..config });
        let Reused { session, reused, .. } = reuse(&client);
        assert!(!reused);
        assert_eq!(world.folder.records().len(), usize::from(journal));
        session.stop().run().unwrap();
        world.over();
    }
}

fn a_dead_clients_session_is_reused_and_owned(wire: &'static Wire) {
    let world = World::with_startup(wire, 60 * SECOND);
    for status in [SessionStatus::Starting, SessionStatus::Ready] {
        let id = left(world.client(), SessionSize::Standard, HOUR);
        if status == SessionStatus::Ready {
            world.clock.advance(60 * SECOND);
        }
        assert_eq!(alive(&world.emulator)[0].status, status);
        let client = world.client();
        let Reused { session, reused, .. } = reuse(&client);
        assert_eq!((session.id().as_str(), reused), (id.as_str(), true));
        assert_eq!(world.folder.states(), ["created"]);
        assert!(world.client().recover_sessions().run().unwrap().is_empty(), "it has an owner again");
        session.wait_until_ready().timeout(HOUR).run().unwrap();
        assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1);
        world.over();
    }
}

fn the_newest_suitable_session_is_reused(wire: &'static Wire) {
    let world = World::new(wire);
    let mut ids = Vec::new();
    for size in [SessionSize::Standard, SessionSize::Standard, SessionSize::Premium] {
        ids.push(left(world.client(), size, HOUR));
        world.clock.advance(SECOND);
    }
    let client = world.client();
    world.emulator.clear_requests();
    assert_eq!(reuse(&client).session.id().as_str(), ids[1]);
    assert_eq!(world.emulator.requests().len(), 2, "a token, and a single read");
    // If the newest has ended, the one before it is reused.
    world.emulator.set_session_status(&ids[1], SessionStatus::Stopped, None).unwrap();
    assert_eq!(reuse(&client).session.id().as_str(), ids[0]);
    world.emulator.set_session_status(&ids[0], SessionStatus::Stopping, None).unwrap();
    let Reused { session: created, reused, .. } = reuse(&client);
    assert!(!reused && !ids.contains(&created.id().to_string()));
}

fn unsuitable_sessions_are_left_alone(wire: &'static Wire) {
    let world = World::new(wire);
    left(world.client(), SessionSize::Premium, HOUR);
    left(world.client(), SessionSize::Standard, HOUR);
    world.clock.advance(1800 * SECOND);
    let client = world.client();
    let Reused { session: first, reused, .. } = {
        let reuse = Reuse::default().min_remaining(1801 * SECOND);
        client.reuse_or_create(&an_hour(), reuse).run().unwrap()
    };
    assert!(!reused);
    assert_eq!(alive(&world.emulator).len(), 3);
    first.stop().run().unwrap();
    let reuse = Reuse::default().min_remaining(1800 * SECOND);
    assert!(client.reuse_or_create(&an_hour(), reuse).run().unwrap().reused);
    assert_eq!(client.recover_sessions().run().unwrap().len(), 1, "the other was left alone");
}

fn other_clients_sessions_are_not_reused(wire: &'static Wire) {
    let world = World::new(wire);
    let other_version = if wire.is_v1() { ApiVersion::V2021_01_01 } else { ApiVersion::V1 };
    let living = world.client();
    drop(create(&living, SessionSize::Standard, HOUR));
    left(world.client_through_gate(), SessionSize::Standard, HOUR);
    let config = ClientConfig { api_version: other_version, ..world.config() };
    left(world.client_with(config), SessionSize::Standard, HOUR);
    let stranger = world.client_with(ClientConfig { journal_folder: None, ..world.config() });
    drop(create(&stranger, SessionSize::Standard, HOUR));

    world.emulator.clear_requests();
    let client = world.client();
    assert!(!reuse(&client).reused, "those of a live client, another endpoint, another version, and without a record");
    let asked: Vec<_> = world.emulator.requests().into_iter().map(|request| request.method).collect();
    assert_eq!(asked, ["GET", if wire.is_v1() { "POST" } else { "PUT" }], "a token, and the create");
    assert_eq!(alive(&world.emulator).len(), 5);
}

fn an_own_session_is_reused_and_its_handles_share_it(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client();
    let created = create(&client, SessionSize::Standard, HOUR);
    let Reused { session, reused, .. } = reuse(&client);
    assert_eq!((session.id(), reused), (created.id(), true));
    session.stop().run().unwrap();
    assert_eq!(
        created.update_lease(arr_client::Lease::new(2 * HOUR).unwrap()).run().unwrap_err().kind(),
        ErrorKind::SessionEnded
    );
    drop((created, session));
    let id = left(world.client(), SessionSize::Standard, HOUR);
    drop(reuse(&client));
    assert_eq!(reuse(&client).session.id().as_str(), id, "even without a handle");
}

fn the_session_with_the_given_id_is_reused_first(wire: &'static Wire) {
    let world = World::new(wire);
    left(world.client(), SessionSize::Standard, HOUR);
    let stranger = world.client_with(ClientConfig { journal_folder: None, ..world.config() });
    let given = create(&stranger, SessionSize::Standard, HOUR);
    let client = world.client();
    let Reused { session, reused, .. } = client.reuse_or_create(&an_hour(), with_id(&given)).run().unwrap();
    assert_eq!((session.id(), reused), (given.id(), true));
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 0, "it is not certainly ours");
    assert_eq!(world.client().recover_sessions().run().unwrap().len(), 1);
}

/// The application remembers the id, and also has a journal.
fn a_given_session_in_the_journal_becomes_ours(wire: &'static Wire) {
    let world = World::new(wire);
    let dead = world.client();
    let given = create(&dead, SessionSize::Standard, HOUR);
    let reuse = with_id(&given);
    drop((dead, given));
    let client = world.client();
    assert!(client.reuse_or_create(&an_hour(), reuse).run().unwrap().reused);
    assert!(world.client().recover_sessions().run().unwrap().is_empty());
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1);
    world.over();
}

fn an_unsuitable_given_session_is_skipped(wire: &'static Wire) {
    let world = World::new(wire);
    let stranger = world.client_with(ClientConfig { journal_folder: None, ..world.config() });
    let premium = create(&stranger, SessionSize::Premium, HOUR);
    let ended = create(&stranger, SessionSize::Standard, HOUR);
    ended.stop().run().unwrap();
    let left = left(world.client(), SessionSize::Standard, HOUR);
    for unfit in [&premium, &ended] {
        let client = world.client();
        let Reused { session, reused, .. } = client.reuse_or_create(&an_hour(), with_id(unfit)).run().unwrap();
        assert_eq!((session.id().as_str(), reused), (left.as_str(), true));
    }
    let client = world.client();
    let unknown = Reuse::default().id(Some(arr_client::SessionId::parse("unknown").unwrap()));
    assert!(client.reuse_or_create(&an_hour(), unknown).run().unwrap().reused);
}

fn if_a_candidate_cannot_be_read_no_session_is_created(wire: &'static Wire) {
    let world = World::new(wire);
    left(world.client_through_gate(), SessionSize::Standard, HOUR);
    let client = world.client_through_gate();
    let before = world.folder.records();
    world.gate.becomes(Mood::Gone);
    let error = client.reuse_or_create(&an_hour(), Reuse::default()).run().unwrap_err();
    assert_eq!((error.kind(), error.is_outcome_unknown()), (ErrorKind::Network, false));
    world.gate.becomes(Mood::Open);
    world.emulator.add_faults([wire.on(Asked::Read).status(403)]).unwrap();
    let error = client.reuse_or_create(&an_hour(), Reuse::default()).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert_eq!((world.folder.records(), alive(&world.emulator).len()), (before, 1));
    assert!(reuse(&client).reused);
}

/// As of a gateway that starts.
fn a_single_404_makes_no_second_session(wire: &'static Wire) {
    let world = World::new(wire);
    let unknown = |times| world.emulator.add_faults([wire.on(Asked::Read).status(404).times(times)]).unwrap();
    let client = world.client();
    let left = left(world.client(), SessionSize::Standard, HOUR);
    unknown(1);
    let begun = world.clock.now();
    let Reused { session, reused, .. } = reuse(&client);
    assert_eq!((session.id().as_str(), reused), (left.as_str(), true));
    assert!(world.clock.now() > begun, "the second read is a moment later");
    let stranger = world.client_with(ClientConfig { journal_folder: None, ..world.config() });
    for times in [1, 2] {
        unknown(times);
        let reused = stranger.reuse_or_create(&an_hour(), with_id(&session)).run().unwrap().reused;
        assert_eq!(reused, times == 1);
    }
}

fn a_started_reuse_does_the_same(wire: &'static Wire) {
    let world = World::new(wire);
    let id = left(world.client(), SessionSize::Standard, HOUR);
    let client = world.client();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let operation = client.reuse_or_create(&an_hour(), Reuse::default()).label(7).start().unwrap();
        assert_eq!(operation.wait(60 * SECOND), OperationState::Succeeded);
        let event = client.next_event(60 * SECOND).unwrap().unwrap();
        let Reused { session, reused, .. } = operation.outcome().unwrap();
        assert_eq!((event.label, event.session.as_ref()), (7.into(), Some(session.id())));
        seen.push((session.id().to_string() == id, reused));
        session.stop().run().unwrap();
    }
    assert_eq!(seen, [(true, true), (false, false)]);
    world.over();
}

fn a_cancelled_reuse_stops_only_a_session_it_created(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client_through_gate();
    let reply = world.gate.hold(wire, Asked::Create, At::Reply);
    let operation = client.reuse_or_create(&an_hour(), Reuse::default()).start().unwrap();
    reply.arrived();
    operation.cancel();
    reply.let_go();
    world.over();

    let id = left(world.client_through_gate(), SessionSize::Standard, HOUR);
    let read = world.gate.hold(wire, Asked::Read, At::Reply);
    let operation = client.reuse_or_create(&an_hour(), Reuse::default()).start().unwrap();
    read.arrived();
    operation.cancel();
    read.let_go();
    assert_eq!(operation.state(), OperationState::Cancelled);
    let Reused { session, reused, .. } = reuse(&client);
    assert_eq!((session.id().as_str(), reused), (id.as_str(), true));

    // It has read the session, and is about to record the new owner.
    session.release().unwrap();
    drop((session, client));
    let left = left(world.client_through_gate(), SessionSize::Standard, HOUR);
    let client = world.client_through_gate();
    let read = world.gate.hold(wire, Asked::Read, At::Reply);
    let operation = client.reuse_or_create(&an_hour(), Reuse::default()).start().unwrap();
    read.arrived();
    let held = world.folder.hold();
    read.let_go();
    held.wait_until_reached();
    operation.cancel();
    drop(held);
    crate::support::journal::until(
        || world.client().recover_sessions().run().unwrap().len() == 1,
        || format!("{left} should be left behind again"),
    );
}

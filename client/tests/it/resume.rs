//! Going on with a session that is there instead of creating another.

use crate::support::gate::{At, Mood};
use crate::support::journal::{JournalWorld as World, alive};
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, an_hour};
use arr_client::{
    ApiVersion, Client, ClientConfig, ErrorKind, Lease, NewSession, OperationState, Resume, Resumed, Session,
    SessionSize, StopScope,
};
use arr_service::SessionStatus;
use std::time::Duration;

in_both_versions![
    without_anything_to_go_on_with_a_session_is_created,
    what_a_dead_client_left_is_gone_on_with_and_is_ours,
    the_newest_that_is_fit_is_taken,
    what_does_not_fit_is_left_as_it_is,
    what_is_somebody_elses_is_not_taken,
    an_own_session_is_taken_and_its_handles_share_it,
    the_session_whose_id_is_given_is_taken_before_all_others,
    a_given_session_that_the_journal_knows_becomes_ours,
    a_given_session_that_is_not_fit_is_passed_over,
    a_session_that_cannot_be_looked_at_has_none_created,
    a_started_one_does_the_same,
    a_started_one_that_is_cancelled_stops_what_it_created_and_nothing_else,
];

fn resume(client: &Client) -> Resumed {
    client.resume_or_create(&an_hour(), Resume::default()).run().unwrap()
}

fn with_id(session: &Session) -> Resume {
    Resume::default().id(Some(session.id().clone()))
}

fn create(client: &Client, size: SessionSize, lease: Duration) -> Session {
    client.create_session(&NewSession::new(size, Lease::new(lease).unwrap())).run().unwrap()
}

/// A session that a client has created which is gone: its id.
fn left(client: Client, size: SessionSize, lease: Duration) -> String {
    create(&client, size, lease).id().to_string()
}

fn without_anything_to_go_on_with_a_session_is_created(wire: &'static Wire) {
    let world = World::new(wire);
    for journal in [true, false] {
        let config = world.config();
        let client = world.client_with(ClientConfig { journal: config.journal.clone().filter(|_| journal), ..config });
        let Resumed { session, resumed, .. } = resume(&client);
        assert!(!resumed);
        assert_eq!(world.folder.records().len(), usize::from(journal));
        session.stop().run().unwrap();
        world.over();
    }
}

fn what_a_dead_client_left_is_gone_on_with_and_is_ours(wire: &'static Wire) {
    let world = World::with_startup(wire, 60 * SECOND);
    for status in [SessionStatus::Starting, SessionStatus::Ready] {
        let id = left(world.client(), SessionSize::Standard, HOUR);
        if status == SessionStatus::Ready {
            world.clock.advance(60 * SECOND);
        }
        assert_eq!(alive(&world.emulator)[0].status, status);
        let client = world.client();
        let Resumed { session, resumed, .. } = resume(&client);
        assert_eq!((session.id().as_str(), resumed), (id.as_str(), true));
        assert_eq!(world.folder.states(), ["created"]);
        assert!(world.client().recover_sessions().run().unwrap().is_empty(), "it has an owner again");
        session.wait_until_ready().timeout(HOUR).run().unwrap();
        assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1);
        world.over();
    }
}

fn the_newest_that_is_fit_is_taken(wire: &'static Wire) {
    let world = World::new(wire);
    let mut ids = Vec::new();
    for size in [SessionSize::Standard, SessionSize::Standard, SessionSize::Premium] {
        ids.push(left(world.client(), size, HOUR));
        world.clock.advance(SECOND);
    }
    let client = world.client();
    world.emulator.clear_requests();
    assert_eq!(resume(&client).session.id().as_str(), ids[1]);
    assert_eq!(world.emulator.requests().len(), 2, "a token, and a look at no more than is needed");
    // One that has ended is not fit, and the one before it is.
    world.emulator.set_session_status(&ids[1], SessionStatus::Stopped, None).unwrap();
    assert_eq!(resume(&client).session.id().as_str(), ids[0]);
    world.emulator.set_session_status(&ids[0], SessionStatus::Stopping, None).unwrap();
    let Resumed { session: created, resumed, .. } = resume(&client);
    assert!(!resumed && !ids.contains(&created.id().to_string()));
}

fn what_does_not_fit_is_left_as_it_is(wire: &'static Wire) {
    let world = World::new(wire);
    left(world.client(), SessionSize::Premium, HOUR);
    left(world.client(), SessionSize::Standard, HOUR);
    world.clock.advance(1800 * SECOND);
    let client = world.client();
    let Resumed { session: first, resumed, .. } = {
        let resume = Resume::default().min_remaining(1801 * SECOND);
        client.resume_or_create(&an_hour(), resume).run().unwrap()
    };
    assert!(!resumed);
    assert_eq!(alive(&world.emulator).len(), 3);
    first.stop().run().unwrap();
    let resume = Resume::default().min_remaining(1800 * SECOND);
    assert!(client.resume_or_create(&an_hour(), resume).run().unwrap().resumed);
    assert_eq!(client.recover_sessions().run().unwrap().len(), 1, "the other was left for whoever wants it");
}

fn what_is_somebody_elses_is_not_taken(wire: &'static Wire) {
    let world = World::new(wire);
    let other_version = if wire.is_v1() { ApiVersion::V2021_01_01 } else { ApiVersion::V1 };
    let living = world.client();
    drop(create(&living, SessionSize::Standard, HOUR));
    left(world.client_through_gate(), SessionSize::Standard, HOUR);
    let config = ClientConfig { api_version: other_version, ..world.config() };
    left(world.client_with(config), SessionSize::Standard, HOUR);
    let stranger = world.client_with(ClientConfig { journal: None, ..world.config() });
    drop(create(&stranger, SessionSize::Standard, HOUR));

    world.emulator.clear_requests();
    let client = world.client();
    assert!(!resume(&client).resumed, "of a client that lives, another endpoint, another version, nobody's");
    let asked: Vec<_> = world.emulator.requests().into_iter().map(|request| request.method).collect();
    assert_eq!(asked, ["GET", if wire.is_v1() { "POST" } else { "PUT" }], "a token, and the create");
    assert_eq!(alive(&world.emulator).len(), 5);
}

fn an_own_session_is_taken_and_its_handles_share_it(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client();
    let created = create(&client, SessionSize::Standard, HOUR);
    let Resumed { session, resumed, .. } = resume(&client);
    assert_eq!((session.id(), resumed), (created.id(), true));
    session.stop().run().unwrap();
    assert_eq!(
        created.update_lease(arr_client::Lease::new(2 * HOUR).unwrap()).run().unwrap_err().kind(),
        ErrorKind::SessionEnded
    );
    drop((created, session));
    let id = left(world.client(), SessionSize::Standard, HOUR);
    drop(resume(&client));
    assert_eq!(resume(&client).session.id().as_str(), id, "also when nobody holds it any more");
}

fn the_session_whose_id_is_given_is_taken_before_all_others(wire: &'static Wire) {
    let world = World::new(wire);
    left(world.client(), SessionSize::Standard, HOUR);
    let stranger = world.client_with(ClientConfig { journal: None, ..world.config() });
    let given = create(&stranger, SessionSize::Standard, HOUR);
    let client = world.client();
    let Resumed { session, resumed, .. } = client.resume_or_create(&an_hour(), with_id(&given)).run().unwrap();
    assert_eq!((session.id(), resumed), (given.id(), true));
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 0, "it is not known to be ours");
    assert_eq!(world.client().recover_sessions().run().unwrap().len(), 1);
}

/// An application that remembers the id itself, and has a journal besides.
fn a_given_session_that_the_journal_knows_becomes_ours(wire: &'static Wire) {
    let world = World::new(wire);
    let dead = world.client();
    let given = create(&dead, SessionSize::Standard, HOUR);
    let resume = with_id(&given);
    drop((dead, given));
    let client = world.client();
    assert!(client.resume_or_create(&an_hour(), resume).run().unwrap().resumed);
    assert!(world.client().recover_sessions().run().unwrap().is_empty());
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1);
    world.over();
}

fn a_given_session_that_is_not_fit_is_passed_over(wire: &'static Wire) {
    let world = World::new(wire);
    let stranger = world.client_with(ClientConfig { journal: None, ..world.config() });
    let premium = create(&stranger, SessionSize::Premium, HOUR);
    let ended = create(&stranger, SessionSize::Standard, HOUR);
    ended.stop().run().unwrap();
    let left = left(world.client(), SessionSize::Standard, HOUR);
    for unfit in [&premium, &ended] {
        let client = world.client();
        let Resumed { session, resumed, .. } = client.resume_or_create(&an_hour(), with_id(unfit)).run().unwrap();
        assert_eq!((session.id().as_str(), resumed), (left.as_str(), true));
    }
    let client = world.client();
    let unknown = Resume::default().id(Some(arr_client::SessionId::parse("unknown").unwrap()));
    assert!(client.resume_or_create(&an_hour(), unknown).run().unwrap().resumed);
}

fn a_session_that_cannot_be_looked_at_has_none_created(wire: &'static Wire) {
    let world = World::new(wire);
    left(world.client_through_gate(), SessionSize::Standard, HOUR);
    let client = world.client_through_gate();
    let before = world.folder.records();
    world.gate.becomes(Mood::Gone);
    let error = client.resume_or_create(&an_hour(), Resume::default()).run().unwrap_err();
    assert_eq!((error.kind(), error.is_outcome_unknown()), (ErrorKind::Network, false));
    world.gate.becomes(Mood::Open);
    world.emulator.add_faults([wire.on(Asked::Read).status(403)]).unwrap();
    let error = client.resume_or_create(&an_hour(), Resume::default()).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert_eq!((world.folder.records(), alive(&world.emulator).len()), (before, 1));
    assert!(resume(&client).resumed);
}

fn a_started_one_does_the_same(wire: &'static Wire) {
    let world = World::new(wire);
    let id = left(world.client(), SessionSize::Standard, HOUR);
    let client = world.client();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let operation = client.resume_or_create(&an_hour(), Resume::default()).label(7).start().unwrap();
        assert_eq!(operation.wait(60 * SECOND), OperationState::Succeeded);
        let event = client.next_event(60 * SECOND).unwrap().unwrap();
        let Resumed { session, resumed, .. } = operation.outcome().unwrap();
        assert_eq!((event.label, event.session.as_ref()), (7.into(), Some(session.id())));
        seen.push((session.id().to_string() == id, resumed));
        session.stop().run().unwrap();
    }
    assert_eq!(seen, [(true, true), (false, false)]);
    world.over();
}

fn a_started_one_that_is_cancelled_stops_what_it_created_and_nothing_else(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client_through_gate();
    let reply = world.gate.hold(wire, Asked::Create, At::Reply);
    let operation = client.resume_or_create(&an_hour(), Resume::default()).start().unwrap();
    reply.arrived();
    operation.cancel();
    reply.let_go();
    world.over();

    let id = left(world.client_through_gate(), SessionSize::Standard, HOUR);
    let read = world.gate.hold(wire, Asked::Read, At::Reply);
    let operation = client.resume_or_create(&an_hour(), Resume::default()).start().unwrap();
    read.arrived();
    operation.cancel();
    read.let_go();
    assert_eq!(operation.state(), OperationState::Cancelled);
    let Resumed { session, resumed, .. } = resume(&client);
    assert_eq!((session.id().as_str(), resumed), (id.as_str(), true));
}

//! Creates whose reply is lost, or whose caller has gone before it arrives: no session is forgotten.

use crate::support::gate::{At, Held};
use crate::support::journal::{JournalWorld as World, alive, all_end, until};
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, an_hour};
use arr_client::{
    Claim, Client, ClientConfig, ErrorKind, Event, EventKind, Lease, NewSession, OperationState, Session, SessionId,
    SessionSize, StartedOperation, StopScope,
};
use arr_service::Fault;
use std::time::Duration;

in_both_versions![
    a_create_that_cannot_be_recorded_is_not_sent,
    a_create_with_a_late_reply_succeeds,
    a_create_that_was_refused_leaves_nothing,
    a_session_of_a_cancelled_or_dropped_create_is_stopped,
    a_cancelled_creates_session_is_stopped_even_after_its_deadline,
    if_stopping_a_cancelled_creates_session_fails_it_is_reported,
    a_cancelled_create_with_a_lost_reply_is_stopped_or_reported,
    a_create_cancelled_before_it_was_sent_sends_nothing,
    a_create_cancelled_in_the_queue_sends_nothing,
    a_session_created_after_its_client_ended_is_stopped,
    a_blocking_creates_session_is_stopped_if_its_client_ended,
    a_lost_create_of_an_ended_client_is_reported_and_stays_recorded,
];

/// How a caller abandons a create.
type Abandon = fn(StartedOperation<Session>) -> Option<StartedOperation<Session>>;

fn start(client: &Client, new: &NewSession) -> StartedOperation<Session> {
    client.create_session(new).timeout(5 * SECOND).label(7).start().unwrap()
}

/// Pulls the next events of this kind, as many as the first one counts.
fn pull(client: &Client, kind: EventKind) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let event = client.next_event(60 * SECOND).unwrap().expect("an event");
        if event.kind == kind {
            assert_eq!((event.label, event.index as usize), (7.into(), events.len()));
            events.push(event);
            if events.len() >= events[0].count as usize {
                return events;
            }
        }
    }
}

fn sessions(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.session.as_ref().unwrap().as_str()).collect()
}

fn count(world: &World, asked: Asked) -> usize {
    let requests = world.emulator.requests();
    let is = |request: &&arr_service::RecordedRequest| {
        !request.path.ends_with("/token") && world.wire.act_of(&format!("{} {}", request.method, request.path)) == asked
    };
    requests.iter().filter(is).count()
}

/// Starts a create, and holds its request or reply.
fn in_flight(world: &World, client: &Client, at: At) -> (StartedOperation<Session>, Held) {
    let held = world.gate.hold(world.wire, Asked::Create, at);
    let create = start(client, &an_hour());
    held.arrived();
    (create, held)
}

fn a_create_that_cannot_be_recorded_is_not_sent(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client();
    std::fs::remove_dir_all(&world.folder.0).unwrap();
    assert_eq!(client.create_session(&an_hour()).run().unwrap_err().kind(), ErrorKind::Storage);
    let create = start(&client, &an_hour());
    assert_eq!(create.wait(60 * SECOND), OperationState::Failed);
    assert_eq!(create.outcome().unwrap_err().kind(), ErrorKind::Storage);
    assert!(world.emulator.requests().is_empty(), "not even for a token");
}

fn a_create_with_a_late_reply_succeeds(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client_through_gate();
    client.access_token().run().unwrap();
    for started in [false, true] {
        let reply = world.gate.hold(wire, Asked::Create, At::Reply);
        std::thread::scope(|scope| {
            let creating = scope.spawn(|| {
                if started {
                    let create = start(&client, &an_hour());
                    assert_eq!(create.wait(60 * SECOND), OperationState::Succeeded, "{:?}", create.outcome().map(drop));
                } else {
                    drop(client.create_session(&an_hour()).timeout(5 * SECOND).run().unwrap());
                }
            });
            reply.arrived();
            world.clock.advance(10 * SECOND);
            reply.let_go();
            creating.join().unwrap();
        });
        assert_eq!(world.folder.records()[0]["session_id"], alive(&world.emulator)[0].id);
        assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1);
        world.over();
    }
}

fn a_create_that_was_refused_leaves_nothing(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client();
    world.emulator.add_faults([wire.on(Asked::Create).status(403).times(2)]).unwrap();
    assert_eq!(client.create_session(&an_hour()).run().unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(start(&client, &an_hour()).wait(60 * SECOND), OperationState::Failed);
    world.over();
}

#[test]
fn a_lost_create_names_candidates_and_stops_none() {
    let wire = &crate::support::wire::V1;
    let world = World::new(wire);
    let stranger = world.stranger();
    let create =
        |size, lease| stranger.create_session(&NewSession::new(size, Lease::new(lease).unwrap())).run().unwrap();
    drop(create(SessionSize::Standard, HOUR));
    world.clock.advance(600 * SECOND);
    drop(create(SessionSize::Premium, HOUR));
    drop(create(SessionSize::Standard, 2 * HOUR));
    let noted = world.client();
    drop(noted.create_session(&an_hour()).run().unwrap());
    let client = world.client();
    drop(create(SessionSize::Standard, HOUR));
    assert_eq!(client.list_sessions().run().unwrap().len(), 5, "listed before the create, so they are no candidates");
    let (opened, similar) = (create(SessionSize::Standard, HOUR), create(SessionSize::Standard, HOUR));
    drop(client.open_session(opened.id()).run().unwrap());

    let own = client.create_session(&an_hour()).run().unwrap();
    world.emulator.add_faults([wire.on(Asked::Create).close().executed(true)]).unwrap();
    let create = start(&client, &an_hour());
    assert_eq!(create.wait(60 * SECOND), OperationState::Failed);
    let error = create.outcome().unwrap_err();
    assert!(error.kind() == ErrorKind::OutcomeUnknown && error.is_outcome_unknown(), "{error}");

    let events = pull(&client, EventKind::CreateLost);
    let lost = alive(&world.emulator).last().unwrap().id.clone();
    assert_eq!(sessions(&events), [similar.id().as_str(), &lost]);
    assert!(events.iter().all(|event| event.count == 2 && event.error == Some(ErrorKind::OutcomeUnknown)));
    world.folder.becomes(&["created", "created", "lost"]);
    own.stop().run().unwrap();
    assert_eq!((count(&world, Asked::Stop), client.stop_all(StopScope::Own).run().unwrap().stopped), (1, 0));

    for event in &events {
        world.folder.becomes(&["created", "lost"]);
        let candidate = client.open_session(event.session.as_ref().unwrap()).run().unwrap();
        candidate.stop().run().unwrap();
    }
    client.shut_down_within(60 * SECOND).unwrap();
    assert_eq!(world.folder.states(), ["created", "lost"], "it may still arrive");
}

/// After the extension, its lease no longer matches the create.
#[test]
fn a_candidate_named_by_an_event_and_then_extended_is_recovered_by_the_next_run() {
    let wire = &crate::support::wire::V1;
    let world = World::new(wire);
    let client = world.client();
    world.emulator.add_faults([wire.on(Asked::Create).close().executed(true)]).unwrap();
    let create = start(&client, &an_hour());
    assert_eq!(create.wait(60 * SECOND), OperationState::Failed);
    let events = pull(&client, EventKind::CreateLost);
    let named = client.open_session(events[0].session.as_ref().unwrap()).run().unwrap();
    named.update_lease(Lease::new(2 * HOUR).unwrap()).run().unwrap();
    client.shut_down_within(60 * SECOND).unwrap();
    world.clock.advance(120 * SECOND);
    let next = world.client();
    let found = next.recover_sessions().run().unwrap();
    assert_eq!((found[0].session.id(), found[0].claim), (named.id(), Claim::OnlyCandidate));
    found[0].session.stop().run().unwrap();
    world.over();
}

/// The other create, of the same or another client, has been carried out, but its id has not arrived yet.
#[test]
fn a_lost_create_does_not_name_another_creates_session() {
    let wire = &crate::support::wire::V1;
    let world = World::new(wire);
    let client = world.client_through_gate();
    let other = world.client_through_gate();
    let stranger = world.stranger();
    for creator in [&client, &other, &stranger] {
        let reply = world.gate.hold(wire, Asked::Create, At::Reply);
        let create = creator.create_session(&an_hour()).timeout(300 * SECOND).start().unwrap();
        reply.arrived();
        let (lost, request) = in_flight(&world, &client, At::Request);
        request.cut();
        assert_eq!(lost.wait(60 * SECOND), OperationState::Failed);
        let later = |_| {
            world.clock.advance(SECOND / 10);
            // Starting an operation makes the driver check its clock.
            drop(client.access_token().timeout(SECOND).start().unwrap());
            std::thread::sleep(Duration::from_millis(1));
            client.next_event(Duration::ZERO).unwrap().filter(|event| event.kind == EventKind::CreateLost)
        };
        let event = (0..10_000).find_map(later).expect("the lost create is reported when a minute has passed");
        assert_eq!((event.session, event.error), (None, Some(ErrorKind::Timeout)));
        reply.let_go();
        assert_eq!(create.wait(60 * SECOND), OperationState::Succeeded);
        create.outcome().unwrap().stop().run().unwrap();
    }
}

#[test]
fn a_lost_create_without_candidates_is_reported_and_stays_recorded() {
    let wire = &crate::support::wire::V1;
    let world = World::new(wire);
    let client = world.client_with(ClientConfig { max_retries: 0, ..world.config() });
    let forbidden = wire.on(Asked::List).status(403);
    for (fault, error) in [(vec![], None), (vec![forbidden], Some(ErrorKind::Forbidden))] {
        let faults = fault.into_iter().chain([wire.on(Asked::Create).close()]);
        world.emulator.add_faults(faults).unwrap();
        let create = start(&client, &an_hour());
        assert_eq!(create.wait(60 * SECOND), OperationState::Failed);
        let events = pull(&client, EventKind::CreateLost);
        assert_eq!((&events[0].session, events[0].count, events[0].error), (&None, 0, error));
    }
    world.folder.becomes(&["lost", "lost"]);
}

#[test]
fn a_lost_create_with_a_chosen_id_names_it_and_stops_nothing() {
    let wire = &crate::support::wire::V2021;
    let world = World::new(wire);
    let client = world.client_with(ClientConfig { max_retries: 0, ..world.config() });
    let given = SessionId::parse("mine").unwrap();
    for (new, own) in [(an_hour().with_id(given.clone()), 0), (an_hour(), 1)] {
        let fault = Fault::on("PUT", "/accounts/*/sessions/*").close().executed(true);
        world.emulator.add_faults([fault]).unwrap();
        let create = start(&client, &new);
        assert_eq!(create.wait(60 * SECOND), OperationState::Failed);
        let error = create.outcome().unwrap_err();
        let events = pull(&client, EventKind::CreateLost);
        let lost = alive(&world.emulator).last().unwrap().id.clone();
        assert_eq!((sessions(&events), events[0].error), (vec![lost.as_str()], Some(ErrorKind::OutcomeUnknown)));
        assert!(error.kind() == ErrorKind::OutcomeUnknown && error.message().contains(&lost), "{error}");
        until(|| world.folder.states().contains(&"lost".into()), || "it should be recorded".into());
        world.folder.remembers_all(&world.emulator, &[]);
        assert_eq!(count(&world, Asked::Stop), 0);
        // A given id may be another client's; a generated one cannot.
        assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, own);
        world.emulator.clear_requests();
    }
    world.folder.becomes(&["lost"]);
    client.open_session(&given).run().unwrap().stop().run().unwrap();
    world.over();
}

fn a_session_of_a_cancelled_or_dropped_create_is_stopped(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client_through_gate();
    let abandon: [Abandon; 2] = [
        |create| {
            create.cancel();
            Some(create)
        },
        |create| {
            drop(create);
            None
        },
    ];
    for abandon in abandon {
        for at in [At::Request, At::Reply] {
            let (create, held) = in_flight(&world, &client, at);
            let create = abandon(create);
            held.let_go();
            world.over();
            assert!(create.is_none_or(|create| create.state() == OperationState::Cancelled));
        }
        // The reply has arrived, and its id is being recorded.
        let (create, reply) = in_flight(&world, &client, At::Reply);
        let held = world.folder.hold();
        reply.let_go();
        held.wait_until_reached();
        abandon(create);
        drop(held);
        world.over();
    }
    assert_eq!((count(&world, Asked::Create), count(&world, Asked::Stop)), (6, 6));
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 0);
}

#[test]
fn cancelling_a_create_does_not_stop_an_existing_session() {
    let wire = &crate::support::wire::V2021;
    let world = World::new(wire);
    let owner = world.client();
    let new = an_hour().with_id(SessionId::parse("shared").unwrap());
    drop(owner.create_session(&new).run().unwrap());
    let client = world.client_through_gate();
    let reply = world.gate.hold(wire, Asked::Create, At::Reply);
    let create = start(&client, &new);
    reply.arrived();
    world.folder.becomes(&["created", "creating"]);
    create.cancel();
    reply.let_go();
    world.folder.becomes(&["created"]);
    client.shut_down_within(60 * SECOND).unwrap();
    assert_eq!((alive(&world.emulator).len(), count(&world, Asked::Stop)), (1, 0));
}

fn a_cancelled_creates_session_is_stopped_even_after_its_deadline(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client_through_gate();
    let (create, reply) = in_flight(&world, &client, At::Reply);
    create.cancel();
    // So that the driver handles the cancel before the time advances.
    assert_eq!(client.list_sessions().start().unwrap().wait(60 * SECOND), OperationState::Succeeded);
    world.clock.advance(10 * SECOND);
    reply.let_go();
    world.over();
}

fn if_stopping_a_cancelled_creates_session_fails_it_is_reported(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client_through_gate();
    let (create, reply) = in_flight(&world, &client, At::Reply);
    world.emulator.add_faults([wire.on(Asked::Stop).status(403).always()]).unwrap();
    create.cancel();
    reply.let_go();
    let events = pull(&client, EventKind::LeftRunning);
    let left = alive(&world.emulator)[0].id.clone();
    assert_eq!((sessions(&events), events[0].error), (vec![left.as_str()], Some(ErrorKind::Forbidden)));
    assert_eq!(world.folder.records()[0]["session_id"], left.as_str());
    world.folder.becomes(&["created"]);

    world.emulator.clear_faults();
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1);
    world.over();
}

fn a_cancelled_create_with_a_lost_reply_is_stopped_or_reported(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client_through_gate();
    let (create, reply) = in_flight(&world, &client, At::Reply);
    create.cancel();
    reply.cut();
    if wire.is_v1() {
        let events = pull(&client, EventKind::CreateLost);
        assert_eq!(sessions(&events), [alive(&world.emulator)[0].id.as_str()]);
        world.folder.becomes(&["lost"]);
        client.open_session(events[0].session.as_ref().unwrap()).run().unwrap().stop().run().unwrap();
        world.clock.advance(61 * SECOND);
        assert!(client.recover_sessions().run().unwrap().is_empty());
    }
    world.over();
}

fn a_create_cancelled_before_it_was_sent_sends_nothing(wire: &'static Wire) {
    let world = World::new(wire);
    let config = ClientConfig { account_domain: world.gate.url.clone(), ..world.config() };
    let client = world.client_with(config);
    let held = world.folder.hold();
    let create = start(&client, &an_hour());
    held.wait_until_reached();
    create.cancel();
    drop(held);
    world.folder.becomes(&[]);
    assert!(world.emulator.requests().is_empty());

    let token = world.gate.hold_token(wire, At::Reply);
    let create = start(&client, &an_hour());
    token.arrived();
    world.folder.becomes(&["creating"]);
    create.cancel();
    world.folder.becomes(&[]);
    token.let_go();
    client.shut_down_within(60 * SECOND).unwrap();
    assert_eq!(count(&world, Asked::Create), 0);
}

/// Eight requests are in flight, and the create is queued.
fn a_create_cancelled_in_the_queue_sends_nothing(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client_through_gate();
    client.access_token().run().unwrap();
    let busy: Vec<_> = (0..8)
        .map(|number| {
            let held = world.gate.hold(wire, Asked::Read, At::Request);
            let id = SessionId::parse(&format!("none-{number}")).unwrap();
            (client.open_session(&id).start().unwrap(), held)
        })
        .collect();
    busy.iter().for_each(|(_, held)| held.arrived());
    let create = start(&client, &an_hour());
    world.folder.becomes(&["creating"]);
    // Time for it to be queued, which cannot be observed.
    std::thread::sleep(Duration::from_millis(50));
    create.cancel();
    world.folder.becomes(&[]);
    busy.iter().for_each(|(_, held)| held.let_go());
    busy.iter().for_each(|(open, _)| assert_eq!(open.wait(60 * SECOND), OperationState::Failed));
    client.shut_down_within(60 * SECOND).unwrap();
    assert_eq!(count(&world, Asked::Create), 0);
}

fn a_session_created_after_its_client_ended_is_stopped(wire: &'static Wire) {
    let world = World::new(wire);
    for at in [At::Request, At::Reply] {
        let client = world.client_through_gate();
        let (create, held) = in_flight(&world, &client, at);
        assert_eq!(client.shut_down_within(Duration::ZERO).unwrap_err().kind(), ErrorKind::Timeout);
        assert_eq!(create.wait(60 * SECOND), OperationState::Cancelled);
        held.let_go();
        client.shut_down_within(60 * SECOND).unwrap();
        assert!(alive(&world.emulator).is_empty(), "the end waits for the stop");
        world.over();

        let client = world.client_through_gate();
        let (create, held) = in_flight(&world, &client, at);
        drop(client);
        held.let_go();
        world.over();
        assert_eq!(create.state(), OperationState::Cancelled);
    }
}

fn a_blocking_creates_session_is_stopped_if_its_client_ended(wire: &'static Wire) {
    let world = World::new(wire);
    for (at, journal) in [(At::Request, true), (At::Reply, true), (At::Reply, false)] {
        let config = world.config_through_gate();
        let client =
            world.client_with(ClientConfig { journal_folder: config.journal_folder.filter(|_| journal), ..config });
        let held = world.gate.hold(wire, Asked::Create, at);
        std::thread::scope(|scope| {
            let creating = scope.spawn(|| client.create_session(&an_hour()).run());
            held.arrived();
            assert_eq!(client.shut_down_within(Duration::ZERO).unwrap_err().kind(), ErrorKind::Timeout);
            held.let_go();
            client.shut_down_within(60 * SECOND).unwrap();
            assert!(alive(&world.emulator).is_empty(), "the end waits for the call");
            assert_eq!(creating.join().unwrap().unwrap_err().kind(), ErrorKind::ShutDown);
        });
        world.over();
    }
}

fn a_lost_create_of_an_ended_client_is_reported_and_stays_recorded(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client_through_gate();
    let (create, reply) = in_flight(&world, &client, At::Reply);
    client.shut_down();
    assert_eq!(create.wait(60 * SECOND), OperationState::Cancelled);
    reply.cut();
    client.shut_down_within(60 * SECOND).unwrap();
    if wire.is_v1() {
        let events = pull(&client, EventKind::CreateLost);
        assert_eq!((&events[0].session, events[0].error), (&None, Some(ErrorKind::ShutDown)));
        world.folder.becomes(&["lost"]);
        world.clock.advance(61 * SECOND);
        let next = world.client();
        next.recover_sessions().run().unwrap()[0].session.stop().run().unwrap();
    }
    all_end(&world.emulator);
    world.over();
}

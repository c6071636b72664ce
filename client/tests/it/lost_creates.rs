//! Creates whose answer is lost, or whose caller goes before it comes: no session is left that nobody knows of.

use crate::support::gate::{At, Held};
use crate::support::journal::{JournalWorld as World, alive, all_end, until};
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, an_hour};
use arr_client::{
    Client, ClientConfig, ErrorKind, Event, EventKind, Lease, NewSession, OperationState, Session, SessionId,
    SessionSize, StartedOperation, StopScope,
};
use arr_service::Fault;
use std::time::Duration;

in_both_versions![
    a_create_that_cannot_be_noted_is_not_sent,
    a_session_whose_answer_comes_late_is_there_nevertheless,
    a_create_that_made_nothing_leaves_nothing,
    a_session_that_comes_back_to_a_create_that_was_cancelled_or_dropped_is_stopped,
    a_cancelled_creates_session_is_stopped_although_the_time_for_the_create_is_over,
    a_cancelled_creates_session_that_cannot_be_stopped_is_told_and_stays_noted,
    a_cancelled_create_whose_answer_is_lost_is_stopped_or_told,
    a_create_that_is_cancelled_before_it_was_sent_sends_nothing,
    a_create_that_is_cancelled_while_it_queues_sends_nothing,
    a_session_that_comes_back_to_a_client_that_was_shut_down_or_freed_is_stopped,
    a_session_that_comes_back_to_a_call_whose_client_was_shut_down_is_stopped,
    a_lost_create_of_a_client_that_has_ended_is_told_and_stays_noted,
];

/// What becomes of a create.
type Abandon = fn(StartedOperation<Session>) -> Option<StartedOperation<Session>>;

fn start(client: &Client, new: &NewSession) -> StartedOperation<Session> {
    client.create_session(new).timeout(5 * SECOND).label(7).start().unwrap()
}

/// The next events of this kind: as many as the first says.
fn told(client: &Client, kind: EventKind) -> Vec<Event> {
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

/// Holds the reply to a create that was started, and is on the wire.
fn in_flight(world: &World, client: &Client, at: At) -> (StartedOperation<Session>, Held) {
    let held = world.gate.hold(world.wire, Asked::Create, at);
    let create = start(client, &an_hour());
    held.arrived();
    (create, held)
}

fn a_create_that_cannot_be_noted_is_not_sent(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client();
    std::fs::remove_dir_all(&world.folder.0).unwrap();
    assert_eq!(client.create_session(&an_hour()).run().unwrap_err().kind(), ErrorKind::Storage);
    let create = start(&client, &an_hour());
    assert_eq!(create.wait(60 * SECOND), OperationState::Failed);
    assert_eq!(create.outcome().unwrap_err().kind(), ErrorKind::Storage);
    assert!(world.emulator.requests().is_empty(), "not even for a token");
}

fn a_session_whose_answer_comes_late_is_there_nevertheless(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client_through_gate();
    client.access_token().run().unwrap();
    for started in [false, true] {
        let reply = world.gate.hold(wire, Asked::Create, At::Reply);
        std::thread::scope(|scope| {
            let creating = scope.spawn(|| {
                if started {
                    let create = start(&client, &an_hour());
                    assert_eq!(create.wait(60 * SECOND), OperationState::Succeeded);
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

fn a_create_that_made_nothing_leaves_nothing(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client();
    world.emulator.add_faults([wire.on(Asked::Create).status(403).times(2)]).unwrap();
    assert_eq!(client.create_session(&an_hour()).run().unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(start(&client, &an_hour()).wait(60 * SECOND), OperationState::Failed);
    world.over();
}

#[test]
fn a_lost_create_names_the_sessions_that_it_may_have_made_and_stops_none() {
    let wire = &crate::support::wire::V1;
    let world = World::new(wire);
    let stranger = world.client_with(ClientConfig { journal: None, ..world.config() });
    let create =
        |size, lease| stranger.create_session(&NewSession::new(size, Lease::new(lease).unwrap())).run().unwrap();
    drop(create(SessionSize::Standard, HOUR));
    world.clock.advance(600 * SECOND);
    drop(create(SessionSize::Premium, HOUR));
    drop(create(SessionSize::Standard, 2 * HOUR));
    let noted = world.client();
    drop(noted.create_session(&an_hour()).run().unwrap());
    let similar = create(SessionSize::Standard, HOUR);

    let client = world.client();
    let own = client.create_session(&an_hour()).run().unwrap();
    world.emulator.add_faults([wire.on(Asked::Create).close().executed(true)]).unwrap();
    let create = start(&client, &an_hour());
    assert_eq!(create.wait(60 * SECOND), OperationState::Failed);
    let error = create.outcome().unwrap_err();
    assert!(error.kind() == ErrorKind::OutcomeUnknown && error.is_outcome_unknown(), "{error}");

    let events = told(&client, EventKind::CreateLost);
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
    world.folder.becomes(&["created"]);
}

#[test]
fn a_lost_create_of_which_nothing_is_seen_is_told_too_and_stays_noted() {
    let wire = &crate::support::wire::V1;
    let world = World::new(wire);
    let client = world.client_with(ClientConfig { max_retries: 0, ..world.config() });
    let forbidden = wire.on(Asked::List).status(403);
    for (fault, error) in [(vec![], None), (vec![forbidden], Some(ErrorKind::Forbidden))] {
        let faults = fault.into_iter().chain([wire.on(Asked::Create).close()]);
        world.emulator.add_faults(faults).unwrap();
        let create = start(&client, &an_hour());
        assert_eq!(create.wait(60 * SECOND), OperationState::Failed);
        let events = told(&client, EventKind::CreateLost);
        assert_eq!((&events[0].session, events[0].count, events[0].error), (&None, 0, error));
    }
    world.folder.becomes(&["lost", "lost"]);
}

#[test]
fn a_lost_create_whose_id_was_chosen_names_that_and_stops_nothing() {
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
        let events = told(&client, EventKind::CreateLost);
        let lost = alive(&world.emulator).last().unwrap().id.clone();
        assert_eq!((sessions(&events), events[0].error), (vec![lost.as_str()], Some(ErrorKind::OutcomeUnknown)));
        assert!(error.kind() == ErrorKind::OutcomeUnknown && error.message().contains(&lost), "{error}");
        until(|| world.folder.states().contains(&"lost".into()), || "it should be noted".into());
        world.folder.remembers_all(&world.emulator, &[]);
        assert_eq!(count(&world, Asked::Stop), 0);
        // An id that was given may be somebody else's; one that was made up here cannot.
        assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, own);
        world.emulator.clear_requests();
    }
    world.folder.becomes(&["lost"]);
    client.open_session(&given).run().unwrap().stop().run().unwrap();
    world.over();
}

fn a_session_that_comes_back_to_a_create_that_was_cancelled_or_dropped_is_stopped(wire: &'static Wire) {
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
        // The answer has come, and its id is being noted.
        let (create, reply) = in_flight(&world, &client, At::Reply);
        let lock = world.folder.lock();
        reply.let_go();
        // Time for it to come there: nobody can see that it waits.
        std::thread::sleep(Duration::from_millis(50));
        abandon(create);
        drop(lock);
        world.over();
    }
    assert_eq!((count(&world, Asked::Create), count(&world, Asked::Stop)), (6, 6));
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 0);
}

#[test]
fn a_session_that_existed_under_its_id_is_not_stopped_when_the_create_is_cancelled() {
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

fn a_cancelled_creates_session_is_stopped_although_the_time_for_the_create_is_over(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client_through_gate();
    let (create, reply) = in_flight(&world, &client, At::Reply);
    create.cancel();
    // Its driver learns of it before the time moves.
    assert_eq!(client.list_sessions().start().unwrap().wait(60 * SECOND), OperationState::Succeeded);
    world.clock.advance(10 * SECOND);
    reply.let_go();
    world.over();
}

fn a_cancelled_creates_session_that_cannot_be_stopped_is_told_and_stays_noted(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client_through_gate();
    let (create, reply) = in_flight(&world, &client, At::Reply);
    world.emulator.add_faults([wire.on(Asked::Stop).status(403).always()]).unwrap();
    create.cancel();
    reply.let_go();
    let events = told(&client, EventKind::LeftRunning);
    let left = alive(&world.emulator)[0].id.clone();
    assert_eq!((sessions(&events), events[0].error), (vec![left.as_str()], Some(ErrorKind::Forbidden)));
    assert_eq!(world.folder.records()[0]["session_id"], left.as_str());
    world.folder.becomes(&["created"]);

    world.emulator.clear_faults();
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1);
    world.over();
}

fn a_cancelled_create_whose_answer_is_lost_is_stopped_or_told(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client_through_gate();
    let (create, reply) = in_flight(&world, &client, At::Reply);
    create.cancel();
    reply.cut();
    if wire.is_v1() {
        let events = told(&client, EventKind::CreateLost);
        assert_eq!(sessions(&events), [alive(&world.emulator)[0].id.as_str()]);
        world.folder.becomes(&["lost"]);
        client.open_session(events[0].session.as_ref().unwrap()).run().unwrap().stop().run().unwrap();
    }
    world.over();
}

fn a_create_that_is_cancelled_before_it_was_sent_sends_nothing(wire: &'static Wire) {
    let world = World::new(wire);
    let config = ClientConfig { account_domain: world.gate.url.clone(), ..world.config() };
    let client = world.client_with(config);
    let lock = world.folder.lock();
    let create = start(&client, &an_hour());
    create.cancel();
    drop(lock);
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

/// Eight requests are on the wire, and another waits for its turn.
fn a_create_that_is_cancelled_while_it_queues_sends_nothing(wire: &'static Wire) {
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
    // Time for it to get into the queue: nobody can see that it waits.
    std::thread::sleep(Duration::from_millis(50));
    create.cancel();
    world.folder.becomes(&[]);
    busy.iter().for_each(|(_, held)| held.let_go());
    busy.iter().for_each(|(open, _)| assert_eq!(open.wait(60 * SECOND), OperationState::Failed));
    client.shut_down_within(60 * SECOND).unwrap();
    assert_eq!(count(&world, Asked::Create), 0);
}

fn a_session_that_comes_back_to_a_client_that_was_shut_down_or_freed_is_stopped(wire: &'static Wire) {
    let world = World::new(wire);
    for at in [At::Request, At::Reply] {
        let client = world.client_through_gate();
        let (create, held) = in_flight(&world, &client, at);
        assert_eq!(client.shut_down_within(Duration::ZERO).unwrap_err().kind(), ErrorKind::Timeout);
        assert_eq!(create.wait(60 * SECOND), OperationState::Cancelled);
        held.let_go();
        client.shut_down_within(60 * SECOND).unwrap();
        assert!(alive(&world.emulator).is_empty(), "the end waits for that");
        world.over();

        let client = world.client_through_gate();
        let (create, held) = in_flight(&world, &client, at);
        drop(client);
        held.let_go();
        world.over();
        assert_eq!(create.state(), OperationState::Cancelled);
    }
}

fn a_session_that_comes_back_to_a_call_whose_client_was_shut_down_is_stopped(wire: &'static Wire) {
    let world = World::new(wire);
    for (at, journal) in [(At::Request, true), (At::Reply, true), (At::Reply, false)] {
        let config = ClientConfig { service_endpoint: world.gate.url.clone(), ..world.config() };
        let client = world.client_with(ClientConfig { journal: config.journal.filter(|_| journal), ..config });
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

fn a_lost_create_of_a_client_that_has_ended_is_told_and_stays_noted(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client_through_gate();
    let (create, reply) = in_flight(&world, &client, At::Reply);
    client.shut_down();
    assert_eq!(create.wait(60 * SECOND), OperationState::Cancelled);
    reply.cut();
    client.shut_down_within(60 * SECOND).unwrap();
    if wire.is_v1() {
        let events = told(&client, EventKind::CreateLost);
        assert_eq!((&events[0].session, events[0].error), (&None, Some(ErrorKind::ShutDown)));
        world.folder.becomes(&["lost"]);
        let next = world.client();
        next.recover_sessions().run().unwrap()[0].session.stop().run().unwrap();
    }
    all_end(&world.emulator);
    world.over();
}

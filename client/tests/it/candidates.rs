//! Candidates of a lost create that change after they were named, and creates that arrive later.

use crate::support::gate::{At, Held};
use crate::support::journal::{JournalWorld as World, alive};
use crate::support::wire::{Asked, V1, V2021};
use crate::support::{HOUR, SECOND, an_hour};
use arr_client::{
    Claim, Client, ClientConfig, ErrorKind, EventKind, Lease, NewSession, OperationState, Recovered, SessionId,
    SessionSize,
};

fn ids(found: &[Recovered]) -> Vec<String> {
    found.iter().map(|recovered| recovered.session.id().to_string()).collect()
}

fn running(world: &World) -> Vec<String> {
    alive(&world.emulator).into_iter().map(|session| session.id).collect()
}

/// After the extension, its lease no longer matches the create, so only its recorded id identifies it.
#[test]
fn a_candidate_whose_lease_was_extended_is_recovered_again() {
    let world = World::new(&V1);
    world.leave_lost(1);
    for hours in [2, 3] {
        world.clock.advance(120 * SECOND);
        let client = world.client();
        let found = client.recover_sessions().run().unwrap();
        assert_eq!((ids(&found), found[0].claim), (running(&world), Claim::OnlyCandidate));
        found[0].session.update_lease(Lease::new(hours * HOUR).unwrap()).run().unwrap();
    }
    world.clock.advance(120 * SECOND);
    let client = world.client();
    let found = client.recover_sessions().run().unwrap();
    assert_eq!(ids(&found), running(&world));
    found[0].session.stop().run().unwrap();
    world.over();
}

/// A client that loses creates at once.
fn loser(world: &World) -> Client {
    world.client_with(ClientConfig { max_retries: 0, ..world.config() })
}

/// Starts a create whose reply is lost.
fn lose(world: &World, client: &Client, executed: bool) {
    world.emulator.add_faults([V1.on(Asked::Create).close().executed(executed)]).unwrap();
    let create = client.create_session(&an_hour()).start().unwrap();
    assert_eq!(create.wait(60 * SECOND), OperationState::Failed);
}

/// A client that has lost a create, which made a session, and whose list of sessions is held on its way.
fn lost_and_listing(world: &World) -> (Client, Held) {
    let client = world.client_with(ClientConfig { max_retries: 0, ..world.config_through_gate() });
    let list = world.gate.hold(&V1, Asked::List, At::Request);
    lose(world, &client, true);
    list.arrived();
    (client, list)
}

/// As [`lose`], without an event.
fn lose_blocking(world: &World, client: &Client, executed: bool) {
    world.emulator.add_faults([V1.on(Asked::Create).close().executed(executed)]).unwrap();
    assert_eq!(client.create_session(&an_hour()).run().unwrap_err().kind(), ErrorKind::OutcomeUnknown);
}

/// What the events of a lost create say of the only candidate if another lost create may have made it.
fn this_one_or_none(world: &World) -> Vec<(Option<String>, u32, u32)> {
    vec![(running(world).pop(), 0, 2), (None, 1, 2)]
}

/// The events of the next lost create: each with its session, its index and their count.
fn lost_events(client: &Client) -> Vec<(Option<String>, u32, u32)> {
    let mut all = Vec::new();
    loop {
        let event = client.next_event(60 * SECOND).unwrap().unwrap();
        if event.kind == EventKind::CreateLost {
            assert_eq!(event.error, Some(ErrorKind::OutcomeUnknown).filter(|_| event.count > 0));
            all.push((event.session.map(|id| id.to_string()), event.index, event.count));
            if all.len() >= event.count as usize {
                return all;
            }
        }
    }
}

/// Only one of the creates made a session. Both clients must hear of it, and neither that it is certainly its own.
#[test]
fn two_clients_that_lose_a_create_at_once_are_both_told_that_the_session_may_be_anothers() {
    for (journal, one) in [(true, false), (false, false), (true, true), (false, true)] {
        for executed in [[true, false], [false, true]] {
            let world = World::new(&V1);
            let config = ClientConfig { max_retries: 0, ..world.config_through_gate() };
            let config = ClientConfig { journal_folder: config.journal_folder.clone().filter(|_| journal), ..config };
            let first = world.client_with(config.clone());
            let other = world.client_with(config);
            let second = if one { &first } else { &other };
            let list = world.gate.hold(&V1, Asked::List, At::Request);
            lose(&world, &first, executed[0]);
            list.arrived();
            lose(&world, second, executed[1]);
            assert_eq!(lost_events(second), this_one_or_none(&world));
            list.let_go();
            assert_eq!(lost_events(&first), this_one_or_none(&world));
        }
    }
}

/// The other create is of a client that has died, or of one whose event named the session before.
#[test]
fn a_session_that_may_be_another_lost_creates_is_named_as_such() {
    for dies in [true, false] {
        let world = World::new(&V1);
        let other = loser(&world);
        lose_blocking(&world, &other, true);
        if dies {
            drop(other);
        } else {
            assert_eq!(named_again(&world, &other), this_one_or_none(&world));
        }
        let client = loser(&world);
        lose(&world, &client, false);
        assert_eq!(lost_events(&client), this_one_or_none(&world));
    }
}

/// Another create of this client is lost.
fn named_again(world: &World, client: &Client) -> Vec<(Option<String>, u32, u32)> {
    lose(world, client, false);
    lost_events(client)
}

/// The records of other clients are unknown.
#[test]
fn a_candidate_may_be_anothers_if_the_journal_cannot_be_read() {
    let world = World::new(&V1);
    let (client, list) = lost_and_listing(&world);
    std::fs::remove_dir_all(&world.folder.0).unwrap();
    list.let_go();
    assert_eq!(lost_events(&client), this_one_or_none(&world));
}

/// A client of the other API version asks for that id, and loses the reply: the session existed before.
#[test]
fn a_session_whose_id_another_client_gave_is_still_a_candidate() {
    let world = World::new(&V1);
    let (client, list) = lost_and_listing(&world);
    let other =
        world.client_with(ClientConfig { max_retries: 0, api_version: V2021.version, ..world.config_through_gate() });
    world.emulator.add_faults([V2021.on(Asked::Create).close()]).unwrap();
    let id = SessionId::parse(&running(&world)[0]).unwrap();
    other.create_session(&an_hour().with_id(id)).run().unwrap_err();
    list.let_go();
    assert_eq!(lost_events(&client), this_one_or_none(&world));
}

/// The living client's create may have made the session, whether an event named it or not.
#[test]
fn a_session_that_may_be_a_living_clients_is_only_a_candidate() {
    for started in [false, true] {
        let world = World::new(&V1);
        lose_blocking(&world, &loser(&world), false);
        world.clock.advance(62 * SECOND);
        let living = loser(&world);
        if started {
            lose(&world, &living, true);
            assert_eq!(
                lost_events(&living),
                this_one_or_none(&world),
                "the dead client's create may have arrived late"
            );
        } else {
            lose_blocking(&world, &living, true);
        }
        let other = world.client();
        let found = other.recover_sessions().run().unwrap();
        assert_eq!((ids(&found), found[0].claim), (running(&world), Claim::Candidate), "{started}");
        assert_eq!(world.folder.states(), ["lost", "lost"]);
        found[0].session.stop().run().unwrap();
    }
}

/// Neither the living client that recovered it nor the next may take it for certain.
#[test]
fn a_recovered_candidate_may_be_anothers_too() {
    let world = World::new(&V1);
    world.leave_lost(1);
    let living = world.client();
    let found = living.recover_sessions().run().unwrap();
    assert_eq!((ids(&found), found[0].claim), (running(&world), Claim::OnlyCandidate), "there is no other create");
    // Its lease no longer matches, so it is known only by name.
    found[0].session.update_lease(Lease::new(2 * HOUR).unwrap()).run().unwrap();
    let two_hours = NewSession::new(SessionSize::Standard, Lease::new(2 * HOUR).unwrap());
    let dead = loser(&world);
    world.emulator.add_faults([V1.on(Asked::Create).close()]).unwrap();
    dead.create_session(&two_hours).run().unwrap_err();
    drop(dead);
    world.clock.advance(61 * SECOND);
    let other = world.client();
    let again = other.recover_sessions().run().unwrap();
    assert_eq!((ids(&again), again[0].claim), (running(&world), Claim::Candidate));
    assert!(other.recover_sessions().run().unwrap().is_empty(), "it was returned before");
    again[0].session.stop().run().unwrap();
}

/// Its session would have ended, or be older.
#[test]
fn a_lost_create_of_long_ago_has_not_made_a_new_session() {
    let world = World::new(&V1);
    let living = loser(&world);
    lose_blocking(&world, &living, false);
    world.clock.advance(HOUR);
    world.leave_lost(1);
    let found = world.client().recover_sessions().run().unwrap();
    assert_eq!((ids(&found), found[0].claim), (running(&world), Claim::OnlyCandidate));
    drop(found);
    let world = World::new(&V1);
    let living = world.client_with(ClientConfig { max_retries: 0, journal_folder: None, ..world.config() });
    lose_blocking(&world, &living, false);
    world.clock.advance(HOUR);
    lose(&world, &living, true);
    assert_eq!(lost_events(&living), [(running(&world).pop(), 0, 1)]);
}

/// Both clients gave this id, so either may have made the session.
#[test]
fn a_session_under_an_id_that_two_clients_gave_is_only_a_candidate() {
    for lives in [false, true] {
        let world = World::new(&V2021);
        let new = an_hour().with_id(SessionId::parse("shared").unwrap());
        let clients = [false, true].map(|executed| {
            let client = loser(&world);
            world.emulator.add_faults([V2021.on(Asked::Create).close().executed(executed)]).unwrap();
            client.create_session(&new).run().unwrap_err();
            client
        });
        let [living, dead] = clients;
        drop(dead);
        let living = lives.then_some(living);
        let found = world.client().recover_sessions().run().unwrap();
        assert_eq!((ids(&found), found[0].claim), (running(&world), Claim::Candidate), "{lives}");
        drop(living);
    }
}

/// Clients of one process share what they create, even without a journal.
#[test]
fn a_lost_create_does_not_name_a_session_just_created_by_another_client_of_the_process() {
    let world = World::new(&V1);
    let config = ClientConfig { journal_folder: None, service_endpoint: world.gate.url.clone(), ..world.config() };
    let [maker, loser] = [(); 2].map(|()| world.client_with(ClientConfig { max_retries: 0, ..config.clone() }));
    let reply = world.gate.hold(&V1, Asked::Create, At::Reply);
    let made = maker.create_session(&an_hour()).timeout(300 * SECOND).start().unwrap();
    reply.arrived();
    let with_journal =
        || ClientConfig { max_retries: 0, journal_folder: world.config().journal_folder, ..config.clone() };
    world.emulator.add_faults([V1.on(Asked::Create).close()]).unwrap();
    world.client_with(with_journal()).create_session(&an_hour()).run().unwrap_err();
    let next = world.client_with(with_journal());
    assert!(next.recover_sessions().run().unwrap().is_empty());
    let list = world.gate.hold(&V1, Asked::List, At::Reply);
    world.emulator.add_faults([V1.on(Asked::Create).close()]).unwrap();
    let lost = loser.create_session(&an_hour()).start().unwrap();
    assert_eq!(lost.wait(60 * SECOND), OperationState::Failed);
    list.arrived();
    reply.let_go();
    assert_eq!(made.wait(60 * SECOND), OperationState::Succeeded);
    list.let_go();
    assert_eq!(named(&loser), (None, 0));
    assert!(next.recover_sessions().run().unwrap().is_empty());
    assert_eq!(world.folder.states(), ["lost"]);
    assert_eq!(running(&world), [made.outcome().unwrap().id().to_string()]);
}

/// The session that the first event of a lost create names, and how many there are.
fn named(client: &Client) -> (Option<String>, u32) {
    let events = std::iter::repeat_with(|| client.next_event(60 * SECOND).unwrap().unwrap());
    let event = events.take(9).find(|event| event.kind == EventKind::CreateLost).unwrap();
    assert!(event.count > 0 || event.error.is_none(), "{event:?}");
    (event.session.map(|id| id.to_string()), event.count)
}

/// Another client's session is recovered as the candidate before the create arrives.
#[test]
fn a_create_that_arrives_late_is_found_beside_a_candidate() {
    let wire = &V1;
    let world = World::new(wire);
    let dead = world.client_with(ClientConfig { max_retries: 0, ..world.config() });
    world.emulator.add_faults([wire.on(Asked::Create).close()]).unwrap();
    assert_eq!(dead.create_session(&an_hour()).run().unwrap_err().kind(), ErrorKind::OutcomeUnknown);
    drop(dead);
    // At another address, because clients of one process share what they create at the same one.
    let stranger = world.client_with(ClientConfig {
        journal_folder: None,
        service_endpoint: world.gate.url.clone(),
        ..world.config()
    });
    let theirs = stranger.create_session(&an_hour()).run().unwrap();
    let client = world.client();
    let found = client.recover_sessions().run().unwrap();
    assert_eq!((ids(&found), found[0].claim), (vec![theirs.id().to_string()], Claim::OnlyCandidate));

    let late = stranger.create_session(&an_hour()).run().unwrap();
    let again = client.recover_sessions().run().unwrap();
    assert_eq!((ids(&again), again[0].claim), (vec![late.id().to_string()], Claim::Candidate));
    assert!(client.recover_sessions().run().unwrap().is_empty(), "both were already recovered");
    for recovered in found.iter().chain(&again) {
        recovered.session.stop().run().unwrap();
        assert_eq!(world.folder.states(), ["lost"], "another session may still appear");
    }
    drop(client);

    let late = stranger.create_session(&an_hour()).run().unwrap();
    let client = world.client();
    let found = client.recover_sessions().run().unwrap();
    assert_eq!((ids(&found), found[0].claim), (vec![late.id().to_string()], Claim::OnlyCandidate));
    world.clock.advance(61 * SECOND);
    assert!(client.recover_sessions().run().unwrap().is_empty());
    found[0].session.stop().run().unwrap();
    world.over();
}

/// The candidate is stopped before the application recovers sessions again.
#[test]
fn a_record_with_an_ended_candidate_is_removed_once_its_create_can_no_longer_arrive() {
    let world = World::new(&V1);
    world.leave_lost(1);
    let client = world.client();
    let found = client.recover_sessions().run().unwrap();
    found[0].session.stop().run().unwrap();
    assert!(client.recover_sessions().run().unwrap().is_empty());
    assert_eq!(world.folder.states(), ["lost"]);
    world.clock.advance(61 * SECOND);
    assert!(client.recover_sessions().run().unwrap().is_empty());
    world.over();
}

/// Its age counts from when it was sent, and not from when it began to wait.
#[test]
fn a_lost_create_that_waited_for_a_full_service_has_candidates() {
    let full = || V1.on(Asked::Create).times(60).status(429).body(r#"{"error":{"code":"ServiceFull"}}"#);
    for started in [true, false] {
        let world = World::new(&V1);
        world.emulator.add_faults([full(), V1.on(Asked::Create).close().executed(true)]).unwrap();
        let client = world.client();
        let create = client.create_session(&an_hour()).timeout(2 * HOUR);
        if started {
            let create = create.start().unwrap();
            assert_eq!(create.wait(60 * SECOND), OperationState::Failed);
            assert_eq!(lost_events(&client), vec![(running(&world).pop(), 0, 1)]);
        } else {
            assert_eq!(create.run().unwrap_err().kind(), ErrorKind::OutcomeUnknown);
        }
        assert!(world.clock.now() > 40 * 60 * SECOND);
        client.shut_down_within(60 * SECOND).unwrap();
        world.clock.advance(120 * SECOND);
        let client = world.client();
        let found = client.recover_sessions().run().unwrap();
        assert_eq!((ids(&found), found[0].claim), (running(&world), Claim::OnlyCandidate));
        found[0].session.stop().run().unwrap();
        world.over();
    }
}

#[test]
fn a_create_that_waited_keeps_its_record_for_a_minute_after_it_was_sent() {
    for wire in [&V1, &V2021] {
        let world = World::new(wire);
        let faults = [wire.on(Asked::Create).times(4).status(429), wire.on(Asked::Create).times(9).close()];
        world.emulator.add_faults(faults).unwrap();
        let client = world.client();
        let error = client.create_session(&an_hour()).timeout(HOUR).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
        assert!(world.clock.now() > 60 * SECOND);
        client.shut_down_within(60 * SECOND).unwrap();
        let client = world.client();
        for states in [&["lost"] as &[&str], &[]] {
            assert!(client.recover_sessions().run().unwrap().is_empty());
            world.folder.becomes(states);
            world.clock.advance(61 * SECOND);
        }
    }
}

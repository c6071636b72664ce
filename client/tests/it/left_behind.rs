//! Recovering what clients have left behind: several at once, other endpoints and accounts, and troubles on the way.

use crate::support::gate::{At, Mood};
use crate::support::journal::{JournalWorld as World, alive, until};
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{SECOND, an_hour};
use arr_client::{Claim, Client, ClientConfig, Credential, ErrorKind, Lease, OperationState, Recovered, StopScope};
use arr_service::{Account, Config, Emulator, Fault};
use std::collections::HashSet;
use std::sync::Barrier;
use std::time::Duration;

in_both_versions![
    of_two_clients_that_recover_at_once_each_session_goes_to_one,
    what_this_client_has_or_makes_is_not_recovered,
    a_session_is_recovered_at_the_endpoint_where_it_was_made,
    an_endpoint_that_is_gone_does_not_keep_the_others_from_being_recovered,
    an_endpoint_that_says_nothing_leaves_the_others_their_time,
    what_was_found_in_time_is_returned_and_the_rest_is_left_for_the_next_time,
    if_nothing_can_be_reached_that_is_told_and_nothing_is_lost,
    another_accounts_sessions_are_left_alone,
    a_recovery_that_is_cancelled_can_be_made_again,
    what_a_client_that_has_ended_made_is_left_behind_whoever_still_holds_it,
];

fn ids(found: &[Recovered]) -> HashSet<String> {
    let ids: HashSet<_> = found.iter().map(|recovered| recovered.session.id().to_string()).collect();
    assert_eq!(ids.len(), found.len(), "each is handed out once");
    ids
}

fn running(emulator: &Emulator) -> HashSet<String> {
    alive(emulator).into_iter().map(|session| session.id).collect()
}

fn of_two_clients_that_recover_at_once_each_session_goes_to_one(wire: &'static Wire) {
    let world = World::new(wire);
    world.leave(world.client(), 5);
    let clients = [world.client(), world.client()];
    let start = Barrier::new(2);
    let found: Vec<Vec<Recovered>> = std::thread::scope(|scope| {
        let recover = |client: &Client| {
            start.wait();
            client.recover_sessions().run().unwrap()
        };
        let threads: Vec<_> = clients.iter().map(|client| scope.spawn(move || recover(client))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(found[0].len() + found[1].len(), 5);
    assert_eq!(&ids(&found[0]) | &ids(&found[1]), running(&world.emulator));
    for (client, found) in clients.iter().zip(&found) {
        assert!(client.recover_sessions().run().unwrap().is_empty());
        assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, found.len());
    }
    world.over();
}

/// Where the service chooses the id, a session that is being made right now looks like one that a dead client may have made.
fn what_this_client_has_or_makes_is_not_recovered(wire: &'static Wire) {
    let world = World::new(wire);
    world.leave(world.client_through_gate(), 1);
    let client = world.client_through_gate();
    let reply = world.gate.hold(wire, Asked::Create, At::Reply);
    let create = client.create_session(&an_hour()).start().unwrap();
    reply.arrived();
    let found = client.recover_sessions().run().unwrap();
    assert_eq!(found.len(), 1);
    assert!(client.recover_sessions().run().unwrap().is_empty());
    reply.let_go();
    assert_eq!(create.wait(60 * SECOND), OperationState::Succeeded);
    assert!(client.recover_sessions().run().unwrap().is_empty());
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 2);
    world.over();
}

#[test]
fn while_this_client_makes_a_session_no_other_is_taken_for_what_a_dead_one_made() {
    let wire = &crate::support::wire::V1;
    let world = World::new(wire);
    let client = world.client_through_gate();
    let lost = world.gate.hold(wire, Asked::Create, At::Reply);
    let dead = world.client_through_gate();
    std::thread::scope(|scope| {
        let creating = scope.spawn(|| dead.create_session(&an_hour()).run().unwrap_err());
        lost.arrived();
        lost.cut();
        assert_eq!(creating.join().unwrap().kind(), ErrorKind::OutcomeUnknown);
    });
    drop(dead);
    let left = running(&world.emulator);
    let reply = world.gate.hold(wire, Asked::Create, At::Reply);
    let create = client.create_session(&an_hour()).start().unwrap();
    reply.arrived();
    assert!(client.recover_sessions().run().unwrap().is_empty());
    reply.let_go();
    assert_eq!(create.wait(60 * SECOND), OperationState::Succeeded);
    assert_eq!(ids(&client.recover_sessions().run().unwrap()), left);
}

/// Two answers were lost, and either session may be what either create has made.
#[test]
fn a_candidate_of_two_lost_creates_is_handed_out_once_and_both_are_forgotten_with_the_last() {
    let world = World::new(&crate::support::wire::V1);
    world.leave_lost(2);
    world.folder.becomes(&["lost", "lost"]);
    let client = world.client();
    let found = client.recover_sessions().run().unwrap();
    assert!(found.iter().all(|recovered| recovered.claim == Claim::Candidate));
    assert_eq!(ids(&found), running(&world.emulator));
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 0, "they may be somebody else's");
    found[0].session.stop().run().unwrap();
    assert_eq!(world.folder.states(), ["lost", "lost"]);
    found[1].session.stop().run().unwrap();
    world.over();
}

/// What it was asked for, and when, tell other people's sessions apart.
#[test]
fn sessions_of_another_size_or_lease_or_age_are_no_candidates() {
    let world = World::new(&crate::support::wire::V1);
    let stranger = world.client_with(ClientConfig { journal: None, ..world.config() });
    let new = |size, lease| arr_client::NewSession::new(size, Lease::new(lease).unwrap());
    let old = stranger.create_session(&an_hour()).run().unwrap();
    world.clock.advance(600 * SECOND);
    world.leave_lost(1);
    let lost = running(&world.emulator).into_iter().find(|id| *id != old.id().as_str()).unwrap();
    drop(stranger.create_session(&new(arr_client::SessionSize::Premium, crate::support::HOUR)).run().unwrap());
    drop(stranger.create_session(&new(arr_client::SessionSize::Standard, 2 * crate::support::HOUR)).run().unwrap());
    let found = world.client().recover_sessions().run().unwrap();
    assert_eq!(ids(&found), HashSet::from([lost]));
}

fn a_session_is_recovered_at_the_endpoint_where_it_was_made(wire: &'static Wire) {
    let world = World::new(wire);
    world.leave(world.client_through_gate(), 1);
    world.leave(world.client(), 1);
    let client = world.client();
    let found = client.recover_sessions().run().unwrap();
    assert_eq!(ids(&found), running(&world.emulator));
    let passed = world.gate.passed().len();
    found[0].session.stop().run().unwrap();
    assert_eq!(world.gate.passed()[passed..], [wire.stop], "the first that was made is the first that is found");
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1);
    assert_eq!(world.gate.passed().len(), passed + 1);
    world.over();

    world.leave(world.client_through_gate(), 1);
    assert_eq!(client.recover_sessions().run().unwrap().len(), 1);
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1, "wherever they are");
    world.over();
}

fn an_endpoint_that_is_gone_does_not_keep_the_others_from_being_recovered(wire: &'static Wire) {
    let world = World::new(wire);
    world.leave(world.client_through_gate(), 2);
    world.leave(world.client(), 1);
    world.gate.becomes(Mood::Gone);
    let client = world.client();
    let found = client.recover_sessions().run().unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(world.folder.records().len(), 3);
    found[0].session.stop().run().unwrap();
    world.folder.becomes(&["created", "created"]);

    world.gate.becomes(Mood::Open);
    assert_eq!(client.recover_sessions().run().unwrap().len(), 2, "they were left for the next time");
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 2);
    world.over();
}

/// Each try of a silent one takes its real time; the pauses between them take most of the time that it may have.
fn an_endpoint_that_says_nothing_leaves_the_others_their_time(wire: &'static Wire) {
    let world = World::new(wire);
    world.leave(world.client_through_gate(), 3);
    world.leave(world.client(), 1);
    world.gate.becomes(Mood::Silent);
    let config =
        ClientConfig { attempt_timeout: 2 * SECOND, retry_delay: Some(8 * SECOND), max_retries: 100, ..world.config() };
    let found = world.client_with(config).recover_sessions().timeout(60 * SECOND).run().unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(world.folder.records().len(), 4);
}

fn what_was_found_in_time_is_returned_and_the_rest_is_left_for_the_next_time(wire: &'static Wire) {
    let world = World::new(wire);
    world.leave(world.client_through_gate(), 1);
    world.leave(world.client(), 1);
    let client = world.client();
    let read = world.gate.hold(wire, Asked::Read, At::Reply);
    let found = std::thread::scope(|scope| {
        let recovering = scope.spawn(|| client.recover_sessions().timeout(10 * SECOND).run().unwrap());
        read.arrived();
        world.clock.advance(10 * SECOND);
        read.let_go();
        recovering.join().unwrap()
    });
    assert_eq!(found.len(), 1);
    assert_eq!(client.recover_sessions().run().unwrap().len(), 1);
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 2);
    world.over();
}

fn if_nothing_can_be_reached_that_is_told_and_nothing_is_lost(wire: &'static Wire) {
    let world = World::new(wire);
    world.leave(world.client_through_gate(), 2);
    let before = world.folder.records();
    world.gate.becomes(Mood::Gone);
    let client = world.client_through_gate();
    assert_eq!(client.recover_sessions().run().unwrap_err().kind(), ErrorKind::Network);
    assert_eq!(world.folder.records(), before);

    world.gate.becomes(Mood::Open);
    assert_eq!(client.recover_sessions().run().unwrap().len(), 2);
}

fn another_accounts_sessions_are_left_alone(wire: &'static Wire) {
    let other = Account::new("11111111-2222-4333-8444-555555555555", "b3RoZXI=").unwrap();
    let accounts = vec![Account::development(), other.clone()];
    let world = World::with(wire, Config { accounts, startup: Duration::ZERO, ..Config::default() });
    let of_other = || ClientConfig {
        account_id: other.id().into(),
        credential: Credential::AccountKey(other.key().into()),
        ..world.config()
    };
    world.leave(world.client_with(of_other()), 1);
    let client = world.client();
    world.emulator.clear_requests();
    assert!(client.recover_sessions().run().unwrap().is_empty());
    assert!(world.emulator.requests().is_empty());
    assert_eq!(world.folder.states(), ["created"]);

    let client = world.client_with(of_other());
    assert_eq!(client.recover_sessions().run().unwrap()[0].claim, Claim::Ours);
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1);
    world.over();
}

fn a_recovery_that_is_cancelled_can_be_made_again(wire: &'static Wire) {
    let world = World::new(wire);
    for asked in [Some(Asked::Read), None] {
        world.leave(world.client_through_gate(), 1);
        let client = world.client_through_gate();
        client.access_token().run().unwrap();
        let read = world.gate.hold(wire, Asked::Read, At::Reply);
        let recovery = client.recover_sessions().start().unwrap();
        read.arrived();
        if asked.is_some() {
            recovery.cancel();
            read.let_go();
        } else {
            // It has got as far as the journal, and is about to note whose they are from now on.
            let lock = world.folder.lock();
            read.let_go();
            // Time for it to come there: nobody can see that it waits.
            std::thread::sleep(Duration::from_millis(50));
            recovery.cancel();
            drop(lock);
        }
        assert_eq!(recovery.state(), OperationState::Cancelled);
        until(
            || !client.recover_sessions().run().unwrap().is_empty(),
            || "what nobody was given is still there".to_owned(),
        );
        assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1);
        world.over();
    }
}

/// An engine that reloads its scripts forgets the handles that it has, and the library stays loaded.
fn what_a_client_that_has_ended_made_is_left_behind_whoever_still_holds_it(wire: &'static Wire) {
    let world = World::new(wire);
    let next = world.client();
    for (waits, starts) in [(true, true), (false, true), (false, false)] {
        let ended = world.client();
        let held = ended.create_session(&an_hour()).run().unwrap();
        let started = starts.then(|| ended.list_sessions().start().unwrap());
        world.emulator.clear_requests();
        assert!(next.recover_sessions().run().unwrap().is_empty());
        assert!(!world.emulator.requests().iter().any(|request| request.path.contains(held.id().as_str())));
        if waits {
            ended.shut_down_within(60 * SECOND).unwrap();
        } else {
            drop(ended);
            // The started one ends before, on a thread of the client's own.
            until(|| next.recover_sessions().run().unwrap().len() == 1, || "nobody answers for it".to_owned());
        }
        let found = next.recover_sessions().run().unwrap();
        assert_eq!(found.len(), usize::from(waits));
        assert_eq!(next.stop_all(StopScope::Own).run().unwrap().stopped, 1);
        world.over();
        drop((held, started));
    }
}

#[test]
fn a_recovery_can_be_started() {
    let world = World::new(&crate::support::wire::V2021);
    world.leave(world.client(), 2);
    world.emulator.add_faults([Fault::on("GET", "/accounts/*/sessions/*").status(503)]).unwrap();
    let client = world.client();
    let recovery = client.recover_sessions().label(7).start().unwrap();
    assert_eq!(recovery.wait(60 * SECOND), OperationState::Succeeded);
    assert_eq!(ids(&recovery.outcome().unwrap()), running(&world.emulator));
    assert_eq!(client.next_event(SECOND).unwrap().unwrap().label.user_data, 7);
}

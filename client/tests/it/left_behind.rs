//! Recovering sessions: by several clients at once, at other endpoints and accounts, and with failures.

use crate::support::gate::{At, Mood};
use crate::support::journal::{JournalWorld as World, alive, until};
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{SECOND, an_hour, shared};
#[cfg(target_os = "linux")]
use crate::support::{own_process, wire::V1, wire::V2021};
use arr_client::test_util::{Clock, Instant, Signal};
use arr_client::{
    Claim, Client, ClientConfig, Credential, ErrorKind, Lease, OperationState, Recovered, Session, SessionId, StopScope,
};
use arr_service::{Account, Config, Emulator, Fault};
use std::collections::HashSet;
use std::sync::{Arc, Barrier};
use std::time::Duration;

in_both_versions![
    concurrent_recoveries_never_share_a_session,
    a_client_does_not_recover_its_own_sessions,
    a_session_is_recovered_at_the_endpoint_where_it_was_created,
    an_unreachable_endpoint_does_not_prevent_recovery_at_others,
    a_silent_endpoint_leaves_time_for_the_others,
    at_the_deadline_recovery_returns_what_it_found,
    if_no_session_can_be_checked_recovery_fails_and_loses_nothing,
    another_accounts_sessions_are_left_alone,
    an_endpoint_that_is_not_trusted_is_not_contacted,
    a_released_session_is_recovered_only_by_its_id,
    the_recorded_sessions_are_those_of_all_owners,
    a_cancelled_recovery_can_be_repeated,
    sessions_of_an_ended_client_can_be_recovered_despite_live_handles,
];

/// For example a file restored from a backup. Root can write to any file.
#[cfg(target_os = "linux")]
#[test]
fn sessions_in_a_file_that_cannot_be_written_are_reported() {
    use std::os::unix::fs::PermissionsExt;
    own_process::run_as_nobody(module_path!(), "sessions_in_a_file_that_cannot_be_written_are_reported", || {
        for wire in [&V1, &V2021] {
            let world = World::new(wire);
            world.leave(world.client(), 1);
            let file = std::fs::read_dir(&world.folder.0).unwrap().next().unwrap().unwrap().path();
            let becomes = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            becomes(0o400);
            let client = world.client();
            let recovered = client.recover_sessions().run().unwrap_err();
            let reused = client.reuse_or_create(&an_hour(), arr_client::Reuse::default()).run().unwrap_err();
            for error in [recovered, reused] {
                assert_eq!(error.kind(), ErrorKind::Storage);
                assert!(error.message().contains("cannot be written"), "{error}");
            }
            assert_eq!(alive(&world.emulator).len(), 1);
            becomes(0o600);
            assert_eq!(client.recover_sessions().run().unwrap().len(), 1);
        }
    });
}

fn ids(found: &[Recovered]) -> HashSet<String> {
    let ids: HashSet<_> = found.iter().map(|recovered| recovered.session.id().to_string()).collect();
    assert_eq!(ids.len(), found.len(), "each is returned once");
    ids
}

fn running(emulator: &Emulator) -> HashSet<String> {
    alive(emulator).into_iter().map(|session| session.id).collect()
}

fn concurrent_recoveries_never_share_a_session(wire: &'static Wire) {
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

/// If the service chooses the id, a session that is just being created looks like one of a dead client.
fn a_client_does_not_recover_its_own_sessions(wire: &'static Wire) {
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
fn no_candidate_is_recovered_while_this_client_is_creating() {
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

/// Two replies were lost, and either create may have made either session.
#[test]
fn a_candidate_of_two_lost_creates_is_returned_once() {
    let world = World::new(&crate::support::wire::V1);
    world.leave_lost(2);
    world.folder.becomes(&["lost", "lost"]);
    world.clock.advance(61 * SECOND);
    let client = world.client();
    let found = client.recover_sessions().run().unwrap();
    assert!(found.iter().all(|recovered| recovered.claim == Claim::Candidate));
    assert_eq!(ids(&found), running(&world.emulator));
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 0, "they may be another client's");
    found[0].session.stop().run().unwrap();
    assert_eq!(world.folder.states(), ["lost", "lost"]);
    found[1].session.stop().run().unwrap();
    world.over();
}

/// The application found it in the list and opened it before recovering sessions.
#[test]
fn a_candidate_that_was_already_opened_is_recovered() {
    let world = World::new(&crate::support::wire::V1);
    world.leave_lost(1);
    world.clock.advance(120 * SECOND);
    let client = world.client();
    let listed = client.list_sessions().run().unwrap();
    let opened = client.open_session(&listed[0].properties.id).run().unwrap();
    let found = client.recover_sessions().run().unwrap();
    assert_eq!(ids(&found), running(&world.emulator));
    assert_eq!(found[0].claim, Claim::OnlyCandidate);
    world.folder.becomes(&["lost"]);
    opened.stop().run().unwrap();
    world.over();
}

/// Two replies were lost, and one session is left: either create may have made it.
#[test]
fn a_shared_candidate_of_two_lost_creates_is_not_the_only_one() {
    let world = World::new(&crate::support::wire::V1);
    world.leave_lost(2);
    let gone = running(&world.emulator).into_iter().next().unwrap();
    let stranger = world.stranger();
    let gone = stranger.open_session(&SessionId::parse(&gone).unwrap()).run().unwrap();
    gone.stop().run().unwrap();
    let found = world.client().recover_sessions().run().unwrap();
    assert_eq!(ids(&found), running(&world.emulator));
    assert_eq!(found[0].claim, Claim::Candidate);
}

/// Size, lease and time distinguish other clients' sessions.
#[test]
fn sessions_of_another_size_lease_or_age_are_not_candidates() {
    let world = World::new(&crate::support::wire::V1);
    let stranger = world.stranger();
    let new = |size, lease| arr_client::NewSession::new(size, Lease::new(lease).unwrap());
    let old = stranger.create_session(&an_hour()).run().unwrap();
    // Ready for longer than since the create was sent.
    world.clock.advance(3 * SECOND);
    world.leave_lost(1);
    let lost = running(&world.emulator).into_iter().find(|id| *id != old.id().as_str()).unwrap();
    drop(stranger.create_session(&new(arr_client::SessionSize::Premium, crate::support::HOUR)).run().unwrap());
    drop(stranger.create_session(&new(arr_client::SessionSize::Standard, 2 * crate::support::HOUR)).run().unwrap());
    world.clock.advance(32 * 60 * SECOND);
    drop(stranger.create_session(&an_hour()).run().unwrap());
    let found = world.client().recover_sessions().run().unwrap();
    assert_eq!(ids(&found), HashSet::from([lost]));
    assert_eq!(found[0].claim, Claim::OnlyCandidate);
}

/// The wall clock was set back, so the create seems younger than its session.
#[test]
fn a_record_stays_while_only_its_time_excludes_a_session() {
    let world = World::new(&crate::support::wire::V1);
    world.leave_lost(1);
    world.clock.advance(20 * 60 * SECOND);
    let behind = || Arc::new(SetBack(shared(&world.clock), 15 * 60 * SECOND));
    let client = Client::with_clock(world.config(), behind()).unwrap();
    assert!(client.recover_sessions().run().unwrap().is_empty(), "it may be another client's");
    assert_eq!(world.folder.states(), ["lost"]);
    assert_eq!(ids(&world.client().recover_sessions().run().unwrap()), running(&world.emulator));
}

/// A create that never arrived, and another client's similar session hours later.
#[test]
fn a_session_that_is_far_too_young_is_not_a_candidate() {
    let wire = &crate::support::wire::V1;
    let world = World::new(wire);
    let client = world.client_with(ClientConfig { max_retries: 0, ..world.config() });
    world.emulator.add_faults([wire.on(Asked::Create).close()]).unwrap();
    assert_eq!(client.create_session(&an_hour()).run().unwrap_err().kind(), ErrorKind::OutcomeUnknown);
    drop(client);
    world.clock.advance(5 * 3600 * SECOND);
    let stranger = world.stranger();
    let theirs = stranger.create_session(&an_hour()).run().unwrap();
    assert!(world.client().recover_sessions().run().unwrap().is_empty());
    theirs.stop().run().unwrap();
    assert!(world.client().recover_sessions().run().unwrap().is_empty());
    world.folder.becomes(&[]);
}

/// A clock whose wall time is behind.
#[derive(Debug)]
struct SetBack(Arc<dyn Clock>, Duration);

impl Clock for SetBack {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn unix_time(&self) -> Duration {
        self.0.unix_time() - self.1
    }

    fn sleep(&self, signal: &Signal, seen: u64, until: Instant) {
        self.0.sleep(signal, seen, until);
    }
}

fn a_session_is_recovered_at_the_endpoint_where_it_was_created(wire: &'static Wire) {
    let world = World::new(wire);
    world.leave(world.client_through_gate(), 1);
    world.leave(world.client(), 1);
    let client = world.client();
    let found = client.recover_sessions().run().unwrap();
    assert_eq!(ids(&found), running(&world.emulator));
    let passed = world.gate.passed().len();
    found[0].session.stop().run().unwrap();
    assert_eq!(world.gate.passed()[passed..], [wire.stop], "they are found in the order of their creation");
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1);
    assert_eq!(world.gate.passed().len(), passed + 1);
    world.over();

    world.leave(world.client_through_gate(), 1);
    assert_eq!(client.recover_sessions().run().unwrap().len(), 1);
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1, "at every endpoint");
    world.over();
}

fn an_unreachable_endpoint_does_not_prevent_recovery_at_others(wire: &'static Wire) {
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
    assert_eq!(client.recover_sessions().run().unwrap().len(), 2, "they were left for the next call");
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 2);
    world.over();
}

/// Each attempt at a silent endpoint takes real time; the delays in between take most of its share.
fn a_silent_endpoint_leaves_time_for_the_others(wire: &'static Wire) {
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

fn at_the_deadline_recovery_returns_what_it_found(wire: &'static Wire) {
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

fn if_no_session_can_be_checked_recovery_fails_and_loses_nothing(wire: &'static Wire) {
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

/// Otherwise anyone who can write to the folder could get the account's token.
fn an_endpoint_that_is_not_trusted_is_not_contacted(wire: &'static Wire) {
    let world = World::new(wire);
    world.leave(world.client_through_gate(), 1);
    let (passed, before) = (world.gate.passed().len(), world.folder.records());
    let careful = || world.client_with(ClientConfig { trusted_endpoints: Vec::new(), ..world.config() });
    let error = careful().recover_sessions().run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.message().contains(&world.gate.url) && error.message().contains("`trusted_endpoints`"), "{error}");
    world.leave(careful(), 1);
    let client = careful();
    assert_eq!(client.recover_sessions().run().unwrap().len(), 1);
    assert!(client.reuse_or_create(&an_hour(), arr_client::Reuse::default()).run().unwrap().reused);
    assert_eq!((world.gate.passed().len(), &world.folder.records()[0]), (passed, &before[0]));
    let elsewhere = arr_client::SessionId::parse(before[0]["session_id"].as_str().unwrap()).unwrap();
    assert_eq!(client.recover_session(&elsewhere).run().unwrap_err().kind(), ErrorKind::Storage);
}

fn a_released_session_is_recovered_only_by_its_id(wire: &'static Wire) {
    let world = World::new(wire);
    let client = world.client();
    let (released, crashed) =
        (client.create_session(&an_hour()).run().unwrap(), client.create_session(&an_hour()).run());
    released.release().unwrap();
    let (released, crashed) = (released.id().clone(), crashed.unwrap().id().clone());
    drop(client);
    assert_eq!(world.folder.states(), ["created", "released"]);

    let client = world.client();
    let reused = client.reuse_or_create(&an_hour(), arr_client::Reuse::default()).run().unwrap().session;
    assert_eq!(*reused.id(), crashed);
    assert!(client.recover_sessions().run().unwrap().is_empty());
    assert_eq!(
        client.recover_session(&crashed).run().unwrap_err().kind(),
        ErrorKind::NotFound,
        "it is already its own"
    );
    let session = client.recover_session(&released).run().unwrap();
    assert_eq!(*session.id(), released);
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 2);
    world.over();
}

fn the_recorded_sessions_are_those_of_all_owners(wire: &'static Wire) {
    let world = World::new(wire);
    let create = |client: &Client| client.create_session(&an_hour()).run().unwrap();
    let (ended, living, client) = (world.client(), world.client(), world.client());
    let [released, crashed, lives, own, stopped] = [&ended, &ended, &living, &client, &client].map(create);
    released.release().unwrap();
    stopped.stop().run().unwrap();
    drop(ended);

    let sent = world.emulator.requests().len();
    let recorded = client.recorded_sessions().unwrap();
    assert_eq!(world.emulator.requests().len(), sent);
    let of = |session: &Session| recorded.iter().find(|it| it.id == *session.id()).map(|it| (it.released, it.in_use));
    assert_eq!([&released, &crashed].map(of), [Some((true, false)), Some((false, false))]);
    assert_eq!([&lives, &own, &stopped].map(of), [Some((false, true)), Some((false, true)), None]);
    assert_eq!(recorded.len(), 4);
    let other = ClientConfig { account_id: "11111111-2222-4333-8444-555555555555".into(), ..world.config() };
    assert!(world.client_with(other).recorded_sessions().unwrap().is_empty());
    let without = world.client_with(ClientConfig { journal_folder: None, ..world.config() });
    assert_eq!(without.recorded_sessions().unwrap_err().kind(), ErrorKind::InvalidArgument);
    client.stop_all(StopScope::Account).run().unwrap();
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

fn a_cancelled_recovery_can_be_repeated(wire: &'static Wire) {
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
            // It is about to record the new owner in the journal.
            let held = world.folder.hold();
            read.let_go();
            held.wait_until_reached();
            recovery.cancel();
            drop(held);
        }
        assert_eq!(recovery.state(), OperationState::Cancelled);
        until(
            || !client.recover_sessions().run().unwrap().is_empty(),
            || "the session should still be recoverable".to_owned(),
        );
        assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1);
        world.over();
    }
}

/// An engine that reloads its scripts loses its handles, while the library stays loaded.
fn sessions_of_an_ended_client_can_be_recovered_despite_live_handles(wire: &'static Wire) {
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
            // The started operation ends earlier, on the client's own thread.
            until(|| next.recover_sessions().run().unwrap().len() == 1, || "it should be recoverable".to_owned());
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

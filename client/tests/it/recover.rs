//! Recovering the sessions of a process, whenever it was killed.

use crate::support::gate::{At, Gate};
use crate::support::journal::{Folder, alive, all_end};
use crate::support::process::Process;
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{SECOND, config_for};
use arr_client::test_util::{Clock, Instant, Signal, SystemClock};
use arr_client::{Claim, Client, ClientConfig, ErrorKind, Recovered, StopScope};
use arr_service::{Config, Emulator};
use std::sync::Arc;
use std::time::Duration;

in_both_versions![
    a_process_killed_before_its_first_create_leaves_nothing,
    an_unsent_create_is_forgotten_once_it_can_no_longer_arrive,
    a_create_that_arrives_after_its_process_was_killed_is_recovered,
    a_session_is_recovered_if_its_process_died_before_the_reply,
    a_killed_processes_session_is_recovered_as_ours,
    a_session_that_has_ended_is_not_recovered,
    a_process_killed_after_a_stop_leaves_nothing,
    no_session_is_forgotten_whenever_a_process_is_killed,
    sessions_of_a_live_process_are_not_recovered,
];

/// An emulator, and a journal shared by processes.
struct World {
    emulator: Emulator,
    /// The other processes reach the emulator through it.
    gate: Gate,
    folder: Folder,
    wire: &'static Wire,
}

impl World {
    fn new(wire: &'static Wire) -> World {
        let emulator = Emulator::start(Config { startup: Duration::ZERO, ..Config::default() }).unwrap();
        let gate = Gate::to(emulator.url());
        World { emulator, gate, folder: Folder::new(), wire }
    }

    /// The next run of the application, in this process.
    fn next_run(&self) -> Client {
        self.run_later(Duration::ZERO)
    }

    /// The next run, this much later.
    fn run_later(&self, later: Duration) -> Client {
        let config = config_for(&self.emulator, self.folder.config(self.wire));
        let config = ClientConfig { service_endpoint: self.gate.url.clone(), ..config };
        Client::with_clock(config, Arc::new(LaterClock(later))).unwrap()
    }

    fn process(&self) -> Process {
        Process::start(self.wire, &self.gate.url, &self.folder.0, 60 * SECOND)
    }

    /// Asserts that the next run recovers the only running session with this claim, and stops it.
    fn finds(&self, claim: Claim) {
        assert_eq!(ids(&self.next_run().recover_sessions().run().unwrap()).len(), 1, "at once");
        let client = self.run_later(61 * SECOND);
        let found = client.recover_sessions().run().unwrap();
        let running: Vec<_> = alive(&self.emulator).into_iter().map(|session| session.id).collect();
        assert_eq!(ids(&found), running);
        assert_eq!((found.len(), found[0].claim), (1, claim));
        assert_eq!(self.folder.records().len(), 1, "it stays recorded while it is running");
        stop(&client, &found);
        self.folder.becomes(&[]);
        all_end(&self.emulator);
    }

    /// Asserts that the next run recovers nothing, and nothing is left.
    fn finds_nothing(&self) {
        assert!(self.next_run().recover_sessions().run().unwrap().is_empty());
        assert_eq!(self.folder.states(), [""; 0]);
        assert!(alive(&self.emulator).is_empty());
    }

    /// The claim to a session whose id was not received. If the service chose it, the session may be another client's.
    fn unseen(&self) -> Claim {
        if self.wire.is_v1() { Claim::OnlyCandidate } else { Claim::Ours }
    }
}

/// The machine's clock, this much ahead.
#[derive(Debug)]
struct LaterClock(Duration);

impl Clock for LaterClock {
    fn now(&self) -> Instant {
        SystemClock.now()
    }

    fn unix_time(&self) -> Duration {
        SystemClock.unix_time() + self.0
    }

    fn sleep(&self, signal: &Signal, seen: u64, until: Instant) {
        SystemClock.sleep(signal, seen, until);
    }
}

fn ids(found: &[Recovered]) -> Vec<String> {
    found.iter().map(|recovered| recovered.session.id().to_string()).collect()
}

/// Stops the sessions that are ours, and then the candidates.
fn stop(client: &Client, found: &[Recovered]) {
    let own = found.iter().filter(|recovered| recovered.claim == Claim::Ours).count();
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, own);
    for candidate in found.iter().filter(|recovered| recovered.claim != Claim::Ours) {
        candidate.session.stop().run().unwrap();
    }
}

fn a_process_killed_before_its_first_create_leaves_nothing(wire: &'static Wire) {
    let world = World::new(wire);
    world.process().kill();
    world.finds_nothing();
    assert!(world.emulator.requests().is_empty());
}

fn an_unsent_create_is_forgotten_once_it_can_no_longer_arrive(wire: &'static Wire) {
    let world = World::new(wire);
    let mut process = world.process();
    let token = world.gate.hold_token(wire, At::Request);
    process.send("create");
    token.arrived();
    assert_eq!(world.folder.states(), ["creating"], "it is recorded before anything is sent");
    process.kill();
    token.cut();
    assert!(world.next_run().recover_sessions().run().unwrap().is_empty());
    assert_eq!(world.folder.states(), ["creating"], "it may still arrive");
    assert!(world.run_later(61 * SECOND).recover_sessions().run().unwrap().is_empty());
    world.finds_nothing();
}

fn a_create_that_arrives_after_its_process_was_killed_is_recovered(wire: &'static Wire) {
    let world = World::new(wire);
    let mut process = world.process();
    let create = world.gate.hold(wire, Asked::Create, At::Request);
    process.send("create");
    create.arrived();
    process.kill();
    assert!(world.next_run().recover_sessions().run().unwrap().is_empty());
    create.let_go();
    crate::support::journal::until(|| !alive(&world.emulator).is_empty(), || "it should arrive".to_owned());
    world.finds(world.unseen());
}

fn a_session_is_recovered_if_its_process_died_before_the_reply(wire: &'static Wire) {
    let world = World::new(wire);
    let mut process = world.process();
    let reply = world.gate.hold(wire, Asked::Create, At::Reply);
    process.send("create");
    reply.arrived();
    process.kill();
    reply.cut();
    world.finds(world.unseen());
}

fn a_killed_processes_session_is_recovered_as_ours(wire: &'static Wire) {
    let world = World::new(wire);
    let mut process = world.process();
    let id = process.create();
    process.kill();
    assert_eq!(world.folder.records()[0]["session_id"], id.as_str());
    world.finds(Claim::Ours);
}

fn a_session_that_has_ended_is_not_recovered(wire: &'static Wire) {
    let world = World::new(wire);
    let mut process = world.process();
    let id = process.create();
    process.kill();
    world.next_run().open_session(&id).run().unwrap().stop().run().unwrap();
    assert_eq!(world.folder.states(), ["created"], "another client stopped it");
    world.finds_nothing();
}

fn a_process_killed_after_a_stop_leaves_nothing(wire: &'static Wire) {
    let world = World::new(wire);
    let mut process = world.process();
    process.create();
    process.send("stop");
    process.receive("done");
    process.kill();
    world.finds_nothing();
}

/// Kills processes at random times, for example between the reply and the journal write.
fn no_session_is_forgotten_whenever_a_process_is_killed(wire: &'static Wire) {
    let world = World::new(wire);
    for round in 0..8 {
        let mut process = world.process();
        process.send("create");
        process.send("stop");
        // The random time.
        std::thread::sleep(Duration::from_micros(u64::from(uuid::Uuid::new_v4().as_bytes()[0]) * 100));
        process.kill();
        world.folder.remembers_all(&world.emulator, &[]);
        let client = world.next_run();
        let found = client.recover_sessions().run().unwrap();
        stop(&client, &found);
        drop((client, found));
        // A request of the killed process may still arrive.
        let late = world.run_later(61 * SECOND);
        let found = late.recover_sessions().run().unwrap();
        stop(&late, &found);
        assert!(alive(&world.emulator).is_empty(), "round {round}: {:?}", world.folder.records());
        world.folder.becomes(&[]);
    }
}

fn sessions_of_a_live_process_are_not_recovered(wire: &'static Wire) {
    let world = World::new(wire);
    let (mut dead, mut living, mut creating) = (world.process(), world.process(), world.process());
    let reply = world.gate.hold(wire, Asked::Create, At::Reply);
    dead.send("create");
    reply.arrived();
    dead.kill();
    reply.cut();
    let left = alive(&world.emulator)[0].id.clone();

    living.create();
    let reply = world.gate.hold(wire, Asked::Create, At::Reply);
    creating.send("create");
    reply.arrived();
    assert_eq!(alive(&world.emulator).len(), 3);
    let client = world.run_later(61 * SECOND);
    let found = client.recover_sessions().run().unwrap();
    if wire.is_v1() {
        assert!(found.is_empty(), "one of the two sessions with unknown ids is just being created");
        assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 0);
        reply.let_go();
        creating.receive("created");
        let found = client.recover_sessions().run().unwrap();
        assert_eq!((ids(&found), found[0].claim), (vec![left], Claim::OnlyCandidate));
        stop(&client, &found);
    } else {
        assert_eq!(ids(&found), [left]);
        stop(&client, &found);
        reply.let_go();
        creating.receive("created");
    }
    assert!(client.recover_sessions().run().unwrap().is_empty());
    assert_eq!(alive(&world.emulator).len(), 2);
    world.folder.becomes(&["created", "created"]);

    living.kill();
    creating.kill();
    let found = client.recover_sessions().run().unwrap();
    assert_eq!(found.len(), 2);
    stop(&client, &found);
    all_end(&world.emulator);
    world.folder.becomes(&[]);
}

#[test]
fn recovery_requires_a_journal() {
    let world = World::new(&crate::support::wire::V1);
    let client = Client::new(config_for(&world.emulator, ClientConfig::default())).unwrap();
    let error = client.recover_sessions().run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("`journal_folder`"), "{error}");
}

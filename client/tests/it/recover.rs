//! Sessions that a process has left behind, however it ended: what the next one finds of them.

use crate::support::gate::{At, Gate};
use crate::support::journal::{Folder, alive, all_end};
use crate::support::own_process;
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{SECOND, an_hour, config_for};
use arr_client::test_util::{Clock, Instant, Signal, SystemClock};
use arr_client::{ApiVersion, Claim, Client, ClientConfig, ErrorKind, Recovered, SessionId, StopScope};
use arr_service::{Config, Emulator};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::Arc;
use std::time::Duration;

in_both_versions![
    a_process_that_is_killed_before_it_creates_anything_leaves_nothing,
    a_create_that_was_never_sent_is_forgotten_when_it_cannot_arrive_any_more,
    a_create_that_arrives_after_its_process_was_killed_is_found,
    a_session_whose_process_was_killed_before_it_knew_of_it_is_found,
    a_session_whose_process_was_killed_before_it_noted_its_id_is_found,
    a_session_whose_process_was_killed_is_found_and_is_ours,
    a_session_that_has_ended_meanwhile_is_not_found,
    a_process_that_is_killed_after_a_stop_leaves_nothing,
    whenever_a_process_is_killed_nothing_is_forgotten,
    what_another_process_that_lives_has_or_makes_is_not_ours,
];

/// An emulator, and a journal that processes share.
struct World {
    emulator: Emulator,
    /// The way to the emulator that the other processes take.
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

    /// The same, so much later.
    fn run_later(&self, later: Duration) -> Client {
        let config = config_for(&self.emulator, self.folder.config(self.wire));
        let config = ClientConfig { service_endpoint: self.gate.url.clone(), ..config };
        Client::with_clock(config, Arc::new(LaterClock(later))).unwrap()
    }

    fn process(&self) -> Process {
        Process::start(self)
    }

    /// What is found of one that was killed when it had got so far, and had no other session.
    fn finds(&self, claim: Claim) {
        let client = self.next_run();
        let found = client.recover_sessions().run().unwrap();
        let running: Vec<_> = alive(&self.emulator).into_iter().map(|session| session.id).collect();
        assert_eq!(ids(&found), running);
        assert_eq!((found.len(), found[0].claim), (1, claim));
        assert_eq!(self.folder.records().len(), 1, "it stays noted while it runs");
        stop(&client, &found);
        self.folder.becomes(&[]);
        all_end(&self.emulator);
    }

    /// That nothing is found, and nothing is left.
    fn finds_nothing(&self) {
        assert!(self.next_run().recover_sessions().run().unwrap().is_empty());
        assert_eq!(self.folder.states(), [""; 0]);
        assert!(alive(&self.emulator).is_empty());
    }

    /// Where the service chooses the id, a session whose id nobody has seen may be somebody else's.
    fn unseen(&self) -> Claim {
        if self.wire.is_v1() { Claim::Candidate } else { Claim::Ours }
    }
}

/// The machine's clock, so much later.
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

/// Another process with a client of its own.
struct Process {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

const JOURNAL: &str = "ARR_TEST_JOURNAL";
const VERSION: &str = "ARR_TEST_VERSION";
const TOKENS: &str = "ARR_TEST_TOKENS";
const SESSIONS: &str = "ARR_TEST_SESSIONS";

/// The other process of these tests; alone it does nothing.
#[test]
fn a_process_that_does_as_it_is_told() {
    let Ok(journal) = std::env::var(JOURNAL) else { return };
    let var = |name| std::env::var(name).unwrap();
    let account = arr_service::Account::development();
    let client = Client::new(ClientConfig {
        account_id: account.id().to_owned(),
        credential: arr_client::Credential::AccountKey(account.key().into()),
        account_domain: var(TOKENS),
        service_endpoint: var(SESSIONS),
        api_version: if var(VERSION) == "v1" { ApiVersion::V1 } else { ApiVersion::V2021_01_01 },
        journal: Some(Path::new(&journal).to_owned()),
        ..ClientConfig::default()
    })
    .unwrap();
    println!("\nready");
    let mut session = None;
    // Ends also if the test that should kill it is gone itself.
    for order in std::io::stdin().lines() {
        match order.unwrap().as_str() {
            "create" => {
                let created = client.create_session(&an_hour()).run().unwrap();
                println!("created {}", created.id());
                session = Some(created);
            }
            _ => {
                session.take().unwrap().stop().run().unwrap();
                println!("stopped");
            }
        }
    }
}

impl Process {
    fn start(world: &World) -> Process {
        let mut child = own_process::command(module_path!(), "a_process_that_does_as_it_is_told")
            .env(JOURNAL, world.folder.journal())
            .env(VERSION, if world.wire.is_v1() { "v1" } else { "2021-01-01" })
            .env(TOKENS, &world.gate.url)
            .env(SESSIONS, &world.gate.url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (orders, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut process = Process { child, orders, answers };
        process.hear("ready");
        process
    }

    fn tell(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
    }

    /// Waits for an answer that begins so, and returns the rest of it.
    fn hear(&mut self, beginning: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.answers.read_line(&mut line).unwrap() > 0, "it ended before it said {beginning}");
            if let Some(rest) = line.trim_end().strip_prefix(beginning) {
                return rest.trim().to_owned();
            }
        }
    }

    fn create(&mut self) -> SessionId {
        self.tell("create");
        SessionId::parse(&self.hear("created")).unwrap()
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ids(found: &[Recovered]) -> Vec<String> {
    found.iter().map(|recovered| recovered.session.id().to_string()).collect()
}

/// Stops what is ours, and then what may be.
fn stop(client: &Client, found: &[Recovered]) {
    let own = found.iter().filter(|recovered| recovered.claim == Claim::Ours).count();
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, own);
    for candidate in found.iter().filter(|recovered| recovered.claim == Claim::Candidate) {
        candidate.session.stop().run().unwrap();
    }
}

fn a_process_that_is_killed_before_it_creates_anything_leaves_nothing(wire: &'static Wire) {
    let world = World::new(wire);
    world.process().kill();
    world.finds_nothing();
    assert!(world.emulator.requests().is_empty());
}

fn a_create_that_was_never_sent_is_forgotten_when_it_cannot_arrive_any_more(wire: &'static Wire) {
    let world = World::new(wire);
    let mut process = world.process();
    let token = world.gate.hold_token(wire, At::Request);
    process.tell("create");
    token.arrived();
    assert_eq!(world.folder.states(), ["creating"], "it is noted before anything is sent for it");
    process.kill();
    token.cut();
    assert!(world.next_run().recover_sessions().run().unwrap().is_empty());
    assert_eq!(world.folder.states(), ["creating"], "who looks at once cannot know that nothing was sent");
    assert!(world.run_later(61 * SECOND).recover_sessions().run().unwrap().is_empty());
    world.finds_nothing();
}

fn a_create_that_arrives_after_its_process_was_killed_is_found(wire: &'static Wire) {
    let world = World::new(wire);
    let mut process = world.process();
    let create = world.gate.hold(wire, Asked::Create, At::Request);
    process.tell("create");
    create.arrived();
    process.kill();
    assert!(world.next_run().recover_sessions().run().unwrap().is_empty());
    create.let_go();
    crate::support::journal::until(|| !alive(&world.emulator).is_empty(), || "it should arrive".to_owned());
    world.finds(world.unseen());
}

fn a_session_whose_process_was_killed_before_it_knew_of_it_is_found(wire: &'static Wire) {
    let world = World::new(wire);
    let mut process = world.process();
    let reply = world.gate.hold(wire, Asked::Create, At::Reply);
    process.tell("create");
    reply.arrived();
    process.kill();
    reply.cut();
    world.finds(world.unseen());
}

fn a_session_whose_process_was_killed_before_it_noted_its_id_is_found(wire: &'static Wire) {
    let world = World::new(wire);
    let mut process = world.process();
    let reply = world.gate.hold(wire, Asked::Create, At::Reply);
    process.tell("create");
    reply.arrived();
    let lock = world.folder.lock();
    reply.let_go();
    // Time for the reply to arrive: the process cannot tell that it waits for the journal.
    std::thread::sleep(Duration::from_millis(50));
    process.kill();
    drop(lock);
    assert_eq!(world.folder.states(), ["creating"]);
    world.finds(world.unseen());
}

fn a_session_whose_process_was_killed_is_found_and_is_ours(wire: &'static Wire) {
    let world = World::new(wire);
    let mut process = world.process();
    let id = process.create();
    process.kill();
    assert_eq!(world.folder.records()[0]["session_id"], id.as_str());
    world.finds(Claim::Ours);
}

fn a_session_that_has_ended_meanwhile_is_not_found(wire: &'static Wire) {
    let world = World::new(wire);
    let mut process = world.process();
    let id = process.create();
    process.kill();
    world.next_run().open_session(&id).run().unwrap().stop().run().unwrap();
    assert_eq!(world.folder.states(), ["created"], "it was stopped as somebody else's");
    world.finds_nothing();
}

fn a_process_that_is_killed_after_a_stop_leaves_nothing(wire: &'static Wire) {
    let world = World::new(wire);
    let mut process = world.process();
    process.create();
    process.tell("stop");
    process.hear("stopped");
    process.kill();
    world.finds_nothing();
}

/// Over and over, at moments that nobody has chosen: between the answer and the journal, for example.
fn whenever_a_process_is_killed_nothing_is_forgotten(wire: &'static Wire) {
    let world = World::new(wire);
    for round in 0..8 {
        let mut process = world.process();
        process.tell("create");
        process.tell("stop");
        // The moment itself.
        std::thread::sleep(Duration::from_micros(u64::from(uuid::Uuid::new_v4().as_bytes()[0]) * 100));
        process.kill();
        world.folder.remembers_all(&world.emulator, &[]);
        let client = world.next_run();
        let found = client.recover_sessions().run().unwrap();
        stop(&client, &found);
        // A request of the dead may still arrive.
        let late = world.run_later(61 * SECOND);
        let found = late.recover_sessions().run().unwrap();
        stop(&late, &found);
        assert!(alive(&world.emulator).is_empty(), "round {round}: {:?}", world.folder.records());
        world.folder.becomes(&[]);
    }
}

fn what_another_process_that_lives_has_or_makes_is_not_ours(wire: &'static Wire) {
    let world = World::new(wire);
    let (mut dead, mut living, mut creating) = (world.process(), world.process(), world.process());
    let reply = world.gate.hold(wire, Asked::Create, At::Reply);
    dead.tell("create");
    reply.arrived();
    dead.kill();
    reply.cut();
    let left = alive(&world.emulator)[0].id.clone();

    living.create();
    let reply = world.gate.hold(wire, Asked::Create, At::Reply);
    creating.tell("create");
    reply.arrived();
    assert_eq!(alive(&world.emulator).len(), 3);
    let client = world.next_run();
    let found = client.recover_sessions().run().unwrap();
    if wire.is_v1() {
        assert!(found.is_empty(), "of two sessions whose ids nobody knows, one is being made right now");
        assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 0);
        reply.let_go();
        creating.hear("created");
        let found = client.recover_sessions().run().unwrap();
        assert_eq!((ids(&found), found[0].claim), (vec![left], Claim::Candidate));
        stop(&client, &found);
    } else {
        assert_eq!(ids(&found), [left]);
        stop(&client, &found);
        reply.let_go();
        creating.hear("created");
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
fn without_a_journal_there_is_nothing_to_recover_from() {
    let world = World::new(&crate::support::wire::V1);
    let client = Client::new(config_for(&world.emulator, ClientConfig::default())).unwrap();
    let error = client.recover_sessions().run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("give it a path"), "{error}");
}

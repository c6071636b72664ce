//! A test's own journal, read from outside as text.

use super::gate::Gate;
use super::wire::{Asked, Wire};
use super::{an_hour, config_for, shared};
use arr_client::test_util::HeldJournal;
use arr_client::{Client, ClientConfig, ErrorKind, Event, EventKind, StopScope};
use arr_service::{Config, Emulator, SessionView, VirtualClock};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A temporary folder with a journal.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("arr-recover-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&path).expect("the folder can be created");
        Folder(path)
    }

    /// A client's configuration with this journal.
    pub(crate) fn config(&self, wire: &Wire) -> ClientConfig {
        ClientConfig { journal_folder: Some(self.0.clone()), ..wire.config() }
    }

    /// The text of each journal.
    pub(crate) fn texts(&self) -> Vec<String> {
        let paths = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        // A file may be removed meanwhile.
        paths.filter_map(|path| fs::read_to_string(path).ok()).collect()
    }

    /// The latest line of each live record, oldest first.
    pub(crate) fn records(&self) -> Vec<Value> {
        let mut records: Vec<Value> = Vec::new();
        for text in self.texts() {
            let mut of_file: Vec<Value> = Vec::new();
            for json in text.lines().filter_map(|line| Some(&line[line.find('{')?..])) {
                // Another process may be writing the last line.
                let Ok(record) = serde_json::from_str::<Value>(json) else { continue };
                match of_file.iter_mut().find(|earlier| earlier["id"] == record["id"]) {
                    Some(earlier) => *earlier = record,
                    None => of_file.push(record),
                }
            }
            records.extend(of_file);
        }
        records.retain(|record| record["state"] != "ended" && record["state"] != "moved");
        records.sort_by_key(|record| record["written_unix_ms"].as_u64());
        records
    }

    /// The states of the records, sorted.
    pub(crate) fn states(&self) -> Vec<String> {
        let states = self.records();
        let mut states: Vec<String> = states.iter().map(|it| it["state"].as_str().unwrap_or_default().into()).collect();
        states.sort_unstable();
        states
    }

    /// Waits until the states are these, because the client's own threads write some changes.
    pub(crate) fn becomes(&self, states: &[&str]) {
        until(|| self.states() == states, || format!("the states should be {states:?}: {:?}", self.records()));
    }

    /// Blocks the journal's I/O in this process, like a disk that hangs.
    pub(crate) fn hold(&self) -> HeldJournal {
        HeldJournal::new(&self.0)
    }

    /// Asserts that every running session can be found: its id is in the journal or in an event, or the journal has a
    /// lost create for it.
    pub(crate) fn remembers_all(&self, emulator: &Emulator, events: &[Event]) {
        let records = self.records();
        let lost = records.iter().filter(|record| record["session_id"].is_null()).count();
        let is_noted = |id: &str| records.iter().any(|record| record["session_id"] == id);
        let is_reported = |id: &str| {
            let names = |event: &&Event| matches!(event.kind, EventKind::CreateLost | EventKind::LeftRunning);
            events.iter().filter(names).any(|event| event.session.as_ref().is_some_and(|named| named.as_str() == id))
        };
        let is_forgotten = |session: &SessionView| !is_noted(&session.id) && !is_reported(&session.id);
        let forgotten = alive(emulator).into_iter().filter(is_forgotten);
        let forgotten: Vec<_> = forgotten.map(|session| session.id).collect();
        assert!(forgotten.len() <= lost, "{forgotten:?} are running and forgotten: {records:?}");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The sessions that are running and cost money.
pub(crate) fn alive(emulator: &Emulator) -> Vec<SessionView> {
    emulator.sessions().into_iter().filter(|session| !session.status.is_final()).collect()
}

/// Waits until no session is running.
pub(crate) fn all_end(emulator: &Emulator) {
    until(|| alive(emulator).is_empty(), || format!("these should be stopped: {:?}", alive(emulator)));
}

/// Waits until a condition holds.
pub(crate) fn until(is_so: impl Fn() -> bool, complaint: impl Fn() -> String) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "{}", complaint());
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// An emulator, a journal, and clients with one virtual clock.
pub(crate) struct JournalWorld {
    pub(crate) emulator: Emulator,
    pub(crate) clock: VirtualClock,
    pub(crate) gate: Gate,
    pub(crate) folder: Folder,
    pub(crate) wire: &'static Wire,
}

impl JournalWorld {
    pub(crate) fn new(wire: &'static Wire) -> JournalWorld {
        JournalWorld::with_startup(wire, Duration::ZERO)
    }

    /// Sessions take `startup` to start.
    pub(crate) fn with_startup(wire: &'static Wire, startup: Duration) -> JournalWorld {
        JournalWorld::with(wire, Config { startup, ..Config::default() })
    }

    pub(crate) fn with(wire: &'static Wire, config: Config) -> JournalWorld {
        let clock = VirtualClock::new();
        let config = Config { clock: arr_service::Clock::Virtual(clock.clone()), ..config };
        let emulator = Emulator::start(config).unwrap();
        let gate = Gate::to(emulator.url());
        JournalWorld { emulator, clock, gate, folder: Folder::new(), wire }
    }

    pub(crate) fn config(&self) -> ClientConfig {
        let trusted_endpoints = vec![self.emulator.url().to_owned(), self.gate.url.clone()];
        config_for(&self.emulator, ClientConfig { trusted_endpoints, ..self.folder.config(self.wire) })
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(self.config())
    }

    /// The same service at another address.
    pub(crate) fn config_through_gate(&self) -> ClientConfig {
        ClientConfig { service_endpoint: self.gate.url.clone(), ..self.config() }
    }

    pub(crate) fn client_through_gate(&self) -> Client {
        self.client_with(self.config_through_gate())
    }

    /// Another user's client. At another address, because clients of one process share what they create at the same one.
    pub(crate) fn stranger(&self) -> Client {
        self.client_with(ClientConfig { journal_folder: None, ..self.config_through_gate() })
    }

    pub(crate) fn client_with(&self, config: ClientConfig) -> Client {
        Client::with_clock(config, shared(&self.clock)).unwrap()
    }

    /// This client creates sessions and goes away.
    pub(crate) fn leave(&self, client: Client, count: usize) {
        for _ in 0..count {
            drop(client.create_session(&an_hour()).run().unwrap());
            // So that the records have a definite order.
            self.clock.advance(Duration::from_millis(1));
        }
    }

    /// A client loses the replies to creates and goes away.
    pub(crate) fn leave_lost(&self, count: usize) {
        let client = self.client_with(ClientConfig { max_retries: 0, ..self.config() });
        for _ in 0..count {
            self.emulator.add_faults([self.wire.on(Asked::Create).close().executed(true)]).unwrap();
            let error = client.create_session(&an_hour()).run().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
        }
        assert_eq!(client.stop_all(StopScope::Own).run().unwrap().failed.len(), 0);
    }

    /// Waits until no session is running and the journal is empty.
    pub(crate) fn over(&self) {
        self.folder.becomes(&[]);
        all_end(&self.emulator);
    }
}

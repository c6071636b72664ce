//! A journal of a test's own, looked at from outside: as the text that it is.

use super::gate::Gate;
use super::wire::{Asked, Wire};
use super::{an_hour, config_for, shared};
use arr_client::{Client, ClientConfig, ErrorKind, Event, EventKind, StopScope};
use arr_service::{Config, Emulator, SessionView, VirtualClock};
use serde_json::Value;
use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A folder of the test's own, with a journal in it.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("arr-recover-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&path).expect("there is room for a folder");
        Folder(path)
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.0.join("sessions.journal")
    }

    /// A client's configuration with this journal.
    pub(crate) fn config(&self, wire: &Wire) -> ClientConfig {
        ClientConfig { journal: Some(self.journal()), ..wire.config() }
    }

    /// The journal's records.
    pub(crate) fn records(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.journal()).unwrap_or_default();
        let json = text.lines().filter_map(|line| Some(&line[line.find('{')?..]));
        json.map(|json| serde_json::from_str(json).expect("a record is JSON")).collect()
    }

    /// Their states, in order.
    pub(crate) fn states(&self) -> Vec<String> {
        self.records().iter().map(|record| record["state"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Waits until the states are these: some changes are written by the client's own threads.
    pub(crate) fn becomes(&self, states: &[&str]) {
        until(|| self.states() == states, || format!("the journal should be {states:?}: {:?}", self.records()));
    }

    /// Keeps everybody from reading or changing the journal, for a few seconds at most: then they give up.
    pub(crate) fn lock(&self) -> File {
        let path = self.0.join("sessions.journal.lock");
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path).unwrap();
        file.lock().unwrap();
        file
    }

    /// Asserts that each session that runs can be found: its id is in the journal, or an event has told it, or, where the
    /// answer to a create was lost, the journal says so.
    pub(crate) fn remembers_all(&self, emulator: &Emulator, told: &[Event]) {
        let records = self.records();
        let lost = records.iter().filter(|record| record["session_id"].is_null()).count();
        let is_noted = |id: &str| records.iter().any(|record| record["session_id"] == id);
        let is_told = |id: &str| {
            let tells = |event: &&Event| matches!(event.kind, EventKind::CreateLost | EventKind::LeftRunning);
            told.iter().filter(tells).any(|event| event.session.as_ref().is_some_and(|told| told.as_str() == id))
        };
        let forgotten = alive(emulator).into_iter().filter(|session| !is_noted(&session.id) && !is_told(&session.id));
        let forgotten: Vec<_> = forgotten.map(|session| session.id).collect();
        assert!(forgotten.len() <= lost, "{forgotten:?} run, and nobody knows of them: {records:?}");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The sessions that run, and cost money.
pub(crate) fn alive(emulator: &Emulator) -> Vec<SessionView> {
    emulator.sessions().into_iter().filter(|session| !session.status.is_final()).collect()
}

/// Waits until no session runs.
pub(crate) fn all_end(emulator: &Emulator) {
    until(|| alive(emulator).is_empty(), || format!("they should be stopped: {:?}", alive(emulator)));
}

/// Waits until something is so.
pub(crate) fn until(is_so: impl Fn() -> bool, complaint: impl Fn() -> String) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "{}", complaint());
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// An emulator and a journal, and clients on one virtual clock.
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
        config_for(&self.emulator, self.folder.config(self.wire))
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(self.config())
    }

    /// A client of the same service at another address.
    pub(crate) fn client_through_gate(&self) -> Client {
        self.client_with(ClientConfig { service_endpoint: self.gate.url.clone(), ..self.config() })
    }

    pub(crate) fn client_with(&self, config: ClientConfig) -> Client {
        Client::with_clock(config, shared(&self.clock)).unwrap()
    }

    /// A client creates sessions, and is gone.
    pub(crate) fn leave(&self, client: Client, count: usize) {
        (0..count).for_each(|_| drop(client.create_session(&an_hour()).run().unwrap()));
    }

    /// A client loses the answer to a create, and is gone.
    pub(crate) fn leave_lost(&self, count: usize) {
        let client = self.client_with(ClientConfig { max_retries: 0, ..self.config() });
        for _ in 0..count {
            self.emulator.add_faults([self.wire.on(Asked::Create).close().executed(true)]).unwrap();
            let error = client.create_session(&an_hour()).run().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
        }
        assert_eq!(client.stop_all(StopScope::Own).run().unwrap().failed.len(), 0);
    }

    /// Nothing runs and nothing is noted, in the end.
    pub(crate) fn over(&self) {
        self.folder.becomes(&[]);
        all_end(&self.emulator);
    }
}

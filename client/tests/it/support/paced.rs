//! A clock that only the test moves, for an emulator and a client whose own thread looks after sessions.
//!
//! [`Paced::pass`] goes from one moment for which the client's thread sleeps to the next, and waits each time until that
//! thread sleeps again. So everything that is due happens exactly at its moment, however busy the machine is.

use super::gate::Gate;
use super::wire::Wire;
use super::{config_for, shortened};
use arr_client::test_util::{Clock, Instant, Signal};
use arr_client::{Client, ClientConfig, Event, EventKind, Lease, NewSession, Session, SessionSize};
use arr_service::{Config, Emulator, VirtualClock};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

/// In real time: what takes longer does not come any more.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(crate) struct Paced {
    time: VirtualClock,
    threads: Mutex<Threads>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Threads {
    /// Those of clients. The time stands still until all of them sleep.
    drivers: HashSet<ThreadId>,
    waiting: HashMap<ThreadId, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    until: Instant,
    signal: Signal,
    seen: u64,
    /// Something real is under way.
    for_work: bool,
}

impl Waiting {
    /// Whether it goes on waiting: one that was woken is still here until it runs.
    fn is_asleep(&self, now: Instant) -> bool {
        self.until > now && self.signal.version() == self.seen
    }
}

impl Threads {
    /// Whether no client's thread has anything to do before the time goes on.
    fn are_quiet(&self, now: Instant) -> bool {
        let sleeps = |driver| self.waiting.get(driver).is_some_and(|it| !it.for_work && it.is_asleep(now));
        !self.drivers.is_empty() && self.drivers.iter().all(sleeps)
    }

    /// What threads wait for besides the clients' own.
    fn others(&self, now: Instant) -> impl Iterator<Item = &Waiting> {
        let waiting = self.waiting.iter().filter(|(thread, _)| !self.drivers.contains(thread));
        waiting.map(|(_, it)| it).filter(move |it| it.is_asleep(now))
    }
}

impl Paced {
    /// The time since the beginning.
    pub(crate) fn time(&self) -> Duration {
        self.time.now()
    }

    /// Lets time pass, as slowly as the client's thread needs it.
    pub(crate) fn pass(&self, time: Duration) {
        let end = self.now() + time;
        loop {
            let mut threads = self.quiet();
            let now = self.now();
            if now >= end {
                return;
            }
            let until = threads.waiting.values().map(|it| it.until).filter(|until| *until > now).min();
            self.go_to(&mut threads, until.map_or(end, |until| until.min(end)));
        }
    }

    /// Waits until the client's thread has done everything that is due now.
    pub(crate) fn settle(&self) {
        drop(self.quiet());
    }

    /// The machine slept: nobody did anything meanwhile.
    pub(crate) fn jump(&self, time: Duration) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let then = self.now() + time;
        self.go_to(&mut threads, then);
    }

    /// Waits until so many threads besides the clients' own wait for something.
    pub(crate) fn until_others_wait(&self, count: usize) {
        drop(self.wait_until(|threads| threads.others(self.now()).count() == count));
    }

    /// Waits until so many threads besides the clients' own wait until this time.
    pub(crate) fn until_others_wait_until(&self, count: usize, time: Duration) {
        let until = Instant::from_elapsed(time);
        drop(self.wait_until(|threads| threads.others(self.now()).filter(|it| it.until == until).count() == count));
    }

    fn quiet(&self) -> MutexGuard<'_, Threads> {
        self.wait_until(|threads| threads.are_quiet(self.now()))
    }

    fn wait_until(&self, condition: impl Fn(&Threads) -> bool) -> MutexGuard<'_, Threads> {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let (threads, waited) = self
            .changed
            .wait_timeout_while(threads, PATIENCE, |it| !condition(it))
            .unwrap_or_else(PoisonError::into_inner);
        // Not asked again: somebody may have given a signal since.
        assert!(!waited.timed_out(), "it never came to rest at {:?}: {threads:?}", self.now());
        threads
    }

    fn go_to(&self, threads: &mut Threads, moment: Instant) {
        self.time.advance_to(moment.saturating_since(Instant::from_elapsed(Duration::ZERO)));
        // Only who has waited long enough: nobody else would be woken by the time.
        threads.waiting.values().filter(|it| it.until <= moment).for_each(|it| it.signal.notify());
    }

    fn wait(&self, until: Instant, signal: &Signal, seen: u64, for_work: bool) {
        let me = thread::current();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        if me.name() == Some("arr-driver") {
            threads.drivers.insert(me.id());
        }
        if self.now() >= until {
            return;
        }
        threads.waiting.insert(me.id(), Waiting { until, signal: signal.clone(), seen, for_work });
        drop(threads);
        self.changed.notify_all();
        signal.wait_past(seen, PATIENCE);
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).waiting.remove(&me.id());
        self.changed.notify_all();
    }
}

impl Clock for Paced {
    fn now(&self) -> Instant {
        Instant::from_elapsed(self.time.now())
    }

    fn unix_time(&self) -> Duration {
        self.time.unix_time()
    }

    fn sleep(&self, signal: &Signal, seen: u64, until: Instant) {
        self.wait(until, signal, seen, false);
    }

    fn wait_for_work(&self, signal: &Signal, seen: u64, until: Instant) {
        self.wait(until, signal, seen, true);
    }
}

/// An emulator and a client of it that live by a paced clock.
pub(crate) struct Lab {
    pub(crate) emulator: Emulator,
    pub(crate) clock: Arc<Paced>,
    pub(crate) client: Client,
}

impl Lab {
    /// Sessions take `startup` to start.
    pub(crate) fn with_startup(wire: &Wire, startup: Duration) -> Lab {
        Lab::new(Config { startup, ..Config::default() }, wire.config())
    }

    pub(crate) fn new(config: Config, client: ClientConfig) -> Lab {
        Lab::with(config, |emulator| config_for(emulator, client))
    }

    /// The client is as `configure` has it.
    pub(crate) fn with(config: Config, configure: impl FnOnce(&Emulator) -> ClientConfig) -> Lab {
        let clock = Arc::new(Paced::default());
        let emulator = Emulator::start(Config { clock: arr_service::Clock::Virtual(clock.time.clone()), ..config })
            .expect("the emulator starts on a free port");
        let client = Client::with_clock(configure(&emulator), clock.clone()).expect("the options are good");
        Lab { emulator, clock, client }
    }

    /// One whose sessions start at once, and whose client reaches it through a gate; tokens it gets directly.
    pub(crate) fn through_gate(wire: &Wire) -> (Lab, Gate) {
        let mut gate = None;
        let lab = Lab::with(Config { startup: Duration::ZERO, ..Config::default() }, |emulator| {
            let gate = gate.insert(Gate::to(emulator.url()));
            ClientConfig { service_endpoint: gate.url.clone(), ..config_for(emulator, wire.config()) }
        });
        (lab, gate.expect("it was made with the client"))
    }

    /// Another client of the same emulator, on the same clock.
    pub(crate) fn another_client(&self, config: ClientConfig) -> Client {
        Client::with_clock(config_for(&self.emulator, config), self.clock.clone()).expect("the options are good")
    }

    /// A session with this lease. Its create was answered, and nothing was read.
    pub(crate) fn create(&self, lease: Duration) -> Session {
        let new = NewSession::new(SessionSize::Standard, Lease::new(lease).expect("a good lease"));
        self.client.create_session(&new).run().expect("the emulator is well")
    }

    /// One that is known to be ready, in an emulator that starts sessions at once.
    pub(crate) fn ready(&self, lease: Duration) -> Session {
        let session = self.create(lease);
        session.properties().run().expect("the emulator is well");
        session
    }

    /// Pulls all events that are there.
    pub(crate) fn events(&self) -> Vec<Event> {
        std::iter::from_fn(|| self.client.next_event(Duration::ZERO).expect("the client lives")).collect()
    }

    /// The same, only their kinds.
    pub(crate) fn told(&self) -> Vec<EventKind> {
        self.events().iter().map(|event| event.kind).collect()
    }

    /// Lets time pass, and pulls events at the end of each step of it. What was told, and when, since now.
    pub(crate) fn pump(&self, time: Duration, step: Duration) -> Vec<(Duration, EventKind)> {
        let begun = self.clock.time();
        let mut told = Vec::new();
        while self.clock.time() < begun + time {
            self.clock.pass(step.min(begun + time - self.clock.time()));
            told.extend(self.told().into_iter().map(|kind| (self.clock.time() - begun, kind)));
        }
        told
    }

    /// The requests since the last call, as `METHOD path`, with ids shortened to `{id}`.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self.emulator.requests();
        self.emulator.clear_requests();
        requests.iter().map(|request| format!("{} {}", request.method, shortened(&request.path))).collect()
    }
}

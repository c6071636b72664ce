//! A clock that only the test advances, for an emulator and a client with a driver thread.
//!
//! [`Paced::pass`] advances from one wake-up time of the driver to the next, and waits each time until the driver
//! sleeps again. So everything that is due happens exactly on time, however busy the machine is.

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

/// The limit on waits, in real time.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(crate) struct Paced {
    time: VirtualClock,
    threads: Mutex<Threads>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Threads {
    /// The clients' drivers. The time does not advance until all of them sleep.
    drivers: HashSet<ThreadId>,
    /// How often they have gone to sleep with nothing to do.
    sleeps: u64,
    waiting: HashMap<ThreadId, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    until: Instant,
    signal: Signal,
    seen: u64,
    /// Real work is in progress.
    for_work: bool,
}

impl Waiting {
    /// Whether it still waits: a woken thread stays listed until it runs.
    fn is_asleep(&self, now: Instant) -> bool {
        self.until > now && self.signal.version() == self.seen
    }
}

impl Threads {
    /// Whether no driver has anything to do until the time advances.
    fn are_quiet(&self, now: Instant) -> bool {
        let sleeps = |driver| self.waiting.get(driver).is_some_and(|it| !it.for_work && it.is_asleep(now));
        !self.drivers.is_empty() && self.drivers.iter().all(sleeps)
    }

    /// The waits of other threads than the drivers.
    fn others(&self, now: Instant) -> impl Iterator<Item = &Waiting> {
        let waiting = self.waiting.iter().filter(|(thread, _)| !self.drivers.contains(thread));
        waiting.map(|(_, it)| it).filter(move |it| it.is_asleep(now))
    }
}

impl Paced {
    /// The time since the start.
    pub(crate) fn time(&self) -> Duration {
        self.time.now()
    }

    /// Lets time pass, in the steps of the drivers' wake-ups.
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

    /// Waits until the drivers have done everything that is due now.
    pub(crate) fn settle(&self) {
        drop(self.quiet());
    }

    /// Simulates a sleep of the machine: nothing happens meanwhile.
    pub(crate) fn jump(&self, time: Duration) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let then = self.now() + time;
        self.go_to(&mut threads, then);
    }

    /// How often drivers have gone to sleep with nothing to do.
    pub(crate) fn drivers_sleeps(&self) -> u64 {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).sleeps
    }

    /// Waits until this many threads other than the drivers are waiting.
    pub(crate) fn until_others_wait(&self, count: usize) {
        drop(self.wait_until(|threads| threads.others(self.now()).count() == count));
    }

    /// Waits until this many threads other than the drivers are waiting until this time.
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
        // The condition is not checked again: a thread may have been signalled since.
        assert!(!waited.timed_out(), "the threads never came to rest at {:?}: {threads:?}", self.now());
        threads
    }

    fn go_to(&self, threads: &mut Threads, moment: Instant) {
        self.time.advance_to(moment.saturating_since(Instant::from_elapsed(Duration::ZERO)));
        // Wakes only the threads whose time has come, as a real clock would.
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
        threads.sleeps += u64::from(threads.drivers.contains(&me.id()) && !for_work);
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

/// An emulator and a client of it with a paced clock.
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

    /// Configures the client with `configure`.
    pub(crate) fn with(config: Config, configure: impl FnOnce(&Emulator) -> ClientConfig) -> Lab {
        let clock = Arc::new(Paced::default());
        let emulator = Emulator::start(Config { clock: arr_service::Clock::Virtual(clock.time.clone()), ..config })
            .expect("the emulator starts on a free port");
        let client = Client::with_clock(configure(&emulator), clock.clone()).expect("the options are valid");
        Lab { emulator, clock, client }
    }

    /// Sessions start at once. The client reaches the session service through a gate, and the token service directly.
    pub(crate) fn through_gate(wire: &Wire) -> (Lab, Gate) {
        let mut gate = None;
        let lab = Lab::with(Config { startup: Duration::ZERO, ..Config::default() }, |emulator| {
            let gate = gate.insert(Gate::to(emulator.url()));
            ClientConfig { service_endpoint: gate.url.clone(), ..config_for(emulator, wire.config()) }
        });
        (lab, gate.expect("it was created with the client"))
    }

    /// Another client of the same emulator, with the same clock.
    pub(crate) fn another_client(&self, config: ClientConfig) -> Client {
        Client::with_clock(config_for(&self.emulator, config), self.clock.clone()).expect("the options are valid")
    }

    /// A session with this lease, created but not read.
    pub(crate) fn create(&self, lease: Duration) -> Session {
        let new = NewSession::new(SessionSize::Standard, Lease::new(lease).expect("a valid lease"));
        self.client.create_session(&new).run().expect("the emulator works")
    }

    /// A session that was read as ready, for emulators that start sessions at once.
    pub(crate) fn ready(&self, lease: Duration) -> Session {
        let session = self.create(lease);
        session.properties().run().expect("the emulator works");
        session
    }

    /// Pulls all available events.
    pub(crate) fn events(&self) -> Vec<Event> {
        std::iter::from_fn(|| self.client.next_event(Duration::ZERO).expect("the client is alive")).collect()
    }

    /// Pulls all available events, and returns their kinds.
    pub(crate) fn kinds(&self) -> Vec<EventKind> {
        self.events().iter().map(|event| event.kind).collect()
    }

    /// Lets time pass, and pulls events after each step. Returns the kinds, each with the time since this call.
    pub(crate) fn pump(&self, time: Duration, step: Duration) -> Vec<(Duration, EventKind)> {
        let begun = self.clock.time();
        let mut reported = Vec::new();
        while self.clock.time() < begun + time {
            self.clock.pass(step.min(begun + time - self.clock.time()));
            reported.extend(self.kinds().into_iter().map(|kind| (self.clock.time() - begun, kind)));
        }
        reported
    }

    /// The requests since the last call, as `METHOD path`, with ids shortened to `{id}`.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self.emulator.requests();
        self.emulator.clear_requests();
        requests.iter().map(|request| format!("{} {}", request.method, shortened(&request.path))).collect()
    }
}

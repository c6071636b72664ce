//! Shared code of the tests: clients of the emulator, a clock that both use, and a misbehaving server.

pub(crate) mod barrier;
pub(crate) mod gate;
pub(crate) mod journal;
pub(crate) mod own_process;
pub(crate) mod paced;
pub(crate) mod process;
pub(crate) mod scripted;
pub(crate) mod started;
#[cfg(target_os = "linux")]
pub(crate) mod threads;
pub(crate) mod tls;
pub(crate) mod wire;

use arr_client::test_util::{Clock, Instant, Signal};
use arr_client::{Client, ClientConfig, Credential, Lease, NewSession, SessionSize};
use arr_service::{Config, Emulator, VirtualClock};
use std::sync::Arc;
use std::time::Duration;
use wire::Wire;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// The emulator's virtual clock, used by the client too. Sleeping advances it, so a test never waits for time to pass.
#[derive(Debug)]
struct SharedClock(VirtualClock);

impl Clock for SharedClock {
    fn now(&self) -> Instant {
        Instant::from_elapsed(self.0.now())
    }

    fn unix_time(&self) -> Duration {
        self.0.unix_time()
    }

    fn sleep(&self, signal: &Signal, seen: u64, until: Instant) {
        if until == Instant::NEVER {
            // Only an action of another thread can end this.
            signal.wait_past(seen, Duration::from_millis(20));
        } else if signal.version() == seen {
            self.0.advance_to(until.saturating_since(Instant::from_elapsed(Duration::ZERO)));
        }
    }

    /// A request takes real time and no virtual time.
    fn wait_for_work(&self, signal: &Signal, seen: u64, _until: Instant) {
        assert!(signal.wait_past(seen, Duration::from_secs(60)), "the wait never ended");
    }
}

/// This clock for a client.
pub(crate) fn shared(clock: &VirtualClock) -> Arc<dyn Clock> {
    Arc::new(SharedClock(clock.clone()))
}

/// An emulator and a client of it that share a virtual clock.
pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) clock: VirtualClock,
    pub(crate) client: Client,
}

impl World {
    /// Sessions take `startup` to start.
    pub(crate) fn with_startup(wire: &Wire, startup: Duration) -> World {
        World::new(Config { startup, ..Config::default() }, wire.config())
    }

    pub(crate) fn new(config: Config, client: ClientConfig) -> World {
        let clock = VirtualClock::new();
        let emulator = Emulator::start(Config { clock: arr_service::Clock::Virtual(clock.clone()), ..config })
            .expect("the emulator starts on a free port");
        let config = config_for(&emulator, client);
        let client = Client::with_clock(config, shared(&clock)).expect("the options are valid");
        World { emulator, clock, client }
    }

    /// Another client of the same emulator, with the same clock.
    pub(crate) fn another_client(&self, config: ClientConfig) -> Client {
        Client::with_clock(config_for(&self.emulator, config), shared(&self.clock)).expect("the options are valid")
    }

    /// Like [`World::requests`], but waits for this many, because the client's own threads send some. Sorted.
    pub(crate) fn requests_when(&self, count: usize) -> Vec<String> {
        let deadline = std::time::Instant::now() + 60 * SECOND;
        while self.emulator.requests().len() < count {
            assert!(std::time::Instant::now() < deadline, "too few requests: {:?}", self.emulator.requests());
            std::thread::yield_now();
        }
        let mut requests = self.requests();
        requests.sort();
        requests
    }

    /// The requests since the last call, as `METHOD path`, with ids shortened to `{id}`.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self.emulator.requests();
        self.emulator.clear_requests();
        requests.iter().map(|request| format!("{} {}", request.method, shortened(&request.path))).collect()
    }
}

/// The configuration of a client of this emulator; the rest is taken from `config`.
pub(crate) fn config_for(emulator: &Emulator, config: ClientConfig) -> ClientConfig {
    ClientConfig {
        account_id: emulator.account().id().to_string(),
        credential: Credential::AccountKey(emulator.account().key().into()),
        account_domain: emulator.url().into(),
        service_endpoint: emulator.url().into(),
        ca_pem: emulator.ca_pem().map(str::to_owned),
        ..config
    }
}

pub(crate) fn an_hour() -> NewSession {
    NewSession::new(SessionSize::Standard, Lease::new(HOUR).expect("an hour is a valid lease"))
}

/// A path without its query, and with every GUID in it replaced.
pub(crate) fn shortened(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let is_guid = |segment: &str| segment.len() == 36 && segment.bytes().filter(|byte| *byte == b'-').count() == 4;
    path.split('/').map(|segment| if is_guid(segment) { "{id}" } else { segment }).collect::<Vec<_>>().join("/")
}

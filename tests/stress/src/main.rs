//! Threads that share one client, under ThreadSanitizer: `cargo xtask sanitize` runs it against the emulator.
//!
//! Exits with a code other than 0 if a call failed. The environment variables of `examples/c/quickstart.c` specify the
//! service.

mod storm;

use arr_client::{ApiVersion, Client, ClientConfig, Credential, Lease, NewSession, SessionSize};
use std::env;
use std::fmt::Display;
use std::process;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

const THREADS: usize = 4;
const ROUNDS: usize = 5;
/// The limit of a call or a wait. Valgrind runs one thread at a time, about fifty times slower.
const PATIENCE: Duration = Duration::from_secs(240);
const MAX_LEASE: Duration = Duration::from_secs(30 * 60);

fn main() {
    let client = done(Client::new(config()));
    let together = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| live(&client, &together));
        }
    });
    drop(client);
    storm();
}

/// Starts random operations: `ARR_STRESS_OPERATIONS` of them (default 1000), with the seed `ARR_STRESS_SEED` (default: a
/// different one each time).
fn storm() {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("ARR_STRESS_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        u64::from(now.subsec_nanos()) ^ now.as_secs()
    });
    let operations = usize::try_from(number("ARR_STRESS_OPERATIONS").unwrap_or(1_000)).unwrap_or(usize::MAX);
    let journal = env::temp_dir().join(format!("arr-stress-{}-{seed}", process::id()));
    let outcome = storm::run(&config(), &journal, operations, seed);
    drop(std::fs::remove_dir_all(&journal));
    match outcome {
        Ok(report) => println!("seed {seed}: {report}"),
        Err(error) => fail(format!("seed {seed}: {error}")),
    }
}

/// Creates and stops a few sessions. All threads begin each call at the same time: two accesses count as ordered if one
/// thread released a lock between them that the other acquired, so threads out of step hide most races.
fn live(client: &Client, together: &Barrier) {
    let new = NewSession::new(SessionSize::Standard, done(Lease::new(MAX_LEASE)));
    for _ in 0..ROUNDS {
        together.wait();
        let session = done(client.create_session(&new).run());
        together.wait();
        done(session.properties().run());
        together.wait();
        let listed = done(client.list_sessions().run());
        if !listed.iter().any(|listed| listed.properties.id == *session.id()) {
            fail(format!("the list lacks session {}", session.id()));
        }
        together.wait();
        done(session.stop().run());
    }
}

fn done<T>(outcome: arr_client::Result<T>) -> T {
    outcome.unwrap_or_else(|error| fail(error))
}

/// Ends the process, because the other threads would wait for this one forever.
fn fail(message: impl Display) -> ! {
    eprintln!("error: {message}");
    process::exit(1)
}

fn config() -> ClientConfig {
    ClientConfig {
        account_id: given("ARR_ACCOUNT_ID"),
        credential: Credential::AccountKey(given("ARR_ACCOUNT_KEY").into()),
        account_domain: given("ARR_ACCOUNT_DOMAIN"),
        service_endpoint: given("ARR_SERVICE_ENDPOINT"),
        api_version: match given("ARR_API_VERSION").as_str() {
            "v1" => ApiVersion::V1,
            "2021-01-01" => ApiVersion::V2021_01_01,
            other => fail(format!("ARR_API_VERSION is {other}")),
        },
        ca_file: env::var_os("ARR_CA_FILE").map(Into::into),
        call_timeout: PATIENCE,
        // The requests at the end of a client, such as stops, have this limit.
        attempt_timeout: PATIENCE / 4,
        connect_timeout: PATIENCE / 8,
        poll_interval: env::var("ARR_POLL_INTERVAL_MS").ok().and_then(|ms| ms.parse().ok()).map(Duration::from_millis),
        ..ClientConfig::default()
    }
}

fn given(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| fail(format!("{name} is not set")))
}

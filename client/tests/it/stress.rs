//! Random started operations from eight threads, with a shutdown in between. `tests/stress/` is the same test as a
//! program, for valgrind and ThreadSanitizer.

#[path = "../../../tests/stress/src/storm.rs"]
mod storm;

use crate::support::wire::{Wire, in_both_versions};
use arr_client::ClientConfig;
use arr_service::{Config, Emulator};
use std::time::Duration;

in_both_versions![random_operations_complete_once_and_lose_no_session];

fn random_operations_complete_once_and_lose_no_session(wire: &Wire) {
    let emulator = Emulator::start(Config { startup: Duration::from_millis(100), ..Config::default() }).unwrap();
    let pace = Some(Duration::from_millis(50));
    let config = ClientConfig { poll_interval: pace, ..wire.config() };
    let config = crate::support::config_for(&emulator, config);
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("ARR_STRESS_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        u64::from(now.subsec_nanos())
    });
    let operations = number("ARR_STRESS_OPERATIONS").unwrap_or(1_000);
    let folder = crate::support::journal::Folder::new();
    let report = storm::run(&config, &folder.0, usize::try_from(operations).unwrap(), seed);
    let report = report.unwrap_or_else(|error| panic!("ARR_STRESS_SEED={seed}: {error}"));
    println!("seed {seed}: {report}");
}

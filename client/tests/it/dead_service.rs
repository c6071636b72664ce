//! A service that refuses connections: the log reports it at the first attempt, not when the last retry has failed.

use crate::support::started::{LONG, running};
use crate::support::wire::{Wire, in_both_versions};
use crate::support::{HOUR, an_hour, config_for};
use arr_client::{AnyOperation, Client, ClientConfig, Lease, LogLevel, OperationState, WatchOptions};
use arr_service::{Config, Emulator};
use std::time::Duration;

in_both_versions![
    the_first_refused_attempt_of_each_call_is_logged_with_the_address,
    the_first_refused_read_of_a_watched_session_is_logged_with_the_address,
];

/// Retries would come long after the test has ended. Sessions are read often.
fn config(wire: &Wire) -> ClientConfig {
    let config = wire.config().poll_interval(Duration::from_millis(1));
    config.log_level(LogLevel::Warning).retry_delay(HOUR).max_retries(4).call_timeout(24 * HOUR)
}

/// The next line of the log, which must come at once and name the address.
fn is_reported(client: &Client, url: &str, what: &str) {
    let line = client.next_log(LONG).unwrap().unwrap_or_else(|| panic!("nothing is logged: {what}"));
    assert!(line.level <= LogLevel::Warning && line.message.contains(url), "{what}: {line:?}");
}

fn the_first_refused_attempt_of_each_call_is_logged_with_the_address(wire: &Wire) {
    let emulator = Emulator::start(Config { startup: HOUR, ..Config::default() }).unwrap();
    let url = emulator.url().to_owned();
    let [client, newcomer] = [(); 2].map(|()| Client::new(config_for(&emulator, config(wire))).unwrap());
    let session = client.create_session(&an_hour()).run().unwrap();
    emulator.stop();
    type Start<'a> = &'a dyn Fn() -> Box<dyn AnyOperation>;
    let calls: [(&str, &Client, Start); 7] = [
        ("token", &newcomer, &|| running(newcomer.access_token())),
        ("create", &client, &|| running(client.create_session(&an_hour()))),
        ("list", &client, &|| running(client.list_sessions())),
        ("read", &client, &|| running(session.properties())),
        ("wait", &client, &|| running(session.wait_until_ready())),
        ("extend", &client, &|| running(session.update_lease(Lease::new(2 * HOUR).unwrap()))),
        ("stop", &client, &|| running(session.stop())),
    ];
    for (what, client, start) in calls {
        let operation = start();
        is_reported(client, &url, what);
        assert_eq!(operation.state(), OperationState::Running, "{what} is retried");
        operation.cancel();
    }
}

fn the_first_refused_read_of_a_watched_session_is_logged_with_the_address(wire: &Wire) {
    let emulator = Emulator::start(Config { startup: HOUR, ..Config::default() }).unwrap();
    let url = emulator.url().to_owned();
    let client = Client::new(config_for(&emulator, config(wire))).unwrap();
    let session = client.create_session(&an_hour()).run().unwrap();
    session.watch(WatchOptions::default(), 0).unwrap();
    emulator.stop();
    is_reported(&client, &url, "watch");
}

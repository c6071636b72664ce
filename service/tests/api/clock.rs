//! The emulator's clock: advanced, scaled and virtual.

use std::time::{Duration, Instant};

use arr_service::{Account, Config, Emulator, SessionStatus};
use serde_json::json;

use crate::http::Connection;
use crate::story::{STARTUP, Story, token_for};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn create(emulator: &Emulator) {
    let mut connection = Connection::open(emulator.url());
    let authorization = format!("Bearer {}", emulator.access_token());
    let path = format!("/v1/accounts/{}/sessions/create", emulator.account().id());
    let body = br#"{"maxLeaseTime":"4:0:0","size":"standard"}"#;
    assert_eq!(connection.call("POST", &path, &[("Authorization", &authorization)], body).status, 202);
}

fn status(emulator: &Emulator) -> SessionStatus {
    emulator.sessions()[0].status
}

#[test]
fn a_control_call_advances_the_machine_clock() {
    let startup = Duration::from_secs(3600);
    let emulator = Emulator::start(Config { startup, ..Config::default() }).expect("the emulator starts");
    create(&emulator);
    assert_eq!(status(&emulator), SessionStatus::Starting);
    let mut control = Connection::open(emulator.url());
    let before = control.call("GET", "/emulator/clock", &[], b"").json();
    let reply = control.call("POST", "/emulator/clock", &[], br#"{"advance_ms":3600000}"#);
    assert_eq!(reply.status, 200);
    for member in ["time_ms", "unix_ms"] {
        let step = reply.json()[member].as_u64().expect("a time") - before[member].as_u64().expect("a time");
        assert!((3_600_000..3_660_000).contains(&step), "{member}: {step}");
    }
    assert_eq!(status(&emulator), SessionStatus::Ready);
    emulator.advance_clock(Duration::from_secs(4 * 3600));
    assert_eq!(status(&emulator), SessionStatus::Expired);
}

#[test]
fn tokens_and_dates_follow_an_advanced_clock() {
    let emulator = Emulator::start(Config::default()).expect("the emulator starts");
    let mut connection = Connection::open(emulator.url());
    let authorization = format!("Bearer {}", token_for(&mut connection, &Account::development()));
    let path = format!("/v1/accounts/{}/sessions", emulator.account().id());
    let first = connection.call("GET", &path, &[("Authorization", &authorization)], b"");
    assert_eq!(first.status, 200);
    // A token expires on a whole second.
    emulator.advance_clock(DAY + Duration::from_secs(1));
    let second = connection.call("GET", &path, &[("Authorization", &authorization)], b"");
    second.assert_empty(401);
    assert_ne!(
        first.header("Date").map(|date| date[..16].to_owned()),
        second.header("Date").map(|date| date[..16].to_owned())
    );
}

#[test]
fn a_control_call_advances_a_virtual_clock() {
    let mut story = Story::begin();
    let session = story.create();
    let reply = story.control("POST", "/clock", r#"{"advance_ms":150000}"#);
    assert_eq!(reply.json(), json!({"time_ms": 150_000, "unix_ms": 1_735_689_750_000_u64}));
    assert_eq!(story.clock.now(), STARTUP);
    assert_eq!(story.status(&session), "Ready");
    for body in ["", "{}", r#"{"advance_ms":-1}"#, r#"{"advance":1}"#] {
        assert_eq!(story.control("POST", "/clock", body).status, 400, "{body}");
    }
}

#[test]
fn a_scaled_clock_takes_a_session_to_its_end_quickly() {
    // One hour of startup and four of lease take 180 ms.
    let config = Config {
        startup: Duration::from_secs(3600),
        token_lifetime: 1000 * DAY,
        time_scale: 100_000,
        ..Config::default()
    };
    let emulator = Emulator::start(config).expect("the emulator starts");
    let begin = Instant::now();
    create(&emulator);
    while status(&emulator) != SessionStatus::Expired {
        assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", emulator.sessions());
    }
    assert!(begin.elapsed() >= Duration::from_millis(180));
    assert_eq!(emulator.sessions()[0].elapsed, Duration::from_secs(4 * 3600));
}

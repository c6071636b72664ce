//! A session from its creation to its end, in version 1.

use std::time::Duration;

use arr_service::{Config, SessionStatus};
use serde_json::Value;

use crate::story::{STARTUP, Story};

const NANOSECOND: Duration = Duration::from_nanos(1);
const HOUR: Duration = Duration::from_secs(60 * 60);

#[test]
fn a_session_starts_gets_ready_and_expires_at_exact_times() {
    let mut story = Story::begin();
    let session = story.create();
    for (moment, status, elapsed) in [
        (Duration::ZERO, "Starting", "00:00:00"),
        (STARTUP - NANOSECOND, "Starting", "00:00:00"),
        (STARTUP, "Ready", "00:00:00"),
        (STARTUP + Duration::from_secs(1), "Ready", "00:00:01"),
        (STARTUP + 4 * HOUR - NANOSECOND, "Ready", "03:59:59"),
        (STARTUP + 4 * HOUR, "Expired", "04:00:00"),
        (STARTUP + 9 * HOUR, "Expired", "04:00:00"),
    ] {
        story.clock.advance_to(moment);
        let properties = story.properties(&session);
        assert_eq!(properties["sessionStatus"], status, "at {moment:?}");
        assert_eq!(properties["sessionElapsedTime"], elapsed, "at {moment:?}");
    }
    let message = "The maximum lease time of 04:00:00 has passed.";
    assert_eq!(story.properties(&session)["message"], message);
}

#[test]
fn the_properties_match_the_documentation_in_order() {
    let mut story = Story::begin();
    let session = story.create();
    let path = format!("/sessions/{session}/properties");
    let expected = |elapsed: &str, hostname: &str, status: &str, ports: (&Value, &Value)| {
        format!(
            "{{\"message\":null,\"sessionElapsedTime\":\"{elapsed}\",\"sessionHostname\":{hostname},\
             \"sessionId\":\"{session}\",\"sessionMaxLeaseTime\":\"04:00:00\",\"sessionSize\":\"standard\",\
             \"sessionStatus\":\"{status}\",\"arrInspectorPort\":{},\"handshakePort\":{}}}",
            ports.0, ports.1
        )
    };
    let none = Value::from(0);
    let reply = story.call("GET", &path, "");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.text(), expected("00:00:00", "null", "Starting", (&none, &none)));

    story.clock.advance(STARTUP + Duration::from_millis(1999));
    let reply = story.call("GET", &path, "");
    let body = reply.json();
    let hostname = body["sessionHostname"].to_string();
    assert!(hostname.ends_with(".mixedreality.azure.com\""), "{hostname}");
    let ports = (&body["arrInspectorPort"], &body["handshakePort"]);
    for port in [ports.0, ports.1] {
        assert!((49_152..=65_534).contains(&port.as_u64().expect("a port")), "{port}");
    }
    assert_eq!(reply.text(), expected("00:00:01", &hostname, "Ready", ports));
    assert_eq!(story.call("GET", &format!("{path}/"), "").text(), reply.text());
}

#[test]
fn a_stop_is_final_and_may_be_repeated() {
    let mut story = Story::begin();
    let session = story.create();
    story.clock.advance(STARTUP + Duration::from_secs(5));
    let path = format!("/sessions/{session}");
    story.call("DELETE", &path, "").assert_empty(204);
    assert_eq!(story.status(&session), "Stopped");
    story.clock.advance(HOUR);
    story.call("DELETE", &format!("{path}/"), "").assert_empty(204);
    let properties = story.properties(&session);
    assert_eq!(properties["sessionStatus"], "Stopped");
    assert_eq!(properties["sessionElapsedTime"], "00:00:05");
    assert_eq!(properties["message"], Value::Null);
}

#[test]
fn a_session_may_be_stopped_while_it_starts() {
    let mut story = Story::begin();
    let session = story.create();
    story.call("DELETE", &format!("/sessions/{session}"), "").assert_empty(204);
    story.clock.advance(STARTUP);
    assert_eq!(story.status(&session), "Stopped");
    assert_eq!(story.properties(&session)["sessionHostname"], Value::Null);
}

#[test]
fn stopping_takes_the_configured_time() {
    let stopping = Duration::from_secs(7);
    let mut story = Story::begin_with(Config { stopping, ..Config::default() });
    let session = story.create();
    story.clock.advance(STARTUP);
    story.call("DELETE", &format!("/sessions/{session}"), "").assert_empty(204);
    assert_eq!(story.status(&session), "Stopping");
    story.clock.advance(stopping - NANOSECOND);
    assert_eq!(story.status(&session), "Stopping");
    story.clock.advance(NANOSECOND);
    assert_eq!(story.status(&session), "Stopped");
}

#[test]
fn stopping_an_expired_session_succeeds_without_effect() {
    let mut story = Story::begin();
    let session = story.create();
    story.clock.advance(STARTUP + 4 * HOUR);
    story.call("DELETE", &format!("/sessions/{session}"), "").assert_empty(204);
    assert_eq!(story.status(&session), "Expired");
}

#[test]
fn a_start_can_be_made_to_fail() {
    let mut story = Story::begin();
    let session = story.create();
    assert!(story.emulator.fail_session(&session, "No server of this size is free."));
    let properties = story.properties(&session);
    assert_eq!(properties["sessionStatus"], "Error");
    assert_eq!(properties["message"], "No server of this size is free.");
    assert_eq!(properties["sessionHostname"], Value::Null);
    assert_eq!(story.emulator.sessions()[0].status, SessionStatus::Error);

    assert!(!story.emulator.fail_session(&session, "twice"), "it has ended");
    let unknown = "d31bddca-dab7-498e-9bc9-7594bc12862f";
    assert!(!story.emulator.fail_session(unknown, "unknown"));
    assert!(!story.emulator.fail_session("no GUID", "unknown"));
}

#[test]
fn an_ended_session_is_forgotten_after_thirty_days() {
    let mut story = Story::begin_with(Config { token_lifetime: 1000 * 24 * HOUR, ..Config::default() });
    let session = story.create();
    story.call("DELETE", &format!("/sessions/{session}"), "").assert_empty(204);
    story.clock.advance(30 * 24 * HOUR - NANOSECOND);
    assert_eq!(story.status(&session), "Stopped");
    story.clock.advance(NANOSECOND);
    story.call("GET", &format!("/sessions/{session}/properties"), "").assert_empty(404);
    story.call("DELETE", &format!("/sessions/{session}"), "").assert_empty(404);
}

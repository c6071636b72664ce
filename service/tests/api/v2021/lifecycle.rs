//! A session from its creation to its end, in REST 2021-01-01.

use std::time::Duration;

use arr_service::{Config, WireFormat};
use serde_json::{Value, json};

use crate::story::{STARTUP, Story};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn the_renderer_is_named_only_while_ready() {
    let mut story = Story::begin();
    story.create_2021("mine", 5);
    let names = ["arrInspectorPort", "handshakePort", "hostname"];
    let known = |session: &Value| names.map(|name| session.get(name).is_some());
    let starting = story.get_2021("mine");
    assert_eq!((known(&starting), starting.get("teraflops")), ([false; 3], None));

    story.clock.advance(STARTUP + 2 * MINUTE - Duration::from_nanos(1));
    let ready = story.get_2021("mine");
    assert_eq!((&ready["status"], &ready["elapsedTimeMinutes"]), (&json!("Ready"), &json!(1)));
    assert!(ready["hostname"].as_str().is_some_and(|name| name.ends_with(".mixedreality.azure.com")), "{ready}");
    for port in [&ready["arrInspectorPort"], &ready["handshakePort"]] {
        assert!((49_152..=65_534).contains(&port.as_u64().expect("a port")), "{port}");
    }
    assert_eq!(ready["teraflops"], json!(10.6));

    story.clock.advance(5 * MINUTE);
    let expired = story.get_2021("mine");
    assert_eq!((&expired["status"], &expired["elapsedTimeMinutes"]), (&json!("Expired"), &json!(5)));
    assert_eq!((known(&expired), &expired["teraflops"]), ([false; 3], &json!(10.6)));
    assert_eq!(expired.get("error"), None, "an expired lease is not an error");
}

#[test]
fn a_stopping_session_is_already_stopped() {
    let mut story = Story::begin_with(Config { stopping: 5 * MINUTE, ..Config::default() });
    story.create_2021("mine", 60);
    story.clock.advance(STARTUP);
    for _ in 0..2 {
        story.call_2021("POST", "/sessions/mine/:stop", "").assert_empty(204);
        let stopped = story.get_2021("mine");
        assert_eq!((&stopped["status"], stopped.get("hostname")), (&json!("Stopped"), None));
        assert_eq!(story.call_2021("GET", "/sessions", "").text(), r#"{"sessions":[]}"#);
    }
    let reply = story.call_2021("PATCH", "/sessions/mine", r#"{"maxLeaseTimeMinutes":90}"#);
    assert_eq!((reply.status, reply.error_2021().1.contains("is Stopped")), (422, true));
    // Version 1 has `Stopping`.
    assert_eq!(story.status("mine"), "Stopping");
    story.call_2021("POST", "/sessions/yours/:stop", "").assert_empty(404);
}

#[test]
fn a_session_may_be_stopped_while_starting_and_after_its_end() {
    let mut story = Story::begin();
    story.create_2021("early", 60);
    story.create_2021("late", 1);
    story.call_2021("POST", "/sessions/early/:stop", "").assert_empty(204);
    story.clock.advance(STARTUP + MINUTE);
    story.call_2021("POST", "/sessions/late/:stop", "").assert_empty(204);
    assert_eq!(story.get_2021("early").get("teraflops"), None, "it never had a renderer");
    assert_eq!(story.get_2021("late")["status"], "Expired");
}

#[test]
fn a_failed_session_has_an_error_object() {
    let mut story = Story::begin();
    story.create_2021("mine", 60);
    let reply = story.control("POST", "/sessions/mine", r#"{"status":"Error","message":"No server is free."}"#);
    assert_eq!((reply.status, &reply.json()["id"]), (200, &json!("mine")));
    let failed = story.get_2021("mine");
    assert_eq!(failed["status"], "Error");
    assert_eq!(failed["error"], json!({"code": "SessionFailed", "message": "No server is free."}));
}

#[test]
fn the_first_generation_sends_null_and_zero() {
    let mut story = Story::begin_with(Config { wire: WireFormat::V2021, ..Config::default() });
    story.create_2021("mine", 60);
    let reply = story.call_2021("GET", "/sessions/mine", "");
    assert_eq!(
        reply.text(),
        r#"{"id":"mine","creationTime":"2025-01-01T00:00:00+00:00","arrInspectorPort":0,"handshakePort":0,"elapsedTimeMinutes":0,"hostname":null,"maxLeaseTimeMinutes":60,"size":"Standard","status":"Starting","teraflops":0.0,"error":null}"#
    );
    assert_eq!((reply.header("Cache-Control"), reply.header("Pragma")), (None, None));
    let reply = story.call_2021("PATCH", "/sessions/mine", "[]");
    let text = r#"{"error":{"code":"BadRequest","message":"the body is JSON, but not an object","details":null,"target":null,"innerError":null}}"#;
    assert_eq!(reply.text(), text);
}

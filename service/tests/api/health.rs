//! `GET /health`.

use arr_service::{Config, Fault};
use serde_json::json;

use crate::http::Connection;
use crate::story::Story;

#[test]
fn health_is_reported_to_everyone_and_not_recorded() {
    let mut story =
        Story::begin_with(Config { min_call_interval: std::time::Duration::from_secs(60), ..Config::default() });
    story.create();
    story.emulator.clear_requests();
    let mut connection = Connection::open(story.emulator.url());
    let reply = connection.call("GET", "/health", &[], b"");
    assert_eq!((reply.status, reply.header("Cache-Control")), (200, Some("no-store")));
    let mut health = reply.json();
    assert!(health["uptime_seconds"].take().as_u64().is_some_and(|seconds| seconds < 600), "{health}");
    assert_eq!(
        health,
        json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "uptime_seconds": null, "sessions": 1})
    );
    assert_eq!(connection.call("HEAD", "/health", &[], b"").status, 200);
    assert_eq!(connection.call("POST", "/health", &[], b"{}").status, 405);
    assert!(story.emulator.requests().is_empty());
}

#[test]
fn faults_and_foreign_names_do_not_reach_it() {
    let story = Story::begin();
    story.emulator.add_faults([Fault::on("*", "**").times(0).status(500)]).expect("a good fault");
    let mut connection = Connection::open(story.emulator.url());
    assert_eq!(connection.call("GET", "/health", &[], b"").status, 200);
    connection.send(b"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    let reply = connection.receive("GET");
    assert_eq!(reply.status, 421);
    assert!(reply.error().contains("--tls-name"), "{reply:?}");
}

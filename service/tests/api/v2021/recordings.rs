//! Replays a session that was recorded at the service in January 2021. The emulator's replies match the recorded ones,
//! in each header and byte.

use std::env;
use std::fs;
use std::path::Path;
use std::time::Duration;

use arr_service::{Config, WireFormat};
use serde_json::Value;

use crate::http::Reply;
use crate::story::{STARTUP, Story};

const SESSION: &str = "a2b38ff2-fbf4-78e5-6702-b52fc9f12a1d";

/// When the test's session is created: a fraction of a second with as many digits as the recorded one.
const CREATED_AT: Duration = Duration::from_nanos(156_921_900);

/// The recorded requests, with the status and body length of each reply.
const STEPS: [(&str, &str, &str, u16, Option<&str>); 8] = [
    ("PUT", "", r#"{"maxLeaseTimeMinutes":4,"size":"Standard"}"#, 201, Some("265")),
    ("GET", "", "", 200, Some("265")),
    ("PATCH", "", r#"{"maxLeaseTimeMinutes":5}"#, 200, Some("265")),
    ("GET", "", "", 200, Some("368")),
    ("LIST", "", "", 200, Some("383")),
    ("POST", "/:stop", "", 204, None),
    ("GET", "", "", 200, Some("265")),
    ("PUT", "-2", r#"{"maxLeaseTimeMinutes":-4,"size":"Standard"}"#, 400, Some("140")),
];

/// Begins where the recording does, with the same renderer.
fn begin() -> Story {
    let story = Story::begin_with(Config {
        wire: WireFormat::V2021,
        session_hostname: Some(
            "977007394-13adf859-28b6-4b7f-a0c2-13f4497c15ef.remoterendering.vm.westeurope.mixedreality.azure.com"
                .to_owned(),
        ),
        session_ports: Some((55_669, 53_197)),
        ..Config::default()
    });
    story.clock.advance(CREATED_AT);
    story
}

/// Sends all requests; before the fourth, the session becomes ready.
fn replay() -> Vec<Reply> {
    let mut story = begin();
    let step = |(index, (method, rest, body, ..)): (usize, &(&str, &str, &str, u16, Option<&str>))| {
        if index == 3 {
            story.clock.advance(STARTUP);
        }
        match *method {
            "LIST" => story.call_2021("GET", "/sessions", ""),
            method => story.call_2021(method, &format!("/sessions/{SESSION}{rest}"), body),
        }
    };
    STEPS.iter().enumerate().map(step).collect()
}

#[test]
fn the_recorded_session_has_the_recorded_statuses_and_lengths() {
    for (reply, (method, rest, _, status, length)) in replay().iter().zip(STEPS) {
        assert_eq!((reply.status, reply.header("Content-Length")), (status, length), "{method} {rest}: {reply:?}");
        let cached = (method == "LIST").then_some("no-store, no-cache");
        assert_eq!(reply.header("Cache-Control"), cached, "{method} {rest}");
    }
}

/// Needs `ARR_RECORDINGS`, the folder of the recorded replies.
#[test]
fn the_recorded_session_has_the_recorded_bodies_and_headers() {
    let Some(folder) = env::var_os("ARR_RECORDINGS") else {
        eprintln!("ARR_RECORDINGS is not set: only the recorded statuses and lengths are compared");
        return;
    };
    let names = [
        "01-net-create-201-starting-nulls",
        "02-net-get-200-starting-nulls",
        "03-net-patch-200-while-starting",
        "04-net-get-200-ready-nulls",
        "05-net-list-200-one-ready",
        "06-net-stop-204",
        "07-net-get-200-stopped-nulls",
        "08-net-create-400-negative-lease-nulls",
    ];
    for (reply, name) in replay().iter().zip(names) {
        let recorded = recorded_response(Path::new(&folder), name);
        assert_eq!(recorded["status"], reply.status, "{name}");
        let body = recorded["body_text_compact"].as_str().unwrap_or_default();
        let body = body.replace("2021-01-29T16:04:29.1569219", "2025-01-01T00:00:00.1569219");
        assert_eq!(reply.text(), body, "{name}");
        for (header, value) in recorded["headers"].as_object().expect("headers") {
            let value = value.as_str().expect("one value");
            let received = reply.header(header).unwrap_or_else(|| panic!("{name}: no {header}"));
            match header.as_str() {
                "Date" | "MS-CV" => assert_eq!(received.len(), value.len(), "{name}: {header}"),
                _ => assert_eq!(received, value, "{name}: {header}"),
            }
        }
        assert_eq!(reply.header_count(), recorded["headers"].as_object().map_or(0, serde_json::Map::len), "{name}");
    }
}

pub(super) fn recorded_response(folder: &Path, name: &str) -> Value {
    let path = folder.join(format!("{name}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let pair: Value = serde_json::from_str(&text).expect("JSON");
    pair["response"].clone()
}

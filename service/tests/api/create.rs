//! Creating a session.

use std::time::Duration;

use arr_service::{Config, SessionSize, SessionStatus};

use crate::story::Story;

#[test]
fn the_reply_matches_the_documentation_to_the_byte() {
    let mut story = Story::begin();
    let reply = story.call("POST", "/sessions/create", r#"{"maxLeaseTime":"4:0:0","models":[],"size":"standard"}"#);
    assert_eq!(reply.status, 202);
    let sessions = story.emulator.sessions();
    let id = &sessions[0].id;
    assert_eq!(reply.text(), format!(r#"{{"sessionId":"{id}"}}"#));
    assert_eq!(reply.header("Content-Length"), Some("52"));
    assert_eq!(reply.header("Content-Type"), Some("application/json; charset=utf-8"));
    let location = format!("accounts/{}/sessions/{id}", story.emulator.account().id());
    assert_eq!(reply.header("Location"), Some(location.as_str()));
}

#[test]
fn the_session_has_the_requested_settings() {
    let mut story = Story::begin();
    let body = r#"{"maxLeaseTime":"1.02:03:04","models":["https://x/a.arrAsset"],"size":"Premium"}"#;
    assert_eq!(story.call("POST", "/sessions/create", body).status, 202);
    let sessions = story.emulator.sessions();
    let session = &sessions[0];
    assert_eq!(session.account_id, story.emulator.account().id());
    assert_eq!(session.status, SessionStatus::Starting);
    assert_eq!(session.size, SessionSize::Premium);
    assert_eq!(session.max_lease, Duration::from_secs(93_784));
    assert_eq!(session.elapsed, Duration::ZERO);
    assert_eq!((&session.hostname, &session.message), (&None, &None));
}

#[test]
fn each_create_makes_another_session() {
    let mut story = Story::begin();
    assert_ne!(story.create(), story.create());
    assert_eq!(story.emulator.sessions().len(), 2);
}

#[test]
fn a_full_service_refuses_creates_until_a_session_ends() {
    let mut story = Story::begin_with(Config { max_sessions: Some(1), ..Config::default() });
    let first = story.create();
    let full = story.call("POST", "/sessions/create", r#"{"maxLeaseTime":"4:0:0","size":"standard"}"#);
    assert_eq!(full.status, 429);
    assert_eq!(full.json()["error"]["code"], "ServiceFull");
    assert_eq!(story.call("DELETE", &format!("/sessions/{first}"), "").status, 204);
    assert_ne!(story.create(), first);
}

#[test]
fn the_body_may_be_as_lenient_as_in_the_documentation() {
    let mut story = Story::begin();
    for body in [
        "{ 'maxLeaseTime': '4:0:0', 'models': [], 'size': 'standard' }",
        r#"{"maxLeaseTime":"4:0:0","size":"standard"}"#,
        r#"{"maxLeaseTime":"04:00:00","models":null,"size":"PREMIUM"}"#,
        r#"{"maxLeaseTime":"4:0:0","size":"standard","directConnectionSession":"false","x":{"y":[1]}}"#,
        "\u{feff}{\"maxLeaseTime\":\"4:0:0\",\"size\":\"standard\"}",
    ] {
        assert_eq!(story.call("POST", "/sessions/create/", body).status, 202, "{body}");
    }
}

#[test]
fn an_invalid_body_says_why() {
    let mut story = Story::begin();
    for (body, error) in [
        ("", "the body is not JSON: EOF while parsing a value at line 1 column 0"),
        ("{maxLeaseTime}", "the body is not JSON: key must be a string at line 1 column 2"),
        ("[]", "the body is JSON, but not an object"),
        (r#"{"size":"standard"}"#, "maxLeaseTime is missing"),
        (r#"{"maxLeaseTime":"4:0:0"}"#, "size is missing"),
        (r#"{"maxLeaseTime":"4:0:0","size":"huge"}"#, "size must be \"standard\" or \"premium\""),
        (r#"{"maxLeaseTime":"0:0:0","size":"standard"}"#, "maxLeaseTime must be greater than zero"),
        (r#"{"maxLeaseTime":"-1:0:0","size":"standard"}"#, "maxLeaseTime: \"-1:0:0\" is negative"),
        (
            r#"{"maxLeaseTime":"24:00:00","size":"standard"}"#,
            "maxLeaseTime: \"24:00:00\" would be read as 24 days; write 1.00:00:00 for 24 hours",
        ),
        (r#"{"maxLeaseTime":240,"size":"standard"}"#, "maxLeaseTime must be a string"),
        (r#"{"maxLeaseTime":"4:0:0","size":"standard","models":{}}"#, "models must be an array of strings"),
    ] {
        let reply = story.call("POST", "/sessions/create", body);
        assert_eq!((reply.status, reply.error().as_str()), (400, error), "{body}");
    }
    assert!(story.emulator.sessions().is_empty());
}

#[test]
fn a_body_may_have_64_kib_and_no_more() {
    let mut story = Story::begin();
    let padded = |length: usize| {
        let body = r#"{"maxLeaseTime":"4:0:0","size":"standard"}"#;
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    assert_eq!(story.call("POST", "/sessions/create", &padded(65_536)).status, 202);
    for length in [65_537, 1_000_000] {
        let reply = story.call("POST", "/sessions/create", &padded(length));
        let error = "the body is larger than 65536 bytes";
        assert_eq!((reply.status, reply.error().as_str()), (413, error));
    }
    assert_eq!(story.emulator.sessions().len(), 1);
}

#[test]
fn a_chunked_body_is_accepted() {
    let mut story = Story::begin();
    let path = story.path("/sessions/create");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        story.token
    );
    story.connection.send(head.as_bytes());
    for chunk in [r#"{"maxLeaseTime":"#, r#""4:0:0","size":"standard"}"#] {
        story.connection.send(format!("{:x}\r\n{chunk}\r\n", chunk.len()).as_bytes());
    }
    story.connection.send(b"0\r\n\r\n");
    assert_eq!(story.connection.receive("POST").status, 202);
}

#[test]
fn malformed_framing_is_a_bad_request() {
    let mut story = Story::begin();
    let path = story.path("/sessions/create");
    let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nno-number\r\n");
    story.connection.send(head.as_bytes());
    let reply = story.connection.receive("POST");
    assert_eq!(reply.status, 400);
    assert!(reply.error().contains("framing"), "{reply:?}");
}

#[test]
fn the_longest_lease_is_granted_and_no_longer_one() {
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    for (configured, longest, longer) in [
        (Config::default(), "30.00:00:00", "30.00:00:00.0000001"),
        (Config { max_lease: hours(5), ..Config::default() }, "05:00:00", "10675199.02:48:05.4775807"),
    ] {
        let mut story = Story::begin_with(configured);
        let text = format!("maxLeaseTime must be at most {longest}, the longest lease of this emulator");
        let refused =
            story.call("POST", "/sessions/create", &format!(r#"{{"maxLeaseTime":"{longer}","size":"standard"}}"#));
        assert_eq!((refused.status, refused.error()), (400, text.clone()));
        assert!(story.emulator.sessions().is_empty());
        let session = story.create_with_lease("4:0:0");
        let path = format!("/sessions/{session}");
        let refused = story.call("PATCH", &path, &format!(r#"{{"maxLeaseTime":"{longer}"}}"#));
        assert_eq!((refused.status, refused.error()), (400, text));
        story.call("PATCH", &path, &format!(r#"{{"maxLeaseTime":"{longest}"}}"#)).assert_empty(200);
        assert_eq!(story.properties(&session)["sessionMaxLeaseTime"], longest);
    }
    let mut story = Story::begin_with(Config { max_lease: hours(1), ..Config::default() });
    story.create_2021("an-hour", 60);
    for (method, body) in
        [("PUT", r#"{"maxLeaseTimeMinutes":61,"size":"Standard"}"#), ("PATCH", r#"{"maxLeaseTimeMinutes":61}"#)]
    {
        let refused = story.call_2021(method, "/sessions/an-hour", body);
        assert_eq!(refused.status, 400);
        assert!(refused.error_2021().1.contains("more than 60, the longest lease"), "{refused:?}");
    }
}

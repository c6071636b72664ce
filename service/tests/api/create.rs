//! Creating a session.

use std::time::Duration;

use arr_service::{SessionSize, SessionStatus};

use crate::story::Story;

#[test]
fn the_reply_is_the_documented_one_to_the_byte() {
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
fn the_session_is_what_was_asked_for() {
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
fn the_body_may_be_as_loose_as_the_documentation_s() {
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
fn a_body_that_makes_no_session_says_why() {
    let mut story = Story::begin();
    for (body, error) in [
        ("", "the body is not JSON: EOF while parsing a value at line 1 column 0"),
        ("{maxLeaseTime}", "the body is not JSON: key must be a string at line 1 column 2"),
        ("[]", "the body is JSON, but not an object"),
        (r#"{"size":"standard"}"#, "maxLeaseTime is missing"),
        (r#"{"maxLeaseTime":"4:0:0"}"#, "size is missing"),
        (r#"{"maxLeaseTime":"4:0:0","size":"huge"}"#, "size must be \"standard\" or \"premium\""),
        (r#"{"maxLeaseTime":"0:0:0","size":"standard"}"#, "maxLeaseTime must be more than nothing"),
        (r#"{"maxLeaseTime":"-1:0:0","size":"standard"}"#, "maxLeaseTime: \"-1:0:0\" is negative"),
        (
            r#"{"maxLeaseTime":"24:00:00","size":"standard"}"#,
            "maxLeaseTime: \"24:00:00\" would be read as 24 days; write 1.00:00:00 for 24 hours",
        ),
        (r#"{"maxLeaseTime":240,"size":"standard"}"#, "maxLeaseTime must be a text"),
        (r#"{"maxLeaseTime":"4:0:0","size":"standard","models":{}}"#, "models must be an array of texts"),
    ] {
        let reply = story.call("POST", "/sessions/create", body);
        assert_eq!((reply.status, reply.error().as_str()), (400, error), "{body}");
    }
    assert!(story.emulator.sessions().is_empty());
}

#[test]
fn a_body_may_have_64_kib_and_not_a_byte_more() {
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
fn a_chunked_body_is_a_body() {
    let mut story = Story::begin();
    let path = story.path("/sessions/create");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nTransfer-Encoding: chunked\r\n\r\n",
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
fn a_body_with_broken_framing_is_a_bad_request_and_not_a_large_one() {
    let mut story = Story::begin();
    let path = story.path("/sessions/create");
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno-number\r\n");
    story.connection.send(head.as_bytes());
    let reply = story.connection.receive("POST");
    assert_eq!(reply.status, 400);
    assert!(reply.error().contains("framing"), "{reply:?}");
}

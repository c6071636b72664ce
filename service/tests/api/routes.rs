//! The headers of every reply, and the replies to requests for anything else.

use std::time::Duration;

use crate::story::Story;

#[test]
fn every_reply_has_a_vector_a_date_and_nosniff() {
    let mut story = Story::begin();
    let session = story.create();
    story.clock.advance(Duration::from_secs(61));
    let mut vectors = Vec::new();
    for (method, path, status) in [
        ("GET", "/sessions".to_owned(), 200),
        ("GET", format!("/sessions/{session}/properties"), 200),
        ("GET", "/nothing".to_owned(), 404),
        ("PUT", "/sessions".to_owned(), 405),
        ("PATCH", format!("/sessions/{session}"), 400),
        ("DELETE", format!("/sessions/{session}"), 204),
    ] {
        let reply = story.call(method, &path, "");
        assert_eq!(reply.status, status, "{method} {path}");
        assert_eq!(reply.header("X-Content-Type-Options"), Some("nosniff"));
        assert_eq!(reply.header("Date"), Some("Wed, 01 Jan 2025 00:01:01 GMT"));
        let vector = reply.header("MS-CV").expect("a vector").to_owned();
        assert!(vector.len() == 24 && vector.ends_with(".0"), "{vector}");
        vectors.push(vector);
    }
    vectors.sort();
    vectors.dedup();
    assert_eq!(vectors.len(), 6);
}

#[test]
fn an_unknown_path_gets_the_list_of_endpoints() {
    let mut story = Story::begin();
    for path in ["/v1", "/v2/accounts", "/accounts/token", "/v1/accounts/a/sessions/b/c", "/%ff"] {
        let reply = story.connection.call("GET", path, &[], b"");
        assert_eq!(reply.status, 404, "{path}");
        let error = reply.error();
        assert!(error.starts_with(&format!("there is nothing at {path};")), "{error}");
        assert!(error.contains("GET /accounts/{accountId}/token"), "{error}");
        assert!(error.contains("POST /v1/accounts/{accountId}/sessions/create"), "{error}");
    }
}

#[test]
fn a_wrong_method_gets_the_right_one() {
    let mut story = Story::begin();
    let account = story.emulator.account().id().to_owned();
    for (method, path, allowed) in [
        ("POST", format!("/accounts/{account}/token"), "GET,HEAD"),
        ("GET", story.path("/sessions/create"), "POST"),
        ("DELETE", story.path("/sessions"), "GET,HEAD"),
        ("POST", story.path("/sessions/x/properties"), "GET,HEAD"),
        ("PUT", story.path("/sessions/x"), "PATCH,DELETE"),
    ] {
        let reply = story.connection.call(method, &path, &[], b"");
        assert_eq!(reply.status, 405, "{method} {path}");
        assert_eq!(reply.header("Allow"), Some(allowed), "{method} {path}");
        let error = reply.error();
        assert!(error.starts_with(&format!("{path} does not support {method};")), "{error}");
    }
}

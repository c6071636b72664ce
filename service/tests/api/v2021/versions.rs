//! The `api-version` of requests.

use arr_service::{Config, WireFormat};

use crate::story::Story;

const LATER: &str = "2021-01-01-preview, 2021-01-01, 2021-08-01-preview";

#[test]
fn the_preview_version_is_supported_too() {
    let mut story = Story::begin();
    story.create_2021("mine", 60);
    let authorization = format!("Bearer {}", story.token);
    let path = story.path_2021("/sessions/mine") + "-preview";
    let reply = story.connection.call("GET", &path, &[("Authorization", &authorization)], b"");
    assert_eq!((reply.status, reply.text()), (200, story.call_2021("GET", "/sessions/mine", "").text()));
}

#[test]
fn a_missing_or_unknown_version_is_refused_before_all_else() {
    let mut story = Story::begin();
    for (query, code) in [
        ("", "ApiVersionUnspecified"),
        ("?x=2021-01-01", "ApiVersionUnspecified"),
        ("?api-version=", "ApiVersionUnspecified"),
        ("?api-version=2020-01-01", "UnsupportedApiVersion"),
        ("?api-version=2021-08-01-preview", "UnsupportedApiVersion"),
    ] {
        for (method, rest) in [("GET", "/sessions"), ("PUT", "/sessions/a"), ("POST", "/sessions/a/:stop")] {
            let path = format!("/accounts/{}{rest}{query}", story.emulator.account().id());
            let reply = story.connection.call(method, &path, &[], b"");
            let (received, message) = reply.error_2021();
            assert_eq!((reply.status, received.as_str()), (400, code), "{method} {path}");
            assert!(message.contains("2021-01-01"), "{message}");
            assert_eq!(reply.header("api-supported-versions"), Some(LATER));
        }
    }
}

#[test]
fn every_reply_lists_the_versions_of_its_generation() {
    for (wire, versions) in [(WireFormat::V2022, LATER), (WireFormat::V2021, "2021-01-01-preview, 2021-01-01")] {
        let mut story = Story::begin_with(Config { wire, ..Config::default() });
        let body = r#"{"maxLeaseTimeMinutes":60,"size":"Standard"}"#;
        for (method, rest, body, status) in [
            ("PUT", "/sessions/mine", body, 201),
            ("PUT", "/sessions/mine", body, 200),
            ("PUT", "/sessions/mine", "{}", 400),
            ("GET", "/sessions/mine", "", 200),
            ("GET", "/sessions/yours", "", 404),
            ("GET", "/sessions", "", 200),
            ("DELETE", "/sessions", "", 405),
            ("GET", "/sessions/mine/more", "", 404),
            ("PATCH", "/sessions/mine", r#"{"maxLeaseTimeMinutes":1}"#, 422),
            ("POST", "/sessions/mine/:stop", "", 204),
            ("GET", "/conversions", "", 200),
            ("PUT", "/conversions/mine", "{}", 400),
            ("GET", "/conversions/mine", "", 404),
            ("DELETE", "/conversions/mine", "", 405),
            ("POST", "/conversions/mine/:stop", "", 404),
        ] {
            let reply = story.call_2021(method, rest, body);
            assert_eq!(reply.status, status, "{method} {rest}");
            assert_eq!(reply.header("api-supported-versions"), Some(versions), "{method} {rest}");
            assert!(reply.header("MS-CV").is_some_and(|vector| vector.len() == 24), "{reply:?}");
            assert_eq!(reply.header("X-Content-Type-Options"), Some("nosniff"));
        }
        story.token.clear();
        assert_eq!(story.call_2021("GET", "/sessions", "").header("api-supported-versions"), Some(versions));
    }
}

//! Who reaches the routes of REST 2021-01-01, and how often.

use std::time::Duration;

use arr_service::{Account, Config, Fault};

use crate::http::{Connection, Reply};
use crate::story::{Story, other_account};

/// Every operation: method, path below the account's, body.
const OPERATIONS: [(&str, &str, &str); 8] = [
    ("GET", "/sessions", ""),
    ("PUT", "/sessions/mine", r#"{"maxLeaseTimeMinutes":60,"size":"Standard"}"#),
    ("GET", "/sessions/mine", ""),
    ("PATCH", "/sessions/mine", r#"{"maxLeaseTimeMinutes":90}"#),
    ("POST", "/sessions/mine/:stop", ""),
    ("GET", "/conversions", ""),
    ("PUT", "/conversions/mine", "{}"),
    ("GET", "/conversions/mine", ""),
];

fn try_all(story: &mut Story, account: &str, headers: &[(&str, &str)]) -> Vec<Reply> {
    OPERATIONS
        .iter()
        .map(|(method, rest, body)| {
            let path = format!("/accounts/{account}{rest}?api-version=2021-01-01");
            story.connection.call(method, &path, headers, body.as_bytes())
        })
        .collect()
}

#[test]
fn without_a_token_everything_is_an_empty_401_that_names_the_scheme() {
    let mut story = Story::begin();
    let account = Account::development();
    let key = format!("Bearer {}:{}", account.id(), account.key());
    for headers in [&[][..], &[("Authorization", key.as_str())], &[("Authorization", "Bearer x")]] {
        for reply in try_all(&mut story, account.id(), headers) {
            reply.assert_empty(401);
            assert_eq!(reply.header("WWW-Authenticate"), Some("Bearer error=\"invalid_token\""));
        }
    }
    assert!(story.emulator.sessions().is_empty());
}

#[test]
fn a_token_opens_its_own_account_only() {
    let mut story = Story::begin();
    let authorization = format!("Bearer {}", story.token);
    for account in [other_account().id(), "not-a-guid"] {
        for reply in try_all(&mut story, account, &[("Authorization", &authorization)]) {
            reply.assert_empty(403);
        }
    }
}

#[test]
fn an_undecodable_id_matches_no_session() {
    let mut story = Story::begin();
    let body = r#"{"maxLeaseTimeMinutes":60,"size":"Standard"}"#;
    let reply = story.call_2021("PUT", "/sessions/%ff", body);
    assert_eq!(reply.status, 400);
    assert!(reply.error_2021().1.contains("a session id is 1 to 256"), "{reply:?}");
    for (method, rest) in [("GET", ""), ("PATCH", ""), ("POST", "/:stop")] {
        story.call_2021(method, &format!("/sessions/%ff{rest}"), body).assert_empty(404);
    }
}

#[test]
fn early_calls_are_an_empty_429_and_both_versions_count() {
    let mut story = Story::begin_with(Config { min_call_interval: Duration::from_secs(15), ..Config::default() });
    story.create_2021("mine", 60);
    for operation in OPERATIONS {
        let reply = story.call_2021(operation.0, operation.1, operation.2);
        reply.assert_empty(429);
        assert_eq!(reply.header("Retry-After"), Some("15"));
    }
    assert_eq!(story.call("GET", "/sessions", "").status, 429);
    story.clock.advance(Duration::from_millis(14_001));
    assert_eq!(story.call_2021("GET", "/sessions", "").header("Retry-After"), Some("1"));
    story.clock.advance(Duration::from_secs(1));
    assert_eq!(story.call("GET", "/sessions", "").status, 200);
    story.call_2021("GET", "/sessions", "").assert_empty(429);
}

#[test]
fn faults_and_the_request_log_cover_these_paths() {
    let mut story = Story::begin();
    let account = story.emulator.account().id().to_owned();
    let put = Fault::on("PUT", "/accounts/*/sessions/*");
    story
        .emulator
        .add_faults([put.close().executed(true), Fault::on("POST", "/accounts/*/sessions/*/:stop").status(503)])
        .expect("good faults");
    let body = r#"{"maxLeaseTimeMinutes":60,"size":"Standard"}"#;
    let path = story.path_2021("/sessions/mine");
    let authorization = format!("Bearer {}", story.token);
    story.connection.request("PUT", &path, &[("Authorization", &authorization)], body.as_bytes());
    assert!(story.connection.is_closed());
    story.reconnect();
    assert_eq!(story.call_2021("PUT", "/sessions/mine", body).status, 200, "the lost create created it");
    assert_eq!(story.call_2021("POST", "/sessions/mine/:stop", "").status, 503);
    assert_eq!(story.get_2021("mine")["status"], "Starting");

    let record = story.emulator.requests();
    let last = &record[record.len() - 2];
    let stop = format!("/accounts/{account}/sessions/mine/:stop?api-version=2021-01-01");
    assert_eq!((last.method.as_str(), last.path.as_str(), last.status), ("POST", stop.as_str(), 503));
}

#[test]
fn the_token_service_accepts_the_sdks_request() {
    let story = Story::begin();
    let account = story.emulator.account();
    let path = format!("/Accounts/{}/token?api-version=2019-02-28-preview", account.id());
    let authorization = format!("Bearer {}:{}", account.id(), account.key());
    let headers = [
        ("Accept", "application/json"),
        ("Authorization", authorization.as_str()),
        ("X-MRC-CV", "8cSZ5cMmUEaRFNnmoqYyCA"),
        ("x-ms-client-request-id", "982e94cea219d6120d71c5616e1a7488"),
        ("x-ms-return-client-request-id", "true"),
    ];
    let reply = Connection::open(story.emulator.url()).call("GET", &path, &headers, b"");
    assert_eq!((reply.status, reply.json()["AccessToken"].is_string()), (200, true));
}

//! Access to the session routes.

use arr_service::{Account, Config, Emulator};

use crate::http::{Connection, Reply};
use crate::story::{Story, other_account, token_for};

const UNKNOWN: &str = "d31bddca-dab7-498e-9bc9-7594bc12862f";

/// Every operation on sessions: method, path below the account's, body.
fn operations(session: &str) -> [(&'static str, String, &'static str); 5] {
    [
        ("POST", "/sessions/create".to_owned(), r#"{"maxLeaseTime":"4:0:0","size":"standard"}"#),
        ("GET", "/sessions".to_owned(), ""),
        ("GET", format!("/sessions/{session}/properties"), ""),
        ("PATCH", format!("/sessions/{session}"), r#"{"maxLeaseTime":"5:0:0"}"#),
        ("DELETE", format!("/sessions/{session}"), ""),
    ]
}

/// Sends every operation with these headers to this account's path.
fn try_all(story: &mut Story, account: &str, session: &str, headers: &[(&str, &str)]) -> Vec<Reply> {
    operations(session)
        .into_iter()
        .map(|(method, rest, body)| {
            let path = format!("/v1/accounts/{account}{rest}");
            story.connection.call(method, &path, headers, body.as_bytes())
        })
        .collect()
}

#[test]
fn without_a_valid_token_every_call_is_an_empty_401() {
    let mut story = Story::begin();
    let session = story.create();
    let account = Account::development();
    let stranger = Emulator::start(arr_service::Config::default()).expect("another emulator");
    let foreign = token_for(&mut Connection::open(stranger.url()), &account);
    let changed = format!("{}x", story.token);
    let key = format!("{}:{}", account.id(), account.key());

    for reply in try_all(&mut story, account.id(), &session, &[]) {
        reply.assert_empty(401);
    }
    for credential in [&foreign, &changed, &key, "garbage", ""] {
        let authorization = format!("Bearer {credential}");
        let headers = [("Authorization", authorization.as_str())];
        for reply in try_all(&mut story, account.id(), &session, &headers) {
            reply.assert_empty(401);
        }
    }
    assert_eq!(story.status(&session), "Starting");
}

#[test]
fn a_token_opens_its_own_account_only() {
    let mut story = Story::begin();
    let session = story.create();
    let authorization = format!("Bearer {}", story.token);
    let headers = [("Authorization", authorization.as_str())];
    for account in [other_account().id(), UNKNOWN, "not-a-guid"] {
        for reply in try_all(&mut story, account, &session, &headers) {
            reply.assert_empty(403);
        }
    }
    assert_eq!(story.emulator.sessions().len(), 1);
}

#[test]
fn a_session_is_not_found_under_another_account() {
    let mut story = Story::begin();
    let session = story.create();
    let other = other_account();
    let token = token_for(&mut story.connection, &other);
    let authorization = format!("Bearer {token}");
    let replies = try_all(&mut story, other.id(), &session, &[("Authorization", &authorization)]);
    let statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [202, 200, 404, 404, 404]);
    assert_eq!(story.status(&session), "Starting");
}

#[test]
fn an_unknown_session_is_an_empty_404() {
    let mut story = Story::begin();
    for session in [UNKNOWN, "not-a-guid", "%20", "%ff", "d31bddcadab7498e9bc97594bc12862f"] {
        for (method, rest, body) in &operations(session)[2..] {
            story.call(method, rest, body).assert_empty(404);
        }
        // Even if its body is malformed, as in the other version.
        story.call("PATCH", &format!("/sessions/{session}"), "{").assert_empty(404);
    }
}

#[test]
fn ids_in_a_path_may_be_in_upper_case() {
    let mut story = Story::begin();
    let session = story.create().to_ascii_uppercase();
    let account = story.emulator.account().id().to_ascii_uppercase();
    let path = format!("/v1/accounts/{account}/sessions/{session}/properties");
    let authorization = format!("bearer {}", story.token);
    let reply = story.connection.call("GET", &path, &[("authorization", &authorization)], b"");
    assert_eq!(reply.status, 200);
}

/// Otherwise a web page whose name was made to resolve to the emulator could use it through a browser.
#[test]
fn a_request_for_a_foreign_host_is_not_served() {
    let mut story = Story::begin_with(Config { tls_names: vec!["studio.local".to_owned()], ..Config::default() });
    let key = format!("{}:{}", story.emulator.account().id(), story.emulator.account().key());
    let path = format!("/accounts/{}/token", story.emulator.account().id());
    for (first_line, host, status) in [
        (path.clone(), "rebound.example.org", 421),
        (format!("http://rebound.example.org{path}"), "localhost", 421),
        (path.clone(), "studio.local", 200),
        (path.clone(), "192.0.2.7:80", 200),
    ] {
        let head = format!("GET {first_line} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n\r\n");
        story.connection.send(head.as_bytes());
        let reply = story.connection.receive("GET");
        assert_eq!(reply.status, status, "{host}");
        assert!(status == 200 || reply.error().contains("--tls-name"), "{reply:?}");
    }
}

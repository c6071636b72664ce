//! Creating a session under an id that the client chooses.

use std::time::Duration;

use arr_service::{Account, Config, SessionSize, SessionStatus};
use serde_json::json;

use crate::story::{STARTUP, Story, other_account, token_for};

const BODY: &str = r#"{"maxLeaseTimeMinutes":60,"size":"Standard"}"#;

#[test]
fn a_repeated_create_returns_the_existing_session() {
    let mut story = Story::begin();
    let first = story.call_2021("PUT", "/sessions/contoso-1", BODY);
    assert_eq!(first.status, 201);
    assert_eq!(
        first.json(),
        json!({"id": "contoso-1", "creationTime": "2025-01-01T00:00:00+00:00", "elapsedTimeMinutes": 0,
               "maxLeaseTimeMinutes": 60, "size": "Standard", "status": "Starting"})
    );
    story.clock.advance(Duration::from_secs(1));
    let second = story.call_2021("PUT", "/sessions/contoso-1", BODY);
    assert_eq!((second.status, second.text()), (200, first.text()));
    assert_eq!(story.emulator.sessions().len(), 1);
}

#[test]
fn a_full_service_still_returns_the_existing_session() {
    let mut story = Story::begin_with(Config { max_sessions: Some(1), ..Config::default() });
    story.create_2021("contoso-1", 60);
    let full = story.call_2021("PUT", "/sessions/contoso-2", BODY);
    assert_eq!((full.status, &full.json()["error"]["code"]), (429, &json!("ServiceFull")));
    assert_eq!(story.call_2021("PUT", "/sessions/contoso-1", BODY).status, 200);
}

#[test]
fn an_id_with_other_settings_is_a_conflict() {
    let mut story = Story::begin();
    story.create_2021("contoso-1", 60);
    for body in [r#"{"maxLeaseTimeMinutes":61,"size":"Standard"}"#, r#"{"maxLeaseTimeMinutes":60,"size":"Premium"}"#] {
        let reply = story.call_2021("PUT", "/sessions/contoso-1", body);
        assert_eq!(reply.status, 409);
        let text = r#"{"error":{"code":"Conflict","message":"A resource already exists under the given ID."}}"#;
        assert_eq!(reply.text(), text);
    }
    assert_eq!(story.get_2021("contoso-1")["maxLeaseTimeMinutes"], 60);
}

#[test]
fn a_create_is_compared_with_the_current_settings() {
    let mut story = Story::begin();
    story.create_2021("contoso-1", 60);
    let longer = r#"{"maxLeaseTimeMinutes":90,"size":"Standard"}"#;
    assert_eq!(story.call_2021("PATCH", "/sessions/contoso-1", longer).status, 200);
    assert_eq!(story.call_2021("PUT", "/sessions/contoso-1", longer).status, 200);
    assert_eq!(story.call_2021("PUT", "/sessions/contoso-1", BODY).status, 409);
}

#[test]
fn the_id_of_an_ended_session_stays_taken_for_thirty_days() {
    let mut story = Story::begin();
    story.create_2021("contoso-1", 60);
    story.call_2021("POST", "/sessions/contoso-1/:stop", "").assert_empty(204);
    let reply = story.call_2021("PUT", "/sessions/contoso-1", BODY);
    assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("Stopped")));
    let premium = r#"{"maxLeaseTimeMinutes":60,"size":"Premium"}"#;
    assert_eq!(story.call_2021("PUT", "/sessions/contoso-1", premium).status, 409);

    story.clock.advance(Duration::from_secs(30 * 24 * 60 * 60));
    story.token = token_for(&mut story.connection, &Account::development());
    let reply = story.call_2021("PUT", "/sessions/contoso-1", premium);
    assert_eq!((reply.status, &reply.json()["status"]), (201, &json!("Starting")));
}

#[test]
fn ids_are_the_clients_and_case_sensitive() {
    let mut story = Story::begin();
    let longest = "x".repeat(256);
    for id in ["a", "A", "_", "-", "Contoso_session-1", "create", &longest] {
        story.create_2021(id, 60);
        assert_eq!(story.get_2021(id)["id"], id);
    }
    story.call_2021("GET", "/sessions/CREATE", "").assert_empty(404);
    // Some clients encode the hyphen.
    assert_eq!(story.get_2021("Contoso_session%2D1")["id"], "Contoso_session-1");
}

#[test]
fn an_invalid_id_is_refused() {
    let mut story = Story::begin();
    for id in ["a.b", "a%20b", "%C3%A9", ":stop", &"x".repeat(257)] {
        let reply = story.call_2021("PUT", &format!("/sessions/{id}"), BODY);
        let message = "a session id is 1 to 256 letters, digits, hyphens and underscores";
        assert_eq!((reply.status, reply.error_2021()), (400, ("BadRequest".to_owned(), message.to_owned())), "{id}");
        story.call_2021("GET", &format!("/sessions/{id}"), "").assert_empty(404);
    }
}

#[test]
fn an_invalid_body_says_why() {
    let mut story = Story::begin();
    for (body, message) in [
        ("", "the body is not JSON: EOF while parsing a value at line 1 column 0"),
        ("[]", "the body is JSON, but not an object"),
        (r#"{"maxLeaseTimeMinutes":-4,"size":"Standard"}"#, "The maxLeaseTimeMinutes value cannot be negative."),
        (r#"{"maxLeaseTimeMinutes":1441,"size":"Standard"}"#, "maxLeaseTimeMinutes is more than 1440, one day"),
        (r#"{"maxLeaseTimeMinutes":"60","size":"Standard"}"#, "maxLeaseTimeMinutes must be a whole number"),
        (r#"{"size":"Standard"}"#, "maxLeaseTimeMinutes is missing"),
        (r#"{"maxLeaseTimeMinutes":60}"#, "size is missing"),
        (r#"{"maxLeaseTimeMinutes":60,"size":"Huge"}"#, "size must be \"Standard\" or \"Premium\""),
    ] {
        let reply = story.call_2021("PUT", "/sessions/contoso-1", body);
        assert_eq!((reply.status, reply.error_2021()), (400, ("BadRequest".to_owned(), message.to_owned())), "{body}");
    }
    assert!(story.emulator.sessions().is_empty());
}

#[test]
fn every_other_error_is_an_error_object_too() {
    let mut story = Story::begin();
    let too_large = format!("{BODY}{}", " ".repeat(65_536));
    let reply = story.call_2021("PUT", "/sessions/contoso-1", &too_large);
    assert_eq!((reply.status, reply.error_2021().0.as_str()), (413, "PayloadTooLarge"));
    let reply = story.call_2021("DELETE", "/sessions/contoso-1", "");
    assert_eq!((reply.status, reply.error_2021().0.as_str()), (405, "MethodNotAllowed"));
    assert_eq!(reply.header("Allow"), Some("GET,HEAD,PUT,PATCH"));
    let reply = story.call_2021("POST", "/sessions/contoso-1/:start", "");
    assert_eq!((reply.status, reply.error_2021().0.as_str()), (404, "NotFound"));
    assert!(reply.error_2021().1.contains("POST /accounts/{accountId}/sessions/{sessionId}/:stop"));
}

#[test]
fn a_lease_may_be_zero_or_a_day() {
    let mut story = Story::begin();
    story.create_2021("none", 0);
    story.create_2021("day", 1440);
    story.clock.advance(STARTUP);
    assert_eq!(story.get_2021("none")["status"], "Expired");
    assert_eq!(story.get_2021("day")["status"], "Ready");
}

#[test]
fn two_accounts_may_choose_the_same_id() {
    let mut story = Story::begin();
    story.create_2021("shared", 60);
    let other = other_account();
    let authorization = format!("Bearer {}", token_for(&mut story.connection, &other));
    let path = format!("/accounts/{}/sessions/shared?api-version=2021-01-01", other.id());
    let headers = [("Authorization", authorization.as_str())];
    story.connection.call("GET", &path, &headers, b"").assert_empty(404);
    let body = br#"{"maxLeaseTimeMinutes":5,"size":"Premium"}"#;
    assert_eq!(story.connection.call("PUT", &path, &headers, body).status, 201);
    assert_eq!(story.get_2021("shared")["size"], "Standard");
    let sizes: Vec<_> = story.emulator.sessions().iter().map(|session| session.size).collect();
    assert_eq!(sizes, [SessionSize::Standard, SessionSize::Premium]);
    // Of two sessions with the id, each call fails the one that has not ended.
    assert!(story.emulator.fail_session("shared", "the first") && story.emulator.fail_session("shared", "the second"));
    assert!(story.emulator.sessions().iter().all(|session| session.status == SessionStatus::Error));
}

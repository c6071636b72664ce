//! Both versions show the same sessions.

use std::time::Duration;

use serde_json::json;

use crate::story::{STARTUP, Story};

#[test]
fn a_session_of_version_1_appears_in_2021_01_01() {
    let mut story = Story::begin();
    let id = story.create_with_lease("0:1:30");
    story.clock.advance(STARTUP + Duration::from_secs(61));
    let session = story.get_2021(&id);
    assert_eq!(
        (&session["id"], &session["status"], &session["size"]),
        (&json!(id), &json!("Ready"), &json!("Standard"))
    );
    assert_eq!(
        (&session["elapsedTimeMinutes"], &session["maxLeaseTimeMinutes"]),
        (&json!(1), &json!(1)),
        "rounded down"
    );
    assert_eq!(story.call_2021("GET", "/sessions", "").json()["sessions"], json!([session]));

    // The lease includes the half minute that is not shown.
    let reply = story.call_2021("PATCH", &format!("/sessions/{id}"), r#"{"maxLeaseTimeMinutes":1}"#);
    assert_eq!((reply.status, reply.error_2021().1.ends_with("1 is not larger than the current 1.5")), (422, true));
    assert_eq!(story.call_2021("PATCH", &format!("/sessions/{id}"), r#"{"maxLeaseTimeMinutes":2}"#).status, 200);
    assert_eq!(story.properties(&id)["sessionMaxLeaseTime"], "00:02:00");
    story.call_2021("POST", &format!("/sessions/{id}/:stop"), "").assert_empty(204);
    assert_eq!(story.status(&id), "Stopped");
}

#[test]
fn a_session_of_2021_01_01_appears_in_version_1() {
    let mut story = Story::begin();
    story.create_2021("Contoso-1", 60);
    let properties = story.properties("Contoso-1");
    assert_eq!((&properties["sessionId"], &properties["sessionSize"]), (&json!("Contoso-1"), &json!("standard")));
    assert_eq!(story.call("GET", "/sessions", "").json()["sessions"], json!([properties]));
    story.call("GET", "/sessions/contoso-1/properties", "").assert_empty(404);
    story.call("PATCH", "/sessions/Contoso-1", r#"{"maxLeaseTime":"2:0:0"}"#).assert_empty(200);
    assert_eq!(story.get_2021("Contoso-1")["maxLeaseTimeMinutes"], 120);
    story.call("DELETE", "/sessions/Contoso-1", "").assert_empty(204);
    assert_eq!(story.get_2021("Contoso-1")["status"], "Stopped");
}

#[test]
fn only_version_1_ignores_the_letter_case_of_guids() {
    let mut story = Story::begin();
    let id = story.create();
    let upper = id.to_ascii_uppercase();
    assert_eq!(story.properties(&upper)["sessionId"], json!(id));
    story.call_2021("GET", &format!("/sessions/{upper}"), "").assert_empty(404);
    // So there can be two sessions. Version 1 selects the exact match.
    story.create_2021(&upper, 60);
    assert_eq!(story.properties(&upper)["sessionMaxLeaseTime"], "01:00:00");
    assert_eq!(story.properties(&id)["sessionMaxLeaseTime"], "04:00:00");
}

#[test]
fn version_1_cannot_change_a_session_named_create() {
    let mut story = Story::begin();
    story.create_2021("create", 60);
    assert_eq!(story.call("GET", "/sessions/create/properties", "").status, 200);
    for method in ["PATCH", "DELETE"] {
        assert_eq!(story.call(method, "/sessions/create", r#"{"maxLeaseTime":"5:0:0"}"#).status, 405);
    }
    assert_eq!(story.call_2021("POST", "/sessions/create/:stop", "").status, 204);
}

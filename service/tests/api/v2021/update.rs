//! Extending a lease in minutes.

use crate::story::{STARTUP, Story};

fn lease(minutes: i32) -> String {
    format!(r#"{{"maxLeaseTimeMinutes":{minutes}}}"#)
}

#[test]
fn a_longer_lease_returns_the_session() {
    let mut story = Story::begin();
    story.create_2021("mine", 60);
    let reply = story.call_2021("PATCH", "/sessions/mine", &lease(72));
    assert_eq!((reply.status, &reply.json()["maxLeaseTimeMinutes"]), (200, &72.into()));
    assert_eq!(reply.json(), story.get_2021("mine"));
    story.clock.advance(STARTUP);
    let reply = story.call_2021("PATCH", "/sessions/mine", &lease(73));
    assert_eq!((reply.status, &reply.json()["status"]), (200, &"Ready".into()));
}

#[test]
fn a_lease_that_does_not_grow_is_a_422() {
    let mut story = Story::begin();
    story.create_2021("mine", 60);
    for minutes in [60, 59, 0] {
        let reply = story.call_2021("PATCH", "/sessions/mine", &lease(minutes));
        let (code, message) = reply.error_2021();
        assert_eq!((reply.status, code.as_str()), (422, "UnprocessableEntity"));
        assert!(message.ends_with(&format!("{minutes} is not larger than the current 60")), "{message}");
    }
    assert_eq!(story.get_2021("mine")["maxLeaseTimeMinutes"], 60);
}

#[test]
fn the_lease_of_an_ended_session_cannot_be_changed() {
    let mut story = Story::begin();
    for (id, status) in [("stopped", "Stopped"), ("failed", "Error"), ("expired", "Expired")] {
        story.create_2021(id, 0);
        match id {
            "stopped" => story.call_2021("POST", "/sessions/stopped/:stop", "").assert_empty(204),
            "failed" => assert!(story.emulator.fail_session("failed", "no server")),
            _ => story.clock.advance(STARTUP),
        }
        let reply = story.call_2021("PATCH", &format!("/sessions/{id}"), &lease(90));
        let message = format!("the session is {status}; its lease can no longer be changed");
        assert_eq!((reply.status, reply.error_2021()), (422, ("UnprocessableEntity".to_owned(), message)));
    }
}

#[test]
fn an_invalid_lease_is_a_400_unless_the_session_is_unknown() {
    let mut story = Story::begin();
    story.create_2021("mine", 60);
    for body in ["", "{}", "[]", r#"{"maxLeaseTimeMinutes":-1}"#, r#"{"maxLeaseTimeMinutes":1441}"#] {
        let reply = story.call_2021("PATCH", "/sessions/mine", body);
        assert_eq!((reply.status, reply.error_2021().0.as_str()), (400, "BadRequest"), "{body}");
        story.call_2021("PATCH", "/sessions/yours", body).assert_empty(404);
    }
}

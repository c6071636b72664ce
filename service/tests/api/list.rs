//! Listing sessions.

use std::time::Duration;

use arr_service::Config;

use crate::story::{STARTUP, Story};

#[test]
fn an_empty_list_has_fifteen_bytes() {
    let mut story = Story::begin();
    let reply = story.call("GET", "/sessions", "");
    assert_eq!((reply.status, reply.text()), (200, r#"{"sessions":[]}"#));
    assert_eq!(reply.header("Content-Length"), Some("15"));
}

#[test]
fn the_list_has_starting_ready_and_stopping_sessions() {
    let mut story = Story::begin_with(Config { stopping: Duration::from_secs(5), ..Config::default() });
    let [ready, stopping, failed] = [(); 3].map(|()| story.create());
    let expired = story.create_with_lease("0:0:1");
    story.clock.advance(STARTUP + Duration::from_secs(1));
    let starting = story.create();
    story.call("DELETE", &format!("/sessions/{stopping}"), "").assert_empty(204);
    assert!(story.emulator.fail_session(&failed, "lost"));
    assert_eq!(story.status(&expired), "Expired");

    let expected = [&ready, &stopping, &starting].map(|session| story.properties(session));
    let list = story.call("GET", "/sessions/", "").json();
    assert_eq!(list["sessions"].as_array().map(Vec::as_slice), Some(&expected[..]));
    let statuses = expected.map(|session| session["sessionStatus"].to_string());
    assert_eq!(statuses, ["\"Ready\"", "\"Stopping\"", "\"Starting\""]);

    let seen: Vec<_> = story.emulator.sessions().into_iter().map(|view| view.id).collect();
    assert_eq!(seen, [ready, stopping, failed, expired, starting]);
}

//! Extending a lease.

use std::time::Duration;

use arr_service::Config;

use crate::http::Reply;
use crate::story::{STARTUP, Story};

fn update(story: &mut Story, session: &str, lease: &str) -> Reply {
    let body = format!(r#"{{"maxLeaseTime":"{lease}"}}"#);
    story.call("PATCH", &format!("/sessions/{session}"), &body)
}

#[test]
fn a_longer_lease_is_an_empty_200() {
    let mut story = Story::begin();
    let session = story.create();
    update(&mut story, &session, "5:0:0").assert_empty(200);
    assert_eq!(story.properties(&session)["sessionMaxLeaseTime"], "05:00:00");
    story.clock.advance(STARTUP);
    update(&mut story, &session, "1.00:00:00").assert_empty(200);
    assert_eq!(story.properties(&session)["sessionMaxLeaseTime"], "1.00:00:00");
}

#[test]
fn the_documented_body_works() {
    let mut story = Story::begin();
    let session = story.create();
    let path = format!("/sessions/{session}/");
    story.call("PATCH", &path, "{ 'maxLeaseTime': '5:0:0' }").assert_empty(200);
}

#[test]
fn the_lease_is_the_whole_time_and_moves_the_end() {
    let mut story = Story::begin();
    let session = story.create_with_lease("0:1:0");
    story.clock.advance_to(STARTUP + Duration::from_secs(59));
    update(&mut story, &session, "0:2:0").assert_empty(200);
    story.clock.advance_to(STARTUP + Duration::from_secs(119));
    assert_eq!(story.status(&session), "Ready");
    story.clock.advance_to(STARTUP + Duration::from_secs(120));
    assert_eq!(story.status(&session), "Expired");
}

#[test]
fn a_lease_cannot_shrink_or_stay() {
    let mut story = Story::begin();
    let session = story.create();
    for lease in ["4:0:0", "3:59:59"] {
        let reply = update(&mut story, &session, lease);
        assert_eq!(reply.status, 400);
        assert!(reply.error().contains("not larger than the current 04:00:00"), "{reply:?}");
    }
    assert_eq!(story.properties(&session)["sessionMaxLeaseTime"], "04:00:00");
}

#[test]
fn an_invalid_lease_is_refused() {
    let mut story = Story::begin();
    let session = story.create();
    for lease in ["", "5", "0:0:0", "-5:0:0", "48:00:00", "five"] {
        let reply = update(&mut story, &session, lease);
        assert_eq!(reply.status, 400, "{lease}");
        assert!(reply.error().starts_with("maxLeaseTime"), "{reply:?}");
    }
    for body in ["{}", "", "x", "[]", r#"{"maxLeaseTime":5}"#] {
        let reply = story.call("PATCH", &format!("/sessions/{session}"), body);
        assert_eq!(reply.status, 400, "{body}");
        assert!(!reply.error().is_empty());
    }
}

#[test]
fn a_stopping_or_ended_session_keeps_its_lease() {
    let mut story = Story::begin_with(Config { stopping: Duration::from_secs(5), ..Config::default() });
    let [stopped, failed, expired] = [(); 3].map(|()| story.create_with_lease("1:0:0"));
    story.call("DELETE", &format!("/sessions/{stopped}"), "").assert_empty(204);
    assert!(story.emulator.fail_session(&failed, "no server"));
    let refusal = |story: &mut Story, session: &str| {
        let reply = update(story, session, "9:0:0");
        assert_eq!(reply.status, 409, "{reply:?}");
        reply.error()
    };
    assert!(refusal(&mut story, &stopped).contains("is Stopping"));
    story.clock.advance(STARTUP + Duration::from_secs(3600));
    assert!(refusal(&mut story, &stopped).contains("is Stopped"));
    assert!(refusal(&mut story, &failed).contains("is Error"));
    assert!(refusal(&mut story, &expired).contains("is Expired"));
}

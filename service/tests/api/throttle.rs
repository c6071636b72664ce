//! Rate limits.

use std::time::Duration;

use arr_service::Config;

use crate::story::{Story, other_account, token_for};

fn story_with_interval(seconds: u64) -> Story {
    Story::begin_with(Config { min_call_interval: Duration::from_secs(seconds), ..Config::default() })
}

#[test]
fn a_call_too_soon_is_a_429_that_says_how_long_to_wait() {
    let mut story = story_with_interval(5);
    let session = story.create();
    let path = format!("/sessions/{session}/properties");
    let reply = story.call("GET", &path, "");
    assert_eq!((reply.status, reply.header("Retry-After")), (429, Some("5")));
    assert_eq!(reply.error(), "too many requests; wait 5 s");
    story.clock.advance(Duration::from_millis(4100));
    let reply = story.call("DELETE", &format!("/sessions/{session}"), "");
    assert_eq!((reply.status, reply.header("Retry-After")), (429, Some("1")));
    story.clock.advance(Duration::from_millis(900));
    assert_eq!(story.status(&session), "Starting", "nothing was stopped");
}

#[test]
fn after_a_minute_the_next_call_is_admitted() {
    let mut story = story_with_interval(3600);
    story.create();
    story.clock.advance(Duration::from_secs(59));
    assert_eq!(story.call("GET", "/sessions", "").status, 429);
    story.clock.advance(Duration::from_secs(1));
    assert_eq!(story.call("GET", "/sessions", "").status, 200);
}

#[test]
fn accounts_are_throttled_separately_and_the_token_service_never() {
    let mut story = story_with_interval(5);
    story.create();
    let other = other_account();
    let authorization = format!("Bearer {}", token_for(&mut story.connection, &other));
    let path = format!("/v1/accounts/{}/sessions", other.id());
    assert_eq!(story.connection.call("GET", &path, &[("Authorization", &authorization)], b"").status, 200);
    assert_eq!(story.call("GET", "/sessions", "").status, 429);
    // A call without a token does not count.
    story.clock.advance(Duration::from_secs(5));
    let path = story.path("/sessions");
    story.connection.call("GET", &path, &[], b"").assert_empty(401);
    assert_eq!(story.call("GET", "/sessions", "").status, 200);
}

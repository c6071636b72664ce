//! Listing sessions, on one page or several.

use std::time::Duration;

use arr_service::{Config, WireFormat};
use serde_json::Value;

use crate::http::Reply;
use crate::story::{STARTUP, Story};

fn ids(page: &Value) -> Vec<&str> {
    let sessions = page["sessions"].as_array().expect("sessions");
    sessions.iter().map(|session| session["id"].as_str().expect("an id")).collect()
}

/// Follows a link as a client does: unchanged, with the token.
fn follow(story: &mut Story, page: &Value) -> Reply {
    let link = page["@nextLink"].as_str().expect("a link");
    let path = link.strip_prefix(story.emulator.url()).expect("a link to the emulator").to_owned();
    let authorization = format!("Bearer {}", story.token);
    story.connection.call("GET", &path, &[("Authorization", &authorization)], b"")
}

fn with_pages_of(page_size: usize) -> Story {
    Story::begin_with(Config { page_size: Some(page_size), ..Config::default() })
}

#[test]
fn the_list_has_starting_and_ready_sessions_on_one_page() {
    let mut story = Story::begin_with(Config { stopping: Duration::from_secs(5), ..Config::default() });
    for (id, minutes) in [("ready", 60), ("stopping", 60), ("failed", 60), ("expired", 0)] {
        story.create_2021(id, minutes);
    }
    story.clock.advance(STARTUP);
    story.create_2021("starting", 60);
    story.call_2021("POST", "/sessions/stopping/:stop", "").assert_empty(204);
    assert!(story.emulator.fail_session("failed", "lost"));
    let expected = ["ready", "starting"].map(|id| story.get_2021(id));
    let reply = story.call_2021("GET", "/sessions", "");
    assert_eq!(reply.json()["sessions"].as_array().map(Vec::as_slice), Some(&expected[..]));
    assert_eq!(reply.json().get("@nextLink"), None);
    assert_eq!(reply.header("Cache-Control"), Some("no-store, no-cache"));
    assert_eq!(reply.header("Pragma"), Some("no-cache"));
}

#[test]
fn each_page_but_the_last_links_to_the_next() {
    let mut story = with_pages_of(2);
    for id in ["a", "b", "c", "d", "e"] {
        story.create_2021(id, 60);
    }
    let mut page = story.call_2021("GET", "/sessions", "").json();
    assert_eq!(ids(&page), ["a", "b"]);
    page = follow(&mut story, &page).json();
    assert_eq!(ids(&page), ["c", "d"]);
    page = follow(&mut story, &page).json();
    assert_eq!((ids(&page), page.get("@nextLink")), (vec!["e"], None));
}

#[test]
fn a_full_last_page_has_no_link() {
    let mut story = with_pages_of(2);
    story.create_2021("a", 60);
    story.create_2021("b", 60);
    assert_eq!(story.call_2021("GET", "/sessions", "").json().get("@nextLink"), None);
}

#[test]
fn changes_between_pages_neither_skip_nor_repeat_sessions() {
    let mut story = with_pages_of(2);
    for id in ["a", "b", "c", "d"] {
        story.create_2021(id, 60);
    }
    let page = story.call_2021("GET", "/sessions", "").json();
    for id in ["a", "c"] {
        story.call_2021("POST", &format!("/sessions/{id}/:stop"), "").assert_empty(204);
    }
    story.create_2021("e", 60);
    let page = follow(&mut story, &page).json();
    assert_eq!((ids(&page), page.get("@nextLink")), (vec!["d", "e"], None));
}

#[test]
fn a_link_has_the_host_and_version_of_the_request() {
    let mut story = with_pages_of(0);
    story.create_2021("a", 60);
    story.create_2021("b", 60);
    let account = story.emulator.account().id().to_owned();
    let path = format!("/Accounts/{account}/sessions/?api-version=2021-01-01-preview");
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: 192.0.2.7:8722\r\nAuthorization: Bearer {}\r\n\r\n", story.token);
    story.connection.send(request.as_bytes());
    let page = story.connection.receive("GET").json();
    let link =
        format!("http://192.0.2.7:8722/accounts/{account}/sessions?api-version=2021-01-01-preview&continuation=2");
    assert_eq!((ids(&page), page["@nextLink"].as_str()), (vec!["a"], Some(link.as_str())), "0 counts as 1");
}

#[test]
fn a_malformed_continuation_is_a_bad_request() {
    let mut story = with_pages_of(1);
    let path = story.path_2021("/sessions") + "&continuation=first";
    let authorization = format!("Bearer {}", story.token);
    let reply = story.connection.call("GET", &path, &[("Authorization", &authorization)], b"");
    assert_eq!((reply.status, reply.error_2021().0.as_str()), (400, "BadRequest"));
}

#[test]
fn version_1_has_no_pages_and_no_generation_sends_an_empty_link() {
    let mut story = Story::begin_with(Config { page_size: Some(1), wire: WireFormat::V2021, ..Config::default() });
    story.create_2021("a", 60);
    assert!(!story.call_2021("GET", "/sessions", "").text().contains("@nextLink"));
    story.create_2021("b", 60);
    let list = story.call("GET", "/sessions", "").json();
    assert_eq!((list["sessions"].as_array().map(Vec::len), list.get("@nextLink")), (Some(2), None));
}

#[test]
fn a_link_has_a_host_only_if_the_request_has_one() {
    let mut story = Story::begin_with(Config { page_size: Some(1), ..Config::default() });
    story.create_2021("a", 60);
    story.create_2021("b", 60);
    let path = story.path_2021("/sessions");
    let rest = format!("{}?api-version=2021-01-01&continuation=2", path.split('?').next().expect("a path"));
    for (host, link) in [("localhost:1", format!("http://localhost:1{rest}")), ("", rest)] {
        let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\n\r\n", story.token);
        story.connection.send(head.as_bytes());
        assert_eq!(story.connection.receive("GET").json()["@nextLink"], link.as_str(), "{host}");
    }
}

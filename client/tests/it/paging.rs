//! Lists in pages, with REST 2021-01-01.

use crate::support::scripted::{Act, Scripted, reply};
use crate::support::wire::V2021;
use crate::support::{SECOND, World, an_hour};
use arr_client::{ClientConfig, ErrorKind, LogLevel, SessionStatus};
use arr_service::Config;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A page of one session, with this link to the next one.
fn page(id: usize, link: &str) -> Act {
    let session = format!(r#"{{"id":"s{id}","status":"Ready"}}"#);
    Act::Answer(reply("200 OK", "", &format!(r#"{{"sessions":[{session}],"@nextLink":{link}}}"#)))
}

#[test]
fn all_pages_form_one_list_in_order() {
    for page_size in [1, 2, 3, 7, 8] {
        let config = Config { startup: SECOND, page_size: Some(page_size), ..Config::default() };
        let world = World::new(config, V2021.config());
        let sessions: Vec<_> = (0..7).map(|_| world.client.create_session(&an_hour()).run().unwrap()).collect();
        world.requests();
        let listed = world.client.list_sessions().run().unwrap();
        let ids: Vec<_> = listed.iter().map(|it| &it.properties.id).collect();
        assert_eq!(ids, sessions.iter().map(|session| session.id()).collect::<Vec<_>>());
        assert_eq!(world.requests(), vec![V2021.list; 7_usize.div_ceil(page_size)]);
    }
}

#[test]
fn a_page_is_retried_after_a_transient_failure() {
    let count = AtomicUsize::new(0);
    let server = Scripted::by(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => page(1, "\"?page=2\""),
        1 => Act::Close,
        _ => page(2, "null"),
    });
    let clock = arr_service::VirtualClock::new();
    let listed = server.client_on(&clock, V2021.config()).list_sessions().run().unwrap();
    assert_eq!(listed.iter().map(|it| it.properties.id.as_str()).collect::<Vec<_>>(), ["s1", "s2"]);
    assert!(listed.iter().all(|it| it.properties.status == SessionStatus::Ready));
    let asked: Vec<_> = server.requests()[2..].iter().map(|seen| seen.line.clone()).collect();
    assert!(asked.iter().all(|line| line.ends_with("/sessions?page=2")), "{asked:?}");
}

#[test]
fn a_link_to_another_server_is_not_followed() {
    let elsewhere = Scripted::always(page(2, "null"));
    for link in [
        format!("{}/accounts/x/sessions", elsewhere.url),
        "https://example.com/".to_owned(),
        "//example.com/".to_owned(),
        "ftp://127.0.0.1/".to_owned(),
        "http://[".to_owned(),
        format!("?page={}", "x".repeat(65_500)),
        // Percent-encoding makes it three times as long.
        format!("?page={}", "ä".repeat(20_000)),
    ] {
        let server = Scripted::always(page(1, &format!("\"{link}\"")));
        let error = server.client(V2021.config()).list_sessions().run().unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::UnexpectedReply, false), "{link}: {error}");
        assert_eq!(server.seen().len(), 2, "{link}");
    }
    assert!(elsewhere.seen().is_empty());

    // The same server, but with a user name.
    let url = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let own = std::sync::Arc::clone(&url);
    let server = Scripted::by(move |_| page(1, &format!("\"{}\"", own.lock().unwrap())));
    *url.lock().unwrap() = server.url.replace("http://", "http://user@");
    let error = server.client(V2021.config()).list_sessions().run().unwrap_err();
    assert!(error.message().contains("user name"), "{error}");
}

#[test]
fn a_session_that_moves_between_pages_is_listed_once() {
    let count = AtomicUsize::new(0);
    let server =
        Scripted::by(move |_| page(1, if count.fetch_add(1, Ordering::SeqCst) == 0 { "\"?page=2\"" } else { "null" }));
    assert_eq!(server.client(V2021.config()).list_sessions().run().unwrap().len(), 1);
}

#[test]
fn circular_or_endless_pages_are_an_error() {
    let server = Scripted::always(page(1, "\"?page=1\""));
    let error = server.client(V2021.config()).list_sessions().run().unwrap_err();
    assert!(error.kind() == ErrorKind::UnexpectedReply && error.message().contains("never end"), "{error}");
    assert_eq!(server.seen().len(), 1 + 2, "the same link twice is enough");

    let count = AtomicUsize::new(1);
    let server = Scripted::by(move |_| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        page(number, &format!("\"?page={number}\""))
    });
    let error = server.client(V2021.config()).list_sessions().run().unwrap_err();
    assert!(error.kind() == ErrorKind::UnexpectedReply && error.message().contains("never end"), "{error}");
    assert_eq!(server.seen().len(), 1 + 1_001);
}

#[test]
fn a_link_that_contains_the_token_is_redacted_in_the_log() {
    const TOKEN: &str = "h.eyJleHAiOjQwNzA5MDg4MDB9.0123456789abcdefghij";
    for written in [TOKEN.to_owned(), TOKEN.replace('.', "%2e")] {
        for last in [Act::Answer(reply("403 Forbidden", "", "")), Act::Close] {
            let link = format!("\"/again/{written}/sessions\"");
            let token = reply("200 OK", "", &format!(r#"{{"AccessToken":"{TOKEN}"}}"#));
            let answer = move |line: &str| if line.contains("again") { last.clone() } else { page(1, &link) };
            let server = Scripted::with_tokens(token, answer);
            let client = server.client(ClientConfig { log_level: LogLevel::Debug, max_retries: 0, ..V2021.config() });
            let error = client.list_sessions().run().unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::Network), "{error}");
            let mut lines = vec![error.message().to_owned()];
            while let Some(entry) = client.next_log(std::time::Duration::ZERO).unwrap() {
                lines.push(entry.message);
            }
            assert!(lines.len() > 3 && !lines.iter().any(|line| line.contains(&TOKEN[30..])), "{lines:?}");
        }
    }
}

//! What a service may do otherwise than its documentation has it, and still be understood (docs/service.md).

use crate::support::scripted::{Act, Scripted, reply};
use crate::support::wire::{Asked, ID, V1, Wire, in_both_versions};
use crate::support::{HOUR, an_hour};
use arr_client::{Client, ClientConfig, ErrorKind, Lease, Session, SessionStatus};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

in_both_versions! {
    an_unknown_status_is_waited_through,
    a_session_that_is_stopping_will_never_be_ready,
    how_a_reply_is_framed_does_not_matter,
    no_redirect_is_followed_as_it_would_take_the_token_along,
    the_bodies_of_errors_may_be_anything,
    the_status_decides_although_the_body_is_broken,
    a_refused_token_is_renewed_although_the_body_is_broken,
}

/// A session on a server that answers all else with these acts in their order, and then with the last one.
fn session(wire: &'static Wire, acts: Vec<Act>) -> (Scripted, Client, Session) {
    let count = AtomicUsize::new(0);
    let server = Scripted::by(move |line| match line {
        create if wire.act_of(create) == Asked::Create => Act::Answer(wire.created()),
        _ => acts[count.fetch_add(1, Ordering::SeqCst).min(acts.len() - 1)].clone(),
    });
    let poll_interval = Some(Duration::from_millis(1));
    let client = server.client(ClientConfig { poll_interval, ..wire.config() });
    let session = client.create_session(&an_hour()).run().unwrap();
    (server, client, session)
}

/// A good answer to a read that tells this status, however it is written.
fn read(wire: &Wire, word: &str) -> Act {
    Act::Answer(wire.read(&SessionStatus::Unknown(word.into())))
}

fn properties(members: &str) -> Act {
    Act::Answer(reply("200 OK", "", &format!("{{{members}}}")))
}

fn an_unknown_status_is_waited_through(wire: &'static Wire) {
    let words = ["Starting", "Napping", "READY"].map(|word| read(wire, word));
    let (_server, _client, session) = session(wire, words.into());
    assert_eq!(session.wait_until_ready().timeout(HOUR).run().unwrap().status, SessionStatus::Ready);
    let (_server, _client, napping) = self::session(wire, vec![read(wire, "Napping")]);
    assert_eq!(napping.properties().run().unwrap().status, SessionStatus::Unknown("Napping".into()));
}

fn a_session_that_is_stopping_will_never_be_ready(wire: &'static Wire) {
    for word in ["stopping", "Stopping"] {
        let (_server, _client, session) = session(wire, vec![read(wire, word)]);
        assert_eq!(session.wait_until_ready().timeout(HOUR).run().unwrap_err().kind(), ErrorKind::SessionEnded);
        assert_eq!(session.known_properties().status, SessionStatus::Stopping);
        assert!(!session.known_properties().status.is_final());
    }
}

#[test]
fn a_failure_without_a_message_is_a_failure() {
    for message in ["null", "\"\"", "\"  \""] {
        let members = format!(r#""sessionStatus":"Error","message":{message}"#);
        let (_server, _client, session) = session(&V1, vec![properties(&members)]);
        let error = session.wait_until_ready().timeout(HOUR).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SessionFailed);
        assert!(error.message().contains(&format!("session {ID} failed; create another")), "{error}");
    }
}

fn how_a_reply_is_framed_does_not_matter(wire: &'static Wire) {
    let body = wire.session(&SessionStatus::Ready);
    for act in [
        Act::AnswerAndClose(format!("HTTP/1.1 200 OK\r\n\r\n{body}")),
        Act::AnswerAndClose(format!("HTTP/1.0 200 OK\r\n\r\n{body}")),
        Act::Answer(format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        )),
        Act::Answer(format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nContent-Type: text/html\r\n\r\n{body}",
            body.len()
        )),
        Act::Answer(reply("200 OK", "", &format!("\r\n \t{body}\n"))),
    ] {
        let (_server, _client, session) = session(wire, vec![act.clone()]);
        assert_eq!(session.properties().run().unwrap().status, SessionStatus::Ready, "{act:?}");
    }
}

#[test]
fn any_success_is_a_success() {
    for (status, body) in
        [("200 OK", ""), ("200 OK", "{}"), ("201 Created", "text"), ("202 Accepted", "[1"), ("204 No Content", "")]
    {
        let (_server, _client, session) = session(&V1, vec![Act::Answer(reply(status, "", body))]);
        session.update_lease(Lease::new(2 * HOUR).unwrap()).run().unwrap();
        assert!(!session.stop().run().unwrap().already_gone, "{status}");
    }
    for status in ["200 OK", "201 Created", "299 Other"] {
        let server = Scripted::always(Act::Answer(reply(status, "", &format!(r#"{{"sessionId":"{ID}","new":1}}"#))));
        drop(server.client(ClientConfig::default()).create_session(&an_hour()).run().unwrap());
        let server = Scripted::always(Act::Answer(reply(status, "", "[]")));
        assert!(server.client(ClientConfig::default()).list_sessions().run().unwrap().is_empty());
    }
}

fn no_redirect_is_followed_as_it_would_take_the_token_along(wire: &'static Wire) {
    let elsewhere = Scripted::always(read(wire, "Ready"));
    for status in
        ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let headers = format!("Location: {}/v1/x\r\n", elsewhere.url);
        let (server, _client, session) = session(wire, vec![Act::Answer(reply(status, &headers, ""))]);
        let error = session.properties().run().unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::UnexpectedReply, false), "{error}");
        assert_eq!(server.seen().len(), 3, "token, create, and one read");
    }
    assert!(elsewhere.seen().is_empty());
}

fn the_bodies_of_errors_may_be_anything(wire: &'static Wire) {
    for body in
        ["", "<html>", r#"{"error":"told"}"#, r#"{"error":{"code":"C","message":"told"}}"#, "\u{0}\u{1}", "{\"a\":"]
    {
        let (_server, _client, session) = session(wire, vec![Act::Answer(reply("400 Bad Request", "", body))]);
        let error = session.update_lease(Lease::new(2 * HOUR).unwrap()).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        assert_eq!(error.message().contains("(\"told\")"), body.contains("told"), "{error}");
        assert_eq!(error.service_code(), body.contains("code").then_some("C"));
    }
}

/// A body that breaks off, and one that never ends, for a reply with this status.
fn broken(status: &str, headers: &str) -> [Act; 2] {
    let head = |length: usize| format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n");
    [
        Act::AnswerAndClose(format!("{}{{", head(1_000))),
        Act::Answer(format!("{}{}", head(2 * 1024 * 1024), "x".repeat(2 * 1024 * 1024))),
    ]
}

fn the_status_decides_although_the_body_is_broken(wire: &'static Wire) {
    let new = an_hour();
    let create = |act: Act| Scripted::always(act).client(once(wire)).create_session(&new).run().map(drop);
    for act in broken("400 Bad Request", "") {
        assert_eq!(create(act).unwrap_err().kind(), ErrorKind::BadRequest);
    }
    for act in broken("429 Too Many Requests", "Retry-After: 7\r\n") {
        let error = create(act).unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(Duration::from_secs(7))));
    }
    for act in broken("404 Not Found", "") {
        assert_eq!(session(wire, vec![act.clone()]).2.properties().run().unwrap_err().kind(), ErrorKind::NotFound);
        assert!(session(wire, vec![act]).2.stop().run().unwrap().already_gone);
    }
    for act in broken("200 OK", "") {
        let (_server, _client, session) = session(wire, vec![act]);
        // An update's reply is the session's new properties in 2021-01-01; in v1 there is nothing in it to lose.
        if wire.is_v1() {
            session.update_lease(Lease::new(2 * HOUR).unwrap()).run().unwrap();
        }
        assert!(!session.stop().run().unwrap().already_gone);
    }
    // In v1 the id is lost with the body of a success; in 2021-01-01 it is in the request, and the session is created.
    for act in broken(if wire.is_v1() { "202 Accepted" } else { "201 Created" }, "") {
        assert_eq!(
            create(act).map_err(|error| error.kind()),
            if wire.is_v1() { Err(ErrorKind::OutcomeUnknown) } else { Ok(()) }
        );
    }
}

fn once(wire: &Wire) -> ClientConfig {
    ClientConfig { max_retries: 0, ..wire.config() }
}

fn a_refused_token_is_renewed_although_the_body_is_broken(wire: &'static Wire) {
    for act in broken("401 Unauthorized", "") {
        let (server, _client, session) = session(wire, vec![act, read(wire, "Ready")]);
        assert_eq!(session.properties().run().unwrap().status, SessionStatus::Ready);
        assert_eq!(server.seen().len(), 5, "token, create, read, token, read");
    }
}

#[test]
fn the_hosts_region_says_nothing_about_where_to_ask() {
    let host = "5018fee8.remoterenderingvm.westeurope.mixedreality.azure.com";
    let members = format!(r#""sessionStatus":"Ready","sessionHostname":"{host}""#);
    let (server, _client, session) = session(&V1, vec![properties(&members)]);
    assert_eq!(session.properties().run().unwrap().hostname.as_deref(), Some(host));
    session.properties().run().unwrap();
    let asked: Vec<_> = server.requests().iter().filter_map(|it| it.header("host").map(str::to_owned)).collect();
    assert_eq!(asked.len(), 4, "all at the endpoint");
    assert!(asked.iter().all(|host| server.url.ends_with(host.as_str())), "{asked:?}");
}

#[test]
fn a_token_whose_reply_tells_no_date_lives_by_the_devices_clock() {
    use base64::Engine as _;
    let clock = arr_service::VirtualClock::new();
    let payload = format!(r#"{{"exp":{}}}"#, clock.unix_time().as_secs() + 3_600);
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(payload);
    let body = format!(r#"{{"AccessToken":"h.{payload}.s"}}"#);
    let server = Scripted::with_tokens(reply("200 OK", "", &body), |_| Act::Answer(V1.created()));
    let client = server.client_on(&clock, ClientConfig::default());
    assert_eq!(client.access_token().run().unwrap().remaining, Some(HOUR));
}

//! What is sent again, after what pause, and what is not.

mod support;

use arr_emulator::VirtualClock;
use arr_session::{Client, ClientConfig, Error, ErrorKind, Lease, Session, SessionId};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::scripted::{Act, Scripted, reply};
use support::{HOUR, SECOND, an_hour};

const ID: &str = "e13d2c44-63e0-4591-991e-f9e05e599a93";
const TOKEN: &str = "GET /accounts/{a}/token";
const CREATE: &str = "POST /v1/accounts/{a}/sessions/create";
const LIST: &str = "GET /v1/accounts/{a}/sessions";

fn id() -> SessionId {
    SessionId::parse(ID).unwrap()
}

/// Answers the first requests with these acts in their order, and all later ones well.
fn first(acts: Vec<Act>) -> Scripted {
    let count = AtomicUsize::new(0);
    Scripted::by(move |line| {
        acts.get(count.fetch_add(1, Ordering::SeqCst)).cloned().unwrap_or_else(|| Act::Answer(good(line)))
    })
}

fn good(line: &str) -> String {
    match line.split(' ').next() {
        Some("POST") => reply("202 Accepted", "", &format!(r#"{{"sessionId":"{ID}"}}"#)),
        Some("DELETE") => reply("204 No Content", "", ""),
        Some("PATCH") => reply("200 OK", "", ""),
        _ if line.ends_with("/sessions") => reply("200 OK", "", r#"{"sessions":[]}"#),
        _ => reply("200 OK", "", r#"{"sessionStatus":"Ready","sessionMaxLeaseTime":"01:00:00"}"#),
    }
}

fn answer(status: &str, headers: &str) -> Act {
    Act::Answer(reply(status, headers, ""))
}

/// A server that begins so, and a client of it whose clock moves as it sleeps.
fn world(acts: Vec<Act>) -> (Scripted, Client, VirtualClock) {
    let (server, clock) = (first(acts), VirtualClock::new());
    let client = server.client_on(&clock, ClientConfig::default());
    (server, client, clock)
}

#[test]
fn passing_failures_are_tried_again_after_pauses() {
    for act in [
        answer("408 Request Timeout", ""),
        answer("500 Internal Server Error", ""),
        answer("502 Bad Gateway", ""),
        answer("503 Service Unavailable", ""),
        answer("504 Gateway Timeout", ""),
        Act::Close,
        Act::AnswerAndClose("HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{".into()),
        Act::AnswerAndClose("garbage\r\n\r\n".into()),
    ] {
        let (server, client, clock) = world(vec![act.clone(); 4]);
        client.list_sessions(None).unwrap_or_else(|error| panic!("{act:?}: {error}"));
        assert_eq!(server.seen(), [TOKEN, LIST, LIST, LIST, LIST, LIST], "{act:?}");
        let pauses = clock.now();
        assert!(
            pauses >= Duration::from_millis(3_750) && pauses <= Duration::from_millis(7_500),
            "{act:?}: {pauses:?}"
        );
    }
}

#[test]
fn the_fifth_failure_is_told() {
    let (server, client, _) = world(vec![answer("503 Service Unavailable", ""); 5]);
    let error = client.list_sessions(None).unwrap_err();
    assert_eq!((error.kind(), error.http_status(), error.is_retryable()), (ErrorKind::ServiceFailure, Some(503), true));
    assert_eq!(server.seen().len(), 1 + 5);
}

#[test]
fn other_failures_are_told_at_once() {
    for (status, kind) in [
        ("400 Bad Request", ErrorKind::BadRequest),
        ("403 Forbidden", ErrorKind::Forbidden),
        ("404 Not Found", ErrorKind::NotFound),
        ("409 Conflict", ErrorKind::Conflict),
        ("501 Not Implemented", ErrorKind::ServiceFailure),
        ("505 HTTP Version Not Supported", ErrorKind::ServiceFailure),
    ] {
        let (server, client, clock) = world(vec![answer(status, "")]);
        assert_eq!(client.list_sessions(None).unwrap_err().kind(), kind);
        assert_eq!((server.seen().len(), clock.now()), (2, Duration::ZERO), "{status}");
    }
}

#[test]
fn retry_after_is_waited_out_in_either_form() {
    for header in
        ["Retry-After: 7\r\n", "Date: Thu, 09 May 2019 16:17:50 GMT\r\nRetry-After: Thu, 09 May 2019 16:17:57 GMT\r\n"]
    {
        for act in [answer("429 Too Many Requests", header), answer("503 Service Unavailable", header)] {
            let (server, client, clock) = world(vec![act]);
            client.list_sessions(None).unwrap();
            assert_eq!((server.seen().len(), clock.now()), (3, 7 * SECOND), "{header}");
        }
    }
}

#[test]
fn throttling_that_names_no_time_is_waited_out_as_the_documentation_asks() {
    let (server, client, clock) = world(vec![answer("429 Too Many Requests", ""); 6]);
    client.list_sessions(Some(HOUR)).unwrap();
    assert_eq!(server.seen().len(), 1 + 7, "as often as it takes");
    // 10, 20, 40, and three times 60 seconds, each less a random part of up to a half.
    assert!(clock.now() >= 125 * SECOND && clock.now() <= 250 * SECOND, "{:?}", clock.now());
}

#[test]
fn a_pause_that_is_longer_than_the_callers_time_is_told_instead() {
    let (server, client, clock) = world(vec![answer("429 Too Many Requests", "Retry-After: 90\r\n")]);
    let error = client.list_sessions(Some(60 * SECOND)).unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(90 * SECOND)));
    assert_eq!((server.seen().len(), clock.now()), (2, Duration::ZERO));

    // The next call knows, and does not even ask; one that has the time waits; a stop does neither.
    let error = client.list_sessions(Some(60 * SECOND)).unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(90 * SECOND)));
    assert!(error.message().contains("was not tried"), "{error}");
    assert_eq!(server.seen().len(), 2);
    client.list_sessions(Some(HOUR)).unwrap();
    assert_eq!((server.seen().len(), clock.now()), (3, 90 * SECOND));
}

#[test]
fn a_stop_does_not_wait_because_another_call_was_throttled() {
    let throttled = answer("429 Too Many Requests", "Retry-After: 90\r\n");
    let (server, client, clock) = world(vec![answer("200 OK", ""), throttled]);
    // The first reply is no properties; what counts is that the second call is told to be quiet.
    client.open_session(&id(), None).unwrap_err();
    client.list_sessions(None).unwrap_err();
    let created = client.create_session(&an_hour(), Some(HOUR)).unwrap();
    assert_eq!(clock.now(), 90 * SECOND, "a create has time");
    clock.advance(SECOND);
    created.stop(None).unwrap();
    assert_eq!((server.seen().len(), clock.now()), (5, 91 * SECOND));
}

#[test]
fn a_create_is_sent_again_after_429_and_after_nothing_else_that_was_answered() {
    let (server, client, clock) = world(vec![answer("429 Too Many Requests", "Retry-After: 2\r\n"); 2]);
    client.create_session(&an_hour(), None).unwrap();
    assert_eq!(
        (server.seen(), clock.now()),
        (vec![TOKEN.into(), CREATE.into(), CREATE.into(), CREATE.into()], 4 * SECOND)
    );
    for act in [answer("503 Service Unavailable", "Retry-After: 1\r\n"), Act::Close] {
        let (server, client, clock) = world(vec![act]);
        assert_eq!(client.create_session(&an_hour(), None).unwrap_err().kind(), ErrorKind::OutcomeUnknown);
        assert_eq!((server.seen().len(), clock.now()), (2, Duration::ZERO));
    }
}

#[test]
fn a_create_is_tried_again_while_no_connection_can_be_made() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (good, clock) = (first(vec![]), VirtualClock::new());
    let client = good.client_on(&clock, ClientConfig::default());
    // The token comes from the server that runs; the sessions' is closed.
    drop(client);
    let config = ClientConfig {
        account_id: "68321d5a-7978-4ceb-b880-0f49751daae9".into(),
        credential: arr_session::Credential::AccountKey("key".into()),
        account_domain: good.url.clone(),
        service_endpoint: format!("http://{closed}"),
        ..ClientConfig::default()
    };
    let client = Client::with_clock(config, support::shared(&clock)).unwrap();
    let error = client.create_session(&an_hour(), None).unwrap_err();
    assert_eq!((error.kind(), error.is_outcome_unknown()), (ErrorKind::Network, false));
    assert!(clock.now() >= Duration::from_millis(3_750), "it was tried five times: {:?}", clock.now());
}

#[test]
fn a_token_service_in_trouble_is_asked_again() {
    for (bad, pause) in [
        (reply("503 Service Unavailable", "Retry-After: 3\r\n", ""), 3 * SECOND),
        (reply("429 Too Many Requests", "Retry-After: 5\r\n", ""), 5 * SECOND),
    ] {
        let clock = VirtualClock::new();
        let server = Scripted::with_tokens(bad, |line| Act::Answer(good(line)));
        let client = server.client_on(&clock, ClientConfig::default());
        let error = client.list_sessions(Some(pause * 2)).unwrap_err();
        assert!(error.is_retryable(), "{error}");
        assert_eq!(server.seen(), [TOKEN, TOKEN], "a third would come too late");
        assert_eq!(clock.now(), pause);
    }
}

#[test]
fn who_wants_no_retries_is_told_at_once() {
    let (server, clock) = (first(vec![answer("503 Service Unavailable", "")]), VirtualClock::new());
    let client = server.client_on(&clock, ClientConfig { max_retries: 0, ..ClientConfig::default() });
    assert_eq!(client.list_sessions(None).unwrap_err().http_status(), Some(503));
    assert_eq!((server.seen().len(), clock.now()), (2, Duration::ZERO));
}

fn created(client: &Client) -> Session {
    client.create_session(&an_hour(), None).unwrap()
}

/// Creates a session on a server that then answers `acts`, and does this with it.
fn after_create<T>(acts: Vec<Act>, act: impl Fn(&Session) -> Result<T, Error>) -> (Result<T, Error>, Vec<String>) {
    let acts = std::iter::once(answer_created()).chain(acts).collect();
    let (server, client, _) = world(acts);
    let outcome = act(&created(&client));
    let seen = server.seen().split_off(2);
    (outcome, seen.iter().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect())
}

fn answer_created() -> Act {
    Act::Answer(reply("202 Accepted", "", &format!(r#"{{"sessionId":"{ID}"}}"#)))
}

#[test]
fn a_stop_whose_answer_was_lost_is_sent_again_and_is_not_called_somebody_elses() {
    let (stopped, seen) = after_create(vec![Act::Close, answer("404 Not Found", "")], |session| session.stop(None));
    assert!(!stopped.unwrap().already_gone, "it was our own first try");
    assert_eq!(seen, ["DELETE", "DELETE"]);
    for status in ["404 Not Found", "409 Conflict", "410 Gone"] {
        let (stopped, seen) = after_create(vec![answer(status, "")], |session| session.stop(None));
        assert!(stopped.unwrap().already_gone, "{status}");
        assert_eq!(seen, ["DELETE"]);
    }
}

#[test]
fn an_update_whose_answer_was_lost_is_sent_again_and_checked_where_it_is_refused() {
    let two_hours = Lease::new(2 * HOUR).unwrap();
    let update = |session: &Session| session.update_lease(two_hours, None);
    let stands = |lease: &str| {
        Act::Answer(reply("200 OK", "", &format!(r#"{{"sessionStatus":"Ready","sessionMaxLeaseTime":"{lease}"}}"#)))
    };
    let (updated, seen) = after_create(vec![Act::Close], update);
    assert_eq!((updated.unwrap().max_lease, seen), (Some(2 * HOUR), vec!["PATCH".to_owned(), "PATCH".into()]));
    let (updated, seen) = after_create(vec![Act::Close, answer("400 Bad Request", ""), stands("02:00:00")], update);
    assert_eq!(updated.unwrap().max_lease, Some(2 * HOUR));
    assert_eq!(seen, ["PATCH", "PATCH", "GET"]);
    let (updated, _) = after_create(vec![Act::Close, answer("400 Bad Request", ""), stands("01:00:00")], update);
    assert_eq!(updated.unwrap_err().kind(), ErrorKind::BadRequest);
    let (updated, seen) = after_create(vec![answer("400 Bad Request", "")], update);
    assert_eq!((updated.unwrap_err().kind(), seen), (ErrorKind::BadRequest, vec!["PATCH".to_owned()]));
}

#[test]
fn a_connection_that_the_server_closed_while_it_was_idle_costs_no_second_create() {
    // Each connection is good for one reply, and is closed without notice.
    let server = Scripted::by(|line| Act::AnswerAndClose(good(line)));
    let clock = VirtualClock::new();
    let client = server.client_on(&clock, ClientConfig::default());
    for creates in 1..=20 {
        match client.create_session(&an_hour(), None) {
            Ok(_) => {}
            // The close can cross the request on its way: then it is lost, and told.
            Err(error) => assert_eq!(error.kind(), ErrorKind::OutcomeUnknown),
        }
        let seen = server.seen();
        assert!(seen.iter().filter(|line| *line == CREATE).count() <= creates, "{seen:?}");
    }
    // After five seconds of idleness the old connection is not even tried.
    clock.advance(6 * SECOND);
    client.create_session(&an_hour(), None).unwrap();
}

#[test]
fn eight_threads_that_need_a_token_cause_one_exchange() {
    let server = Arc::new(first(vec![]));
    let client = server.client(ClientConfig::default());
    let barrier = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                client.list_sessions(None).unwrap();
            });
        }
    });
    let seen = server.seen();
    assert_eq!(seen.iter().filter(|line| *line == TOKEN).count(), 1, "{seen:?}");
    assert_eq!(seen.iter().filter(|line| *line == LIST).count(), 8);
}

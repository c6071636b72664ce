//! Failures of the network and of a broken service, and how calls report them.

use crate::support::paced::Paced;
use crate::support::scripted::{Act, Scripted, reply, token};
use crate::support::started::{LONG, ended};
use crate::support::wire::{Asked, ID, TOKEN, V1, V2021, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, an_hour};
use arr_client::{Client, ClientConfig, Credential, Error, ErrorKind, Session, SessionId, SessionStatus};
use arr_service::VirtualClock;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

in_both_versions![
    a_refused_credential_ends_all_waits_at_once,
    a_create_without_a_connection_was_not_sent_even_with_a_short_timeout,
    a_throttled_wait_polls_less_and_less_often,
    a_permanent_failure_ends_all_waits_at_once,
    a_create_that_was_certainly_not_carried_out_fails_normally,
    no_network_failure_is_mistaken_for_a_reply,
    a_dripping_reply_ends_at_the_attempt_timeout,
    the_callers_deadline_overrides_the_attempt_timeout,
    a_transient_failure_does_not_end_a_wait,
    after_a_failed_read_a_ready_session_is_not_assumed_ready,
    a_size_missing_in_the_reply_is_the_requested_one,
    a_wait_abandoned_during_a_token_exchange_blocks_no_other_call,
    a_read_that_began_before_a_stop_is_discarded,
    an_invalid_token_reply_is_reported_and_not_quoted,
    a_closed_port_is_a_network_error_and_nothing_was_sent,
];

/// Without retries, so that each failure is reported.
fn once(wire: &Wire) -> ClientConfig {
    ClientConfig { max_retries: 0, ..wire.config() }
}

/// Without retries, and with a short timeout that suffices for replies even on a busy machine.
fn impatient(wire: &Wire) -> ClientConfig {
    ClientConfig { attempt_timeout: Duration::from_secs(3), ..once(wire) }
}

/// A server that always does this, and a client of it.
fn met_by(wire: &Wire, act: &Act) -> (Scripted, Client) {
    let server = Scripted::always(act.clone());
    let is_slow = matches!(act, Act::Silence | Act::Drip(_));
    let client = server.client(if is_slow { impatient(wire) } else { once(wire) });
    (server, client)
}

fn open(client: &Client) -> Result<Session, Error> {
    client.open_session(&SessionId::parse(ID).unwrap()).run()
}

#[test]
fn a_create_with_a_lost_reply_is_sent_once_and_reported() {
    let wire = &V1;
    for act in [
        Act::Close,
        Act::Silence,
        Act::Drip("HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\n".into()),
        Act::AnswerAndClose("HTTP/1.1 202 Accepted\r\nContent-Length: 52\r\n\r\n{\"sessionId\":".into()),
        Act::AnswerAndClose("garbage\r\n\r\n".into()),
        Act::Answer(reply("500 Internal Server Error", "", "")),
        Act::Answer(reply("503 Service Unavailable", "", "")),
        Act::Answer(reply("408 Request Timeout", "", "")),
        Act::Answer(reply("303 See Other", "Location: /elsewhere\r\n", "")),
        Act::Answer(reply("202 Accepted", "Location: /login\r\n", "")),
        Act::Answer(reply("202 Accepted", "Location: accounts/68321d5a-7978-4ceb-b880-0f49751daae9\r\n", "")),
        Act::Answer(reply("202 Accepted", "", "{}")),
        Act::Answer(reply("202 Accepted", "", r#"{"sessionId":"../../x"}"#)),
    ] {
        let (server, client) = met_by(wire, &act);
        let error = client.create_session(&an_hour()).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{act:?}: {error}");
        assert!(error.is_outcome_unknown() && !error.is_retryable(), "{act:?}");
        assert_eq!(server.seen(), [TOKEN, wire.create], "{act:?}");
        assert!(error.message().contains("list the account's sessions"), "{error}");
        assert_eq!(client.next_event(Duration::ZERO).unwrap(), None, "events are for started creates");
    }
}

/// The server then sends blanks until the client's time is over.
#[test]
fn a_create_whose_reply_stalls_after_the_id_succeeds() {
    let location = format!("Location: accounts/x/sessions/{ID}\r\n");
    for (wire, status, headers, body) in [
        (&V1, "202 Accepted", "", format!("{{\"sessionId\":\"{ID}\",")),
        (&V1, "202 Accepted", &*location, String::new()),
        (&V2021, "201 Created", "", String::new()),
    ] {
        let reply = format!("HTTP/1.1 {status}\r\nContent-Length: 500000\r\n{headers}\r\n{body}");
        for started in [false, true] {
            let (server, client) = met_by(wire, &Act::Drip(reply.clone()));
            let session = match started {
                false => client.create_session(&an_hour()).run(),
                true => ended(&client.create_session(&an_hour()).start().unwrap()),
            };
            let session = session.unwrap_or_else(|error| panic!("{status} {headers} {body}: {error}"));
            assert!(!wire.is_v1() || session.id().as_str() == ID);
            assert_eq!(server.seen(), [TOKEN, wire.create]);
        }
    }
}

fn a_create_that_was_certainly_not_carried_out_fails_normally(wire: &'static Wire) {
    for (status, kind) in [
        ("400 Bad Request", ErrorKind::BadRequest),
        ("403 Forbidden", ErrorKind::Forbidden),
        ("409 Conflict", ErrorKind::Conflict),
        ("429 Too Many Requests", ErrorKind::Throttled),
    ] {
        let headers = "Retry-After: 7\r\nLocation: /elsewhere\r\n";
        let (server, client) = met_by(wire, &Act::Answer(reply(status, headers, r#"{"error":"reason"}"#)));
        let error = client.create_session(&an_hour()).run().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(error.correlation_vector(), Some("5EqPJ1VdTUakDJZc6/ZhTg.0"));
        assert!(error.message().contains("(\"reason\")"), "{error}");
        assert_eq!(server.seen(), [TOKEN, wire.create], "no redirect is followed, nothing is repeated");
    }
}

#[test]
fn an_id_missing_in_the_body_is_taken_from_the_location() {
    let wire = &V1;
    for (account, body) in [
        ("68321d5a", ""),
        ("68321d5a", "{}"),
        ("68321d5a", r#"{"sessionId":""}"#),
        ("68321d5a", r#"{"sessionId":"../x"}"#),
        ("Räume", ""),
    ] {
        let headers = format!("Location: accounts/{account}/sessions/{ID}\r\n");
        let (_server, client) = met_by(wire, &Act::Answer(reply("202 Accepted", &headers, body)));
        assert_eq!(client.create_session(&an_hour()).run().unwrap().id().as_str(), ID);
    }
}

fn no_network_failure_is_mistaken_for_a_reply(wire: &'static Wire) {
    for (act, kind) in [
        (Act::Close, ErrorKind::Network),
        (Act::Silence, ErrorKind::Timeout),
        (Act::Drip("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".into()), ErrorKind::Timeout),
        (Act::AnswerAndClose("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{".into()), ErrorKind::Network),
        (Act::Answer(reply("200 OK", "", &"x".repeat(1024 * 1024 + 1))), ErrorKind::UnexpectedReply),
        (Act::Answer(reply("200 OK", "", "<html>a captive portal</html>")), ErrorKind::UnexpectedReply),
        (Act::Answer(reply("500 Internal Server Error", "", "")), ErrorKind::ServiceFailure),
        (Act::AnswerAndClose("HTTP/1.1 ok\r\n\r\n".into()), ErrorKind::Network),
        (Act::AnswerAndClose("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n".into()), ErrorKind::Network),
        (Act::AnswerAndClose("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n".into()), ErrorKind::Network),
        (Act::AnswerAndClose(format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(1_000_000))), ErrorKind::Network),
    ] {
        let (server, client) = met_by(wire, &act);
        let error = open(&client).unwrap_err();
        assert_eq!(error.kind(), kind, "{act:?}: {error}");
        let facts: &[&str] = match &act {
            Act::Silence | Act::Drip(_) => &["`attempt_timeout`", "the call's timeout"],
            Act::AnswerAndClose(text) if text.ends_with('{') => &["broke", "the network"],
            Act::AnswerAndClose(_) => &["not valid HTTP", "`service_endpoint`"],
            _ => &[],
        };
        for fact in facts.iter().copied().chain((!facts.is_empty()).then_some(server.url.as_str())) {
            assert!(error.message().contains(fact), "{fact}: {error}");
        }
    }
}

fn a_dripping_reply_ends_at_the_attempt_timeout(wire: &'static Wire) {
    let (_server, client) = met_by(wire, &Act::Drip("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n".into()));
    let error = open(&client).unwrap_err();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Timeout, Some(200)));
}

fn the_callers_deadline_overrides_the_attempt_timeout(wire: &'static Wire) {
    let server = Scripted::always(Act::Silence);
    let before = Instant::now();
    let id = SessionId::parse(ID).unwrap();
    let client = server.client(ClientConfig { attempt_timeout: 10 * LONG, ..wire.config() });
    let error = client.open_session(&id).timeout(Duration::from_millis(100)).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(before.elapsed() < LONG, "{:?}", before.elapsed());
}

#[test]
fn a_client_stays_usable_after_every_failure() {
    let wire = &V1;
    let count = AtomicUsize::new(0);
    let server = Scripted::by(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Act::Close,
        1 => Act::Silence,
        2 => Act::AnswerAndClose("garbage\r\n\r\n".into()),
        3 => Act::Answer(reply("401 Unauthorized", "", "")),
        4 => Act::Answer(reply("401 Unauthorized", "", "")),
        _ => Act::Answer(wire.created()),
    });
    let client = server.client(impatient(wire));
    for kind in
        [ErrorKind::OutcomeUnknown, ErrorKind::OutcomeUnknown, ErrorKind::OutcomeUnknown, ErrorKind::Unauthorized]
    {
        assert_eq!(client.create_session(&an_hour()).run().unwrap_err().kind(), kind);
    }
    assert_eq!(client.create_session(&an_hour()).run().unwrap().id().as_str(), ID);
    let tokens = server.seen().iter().filter(|line| *line == TOKEN).collect::<Vec<_>>().len();
    assert_eq!(tokens, 2, "one token, and one renewal after the first of the two 401");
}

fn a_transient_failure_does_not_end_a_wait(wire: &'static Wire) {
    let count = AtomicUsize::new(0);
    let server = Scripted::by(move |line| match (line, count.fetch_add(1, Ordering::SeqCst)) {
        (_, 0) => Act::Answer(wire.created()),
        (_, 1) => Act::Close,
        (_, 2) => Act::Answer(reply("503 Service Unavailable", "", "")),
        _ => ready(wire),
    });
    let client = server.client(ClientConfig { poll_interval: Some(Duration::from_millis(5)), ..wire.config() });
    let session = client.create_session(&an_hour()).run().unwrap();
    let ready = session.wait_until_ready().timeout(Duration::from_secs(60)).run().unwrap();
    assert_eq!(ready.hostname.as_deref(), Some("h"));
}

/// A server whose session is ready at the first read. `later` answers all other requests.
fn ready_then(wire: &'static Wire, later: impl Fn(&str) -> Act + Send + Sync + 'static) -> Scripted {
    let looks = AtomicUsize::new(0);
    Scripted::by(move |line| match wire.act_of(line) {
        Asked::Create => Act::Answer(wire.created()),
        Asked::Read if looks.fetch_add(1, Ordering::SeqCst) == 0 => ready(wire),
        _ => later(line),
    })
}

fn ready(wire: &Wire) -> Act {
    Act::Answer(wire.read(&SessionStatus::Ready))
}

fn polling(wire: &Wire, milliseconds: u64) -> ClientConfig {
    let interval = Some(Duration::from_millis(milliseconds));
    ClientConfig { poll_interval: interval, ready_poll_interval: interval, ..wire.config() }
}

fn after_a_failed_read_a_ready_session_is_not_assumed_ready(wire: &'static Wire) {
    for (status, kind) in [("404 Not Found", ErrorKind::NotFound), ("503 Service Unavailable", ErrorKind::Timeout)] {
        let server = ready_then(wire, move |_| Act::Answer(reply(status, "", "")));
        let clock = VirtualClock::new();
        let client = server.client_on(&clock, wire.config());
        let session = client.create_session(&an_hour()).run().unwrap();
        session.wait_until_ready().timeout(HOUR).run().unwrap();
        // Until the cached properties are old.
        clock.advance(31 * SECOND);
        for _ in 0..2 {
            assert_eq!(session.wait_until_ready().timeout(90 * SECOND).run().unwrap_err().kind(), kind);
        }
    }
}

fn a_size_missing_in_the_reply_is_the_requested_one(wire: &'static Wire) {
    let server = ready_then(wire, |_| ready(wire));
    let client = server.client(polling(wire, 1));
    let session = client.create_session(&an_hour()).run().unwrap();
    assert_eq!(session.wait_until_ready().timeout(LONG).run().unwrap().size, Some(arr_client::SessionSize::Standard));
    assert_eq!(session.properties().run().unwrap().size, Some(arr_client::SessionSize::Standard));
}

fn a_wait_abandoned_during_a_token_exchange_blocks_no_other_call(wire: &'static Wire) {
    // The first read fails with 401, so the wait must fetch a token.
    let looks = AtomicUsize::new(0);
    let server = Scripted::by(move |line| match wire.act_of(line) {
        Asked::Create => Act::Answer(wire.created()),
        Asked::Read if looks.fetch_add(1, Ordering::SeqCst) == 0 => Act::Answer(reply("401 Unauthorized", "", "")),
        Asked::Stop => Act::Answer(reply("204 No Content", "", "")),
        _ => Act::Silence,
    });
    let client = server.client(polling(wire, 1));
    let session = client.create_session(&an_hour()).run().unwrap();
    let tokens = || server.seen().iter().filter(|line| *line == TOKEN).count();
    let before = Instant::now();
    while tokens() < 2 && before.elapsed() < LONG {
        session.wait_until_ready().timeout(Duration::ZERO).run().unwrap_err();
        std::thread::yield_now();
    }
    assert!(!session.stop().timeout(LONG).run().unwrap().already_gone);
    // The read may be sent again concurrently with the stop.
    assert!(server.seen().contains(&wire.stop.to_string()));
}

fn a_read_that_began_before_a_stop_is_discarded(wire: &'static Wire) {
    use std::sync::{Mutex, mpsc};
    let (began, begins) = mpsc::channel::<()>();
    let (go_on, gate) = mpsc::channel::<()>();
    let (began, gate) = (Mutex::new(began), Mutex::new(gate));
    let slow = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let server = Scripted::by(move |line| match wire.act_of(line) {
        Asked::Create => Act::Answer(wire.created()),
        Asked::Stop => Act::Answer(reply("204 No Content", "", "")),
        _ if slow.swap(false, std::sync::atomic::Ordering::SeqCst) => {
            began.lock().unwrap().send(()).unwrap();
            gate.lock().unwrap().recv().unwrap();
            ready(wire)
        }
        _ => Act::Answer(wire.read(&SessionStatus::Stopped)),
    });
    let client = server.client(wire.config());
    let session = client.create_session(&an_hour()).run().unwrap();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| session.properties().timeout(LONG).run());
        begins.recv().unwrap();
        session.stop().run().unwrap();
        go_on.send(()).unwrap();
        reading.join().unwrap().unwrap();
    });
    assert_eq!(session.wait_until_ready().timeout(LONG).run().unwrap_err().kind(), ErrorKind::SessionEnded);
}

fn a_create_without_a_connection_was_not_sent_even_with_a_short_timeout(wire: &'static Wire) {
    // It listens, so TCP connects, but it does not speak TLS.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let good = Scripted::always(Act::Answer(wire.created()));
    let config = ClientConfig {
        service_endpoint: format!("https://{}", listener.local_addr().unwrap()),
        account_domain: good.url.clone(),
        account_id: "68321d5a-7978-4ceb-b880-0f49751daae9".into(),
        credential: Credential::AccountKey("key".into()),
        ..once(wire)
    };
    let client = Client::new(config).unwrap();
    // Half of the time is for the connection.
    let error = client.create_session(&an_hour()).timeout(Duration::from_secs(4)).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
}

fn an_invalid_token_reply_is_reported_and_not_quoted(wire: &'static Wire) {
    for (answer, kind) in [
        (reply("200 OK", "", "{}"), ErrorKind::InvalidToken),
        (reply("200 OK", "", r#""SECRETTOKEN""#), ErrorKind::InvalidToken),
        (reply("200 OK", "", r#"{"AccessToken":"SECRETTOKEN"}"#), ErrorKind::InvalidToken),
        (reply("200 OK", "", r#"{"AccessToken":"a.eyJleHAiOjF9.SECRETTOKEN"}"#), ErrorKind::InvalidToken),
        (reply("503 Service Unavailable", "", ""), ErrorKind::ServiceFailure),
    ] {
        let server = Scripted::with_tokens(answer, |_| Act::Answer(wire.created()));
        let error = server.client(once(wire)).create_session(&an_hour()).run().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(!format!("{error} {error:?}").contains("SECRET"), "{error:?}");
        assert_eq!(server.seen(), [TOKEN]);
    }
    let good = Scripted::with_tokens(reply("200 OK", "", &token()), |_| Act::Answer(wire.created()));
    drop(good.client(once(wire)).create_session(&an_hour()).run().unwrap());
}

fn a_closed_port_is_a_network_error_and_nothing_was_sent(wire: &'static Wire) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let config = ClientConfig {
        account_id: "68321d5a-7978-4ceb-b880-0f49751daae9".into(),
        credential: Credential::AccountKey("key".into()),
        account_domain: endpoint.clone(),
        service_endpoint: endpoint.clone(),
        ..once(wire)
    };
    let error = Client::new(config).unwrap().create_session(&an_hour()).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.is_retryable() && !error.is_outcome_unknown() && error.message().contains(&endpoint), "{error}");
}

fn a_throttled_wait_polls_less_and_less_often(wire: &'static Wire) {
    let throttled = Act::Answer(reply("429 Too Many Requests", "", ""));
    let server = ready_then(wire, move |_| throttled.clone());
    let clock = VirtualClock::new();
    let client =
        server.client_on(&clock, ClientConfig { ready_poll_interval: Some(Duration::from_secs(1)), ..wire.config() });
    let session = client.create_session(&an_hour()).run().unwrap();
    session.wait_until_ready().timeout(Duration::from_secs(60)).run().unwrap();
    clock.advance(Duration::from_secs(1));
    let before = server.seen().len();
    assert_eq!(
        session.wait_until_ready().timeout(Duration::from_secs(600)).run().unwrap_err().kind(),
        ErrorKind::Timeout
    );
    let looks = server.seen().len() - before;
    // After 10, 20, 40 and then every 60 seconds, each less a random part of up to a half.
    assert!((9..=23).contains(&looks), "{looks} reads");
}

/// Four threads wait for a session of this server, whose only read is due in ten seconds.
fn wait_together(wire: &Wire, server: &Scripted) -> Vec<Error> {
    let clock = Arc::new(Paced::default());
    let client = server.client_with_clock(clock.clone(), wire.config());
    let session = client.create_session(&an_hour()).run().unwrap();
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..4).map(|_| scope.spawn(|| session.wait_until_ready().timeout(HOUR).run())).collect();
        clock.until_others_wait(4);
        clock.jump(10 * SECOND);
        waiting.into_iter().map(|thread| thread.join().unwrap().unwrap_err()).collect()
    })
}

fn a_permanent_failure_ends_all_waits_at_once(wire: &'static Wire) {
    let server = Scripted::by(|line| match wire.act_of(line) {
        Asked::Create => Act::Answer(wire.created()),
        _ => Act::Answer(reply("501 Not Implemented", "", "")),
    });
    for error in wait_together(wire, &server) {
        assert_eq!(error.http_status(), Some(501));
    }
    assert_eq!(server.seen(), [TOKEN, wire.create, wire.properties], "one read for all");
}

fn a_refused_credential_ends_all_waits_at_once(wire: &'static Wire) {
    let tokens = AtomicUsize::new(0);
    let good = token();
    let server = Scripted::deciding_tokens(
        move || match tokens.fetch_add(1, Ordering::SeqCst) {
            0 => Act::Answer(reply("200 OK", "", &good)),
            _ => Act::Answer(reply("401 Unauthorized", "", "")),
        },
        |line| match wire.act_of(line) {
            Asked::Create => Act::Answer(wire.created()),
            _ => Act::Answer(reply("401 Unauthorized", "", "")),
        },
    );
    for error in wait_together(wire, &server) {
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
    }
}

#[test]
fn a_captive_portal_is_named() {
    let server = Scripted::always(Act::Answer(reply("511 Network Authentication Required", "", "<html>")));
    let client = server.client(ClientConfig { max_retries: 0, ..V1.config() });
    let error = client.list_sessions().run().unwrap_err();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Network, Some(511)), "{error}");
    assert!(error.message().contains("captive portal"), "{error}");
}

#[test]
fn a_long_retry_after_is_in_the_message() {
    for (status, kind) in
        [("429 Too Many Requests", ErrorKind::Throttled), ("503 Service Unavailable", ErrorKind::ServiceFailure)]
    {
        let server = Scripted::always(Act::Answer(reply(status, "Retry-After: 86400\r\n", "")));
        let error = server.client(V1.config()).list_sessions().run().unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (kind, Some(24 * HOUR)));
        assert!(error.message().contains("86400 s") && !error.message().contains("minute"), "{error}");
    }
}

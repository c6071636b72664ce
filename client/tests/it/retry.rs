//! What is retried, after which delay, and what is not.

use crate::support::scripted::{Act, Scripted, reply};
use crate::support::started::LONG;
use crate::support::wire::{ID, TOKEN, V1, V2021, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, World, an_hour};
use arr_client::{Client, ClientConfig, Error, ErrorKind, Lease, Session, SessionId, SessionStatus};
use arr_service::{Config, VirtualClock};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

in_both_versions![
    stopping_the_accounts_sessions_does_not_wait_for_throttling,
    a_call_with_an_unknown_outcome_can_be_repeated,
    transient_failures_are_retried_after_delays,
    the_fifth_failure_is_reported,
    other_failures_are_reported_at_once,
    retry_after_is_honoured_in_either_form,
    a_retry_after_beyond_five_minutes_is_capped,
    a_failed_name_lookup_is_retried,
    throttling_without_retry_after_is_retried_at_the_documented_pace,
    a_pause_beyond_the_deadline_is_reported_instead,
    a_stop_does_not_wait_for_another_calls_throttling,
    a_create_is_retried_while_no_connection_can_be_made,
    without_retries_failures_are_reported_at_once,
    a_create_waits_for_a_full_service_and_delays_nothing_else,
    a_stop_with_a_lost_reply_is_retried_and_counts_as_ours,
    a_404_to_a_stop_counts_once_it_is_repeated,
    an_update_with_a_lost_reply_is_retried_and_verified,
];

fn id() -> SessionId {
    SessionId::parse(ID).unwrap()
}

/// Answers the first requests with these acts, in order, and all later ones with success.
fn first(wire: &'static Wire, acts: Vec<Act>) -> Scripted {
    let count = AtomicUsize::new(0);
    Scripted::by(move |line| {
        acts.get(count.fetch_add(1, Ordering::SeqCst)).cloned().unwrap_or_else(|| Act::Answer(wire.good(line)))
    })
}

fn answer(status: &str, headers: &str) -> Act {
    Act::Answer(reply(status, headers, ""))
}

/// A server that begins with these acts, and a client of it whose clock advances when it sleeps.
fn world(wire: &'static Wire, acts: Vec<Act>) -> (Scripted, Client, VirtualClock) {
    let (server, clock) = (first(wire, acts), VirtualClock::new());
    let client = server.client_on(&clock, wire.config());
    (server, client, clock)
}

fn a_create_waits_for_a_full_service_and_delays_nothing_else(wire: &'static Wire) {
    let world =
        World::new(Config { max_sessions: Some(1), startup: Duration::ZERO, ..Config::default() }, wire.config());
    let client = &world.client;
    let first = client.create_session(&an_hour()).run().unwrap();
    let error = client.create_session(&an_hour()).timeout(SECOND).run().unwrap_err();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::ServiceFull, Some(429)));
    assert!(error.is_retryable() && !error.is_outcome_unknown(), "{error:?}");
    // The end of the first one's lease makes room.
    let second = client.create_session(&an_hour()).timeout(2 * HOUR).run().unwrap();
    assert!(world.clock.now() >= HOUR && second.id() != first.id());
    assert_eq!(client.list_sessions().run().unwrap().len(), 1);

    let full = reply("429 Too Many Requests", "Retry-After: 20\r\n", r#"{"error":{"code":"ServiceFull"}}"#);
    let (server, client, clock) = self::world(wire, vec![Act::Answer(full)]);
    let error = client.create_session(&an_hour()).timeout(5 * SECOND).run().unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::ServiceFull, Some(20 * SECOND)));
    client.list_sessions().run().unwrap();
    assert_eq!((server.seen().len(), clock.now()), (3, Duration::ZERO), "the list did not wait");
}

fn transient_failures_are_retried_after_delays(wire: &'static Wire) {
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
        let (server, client, clock) = world(wire, vec![act.clone(); 4]);
        client.list_sessions().run().unwrap_or_else(|error| panic!("{act:?}: {error}"));
        assert_eq!(server.seen(), [TOKEN, wire.list, wire.list, wire.list, wire.list, wire.list], "{act:?}");
        let pauses = clock.now();
        assert!(
            pauses >= Duration::from_millis(3_750) && pauses <= Duration::from_millis(7_500),
            "{act:?}: {pauses:?}"
        );
    }
}

fn the_fifth_failure_is_reported(wire: &'static Wire) {
    let (server, client, _) = world(wire, vec![answer("503 Service Unavailable", ""); 5]);
    let error = client.list_sessions().run().unwrap_err();
    assert_eq!((error.kind(), error.http_status(), error.is_retryable()), (ErrorKind::ServiceFailure, Some(503), true));
    assert_eq!(server.seen().len(), 1 + 5);
}

fn other_failures_are_reported_at_once(wire: &'static Wire) {
    for (status, kind) in [
        ("400 Bad Request", ErrorKind::BadRequest),
        ("403 Forbidden", ErrorKind::Forbidden),
        ("404 Not Found", ErrorKind::NotFound),
        ("409 Conflict", ErrorKind::Conflict),
        ("501 Not Implemented", ErrorKind::ServiceFailure),
        ("505 HTTP Version Not Supported", ErrorKind::ServiceFailure),
    ] {
        let (server, client, clock) = world(wire, vec![answer(status, "")]);
        assert_eq!(client.list_sessions().run().unwrap_err().kind(), kind);
        assert_eq!((server.seen().len(), clock.now()), (2, Duration::ZERO), "{status}");
    }
}

fn retry_after_is_honoured_in_either_form(wire: &'static Wire) {
    for header in
        ["Retry-After: 7\r\n", "Date: Thu, 09 May 2019 16:17:50 GMT\r\nRetry-After: Thu, 09 May 2019 16:17:57 GMT\r\n"]
    {
        for act in [answer("429 Too Many Requests", header), answer("503 Service Unavailable", header)] {
            let (server, client, clock) = world(wire, vec![act]);
            client.list_sessions().run().unwrap();
            assert_eq!((server.seen().len(), clock.now()), (3, 7 * SECOND), "{header}");
        }
    }
}

fn a_retry_after_beyond_five_minutes_is_capped(wire: &'static Wire) {
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        for seconds in [299, 300, 301, 86_400] {
            let (server, client, clock) = world(wire, vec![answer(status, &format!("Retry-After: {seconds}\r\n"))]);
            client.list_sessions().timeout(48 * HOUR).run().unwrap();
            assert_eq!((server.seen().len(), clock.now()), (3, Duration::from_secs(seconds.min(300))), "{status}");
        }
    }
}

/// It may be resolvable a moment later, for example after a change of the network, and nothing was sent.
fn a_failed_name_lookup_is_retried(wire: &'static Wire) {
    let (tokens, clock) = (first(wire, vec![]), VirtualClock::new());
    // No resolver knows this name; one without a network takes a while to fail.
    let config = ClientConfig { connect_timeout: LONG, attempt_timeout: LONG, ..wire.config() };
    let client = tokens.client_at("https://arr.invalid", &clock, config);
    let calls: [fn(&Client) -> arr_client::Result<()>; 2] =
        [|client| client.list_sessions().run().map(drop), |client| client.create_session(&an_hour()).run().map(drop)];
    for call in calls {
        let before = clock.now();
        let error = call(&client).unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::NameResolution, true), "{error}");
        assert!(!error.is_outcome_unknown());
        let pauses = clock.now() - before;
        assert!(pauses >= Duration::from_millis(3_750), "five attempts: {pauses:?}");
    }
}

fn throttling_without_retry_after_is_retried_at_the_documented_pace(wire: &'static Wire) {
    let (server, client, clock) = world(wire, vec![answer("429 Too Many Requests", ""); 6]);
    client.list_sessions().timeout(HOUR).run().unwrap();
    assert_eq!(server.seen().len(), 1 + 7, "retried as often as necessary");
    // 10, 20, 40, and three times 60 seconds, each less a random part of up to a half.
    assert!(clock.now() >= 125 * SECOND && clock.now() <= 250 * SECOND, "{:?}", clock.now());
}

fn a_pause_beyond_the_deadline_is_reported_instead(wire: &'static Wire) {
    let (server, client, clock) = world(wire, vec![answer("429 Too Many Requests", "Retry-After: 90\r\n")]);
    let error = client.list_sessions().timeout(60 * SECOND).run().unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(90 * SECOND)));
    assert_eq!((server.seen().len(), clock.now()), (2, Duration::ZERO));

    // The next call fails without a request; one with enough time waits; a stop is sent at once.
    let error = client.list_sessions().timeout(60 * SECOND).run().unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(90 * SECOND)));
    assert!(error.message().contains("was not attempted"), "{error}");
    assert_eq!(server.seen().len(), 2);
    client.list_sessions().timeout(HOUR).run().unwrap();
    assert_eq!((server.seen().len(), clock.now()), (3, 90 * SECOND));
}

fn a_stop_does_not_wait_for_another_calls_throttling(wire: &'static Wire) {
    let throttled = answer("429 Too Many Requests", "Retry-After: 90\r\n");
    let (server, client, clock) = world(wire, vec![answer("200 OK", ""), throttled]);
    // The first reply is not valid properties; what matters is that the second call is throttled.
    client.open_session(&id()).run().unwrap_err();
    client.list_sessions().run().unwrap_err();
    let created = client.create_session(&an_hour()).timeout(HOUR).run().unwrap();
    assert_eq!(clock.now(), 90 * SECOND, "a create waits");
    clock.advance(SECOND);
    created.stop().run().unwrap();
    assert_eq!((server.seen().len(), clock.now()), (5, 91 * SECOND));
}

#[test]
fn only_a_429_reply_makes_a_create_retry() {
    let wire = &V1;
    let (server, client, clock) = world(wire, vec![answer("429 Too Many Requests", "Retry-After: 2\r\n"); 2]);
    drop(client.create_session(&an_hour()).run().unwrap());
    assert_eq!(
        (server.seen(), clock.now()),
        (vec![TOKEN.into(), wire.create.into(), wire.create.into(), wire.create.into()], 4 * SECOND)
    );
    for act in [answer("503 Service Unavailable", "Retry-After: 1\r\n"), Act::Close] {
        let (server, client, clock) = world(wire, vec![act]);
        assert_eq!(client.create_session(&an_hour()).run().unwrap_err().kind(), ErrorKind::OutcomeUnknown);
        assert_eq!((server.seen().len(), clock.now()), (2, Duration::ZERO));
    }
}

fn a_create_is_retried_while_no_connection_can_be_made(wire: &'static Wire) {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (tokens, clock) = (first(wire, vec![]), VirtualClock::new());
    let client = tokens.client_at(&format!("http://{closed}"), &clock, wire.config());
    let error = client.create_session(&an_hour()).run().unwrap_err();
    assert_eq!((error.kind(), error.is_outcome_unknown()), (ErrorKind::Network, false));
    assert!(clock.now() >= Duration::from_millis(3_750), "five attempts: {:?}", clock.now());
}

fn without_retries_failures_are_reported_at_once(wire: &'static Wire) {
    let (server, clock) = (first(wire, vec![answer("503 Service Unavailable", "")]), VirtualClock::new());
    let client = server.client_on(&clock, ClientConfig { max_retries: 0, ..wire.config() });
    assert_eq!(client.list_sessions().run().unwrap_err().http_status(), Some(503));
    assert_eq!((server.seen().len(), clock.now()), (2, Duration::ZERO));

    // Nor does it wait for a pause that another call was asked for.
    let (server, clock) =
        (first(wire, vec![answer("429 Too Many Requests", "Retry-After: 9\r\n")]), VirtualClock::new());
    let client = server.client_on(&clock, ClientConfig { max_retries: 0, ..wire.config() });
    for _ in 0..2 {
        let error = client.list_sessions().run().unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(9 * SECOND)));
    }
    assert_eq!((server.seen().len(), clock.now()), (2, Duration::ZERO));
}

fn created(client: &Client) -> Session {
    client.create_session(&an_hour()).run().unwrap()
}

/// Creates a session on a server that then answers with `acts`, and calls `act` with it.
fn after_create<T>(
    wire: &'static Wire,
    acts: Vec<Act>,
    act: impl Fn(&Session) -> Result<T, Error>,
) -> (Result<T, Error>, Vec<String>) {
    let acts = std::iter::once(Act::Answer(wire.created())).chain(acts).collect();
    let (server, client, _) = world(wire, acts);
    let outcome = act(&created(&client));
    let seen = server.seen().split_off(2);
    (outcome, seen.iter().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect())
}

fn a_stop_with_a_lost_reply_is_retried_and_counts_as_ours(wire: &'static Wire) {
    let unknown = || answer("404 Not Found", "");
    let (stopped, seen) = after_create(wire, vec![Act::Close, unknown(), unknown()], |session| session.stop().run());
    assert!(!stopped.unwrap().already_gone, "our own first attempt stopped it");
    assert_eq!(seen.len(), 3);
    for status in ["409 Conflict", "410 Gone"] {
        let (stopped, seen) = after_create(wire, vec![answer(status, "")], |session| session.stop().run());
        assert!(stopped.unwrap().already_gone, "{status}");
        assert_eq!(seen, [wire.stop.split(' ').next().unwrap()]);
    }
}

/// A single one may come from a gateway, or from a replica that does not know the session yet.
fn a_404_to_a_stop_counts_once_it_is_repeated(wire: &'static Wire) {
    for (unknown, already_gone) in [(1, false), (2, true)] {
        let acts = vec![answer("404 Not Found", ""); unknown];
        let (stopped, seen) = after_create(wire, acts, |session| session.stop().run());
        assert_eq!((stopped.unwrap().already_gone, seen.len()), (already_gone, 2));
    }
}

fn an_update_with_a_lost_reply_is_retried_and_verified(wire: &'static Wire) {
    let two_hours = Lease::new(2 * HOUR).unwrap();
    let update = |session: &Session| session.update_lease(two_hours).run();
    let stands = |hours: u32| Act::Answer(reply("200 OK", "", &wire.session_with(&SessionStatus::Ready, hours)));
    let (updated, seen) = after_create(wire, vec![Act::Close], update);
    assert_eq!((updated.unwrap().max_lease, seen), (Some(2 * HOUR), vec!["PATCH".to_owned(), "PATCH".into()]));
    let (updated, seen) = after_create(wire, vec![Act::Close, answer("400 Bad Request", ""), stands(2)], update);
    assert_eq!(updated.unwrap().max_lease, Some(2 * HOUR));
    assert_eq!(seen, ["PATCH", "PATCH", "GET"]);
    let (updated, _) = after_create(wire, vec![Act::Close, answer("400 Bad Request", ""), stands(1)], update);
    assert_eq!(updated.unwrap_err().kind(), ErrorKind::BadRequest);
    let (updated, seen) = after_create(wire, vec![answer("400 Bad Request", "")], update);
    assert_eq!((updated.unwrap_err().kind(), seen), (ErrorKind::BadRequest, vec!["PATCH".to_owned()]));
    // An update to another lease has failed since the one whose replies were lost.
    let mut acts = vec![Act::Close; 5];
    acts.extend([answer("403 Forbidden", ""), answer("400 Bad Request", ""), stands(2)]);
    let (updated, _) = after_create(wire, acts, |session| {
        update(session).unwrap_err();
        session.update_lease(Lease::new(3 * HOUR).unwrap()).run().unwrap_err();
        update(session)
    });
    assert_eq!(updated.unwrap().max_lease, Some(2 * HOUR));
}

#[test]
fn a_connection_closed_while_idle_costs_no_second_create() {
    let wire = &V1;
    // The server closes each connection after one reply, without notice.
    let server = Scripted::by(|line| Act::AnswerAndClose(V1.good(line)));
    let clock = VirtualClock::new();
    let client = server.client_on(&clock, wire.config());
    for creates in 1..=20 {
        match client.create_session(&an_hour()).run() {
            Ok(_) => {}
            // The close may cross the request: then the request is lost, and that is reported.
            Err(error) => assert_eq!(error.kind(), ErrorKind::OutcomeUnknown),
        }
        let seen = server.seen();
        assert!(seen.iter().filter(|line| *line == wire.create).count() <= creates, "{seen:?}");
    }
}

/// With our own id a create is retried like any other request.
#[test]
fn a_create_with_our_id_is_retried_as_the_same_session() {
    let wire = &V2021;
    for act in
        [answer("503 Service Unavailable", "Retry-After: 1\r\n"), Act::Close, answer("429 Too Many Requests", "")]
    {
        let (server, client, _) = world(wire, vec![act.clone()]);
        let session = client.create_session(&an_hour()).run().unwrap();
        assert_eq!(server.seen(), [TOKEN, wire.create, wire.create], "{act:?}");
        let ids: Vec<_> = server.requests()[1..].iter().map(|seen| seen.line.clone()).collect();
        assert_eq!(ids[0], ids[1], "the same id twice");
        assert!(ids[0].contains(session.id().as_str()));
    }
}

/// If all retries fail, the session may exist: it is named, and stopped with the client's own.
#[test]
fn a_lost_create_with_our_id_names_the_id() {
    let wire = &V2021;
    let (server, client, _) = world(wire, vec![Act::Close; 5]);
    let error = client.create_session(&an_hour()).run().unwrap_err();
    assert_eq!((error.kind(), server.seen().len()), (ErrorKind::OutcomeUnknown, 6));
    let line = server.requests()[1].line.clone();
    let id = line.rsplit('/').next().unwrap().split('?').next().unwrap();
    assert!(error.message().contains(id), "{error}");
    assert_eq!(client.stop_all(arr_client::StopScope::Own).run().unwrap().stopped, 1);
    assert!(server.requests().last().unwrap().line.contains(id));

    // A session under a given id may be another client's: it is named, and left alone.
    let (_server, client, _) = world(wire, vec![Act::Close; 5]);
    let named = an_hour().with_id(SessionId::parse("shared").unwrap());
    assert!(client.create_session(&named).run().unwrap_err().message().contains("session shared may be running"));
    assert_eq!(client.stop_all(arr_client::StopScope::Own).run().unwrap().stopped, 0);
}

#[test]
fn an_id_in_use_is_a_conflict_unless_generated_and_lost() {
    let wire = &V2021;
    let given = an_hour().with_id(SessionId::parse("shared").unwrap());
    for (new, lost, kind, own) in [
        (&given, false, ErrorKind::Conflict, 0),
        (&given, true, ErrorKind::Conflict, 0),
        (&an_hour(), false, ErrorKind::Conflict, 0),
        (&an_hour(), true, ErrorKind::OutcomeUnknown, 1),
    ] {
        let acts = [vec![Act::Close; usize::from(lost)], vec![answer("409 Conflict", "")]].concat();
        let (_server, client, _) = world(wire, acts);
        assert_eq!(client.create_session(new).run().unwrap_err().kind(), kind, "lost {lost}");
        assert_eq!(client.stop_all(arr_client::StopScope::Own).run().unwrap().stopped, own);
    }
}

fn stopping_the_accounts_sessions_does_not_wait_for_throttling(wire: &'static Wire) {
    let (server, client, clock) = world(wire, vec![answer("429 Too Many Requests", "Retry-After: 90\r\n")]);
    client.open_session(&id()).timeout(60 * SECOND).run().unwrap_err();
    client.stop_all(arr_client::StopScope::Account).run().unwrap();
    assert_eq!((server.seen().last().map(String::as_str), clock.now()), (Some(wire.list), Duration::ZERO));
}

/// Repeating a call with an unknown outcome takes the first one's effect into account.
fn a_call_with_an_unknown_outcome_can_be_repeated(wire: &'static Wire) {
    let two_hours = Lease::new(2 * HOUR).unwrap();
    let stands = Act::Answer(reply("200 OK", "", &wire.session_with(&SessionStatus::Ready, 2)));
    let acts = [vec![Act::Answer(wire.created())], vec![Act::Close; 5]].concat();
    let (_server, client, _) = world(wire, [acts.clone(), vec![answer("400 Bad Request", ""), stands]].concat());
    let session = created(&client);
    let error = session.update_lease(two_hours).run().unwrap_err();
    assert!(error.is_outcome_unknown() && error.is_retryable(), "{error:?}");
    assert_eq!(session.update_lease(two_hours).run().unwrap().max_lease, Some(2 * HOUR), "the first was carried out");

    let (_server, client, _) = world(wire, [acts, vec![answer("404 Not Found", "")]].concat());
    let session = created(&client);
    assert!(session.stop().run().unwrap_err().is_outcome_unknown());
    assert!(!session.stop().run().unwrap().already_gone, "it was ours");

    let (_server, client, _) = world(wire, vec![Act::Close; 5]);
    assert!(!client.list_sessions().run().unwrap_err().is_outcome_unknown(), "a read changes nothing");
}

/// A create that must not be sent twice is not sent with too little time left for its reply.
#[test]
fn a_pause_leaves_a_create_time_for_its_reply() {
    let (server, client, _) = world(&V1, vec![answer("429 Too Many Requests", "Retry-After: 20\r\n")]);
    let error = client.create_session(&an_hour()).timeout(Duration::from_millis(20_100)).run().unwrap_err();
    assert_eq!((error.kind(), server.seen().len()), (ErrorKind::Throttled, 2));
}

/// However a create ends after a lost attempt, a session may be running.
#[test]
fn a_lost_attempt_makes_the_outcome_unknown_however_the_call_ends() {
    let wire = &V2021;
    let refused = || answer("401 Unauthorized", "");
    let quiet = || answer("429 Too Many Requests", "Retry-After: 200\r\n");
    for (what, acts) in [("refused", vec![Act::Close, refused(), refused()]), ("throttled", vec![Act::Close, quiet()])]
    {
        let (server, client, _) = world(wire, acts);
        let error = client.create_session(&an_hour()).run().unwrap_err();
        assert_eq!((error.kind(), error.is_outcome_unknown()), (ErrorKind::OutcomeUnknown, true), "{what}: {error}");
        let before = server.seen().len();
        assert_eq!(client.stop_all(arr_client::StopScope::Own).run().unwrap().stopped, 1, "{what}");
        assert!(server.seen().len() > before);
    }
    let (server, clock) = (first(wire, vec![Act::Close; 2]), VirtualClock::new());
    let client = server.client_on(&clock, ClientConfig { retry_delay: Some(20 * SECOND), ..wire.config() });
    // The call times out during the second delay.
    let error = client.create_session(&an_hour()).timeout(30 * SECOND).run().unwrap_err();
    assert!(error.is_outcome_unknown(), "{error} at {:?}", clock.now());

    let update = |acts: Vec<Act>| {
        after_create(wire, acts, |session| session.update_lease(Lease::new(2 * HOUR).unwrap()).run()).0
    };
    assert!(update(vec![Act::Close, refused(), refused()]).unwrap_err().is_outcome_unknown());
    let stop = |acts: Vec<Act>| after_create(wire, acts, |session| session.stop().run()).0;
    assert!(stop(vec![Act::Close, refused(), refused()]).unwrap_err().is_outcome_unknown());
}

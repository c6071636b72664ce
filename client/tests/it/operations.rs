//! Every operation besides create, wait and stop, which `lifecycle.rs` tells: against the emulator.

use crate::support::scripted::{Act, Scripted, reply};
use crate::support::wire::{Asked, TOKEN, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, World, an_hour, config_for};
use arr_client::{
    Client, ClientConfig, Credential, ErrorKind, Lease, LogLevel, NewSession, SessionId, SessionSize, SessionStatus,
    StopScope,
};
use arr_service::{Config, SessionStatus as Emulated};
use std::time::Duration;

in_both_versions![
    an_update_that_is_answered_after_a_stop_changes_nothing,
    after_its_own_stop_a_client_takes_the_session_for_over,
    a_session_that_was_stopped_while_it_was_opened_is_not_taken_for_ready,
    a_client_that_has_ended_gives_out_no_token,
    from_nothing_to_ready_updated_and_stopped_nothing_is_sent_too_many,
    a_lease_is_extended_as_a_whole_and_is_known_without_asking,
    the_lease_that_stands_costs_nothing_and_a_shorter_one_is_refused_here,
    what_another_client_did_to_the_lease_is_told_by_the_service,
    a_session_that_has_ended_unnoticed_cannot_be_extended,
    a_list_shows_the_accounts_running_sessions_and_whose_they_are,
    stopping_all_own_sessions_leaves_other_peoples_alone,
    stopping_all_of_the_account_asks_what_there_is,
    one_session_that_cannot_be_stopped_holds_up_no_other_and_is_named,
    an_access_token_is_for_the_application_too,
    every_request_says_who_sends_it_and_a_token_request_how_to_find_it,
    the_log_is_pulled_at_the_chosen_level,
    who_waits_for_a_line_gets_it_when_it_comes_and_the_end_when_the_client_ends,
    a_cached_read_is_as_young_as_the_poll_interval_and_tells_its_age,
];

fn hours(hours: u32) -> Lease {
    Lease::new(HOUR * hours).unwrap()
}

fn from_nothing_to_ready_updated_and_stopped_nothing_is_sent_too_many(wire: &Wire) {
    for (startup, looks) in [(0, 1), (1, 1), (10, 1), (11, 2), (25, 3), (60, 6)] {
        let world = World::new(Config { startup: startup * SECOND, ..Config::default() }, wire.config());
        let session = world.client.create_session(&an_hour()).run().unwrap();
        session.wait_until_ready().timeout(HOUR).run().unwrap();
        session.update_lease(hours(2)).run().unwrap();
        session.stop().run().unwrap();
        let connections: Vec<_> = world.emulator.requests().iter().map(|request| request.connection).collect();
        assert!(connections.iter().all(|number| *number == 1), "one connection serves: {connections:?}");
        // Where a create is answered by the whole session, one that is ready at once needs no look.
        let looks = if startup == 0 && !wire.is_v1() { 0 } else { looks };
        let expected = [&[TOKEN, wire.create][..], &vec![wire.properties; looks], &[wire.update, wire.stop]].concat();
        assert_eq!(world.requests(), expected, "ready after {startup} s");
    }
}

fn a_lease_is_extended_as_a_whole_and_is_known_without_asking(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    session.wait_until_ready().timeout(HOUR).run().unwrap();
    world.requests();
    let used = if wire.is_v1() { 10 * SECOND } else { Duration::ZERO }; // The other counts whole minutes.
    let known = session.update_lease(hours(2)).run().unwrap();
    assert_eq!((known.max_lease, known.remaining()), (Some(2 * HOUR), Some(2 * HOUR - used)));
    assert_eq!(world.emulator.sessions()[0].max_lease, 2 * HOUR);
    let longest = if wire.is_v1() { 25 } else { 24 };
    session.update_lease(hours(longest)).run().unwrap();
    assert_eq!(world.emulator.sessions()[0].max_lease, longest * HOUR, "a day and more has its own spelling in v1");
    assert_eq!(world.requests(), [wire.update, wire.update]);
}

fn the_lease_that_stands_costs_nothing_and_a_shorter_one_is_refused_here(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    world.requests();
    assert_eq!(session.update_lease(hours(1)).run().unwrap().max_lease, Some(HOUR));
    let error = session.update_lease(Lease::new(HOUR - 60 * SECOND).unwrap()).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("3540 s") && error.message().contains("3600 s"), "{error}");
    assert!(world.requests().is_empty());
}

fn what_another_client_did_to_the_lease_is_told_by_the_service(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    let other = world.another_client(wire.config());
    other.open_session(session.id()).run().unwrap().update_lease(hours(5)).run().unwrap();
    let error = session.update_lease(hours(4)).run().unwrap_err();
    let refused = if wire.is_v1() { (ErrorKind::BadRequest, Some(400)) } else { (ErrorKind::Conflict, Some(422)) };
    assert_eq!((error.kind(), error.http_status()), refused);
    session.stop().run().unwrap();
    let opened = other.open_session(session.id()).run().unwrap();
    assert_eq!(opened.update_lease(hours(6)).run().unwrap_err().kind(), ErrorKind::SessionEnded);
}

fn a_session_that_has_ended_unnoticed_cannot_be_extended(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    world.clock.advance(2 * HOUR);
    let error = session.update_lease(hours(3)).run().unwrap_err();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Conflict, Some(if wire.is_v1() { 409 } else { 422 })));
}

fn a_cached_read_is_as_young_as_the_poll_interval_and_tells_its_age(wire: &Wire) {
    let world = World::with_startup(wire, 5 * SECOND);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    world.requests();
    world.clock.advance(4 * SECOND);
    let known = session.cached_properties().run().unwrap();
    assert_eq!((known.status, known.age), (SessionStatus::Starting, 4 * SECOND));
    world.clock.advance(6 * SECOND);
    assert_eq!(session.cached_properties().run().unwrap().status, SessionStatus::Ready);
    assert_eq!(world.requests(), [wire.properties], "ten seconds while it starts");
    world.clock.advance(29 * SECOND);
    assert_eq!(session.cached_properties().run().unwrap().age, 29 * SECOND);
    assert!(world.requests().is_empty(), "thirty when it is ready");
    world.clock.advance(SECOND);
    assert_eq!(session.cached_properties().run().unwrap().age, Duration::ZERO);
    session.update_lease(hours(2)).run().unwrap();
    session.cached_properties().run().unwrap();
    session.stop().run().unwrap();
    assert_eq!(session.cached_properties().run().unwrap().status, SessionStatus::Stopped);
    // v1 answers an update with nothing; 2021-01-01 with the whole session.
    let after_update = if wire.is_v1() { &[wire.properties][..] } else { &[] };
    let expected = [&[wire.properties, wire.update][..], after_update, &[wire.stop, wire.properties]].concat();
    assert_eq!(world.requests(), expected, "what this client does counts");
    world.clock.advance(10 * HOUR);
    assert_eq!(session.cached_properties().run().unwrap().status, SessionStatus::Stopped);
    assert!(world.requests().is_empty(), "an end is for ever");
}

fn a_list_shows_the_accounts_running_sessions_and_whose_they_are(wire: &Wire) {
    let world = World::with_startup(wire, 5 * SECOND);
    let other = world.another_client(wire.config());
    assert!(world.client.list_sessions().run().unwrap().is_empty());
    let [mine, theirs, opened, ended] =
        [&world.client, &other, &other, &world.client].map(|client| client.create_session(&an_hour()).run().unwrap());
    drop(world.client.open_session(opened.id()).run().unwrap());
    ended.stop().run().unwrap();
    world.clock.advance(5 * SECOND);
    let listed = world.client.list_sessions().run().unwrap();
    let known: Vec<_> = listed.iter().map(|it| (&it.properties.id, it.known_to_client)).collect();
    assert_eq!(known, [(mine.id(), true), (theirs.id(), false), (opened.id(), true)]);
    assert!(listed.iter().all(|it| it.properties.status == SessionStatus::Ready && it.properties.hostname.is_some()));
    assert_eq!(listed[0].properties, mine.properties().run().unwrap());
}

fn stopping_all_own_sessions_leaves_other_peoples_alone(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let other = world.another_client(wire.config());
    let sessions: Vec<_> = (0..20).map(|_| world.client.create_session(&an_hour()).run().unwrap()).collect();
    let theirs = other.create_session(&an_hour()).run().unwrap();
    drop(world.client.open_session(theirs.id()).run().unwrap());
    sessions[0].stop().run().unwrap();
    world.requests();
    let all = world.client.stop_all(StopScope::Own).run().unwrap();
    assert_eq!((all.stopped, all.already_gone, all.failed.len()), (19, 0, 0), "opening is not owning");
    assert_eq!(world.requests(), vec![wire.stop; 19]);
    let running: Vec<_> = world.emulator.sessions().into_iter().filter(|it| it.status == Emulated::Ready).collect();
    assert_eq!(running.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), [theirs.id().as_str()]);
    assert_eq!(world.client.stop_all(StopScope::Own).run().unwrap().stopped, 0);
    assert_eq!(sessions[1].wait_until_ready().timeout(HOUR).run().unwrap_err().kind(), ErrorKind::SessionEnded);
}

fn stopping_all_of_the_account_asks_what_there_is(wire: &Wire) {
    let world = World::new(Config { startup: 5 * SECOND, stopping: 60 * SECOND, ..Config::default() }, wire.config());
    let other = world.another_client(wire.config());
    for client in [&world.client, &other, &other] {
        drop(client.create_session(&an_hour()).run().unwrap());
    }
    other.create_session(&an_hour()).run().unwrap().stop().run().unwrap();
    world.requests();
    let all = world.client.stop_all(StopScope::Account).run().unwrap();
    assert_eq!((all.stopped, all.failed.len()), (3, 0), "one is stopping already");
    assert_eq!(world.requests(), [wire.list, wire.stop, wire.stop, wire.stop]);
    assert!(world.emulator.sessions().iter().all(|it| it.status == Emulated::Stopping));
}

fn one_session_that_cannot_be_stopped_holds_up_no_other_and_is_named(wire: &'static Wire) {
    const BAD: &str = "11111111-1111-4111-8111-111111111111";
    let server = Scripted::by(move |line| match wire.act_of(line) {
        Asked::List => {
            let entry = |id: &str| match wire.is_v1() {
                true => format!(r#"{{"sessionId":"{id}","sessionStatus":"Ready"}}"#),
                false => format!(r#"{{"id":"{id}","status":"Ready"}}"#),
            };
            let entries = [entry("a"), entry(BAD), entry("b"), entry("c")].join(",");
            Act::Answer(reply("200 OK", "", &format!(r#"{{"sessions":[{entries}]}}"#)))
        }
        _ if line.contains(BAD) => Act::Answer(reply("403 Forbidden", "", "")),
        _ if line.contains("/sessions/c") => Act::Answer(reply("404 Not Found", "", "")),
        _ => Act::Answer(reply("204 No Content", "", "")),
    });
    let client = server.client(wire.config());
    let all = client.stop_all(StopScope::Account).run().unwrap();
    assert_eq!((all.stopped, all.already_gone, all.failed.len()), (2, 1, 1));
    let error = all.into_result().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.message().contains("1 of 4") && error.message().matches(BAD).count() == 1, "{error}");
}

fn an_access_token_is_for_the_application_too(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let first = world.client.access_token().run().unwrap();
    world.clock.advance(HOUR);
    let second = world.client.access_token().run().unwrap();
    assert_eq!(first.token.expose(), second.token.expose());
    assert_eq!((first.remaining, second.remaining), (Some(24 * HOUR), Some(23 * HOUR)));
    assert_eq!(world.requests(), [TOKEN]);
    assert!(!format!("{first:?}").contains(first.token.expose()));

    let config = ClientConfig {
        credential: Credential::AccessToken(first.token),
        account_domain: "westus2".into(),
        ..wire.config()
    };
    let config = ClientConfig {
        account_id: world.emulator.account().id().into(),
        service_endpoint: world.emulator.url().into(),
        ..config
    };
    let with_token = Client::with_clock(config, crate::support::shared(&world.clock)).unwrap();
    with_token.create_session(&an_hour()).run().unwrap().stop().run().unwrap();
    assert_eq!(world.requests(), [wire.create, wire.stop], "the token service is never asked");
    world.clock.advance(48 * HOUR);
    for _ in 0..2 {
        let error = with_token.list_sessions().run().unwrap_err();
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::Unauthorized, Some(401)));
        assert!(error.message().contains("access token was refused"), "{error}");
    }
    assert_eq!(world.requests(), [wire.list, wire.list], "each call tries it once: the device's clock may be wrong");
}

fn every_request_says_who_sends_it_and_a_token_request_how_to_find_it(wire: &Wire) {
    let server = Scripted::always(Act::Answer(reply("200 OK", "", r#"{"sessions":[]}"#)));
    let client = server.client(ClientConfig { user_agent_suffix: "MyApp/1.2".into(), ..wire.config() });
    client.list_sessions().run().unwrap();
    let seen = server.requests();
    let vector = seen[0].header("x-mrc-cv").unwrap();
    assert_eq!((vector.len(), seen[1].header("x-mrc-cv")), (22, None));
    for request in &seen {
        assert_eq!(
            request.header("user-agent"),
            Some(concat!("arr-session/", env!("CARGO_PKG_VERSION"), " MyApp/1.2"))
        );
        assert_eq!(request.header("accept"), Some("application/json"));
        assert!(request.header("authorization").unwrap().starts_with("Bearer "));
    }
    let key = seen[0].header("authorization").unwrap();
    assert_eq!(key, "Bearer 68321d5a-7978-4ceb-b880-0f49751daae9:c2VjcmV0a2V5");
}

#[test]
fn what_is_sent_with_a_create_is_what_was_asked_for() {
    let created = reply("202 Accepted", "", r#"{"sessionId":"e13d2c44-63e0-4591-991e-f9e05e599a93"}"#);
    let server = Scripted::always(Act::Answer(created));
    let client = server.client(ClientConfig::default());
    let new = NewSession::new(SessionSize::Premium, Lease::new(26 * HOUR).unwrap());
    let new = new.with_models(["https://x/a?sig=1"]).unwrap().with_extra_json(r#"{"y":[null]}"#).unwrap();
    drop(client.create_session(&new).run().unwrap());
    let seen = server.requests();
    let body: serde_json::Value = serde_json::from_str(&seen[1].body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({"maxLeaseTime": "1.02:00:00", "size": "premium", "models": ["https://x/a?sig=1"], "y": [null]})
    );
    assert_eq!(seen[1].header("content-type"), Some("application/json"));
}

fn the_log_is_pulled_at_the_chosen_level(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let messages = |level| {
        let client = world.another_client(ClientConfig { log_level: level, ..wire.config() });
        let session =
            client.create_session(&NewSession::new(SessionSize::Standard, Lease::new(SECOND).unwrap())).run().unwrap();
        session.stop().run().unwrap();
        client.open_session(&SessionId::parse("unknown").unwrap()).run().unwrap_err();
        std::iter::from_fn(|| client.next_log(Duration::ZERO).unwrap()).collect::<Vec<_>>()
    };
    assert!(messages(LogLevel::Off).is_empty());
    let count = |level| messages(level).len();
    // Where leases are whole minutes, none is too short.
    let unusual = usize::from(wire.is_v1());
    assert_eq!((count(LogLevel::Error), count(LogLevel::Warning)), (1, 1 + unusual), "404; and an unusual lease");
    let info = messages(LogLevel::Info);
    assert_eq!(info.len(), 1 + unusual + 3, "token, created and stopped: {info:?}");
    let debug = messages(LogLevel::Debug);
    assert_eq!(debug.len(), 1 + unusual + 3 + 4, "and each request: {debug:?}");
    let key = world.emulator.account().key();
    assert!(!format!("{debug:?}").contains(key) && !format!("{debug:?}").contains("eyJ"));
    let create = if wire.is_v1() { "sessions/create: 202 in " } else { ": 201 in " };
    let create = debug.iter().find(|line| line.message.contains(create)).unwrap();
    assert_eq!(create.correlation_vector.as_deref().map(str::len), Some(24));
    assert_eq!(create.unix_time, world.clock.unix_time());
}

fn who_waits_for_a_line_gets_it_when_it_comes_and_the_end_when_the_client_ends(wire: &Wire) {
    let emulator = arr_service::Emulator::start(Config::default()).unwrap();
    let config = ClientConfig { log_level: LogLevel::Info, ..wire.config() };
    let client = Client::new(config_for(&emulator, config)).unwrap();
    assert_eq!(client.next_log(Duration::from_millis(1)).unwrap(), None);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| client.next_log(60 * SECOND).unwrap().unwrap());
        client.access_token().run().unwrap();
        assert!(waiting.join().unwrap().message.contains("a new access token, good for "));
        let waiting = scope.spawn(|| client.next_log(60 * SECOND));
        client.shut_down();
        assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::ShutDown);
    });
}

#[test]
fn a_list_may_have_eight_mebibytes_and_not_a_byte_more() {
    let list = |length: usize| {
        let body = r#"{"sessions":[]}"#;
        Scripted::always(Act::Answer(reply("200 OK", "", &format!("{body}{}", " ".repeat(length - body.len())))))
    };
    let longest = 8 * 1024 * 1024;
    assert!(list(longest).client(ClientConfig::default()).list_sessions().run().unwrap().is_empty());
    let error = list(longest + 1).client(ClientConfig::default()).list_sessions().run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedReply);
}

fn after_its_own_stop_a_client_takes_the_session_for_over(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    session.wait_until_ready().timeout(HOUR).run().unwrap();
    session.stop().run().unwrap();
    world.requests();
    assert_eq!(session.known_properties().status, SessionStatus::Stopping);
    assert_eq!(session.update_lease(hours(1)).run().unwrap_err().kind(), ErrorKind::SessionEnded);
    assert!(world.requests().is_empty());
}

fn a_session_that_was_stopped_while_it_was_opened_is_not_taken_for_ready(wire: &'static Wire) {
    use std::sync::{Mutex, mpsc};
    let (began, begins) = mpsc::channel::<()>();
    let (go_on, gate) = mpsc::channel::<()>();
    let (began, gate) = (Mutex::new(began), Mutex::new(gate));
    let first = std::sync::atomic::AtomicBool::new(true);
    let server = Scripted::by(move |line| match wire.act_of(line) {
        Asked::Read if first.swap(false, std::sync::atomic::Ordering::SeqCst) => {
            began.lock().unwrap().send(()).unwrap();
            gate.lock().unwrap().recv().unwrap();
            Act::Answer(wire.read(&SessionStatus::Ready))
        }
        Asked::Read => Act::Answer(wire.read(&SessionStatus::Stopped)),
        Asked::List => {
            let id = crate::support::wire::ID;
            let entry = format!(r#"{{"id":"{id}","status":"Ready","sessionId":"{id}","sessionStatus":"Ready"}}"#);
            Act::Answer(reply("200 OK", "", &format!(r#"{{"sessions":[{entry}]}}"#)))
        }
        _ => Act::Answer(wire.good(line)),
    });
    let client = server.client(wire.config());
    let opened = std::thread::scope(|scope| {
        let opening = scope.spawn(|| client.open_session(&SessionId::parse(crate::support::wire::ID).unwrap()).run());
        begins.recv().unwrap();
        assert_eq!(client.stop_all(StopScope::Account).run().unwrap().stopped, 1);
        go_on.send(()).unwrap();
        opening.join().unwrap().unwrap()
    });
    assert_eq!(opened.wait_until_ready().timeout(60 * SECOND).run().unwrap_err().kind(), ErrorKind::SessionEnded);
}

#[test]
fn a_lease_beyond_a_day_is_warned_of() {
    let world = World::with_startup(&crate::support::wire::V1, Duration::ZERO);
    let config = ClientConfig { log_level: LogLevel::Warning, ..ClientConfig::default() };
    let client = world.another_client(config);
    for (lease, warnings) in [(24 * HOUR, 0), (24 * HOUR + SECOND, 1)] {
        drop(client.create_session(&NewSession::new(SessionSize::Standard, Lease::new(lease).unwrap())).run().unwrap());
        assert_eq!(std::iter::from_fn(|| client.next_log(Duration::ZERO).unwrap()).count(), warnings);
    }
}

fn a_client_that_has_ended_gives_out_no_token(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    world.client.access_token().run().unwrap();
    world.client.shut_down();
    assert_eq!(world.client.access_token().run().unwrap_err().kind(), ErrorKind::ShutDown);
}

/// An update's answer that comes after the stop's must not bring the session back.
fn an_update_that_is_answered_after_a_stop_changes_nothing(wire: &'static Wire) {
    use std::sync::{Mutex, mpsc};
    let (began, begins) = mpsc::channel::<()>();
    let (go_on, gate) = mpsc::channel::<()>();
    let (began, gate) = (Mutex::new(began), Mutex::new(gate));
    let server = Scripted::by(move |line| match wire.act_of(line) {
        Asked::Update => {
            began.lock().unwrap().send(()).unwrap();
            gate.lock().unwrap().recv().unwrap();
            Act::Answer(wire.good(line))
        }
        Asked::Read => Act::Answer(wire.read(&SessionStatus::Stopped)),
        _ => Act::Answer(wire.good(line)),
    });
    let client = server.client(wire.config());
    let session = client.create_session(&an_hour()).run().unwrap();
    std::thread::scope(|scope| {
        let updating = scope.spawn(|| session.update_lease(hours(2)).run());
        begins.recv().unwrap();
        session.stop().run().unwrap();
        go_on.send(()).unwrap();
        updating.join().unwrap().unwrap();
    });
    assert_ne!(session.known_properties().status, SessionStatus::Ready);
    assert_eq!(session.wait_until_ready().timeout(60 * SECOND).run().unwrap_err().kind(), ErrorKind::SessionEnded);
}

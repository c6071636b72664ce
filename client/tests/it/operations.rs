//! All operations except create, wait and stop (see `lifecycle.rs`), against the emulator.

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
    the_reply_to_an_update_after_a_stop_changes_nothing,
    after_its_own_stop_a_client_considers_the_session_ended,
    a_session_stopped_while_it_is_opened_is_not_ready,
    an_ended_client_returns_no_token,
    started_operations_send_no_unnecessary_request,
    an_updated_lease_is_known_without_a_read,
    an_accepted_lease_is_believed_until_a_read_shows_another,
    the_current_lease_costs_no_request_and_a_shorter_one_is_refused,
    an_update_below_another_clients_lease_is_refused,
    a_session_that_ended_unnoticed_cannot_be_extended,
    a_list_has_the_running_sessions_and_which_are_known,
    stopping_own_sessions_leaves_others_alone,
    stopping_the_accounts_sessions_lists_them_first,
    a_session_that_cannot_be_stopped_is_named_and_delays_no_other,
    the_application_can_get_and_supply_an_access_token,
    requests_have_the_user_agent_and_correlation_headers,
    the_log_has_the_chosen_level,
    a_wait_for_a_log_line_ends_with_a_line_or_the_client,
    cached_properties_are_younger_than_the_poll_interval,
];

fn hours(hours: u32) -> Lease {
    Lease::new(HOUR * hours).unwrap()
}

fn started_operations_send_no_unnecessary_request(wire: &Wire) {
    for (startup, looks) in [(0, 1), (1, 1), (10, 1), (11, 2), (25, 3), (60, 6)] {
        let world = World::new(Config { startup: startup * SECOND, ..Config::default() }, wire.config());
        let session = world.client.create_session(&an_hour()).run().unwrap();
        session.wait_until_ready().timeout(HOUR).run().unwrap();
        session.update_lease(hours(2)).run().unwrap();
        session.stop().run().unwrap();
        let connections: Vec<_> = world.emulator.requests().iter().map(|request| request.connection).collect();
        assert_eq!(connections[..2], [1, 2], "a create has its own connection");
        assert!(connections[2..].iter().all(|number| *number == 1), "one serves everything else: {connections:?}");
        // With 2021-01-01 the reply to a create has the status, so a session that is ready at once needs no read.
        let looks = if startup == 0 && !wire.is_v1() { 0 } else { looks };
        let expected = [&[TOKEN, wire.create][..], &vec![wire.properties; looks], &[wire.update, wire.stop]].concat();
        assert_eq!(world.requests(), expected, "ready after {startup} s");
    }
}

fn an_updated_lease_is_known_without_a_read(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    session.wait_until_ready().timeout(HOUR).run().unwrap();
    world.requests();
    let used = if wire.is_v1() { 10 * SECOND } else { Duration::ZERO }; // 2021-01-01 reports whole minutes.
    let known = session.update_lease(hours(2)).run().unwrap();
    assert_eq!((known.max_lease, known.remaining()), (Some(2 * HOUR), Some(2 * HOUR - used)));
    assert_eq!(world.emulator.sessions()[0].max_lease, 2 * HOUR);
    let longest = if wire.is_v1() { 25 } else { 24 };
    session.update_lease(hours(longest)).run().unwrap();
    assert_eq!(world.emulator.sessions()[0].max_lease, longest * HOUR, "v1 writes a lease of a day or more with days");
    assert_eq!(world.requests(), [wire.update, wire.update]);
}

fn an_accepted_lease_is_believed_until_a_read_shows_another(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    session.properties().run().unwrap();
    let lie = wire.session_with(&SessionStatus::Ready, 2);
    world.emulator.add_faults([wire.on(Asked::Update).status(200).body(lie)]).unwrap();
    assert_eq!(session.update_lease(hours(2)).run().unwrap().max_lease, Some(2 * HOUR));
    assert_eq!(session.snapshot().max_lease, Some(2 * HOUR));
    assert_eq!(session.properties().run().unwrap().max_lease, Some(HOUR));
    assert_eq!(session.snapshot().max_lease, Some(HOUR));
}

fn the_current_lease_costs_no_request_and_a_shorter_one_is_refused(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    world.requests();
    assert_eq!(session.update_lease(hours(1)).run().unwrap().max_lease, Some(HOUR));
    let error = session.update_lease(Lease::new(HOUR - 60 * SECOND).unwrap()).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("3540 s") && error.message().contains("3600 s"), "{error}");
    assert!(world.requests().is_empty());
}

fn an_update_below_another_clients_lease_is_refused(wire: &Wire) {
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

fn a_session_that_ended_unnoticed_cannot_be_extended(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    world.clock.advance(2 * HOUR);
    let error = session.update_lease(hours(3)).run().unwrap_err();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Conflict, Some(if wire.is_v1() { 409 } else { 422 })));
}

fn cached_properties_are_younger_than_the_poll_interval(wire: &Wire) {
    let world = World::with_startup(wire, 5 * SECOND);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    world.requests();
    world.clock.advance(4 * SECOND);
    let known = session.cached_properties().run().unwrap();
    assert_eq!((known.status, known.age), (SessionStatus::Starting, 4 * SECOND));
    world.clock.advance(6 * SECOND);
    assert_eq!(session.cached_properties().run().unwrap().status, SessionStatus::Ready);
    assert_eq!(world.requests(), [wire.properties], "every ten seconds while it starts");
    world.clock.advance(29 * SECOND);
    assert_eq!(session.cached_properties().run().unwrap().age, 29 * SECOND);
    assert!(world.requests().is_empty(), "current for thirty seconds when it is ready");
    world.clock.advance(SECOND);
    assert_eq!(session.cached_properties().run().unwrap().age, Duration::ZERO);
    session.update_lease(hours(2)).run().unwrap();
    session.cached_properties().run().unwrap();
    session.stop().run().unwrap();
    assert_eq!(session.cached_properties().run().unwrap().status, SessionStatus::Stopped);
    // v1 answers an update without a body, 2021-01-01 with the whole session.
    let after_update = if wire.is_v1() { &[wire.properties][..] } else { &[] };
    let expected = [&[wire.properties, wire.update][..], after_update, &[wire.stop, wire.properties]].concat();
    assert_eq!(world.requests(), expected, "this client's changes make them outdated");
    world.clock.advance(10 * HOUR);
    assert_eq!(session.cached_properties().run().unwrap().status, SessionStatus::Stopped);
    assert!(world.requests().is_empty(), "a final status stays current");
}

fn a_list_has_the_running_sessions_and_which_are_known(wire: &Wire) {
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

fn stopping_own_sessions_leaves_others_alone(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let other = world.another_client(wire.config());
    let sessions: Vec<_> = (0..20).map(|_| world.client.create_session(&an_hour()).run().unwrap()).collect();
    let theirs = other.create_session(&an_hour()).run().unwrap();
    drop(world.client.open_session(theirs.id()).run().unwrap());
    sessions[0].stop().run().unwrap();
    world.requests();
    let all = world.client.stop_all(StopScope::Own).run().unwrap();
    assert_eq!((all.stopped, all.already_gone, all.failed.len()), (19, 0, 0), "opened sessions are not owned");
    assert_eq!(world.requests(), vec![wire.stop; 19]);
    let running: Vec<_> = world.emulator.sessions().into_iter().filter(|it| it.status == Emulated::Ready).collect();
    assert_eq!(running.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), [theirs.id().as_str()]);
    assert_eq!(world.client.stop_all(StopScope::Own).run().unwrap().stopped, 0);
    assert_eq!(sessions[1].wait_until_ready().timeout(HOUR).run().unwrap_err().kind(), ErrorKind::SessionEnded);
}

fn stopping_the_accounts_sessions_lists_them_first(wire: &Wire) {
    let world = World::new(Config { startup: 5 * SECOND, stopping: 60 * SECOND, ..Config::default() }, wire.config());
    let other = world.another_client(wire.config());
    for client in [&world.client, &other, &other] {
        drop(client.create_session(&an_hour()).run().unwrap());
    }
    other.create_session(&an_hour()).run().unwrap().stop().run().unwrap();
    world.requests();
    let all = world.client.stop_all(StopScope::Account).run().unwrap();
    assert_eq!((all.stopped, all.failed.len()), (3, 0), "one is already stopping");
    assert_eq!(world.requests(), [wire.list, wire.stop, wire.stop, wire.stop]);
    assert!(world.emulator.sessions().iter().all(|it| it.status == Emulated::Stopping));
}

fn a_session_that_cannot_be_stopped_is_named_and_delays_no_other(wire: &'static Wire) {
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

fn the_application_can_get_and_supply_an_access_token(wire: &Wire) {
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
    assert_eq!(
        world.requests(),
        [wire.list, wire.list],
        "each call sends it once, because the device's clock may be wrong"
    );
}

fn requests_have_the_user_agent_and_correlation_headers(wire: &Wire) {
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
fn a_create_sends_the_requested_parameters() {
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

fn the_log_has_the_chosen_level(wire: &Wire) {
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
    // With 2021-01-01, leases are whole minutes, so none is unusually short.
    let unusual = usize::from(wire.is_v1());
    assert_eq!(
        (count(LogLevel::Error), count(LogLevel::Warning)),
        (1, 2 + unusual),
        "404, asked once more; and an unusual lease"
    );
    let info = messages(LogLevel::Info);
    assert_eq!(info.len(), 2 + unusual + 3, "token, created and stopped: {info:?}");
    let debug = messages(LogLevel::Debug);
    assert_eq!(debug.len(), 2 + unusual + 3 + 5, "and each request: {debug:?}");
    let key = world.emulator.account().key();
    assert!(!format!("{debug:?}").contains(key) && !format!("{debug:?}").contains("eyJ"));
    let create = if wire.is_v1() { "sessions/create: 202 in " } else { ": 201 in " };
    let create = debug.iter().find(|line| line.message.contains(create)).unwrap();
    assert_eq!(create.correlation_vector.as_deref().map(str::len), Some(24));
    assert_eq!(create.unix_time + SECOND / 2, world.clock.unix_time(), "less the pause after the 404");
}

fn a_wait_for_a_log_line_ends_with_a_line_or_the_client(wire: &Wire) {
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
fn a_list_may_have_eight_mebibytes_and_no_more() {
    let list = |length: usize| {
        let body = r#"{"sessions":[]}"#;
        Scripted::always(Act::Answer(reply("200 OK", "", &format!("{body}{}", " ".repeat(length - body.len())))))
    };
    let longest = 8 * 1024 * 1024;
    assert!(list(longest).client(ClientConfig::default()).list_sessions().run().unwrap().is_empty());
    let error = list(longest + 1).client(ClientConfig::default()).list_sessions().run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedReply);
}

fn after_its_own_stop_a_client_considers_the_session_ended(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    session.wait_until_ready().timeout(HOUR).run().unwrap();
    session.stop().run().unwrap();
    world.requests();
    assert_eq!(session.known_properties().status, SessionStatus::Stopping);
    assert_eq!(session.update_lease(hours(1)).run().unwrap_err().kind(), ErrorKind::SessionEnded);
    assert!(world.requests().is_empty());
}

fn a_session_stopped_while_it_is_opened_is_not_ready(wire: &'static Wire) {
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
fn a_lease_beyond_a_day_logs_a_warning() {
    let world = World::with_startup(&crate::support::wire::V1, Duration::ZERO);
    let config = ClientConfig { log_level: LogLevel::Warning, ..ClientConfig::default() };
    let client = world.another_client(config);
    for (lease, warnings) in [(24 * HOUR, 0), (24 * HOUR + SECOND, 1)] {
        drop(client.create_session(&NewSession::new(SessionSize::Standard, Lease::new(lease).unwrap())).run().unwrap());
        assert_eq!(std::iter::from_fn(|| client.next_log(Duration::ZERO).unwrap()).count(), warnings);
    }
}

fn an_ended_client_returns_no_token(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    world.client.access_token().run().unwrap();
    world.client.shut_down();
    assert_eq!(world.client.access_token().run().unwrap_err().kind(), ErrorKind::ShutDown);
}

/// The reply to an update that arrives after the stop must not bring the session back.
fn the_reply_to_an_update_after_a_stop_changes_nothing(wire: &'static Wire) {
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

//! Every failure that the emulator can produce, met by every operation: the caller is told the truth, nothing is done
//! twice, and the client goes on.

mod support;

use arr_emulator::{Config, Emulator, Fault};
use arr_session::{Client, ClientConfig, ErrorKind, Lease, NewSession, Session, SessionStatus};
use std::time::{Duration, Instant};
use support::{HOUR, SECOND, an_hour, config_for};

const CREATE: &str = "/v1/accounts/*/sessions/create";
const PROPERTIES: &str = "/v1/accounts/*/sessions/*/properties";
const SESSION: &str = "/v1/accounts/*/sessions/*";
const LIST: &str = "/v1/accounts/*/sessions";
const TOKEN: &str = "/accounts/*/token";

/// What strikes, and what a caller is told who wants no retries. `None`: it does no harm.
fn faults(path: &str) -> Vec<(&'static str, Fault, Option<ErrorKind>)> {
    let on = || Fault::on("*", path);
    vec![
        ("delay", on().delay(Duration::from_millis(20)), None),
        ("503", on().status(503), Some(ErrorKind::ServiceFailure)),
        ("close", on().close(), Some(ErrorKind::Network)),
        ("reset", on().reset(), Some(ErrorKind::Network)),
        ("truncate", on().truncate(10), Some(ErrorKind::Network)),
        ("drip", on().drip(Duration::from_millis(50)), Some(ErrorKind::Timeout)),
        ("stall", on().stall(), Some(ErrorKind::Timeout)),
        ("another content type", on().content_type("text/html"), None),
        ("garbage", on().garbage(), Some(ErrorKind::Network)),
        ("oversize", on().oversize(2 * 1024 * 1024), Some(ErrorKind::UnexpectedReply)),
        ("redirect", on().redirect(302, "http://127.0.0.1:1/"), Some(ErrorKind::UnexpectedReply)),
        ("close on accept", Fault::close_on_accept(), Some(ErrorKind::Network)),
    ]
}

/// A client that gives up early, as a test waits for it, and retries at once or not at all.
fn client(emulator: &Emulator, max_retries: u32) -> Client {
    let config = ClientConfig {
        attempt_timeout: Duration::from_millis(400),
        retry_delay: Some(Duration::from_millis(1)),
        max_retries,
        ..ClientConfig::default()
    };
    Client::new(config_for(emulator, config)).unwrap()
}

fn emulator(tls: bool) -> Emulator {
    Emulator::start(Config { tls, startup: Duration::ZERO, ..Config::default() }).unwrap()
}

/// Lets a fault strike, with no connection kept from before.
fn strike(emulator: &Emulator, fault: Fault) {
    emulator.clear_faults();
    emulator.close_idle_connections();
    emulator.add_faults([fault]).unwrap();
}

#[test]
fn a_read_is_told_every_failure_and_repeated_where_that_helps() {
    for tls in [false, true] {
        let emulator = emulator(tls);
        let (once, patient) = (client(&emulator, 0), client(&emulator, 4));
        let sessions = [&once, &patient].map(|client| client.create_session(&an_hour(), None).unwrap());
        for (name, fault, expected) in faults(PROPERTIES) {
            strike(&emulator, fault.clone());
            let told = sessions[0].properties(None).map(|it| it.status).map_err(|error| error.kind());
            assert_eq!(told, expected.map_or(Ok(SessionStatus::Ready), Err), "{name}, HTTPS {tls}");
            assert_eq!(sessions[0].properties(None).unwrap().status, SessionStatus::Ready, "after {name}, HTTPS {tls}");

            strike(&emulator, fault);
            let read = sessions[1].properties(None);
            match expected {
                Some(kind @ ErrorKind::UnexpectedReply) => assert_eq!(read.unwrap_err().kind(), kind, "{name}"),
                _ => assert_eq!(read.unwrap().status, SessionStatus::Ready, "{name}, HTTPS {tls}"),
            }
        }
    }
}

#[test]
fn a_create_that_may_have_been_carried_out_is_sent_once_and_said_to_be_unknown() {
    for tls in [false, true] {
        for (name, fault, expected) in faults(CREATE) {
            if name == "close on accept" {
                continue; // Nothing was sent then: see the next test.
            }
            for executed in [true, false] {
                let emulator = emulator(tls);
                let client = client(&emulator, 4);
                client.access_token(None).unwrap();
                emulator.clear_requests();
                emulator.add_faults([fault.clone().executed(executed)]).unwrap();
                let created = client.create_session(&an_hour(), None);
                let what = format!("{name}, executed {executed}, HTTPS {tls}");
                assert_eq!(emulator.requests().len(), 1, "{what}");
                match (expected, executed) {
                    (None, true) => drop(created.unwrap()),
                    // What stands in for a reply then has no id.
                    (None, false) if name == "delay" => drop(created.unwrap()),
                    _ => {
                        let error = created.unwrap_err();
                        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{what}: {error}");
                        assert!(error.is_outcome_unknown() && !error.is_retryable(), "{what}");
                        let listed = client.list_sessions(None).unwrap();
                        assert_eq!(listed.len(), usize::from(executed), "{what}");
                        assert!(listed.iter().all(|it| !it.known_to_client), "{what}: nobody knows whose it is");
                    }
                }
                client.create_session(&an_hour(), None).unwrap();
            }
        }
    }
}

#[test]
fn a_create_that_was_never_sent_is_simply_sent() {
    for tls in [false, true] {
        let emulator = emulator(tls);
        let client = client(&emulator, 4);
        client.access_token(None).unwrap();
        strike(&emulator, Fault::close_on_accept());
        // Without TLS a connection is made before it is closed, and nobody can tell whether the request was read.
        match client.create_session(&an_hour(), None) {
            Ok(_) => assert_eq!(emulator.sessions().len(), 1),
            Err(error) => assert!(!tls && error.kind() == ErrorKind::OutcomeUnknown, "HTTPS {tls}: {error}"),
        }
        let creates = emulator.requests().iter().filter(|request| request.path.ends_with("/create")).count();
        assert!(creates <= 1);
    }
}

/// What is done, and with what.
type Act = fn(&Client, &Session) -> Result<(), ErrorKind>;

#[test]
fn every_other_operation_survives_every_failure() {
    let acts: [(&str, &str, Act); 4] = [
        ("list", LIST, |client, _| client.list_sessions(None).map(drop).map_err(|error| error.kind())),
        ("update", SESSION, |_, session| {
            let longer = session.known_properties().max_lease.unwrap() + HOUR;
            session.update_lease(Lease::new(longer).unwrap(), None).map(drop).map_err(|error| error.kind())
        }),
        ("stop", SESSION, |_, session| session.stop(None).map(drop).map_err(|error| error.kind())),
        ("token", TOKEN, |client, _| client.access_token(None).map(drop).map_err(|error| error.kind())),
    ];
    let emulator = emulator(false);
    for (what, path, act) in acts {
        for (name, fault, expected) in faults(path) {
            let client = client(&emulator, 4);
            emulator.clear_faults();
            let creator = self::client(&emulator, 4);
            let session =
                creator.create_session(&NewSession::new(arr_session::SessionSize::Standard, HOUR).unwrap(), None);
            let session = client.open_session(session.unwrap().id(), None).unwrap();
            // A client that has no token yet, for the one operation that is about it.
            let client = if what == "token" { self::client(&emulator, 4) } else { client };
            strike(&emulator, fault);
            let outcome = act(&client, &session);
            match expected {
                // Replies without a body of interest cannot be spoilt by one.
                Some(ErrorKind::UnexpectedReply) if name == "redirect" || what == "token" => {
                    assert_eq!(outcome, Err(ErrorKind::UnexpectedReply), "{what}, {name}");
                }
                Some(ErrorKind::UnexpectedReply) => {
                    assert!(matches!(outcome, Ok(()) | Err(ErrorKind::UnexpectedReply)), "{what}, {name}: {outcome:?}");
                }
                _ => assert_eq!(outcome, Ok(()), "{what}, {name}"),
            }
            emulator.clear_faults();
            act(&client, &session).unwrap_or_else(|kind| {
                // A session that is stopped by now cannot be extended, and that is all that can be wrong.
                panic!("after {what}, {name}: {kind:?}")
            });
        }
    }
}

#[test]
fn throttling_by_the_service_is_waited_out_and_forgotten() {
    let world = support::World::new(
        Config { min_call_interval: 5 * SECOND, startup: Duration::ZERO, ..Config::default() },
        ClientConfig::default(),
    );
    let session = world.client.create_session(&an_hour(), None).unwrap();
    for _ in 0..3 {
        session.properties(None).unwrap();
    }
    let statuses: Vec<_> = world.emulator.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [200, 202, 429, 200, 429, 200, 429, 200]);
    assert!(world.clock.now() >= 15 * SECOND && world.clock.now() <= 20 * SECOND, "{:?}", world.clock.now());
}

#[test]
fn a_dripping_server_is_left_at_the_callers_deadline() {
    let emulator = emulator(false);
    let client = Client::new(config_for(&emulator, ClientConfig::default())).unwrap();
    let session = client.create_session(&an_hour(), None).unwrap();
    emulator.add_faults([Fault::on("GET", PROPERTIES).drip(SECOND).always()]).unwrap();
    let before = Instant::now();
    let error = session.properties(Some(Duration::from_millis(300))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    // The rest is for a busy machine.
    assert!(before.elapsed() < 5 * SECOND, "{:?}", before.elapsed());
    emulator.clear_faults();
    assert_eq!(session.properties(None).unwrap().status, SessionStatus::Ready);
}

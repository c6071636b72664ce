//! Every fault that the emulator can inject, for every operation: the result is correct, nothing is done twice, and the
//! client stays usable.

use crate::support::started::LONG;
use crate::support::wire::{V1, V2021, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, an_hour, config_for};
use arr_client::{Client, ClientConfig, ErrorKind, Lease, Session, SessionStatus};
use arr_service::{Config, Emulator, Fault};
use std::time::{Duration, Instant};

in_both_versions![
    a_read_reports_every_fault_and_retries_transient_ones,
    every_other_operation_survives_every_fault,
    throttled_requests_are_retried_until_they_succeed,
    a_call_to_a_dripping_server_ends_at_its_deadline,
];

const TOKEN: &str = "/accounts/*/token";

/// The path of an operation for the emulator's rules, with a star for every id.
fn path(request: &str) -> String {
    request.split(' ').nth(1).unwrap().replace("{id}", "*")
}

/// The faults, each with the error of a call without retries. `None`: the fault does no harm.
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

/// Whether a fault ends only by a timeout.
fn is_slow(name: &str) -> bool {
    matches!(name, "drip" | "stall")
}

/// Runs a test with every fault in every variant, the slow ones concurrently.
fn with_every_fault<V: Copy + Send>(
    path: &str,
    variants: &[V],
    test: impl Fn(&'static str, Fault, Option<ErrorKind>, V) + Sync,
) {
    let test = &test;
    std::thread::scope(|scope| {
        for (name, fault, expected) in faults(path) {
            for variant in variants.iter().copied() {
                let fault = fault.clone();
                let meet = move || test(name, fault, expected, variant);
                if is_slow(name) { drop(scope.spawn(meet)) } else { meet() }
            }
        }
    });
}

/// A client that retries at once, this often. A patient one has enough time for replies even on a busy machine; an
/// impatient one times out soon.
fn client(wire: &Wire, emulator: &Emulator, max_retries: u32, patient: bool) -> Client {
    let config = ClientConfig {
        attempt_timeout: if patient { LONG } else { 4 * SECOND },
        call_timeout: 2 * LONG,
        retry_delay: Some(Duration::from_millis(1)),
        max_retries,
        ..wire.config()
    };
    Client::new(config_for(emulator, config)).unwrap()
}

fn emulator(tls: bool) -> Emulator {
    Emulator::start(Config { tls, startup: Duration::ZERO, ..Config::default() }).unwrap()
}

/// Injects a fault, and closes the connections in the pool.
fn strike(emulator: &Emulator, fault: Fault) {
    emulator.clear_faults();
    emulator.close_idle_connections();
    emulator.add_faults([fault]).unwrap();
}

fn a_read_reports_every_fault_and_retries_transient_ones(wire: &Wire) {
    with_every_fault(&path(wire.properties), &[false, true], |name, fault, expected, tls| {
        let emulator = emulator(tls);
        let clients = [0, 4].map(|retries| client(wire, &emulator, retries, !is_slow(name)));
        let sessions = clients.each_ref().map(|client| client.create_session(&an_hour()).run().unwrap());
        strike(&emulator, fault.clone());
        let read = sessions[0].properties().run().map(|it| it.status).map_err(|error| error.kind());
        assert_eq!(read, expected.map_or(Ok(SessionStatus::Ready), Err), "{name}, HTTPS {tls}");
        assert_eq!(sessions[0].properties().run().unwrap().status, SessionStatus::Ready, "after {name}, HTTPS {tls}");

        strike(&emulator, fault);
        let read = sessions[1].properties().run();
        match expected {
            Some(kind @ ErrorKind::UnexpectedReply) => assert_eq!(read.unwrap_err().kind(), kind, "{name}"),
            _ => assert_eq!(read.unwrap().status, SessionStatus::Ready, "{name}, HTTPS {tls}"),
        }
    });
}

#[test]
fn a_create_that_may_have_been_carried_out_is_sent_once() {
    let wire = &V1;
    let variants = [(false, false), (false, true), (true, false), (true, true)];
    with_every_fault(&path(wire.create), &variants, |name, fault, expected, (tls, executed)| {
        if name == "close on accept" {
            return; // Then nothing was sent: see the next test.
        }
        let emulator = emulator(tls);
        let client = client(wire, &emulator, 4, !is_slow(name));
        client.access_token().run().unwrap();
        emulator.clear_requests();
        emulator.add_faults([fault.executed(executed)]).unwrap();
        let created = client.create_session(&an_hour()).run();
        let what = format!("{name}, executed {executed}, HTTPS {tls}");
        assert_eq!(emulator.requests().len(), 1, "{what}");
        match (expected, executed) {
            (None, true) => drop(created.unwrap()),
            // If the create was not carried out, the substitute reply has no id.
            (None, false) if name == "delay" => drop(created.unwrap()),
            _ => match created {
                // The head of the reply suffices: its `Location` has the id.
                Ok(session) => {
                    assert!(executed, "{what}");
                    assert_eq!(emulator.sessions()[0].id, session.id().as_str(), "{what}");
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{what}: {error}");
                    assert!(error.is_outcome_unknown() && !error.is_retryable(), "{what}");
                    let listed = client.list_sessions().run().unwrap();
                    assert_eq!(listed.len(), usize::from(executed), "{what}");
                    assert!(listed.iter().all(|it| !it.known_to_client), "{what}: the client does not know it");
                }
            },
        }
        drop(client.create_session(&an_hour()).run().unwrap());
    });
}

#[test]
fn a_create_that_was_never_sent_is_retried() {
    let wire = &V1;
    for tls in [false, true] {
        let emulator = emulator(tls);
        let client = client(wire, &emulator, 4, true);
        client.access_token().run().unwrap();
        strike(&emulator, Fault::close_on_accept());
        // Without TLS the connection is made before it is closed, so the request may have been read.
        match client.create_session(&an_hour()).run() {
            Ok(_) => assert_eq!(emulator.sessions().len(), 1),
            Err(error) => assert!(!tls && error.kind() == ErrorKind::OutcomeUnknown, "HTTPS {tls}: {error}"),
        }
        let creates = emulator.requests().iter().filter(|request| request.path.ends_with("/create")).count();
        assert!(creates <= 1);
    }
}

/// An operation to test.
type Act = fn(&Client, &Session) -> Result<(), ErrorKind>;

fn every_other_operation_survives_every_fault(wire: &Wire) {
    let acts: [(&str, &str, Act); 4] = [
        ("list", wire.list, |client, _| client.list_sessions().run().map(drop).map_err(|error| error.kind())),
        ("update", wire.update, |_, session| {
            let longer = session.known_properties().max_lease.unwrap() + HOUR;
            session.update_lease(Lease::new(longer).unwrap()).run().map(drop).map_err(|error| error.kind())
        }),
        ("stop", wire.stop, |_, session| session.stop().run().map(drop).map_err(|error| error.kind())),
        ("token", TOKEN, |client, _| client.access_token().run().map(drop).map_err(|error| error.kind())),
    ];
    std::thread::scope(|scope| {
        for (what, path_of, act) in acts {
            scope.spawn(move || an_operation_survives_every_failure(wire, what, path_of, act));
        }
    });
}

fn an_operation_survives_every_failure(wire: &Wire, what: &str, path_of: &str, act: Act) {
    let path = if what == "token" { TOKEN.to_owned() } else { path(path_of) };
    with_every_fault(&path, &[()], |name, fault, expected, ()| {
        let emulator = emulator(false);
        let client = || self::client(wire, &emulator, 4, !is_slow(name));
        let (creator, opener) = (client(), client());
        let session = creator.create_session(&an_hour()).run().unwrap();
        let session = opener.open_session(session.id()).run().unwrap();
        // The token operation needs a client without a token.
        let client = if what == "token" { client() } else { opener };
        strike(&emulator, fault);
        let outcome = act(&client, &session);
        match expected {
            // A reply whose body does not matter cannot be spoilt by it.
            Some(ErrorKind::UnexpectedReply) if name == "redirect" || what == "token" => {
                assert_eq!(outcome, Err(ErrorKind::UnexpectedReply), "{what}, {name}");
            }
            Some(ErrorKind::UnexpectedReply) => {
                assert!(matches!(outcome, Ok(()) | Err(ErrorKind::UnexpectedReply)), "{what}, {name}: {outcome:?}");
            }
            _ => assert_eq!(outcome, Ok(()), "{what}, {name}"),
        }
        emulator.clear_faults();
        // The only acceptable failure: a session that is stopped by now cannot be extended.
        act(&client, &session).unwrap_or_else(|kind| panic!("after {what}, {name}: {kind:?}"));
    });
}

fn throttled_requests_are_retried_until_they_succeed(wire: &Wire) {
    let world = crate::support::World::new(
        Config { min_call_interval: 5 * SECOND, startup: Duration::ZERO, ..Config::default() },
        wire.config(),
    );
    let session = world.client.create_session(&an_hour()).run().unwrap();
    for _ in 0..3 {
        session.properties().run().unwrap();
    }
    let statuses: Vec<_> = world.emulator.requests().iter().map(|request| request.status).collect();
    let created = if wire.is_v1() { 202 } else { 201 };
    assert_eq!(statuses, [200, created, 429, 200, 429, 200, 429, 200]);
    assert!(world.clock.now() >= 15 * SECOND && world.clock.now() <= 20 * SECOND, "{:?}", world.clock.now());
}

fn a_call_to_a_dripping_server_ends_at_its_deadline(wire: &Wire) {
    let emulator = emulator(false);
    let config = ClientConfig { attempt_timeout: 10 * LONG, ..wire.config() };
    let client = Client::new(config_for(&emulator, config)).unwrap();
    let session = client.create_session(&an_hour()).run().unwrap();
    emulator.add_faults([Fault::on("GET", &path(wire.properties)).drip(SECOND).always()]).unwrap();
    let before = Instant::now();
    let error = session.properties().timeout(Duration::from_millis(300)).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(before.elapsed() < LONG, "{:?}", before.elapsed());
    emulator.clear_faults();
    assert_eq!(session.properties().run().unwrap().status, SessionStatus::Ready);
}

/// With our own id a create is repeated, and makes one session however often it arrives.
#[test]
fn a_create_with_our_id_makes_one_session_despite_any_fault() {
    let wire = &V2021;
    with_every_fault(&path(wire.create), &[true, false], |name, fault, expected, executed| {
        let emulator = emulator(false);
        let client = client(wire, &emulator, 4, !is_slow(name));
        client.access_token().run().unwrap();
        strike(&emulator, if name == "close on accept" { fault } else { fault.executed(executed) });
        let created = client.create_session(&an_hour()).run();
        let what = format!("{name}, executed {executed}");
        match expected {
            // If the create was not carried out, the substitute reply is not a session.
            Some(ErrorKind::UnexpectedReply) => match created {
                // A 201 is unambiguous, however long its body.
                Ok(session) => assert_eq!(emulator.sessions()[0].id, session.id().as_str(), "{what}"),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{what}");
                    assert_eq!(emulator.sessions().len(), usize::from(executed), "{what}");
                    let all = client.stop_all(arr_client::StopScope::Own).run().unwrap();
                    assert_eq!(all.stopped, usize::from(executed), "{what}: stopped by the generated id");
                }
            },
            _ if matches!(name, "another content type" | "truncate") && !executed => {
                assert_eq!(created.unwrap_err().kind(), ErrorKind::OutcomeUnknown, "{what}");
            }
            _ => {
                let session = created.unwrap_or_else(|error| panic!("{what}: {error}"));
                let ids: Vec<_> = emulator.sessions().into_iter().map(|it| it.id).collect();
                assert_eq!(ids, [session.id().as_str()], "{what}");
            }
        }
    });
}

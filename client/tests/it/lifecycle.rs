//! The lifecycle of a session, against the emulator with a virtual clock.

use crate::support::gate::At;
use crate::support::paced::Lab;
use crate::support::started::LONG;
use crate::support::wire::{Asked, TOKEN, V1, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, World, an_hour, config_for};
use arr_client::test_util::{Clock, Signal, SystemClock};
use arr_client::{
    Client, ClientConfig, Credential, ErrorKind, EventKind, Lease, NewSession, Session, SessionId, SessionProperties,
    SessionSize, SessionStatus, WatchOptions,
};
use arr_service::{Config, Emulator, Fault};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

in_both_versions![
    a_session_needs_no_unnecessary_request_or_connection,
    waiting_in_slices_sends_no_extra_request,
    a_wait_without_time_starts_a_due_read_for_a_later_wait,
    a_read_completed_between_slices_ends_the_next_slice,
    of_two_reads_between_slices_the_later_counts,
    a_callers_read_between_slices_ends_the_next_slice,
    a_wait_that_timed_out_can_be_continued,
    a_failed_start_is_reported_with_the_services_message,
    a_wait_rereads_a_ready_session_with_old_properties,
    a_stopped_session_is_never_mistaken_for_ready,
    a_session_that_the_service_has_forgotten_counts_as_stopped,
    opening_an_unknown_id_names_account_and_endpoint,
    a_token_is_renewed_before_it_expires_and_a_day_later,
    a_service_that_lost_its_keys_costs_one_new_token,
    a_wrong_key_is_reported_and_the_client_stays_usable,
    a_certificate_of_an_unknown_authority_is_refused,
    shutting_down_ends_a_wait_at_once_and_leaves_the_session_running,
    concurrent_waits_for_one_session_share_its_requests,
    returned_properties_agree_with_the_snapshot,
    a_read_outdated_by_an_update_returns_the_new_lease,
    on_this_machine_a_ready_session_is_detected_within_250_ms,
    retry_after_is_honoured_on_this_machine_too,
];

fn a_session_needs_no_unnecessary_request_or_connection(wire: &Wire) {
    let world = World::new(Config { tls: true, startup: 25 * SECOND, ..Config::default() }, wire.config());
    let session = world.client.create_session(&an_hour()).run().unwrap();
    let ready = session.wait_until_ready().timeout(HOUR).run().unwrap();
    let used = if wire.is_v1() { 5 * SECOND } else { Duration::ZERO }; // 2021-01-01 reports whole minutes.
    assert_eq!(world.clock.now(), 30 * SECOND, "the third read finds it ready");
    assert_eq!((&ready.status, &ready.size), (&SessionStatus::Ready, &Some(SessionSize::Standard)));
    assert_eq!((ready.max_lease, ready.elapsed, ready.remaining()), (Some(HOUR), Some(used), Some(HOUR - used)));
    assert!(ready.hostname.is_some() && ready.handshake_port.is_some());
    assert!(!session.stop().run().unwrap().already_gone);
    let connections: Vec<_> = world.emulator.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 2, 1, 1, 1, 1], "a create has its own connection");
    assert_eq!(world.requests(), [TOKEN, wire.create, wire.properties, wire.properties, wire.properties, wire.stop]);
}

#[track_caller]
fn agrees(session: &Session, properties: &SessionProperties) {
    let now = session.snapshot();
    let returned =
        (&properties.status, properties.max_lease, properties.elapsed, properties.remaining(), properties.age);
    assert_eq!(returned, (&now.status, now.max_lease, Some(now.elapsed), Some(now.remaining), now.age));
}

fn returned_properties_agree_with_the_snapshot(wire: &Wire) {
    let world = World::with_startup(wire, 8 * SECOND);
    let session = world.client.create_session(&NewSession::new(SessionSize::Standard, Lease::from_minutes(1).unwrap()));
    let session = session.run().unwrap();
    agrees(&session, &session.wait_until_ready().run().unwrap());
    world.clock.advance(10 * SECOND);
    agrees(&session, &session.known_properties());
    agrees(&session, &session.cached_properties().run().unwrap());
    agrees(&session, &session.wait_until_ready().run().unwrap());
    let updated = session.update_lease(Lease::from_minutes(2).unwrap()).run().unwrap();
    agrees(&session, &updated);
    let used = if wire.is_v1() { 12 } else { 10 };
    assert_eq!(updated.remaining(), Some((120 - used) * SECOND));
    // 2021-01-01 reports whole minutes: it says 1 now, and the library knows better.
    world.clock.advance(80 * SECOND);
    agrees(&session, &session.update_lease(Lease::from_minutes(2).unwrap()).run().unwrap());
    agrees(&session, &session.properties().run().unwrap());
    agrees(&session, &session.wait_until_ready().run().unwrap());
    world.clock.advance(HOUR);
    agrees(&session, &session.known_properties());
    agrees(&session, &session.properties().run().unwrap());
}

fn a_read_outdated_by_an_update_returns_the_new_lease(wire: &'static Wire) {
    let (lab, gate) = Lab::through_gate(wire);
    let session = lab.ready(HOUR);
    let held = gate.hold(wire, Asked::Read, At::Reply);
    std::thread::scope(|scope| {
        let read = scope.spawn(|| session.properties().run().unwrap());
        held.arrived();
        session.update_lease(Lease::new(2 * HOUR).unwrap()).run().unwrap();
        held.let_go();
        let read = read.join().unwrap();
        assert_eq!(read.max_lease, Some(2 * HOUR));
        agrees(&session, &read);
    });
}

/// The default poll interval.
fn by_default(wire: &Wire) -> ClientConfig {
    ClientConfig { poll_interval: None, ..wire.config() }
}

fn on_this_machine_a_ready_session_is_detected_within_250_ms(wire: &Wire) {
    let config = || Config { startup: SECOND, ..Config::default() };
    let world = World::new(config(), by_default(wire));
    world.client.create_session(&an_hour()).run().unwrap().wait_until_ready().run().unwrap();
    assert_eq!(world.clock.now(), SECOND);
    assert_eq!(world.requests(), [&[TOKEN, wire.create][..], &[wire.properties; 4]].concat());

    let lab = Lab::new(config(), by_default(wire));
    let session = lab.create(HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    assert_eq!(lab.pump(10 * SECOND, SECOND / 4), [(SECOND, EventKind::StatusChanged)]);
}

fn retry_after_is_honoured_on_this_machine_too(wire: &Wire) {
    for status in [429, 503] {
        let world = World::new(Config { startup: SECOND, ..Config::default() }, by_default(wire));
        let session = world.client.create_session(&an_hour()).run().unwrap();
        let busy = wire.on(Asked::Read).status(status).header("Retry-After", "3");
        world.emulator.add_faults([busy]).unwrap();
        session.wait_until_ready().run().unwrap();
        assert_eq!(world.clock.now(), SECOND / 4 + 3 * SECOND);
    }
}

fn waiting_in_slices_sends_no_extra_request(wire: &Wire) {
    let world = World::with_startup(wire, 25 * SECOND);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    let mut slices = 0;
    let ready = loop {
        match session.wait_until_ready().timeout(Duration::from_millis(250)).run() {
            Ok(ready) => break ready,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Timeout);
                assert_eq!(session.known_properties().status, SessionStatus::Starting);
                slices += 1;
            }
        }
    };
    assert_eq!((ready.status, slices), (SessionStatus::Ready, 120));
    assert_eq!(world.requests(), [TOKEN, wire.create, wire.properties, wire.properties, wire.properties]);
}

fn a_wait_without_time_starts_a_due_read_for_a_later_wait(wire: &Wire) {
    let world = World::with_startup(wire, 5 * SECOND);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    assert_eq!(session.wait_until_ready().timeout(Duration::ZERO).run().unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(world.requests(), [TOKEN, wire.create], "nothing is due yet");
    world.clock.advance(10 * SECOND);
    assert_eq!(session.wait_until_ready().timeout(Duration::ZERO).run().unwrap_err().kind(), ErrorKind::Timeout);
    session.wait_until_ready().timeout(SECOND).run().unwrap();
    assert_eq!(world.requests(), [wire.properties]);
}

/// A failed read does too. After a minute the session is read again.
fn a_read_completed_between_slices_ends_the_next_slice(wire: &Wire) {
    for failure in [None, Some(ErrorKind::Forbidden)] {
        for (pause, expected) in [(59, failure), (60, Some(ErrorKind::Timeout))] {
            let (lab, session) = starting_unread(wire, u32::from(failure.is_some()));
            assert_eq!(slice(&session), Some(ErrorKind::Timeout), "the read is in flight");
            lab.clock.pass(pause * SECOND);
            assert_eq!(slice(&session), expected);
            lab.clock.settle();
            assert_eq!(lab.requests().len(), if pause == 60 { 2 } else { 1 });
        }
    }
}

fn of_two_reads_between_slices_the_later_counts(wire: &Wire) {
    for (failing_reads, expected) in [(1, None), (1000, Some(ErrorKind::Forbidden))] {
        let (lab, session) = starting_unread(wire, failing_reads);
        session.watch(WatchOptions::default(), 0).unwrap();
        assert_eq!(slice(&session), Some(ErrorKind::Timeout));
        lab.clock.pass(59 * SECOND);
        assert!(lab.requests().len() > 1, "the monitor has read it again");
        assert_eq!(slice(&session), expected);
    }
}

fn a_callers_read_between_slices_ends_the_next_slice(wire: &Wire) {
    let (lab, session) = starting_unread(wire, 0);
    assert_eq!(slice(&session), Some(ErrorKind::Timeout));
    session.properties().run().unwrap();
    lab.clock.pass(59 * SECOND);
    assert_eq!(slice(&session), None);
}

/// A session that is ready but was not read since its create. The first reads fail with 403.
fn starting_unread(wire: &Wire, failing_reads: u32) -> (Lab, Session) {
    let lab = Lab::with_startup(wire, 5 * SECOND);
    let session = lab.create(HOUR);
    lab.clock.jump(20 * SECOND);
    lab.requests();
    if failing_reads > 0 {
        lab.emulator.add_faults([Fault::on("GET", "**").status(403).times(failing_reads)]).unwrap();
    }
    (lab, session)
}

/// The error of a wait without time.
fn slice(session: &Session) -> Option<ErrorKind> {
    session.wait_until_ready().timeout(Duration::ZERO).run().err().map(|error| error.kind())
}

fn a_wait_that_timed_out_can_be_continued(wire: &Wire) {
    let world = World::with_startup(wire, 100 * SECOND);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    let error = session.wait_until_ready().timeout(42 * SECOND).run().unwrap_err();
    assert_eq!((error.kind(), world.clock.now()), (ErrorKind::Timeout, 42 * SECOND));
    assert!(error.is_retryable() && error.message().contains("42000 ms"), "{error}");
    session.wait_until_ready().timeout(HOUR).run().unwrap();
    assert_eq!(world.clock.now(), 100 * SECOND, "the schedule continued");
}

fn a_failed_start_is_reported_with_the_services_message(wire: &Wire) {
    let world = World::with_startup(wire, 100 * SECOND);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    assert!(world.emulator.fail_session(session.id().as_str(), "No server of this size is free."));
    let error = session.wait_until_ready().timeout(HOUR).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionFailed);
    assert!(error.message().contains("No server of this size is free."), "{error}");
    assert_eq!(session.known_properties().status, SessionStatus::Error);
    world.requests();
    assert_eq!(session.wait_until_ready().timeout(HOUR).run().unwrap_err().kind(), ErrorKind::SessionFailed);
    assert!(world.requests().is_empty(), "the status is final: no read is needed");
}

fn a_wait_rereads_a_ready_session_with_old_properties(wire: &Wire) {
    let world = World::with_startup(wire, 5 * SECOND);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    session.wait_until_ready().timeout(HOUR).run().unwrap();
    world.requests();
    session.wait_until_ready().timeout(HOUR).run().unwrap();
    assert!(world.requests().is_empty(), "the cached properties are current");
    world.clock.advance(2 * HOUR);
    let error = session.wait_until_ready().timeout(HOUR).run().unwrap_err();
    assert_eq!((error.kind(), session.known_properties().status), (ErrorKind::SessionEnded, SessionStatus::Expired));
    assert_eq!(world.requests(), [wire.properties]);
}

fn a_stopped_session_is_never_mistaken_for_ready(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    session.wait_until_ready().timeout(HOUR).run().unwrap();
    session.stop().run().unwrap();
    assert_eq!(session.wait_until_ready().timeout(HOUR).run().unwrap_err().kind(), ErrorKind::SessionEnded);
    assert_eq!(session.properties().run().unwrap().status, SessionStatus::Stopped);
}

fn a_session_that_the_service_has_forgotten_counts_as_stopped(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    world.clock.advance(40 * 24 * HOUR);
    assert!(session.stop().run().unwrap().already_gone);
    assert_eq!(session.properties().run().unwrap_err().kind(), ErrorKind::NotFound);
}

fn opening_an_unknown_id_names_account_and_endpoint(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let created = world.client.create_session(&an_hour()).run().unwrap();
    let opened = world.client.open_session(created.id()).run().unwrap();
    assert_eq!(opened.known_properties().status, SessionStatus::Ready);
    let unknown = SessionId::parse("00000000-0000-4000-8000-000000000000").unwrap();
    let error = world.client.open_session(&unknown).run().unwrap_err();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::NotFound, Some(404)));
    for part in [unknown.as_str(), world.emulator.url(), world.emulator.account().id()] {
        assert!(error.message().contains(part), "{part} is not in: {error}");
    }
    assert_eq!(error.correlation_vector().map(str::len), Some(24));
}

fn a_token_is_renewed_before_it_expires_and_a_day_later(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    world.requests();
    world.clock.advance(23 * HOUR);
    session.properties().run().unwrap();
    assert_eq!(world.requests(), [wire.properties]);
    world.clock.advance(HOUR - 4 * 60 * SECOND);
    session.properties().run().unwrap();
    // The early refresh runs beside the call, which does not wait for it.
    let mut expected = [TOKEN, wire.properties];
    expected.sort();
    assert_eq!(world.requests_when(2), expected);
    while world.client.access_token().run().unwrap().remaining < Some(23 * HOUR) {
        std::thread::yield_now(); // The reply is still to come.
    }
    world.clock.advance(48 * HOUR);
    session.properties().run().unwrap();
    assert_eq!(world.requests(), [TOKEN, wire.properties]);
}

fn a_service_that_lost_its_keys_costs_one_new_token(wire: &Wire) {
    let first = Emulator::start(Config::default()).unwrap();
    let address = first.url().strip_prefix("http://").unwrap().parse().unwrap();
    let client = Client::new(config_for(&first, wire.config())).unwrap();
    drop(client.create_session(&an_hour()).run().unwrap());
    first.stop();
    let second = Emulator::start(Config { listen: address, ..Config::default() }).unwrap();
    drop(client.create_session(&an_hour()).run().unwrap());
    let statuses: Vec<_> = second.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [401, 200, if wire.is_v1() { 202 } else { 201 }], "create, token, create");
}

fn a_wrong_key_is_reported_and_the_client_stays_usable(wire: &Wire) {
    let emulator = Emulator::start(Config::default()).unwrap();
    let config =
        ClientConfig { credential: Credential::AccountKey("d3Jvbmc=".into()), ..config_for(&emulator, wire.config()) };
    let client = Client::new(config).unwrap();
    for _ in 0..2 {
        let error = client.create_session(&an_hour()).run().unwrap_err();
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::Unauthorized, Some(401)));
        assert!(!error.is_outcome_unknown() && !error.message().contains("d3Jvbmc="), "{error}");
    }
    assert_eq!(emulator.requests().len(), 2, "a create without a token is not sent");
}

fn a_certificate_of_an_unknown_authority_is_refused(wire: &Wire) {
    let emulator = Emulator::start(Config { tls: true, ..Config::default() }).unwrap();
    let config = ClientConfig { ca_pem: None, ..config_for(&emulator, wire.config()) };
    let error = Client::new(config).unwrap().create_session(&an_hour()).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert!(!error.is_retryable() && error.message().contains("ca_file"), "{error}");
    assert!(emulator.requests().is_empty());
}

/// The machine's clock, which reports each sleep.
#[derive(Debug)]
struct SleepReporter(Mutex<Sender<()>>);

impl Clock for SleepReporter {
    fn now(&self) -> arr_client::test_util::Instant {
        SystemClock.now()
    }

    fn unix_time(&self) -> Duration {
        SystemClock.unix_time()
    }

    fn sleep(&self, signal: &Signal, seen: u64, until: arr_client::test_util::Instant) {
        self.0.lock().unwrap().send(()).ok();
        SystemClock.sleep(signal, seen, until);
    }
}

fn shutting_down_ends_a_wait_at_once_and_leaves_the_session_running(wire: &Wire) {
    let (sender, slept) = mpsc::channel();
    let emulator = Emulator::start(Config { startup: HOUR, ..Config::default() }).unwrap();
    let config = config_for(&emulator, ClientConfig { poll_interval: Some(HOUR), ..wire.config() });
    let client = Client::with_clock(config, Arc::new(SleepReporter(Mutex::new(sender)))).unwrap();
    let session = client.create_session(&an_hour()).run().unwrap();
    let asked = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| session.wait_until_ready().timeout(HOUR).run());
        slept.recv().unwrap();
        let asked = Instant::now();
        client.shut_down();
        assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::ShutDown);
        asked
    });
    assert!(asked.elapsed() < LONG, "{:?}", asked.elapsed());
    assert_eq!(session.stop().run().unwrap_err().kind(), ErrorKind::ShutDown);
    assert_eq!(client.create_session(&an_hour()).run().unwrap_err().kind(), ErrorKind::ShutDown);
    assert_eq!(emulator.sessions()[0].status, arr_service::SessionStatus::Starting);
}

#[test]
fn a_connection_idle_for_over_a_minute_is_not_reused() {
    let world = World::with_startup(&V1, Duration::ZERO);
    let connection = || {
        world.client.list_sessions().run().unwrap();
        world.emulator.requests().last().unwrap().connection
    };
    let first = connection();
    world.clock.advance(60 * SECOND);
    assert_eq!(connection(), first);
    world.clock.advance(61 * SECOND);
    assert_ne!(connection(), first);
}

/// A peer that closes early makes a write raise SIGPIPE, which ends a C program.
#[cfg(target_os = "linux")]
#[test]
fn the_thread_that_writes_to_sockets_blocks_sigpipe() {
    let wire = &V1;
    const SIGPIPE_BIT: u64 = 1 << 12;
    let world = World::with_startup(wire, Duration::ZERO);
    drop(world.client.create_session(&an_hour()).run().unwrap());
    let mut found = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        // A thread of another test may end meanwhile.
        let Ok(status) = std::fs::read_to_string(task.path().join("status")) else { continue };
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        if field("Name:").starts_with("reqwest") {
            found += 1;
            assert_ne!(u64::from_str_radix(field("SigBlk:"), 16).unwrap() & SIGPIPE_BIT, 0, "{status}");
        }
    }
    assert!(found > 0, "the HTTP library's thread has a new name");
}

fn concurrent_waits_for_one_session_share_its_requests(wire: &Wire) {
    let emulator = Emulator::start(Config { startup: Duration::from_millis(50), ..Config::default() }).unwrap();
    let poll_interval = Some(Duration::from_millis(20));
    let client = Client::new(config_for(&emulator, ClientConfig { poll_interval, ..wire.config() })).unwrap();
    let session = client.create_session(&an_hour()).run().unwrap();
    std::thread::scope(|scope| {
        let waiting: Vec<_> =
            (0..8).map(|_| scope.spawn(|| session.wait_until_ready().timeout(60 * SECOND).run())).collect();
        for thread in waiting {
            assert_eq!(thread.join().unwrap().unwrap().status, SessionStatus::Ready);
        }
    });
    let requests = emulator.requests();
    let looks = requests.iter().filter(|it| it.method == "GET" && it.path.contains("/sessions/")).count();
    // Eight separate waits would have sent at least 24. A slow machine may be late, never early.
    assert!((1..=4).contains(&looks), "{looks} reads");
}

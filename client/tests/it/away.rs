//! An application whose machine slept, or that was suspended and resumed.

use crate::support::gate::{At, Gate};
use crate::support::journal::until;
use crate::support::paced::Lab;
use crate::support::wire::{Asked, TOKEN, V2021, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, an_hour, config_for};
use arr_client::{
    Client, ClientConfig, ErrorKind, EventKind, KeepAlive, OnSuspend, OperationState, SessionStatus, WatchOptions,
};
use arr_service::{Config, Emulator, Fault};
use std::time::Duration;

in_both_versions![
    after_a_sleep_sessions_are_reread_before_anything_is_reported,
    resuming_rereads_sessions_without_a_sleep,
    after_a_sleep_the_first_calls_succeed_without_retries,
    a_session_that_ended_during_a_sleep_is_reported_only_by_its_status,
    after_a_sleep_a_starting_session_is_reread_too,
    after_a_sleep_a_low_lease_is_extended_after_a_read,
    after_a_sleep_an_unreachable_service_is_polled_at_the_usual_rate,
    a_request_that_hung_through_a_sleep_delays_nothing,
    a_short_sleep_does_not_count,
    a_suspended_client_sends_nothing_and_resuming_rereads,
    a_suspended_client_detects_a_clock_jump,
    suspending_extends_a_lease_if_necessary,
    suspending_stops_sessions_if_requested,
    when_suspending_a_failing_stop_delays_no_other,
    suspending_returns_at_its_timeout_and_the_work_continues,
];

const MINUTE: Duration = Duration::from_secs(60);

/// Tokens expire while the machine sleeps.
fn lab(wire: &Wire) -> Lab {
    lab_with(wire.config())
}

fn lab_with(client: ClientConfig) -> Lab {
    Lab::new(Config { startup: Duration::ZERO, token_lifetime: 15 * HOUR, ..Config::default() }, client)
}

fn on_suspend(on_suspend: OnSuspend) -> WatchOptions {
    WatchOptions::default().on_suspend(on_suspend)
}

/// Two sessions with long leases, watched for a while.
fn watched(lab: &Lab) -> [arr_client::Session; 2] {
    let sessions = [lab.ready(24 * HOUR), lab.ready(24 * HOUR)];
    for session in &sessions {
        session.watch(WatchOptions::default(), 0).unwrap();
    }
    assert_eq!(lab.pump(5 * MINUTE, MINUTE), []);
    lab.requests();
    sessions
}

fn after_a_sleep_sessions_are_reread_before_anything_is_reported(wire: &Wire) {
    let lab = lab(wire);
    let sessions = watched(&lab);
    lab.emulator.close_idle_connections();
    lab.clock.jump(20 * HOUR);
    lab.clock.settle();
    assert_eq!(lab.requests(), [TOKEN, wire.list], "the token has expired");
    assert_eq!(lab.kinds(), [EventKind::Resumed]);
    for session in &sessions {
        let snapshot = session.snapshot();
        assert_eq!((snapshot.status, snapshot.age), (SessionStatus::Ready, Duration::ZERO));
    }
    assert_eq!(lab.pump(5 * MINUTE, MINUTE), []);
    assert_eq!(lab.requests(), [wire.list; 10]);
}

fn resuming_rereads_sessions_without_a_sleep(wire: &Wire) {
    let lab = lab(wire);
    let sessions = watched(&lab);
    lab.emulator.close_idle_connections();
    lab.clock.pass(7 * SECOND);
    lab.client.resume().unwrap();
    lab.clock.settle();
    assert_eq!(lab.requests(), [wire.list]);
    assert_eq!((lab.kinds(), sessions[1].snapshot().age), (vec![EventKind::Resumed], Duration::ZERO));
}

fn after_a_sleep_the_first_calls_succeed_without_retries(wire: &Wire) {
    for resumed in [false, true] {
        for started in [false, true] {
            let config = ClientConfig { max_retries: 0, ..wire.config() };
            let lab = lab_with(config);
            let sessions = watched(&lab);
            lab.emulator.close_idle_connections();
            lab.clock.jump(20 * HOUR);
            if resumed {
                lab.client.resume().unwrap();
            }
            if started {
                let operation = sessions[0].properties().label(0).start().unwrap();
                assert_eq!(operation.wait(MINUTE), OperationState::Succeeded, "{:?}", operation.outcome());
            } else {
                sessions[0].properties().run().unwrap();
            }
            lab.clock.settle();
            let statuses: Vec<u16> = lab.emulator.requests().iter().map(|request| request.status).collect();
            assert!(statuses.iter().all(|status| *status == 200), "every request succeeded: {statuses:?}");
        }
    }
}

fn a_session_that_ended_during_a_sleep_is_reported_only_by_its_status(wire: &Wire) {
    let lab = lab(wire);
    let (expires, is_stopped) = (lab.ready(HOUR), lab.ready(24 * HOUR));
    for (session, label) in [(&expires, 1), (&is_stopped, 2)] {
        session.watch(WatchOptions::default(), label).unwrap();
        session.keep_alive(Some(KeepAlive::until(24 * HOUR))).unwrap();
    }
    assert_eq!(lab.pump(5 * MINUTE, MINUTE), []);
    let other = lab.another_client(wire.config());
    other.open_session(is_stopped.id()).run().unwrap().stop().run().unwrap();
    lab.requests();
    lab.clock.jump(20 * HOUR);
    lab.clock.settle();
    let mut requests = lab.requests();
    requests.sort();
    let mut expected = [TOKEN, wire.list, wire.properties, wire.properties];
    expected.sort();
    assert_eq!(requests, expected, "they are no longer listed, so each is read; none is extended");
    let mut reported: Vec<_> = lab.events().into_iter().map(|event| (event.label.user_data, event.kind)).collect();
    reported.sort_by_key(|(label, _)| *label);
    assert_eq!(reported, [(0, EventKind::Resumed), (1, EventKind::StatusChanged), (2, EventKind::StatusChanged)]);
    let statuses = [&expires, &is_stopped].map(|session| session.snapshot().status);
    assert_eq!(statuses, [SessionStatus::Expired, SessionStatus::Stopped]);
    assert_eq!(lab.pump(HOUR, MINUTE), []);
}

fn after_a_sleep_a_starting_session_is_reread_too(wire: &Wire) {
    let lab = Lab::with_startup(wire, HOUR);
    let session = lab.create(HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    lab.clock.pass(MINUTE);
    lab.requests();
    lab.clock.jump(62 * MINUTE);
    lab.clock.settle();
    assert_eq!(lab.requests(), [wire.properties]);
    assert_eq!(lab.kinds(), [EventKind::Resumed, EventKind::StatusChanged]);
    assert_eq!(session.snapshot().status, SessionStatus::Ready);
}

fn after_a_sleep_a_low_lease_is_extended_after_a_read(wire: &Wire) {
    let lab = lab(wire);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    lab.pump(5 * MINUTE, MINUTE);
    lab.requests();
    lab.clock.jump(52 * MINUTE);
    lab.client.next_event(Duration::ZERO).unwrap();
    lab.clock.settle();
    let update = lab.requests().iter().position(|line| line == wire.update);
    assert_eq!(update, Some(1), "after the list");
    assert_eq!(lab.kinds().last(), Some(&EventKind::LeaseExtended));
    assert_eq!(lab.emulator.sessions()[0].max_lease, 75 * MINUTE);
}

fn after_a_sleep_an_unreachable_service_is_polled_at_the_usual_rate(wire: &Wire) {
    let config = ClientConfig { max_retries: 0, ..wire.config() };
    let lab = lab_with(config);
    let sessions = watched(&lab);
    lab.emulator.add_faults([Fault::on("GET", "**").always().close()]).unwrap();
    lab.clock.jump(10 * HOUR);
    lab.clock.pass(10 * MINUTE);
    let requests = lab.requests().len();
    assert!((20..=21).contains(&requests), "{requests} requests in 10 min");
    assert_eq!(lab.kinds(), [EventKind::ReadsFailing; 2], "nothing else can be reported yet");
    lab.emulator.clear_faults();
    lab.clock.pass(30 * SECOND);
    let reported = vec![EventKind::Resumed, EventKind::ReadsRecovered, EventKind::ReadsRecovered];
    assert_eq!((lab.kinds(), sessions[0].snapshot().age), (reported, Duration::ZERO));
}

/// The network was gone before the machine slept.
fn a_request_that_hung_through_a_sleep_delays_nothing(wire: &Wire) {
    let lab = lab_with(ClientConfig { attempt_timeout: HOUR, ..wire.config() });
    let sessions = watched(&lab);
    lab.emulator.add_faults([Fault::on("GET", "**").stall()]).unwrap();
    lab.clock.jump(30 * SECOND);
    while lab.emulator.requests().is_empty() {
        std::thread::yield_now();
    }
    lab.clock.jump(20 * HOUR);
    let begun = std::time::Instant::now();
    while lab.kinds() != [EventKind::Resumed] {
        assert!(begun.elapsed() < MINUTE, "it waits for the request that hangs");
        std::thread::yield_now();
    }
    assert_eq!(sessions[0].snapshot().age, Duration::ZERO);
}

fn a_short_sleep_does_not_count(wire: &Wire) {
    let lab = lab(wire);
    let _sessions = watched(&lab);
    lab.clock.jump(50 * SECOND);
    assert_eq!(lab.pump(MINUTE, SECOND), []);
}

fn a_suspended_client_sends_nothing_and_resuming_rereads(wire: &Wire) {
    let lab = lab(wire);
    let session = lab.ready(HOUR);
    session.watch(on_suspend(OnSuspend::Leave), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR).liveness(None))).unwrap();
    lab.clock.pass(10 * MINUTE);
    lab.requests();
    lab.client.suspend(SECOND).unwrap();
    lab.clock.pass(48 * MINUTE);
    assert_eq!((lab.requests(), lab.kinds()), (vec![], vec![]));
    lab.client.resume().unwrap();
    lab.clock.settle();
    assert_eq!(lab.requests()[..2], [wire.list, wire.update]);
    assert_eq!(lab.kinds(), [EventKind::Resumed, EventKind::LeaseExtended]);
}

fn a_suspended_client_detects_a_clock_jump(wire: &Wire) {
    let lab = lab(wire);
    let _sessions = watched(&lab);
    lab.client.suspend(SECOND).unwrap();
    lab.clock.pass(MINUTE);
    lab.clock.jump(10 * HOUR);
    lab.clock.settle();
    assert_eq!((lab.requests(), lab.kinds()), (vec![wire.list.to_owned()], vec![EventKind::Resumed]));
}

fn suspending_extends_a_lease_if_necessary(wire: &Wire) {
    let lab = Lab::with_startup(wire, 7 * SECOND);
    let session = lab.create(HOUR);
    session.watch(on_suspend(OnSuspend::Extend(30 * MINUTE)), 0).unwrap();
    lab.pump(25 * MINUTE, MINUTE);
    lab.requests();
    lab.client.suspend(SECOND).unwrap();
    assert_eq!(lab.requests(), Vec::<String>::new(), "enough is left");
    lab.client.resume().unwrap();
    lab.pump(25 * MINUTE, MINUTE);
    lab.requests();
    lab.client.suspend(SECOND).unwrap();
    assert_eq!(lab.requests(), [wire.update]);
    let now = &lab.emulator.sessions()[0];
    let left = now.max_lease - now.elapsed;
    assert!(left >= 30 * MINUTE && left < 32 * MINUTE, "{left:?}");
    lab.client.suspend(SECOND).unwrap();
    assert_eq!((lab.requests(), lab.kinds()), (vec![], vec![]), "once is enough");
}

/// 2021-01-01 permits a day.
#[test]
fn suspending_extends_a_lease_as_far_as_the_service_permits() {
    let wire = &V2021;
    let lab = lab_with(wire.config().ready_poll_interval(6 * HOUR));
    let session = lab.ready(24 * HOUR - 10 * MINUTE);
    session.watch(on_suspend(OnSuspend::Extend(30 * MINUTE)), 0).unwrap();
    lab.clock.pass(24 * HOUR - 15 * MINUTE);
    for _ in 0..2 {
        lab.client.suspend(SECOND).unwrap();
        assert_eq!(lab.emulator.sessions()[0].max_lease, 24 * HOUR);
    }
}

fn suspending_stops_sessions_if_requested(wire: &Wire) {
    let lab = lab(wire);
    let sessions = [lab.ready(HOUR), lab.ready(HOUR), lab.ready(HOUR)];
    let options = [OnSuspend::Stop, OnSuspend::Leave, OnSuspend::Stop];
    for (session, option) in sessions.iter().zip(options) {
        session.watch(on_suspend(option), 0).unwrap();
    }
    lab.clock.settle();
    lab.requests();
    lab.client.suspend(MINUTE).unwrap();
    assert_eq!(lab.requests(), [wire.stop, wire.stop]);
    let statuses: Vec<_> = lab.emulator.sessions().iter().map(|session| session.status.as_str()).collect();
    assert_eq!(statuses, ["Stopped", "Ready", "Stopped"]);
    assert_eq!(lab.kinds(), [EventKind::StatusChanged; 2], "and no event of an operation");
}

fn when_suspending_a_failing_stop_delays_no_other(wire: &Wire) {
    let config = ClientConfig { max_retries: 0, ..wire.config() };
    let lab = lab_with(config);
    let sessions = [lab.ready(HOUR), lab.ready(HOUR), lab.ready(HOUR)];
    sessions[0].watch(on_suspend(OnSuspend::Extend(400 * 24 * HOUR)), 0).unwrap();
    sessions[1].watch(on_suspend(OnSuspend::Stop), 0).unwrap();
    sessions[2].watch(on_suspend(OnSuspend::Stop), 0).unwrap();
    lab.emulator.add_faults([Fault::on(wire.stop.split(' ').next().unwrap(), "**").status(503)]).unwrap();
    let error = lab.client.suspend(MINUTE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "the first failure: the lease is too long");
    let stopped = lab.emulator.sessions().iter().filter(|session| session.status.as_str() == "Stopped").count();
    assert_eq!(stopped, 1);
}

fn suspending_returns_at_its_timeout_and_the_work_continues(wire: &'static Wire) {
    let emulator = Emulator::start(Config { startup: Duration::ZERO, ..Config::default() }).unwrap();
    let gate = Gate::to(emulator.url());
    let config = ClientConfig { service_endpoint: gate.url.clone(), ..config_for(&emulator, wire.config()) };
    let client = Client::new(config).unwrap();
    let session = client.create_session(&an_hour()).run().unwrap();
    session.watch(on_suspend(OnSuspend::Stop), 0).unwrap();
    session.properties().run().unwrap();
    let stop = gate.hold(wire, Asked::Stop, At::Request);
    let error = client.suspend(Duration::from_millis(100)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    stop.arrived();
    stop.let_go();
    until(|| emulator.sessions()[0].status.as_str() == "Stopped", || "the stop should continue".to_owned());
}

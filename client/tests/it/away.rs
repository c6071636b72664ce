//! An application that was away: its machine slept, or it was suspended and resumed.

use crate::support::gate::{At, Gate};
use crate::support::journal::until;
use crate::support::paced::Lab;
use crate::support::wire::{Asked, TOKEN, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, an_hour, config_for};
use arr_client::{
    Client, ClientConfig, ErrorKind, EventKind, KeepAlive, OnSuspend, OperationState, SessionStatus, WatchOptions,
};
use arr_service::{Config, Emulator, Fault};
use std::time::Duration;

in_both_versions![
    after_a_sleep_everything_is_read_anew_before_anything_is_told,
    resuming_does_the_same_without_a_sleep,
    after_a_sleep_the_first_calls_succeed_at_the_first_try,
    a_session_that_ended_during_a_sleep_is_told_by_its_status_alone,
    a_session_that_starts_is_read_anew_too,
    a_lease_that_runs_low_after_a_sleep_is_extended_once_it_was_read,
    a_service_that_cannot_be_reached_after_a_sleep_is_not_pestered,
    a_request_that_hung_through_a_sleep_holds_nothing_up,
    a_short_nap_is_none,
    a_suspended_client_asks_nothing_and_resuming_reads_anew,
    a_suspended_client_that_wakes_without_being_told_notices_it,
    a_lease_is_extended_for_the_suspension_if_need_be,
    sessions_are_stopped_for_the_suspension_where_that_was_asked_for,
    one_that_cannot_be_stopped_holds_up_no_other,
    suspending_takes_its_timeout_at_most_and_goes_on,
];

const MINUTE: Duration = Duration::from_secs(60);

/// Tokens run out while a machine sleeps.
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

fn after_a_sleep_everything_is_read_anew_before_anything_is_told(wire: &Wire) {
    let lab = lab(wire);
    let sessions = watched(&lab);
    lab.emulator.close_idle_connections();
    lab.clock.jump(20 * HOUR);
    lab.clock.settle();
    assert_eq!(lab.requests(), [TOKEN, wire.list], "the token has run out");
    assert_eq!(lab.told(), [EventKind::Resumed]);
    for session in &sessions {
        let snapshot = session.snapshot();
        assert_eq!((snapshot.status, snapshot.age), (SessionStatus::Ready, Duration::ZERO));
    }
    assert_eq!(lab.pump(5 * MINUTE, MINUTE), []);
    assert_eq!(lab.requests(), [wire.list; 10]);
}

fn resuming_does_the_same_without_a_sleep(wire: &Wire) {
    let lab = lab(wire);
    let sessions = watched(&lab);
    lab.emulator.close_idle_connections();
    lab.clock.pass(7 * SECOND);
    lab.client.resume().unwrap();
    lab.clock.settle();
    assert_eq!(lab.requests(), [wire.list]);
    assert_eq!((lab.told(), sessions[1].snapshot().age), (vec![EventKind::Resumed], Duration::ZERO));
}

fn after_a_sleep_the_first_calls_succeed_at_the_first_try(wire: &Wire) {
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
            assert!(statuses.iter().all(|status| *status == 200), "nothing went wrong on the way: {statuses:?}");
        }
    }
}

fn a_session_that_ended_during_a_sleep_is_told_by_its_status_alone(wire: &Wire) {
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
    assert_eq!(requests, expected, "they have left the list, and are asked what became of them; none is extended");
    let mut told: Vec<_> = lab.events().into_iter().map(|event| (event.label.user_data, event.kind)).collect();
    told.sort_by_key(|(label, _)| *label);
    assert_eq!(told, [(0, EventKind::Resumed), (1, EventKind::StatusChanged), (2, EventKind::StatusChanged)]);
    let statuses = [&expires, &is_stopped].map(|session| session.snapshot().status);
    assert_eq!(statuses, [SessionStatus::Expired, SessionStatus::Stopped]);
    assert_eq!(lab.pump(HOUR, MINUTE), []);
}

fn a_session_that_starts_is_read_anew_too(wire: &Wire) {
    let lab = Lab::with_startup(wire, HOUR);
    let session = lab.create(HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    lab.clock.pass(MINUTE);
    lab.requests();
    lab.clock.jump(62 * MINUTE);
    lab.clock.settle();
    assert_eq!(lab.requests(), [wire.properties]);
    assert_eq!(lab.told(), [EventKind::Resumed, EventKind::StatusChanged]);
    assert_eq!(session.snapshot().status, SessionStatus::Ready);
}

fn a_lease_that_runs_low_after_a_sleep_is_extended_once_it_was_read(wire: &Wire) {
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
    assert_eq!(lab.told().last(), Some(&EventKind::LeaseExtended));
    assert_eq!(lab.emulator.sessions()[0].max_lease, 75 * MINUTE);
}

fn a_service_that_cannot_be_reached_after_a_sleep_is_not_pestered(wire: &Wire) {
    let config = ClientConfig { max_retries: 0, ..wire.config() };
    let lab = lab_with(config);
    let sessions = watched(&lab);
    lab.emulator.add_faults([Fault::on("GET", "**").always().close()]).unwrap();
    lab.clock.jump(10 * HOUR);
    lab.clock.pass(10 * MINUTE);
    let requests = lab.requests().len();
    assert!((20..=21).contains(&requests), "{requests} requests in 10 min");
    assert_eq!(lab.told(), [], "nothing is known yet");
    lab.emulator.clear_faults();
    lab.clock.pass(30 * SECOND);
    assert_eq!((lab.told(), sessions[0].snapshot().age), (vec![EventKind::Resumed], Duration::ZERO));
}

/// The network was gone before the machine slept.
fn a_request_that_hung_through_a_sleep_holds_nothing_up(wire: &Wire) {
    let lab = lab_with(ClientConfig { attempt_timeout: HOUR, ..wire.config() });
    let sessions = watched(&lab);
    lab.emulator.add_faults([Fault::on("GET", "**").stall()]).unwrap();
    lab.clock.jump(30 * SECOND);
    while lab.emulator.requests().is_empty() {
        std::thread::yield_now();
    }
    lab.clock.jump(20 * HOUR);
    let begun = std::time::Instant::now();
    while lab.told() != [EventKind::Resumed] {
        assert!(begun.elapsed() < MINUTE, "it waits for what hangs");
        std::thread::yield_now();
    }
    assert_eq!(sessions[0].snapshot().age, Duration::ZERO);
}

fn a_short_nap_is_none(wire: &Wire) {
    let lab = lab(wire);
    let _sessions = watched(&lab);
    lab.clock.jump(50 * SECOND);
    assert_eq!(lab.pump(MINUTE, SECOND), []);
}

fn a_suspended_client_asks_nothing_and_resuming_reads_anew(wire: &Wire) {
    let lab = lab(wire);
    let session = lab.ready(HOUR);
    session.watch(on_suspend(OnSuspend::Leave), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR).liveness(None))).unwrap();
    lab.clock.pass(10 * MINUTE);
    lab.requests();
    lab.client.suspend(SECOND).unwrap();
    lab.clock.pass(48 * MINUTE);
    assert_eq!((lab.requests(), lab.told()), (vec![], vec![]));
    lab.client.resume().unwrap();
    lab.clock.settle();
    assert_eq!(lab.requests()[..2], [wire.list, wire.update]);
    assert_eq!(lab.told(), [EventKind::Resumed, EventKind::LeaseExtended]);
}

fn a_suspended_client_that_wakes_without_being_told_notices_it(wire: &Wire) {
    let lab = lab(wire);
    let _sessions = watched(&lab);
    lab.client.suspend(SECOND).unwrap();
    lab.clock.pass(MINUTE);
    lab.clock.jump(10 * HOUR);
    lab.clock.settle();
    assert_eq!((lab.requests(), lab.told()), (vec![wire.list.to_owned()], vec![EventKind::Resumed]));
}

fn a_lease_is_extended_for_the_suspension_if_need_be(wire: &Wire) {
    let lab = Lab::with_startup(wire, 7 * SECOND);
    let session = lab.create(HOUR);
    session.watch(on_suspend(OnSuspend::Extend(30 * MINUTE)), 0).unwrap();
    lab.pump(25 * MINUTE, MINUTE);
    lab.requests();
    lab.client.suspend(SECOND).unwrap();
    assert_eq!(lab.requests(), Vec::<String>::new(), "there is enough left");
    lab.client.resume().unwrap();
    lab.pump(25 * MINUTE, MINUTE);
    lab.requests();
    lab.client.suspend(SECOND).unwrap();
    assert_eq!(lab.requests(), [wire.update]);
    let now = &lab.emulator.sessions()[0];
    let left = now.max_lease - now.elapsed;
    assert!(left >= 30 * MINUTE && left < 32 * MINUTE, "{left:?}");
    lab.client.suspend(SECOND).unwrap();
    assert_eq!((lab.requests(), lab.told()), (vec![], vec![]), "once is enough");
}

fn sessions_are_stopped_for_the_suspension_where_that_was_asked_for(wire: &Wire) {
    let lab = lab(wire);
    let sessions = [lab.ready(HOUR), lab.ready(HOUR), lab.ready(HOUR)];
    let wishes = [OnSuspend::Stop, OnSuspend::Leave, OnSuspend::Stop];
    for (session, wish) in sessions.iter().zip(wishes) {
        session.watch(on_suspend(wish), 0).unwrap();
    }
    lab.clock.settle();
    lab.requests();
    lab.client.suspend(MINUTE).unwrap();
    assert_eq!(lab.requests(), [wire.stop, wire.stop]);
    let statuses: Vec<_> = lab.emulator.sessions().iter().map(|session| session.status.as_str()).collect();
    assert_eq!(statuses, ["Stopped", "Ready", "Stopped"]);
    assert_eq!(lab.told(), [EventKind::StatusChanged; 2], "and no event of an operation that nobody started");
}

fn one_that_cannot_be_stopped_holds_up_no_other(wire: &Wire) {
    let config = ClientConfig { max_retries: 0, ..wire.config() };
    let lab = lab_with(config);
    let sessions = [lab.ready(HOUR), lab.ready(HOUR), lab.ready(HOUR)];
    sessions[0].watch(on_suspend(OnSuspend::Extend(400 * 24 * HOUR)), 0).unwrap();
    sessions[1].watch(on_suspend(OnSuspend::Stop), 0).unwrap();
    sessions[2].watch(on_suspend(OnSuspend::Stop), 0).unwrap();
    lab.emulator.add_faults([Fault::on(wire.stop.split(' ').next().unwrap(), "**").status(503)]).unwrap();
    let error = lab.client.suspend(MINUTE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "the first failure: no lease is that long");
    let stopped = lab.emulator.sessions().iter().filter(|session| session.status.as_str() == "Stopped").count();
    assert_eq!(stopped, 1);
}

fn suspending_takes_its_timeout_at_most_and_goes_on(wire: &'static Wire) {
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
    until(|| emulator.sessions()[0].status.as_str() == "Stopped", || "it goes on".to_owned());
}

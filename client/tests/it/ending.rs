//! The end of a client that looks after sessions.

use crate::support::gate::At;
use crate::support::journal::until;
use crate::support::paced::Lab;
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{HOUR, SECOND};
use arr_client::{ClientConfig, ErrorKind, EventKind, KeepAlive, WatchOptions};
use arr_service::{Config, Fault};
use std::time::Duration;

in_both_versions![
    sessions_are_stopped_at_the_end_where_that_was_promised,
    a_client_that_is_dropped_keeps_its_promises,
    a_promise_outlives_the_session_that_it_was_made_for,
    what_was_queued_is_told_before_the_end,
    an_end_without_promises_asks_nothing,
    a_promised_stop_that_fails_is_told,
    a_promised_stop_without_an_answer_is_told_and_nobody_is_told_to_wait_for_it,
    a_second_stop_that_fails_frightens_nobody,
    an_end_whose_time_is_too_short_can_be_waited_for_again,
    a_lease_that_is_being_extended_does_not_hold_the_end_up,
];

const MINUTE: Duration = Duration::from_secs(60);

fn promised(stop_on_shutdown: bool) -> WatchOptions {
    WatchOptions::default().stop_on_shutdown(stop_on_shutdown)
}

fn stop(wire: &Wire) -> Fault {
    Fault::on(wire.stop.split(' ').next().unwrap(), "**")
}

impl Lab {
    fn statuses(&self) -> Vec<&'static str> {
        self.emulator.sessions().iter().map(|session| session.status.as_str()).collect()
    }
}

fn sessions_are_stopped_at_the_end_where_that_was_promised(wire: &Wire) {
    let lab = Lab::with_startup(wire, 5 * SECOND);
    let sessions = [lab.create(HOUR), lab.create(HOUR), lab.create(HOUR), lab.create(HOUR)];
    sessions[0].watch(promised(true), 0).unwrap();
    sessions[1].watch(promised(false), 0).unwrap();
    // The latest options count.
    sessions[2].watch(promised(false), 0).unwrap();
    sessions[2].watch(promised(true), 0).unwrap();
    lab.clock.pass(MINUTE);
    lab.requests();
    lab.client.shut_down_within(MINUTE).unwrap();
    assert_eq!(lab.statuses(), ["Stopped", "Ready", "Stopped", "Ready"]);
    assert_eq!(lab.requests(), [wire.stop, wire.stop]);
    lab.client.shut_down_within(MINUTE).unwrap();
    assert!(lab.requests().is_empty(), "it is done once");
}

fn a_client_that_is_dropped_keeps_its_promises(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let sessions = [lab.ready(HOUR), lab.ready(HOUR)];
    sessions[0].watch(promised(true), 0).unwrap();
    sessions[1].watch(promised(false), 0).unwrap();
    let Lab { emulator, client, .. } = lab;
    drop(client);
    let begun = std::time::Instant::now();
    while emulator.sessions()[0].status.as_str() != "Stopped" {
        assert!(begun.elapsed() < MINUTE, "nobody waits for it, and it is done");
        std::thread::yield_now();
    }
    assert_eq!(emulator.sessions()[1].status.as_str(), "Ready");
    drop(sessions);
}

/// As an application does it that cleans up: the client first, and at once its sessions.
fn a_promise_outlives_the_session_that_it_was_made_for(wire: &Wire) {
    for _ in 0..20 {
        let lab = Lab::with_startup(wire, Duration::ZERO);
        let session = lab.ready(HOUR);
        session.watch(promised(true), 0).unwrap();
        let Lab { emulator, client, .. } = lab;
        drop(client);
        drop(session);
        let begun = std::time::Instant::now();
        while emulator.sessions()[0].status.as_str() != "Stopped" {
            assert!(begun.elapsed() < MINUTE, "it was promised, and is not done");
            std::thread::yield_now();
        }
    }
}

fn what_was_queued_is_told_before_the_end(wire: &Wire) {
    let lab = Lab::with_startup(wire, 5 * SECOND);
    let (one, two) = (lab.create(HOUR), lab.create(HOUR));
    one.watch(promised(true), 1).unwrap();
    two.watch(promised(false), 2).unwrap();
    lab.clock.pass(10 * SECOND);
    let list = lab.client.list_sessions().label(3).start().unwrap();
    lab.clock.settle();
    lab.client.shut_down_within(MINUTE).unwrap();
    let mut told = Vec::new();
    let end = loop {
        match lab.client.next_event(MINUTE) {
            Ok(event) => told.extend(event.map(|event| (event.label.user_data, event.kind))),
            Err(error) => break error,
        }
    };
    told.sort_by_key(|(label, _)| *label);
    let status = EventKind::StatusChanged;
    assert_eq!(told, [(1, status), (2, status), (3, EventKind::OperationEnded)]);
    assert_eq!(end.kind(), ErrorKind::ShutDown);
    drop(list);
}

fn an_end_without_promises_asks_nothing(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(promised(true), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(2 * HOUR))).unwrap();
    lab.clock.settle();
    session.stop().run().unwrap();
    lab.clock.settle();
    lab.requests();
    lab.client.shut_down_within(MINUTE).unwrap();
    assert!(lab.requests().is_empty(), "it has ended already");
    assert_eq!(session.watch(promised(true), 0).unwrap_err().kind(), ErrorKind::ShutDown);
    assert_eq!(lab.client.resume().unwrap_err().kind(), ErrorKind::ShutDown);
    assert_eq!(lab.client.suspend(SECOND).unwrap_err().kind(), ErrorKind::ShutDown);
}

fn a_promised_stop_that_fails_is_told(wire: &Wire) {
    let config = ClientConfig { max_retries: 0, ..wire.config() };
    let lab = Lab::new(Config { startup: Duration::ZERO, ..Config::default() }, config);
    let session = lab.ready(HOUR);
    session.watch(promised(true), 0).unwrap();
    lab.clock.settle();
    lab.emulator.add_faults([stop(wire).status(503)]).unwrap();
    let error = lab.client.shut_down_within(MINUTE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServiceFailure);
    let running = format!("session {} may still be running", session.id());
    assert!(error.message().starts_with(&running), "{error}");
    assert_eq!(lab.statuses(), ["Ready"]);
}

fn a_promised_stop_without_an_answer_is_told_and_nobody_is_told_to_wait_for_it(wire: &Wire) {
    // All of it is waited for, once: what makes the session has the same time, on a busy machine too.
    let config = ClientConfig { attempt_timeout: 4 * SECOND, max_retries: 0, ..wire.config() };
    let lab = Lab::new(Config { startup: Duration::ZERO, ..Config::default() }, config);
    let session = lab.ready(HOUR);
    session.watch(promised(true), 0).unwrap();
    lab.clock.settle();
    lab.emulator.add_faults([stop(wire).stall()]).unwrap();
    let error = lab.client.shut_down_within(MINUTE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    let running = format!("session {} may still be running", session.id());
    assert!(error.message().starts_with(&running), "{error}");
}

fn a_second_stop_that_fails_frightens_nobody(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.stop().run().unwrap();
    lab.emulator.add_faults([stop(wire).status(403)]).unwrap();
    let error = session.stop().run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(!error.message().contains("may still be running"), "{error}");
}

fn an_end_whose_time_is_too_short_can_be_waited_for_again(wire: &'static Wire) {
    let (lab, gate) = Lab::through_gate(wire);
    let session = lab.ready(HOUR);
    session.watch(promised(true), 0).unwrap();
    lab.clock.settle();
    let stop = gate.hold(wire, Asked::Stop, At::Request);
    let error = lab.client.shut_down_within(Duration::from_millis(20)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    stop.arrived();
    stop.let_go();
    lab.client.shut_down_within(MINUTE).unwrap();
    assert_eq!(lab.statuses(), ["Stopped"]);
}

fn a_lease_that_is_being_extended_does_not_hold_the_end_up(wire: &'static Wire) {
    let (lab, gate) = Lab::through_gate(wire);
    let session = lab.ready(HOUR);
    session.watch(promised(true), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(2 * HOUR).liveness(None))).unwrap();
    lab.clock.pass(55 * MINUTE - SECOND);
    let extension = gate.hold(wire, Asked::Update, At::Request);
    lab.clock.jump(SECOND);
    extension.arrived();
    lab.client.shut_down();
    until(|| lab.statuses() == ["Stopped"], || format!("it waits for the extension: {:?}", lab.statuses()));
    extension.cut();
    lab.client.shut_down_within(MINUTE).unwrap();
    assert!(lab.emulator.requests().iter().all(|request| request.method != "PATCH"), "it is not tried again");
}

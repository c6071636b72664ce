//! The end of a client with watched sessions.

use crate::support::gate::At;
use crate::support::journal::until;
use crate::support::paced::Lab;
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{HOUR, SECOND};
use arr_client::{ClientConfig, ErrorKind, EventKind, KeepAlive, WatchOptions};
use arr_service::{Config, Fault};
use std::time::Duration;

in_both_versions![
    stop_on_shutdown_stops_the_session,
    dropping_a_client_stops_sessions_with_stop_on_shutdown,
    stop_on_shutdown_outlives_the_session_handle,
    queued_events_are_delivered_before_the_end,
    without_stop_on_shutdown_the_end_sends_nothing,
    a_failed_stop_on_shutdown_is_reported,
    a_stop_on_shutdown_without_a_reply_is_a_network_error,
    a_failed_second_stop_does_not_claim_that_the_session_runs,
    a_shutdown_that_timed_out_can_be_waited_for_again,
    an_extension_in_flight_does_not_delay_the_end,
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

fn stop_on_shutdown_stops_the_session(wire: &Wire) {
    let lab = Lab::with_startup(wire, 5 * SECOND);
    let sessions = [lab.create(HOUR), lab.create(HOUR), lab.create(HOUR), lab.create(HOUR)];
    sessions[0].watch(promised(true), 0).unwrap();
    sessions[1].watch(promised(false), 0).unwrap();
    // Later options replace earlier ones.
    sessions[2].watch(promised(false), 0).unwrap();
    sessions[2].watch(promised(true), 0).unwrap();
    lab.clock.pass(MINUTE);
    lab.requests();
    lab.client.shut_down_within(MINUTE).unwrap();
    assert_eq!(lab.statuses(), ["Stopped", "Ready", "Stopped", "Ready"]);
    assert_eq!(lab.requests(), [wire.stop, wire.stop]);
    lab.client.shut_down_within(MINUTE).unwrap();
    assert!(lab.requests().is_empty(), "it is stopped only once");
}

fn dropping_a_client_stops_sessions_with_stop_on_shutdown(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let sessions = [lab.ready(HOUR), lab.ready(HOUR)];
    sessions[0].watch(promised(true), 0).unwrap();
    sessions[1].watch(promised(false), 0).unwrap();
    let Lab { emulator, client, .. } = lab;
    drop(client);
    let begun = std::time::Instant::now();
    while emulator.sessions()[0].status.as_str() != "Stopped" {
        assert!(begun.elapsed() < MINUTE, "it should be stopped without a wait");
        std::thread::yield_now();
    }
    assert_eq!(emulator.sessions()[1].status.as_str(), "Ready");
    drop(sessions);
}

/// As in an application's cleanup: the client is freed first, and its sessions right after it.
fn stop_on_shutdown_outlives_the_session_handle(wire: &Wire) {
    for _ in 0..20 {
        let lab = Lab::with_startup(wire, Duration::ZERO);
        let session = lab.ready(HOUR);
        session.watch(promised(true), 0).unwrap();
        let Lab { emulator, client, .. } = lab;
        drop(client);
        drop(session);
        let begun = std::time::Instant::now();
        while emulator.sessions()[0].status.as_str() != "Stopped" {
            assert!(begun.elapsed() < MINUTE, "it should be stopped");
            std::thread::yield_now();
        }
    }
}

fn queued_events_are_delivered_before_the_end(wire: &Wire) {
    let lab = Lab::with_startup(wire, 5 * SECOND);
    let (one, two) = (lab.create(HOUR), lab.create(HOUR));
    one.watch(promised(true), 1).unwrap();
    two.watch(promised(false), 2).unwrap();
    lab.clock.pass(10 * SECOND);
    let list = lab.client.list_sessions().label(3).start().unwrap();
    lab.clock.settle();
    lab.client.shut_down_within(MINUTE).unwrap();
    let mut reported = Vec::new();
    let end = loop {
        match lab.client.next_event(MINUTE) {
            Ok(event) => reported.extend(event.map(|event| (event.label.user_data, event.kind))),
            Err(error) => break error,
        }
    };
    reported.sort_by_key(|(label, _)| *label);
    let status = EventKind::StatusChanged;
    assert_eq!(reported, [(1, status), (2, status), (3, EventKind::OperationEnded)]);
    assert_eq!(end.kind(), ErrorKind::ShutDown);
    drop(list);
}

fn without_stop_on_shutdown_the_end_sends_nothing(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(promised(true), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(2 * HOUR))).unwrap();
    lab.clock.settle();
    session.stop().run().unwrap();
    lab.clock.settle();
    lab.requests();
    lab.client.shut_down_within(MINUTE).unwrap();
    assert!(lab.requests().is_empty(), "it has already ended");
    assert_eq!(session.watch(promised(true), 0).unwrap_err().kind(), ErrorKind::ShutDown);
    assert_eq!(lab.client.resume().unwrap_err().kind(), ErrorKind::ShutDown);
    assert_eq!(lab.client.suspend(SECOND).unwrap_err().kind(), ErrorKind::ShutDown);
}

fn a_failed_stop_on_shutdown_is_reported(wire: &Wire) {
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

fn a_stop_on_shutdown_without_a_reply_is_a_network_error(wire: &Wire) {
    // The test waits this long once. It must also suffice to create the session on a busy machine.
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

fn a_failed_second_stop_does_not_claim_that_the_session_runs(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.stop().run().unwrap();
    lab.emulator.add_faults([stop(wire).status(403)]).unwrap();
    let error = session.stop().run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(!error.message().contains("may still be running"), "{error}");
}

fn a_shutdown_that_timed_out_can_be_waited_for_again(wire: &'static Wire) {
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

fn an_extension_in_flight_does_not_delay_the_end(wire: &'static Wire) {
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
    assert!(lab.emulator.requests().iter().all(|request| request.method != "PATCH"), "it is not retried");
}

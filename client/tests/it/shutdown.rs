//! The end of a client: what is completed, what is cancelled, and what is reported.
use crate::support::barrier::Barrier;
use crate::support::scripted::{Act, Scripted};
use crate::support::started::{LONG, ended, eventually};
use crate::support::threads;
use crate::support::wire::{Asked, Wire, in_both_versions, in_both_versions_in_own_processes};
use crate::support::{HOUR, SECOND, World, an_hour};
use arr_client::{
    Client, ClientConfig, ErrorKind, EventKind, Lease, OperationState, StartedOperation, StopScope, WatchOptions,
    shut_down_all,
};
use arr_service::SessionStatus as Emulated;
use std::time::{Duration, Instant};

in_both_versions![
    a_stop_that_fails_at_the_end_is_reported,
    a_second_shutdown_waits_for_a_slow_stop,
    queued_events_are_delivered_before_the_end,
    waits_for_events_and_operations_end_with_the_client,
];

// They count threads, or end all clients.
in_both_versions_in_own_processes![
    at_the_end_stops_finish_and_everything_else_is_cancelled,
    stop_on_shutdown_works_without_waiting_for_the_end,
    after_the_end_nothing_can_be_started,
    dropping_a_client_does_not_wait,
    all_clients_end_together_and_new_ones_can_be_created,
    ending_all_clients_reports_a_failed_stop_once,
    a_failed_stop_is_reported_although_another_client_has_not_ended,
    operations_started_during_the_end_are_refused_or_complete,
];

/// A server that answers requests of this kind once the barrier is open, and all others at once.
fn holding(wire: &'static Wire, held: Asked) -> (Barrier, Scripted) {
    let barrier = Barrier::default();
    let before = barrier.clone();
    let server = Scripted::by(move |line| {
        if wire.act_of(line) == held && !line.ends_with("/token") {
            before.pass();
        }
        Act::Answer(wire.good(line))
    });
    (barrier, server)
}

fn is_seen(server: &Scripted, line: &str) {
    eventually("it is in flight", || server.seen().iter().any(|seen| seen == line));
}

/// The remaining events of a client that has ended.
fn remaining_events(client: &Client) -> Vec<(EventKind, u64)> {
    let events = std::iter::from_fn(|| match client.next_event(Duration::ZERO) {
        Ok(event) => event,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::ShutDown);
            None
        }
    });
    events.map(|event| (event.kind, event.label.user_data)).collect()
}

fn at_the_end_stops_finish_and_everything_else_is_cancelled(wire: &'static Wire) {
    let (barrier, server) = holding(wire, Asked::Stop);
    let client = server.client(ClientConfig { poll_interval: Some(HOUR), ..wire.config() });
    let session = client.create_session(&an_hour()).run().unwrap();
    let stop = session.stop().label(1).start().unwrap();
    let dropped = session.stop().label(2).start().unwrap();
    let all = client.stop_all(StopScope::Own).label(3).start().unwrap();
    let other = client.create_session(&an_hour()).run().unwrap();
    let waiting = other.wait_until_ready().timeout(HOUR).label(4).start().unwrap();
    drop(dropped);
    eventually("all stops are in flight", || server.seen().iter().filter(|seen| *seen == wire.stop).count() == 3);
    client.shut_down();
    let waited = waiting.wait(LONG);
    // The scripted service of v1 has one id for both sessions, so the stop causes a read of the other one, which may
    // find it ready.
    assert!(waited == OperationState::Cancelled || wire.is_v1() && waited == OperationState::Succeeded, "{waited:?}");
    assert_eq!([stop.state(), all.state()], [OperationState::Running; 2]);
    assert_eq!(client.shut_down_within(Duration::ZERO).unwrap_err().kind(), ErrorKind::Timeout);
    barrier.open();
    client.shut_down_within(LONG).unwrap();
    ended(&stop).unwrap();
    assert_eq!(ended(&all).unwrap().stopped, 1);
    let mut events = remaining_events(&client);
    events.sort_by_key(|(_, label)| *label);
    assert_eq!(events, [1, 3, 4].map(|label| (EventKind::OperationEnded, label)));
    threads::wait_until_gone(LONG);
}

fn a_stop_that_fails_at_the_end_is_reported(wire: &'static Wire) {
    let server = Scripted::by(move |line| match wire.act_of(line) {
        Asked::Stop => Act::Close,
        _ => Act::Answer(wire.good(line)),
    });
    let client = server.client(ClientConfig { max_retries: 0, ..wire.config() });
    let session = client.create_session(&an_hour()).run().unwrap();
    session.watch(WatchOptions::default().stop_on_shutdown(true), 0).unwrap();
    assert_eq!(client.shut_down_within(LONG).unwrap_err().kind(), ErrorKind::Network);
}

fn a_second_shutdown_waits_for_a_slow_stop(wire: &'static Wire) {
    let (barrier, server) = holding(wire, Asked::Stop);
    let client = server.client(wire.config());
    let session = client.create_session(&an_hour()).run().unwrap();
    let stop = session.stop().label(1).start().unwrap();
    is_seen(&server, wire.stop);
    assert_eq!(client.shut_down_within(SECOND / 10).unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(stop.state(), OperationState::Running);
    barrier.open();
    client.shut_down_within(LONG).unwrap();
    assert_eq!(stop.state(), OperationState::Succeeded);
}

fn stop_on_shutdown_works_without_waiting_for_the_end(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let [promised, left] = [true, false].map(|stop_on_shutdown| {
        let session = world.client.create_session(&an_hour()).run().unwrap();
        session.watch(WatchOptions::default().stop_on_shutdown(stop_on_shutdown), 0).unwrap();
        session
    });
    let World { emulator, client, .. } = world;
    drop(client);
    eventually("it is stopped", || emulator.sessions()[0].status == Emulated::Stopped);
    threads::wait_until_gone(LONG);
    assert_eq!(emulator.sessions()[1].status, Emulated::Ready);
    drop((promised, left));
}

fn queued_events_are_delivered_before_the_end(wire: &'static Wire) {
    let (barrier, server) = holding(wire, Asked::Read);
    let client = server.client(wire.config());
    let session = client.create_session(&an_hour()).run().unwrap();
    let done: Vec<StartedOperation<_>> =
        (0..3).map(|number| client.list_sessions().label(number).start().unwrap()).collect();
    done.iter().for_each(|operation| drop(ended(operation).unwrap()));
    let cancelled = session.properties().label(3).start().unwrap();
    client.shut_down();
    assert_eq!(cancelled.wait(LONG), OperationState::Cancelled);
    let labels: Vec<u64> = (0..4).map(|_| client.next_event(LONG).unwrap().unwrap().label.user_data).collect();
    assert_eq!(labels, [0, 1, 2, 3]);
    assert_eq!(client.next_event(LONG).unwrap_err().kind(), ErrorKind::ShutDown);
    assert_eq!(client.next_event(Duration::ZERO).unwrap_err().kind(), ErrorKind::ShutDown);
    barrier.open();
}

fn waits_for_events_and_operations_end_with_the_client(wire: &'static Wire) {
    let (barrier, server) = holding(wire, Asked::Read);
    let client = server.client(wire.config());
    let session = client.create_session(&an_hour()).run().unwrap();
    let operation = session.properties().label(1).start().unwrap();
    is_seen(&server, wire.properties);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| operation.wait(LONG));
        let pulling = scope.spawn(|| {
            let events = std::iter::from_fn(|| client.next_event(LONG).ok().flatten());
            events.map(|event| event.error).collect::<Vec<_>>()
        });
        client.shut_down();
        assert_eq!(waiting.join().unwrap(), OperationState::Cancelled);
        assert_eq!(pulling.join().unwrap(), [Some(ErrorKind::Cancelled)]);
    });
    barrier.open();
}

fn after_the_end_nothing_can_be_started(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let client = &world.client;
    let session = client.create_session(&an_hour()).run().unwrap();
    world.requests();
    client.shut_down_within(LONG).unwrap();
    let refused = [
        client.access_token().start().err(),
        client.create_session(&an_hour()).start().err(),
        client.open_session(session.id()).start().err(),
        client.list_sessions().start().err(),
        client.stop_all(StopScope::Own).start().err(),
        session.properties().start().err(),
        session.update_lease(Lease::new(2 * HOUR).unwrap()).start().err(),
        session.wait_until_ready().timeout(HOUR).start().err(),
        session.stop().start().err(),
    ];
    for error in refused {
        assert_eq!(error.unwrap().kind(), ErrorKind::ShutDown);
    }
    assert!(world.requests().is_empty());
    threads::wait_until_gone(LONG);
}

fn dropping_a_client_does_not_wait(wire: &'static Wire) {
    let (barrier, server) = holding(wire, Asked::Read);
    let client = server.client(ClientConfig { attempt_timeout: 10 * LONG, ..wire.config() });
    let session = client.create_session(&an_hour()).run().unwrap();
    let operation = session.properties().label(1).start().unwrap();
    is_seen(&server, wire.properties);
    let begun = Instant::now();
    drop(client);
    let taken = begun.elapsed();
    println!("dropping a client took {taken:?}");
    assert!(taken < LONG, "the request is in flight all the time: {taken:?}");
    assert_eq!(operation.wait(LONG), OperationState::Cancelled);
    assert!(!threads::names().is_empty());
    barrier.open();
    threads::wait_until_gone(LONG);
    assert_eq!(session.properties().run().unwrap_err().kind(), ErrorKind::ShutDown);
}

fn all_clients_end_together_and_new_ones_can_be_created(wire: &'static Wire) {
    const MANY: u32 = 12;
    let held: Vec<_> =
        (0..MANY).map(|number| holding(wire, if number == 0 { Asked::Read } else { Asked::Stop })).collect();
    let config = || ClientConfig { attempt_timeout: LONG, ..wire.config() };
    let clients: Vec<Client> = held.iter().map(|(_, server)| server.client(config())).collect();
    let sessions: Vec<_> = clients.iter().map(|client| client.create_session(&an_hour()).run().unwrap()).collect();
    let read = sessions[0].properties().label(1).start().unwrap();
    let stops: Vec<_> = sessions[1..].iter().map(|session| session.stop().label(2).start().unwrap()).collect();
    is_seen(&held[0].1, wire.properties);
    held[1..].iter().for_each(|(_, server)| is_seen(server, wire.stop));
    let begun = Instant::now();
    assert_eq!(shut_down_all(SECOND / 2).unwrap_err().kind(), ErrorKind::Timeout);
    let taken = begun.elapsed();
    assert!(taken < MANY * (SECOND / 2), "they share the timeout, rather than each having its own: {taken:?}");
    assert_eq!(read.state(), OperationState::Cancelled);
    assert!(stops.iter().all(|stop| stop.state() == OperationState::Running));
    held.iter().for_each(|(barrier, _)| barrier.open());
    shut_down_all(LONG).unwrap();
    threads::wait_until_gone(LONG);
    assert!(stops.iter().all(|stop| stop.state() == OperationState::Succeeded));
    for client in &clients {
        assert_eq!(client.list_sessions().run().unwrap_err().kind(), ErrorKind::ShutDown);
    }
    let new = held[0].1.client(wire.config());
    ended(&new.list_sessions().label(3).start().unwrap()).unwrap();
    shut_down_all(LONG).unwrap();
    assert_eq!(new.list_sessions().run().unwrap_err().kind(), ErrorKind::ShutDown);
}

/// The call that times out because of one client must not lose the failure of another.
fn a_failed_stop_is_reported_although_another_client_has_not_ended(wire: &'static Wire) {
    let (barrier, slow) = holding(wire, Asked::Stop);
    let refusing = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    let refusing = Scripted::by(move |line| match wire.act_of(line) {
        Asked::Stop => Act::Answer(refusing.into()),
        _ => Act::Answer(wire.good(line)),
    });
    let config = || ClientConfig { attempt_timeout: LONG, ..wire.config() };
    let clients = [slow.client(config()), refusing.client(config())];
    let sessions = clients.each_ref().map(|client| client.create_session(&an_hour()).run().unwrap());
    for session in &sessions {
        session.watch(WatchOptions::default().stop_on_shutdown(true), 0).unwrap();
    }
    assert_eq!(shut_down_all(SECOND).unwrap_err().kind(), ErrorKind::Timeout);
    barrier.open();
    assert_eq!(shut_down_all(LONG).unwrap_err().kind(), ErrorKind::Forbidden);
    shut_down_all(LONG).unwrap();
}

/// Otherwise every play mode of an editor would end with the failure of the first.
fn ending_all_clients_reports_a_failed_stop_once(wire: &'static Wire) {
    let refusing = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    let server = Scripted::by(move |line| match wire.act_of(line) {
        Asked::Stop => Act::Answer(refusing.into()),
        _ => Act::Answer(wire.good(line)),
    });
    let client = server.client(wire.config());
    let session = client.create_session(&an_hour()).run().unwrap();
    session.watch(WatchOptions::default().stop_on_shutdown(true), 0).unwrap();
    assert_eq!(shut_down_all(LONG).unwrap_err().kind(), ErrorKind::Forbidden);
    shut_down_all(LONG).unwrap();
    drop((client, session));

    // The same if everything is dropped first, as destructors do.
    let client = server.client(wire.config());
    let session = client.create_session(&an_hour()).run().unwrap();
    session.watch(WatchOptions::default().stop_on_shutdown(true), 0).unwrap();
    drop((client, session));
    threads::wait_until_gone(LONG);
    assert_eq!(shut_down_all(LONG).unwrap_err().kind(), ErrorKind::Forbidden);
    shut_down_all(LONG).unwrap();
}

fn operations_started_during_the_end_are_refused_or_complete(wire: &'static Wire) {
    for _ in 0..50 {
        let server = Scripted::by(|line| Act::Answer(wire.good(line)));
        let client = server.client(wire.config());
        let started: Vec<StartedOperation<_>> = std::thread::scope(|scope| {
            let starting: Vec<_> = (0..4)
                .map(|_| {
                    let starts = || (0..1000).map_while(|_| client.list_sessions().label(0).start().ok());
                    scope.spawn(move || starts().collect::<Vec<_>>())
                })
                .collect();
            client.shut_down_within(LONG).unwrap();
            starting.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert!(started.iter().all(|operation| operation.wait(LONG) != OperationState::Running));
        threads::wait_until_gone(LONG);
    }
}

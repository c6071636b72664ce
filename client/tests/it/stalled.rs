//! Servers that never answer: other calls do not wait for them, and no thread is left behind.

use crate::support::barrier::Barrier;
use crate::support::scripted::{Act, Scripted};
use crate::support::started::{LONG, ended, ends, eventually, running};
use crate::support::threads;
use crate::support::wire::{self, Asked, Wire, in_both_versions, in_both_versions_in_own_processes};
use crate::support::{HOUR, SECOND, an_hour, config_for};
use arr_client::{AnyOperation, Client, ClientConfig, ErrorKind, Lease, OperationState, Session, SessionId};
use arr_service::{Config, Emulator, Fault};
use std::time::{Duration, Instant};

in_both_versions![
    a_cancel_takes_effect_at_once_although_the_request_continues,
    nothing_delays_a_stop_or_an_extension,
    a_stop_does_not_queue_behind_creates,
    cancelled_requests_make_room_for_others,
    a_queued_call_ends_at_its_own_deadline,
    a_create_that_times_out_in_the_queue_was_not_sent,
];

// They count threads.
in_both_versions_in_own_processes![
    a_shutdown_keeps_its_timeout_and_ends_with_the_requests,
    a_thousand_waiting_operations_need_no_thread,
    a_dropped_clients_threads_end_within_the_attempt_timeout,
];

/// Longer than any test waits: a call that ends earlier has not waited for a request that hangs.
const ATTEMPT: Duration = Duration::from_secs(10 * 60);

/// A server that never answers reads, and answers all other requests at once.
fn silent_to_reads(wire: &'static Wire) -> Scripted {
    Scripted::by(move |line| match wire.act_of(line) {
        Asked::Read => Act::Silence,
        _ => Act::Answer(wire.good(line)),
    })
}

/// A server whose reads hang until the barrier is opened: it sends nothing, or its reply drips.
fn holding_up_reads(wire: &'static Wire, drips: bool, barrier: &Barrier) -> Scripted {
    let opened = barrier.clone();
    Scripted::by(move |line| match wire.act_of(line) {
        Asked::Read if drips => {
            Act::DripUntil("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n".into(), opened.clone())
        }
        Asked::Read => {
            opened.pass();
            Act::Close
        }
        _ => Act::Answer(wire.good(line)),
    })
}

fn client(server: &Scripted, wire: &Wire) -> Client {
    server.client(config(wire))
}

fn config(wire: &Wire) -> ClientConfig {
    ClientConfig { attempt_timeout: ATTEMPT, call_timeout: ATTEMPT, max_retries: 0, ..wire.config() }
}

/// Reads of this many sessions, which hang; only eight are in flight at a time.
fn reads(client: &Client, count: usize) -> Vec<Box<dyn AnyOperation>> {
    let read = |number| {
        let id = SessionId::parse(&format!("held-up-{number}")).unwrap();
        running(client.open_session(&id).timeout(HOUR))
    };
    (0..count).map(read).collect()
}

/// The number of reads that the server has received.
fn on_the_wire(server: &Scripted, wire: &Wire) -> usize {
    let requests = server.requests();
    let reads = requests.iter().filter(|seen| !seen.line.ends_with("/token") && wire.act_of(&seen.line) == Asked::Read);
    reads.count()
}

fn all_workers_are_busy(server: &Scripted, wire: &Wire) {
    eventually("all workers are busy", || on_the_wire(server, wire) >= 8);
}

fn a_cancel_takes_effect_at_once_although_the_request_continues(wire: &'static Wire) {
    for drips in [false, true] {
        let barrier = Barrier::default();
        let server = holding_up_reads(wire, drips, &barrier);
        let client = client(&server, wire);
        let operations = reads(&client, 21);
        all_workers_are_busy(&server, wire);
        for operation in &operations {
            std::thread::scope(|scope| {
                let waiting = scope.spawn(|| operation.wait(LONG));
                operation.cancel();
                assert_eq!(operation.state(), OperationState::Cancelled, "the cancel takes effect at once");
                assert_eq!(waiting.join().unwrap(), OperationState::Cancelled);
            });
        }
        barrier.open();
    }
}

fn a_shutdown_keeps_its_timeout_and_ends_with_the_requests(wire: &'static Wire) {
    for drips in [false, true] {
        let barrier = Barrier::default();
        let server = holding_up_reads(wire, drips, &barrier);
        let client = client(&server, wire);
        let operations = reads(&client, 10);
        all_workers_are_busy(&server, wire);
        let begun = Instant::now();
        let error = client.shut_down_within(SECOND / 2).unwrap_err();
        let waited = begun.elapsed();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(waited >= SECOND / 2 && waited < LONG, "{waited:?}");
        assert!(operations.iter().all(|operation| operation.state() == OperationState::Cancelled));
        assert!(!threads::names().is_empty());
        barrier.open();
        client.shut_down_within(LONG).unwrap();
        threads::wait_until_gone(LONG);
    }
}

fn nothing_delays_a_stop_or_an_extension(wire: &'static Wire) {
    let server = silent_to_reads(wire);
    let client = client(&server, wire);
    let session = client.create_session(&an_hour()).run().unwrap();
    let held = reads(&client, 30);
    all_workers_are_busy(&server, wire);
    for hours in 2..5 {
        let lease = Lease::new(HOUR * hours).unwrap();
        ended(&session.update_lease(lease).label(0).start().unwrap()).unwrap();
    }
    stop(&session);
    for (round, eight) in held[..24].chunks(8).enumerate() {
        eventually("eight more are in flight", || on_the_wire(&server, wire) == 8 * (round + 1));
        eight.iter().for_each(|operation| operation.cancel());
    }
    // With 24 in flight that no caller waits for.
    stop(&session);
    assert!(held[24..].iter().all(|read| read.state() == OperationState::Running));
}

fn stop(session: &Session) {
    ended(&session.stop().label(0).start().unwrap()).unwrap();
}

fn a_stop_does_not_queue_behind_creates(wire: &'static Wire) {
    const CREATES: usize = 40;
    let barrier = Barrier::default();
    let opened = barrier.clone();
    let server = Scripted::by(move |line| match wire.act_of(line) {
        Asked::Create => {
            opened.pass();
            Act::Close
        }
        _ => Act::Answer(wire.good(line)),
    });
    let client = client(&server, wire);
    let session = client.open_session(&SessionId::parse(wire::ID).unwrap()).run().unwrap();
    std::thread::scope(|scope| {
        let creates: Vec<_> =
            (0..CREATES).map(|_| scope.spawn(|| client.create_session(&an_hour()).run().unwrap_err())).collect();
        let sent = || server.seen().iter().filter(|line| *line == wire.create).count();
        eventually("all creates are in flight", || sent() == CREATES);
        stop(&session);
        assert!(creates.iter().all(|create| !create.is_finished()));
        barrier.open();
    });
}

fn cancelled_requests_make_room_for_others(wire: &'static Wire) {
    let waits: fn(&Client) -> Vec<Box<dyn AnyOperation>> = |client| {
        let wait = |_| {
            let session = client.create_session(&an_hour()).run().unwrap();
            running(session.wait_until_ready().timeout(HOUR))
        };
        (0..8).map(wait).collect()
    };
    let reads: fn(&Client) -> Vec<Box<dyn AnyOperation>> = |client| reads(client, 8);
    // The scripted service of v1 has one session.
    let all = if wire.is_v1() { &[reads][..] } else { &[reads, waits] };
    for hold_up in all {
        let server = silent_to_reads(wire);
        let client = server.client(ClientConfig { poll_interval: Some(SECOND / 1000), ..config(wire) });
        let operations = hold_up(&client);
        all_workers_are_busy(&server, wire);
        let list = client.list_sessions().label(0).start().unwrap();
        assert_eq!(list.wait(SECOND / 20), OperationState::Running);
        operations.iter().for_each(|operation| operation.cancel());
        ended(&list).expect("it does not wait for the cancelled ones");
    }
}

fn a_queued_call_ends_at_its_own_deadline(wire: &'static Wire) {
    let server = silent_to_reads(wire);
    let client = client(&server, wire);
    let _held = reads(&client, 8);
    all_workers_are_busy(&server, wire);
    let time = Duration::from_millis(300);
    let begun = Instant::now();
    let list = client.list_sessions().timeout(time).label(0).start().unwrap();
    assert_eq!(ended(&list).unwrap_err().kind(), ErrorKind::Timeout);
    let taken = begun.elapsed();
    assert!(taken >= time, "{taken:?}");
    assert!(!server.seen().contains(&wire.list.to_owned()));
}

fn a_create_that_times_out_in_the_queue_was_not_sent(wire: &'static Wire) {
    let server = silent_to_reads(wire);
    let client = client(&server, wire);
    let _held = reads(&client, 8);
    all_workers_are_busy(&server, wire);
    let create = client.create_session(&an_hour()).timeout(Duration::from_millis(300)).label(7).start().unwrap();
    let error = ended(&create).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(!error.is_outcome_unknown() && error.is_retryable(), "{error}");
    assert_eq!(ends(&client), [7], "and nothing else is reported");
    client.shut_down();
    assert!(!server.seen().contains(&wire.create.to_owned()));
}

fn a_thousand_waiting_operations_need_no_thread(wire: &'static Wire) {
    let emulator = Emulator::start(Config { startup: HOUR, ..Config::default() }).unwrap();
    let config =
        ClientConfig { poll_interval: Some(HOUR), retry_delay: Some(HOUR), call_timeout: 10 * HOUR, ..wire.config() };
    let client = Client::new(config_for(&emulator, config)).unwrap();
    let sessions: Vec<Session> = (0..334).map(|_| client.create_session(&an_hour()).run().unwrap()).collect();
    let waits = sessions.iter().map(|session| running(session.wait_until_ready().timeout(2 * HOUR)));
    let (failing, pausing) = sessions.split_at(167);
    let fail = |sessions: &[Session], fault: Fault| -> Vec<Box<dyn AnyOperation>> {
        emulator.clear_requests();
        emulator.add_faults([fault.times(sessions.len() as u32)]).unwrap();
        let reads = || sessions.iter().map(|session| running(session.properties())).collect();
        let reads: Vec<_> = reads();
        eventually("all have failed", || {
            emulator.requests().iter().filter(|request| request.status == 503).count() == sessions.len()
        });
        reads
    };
    let backing_off = fail(failing, Fault::on("GET", "**").status(503));
    let pausing_calls = fail(pausing, Fault::on("GET", "**").status(503).header("Retry-After", "300"));
    let silenced = Fault::on("GET", "**").always().status(429).header("Retry-After", "300");
    emulator.add_faults([silenced]).unwrap();
    let lists = (0..332).map(|number| running(client.open_session(sessions[number].id())));
    let waiting: Vec<Box<dyn AnyOperation>> = waits.chain(backing_off).chain(pausing_calls).chain(lists).collect();
    assert_eq!(waiting.len(), 1000);
    // Idle workers stay for two seconds. Then only the driver and the HTTP library's thread are left.
    let taken = threads::wait_until(LONG, |names| names.len() <= 2);
    println!("after {taken:?} 1000 operations are waiting, with these threads: {:?}", threads::names());
    assert!(waiting.iter().all(|operation| operation.state() == OperationState::Running));
    let begun = Instant::now();
    client.shut_down_within(LONG).unwrap();
    println!("ending them took {:?}", begun.elapsed());
    assert!(waiting.iter().all(|operation| operation.state() == OperationState::Cancelled));
    threads::wait_until_gone(LONG);
}

fn a_dropped_clients_threads_end_within_the_attempt_timeout(wire: &'static Wire) {
    let server = silent_to_reads(wire);
    let client = server.client(ClientConfig { attempt_timeout: 5 * SECOND, ..config(wire) });
    let operations = reads(&client, 10);
    all_workers_are_busy(&server, wire);
    drop((operations, client));
    assert!(!threads::names().is_empty(), "dropping a client does not wait for requests in flight");
    let taken = threads::wait_until_gone(LONG);
    println!("the threads of a dropped client were gone after {taken:?}");
}

//! A process that is stopped during a call, for example by a debugger, for longer than the call's timeout.

use crate::support::HOUR;
use crate::support::gate::{At, Gate, Held};
use crate::support::journal::{Folder, alive};
use crate::support::process::Process;
use crate::support::wire::{Asked, Wire, in_both_versions};
use arr_service::{Config, Emulator, SessionStatus};
use std::thread::sleep;
use std::time::Duration;

in_both_versions![
    a_reply_that_arrives_during_a_freeze_is_not_lost,
    a_reply_that_arrives_during_a_second_freeze_is_not_lost,
    a_wait_reads_once_more_after_a_freeze,
    a_shutdown_finishes_after_a_freeze,
    a_token_is_fetched_once_more_after_a_freeze,
    the_sessions_listed_during_a_freeze_are_stopped,
];

/// The timeout of a call. The steps before the freeze take far less, because the process is prepared, and the freeze
/// takes longer.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The freeze. It exceeds the timeout by so much that the call gets the longest extra time.
const FREEZE: Duration = TIMEOUT.saturating_add(Duration::from_secs(2));

fn a_reply_that_arrives_during_a_freeze_is_not_lost(wire: &'static Wire) {
    let emulator = Emulator::start(Config::default()).unwrap();
    let folder = Folder::new();
    let ask = |order: &str, asked: Asked, said: &str| {
        let gate = Gate::to(emulator.url());
        let mut process = Process::start(wire, &gate.url, &folder.0, TIMEOUT);
        process.prepare();
        let reply = gate.hold(wire, asked, At::Reply);
        freeze(&mut process, order, &reply, said);
    };
    std::thread::scope(|scope| {
        scope.spawn(|| ask("create", Asked::Create, "created"));
        scope.spawn(|| ask("create in the background", Asked::Create, "created"));
        scope.spawn(|| ask("read", Asked::Read, "done"));
    });
    // Those of the other client, which prepared each process, have no record.
    assert_eq!((folder.states(), alive(&emulator).len()), (vec!["created".to_owned(); 2], 3 + 2));
}

/// As when a debugger stops, continues for a moment, and stops again.
fn a_reply_that_arrives_during_a_second_freeze_is_not_lost(wire: &'static Wire) {
    let emulator = Emulator::start(Config::default()).unwrap();
    let folder = Folder::new();
    let freeze_twice = |order: &str| {
        let gate = Gate::to(emulator.url());
        let mut process = Process::start(wire, &gate.url, &folder.0, TIMEOUT);
        process.prepare();
        let creates = || gate.passed().iter().filter(|line| *line == wire.create).count();
        let before = creates();
        let reply = gate.hold(wire, Asked::Create, At::Reply);
        process.send(order);
        reply.arrived();
        process.freeze();
        sleep(2 * TIMEOUT);
        process.thaw();
        sleep(TIMEOUT / 4);
        process.freeze();
        reply.let_go();
        sleep(FREEZE);
        process.thaw();
        process.receive("created");
        // With 2021-01-01 a second request would have the same result.
        assert_eq!(creates() - before, 1);
    };
    std::thread::scope(|scope| {
        scope.spawn(|| freeze_twice("create"));
        scope.spawn(|| freeze_twice("create in the background"));
    });
    assert_eq!((folder.states(), alive(&emulator).len()), (vec!["created".to_owned(); 2], 2 + 2));
}

/// The session becomes ready, and the wait's time runs out, during the freeze.
fn a_wait_reads_once_more_after_a_freeze(wire: &'static Wire) {
    let emulator = Emulator::start(Config { startup: HOUR, ..Config::default() }).unwrap();
    let folder = Folder::new();
    let freeze = |order: &str, let_go: [bool; 2]| {
        let gate = Gate::to(emulator.url());
        let mut process = Process::start(wire, &gate.url, &folder.0, TIMEOUT);
        let id = process.prepare();
        let starting = gate.hold(wire, Asked::Read, At::Reply);
        process.send(order);
        starting.arrived();
        if let_go[0] {
            starting.let_go();
        }
        process.freeze();
        if let_go[1] {
            starting.let_go();
        }
        emulator.set_session_status(id.as_str(), SessionStatus::Ready, None).unwrap();
        sleep(FREEZE);
        process.thaw();
        process.receive("done");
    };
    // The earlier read may complete before or during the freeze, or time out.
    std::thread::scope(|scope| {
        for let_go in [[true, false], [false, true], [false, false]] {
            for order in ["wait", "wait in the background"] {
                scope.spawn(move || freeze(order, let_go));
            }
        }
    });
}

/// Stops the process after its call has sent a request, and continues it after the call's timeout.
fn freeze(process: &mut Process, order: &str, reply: &Held, said: &str) {
    process.send(order);
    reply.arrived();
    process.freeze();
    reply.let_go();
    sleep(FREEZE);
    process.thaw();
    process.receive(said);
}

fn a_token_is_fetched_once_more_after_a_freeze(wire: &'static Wire) {
    let (emulator, folder) = (Emulator::start(Config::default()).unwrap(), Folder::new());
    let gate = Gate::to(emulator.url());
    let mut process = Process::start(wire, &gate.url, &folder.0, TIMEOUT);
    let reply = gate.hold_token(wire, At::Reply);
    freeze(&mut process, "get a token", &reply, "done");
}

/// The time for the stops runs out while the sessions are listed.
fn the_sessions_listed_during_a_freeze_are_stopped(wire: &'static Wire) {
    let (emulator, folder) = (Emulator::start(Config::default()).unwrap(), Folder::new());
    let gate = Gate::to(emulator.url());
    let mut process = Process::start(wire, &gate.url, &folder.0, TIMEOUT);
    process.prepare();
    let reply = gate.hold(wire, Asked::List, At::Reply);
    freeze(&mut process, "stop all", &reply, "done");
    assert!(alive(&emulator).is_empty());
}

/// The stop that the session's watch has promised is on its way when the process is stopped.
fn a_shutdown_finishes_after_a_freeze(wire: &'static Wire) {
    let emulator = Emulator::start(Config::default()).unwrap();
    let folder = Folder::new();
    let end = |order: &str| {
        let gate = Gate::to(emulator.url());
        let mut process = Process::start(wire, &gate.url, &folder.0, TIMEOUT);
        process.prepare();
        let reply = gate.hold(wire, Asked::Stop, At::Reply);
        freeze(&mut process, order, &reply, "done");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| end("end"));
        scope.spawn(|| end("end all"));
    });
    assert!(alive(&emulator).is_empty());
}

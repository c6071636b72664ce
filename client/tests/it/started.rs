//! Operations that are started: what they bring, how they end, and what becomes of those that nobody waits for.

use crate::support::barrier::Barrier;
use crate::support::gate::At;
use crate::support::journal::{Folder, JournalWorld};
use crate::support::scripted::{Act, Scripted};
use crate::support::started::{LONG, ended, ends, events, eventually};
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, World, an_hour};
use arr_client::{
    Client, ErrorKind, EventKind, Label, Lease, OperationState, Outcome, Result, Resume, Session, SessionId,
    SessionProperties, StartedOperation, StopScope,
};
use arr_service::{Config, Fault, SessionStatus as Emulated, VirtualClock};
use std::time::Duration;

in_both_versions![
    what_is_started_brings_what_the_blocking_call_brings_and_an_event_with_its_label,
    an_operation_has_one_end_and_a_cancel_after_it_changes_nothing,
    a_cancelled_operation_has_ended_for_its_caller_and_its_answer_changes_nothing,
    who_waits_is_woken_by_the_end_and_by_a_cancel,
    a_dropped_operation_is_cancelled_and_tells_nothing_any_more,
    a_dropped_stop_goes_on,
    a_session_whose_id_comes_back_to_a_cancelled_create_is_stopped,
    a_create_that_is_cancelled_while_its_id_is_noted_is_stopped,
    a_create_that_is_cancelled_shortly_before_its_time_is_over_is_stopped_all_the_same,
    a_create_that_is_cancelled_before_it_was_sent_is_never_sent,
    an_update_that_was_cancelled_on_the_wire_may_have_been_done,
];

fn hours(hours: u32) -> Lease {
    Lease::new(HOUR * hours).unwrap()
}

/// A server that stands at a barrier with every request that is for this, and answers all others at once.
fn gated(wire: &'static Wire, barrier: &Barrier, held: Asked) -> Scripted {
    let barrier = barrier.clone();
    Scripted::by(move |line| {
        if wire.act_of(line) == held {
            barrier.pass();
        }
        Act::Answer(wire.good(line))
    })
}

fn count(server: &Scripted, line: &str) -> usize {
    server.seen().iter().filter(|seen| *seen == line).count()
}

/// Makes every call of a client in one of its two forms.
struct Caller<'a> {
    world: &'a World,
    starts: bool,
    calls: u64,
    told: Vec<String>,
}

impl Caller<'_> {
    fn call(
        &mut self,
        blocking: impl FnOnce(&Client) -> Result<Outcome>,
        start: impl FnOnce(&Client, Label) -> Result<StartedOperation>,
    ) -> Result<Outcome> {
        let client = &self.world.client;
        self.calls += 1;
        let outcome = if self.starts {
            let operation = start(client, self.calls.into()).unwrap();
            let outcome = ended(&operation);
            assert_eq!(
                operation.state(),
                if outcome.is_ok() { OperationState::Succeeded } else { OperationState::Failed }
            );
            let events = events(client);
            assert_eq!(events.len(), 1, "{events:?}");
            assert_eq!((events[0].kind, events[0].label.user_data), (EventKind::OperationEnded, self.calls));
            assert_eq!(events[0].session.as_ref(), outcome.as_ref().ok().and_then(session_of));
            assert_eq!(events[0].error, outcome.as_ref().err().map(|error| error.kind()));
            outcome
        } else {
            blocking(client)
        };
        let told = outcome.as_ref().map_or_else(
            |error| format!("{:?} {:?} {}", error.kind(), error.http_status(), error.is_retryable()),
            described,
        );
        self.told.push(told);
        outcome
    }

    fn session(
        &mut self,
        blocking: impl FnOnce(&Client) -> Result<Outcome>,
        start: impl FnOnce(&Client, Label) -> Result<StartedOperation>,
    ) -> Session {
        match self.call(blocking, start) {
            Ok(Outcome::Session { session, .. }) => session,
            other => panic!("no session, but {other:?}"),
        }
    }
}

fn session_of(outcome: &Outcome) -> Option<&SessionId> {
    match outcome {
        Outcome::Session { session, .. } => Some(session.id()),
        Outcome::Properties(properties) => Some(&properties.id),
        _ => None,
    }
}

/// An outcome without what is different each time.
fn described(outcome: &Outcome) -> String {
    let known = |properties: &SessionProperties| {
        let SessionProperties { status, size, max_lease, elapsed, age, .. } = properties;
        format!("{status:?} {size:?} {max_lease:?} {elapsed:?} {age:?}")
    };
    match outcome {
        Outcome::Token(token) => format!("a token for {:?}", token.remaining),
        Outcome::Session { session, resumed } => format!("{} {resumed}", known(&session.known_properties())),
        Outcome::Properties(properties) => known(properties),
        Outcome::Sessions(listed) => {
            listed.iter().map(|it| format!("{} {};", known(&it.properties), it.known_to_client)).collect()
        }
        Outcome::Recovered(found) => format!("{} recovered", found.len()),
        other => format!("{other:?}"),
    }
}

/// What all calls bring, and the requests that were made for it.
fn a_life(wire: &Wire, starts: bool) -> (Vec<String>, Vec<String>) {
    let folder = Folder::new();
    let world = World::new(Config { startup: 25 * SECOND, ..Config::default() }, folder.config(wire));
    let mut caller = Caller { world: &world, starts, calls: 0, told: Vec::new() };
    let create = |client: &Client| {
        client.create_session(&an_hour(), None).map(|session| Outcome::Session { session, resumed: false })
    };
    let create_start = |client: &Client, label| client.create_session_start(&an_hour(), None, label);
    let open = |id: &SessionId, client: &Client| {
        client.open_session(id, None).map(|session| Outcome::Session { session, resumed: true })
    };
    let unknown = SessionId::parse("5f1e2a0c-0000-4000-8000-000000000000").unwrap();
    let resume = Resume::default;

    let token = |client: &Client| client.access_token(None).map(Outcome::Token);
    caller.call(token, |client, label| client.access_token_start(None, label)).unwrap();
    let session = caller.session(create, create_start);
    let wait = |_: &Client| session.wait_until_ready(HOUR).map(Outcome::Properties);
    caller.call(wait, |_, label| session.wait_until_ready_start(HOUR, label)).unwrap();
    let read = |_: &Client| session.properties(None).map(Outcome::Properties);
    caller.call(read, |_, label| session.properties_start(None, label)).unwrap();
    let opened = caller.session(
        |client| open(session.id(), client),
        |client, label| client.open_session_start(session.id(), None, label),
    );
    assert_eq!(opened.id(), session.id());
    let not_found =
        caller.call(|client| open(&unknown, client), |client, label| client.open_session_start(&unknown, None, label));
    assert_eq!(not_found.unwrap_err().kind(), ErrorKind::NotFound);
    let update = |_: &Client| session.update_lease(hours(2), None).map(Outcome::Properties);
    caller.call(update, |_, label| session.update_lease_start(hours(2), None, label)).unwrap();
    let shorten = |_: &Client| session.update_lease(hours(1), None).map(Outcome::Properties);
    let refused = caller.call(shorten, |_, label| session.update_lease_start(hours(1), None, label));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidArgument);
    let list = |client: &Client| client.list_sessions(None).map(Outcome::Sessions);
    caller.call(list, |client, label| client.list_sessions_start(None, label)).unwrap();
    let resumed = caller.session(
        |client| {
            let found = client.resume_or_create(&an_hour(), resume(), None);
            found.map(|(session, resumed)| Outcome::Session { session, resumed })
        },
        |client, label| client.resume_or_create_start(&an_hour(), resume(), None, label),
    );
    assert_eq!(resumed.id(), session.id());
    let recover = |client: &Client| client.recover_sessions(None).map(Outcome::Recovered);
    caller.call(recover, |client, label| client.recover_sessions_start(None, label)).unwrap();
    let stop = |_: &Client| session.stop(None).map(Outcome::Stopped);
    caller.call(stop, |_, label| session.stop_start(None, label)).unwrap();

    let failing = caller.session(create, create_start);
    caller.session(create, create_start);
    assert!(world.emulator.fail_session(failing.id().as_str(), "no server is free"));
    let wait = |_: &Client| failing.wait_until_ready(HOUR).map(Outcome::Properties);
    let failed = caller.call(wait, |_, label| failing.wait_until_ready_start(HOUR, label));
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::SessionFailed);
    for scope in [StopScope::Own, StopScope::Account] {
        let stop_all = |client: &Client| client.stop_all(scope, None).map(Outcome::StoppedAll);
        caller.call(stop_all, |client, label| client.stop_all_start(scope, None, label)).unwrap();
    }
    let told = std::mem::take(&mut caller.told);
    (told, world.requests())
}

fn what_is_started_brings_what_the_blocking_call_brings_and_an_event_with_its_label(wire: &Wire) {
    let (blocking, started) = (a_life(wire, false), a_life(wire, true));
    assert_eq!(started.0, blocking.0);
    assert_eq!(started.1, blocking.1, "and the same requests are made for it");
}

fn an_operation_has_one_end_and_a_cancel_after_it_changes_nothing(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour(), None).unwrap();
    let good = session.properties_start(None, 1.into()).unwrap();
    let first = ended(&good).unwrap();
    world.emulator.add_faults([Fault::on("*", "**").status(404)]).unwrap();
    let bad = session.properties_start(None, 2.into()).unwrap();
    assert_eq!(ended(&bad).unwrap_err().kind(), ErrorKind::NotFound);
    for operation in [&good, &bad] {
        operation.cancel();
    }
    assert_eq!((good.state(), bad.state()), (OperationState::Succeeded, OperationState::Failed));
    assert_eq!(described(&good.outcome().unwrap()), described(&first), "as often as one likes");
    assert_eq!(bad.outcome().unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(ends(&world.client), [1, 2], "each end is told once");
}

fn a_cancelled_operation_has_ended_for_its_caller_and_its_answer_changes_nothing(wire: &'static Wire) {
    let barrier = Barrier::default();
    let server = gated(wire, &barrier, Asked::Read);
    let client = server.client(wire.config());
    let session = client.create_session(&an_hour(), None).unwrap();
    let operation = session.properties_start(None, 7.into()).unwrap();
    assert_eq!(operation.wait(Duration::ZERO), OperationState::Running);
    assert_eq!(operation.outcome().unwrap_err().kind(), ErrorKind::Pending);
    assert!(ends(&client).is_empty());
    eventually("it is on the wire", || count(&server, wire.properties) == 1);
    operation.cancel();
    operation.cancel();
    assert_eq!(operation.wait(Duration::ZERO), OperationState::Cancelled);
    assert_eq!(operation.outcome().unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(ends(&client), [7]);
    barrier.open();
    ended(&session.properties_start(None, 8.into()).unwrap()).unwrap();
    assert_eq!(operation.state(), OperationState::Cancelled);
    assert!(ends(&client).is_empty(), "the later one was dropped, and the first was told");
    assert_eq!(count(&server, wire.properties), 2, "a cancelled read is not gone on with");
}

fn who_waits_is_woken_by_the_end_and_by_a_cancel(wire: &'static Wire) {
    let barrier = Barrier::default();
    let server = gated(wire, &barrier, Asked::Read);
    let client = server.client(wire.config());
    let session = client.create_session(&an_hour(), None).unwrap();
    let start = || session.properties_start(None, Label::default()).unwrap();
    let (cancelled, finished) = (start(), start());
    std::thread::scope(|scope| {
        let waiting = [&cancelled, &finished].map(|operation| scope.spawn(|| operation.wait(LONG)));
        cancelled.cancel();
        barrier.open();
        let states = waiting.map(|thread| thread.join().unwrap());
        assert_eq!(states, [OperationState::Cancelled, OperationState::Succeeded]);
    });
    assert!(client.next_event(LONG).unwrap().is_some(), "who waits for events is woken too");
}

fn a_dropped_operation_is_cancelled_and_tells_nothing_any_more(wire: &'static Wire) {
    let barrier = Barrier::default();
    let server = gated(wire, &barrier, Asked::Read);
    let client = server.client(wire.config());
    let session = client.create_session(&an_hour(), None).unwrap();
    let running = session.properties_start(None, 1.into()).unwrap();
    let over = client.list_sessions_start(None, 2.into()).unwrap();
    ended(&over).unwrap();
    drop((running, over));
    assert!(ends(&client).is_empty());
    barrier.open();
    ended(&client.list_sessions_start(None, 3.into()).unwrap()).unwrap();
    assert!(ends(&client).is_empty());
}

fn a_dropped_stop_goes_on(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour(), None).unwrap();
    drop(session.stop_start(None, 1.into()).unwrap());
    eventually("it is stopped", || world.emulator.sessions()[0].status == Emulated::Stopped);
    eventually("the client knows", || is_over(&session));
    assert!(ends(&world.client).is_empty());
}

fn is_over(session: &Session) -> bool {
    session.update_lease(hours(9), None).is_err_and(|error| error.kind() == ErrorKind::SessionEnded)
}

fn a_session_whose_id_comes_back_to_a_cancelled_create_is_stopped(wire: &'static Wire) {
    let world = JournalWorld::new(wire);
    let client = world.client_through_gate();
    let reply = world.gate.hold(wire, Asked::Create, At::Reply);
    let create = client.create_session_start(&an_hour(), None, 1.into()).unwrap();
    reply.arrived();
    create.cancel();
    assert_eq!(create.state(), OperationState::Cancelled);
    reply.let_go();
    world.over();
    assert_eq!(ends(&client), [1]);
}

fn a_create_that_is_cancelled_while_its_id_is_noted_is_stopped(wire: &'static Wire) {
    let world = JournalWorld::new(wire);
    let client = world.client_through_gate();
    let reply = world.gate.hold(wire, Asked::Create, At::Reply);
    let create = client.create_session_start(&an_hour(), None, 1.into()).unwrap();
    reply.arrived();
    let lock = world.folder.lock();
    reply.let_go();
    // Time for it to come to the operation, which then waits for the journal: nobody can see that.
    std::thread::sleep(Duration::from_millis(50));
    create.cancel();
    lock.unlock().unwrap();
    world.over();
}

fn a_create_that_is_cancelled_shortly_before_its_time_is_over_is_stopped_all_the_same(wire: &'static Wire) {
    let (clock, barrier) = (VirtualClock::new(), Barrier::default());
    let server = gated(wire, &barrier, Asked::Create);
    let client = server.client_on(&clock, wire.config());
    let time = 20 * SECOND;
    let create = client.create_session_start(&an_hour(), Some(time), 1.into()).unwrap();
    eventually("it is sent", || count(&server, wire.create) == 1);
    create.cancel();
    // What is left of it would be too little for a stop.
    clock.advance(time - SECOND / 1000);
    barrier.open();
    eventually("it is stopped", || count(&server, wire.stop) == 1);
    client.shut_down_within(LONG).unwrap();
    let told: Vec<EventKind> =
        std::iter::from_fn(|| client.next_event(Duration::ZERO).unwrap_or(None)).map(|event| event.kind).collect();
    assert_eq!(told, [EventKind::OperationEnded], "nothing is left running");
}

fn a_create_that_is_cancelled_before_it_was_sent_is_never_sent(wire: &'static Wire) {
    let barrier = Barrier::default();
    let server = gated(wire, &barrier, Asked::Read);
    let client = server.client(wire.config());
    let sessions: Vec<SessionId> = (0..8).map(|number| SessionId::parse(&format!("busy-{number}")).unwrap()).collect();
    let reads: Vec<_> = sessions.iter().map(|id| client.open_session_start(id, None, 1.into()).unwrap()).collect();
    eventually("all workers are busy", || server.seen().len() == 1 + reads.len());
    let create = client.create_session_start(&an_hour(), None, 2.into()).unwrap();
    create.cancel();
    // What comes to the driver later has an end only when the cancel has been dealt with.
    let list = client.list_sessions_start(Some(Duration::ZERO), 3.into()).unwrap();
    assert_eq!(ended(&list).unwrap_err().kind(), ErrorKind::Timeout);
    barrier.open();
    client.shut_down_within(LONG).unwrap();
    assert_eq!(count(&server, wire.create), 0);
    assert_eq!(count(&server, wire.stop), 0, "there is nothing to be put right");
}

fn an_update_that_was_cancelled_on_the_wire_may_have_been_done(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour(), None).unwrap();
    session.wait_until_ready(HOUR).unwrap();
    world.emulator.add_faults([Fault::on("PATCH", "**").executed(true).stall()]).unwrap();
    let update = session.update_lease_start(hours(2), None, 1.into()).unwrap();
    eventually("the service has done it", || world.emulator.sessions()[0].max_lease == 2 * HOUR);
    update.cancel();
    eventually("what was known does not count any more", || {
        session.cached_properties(None).unwrap().max_lease == Some(2 * HOUR)
    });
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour(), None).unwrap();
    session.wait_until_ready(HOUR).unwrap();
    world.emulator.add_faults([Fault::on("PATCH", "**").executed(true).stall()]).unwrap();
    let update = session.update_lease_start(hours(2), None, 1.into()).unwrap();
    eventually("the service has done it", || world.emulator.sessions()[0].max_lease == 2 * HOUR);
    update.cancel();
    ended(&world.client.list_sessions_start(None, 2.into()).unwrap()).unwrap();
    session.update_lease(hours(2), None).expect("the same again is no mistake");
}

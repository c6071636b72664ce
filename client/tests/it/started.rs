//! Started operations: their results, how they end, and what happens if no caller waits for them.

use crate::support::barrier::Barrier;
use crate::support::gate::At;
use crate::support::journal::{Folder, JournalWorld};
use crate::support::scripted::{Act, Scripted};
use crate::support::started::{LONG, ended, ends, events, eventually, running};
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, World, an_hour};
use arr_client::{
    AccessToken, AnyOperation, Call, Client, ErrorKind, EventKind, Lease, ListedSession, NewSession, OperationKind,
    OperationState, Recovered, Result, Reuse, Reused, Session, SessionId, SessionProperties, SessionSize, StopScope,
    Stopped, StoppedAll,
};
use arr_service::{Config, Fault, SessionStatus as Emulated, VirtualClock};
use std::time::Duration;

in_both_versions![
    started_calls_match_blocking_ones_and_post_a_labelled_event,
    an_event_names_the_call_and_the_session_whatever_the_outcome,
    an_operation_completes_once_and_a_later_cancel_changes_nothing,
    a_cancelled_operation_has_ended_and_its_reply_changes_nothing,
    a_wait_is_woken_by_completion_and_by_a_cancel,
    a_dropped_operation_is_cancelled_and_reports_nothing,
    a_dropped_stop_continues,
    a_cancelled_creates_session_is_stopped,
    a_create_cancelled_while_recording_its_id_is_stopped,
    a_create_cancelled_just_before_its_deadline_is_stopped,
    a_create_cancelled_before_it_was_sent_is_never_sent,
    a_cancelled_update_may_have_been_carried_out,
];

fn hours(hours: u32) -> Lease {
    Lease::new(HOUR * hours).unwrap()
}

/// A server that answers requests of this kind once the barrier is open, and all others at once.
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

/// Makes every call of a client, either blocking or started.
struct Caller<'a> {
    world: &'a World,
    starts: bool,
    calls: u64,
    results: Vec<String>,
}

impl Caller<'_> {
    fn call<T: Described + Clone + Send + Sync + 'static>(
        &mut self,
        call: impl FnOnce(&Client) -> Call<T>,
    ) -> Result<T> {
        let client = &self.world.client;
        self.calls += 1;
        let outcome = if self.starts {
            let operation = call(client).label(self.calls).start().unwrap();
            let outcome = ended(&operation);
            assert_eq!(
                operation.state(),
                if outcome.is_ok() { OperationState::Succeeded } else { OperationState::Failed }
            );
            let events = events(client);
            assert_eq!(events.len(), 1, "{events:?}");
            assert_eq!((events[0].kind, events[0].label.user_data), (EventKind::OperationEnded, self.calls));
            let session = outcome.as_ref().ok().and_then(Described::session_id);
            assert!(session.is_none() || events[0].session == session, "{events:?}");
            assert_eq!(events[0].error, outcome.as_ref().err().map(|error| error.kind()));
            outcome
        } else {
            call(client).run()
        };
        let result = outcome.as_ref().map_or_else(
            |error| format!("{:?} {:?} {}", error.kind(), error.http_status(), error.is_retryable()),
            Described::described,
        );
        self.results.push(result);
        outcome
    }
}

/// The result of a call.
trait Described {
    /// Its parts that are the same in each run.
    fn described(&self) -> String;

    /// The session concerned.
    fn session_id(&self) -> Option<SessionId> {
        None
    }
}

impl Described for SessionProperties {
    fn described(&self) -> String {
        let SessionProperties { status, size, max_lease, elapsed, age, .. } = self;
        format!("{status:?} {size:?} {max_lease:?} {elapsed:?} {age:?}")
    }

    fn session_id(&self) -> Option<SessionId> {
        Some(self.id.clone())
    }
}

impl Described for Session {
    fn described(&self) -> String {
        self.known_properties().described()
    }

    fn session_id(&self) -> Option<SessionId> {
        Some(self.id().clone())
    }
}

impl Described for Reused {
    fn described(&self) -> String {
        format!("{} {}", self.session.described(), self.reused)
    }

    fn session_id(&self) -> Option<SessionId> {
        self.session.session_id()
    }
}

impl Described for AccessToken {
    fn described(&self) -> String {
        format!("a token for {:?}", self.remaining)
    }
}

impl Described for Vec<ListedSession> {
    fn described(&self) -> String {
        self.iter().map(|it| format!("{} {};", it.properties.described(), it.known_to_client)).collect()
    }
}

impl Described for Vec<Recovered> {
    fn described(&self) -> String {
        format!("{} recovered", self.len())
    }
}

impl Described for Stopped {
    fn described(&self) -> String {
        format!("{self:?}")
    }
}

impl Described for StoppedAll {
    fn described(&self) -> String {
        format!("{self:?}")
    }
}

fn an_event_names_the_call_and_the_session_whatever_the_outcome(wire: &'static Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let client = &world.client;
    let session = client.create_session(&an_hour()).run().unwrap();
    let (id, unknown) = (session.id().clone(), SessionId::parse("5f1e2a0c-0000-4000-8000-000000000000").unwrap());
    let one = |operation: Box<dyn AnyOperation>, kind, about: Option<&SessionId>| {
        assert_ne!(operation.wait(LONG), OperationState::Running);
        assert_eq!(operation.kind(), kind);
        let events = events(client);
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!((events[0].operation, events[0].session.as_ref()), (Some(kind), about));
    };
    one(running(client.access_token()), OperationKind::GetToken, None);
    one(running(client.list_sessions()), OperationKind::ListSessions, None);
    one(running(client.stop_all(StopScope::Account)), OperationKind::StopAll, None);
    one(running(client.open_session(&unknown)), OperationKind::OpenSession, Some(&unknown));
    one(running(client.open_session(&id)), OperationKind::OpenSession, Some(&id));
    one(running(session.properties()), OperationKind::GetProperties, Some(&id));
    // The sessions have ended, so this fails.
    one(running(session.update_lease(hours(2))), OperationKind::UpdateLease, Some(&id));
    one(running(session.wait_until_ready()), OperationKind::WaitUntilReady, Some(&id));
    one(running(session.stop()), OperationKind::Stop, Some(&id));
    let reuse = Reuse::default().id(Some(id));
    let reused = client.reuse_or_create(&an_hour(), reuse).start().unwrap();
    let made = ended(&reused).unwrap().session;
    one(Box::new(reused), OperationKind::ReuseOrCreate, Some(made.id()));
    if !wire.is_v1() {
        // A given id is in the event, even if it is in use with other settings.
        let other = NewSession::new(SessionSize::Premium, hours(2)).with_id(made.id().clone());
        one(running(client.create_session(&other)), OperationKind::CreateSession, Some(made.id()));
    }
}

/// The results of all calls, and the requests that were sent for them.
fn a_life(wire: &Wire, starts: bool) -> (Vec<String>, Vec<String>) {
    let folder = Folder::new();
    let world = World::new(Config { startup: 25 * SECOND, ..Config::default() }, folder.config(wire));
    let mut caller = Caller { world: &world, starts, calls: 0, results: Vec::new() };
    let create = |client: &Client| client.create_session(&an_hour());
    let unknown = SessionId::parse("5f1e2a0c-0000-4000-8000-000000000000").unwrap();

    caller.call(|client| client.access_token()).unwrap();
    let session = caller.call(create).unwrap();
    caller.call(|_| session.wait_until_ready().timeout(HOUR)).unwrap();
    caller.call(|_| session.properties()).unwrap();
    let opened = caller.call(|client| client.open_session(session.id())).unwrap();
    assert_eq!(opened.id(), session.id());
    let not_found = caller.call(|client| client.open_session(&unknown));
    assert_eq!(not_found.unwrap_err().kind(), ErrorKind::NotFound);
    caller.call(|_| session.update_lease(hours(2))).unwrap();
    let refused = caller.call(|_| session.update_lease(hours(1)));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidArgument);
    caller.call(|client| client.list_sessions()).unwrap();
    let reused = caller.call(|client| client.reuse_or_create(&an_hour(), Reuse::default())).unwrap();
    assert_eq!((reused.session.id(), reused.reused), (session.id(), true));
    caller.call(|client| client.recover_sessions()).unwrap();
    caller.call(|_| session.stop()).unwrap();

    let failing = caller.call(create).unwrap();
    drop(caller.call(create).unwrap());
    assert!(world.emulator.fail_session(failing.id().as_str(), "no server is free"));
    let failed = caller.call(|_| failing.wait_until_ready().timeout(HOUR));
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::SessionFailed);
    for scope in [StopScope::Own, StopScope::Account] {
        caller.call(|client| client.stop_all(scope)).unwrap();
    }
    let results = std::mem::take(&mut caller.results);
    (results, world.requests())
}

fn started_calls_match_blocking_ones_and_post_a_labelled_event(wire: &Wire) {
    let (blocking, started) = (a_life(wire, false), a_life(wire, true));
    assert_eq!(started.0, blocking.0);
    assert_eq!(started.1, blocking.1, "by the same requests");
}

fn an_operation_completes_once_and_a_later_cancel_changes_nothing(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    let good = session.properties().label(1).start().unwrap();
    let first = ended(&good).unwrap();
    world.emulator.add_faults([Fault::on("*", "**").status(404).always()]).unwrap();
    let bad = session.properties().label(2).start().unwrap();
    assert_eq!(ended(&bad).unwrap_err().kind(), ErrorKind::NotFound);
    for operation in [&good, &bad] {
        operation.cancel();
    }
    assert_eq!((good.state(), bad.state()), (OperationState::Succeeded, OperationState::Failed));
    assert_eq!(good.outcome().unwrap().described(), first.described(), "an outcome can be taken repeatedly");
    assert_eq!(bad.outcome().unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(ends(&world.client), [1, 2], "each completion is reported once");
}

fn a_cancelled_operation_has_ended_and_its_reply_changes_nothing(wire: &'static Wire) {
    let barrier = Barrier::default();
    let server = gated(wire, &barrier, Asked::Read);
    let client = server.client(wire.config());
    let session = client.create_session(&an_hour()).run().unwrap();
    let operation = session.properties().label(7).start().unwrap();
    assert_eq!(operation.wait(Duration::ZERO), OperationState::Running);
    assert_eq!(operation.outcome().unwrap_err().kind(), ErrorKind::Pending);
    assert!(ends(&client).is_empty());
    eventually("it is in flight", || count(&server, wire.properties) == 1);
    operation.cancel();
    operation.cancel();
    assert_eq!(operation.wait(Duration::ZERO), OperationState::Cancelled);
    assert_eq!(operation.outcome().unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(ends(&client), [7]);
    barrier.open();
    ended(&session.properties().label(8).start().unwrap()).unwrap();
    assert_eq!(operation.state(), OperationState::Cancelled);
    assert!(ends(&client).is_empty(), "the second was dropped, and the first was already reported");
    assert_eq!(count(&server, wire.properties), 2, "a cancelled read is not continued");
}

fn a_wait_is_woken_by_completion_and_by_a_cancel(wire: &'static Wire) {
    let barrier = Barrier::default();
    let server = gated(wire, &barrier, Asked::Read);
    let client = server.client(wire.config());
    let session = client.create_session(&an_hour()).run().unwrap();
    let start = || session.properties().start().unwrap();
    let (cancelled, finished) = (start(), start());
    std::thread::scope(|scope| {
        let waiting = [&cancelled, &finished].map(|operation| scope.spawn(|| operation.wait(LONG)));
        cancelled.cancel();
        barrier.open();
        let states = waiting.map(|thread| thread.join().unwrap());
        assert_eq!(states, [OperationState::Cancelled, OperationState::Succeeded]);
    });
    assert!(client.next_event(LONG).unwrap().is_some(), "a wait for events is woken too");
}

fn a_dropped_operation_is_cancelled_and_reports_nothing(wire: &'static Wire) {
    let barrier = Barrier::default();
    let server = gated(wire, &barrier, Asked::Read);
    let client = server.client(wire.config());
    let session = client.create_session(&an_hour()).run().unwrap();
    let running = session.properties().label(1).start().unwrap();
    let over = client.list_sessions().label(2).start().unwrap();
    ended(&over).unwrap();
    drop((running, over));
    assert!(ends(&client).is_empty());
    barrier.open();
    ended(&client.list_sessions().label(3).start().unwrap()).unwrap();
    assert!(ends(&client).is_empty());
}

fn a_dropped_stop_continues(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    drop(session.stop().label(1).start().unwrap());
    eventually("it is stopped", || world.emulator.sessions()[0].status == Emulated::Stopped);
    eventually("the client knows", || is_over(&session));
    assert!(ends(&world.client).is_empty());
}

fn is_over(session: &Session) -> bool {
    session.update_lease(hours(9)).run().is_err_and(|error| error.kind() == ErrorKind::SessionEnded)
}

fn a_cancelled_creates_session_is_stopped(wire: &'static Wire) {
    let world = JournalWorld::new(wire);
    let client = world.client_through_gate();
    let reply = world.gate.hold(wire, Asked::Create, At::Reply);
    let create = client.create_session(&an_hour()).label(1).start().unwrap();
    reply.arrived();
    create.cancel();
    assert_eq!(create.state(), OperationState::Cancelled);
    reply.let_go();
    world.over();
    assert_eq!(ends(&client), [1]);
}

fn a_create_cancelled_while_recording_its_id_is_stopped(wire: &'static Wire) {
    let world = JournalWorld::new(wire);
    let client = world.client_through_gate();
    let reply = world.gate.hold(wire, Asked::Create, At::Reply);
    let create = client.create_session(&an_hour()).label(1).start().unwrap();
    reply.arrived();
    let held = world.folder.hold();
    reply.let_go();
    held.wait_until_reached();
    create.cancel();
    drop(held);
    world.over();
}

fn a_create_cancelled_just_before_its_deadline_is_stopped(wire: &'static Wire) {
    let (clock, barrier) = (VirtualClock::new(), Barrier::default());
    let server = gated(wire, &barrier, Asked::Create);
    let client = server.client_on(&clock, wire.config());
    let time = 20 * SECOND;
    let create = client.create_session(&an_hour()).timeout(time).label(1).start().unwrap();
    eventually("it is sent", || count(&server, wire.create) == 1);
    create.cancel();
    // The time left would be too short for a stop.
    clock.advance(time - SECOND / 1000);
    barrier.open();
    eventually("it is stopped", || count(&server, wire.stop) == 1);
    client.shut_down_within(LONG).unwrap();
    let reported: Vec<EventKind> =
        std::iter::from_fn(|| client.next_event(Duration::ZERO).unwrap_or(None)).map(|event| event.kind).collect();
    assert_eq!(reported, [EventKind::OperationEnded], "nothing is left running");
}

fn a_create_cancelled_before_it_was_sent_is_never_sent(wire: &'static Wire) {
    let barrier = Barrier::default();
    let server = gated(wire, &barrier, Asked::Read);
    let client = server.client(wire.config());
    let sessions: Vec<SessionId> = (0..8).map(|number| SessionId::parse(&format!("busy-{number}")).unwrap()).collect();
    let reads: Vec<_> = sessions.iter().map(|id| client.open_session(id).label(1).start().unwrap()).collect();
    eventually("all workers are busy", || server.seen().len() == 1 + reads.len());
    let create = client.create_session(&an_hour()).label(2).start().unwrap();
    create.cancel();
    // A later call completes only after the driver has handled the cancel.
    let list = client.list_sessions().timeout(SECOND / 1000).label(3).start().unwrap();
    assert_eq!(ended(&list).unwrap_err().kind(), ErrorKind::Timeout);
    barrier.open();
    client.shut_down_within(LONG).unwrap();
    assert_eq!(count(&server, wire.create), 0);
    assert_eq!(count(&server, wire.stop), 0, "there is nothing to clean up");
}

fn a_cancelled_update_may_have_been_carried_out(wire: &Wire) {
    let cancelled = || {
        let world = World::with_startup(wire, Duration::ZERO);
        let session = world.client.create_session(&an_hour()).run().unwrap();
        session.wait_until_ready().timeout(HOUR).run().unwrap();
        world.emulator.add_faults([Fault::on("PATCH", "**").executed(true).stall()]).unwrap();
        let update = session.update_lease(hours(2)).label(1).start().unwrap();
        eventually("the service has carried it out", || world.emulator.sessions()[0].max_lease == 2 * HOUR);
        update.cancel();
        (world, session)
    };
    let (_world, session) = cancelled();
    eventually("the cached properties are outdated", || {
        session.cached_properties().run().unwrap().max_lease == Some(2 * HOUR)
    });
    let (world, session) = cancelled();
    ended(&world.client.list_sessions().label(2).start().unwrap()).unwrap();
    session.update_lease(hours(2)).run().expect("repeating the update is no error");
}

//! Equal reads that are started together share one request, but each remains a separate operation.

use crate::support::barrier::Barrier;
use crate::support::scripted::{Act, Scripted, reply, token};
use crate::support::started::{LONG, ended, ends, eventually};
use crate::support::wire::{Asked, TOKEN, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, an_hour};
use arr_client::{
    Client, ClientConfig, ErrorKind, Lease, OperationState, Result, Session, SessionProperties, StartedOperation,
};
use arr_service::VirtualClock;
use std::time::{Duration, Instant};

in_both_versions![
    reads_started_together_share_one_request,
    lists_started_together_share_one_request,
    token_calls_started_together_share_one_request,
    a_failure_is_shared_by_all,
    a_read_after_a_change_is_not_joined_to_an_earlier_one,
    a_list_after_a_change_is_not_joined_to_an_earlier_one,
    each_caller_can_cancel_separately,
    a_read_cancelled_by_all_is_restarted_by_the_next,
    a_joined_call_with_a_shorter_timeout_ends_in_time,
    a_joined_call_ends_in_time_even_if_the_first_was_cancelled,
    a_joined_call_with_a_longer_timeout_keeps_its_time,
    a_call_with_a_much_longer_timeout_is_not_joined,
];

const MANY: u64 = 20;
const LESS: Duration = Duration::from_secs(2);

/// A server that answers requests of this kind once the barrier is open, and all others at once.
struct World {
    barrier: Barrier,
    server: Scripted,
    client: Client,
    session: Session,
}

impl World {
    fn holding(wire: &'static Wire, held: Asked) -> World {
        World::answering(wire, held, move |line| wire.good(line))
    }

    fn answering(wire: &'static Wire, held: Asked, answer: impl Fn(&str) -> String + Send + Sync + 'static) -> World {
        // Longer than any test waits, so a second request is not a retry.
        let config = ClientConfig { attempt_timeout: 10 * LONG, call_timeout: 10 * LONG, ..wire.config() };
        World::with(wire, held, answer, |server| server.client(config))
    }

    fn with(
        wire: &'static Wire,
        held: Asked,
        answer: impl Fn(&str) -> String + Send + Sync + 'static,
        client: impl FnOnce(&Scripted) -> Client,
    ) -> World {
        let barrier = Barrier::default();
        let before = barrier.clone();
        let server = Scripted::by(move |line| {
            if wire.act_of(line) == held {
                before.pass();
            }
            Act::Answer(answer(line))
        });
        let client = client(&server);
        let session = client.create_session(&an_hour()).run().unwrap();
        World { barrier, server, client, session }
    }

    fn seen(&self, line: &str) -> usize {
        self.server.seen().iter().filter(|seen| *seen == line).count()
    }

    fn read(&self, timeout: Option<Duration>) -> StartedOperation<SessionProperties> {
        let read = self.session.properties();
        timeout.into_iter().fold(read, |read, timeout| read.timeout(timeout)).start().unwrap()
    }

    /// The first read, in flight.
    fn first_read(&self, wire: &Wire, timeout: Option<Duration>) -> StartedOperation<SessionProperties> {
        let first = self.read(timeout);
        eventually("it is on the wire", || self.seen(wire.properties) == 1);
        first
    }
}

fn start<T>(start: impl Fn(u64) -> Result<StartedOperation<T>>) -> Vec<StartedOperation<T>> {
    (0..MANY).map(|number| start(number).unwrap()).collect()
}

/// All succeed, and each completion is reported.
fn all_succeed<T: Clone + Send + Sync + 'static>(client: &Client, operations: &[StartedOperation<T>]) -> Vec<T> {
    let outcomes = operations.iter().map(|operation| ended(operation).unwrap()).collect();
    assert_eq!(ends(client), (0..MANY).collect::<Vec<_>>());
    outcomes
}

fn reads_started_together_share_one_request(wire: &'static Wire) {
    let world = World::holding(wire, Asked::Read);
    let reads = start(|number| world.session.properties().label(number).start());
    world.barrier.open();
    for read in all_succeed(&world.client, &reads) {
        assert_eq!(read.id, *world.session.id());
    }
    assert_eq!(world.seen(wire.properties), 1);
}

fn lists_started_together_share_one_request(wire: &'static Wire) {
    let world = World::holding(wire, Asked::List);
    let lists = start(|number| world.client.list_sessions().label(number).start());
    world.barrier.open();
    all_succeed(&world.client, &lists);
    assert_eq!(world.seen(wire.list), 1);
}

fn token_calls_started_together_share_one_request(wire: &'static Wire) {
    let barrier = Barrier::default();
    let before = barrier.clone();
    let give_token = move || {
        before.pass();
        Act::Answer(reply("200 OK", "", &token()))
    };
    let server = Scripted::deciding_tokens(give_token, |line| Act::Answer(wire.good(line)));
    let client = server.client(wire.config());
    let tokens = start(|number| client.access_token().label(number).start());
    barrier.open();
    all_succeed(&client, &tokens);
    assert_eq!(server.seen(), [TOKEN]);
}

fn a_failure_is_shared_by_all(wire: &'static Wire) {
    let world = World::answering(wire, Asked::Read, move |line| match wire.act_of(line) {
        Asked::Read => reply("501 Not Implemented", "", ""),
        _ => wire.good(line),
    });
    let reads = start(|number| world.session.properties().label(number).start());
    world.barrier.open();
    assert!(reads.iter().all(|read| ended(read).unwrap_err().http_status() == Some(501)));
    assert_eq!(world.seen(wire.properties), 1);
}

/// The changes that a client can make to its sessions.
const DONE: [fn(&World); 2] = [
    |world| drop(world.session.update_lease(Lease::new(2 * HOUR).unwrap()).run().unwrap()),
    |world| assert!(!world.session.stop().run().unwrap().already_gone),
];

fn a_read_after_a_change_is_not_joined_to_an_earlier_one(wire: &'static Wire) {
    for done in DONE {
        let world = World::holding(wire, Asked::Read);
        let before = world.first_read(wire, None);
        done(&world);
        let after = world.read(None);
        eventually("it is asked for again", || world.seen(wire.properties) == 2);
        world.barrier.open();
        ended(&before).unwrap();
        ended(&after).unwrap();
    }
}

fn a_list_after_a_change_is_not_joined_to_an_earlier_one(wire: &'static Wire) {
    let create: fn(&World) = |world| drop(world.client.create_session(&an_hour()).run().unwrap());
    // The scripted service of v1 gives all sessions the same id.
    let with_create = if wire.is_v1() { &DONE[..] } else { &[DONE[0], DONE[1], create] };
    for done in with_create {
        let world = World::holding(wire, Asked::List);
        let before = world.client.list_sessions().label(0).start().unwrap();
        eventually("it is on the wire", || world.seen(wire.list) == 1);
        done(&world);
        let after = world.client.list_sessions().label(0).start().unwrap();
        eventually("it is asked for again", || world.seen(wire.list) == 2);
        world.barrier.open();
        ended(&before).unwrap();
        ended(&after).unwrap();
    }
}

fn each_caller_can_cancel_separately(wire: &'static Wire) {
    let world = World::holding(wire, Asked::Read);
    let reads = [world.first_read(wire, None), world.read(None), world.read(None)];
    reads[0].cancel();
    reads[2].cancel();
    assert_eq!(reads[1].state(), OperationState::Running);
    world.barrier.open();
    ended(&reads[1]).unwrap();
    assert_eq!([reads[0].state(), reads[2].state()], [OperationState::Cancelled; 2]);
    assert_eq!(world.seen(wire.properties), 1);
}

fn a_read_cancelled_by_all_is_restarted_by_the_next(wire: &'static Wire) {
    let world = World::holding(wire, Asked::Read);
    let reads = [world.first_read(wire, None), world.read(None)];
    reads.iter().for_each(StartedOperation::cancel);
    let next = world.read(None);
    eventually("it is asked for again", || world.seen(wire.properties) == 2);
    world.barrier.open();
    ended(&next).unwrap();
}

fn a_joined_call_with_a_shorter_timeout_ends_in_time(wire: &'static Wire) {
    let world = World::holding(wire, Asked::Read);
    let first = world.first_read(wire, None);
    let begun = Instant::now();
    let hasty = world.read(Some(LESS));
    assert_eq!(ended(&hasty).unwrap_err().kind(), ErrorKind::Timeout);
    assert!(begun.elapsed() >= LESS, "not before its own timeout: {:?}", begun.elapsed());
    assert_eq!(first.state(), OperationState::Running);
    world.barrier.open();
    ended(&first).unwrap();
    assert_eq!(world.seen(wire.properties), 1);
}

fn a_joined_call_ends_in_time_even_if_the_first_was_cancelled(wire: &'static Wire) {
    let world = World::holding(wire, Asked::Read);
    let first = world.first_read(wire, None);
    let begun = Instant::now();
    let hasty = world.read(Some(LESS));
    first.cancel();
    // The first one's attempt takes longer than this wait.
    assert_eq!(ended(&hasty).unwrap_err().kind(), ErrorKind::Timeout);
    assert!(begun.elapsed() >= LESS, "{:?}", begun.elapsed());
    world.barrier.open();
}

/// The first times out in flight, and the joined calls have one second more.
fn a_joined_call_with_a_longer_timeout_keeps_its_time(wire: &'static Wire) {
    for opened in [true, false] {
        // Only the test advances the client's clock: the new request has two seconds.
        let clock = VirtualClock::new();
        let config = ClientConfig { max_retries: 0, ..wire.config() };
        let world =
            World::with(wire, Asked::Read, move |line| wire.good(line), |server| server.client_on(&clock, config));
        let first = world.first_read(wire, Some(LESS));
        let patient = [world.read(Some(LESS + SECOND)), world.read(Some(LESS + SECOND))];
        clock.advance(SECOND);
        assert_eq!(ended(&first).unwrap_err().kind(), ErrorKind::Timeout);
        if opened {
            world.barrier.open();
            patient.iter().for_each(|read| drop(ended(read).unwrap()));
        } else {
            assert!(patient.iter().all(|read| ended(read).unwrap_err().kind() == ErrorKind::Timeout));
            world.barrier.open();
        }
        eventually("one more request was enough", || world.seen(wire.properties) == 2);
    }
}

fn a_call_with_a_much_longer_timeout_is_not_joined(wire: &'static Wire) {
    let world = World::holding(wire, Asked::Read);
    let hasty = world.first_read(wire, Some(LESS));
    let patient = world.read(None);
    eventually("it gets its own request", || world.seen(wire.properties) >= 2);
    assert_eq!(ended(&hasty).unwrap_err().kind(), ErrorKind::Timeout);
    world.barrier.open();
    ended(&patient).unwrap();
}

//! Sessions that a call has taken over for a caller that cancels it at that moment.

use crate::support::gate::At;
use crate::support::journal::{JournalWorld as World, alive, until};
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{SECOND, an_hour, shared};
use arr_client::test_util::{Clock, Instant, Signal};
use arr_client::{AnyOperation, Client, OperationState, Reuse, SessionId, StopScope};
use std::cell::RefCell;
use std::sync::{Arc, Mutex};

in_both_versions![sessions_recovered_by_a_call_cancelled_at_its_end_are_left_behind_again];

fn sessions_recovered_by_a_call_cancelled_at_its_end_are_left_behind_again(wire: &'static Wire) {
    let recover = |client: &Client, _: &SessionId| -> Arc<dyn AnyOperation> {
        Arc::new(client.recover_sessions().start().unwrap())
    };
    let recover_one = |client: &Client, id: &SessionId| -> Arc<dyn AnyOperation> {
        Arc::new(client.recover_session(id).start().unwrap())
    };
    let reuse = |client: &Client, _: &SessionId| -> Arc<dyn AnyOperation> {
        Arc::new(client.reuse_or_create(&an_hour(), Reuse::default()).start().unwrap())
    };
    type Start<'a> = &'a dyn Fn(&Client, &SessionId) -> Arc<dyn AnyOperation>;
    let starts: [(Start<'_>, usize, bool); 4] =
        [(&recover, 4, false), (&recover, 4, wire.is_v1()), (&recover_one, 1, false), (&reuse, 1, false)];
    for (start, count, lost) in starts {
        let world = World::new(wire);
        if lost {
            world.leave_lost(count);
        } else {
            world.leave(world.client_through_gate(), count);
        }
        let id = SessionId::parse(&alive(&world.emulator)[0].id).unwrap();
        let clock = Arc::new(CancelsAtTheEnd::new(shared(&world.clock)));
        let client = Client::with_clock(world.config_through_gate(), clock.clone()).unwrap();
        client.access_token().run().unwrap();
        let cancels = |operation: &Arc<dyn AnyOperation>| {
            Some(Cancels { operation: Arc::clone(operation), looks: 0, at: count.max(2) })
        };
        let operation = if count == 1 {
            let read = world.gate.hold(wire, Asked::Read, At::Reply);
            let operation = start(&client, &id);
            read.arrived();
            // It is about to record the new owner in the journal.
            let held = world.folder.hold();
            read.let_go();
            held.wait_until_reached();
            *clock.state.lock().unwrap() = cancels(&operation);
            operation
        } else {
            let mut state = clock.state.lock().unwrap();
            let operation = start(&client, &id);
            *state = cancels(&operation);
            operation
        };
        assert_eq!(operation.wait(60 * SECOND), OperationState::Cancelled);

        let found = RefCell::new(Vec::new());
        until(
            || {
                found.borrow_mut().extend(client.recover_sessions().run().unwrap());
                found.borrow().len() == count
            },
            || format!("all should be left behind again: {found:?}"),
        );
        let own = client.stop_all(StopScope::Own).run().unwrap().stopped;
        assert_eq!(own, if lost { 0 } else { count }, "a candidate may be another client's");
    }
}

/// A clock that cancels an operation when the driver reads the time for the sessions that it is about to return. By
/// then the driver has checked for the last time whether there is a caller.
#[derive(Debug)]
struct CancelsAtTheEnd {
    clock: Arc<dyn Clock>,
    state: Mutex<Option<Cancels>>,
}

#[derive(Debug)]
struct Cancels {
    operation: Arc<dyn AnyOperation>,
    /// How often the driver has read the time since its last wait.
    looks: usize,
    at: usize,
}

impl CancelsAtTheEnd {
    fn new(clock: Arc<dyn Clock>) -> CancelsAtTheEnd {
        CancelsAtTheEnd { clock, state: Mutex::default() }
    }

    /// The operation to cancel now.
    fn due(&self) -> Option<Arc<dyn AnyOperation>> {
        if !is_driver() {
            return None;
        }
        let mut state = self.state.lock().unwrap();
        let cancels = state.as_mut()?;
        cancels.looks += 1;
        if cancels.looks < cancels.at { None } else { state.take().map(|cancels| cancels.operation) }
    }

    fn waits(&self) {
        if is_driver()
            && let Some(cancels) = self.state.lock().unwrap().as_mut()
        {
            cancels.looks = 0;
        }
    }
}

fn is_driver() -> bool {
    std::thread::current().name() == Some("arr-driver")
}

impl Clock for CancelsAtTheEnd {
    fn now(&self) -> Instant {
        if let Some(operation) = self.due() {
            operation.cancel();
        }
        self.clock.now()
    }

    fn unix_time(&self) -> std::time::Duration {
        self.clock.unix_time()
    }

    fn sleep(&self, signal: &Signal, seen: u64, until: Instant) {
        self.waits();
        self.clock.sleep(signal, seen, until);
    }

    fn wait_for_work(&self, signal: &Signal, seen: u64, until: Instant) {
        self.waits();
        self.clock.wait_for_work(signal, seen, until);
    }
}

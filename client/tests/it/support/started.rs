//! What tests of started operations share.

use arr_client::{AnyOperation, Call, Client, Event, EventKind, OperationState, Result, StartedOperation};
use std::time::{Duration, Instant};

pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Waits for the end of an operation.
pub(crate) fn ended<T: Clone + Send + Sync + 'static>(operation: &StartedOperation<T>) -> Result<T> {
    assert_ne!(operation.wait(LONG), OperationState::Running, "it never ended");
    operation.outcome()
}

/// Starts a call whose outcome does not matter.
pub(crate) fn running<T: Clone + Send + Sync + 'static>(call: Call<T>) -> Box<dyn AnyOperation> {
    Box::new(call.start().unwrap())
}

/// The events that are there.
pub(crate) fn events(client: &Client) -> Vec<Event> {
    std::iter::from_fn(|| client.next_event(Duration::ZERO).expect("the client lives")).collect()
}

/// The ends of operations that are there to be told, by their labels.
pub(crate) fn ends(client: &Client) -> Vec<u64> {
    let events = events(client).into_iter();
    events.filter(|event| event.kind == EventKind::OperationEnded).map(|event| event.label.user_data).collect()
}

/// Looks again and again until it is so.
pub(crate) fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < LONG, "it never came about that {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

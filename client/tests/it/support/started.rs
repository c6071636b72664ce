//! Shared code of the tests of started operations.

use arr_client::{AnyOperation, Call, Client, Event, EventKind, OperationState, Result, StartedOperation};
use std::time::{Duration, Instant};

pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Waits until an operation completes.
pub(crate) fn ended<T: Clone + Send + Sync + 'static>(operation: &StartedOperation<T>) -> Result<T> {
    assert_ne!(operation.wait(LONG), OperationState::Running, "it never ended");
    operation.outcome()
}

/// Starts a call whose outcome does not matter.
pub(crate) fn running<T: Clone + Send + Sync + 'static>(call: Call<T>) -> Box<dyn AnyOperation> {
    Box::new(call.start().unwrap())
}

/// Pulls all available events.
pub(crate) fn events(client: &Client) -> Vec<Event> {
    std::iter::from_fn(|| client.next_event(Duration::ZERO).expect("the client is alive")).collect()
}

/// Pulls all available events, and returns the labels of completed operations.
pub(crate) fn ends(client: &Client) -> Vec<u64> {
    let events = events(client).into_iter();
    events.filter(|event| event.kind == EventKind::OperationEnded).map(|event| event.label.user_data).collect()
}

/// Waits until a condition holds.
pub(crate) fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < LONG, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

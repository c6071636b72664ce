//! An operation without a request.

use crate::clock::Instant;
use crate::protocol::{Operation, Step};
use crate::wire::Answer;

/// Completes at once with this outcome.
pub(super) struct Immediate<T>(Option<T>);

impl<T> Immediate<T> {
    pub(super) fn new(outcome: T) -> Immediate<T> {
        Immediate(Some(outcome))
    }
}

impl<T> Operation for Immediate<T> {
    type Outcome = T;

    fn step(&mut self, _now: Instant, _answer: Option<Answer>) -> Step<T> {
        Step::Done(self.0.take().expect("a completed operation is not stepped"))
    }
}

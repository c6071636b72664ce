//! An operation and what is made of its outcome.

use super::{Answer, Operation, Step};
use crate::clock::Instant;
use crate::error::Error;

/// An operation whose outcome goes through a function, once.
pub(crate) struct Then<O, F> {
    operation: O,
    make: Option<F>,
}

impl<O, F> Then<O, F> {
    pub(super) fn new(operation: O, make: F) -> Then<O, F> {
        Then { operation, make: Some(make) }
    }
}

impl<O: Operation, F: FnOnce(O::Outcome) -> T, T> Operation for Then<O, F> {
    type Outcome = T;

    fn step(&mut self, now: Instant, answer: Option<Answer>) -> Step<T> {
        match self.operation.step(now, answer).outcome() {
            Ok(outcome) => {
                let make = self.make.take().expect("nobody steps an operation that is over");
                Step::Done(make(outcome))
            }
            Err(step) => step,
        }
    }

    fn maybe_done(&self) -> bool {
        self.operation.maybe_done()
    }

    fn leave(&mut self, now: Instant, in_flight: bool) -> bool {
        self.operation.leave(now, in_flight)
    }

    fn fail(&mut self, error: Error) -> Error {
        self.operation.fail(error)
    }
}

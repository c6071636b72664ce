//! An operation and what is made of its outcome.

use super::{Answer, Operation, Step};
use crate::clock::Instant;
use crate::error::{Error, Result};

/// An operation whose outcome goes through a function, once: also a failure that comes from its driver, as when its time is
/// over while it waits, or its caller goes while it is on the wire.
pub(crate) struct Then<O, F> {
    operation: O,
    make: Option<F>,
}

impl<O, F> Then<O, F> {
    pub(super) fn new(operation: O, make: F) -> Then<O, F> {
        Then { operation, make: Some(make) }
    }
}

impl<O, F, T, U> Operation for Then<O, F>
where
    O: Operation<Outcome = Result<T>>,
    F: FnOnce(Result<T>) -> Result<U>,
{
    type Outcome = Result<U>;

    fn step(&mut self, now: Instant, answer: Option<Answer>) -> Step<Result<U>> {
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
        let error = self.operation.fail(error);
        match self.make.take().map(|make| make(Err(error.clone()))) {
            Some(Err(told)) => told,
            // It makes nothing of failures.
            Some(Ok(_)) | None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use std::sync::Mutex;

    /// An operation that waits for ever.
    struct Endless;

    impl Operation for Endless {
        type Outcome = Result<()>;

        fn step(&mut self, _now: Instant, _answer: Option<Answer>) -> Step<Result<()>> {
            Step::AwaitToken
        }
    }

    #[test]
    fn an_end_that_comes_from_the_driver_goes_through_the_function_too() {
        let told = Mutex::new(None);
        let mut told_on = Endless.then(|outcome: Result<()>| {
            *told.lock().unwrap() = outcome.as_ref().err().map(Error::kind);
            outcome.map_err(|error| error.retold(ErrorKind::ServiceFailure, "told"))
        });
        assert_eq!(told_on.fail(Error::new(ErrorKind::Timeout, "late")).kind(), ErrorKind::ServiceFailure);
        assert_eq!(*told.lock().unwrap(), Some(ErrorKind::Timeout));
        let mut forgiving = Endless.then(|_: Result<()>| Ok(()));
        assert_eq!(forgiving.fail(Error::new(ErrorKind::Timeout, "late")).kind(), ErrorKind::Timeout);
    }
}

//! An operation without a caller.

use super::{Answer, Operation, Step};
use crate::clock::Instant;
use crate::error::{Error, Result};

/// An operation that nobody waits for. Whoever has asked for it is told its end, once, whether it comes by its outcome or by
/// its time: what is noted as being under way cannot stay so for ever. After the end of the client nobody needs to know.
pub(crate) struct Chore<O, E> {
    operation: O,
    end: Option<E>,
}

impl<O, E> Chore<O, E> {
    pub(super) fn new(operation: O, end: E) -> Chore<O, E> {
        Chore { operation, end: Some(end) }
    }
}

impl<O: Operation<Outcome = Result<T>>, E: FnOnce(Result<T>), T> Operation for Chore<O, E> {
    type Outcome = Result<()>;

    fn step(&mut self, now: Instant, answer: Option<Answer>) -> Step<Result<()>> {
        match self.operation.step(now, answer).outcome() {
            Ok(outcome) => {
                let result = outcome.as_ref().map(|_| ()).map_err(Error::clone);
                if let Some(end) = self.end.take() {
                    end(outcome);
                }
                Step::Done(result)
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
        if let Some(end) = self.end.take() {
            end(Err(error.clone()));
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::operation::tests::at;
    use crate::operation::{Timed, Todo};
    use std::sync::Mutex;
    use std::time::Duration;

    /// Waits for a token that nobody brings.
    struct Waits;

    impl Operation for Waits {
        type Outcome = Result<()>;

        fn step(&mut self, _: Instant, _: Option<Answer>) -> Step<Result<()>> {
            Step::AwaitToken
        }
    }

    #[test]
    fn a_chore_that_is_ended_by_its_time_tells_so() {
        let told = Mutex::new(Vec::new());
        let chore = Waits.ending(|outcome: Result<()>| told.lock().unwrap().push(outcome.map_err(|it| it.kind())));
        let mut chore = Timed::new(chore, at(60), Duration::from_secs(15));
        assert!(matches!(chore.next(at(0), None, || Ok(())), Todo::AwaitToken(_)));
        assert!(matches!(chore.next(at(60), None, || Ok(())), Todo::Done(Err(_))));
        assert_eq!(*told.lock().unwrap(), [Err(ErrorKind::Timeout)]);
    }
}

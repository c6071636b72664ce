//! An operation is a value without I/O. The interpreter asks it for the next [`Step`], executes that step, and steps it
//! again.
//!
//! An operation may be stepped early or twice and then returns the same step again, so the driver may wake for any
//! reason. Only the step after [`Step::Send`] takes the reply. Without one, the request counts as abandoned, and is
//! sent again if that can do no harm.

use crate::auth::Exchange;
use crate::clock::Instant;
use crate::error::{Error, Result};
use crate::wire::{Answer, Request, Urgency};
use std::fmt;
use std::ops::DerefMut;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What an operation needs next.
#[derive(Debug)]
pub(crate) enum Step<T> {
    /// Send this request, and step with its reply.
    Send(Box<Request>),
    /// Fetch the token for all operations of the client, and step again.
    FetchToken(Box<Exchange>),
    /// Another operation is fetching the token, or the application has been asked for one: step when it is available.
    AwaitToken,
    /// Step again at this instant.
    SleepUntil(Instant),
    /// Step again at this instant, or earlier if this mark changes.
    SleepUntilChange(Instant, ChangeMark),
    /// Step when this mark changes, or at this instant: work that the operation depends on is in progress.
    AwaitChange(ChangeMark, Instant),
    /// Run this work (slow but not on the network, such as writing to disk), and step again.
    Work(Work),
    /// Start this in the background, and step again.
    Start(Chore),
    /// The operation is complete.
    Done(T),
}

impl<T> Step<T> {
    /// The outcome, or else the step converted for the enclosing operation.
    pub(crate) fn outcome<U>(self) -> std::result::Result<T, Step<U>> {
        match self {
            Step::Done(outcome) => Ok(outcome),
            Step::Send(request) => Err(Step::Send(request)),
            Step::FetchToken(exchange) => Err(Step::FetchToken(exchange)),
            Step::AwaitToken => Err(Step::AwaitToken),
            Step::SleepUntil(moment) => Err(Step::SleepUntil(moment)),
            Step::SleepUntilChange(moment, mark) => Err(Step::SleepUntilChange(moment, mark)),
            Step::AwaitChange(mark, moment) => Err(Step::AwaitChange(mark, moment)),
            Step::Work(work) => Err(Step::Work(work)),
            Step::Start(chore) => Err(Step::Start(chore)),
        }
    }
}

/// An operation without a caller. Its outcome goes to the closure that it was created with.
pub(crate) struct Chore {
    /// Unique within the process.
    pub(crate) id: ChoreId,
    pub(crate) operation: Box<dyn Operation<Outcome = Result<()>> + Send>,
    pub(crate) deadline: Instant,
}

/// Identifies a [`Chore`] for cancelling it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ChoreId(u64);

impl Chore {
    /// `end` gets the outcome, even if the operation cannot be started.
    pub(crate) fn new<T: 'static>(
        operation: impl Operation<Outcome = Result<T>> + Send + 'static,
        deadline: Instant,
        end: impl FnOnce(Result<T>) + Send + 'static,
    ) -> Chore {
        Chore::with_id(operation, deadline, move |_, outcome| end(outcome))
    }

    /// Like [`Chore::new`], for an `end` that needs the chore's id.
    pub(crate) fn with_id<T: 'static>(
        operation: impl Operation<Outcome = Result<T>> + Send + 'static,
        deadline: Instant,
        end: impl FnOnce(ChoreId, Result<T>) + Send + 'static,
    ) -> Chore {
        static LATEST: AtomicU64 = AtomicU64::new(0);
        let id = ChoreId(LATEST.fetch_add(1, Ordering::Relaxed) + 1);
        let operation = operation.then(move |outcome: Result<T>| {
            let done = outcome.as_ref().map(|_| ()).map_err(Error::clone);
            end(id, outcome);
            done
        });
        Chore { id, operation: Box::new(operation), deadline }
    }
}

impl fmt::Debug for Chore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chore").field("id", &self.id).finish_non_exhaustive()
    }
}

/// See [`Step::Work`].
pub(crate) struct Work(pub(crate) Box<dyn FnOnce() + Send>);

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Work")
    }
}

/// A change counter and its value at some time.
#[derive(Clone, Debug)]
pub(crate) struct ChangeMark {
    count: Arc<AtomicU64>,
    then: u64,
}

impl ChangeMark {
    pub(crate) fn of(count: &Arc<AtomicU64>) -> ChangeMark {
        ChangeMark { count: Arc::clone(count), then: count.load(Ordering::Acquire) }
    }

    /// Whether the counter has changed since.
    pub(crate) fn is_past(&self) -> bool {
        self.count.load(Ordering::Acquire) != self.then
    }
}

/// The work between a call of the library and its outcome.
pub(crate) trait Operation {
    type Outcome;

    /// The next step. `answer` is the reply to the latest request, passed once.
    fn step(&mut self, now: Instant, answer: Option<Answer>) -> Step<Self::Outcome>;

    /// Whether the service may have carried out the operation if it is abandoned now.
    fn maybe_done(&self) -> bool {
        false
    }

    /// The caller has gone. Returns whether to keep stepping the operation, so that it can undo its effects.
    /// `in_flight`: a request or work is in progress and will complete.
    fn leave(&mut self, _now: Instant, _in_flight: bool) -> bool {
        false
    }

    /// The deadline passed while the process was stopped, and has been moved: stepped next, the operation has its last
    /// chance.
    fn thawed(&mut self, _deadline: Instant) {}

    /// The deadline has passed. Returns the outcome if that is more than an error.
    fn at_deadline(&mut self) -> Option<Self::Outcome> {
        None
    }

    /// The driver ends the operation with this error. Returns the error to report.
    fn fail(&mut self, error: Error) -> Error {
        error
    }

    /// The scheduling class. It never changes.
    fn urgency(&self) -> Urgency {
        Urgency::Normal
    }

    /// Work to run in the background after the end. Called once, at the end.
    fn afterwards(&mut self) -> Option<Chore> {
        None
    }

    /// Maps the outcome of the operation, including a failure that the driver sets.
    fn then<T, F: FnOnce(Self::Outcome) -> Result<T>>(self, make: F) -> Then<Self, F>
    where
        Self: Sized,
    {
        Then::new(self, make)
    }
}

/// A box of an operation, or a reference to one.
impl<P: DerefMut<Target: Operation>> Operation for P {
    type Outcome = <P::Target as Operation>::Outcome;

    fn step(&mut self, now: Instant, answer: Option<Answer>) -> Step<Self::Outcome> {
        (**self).step(now, answer)
    }

    fn maybe_done(&self) -> bool {
        (**self).maybe_done()
    }

    fn leave(&mut self, now: Instant, in_flight: bool) -> bool {
        (**self).leave(now, in_flight)
    }

    fn thawed(&mut self, deadline: Instant) {
        (**self).thawed(deadline);
    }

    fn at_deadline(&mut self) -> Option<Self::Outcome> {
        (**self).at_deadline()
    }

    fn fail(&mut self, error: Error) -> Error {
        (**self).fail(error)
    }

    fn urgency(&self) -> Urgency {
        (**self).urgency()
    }

    fn afterwards(&mut self) -> Option<Chore> {
        (**self).afterwards()
    }
}

/// Maps the outcome of an operation through a function, once. This includes a failure that the driver sets, as when the
/// deadline passes during a wait, or the caller goes while a request is in flight.
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
                let make = self.make.take().expect("a completed operation is not stepped");
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

    fn thawed(&mut self, deadline: Instant) {
        self.operation.thawed(deadline);
    }

    fn at_deadline(&mut self) -> Option<Result<U>> {
        let outcome = self.operation.at_deadline()?;
        Some(self.make.take()?(outcome))
    }

    fn fail(&mut self, error: Error) -> Error {
        let error = self.operation.fail(error);
        match self.make.take().map(|make| make(Err(error.clone()))) {
            Some(Err(mapped)) => mapped,
            // The driver cannot use a success here, and the function may have been called already.
            Some(Ok(_)) | None => error,
        }
    }

    fn urgency(&self) -> Urgency {
        self.operation.urgency()
    }

    fn afterwards(&mut self) -> Option<Chore> {
        self.operation.afterwards()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use std::sync::Mutex;

    /// An operation that waits forever.
    struct Endless;

    impl Operation for Endless {
        type Outcome = Result<()>;

        fn step(&mut self, _now: Instant, _answer: Option<Answer>) -> Step<Result<()>> {
            Step::AwaitToken
        }
    }

    #[test]
    fn a_failure_set_by_the_driver_is_mapped_too() {
        let seen = Mutex::new(None);
        let mut told_on = Endless.then(|outcome: Result<()>| {
            *seen.lock().unwrap() = outcome.as_ref().err().map(Error::kind);
            outcome.map_err(|error| error.recast(ErrorKind::ServiceFailure, "mapped"))
        });
        assert_eq!(told_on.fail(Error::new(ErrorKind::Timeout, "late")).kind(), ErrorKind::ServiceFailure);
        assert_eq!(*seen.lock().unwrap(), Some(ErrorKind::Timeout));
        let mut forgiving = Endless.then(|_: Result<()>| Ok(()));
        assert_eq!(forgiving.fail(Error::new(ErrorKind::Timeout, "late")).kind(), ErrorKind::Timeout);
    }
}

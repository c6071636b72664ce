//! An operation is a value without I/O. The interpreter asks it for the next [`Step`], carries that out, and steps it again.
//!
//! A step may be asked for early or twice: the operation then asks for the same again, so the driver may wake for any reason.
//! Only after [`Step::Send`] the next step is given the answer: without one the request counts as given up, and is sent again
//! if that can do no harm.

use crate::auth::Exchange;
use crate::clock::Instant;
use crate::error::{Error, Result};
use crate::wire::{Answer, Request, Urgency};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What an operation needs next.
#[derive(Debug)]
pub(crate) enum Step<T> {
    /// Send this, and step with its answer.
    Send(Box<Request>),
    /// Fetch the token, for all operations of the client, and step again.
    FetchToken(Box<Exchange>),
    /// Another operation fetches the token, or the application was asked for one: step when it is there.
    AwaitToken,
    /// Step again at this moment.
    SleepUntil(Instant),
    /// Step again at this moment, or when this changes before.
    SleepUntilChange(Instant, ChangeMark),
    /// Step when this changes: something that the operation waits for is under way.
    AwaitChange(ChangeMark),
    /// Do this, which takes time but not the network, such as writing to a disk, and step again.
    Work(Work),
    /// Start this in the background, and step again.
    Start(Chore),
    /// It is over.
    Done(T),
}

impl<T> Step<T> {
    /// The outcome; or what there is to do, as a step of the operation that this one is a part of.
    pub(crate) fn outcome<U>(self) -> std::result::Result<T, Step<U>> {
        match self {
            Step::Done(outcome) => Ok(outcome),
            Step::Send(request) => Err(Step::Send(request)),
            Step::FetchToken(exchange) => Err(Step::FetchToken(exchange)),
            Step::AwaitToken => Err(Step::AwaitToken),
            Step::SleepUntil(moment) => Err(Step::SleepUntil(moment)),
            Step::SleepUntilChange(moment, mark) => Err(Step::SleepUntilChange(moment, mark)),
            Step::AwaitChange(mark) => Err(Step::AwaitChange(mark)),
            Step::Work(work) => Err(Step::Work(work)),
            Step::Start(chore) => Err(Step::Start(chore)),
        }
    }
}

/// An operation without a caller: what becomes of it is for the function that it was made with.
pub(crate) struct Chore {
    /// A number that no other chore of the process has.
    pub(crate) id: ChoreId,
    pub(crate) operation: Box<dyn Operation<Outcome = Result<()>> + Send>,
    pub(crate) deadline: Instant,
}

/// By which a [`Chore`] can be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ChoreId(u64);

impl Chore {
    /// `end` is given the outcome, also if the operation cannot be started.
    pub(crate) fn new<T: 'static>(
        operation: impl Operation<Outcome = Result<T>> + Send + 'static,
        deadline: Instant,
        end: impl FnOnce(Result<T>) + Send + 'static,
    ) -> Chore {
        Chore::with_id(operation, deadline, move |_, outcome| end(outcome))
    }

    /// The same for one that has to know its own id at its end.
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

/// A count of changes, as it was at some moment.
#[derive(Clone, Debug)]
pub(crate) struct ChangeMark {
    count: Arc<AtomicU64>,
    then: u64,
}

impl ChangeMark {
    pub(crate) fn of(count: &Arc<AtomicU64>) -> ChangeMark {
        ChangeMark { count: Arc::clone(count), then: count.load(Ordering::Acquire) }
    }

    /// Whether there was a change since.
    pub(crate) fn is_past(&self) -> bool {
        self.count.load(Ordering::Acquire) != self.then
    }
}

/// What happens between a call of the library and its outcome.
pub(crate) trait Operation {
    type Outcome;

    /// The next step. `answer` is that of the request last asked for, once.
    fn step(&mut self, now: Instant, answer: Option<Answer>) -> Step<Self::Outcome>;

    /// Whether the service may have done what was asked, if nobody goes on with the operation.
    fn maybe_done(&self) -> bool {
        false
    }

    /// The caller has gone. Whether to go on stepping all the same, to put right what was done; `in_flight`: a request is
    /// on the wire, or work is being done, and will come to its end.
    fn leave(&mut self, _now: Instant, _in_flight: bool) -> bool {
        false
    }

    /// It ends by this error, which comes from its driver. Returns what that means.
    fn fail(&mut self, error: Error) -> Error {
        error
    }

    /// What may hold it up, and what ends it. It stays the same.
    fn urgency(&self) -> Urgency {
        Urgency::Normal
    }

    /// What is left to be done in the background after its end. Asked for once, then.
    fn afterwards(&mut self) -> Option<Chore> {
        None
    }

    /// The operation with something made of its outcome, whoever it comes from.
    fn then<T, F: FnOnce(Self::Outcome) -> Result<T>>(self, make: F) -> Then<Self, F>
    where
        Self: Sized,
    {
        Then::new(self, make)
    }
}

impl<O: Operation + ?Sized> Operation for Box<O> {
    type Outcome = O::Outcome;

    fn step(&mut self, now: Instant, answer: Option<Answer>) -> Step<Self::Outcome> {
        (**self).step(now, answer)
    }

    fn maybe_done(&self) -> bool {
        (**self).maybe_done()
    }

    fn leave(&mut self, now: Instant, in_flight: bool) -> bool {
        (**self).leave(now, in_flight)
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

//! An operation and the end of its time: what whoever drives one does next, on a caller's thread or on the client's own.

use super::operation::{ChangeMark, Chore, Operation, Step, Work};
use crate::auth::Exchange;
use crate::clock::Instant;
use crate::error::{Error, ErrorKind, Result};
use crate::wire::{Answer, Request, Urgency};
use std::time::Duration;

/// An operation that is over at a moment, whatever it is doing.
pub(crate) struct Timed<O> {
    operation: O,
    deadline: Instant,
    attempt_timeout: Duration,
    /// Its caller has gone, and it puts right what was done.
    left: bool,
}

/// What to do next, and until when.
pub(crate) enum Action<T> {
    /// It is over.
    Done(T),
    /// Send this within the time, and come back with the answer.
    Send(Box<Request>, Duration),
    /// Fetch the token within the time, and come back.
    FetchToken(Box<Exchange>, Duration),
    /// Come back then.
    SleepUntil(Instant),
    /// Come back then, or when this has changed.
    SleepUntilChange(Instant, ChangeMark),
    /// Come back when the client's signal changes, or then.
    AwaitToken(Instant),
    /// Come back when this has changed, or then.
    AwaitChange(ChangeMark, Instant),
    /// Do this, and come back.
    Work(Work),
    /// Start this in the background, and come back.
    Start(Chore),
}

/// The error of a call whose time is over.
pub(crate) fn out_of_time() -> Error {
    Error::new(ErrorKind::Timeout, "the time for the call ran out; give it more, or call again")
}

impl<T, O: Operation<Outcome = Result<T>>> Timed<O> {
    pub(crate) fn new(operation: O, deadline: Instant, attempt_timeout: Duration) -> Timed<O> {
        Timed { operation, deadline, attempt_timeout, left: false }
    }

    /// When its time is over.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(crate) fn urgency(&self) -> Urgency {
        self.operation.urgency()
    }

    /// What is left to be done after its end.
    pub(crate) fn afterwards(&mut self) -> Option<Chore> {
        self.operation.afterwards()
    }

    /// Ends it no later than this.
    pub(crate) fn end_by(&mut self, moment: Instant) {
        self.deadline = self.deadline.min(moment);
    }

    /// The next thing to do. `gone` tells whether the caller has gone, and by what error.
    pub(crate) fn next(
        &mut self,
        now: Instant,
        answer: Option<Answer>,
        gone: impl FnOnce() -> Result<()>,
    ) -> Action<Result<T>> {
        let step = match self.operation.step(now, answer) {
            Step::Done(outcome) => return Action::Done(outcome),
            // Late or not: what was done is noted, and only then there is an end.
            Step::Work(work) => return Action::Work(work),
            Step::Start(chore) => return Action::Start(chore),
            step => step,
        };
        if !self.left
            && let Err(error) = gone()
        {
            return self.abandon(now, error);
        }
        if now >= self.deadline {
            return Action::Done(Err(self.ended_by(out_of_time())));
        }
        self.todo(now, step)
    }

    /// The caller has gone while a request is on the wire, or work is being done. Whether it is wanted nevertheless.
    pub(crate) fn leave_in_flight(&mut self, now: Instant) -> bool {
        if !self.left && self.operation.leave(now, true) {
            self.left = true;
            // The answer comes within one attempt's time, and what puts it right has another.
            self.deadline = now + self.attempt_timeout + self.attempt_timeout;
        }
        self.left
    }

    /// The caller has gone, and the answer to the request on the wire is not wanted. Returns what that means.
    pub(crate) fn give_up(&mut self, error: Error) -> Error {
        self.operation.fail(error.maybe_done(true))
    }

    /// The caller has gone while nothing is under way: the end, or what there is to put right.
    pub(crate) fn abandon(&mut self, now: Instant, error: Error) -> Action<Result<T>> {
        if !self.operation.leave(now, false) {
            return Action::Done(Err(self.ended_by(error)));
        }
        self.left = true;
        self.deadline = now + self.attempt_timeout;
        self.next(now, None, || Ok(()))
    }

    fn ended_by(&mut self, error: Error) -> Error {
        let error = error.maybe_done(self.operation.maybe_done());
        self.operation.fail(error)
    }

    fn todo(&self, now: Instant, step: Step<Result<T>>) -> Action<Result<T>> {
        let limit = self.deadline.saturating_since(now).min(self.attempt_timeout);
        match step {
            Step::Done(outcome) => Action::Done(outcome),
            Step::Send(request) => Action::Send(request, limit),
            // A token that is fetched ahead of time must not use up the time of the call that happened to ask for it.
            Step::FetchToken(exchange) if exchange.ahead => Action::FetchToken(exchange, self.attempt_timeout),
            Step::FetchToken(exchange) => Action::FetchToken(exchange, limit),
            Step::SleepUntil(moment) => Action::SleepUntil(moment.min(self.deadline)),
            Step::SleepUntilChange(moment, mark) => Action::SleepUntilChange(moment.min(self.deadline), mark),
            Step::AwaitToken => Action::AwaitToken(self.deadline),
            Step::AwaitChange(mark) => Action::AwaitChange(mark, self.deadline),
            Step::Work(work) => Action::Work(work),
            Step::Start(chore) => Action::Start(chore),
        }
    }
}

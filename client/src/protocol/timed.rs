//! An operation with a deadline: computes the next action for the interpreter, on a caller's thread or in the driver.

use super::operation::{ChangeMark, Chore, Operation, Step, Work};
use crate::auth::Exchange;
use crate::clock::Instant;
use crate::error::{Error, ErrorKind, Result};
use crate::wire::{Answer, Request, Urgency};
use std::time::Duration;

/// An operation that ends at its deadline in any state.
pub(crate) struct Timed<O> {
    operation: O,
    deadline: Instant,
    attempt_timeout: Duration,
    /// The caller has gone, and the operation is undoing its effects.
    left: bool,
    /// The deadline has been moved because of a freeze, which happens once.
    thawed: bool,
}

/// The next action, and its time limit.
pub(crate) enum Action<T> {
    /// The operation is complete.
    Done(T),
    /// Send this request within the time, and resume with the reply.
    Send(Box<Request>, Duration),
    /// Fetch the token within the time, and resume.
    FetchToken(Box<Exchange>, Duration),
    /// Resume at this instant.
    SleepUntil(Instant),
    /// Resume at this instant, or when the mark changes.
    SleepUntilChange(Instant, ChangeMark),
    /// Resume when the client's signal changes, or at this instant.
    AwaitToken(Instant),
    /// Resume when the mark changes, or at this instant.
    AwaitChange(ChangeMark, Instant),
    /// Run this work, and resume.
    Work(Work),
    /// Start this in the background, and resume.
    Start(Chore),
}

/// The additional time for work whose deadline was noticed this late, because the process or the machine was stopped: as
/// much, up to a limit. `None` if it is not late.
pub(crate) fn respite(late: Duration) -> Option<Duration> {
    const NOTICEABLE: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(2);
    (late >= NOTICEABLE).then(|| late.min(LONGEST))
}

/// The new deadline of a call whose deadline was noticed late; `None` if it was not.
pub(crate) fn after_freeze(deadline: Instant, now: Instant) -> Option<Instant> {
    respite(now.saturating_since(deadline)).map(|respite| now + respite)
}

/// The error of a call whose deadline has passed.
pub(crate) fn out_of_time() -> Error {
    Error::new(ErrorKind::Timeout, "the call timed out; increase its timeout, or call again")
}

impl<T, O: Operation<Outcome = Result<T>>> Timed<O> {
    pub(crate) fn new(operation: O, deadline: Instant, attempt_timeout: Duration) -> Timed<O> {
        Timed { operation, deadline, attempt_timeout, left: false, thawed: false }
    }

    /// When the operation ends at the latest.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(crate) fn urgency(&self) -> Urgency {
        self.operation.urgency()
    }

    /// Work to run after the end.
    pub(crate) fn afterwards(&mut self) -> Option<Chore> {
        self.operation.afterwards()
    }

    /// Moves the deadline forward to `moment`, if that is earlier.
    pub(crate) fn end_by(&mut self, moment: Instant) {
        self.deadline = self.deadline.min(moment);
    }

    /// The next action. `gone` returns an error if the caller has gone.
    pub(crate) fn next(
        &mut self,
        now: Instant,
        answer: Option<Answer>,
        gone: impl FnOnce() -> Result<()>,
    ) -> Action<Result<T>> {
        self.thaw(now);
        let step = self.operation.step(now, answer);
        // Also past the deadline: completed work is recorded before the operation ends.
        let may_end_here = !matches!(step, Step::Done(_) | Step::Work(_) | Step::Start(_));
        if may_end_here {
            if !self.left
                && let Err(error) = gone()
            {
                return self.abandon(now, error);
            }
            if now >= self.deadline {
                let outcome = self.operation.at_deadline();
                return Action::Done(outcome.unwrap_or_else(|| Err(self.ended_by(out_of_time()))));
            }
        }
        self.action(now, step)
    }

    /// Returns the new deadline if the old one was noticed late.
    pub(crate) fn thaw(&mut self, now: Instant) -> Option<Instant> {
        let later = after_freeze(self.deadline, now).filter(|_| !self.thawed)?;
        (self.deadline, self.thawed) = (later, true);
        self.operation.thawed(later);
        Some(later)
    }

    /// The caller has gone while a request or work is in progress. Returns whether its result is still needed.
    pub(crate) fn leave_in_flight(&mut self, now: Instant) -> bool {
        if !self.left && self.operation.leave(now, true) {
            self.left = true;
            // One attempt's time for the reply, and another for undoing its effect.
            self.deadline = now + self.attempt_timeout + self.attempt_timeout;
        }
        self.left
    }

    /// The caller has gone, and the reply to the request in flight is not needed. Returns the error to report.
    pub(crate) fn give_up(&mut self, error: Error) -> Error {
        self.operation.fail(error.maybe_done(true))
    }

    /// The caller has gone while nothing is in progress. Ends the operation, or continues it to undo its effects.
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

    /// The step with its limits.
    fn action(&self, now: Instant, step: Step<Result<T>>) -> Action<Result<T>> {
        let limit = self.deadline.saturating_since(now).min(self.attempt_timeout);
        match step {
            Step::Done(outcome) => Action::Done(outcome),
            Step::Send(request) => {
                let limit = limit.min(request.answer_by.saturating_since(now));
                Action::Send(request, limit)
            }
            // An early token refresh must not use up the time of the call that happened to trigger it.
            Step::FetchToken(exchange) if exchange.ahead => Action::FetchToken(exchange, self.attempt_timeout),
            Step::FetchToken(exchange) => Action::FetchToken(exchange, limit),
            Step::SleepUntil(moment) => Action::SleepUntil(moment.min(self.deadline)),
            Step::SleepUntilChange(moment, mark) => Action::SleepUntilChange(moment.min(self.deadline), mark),
            Step::AwaitToken => Action::AwaitToken(self.deadline),
            Step::AwaitChange(mark, moment) => Action::AwaitChange(mark, moment.min(self.deadline)),
            Step::Work(work) => Action::Work(work),
            Step::Start(chore) => Action::Start(chore),
        }
    }
}

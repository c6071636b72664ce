//! Gets a token from the cache, or fetches one. Retries after transient failures of the token service.

use super::context::Context;
use super::operation::{Operation, Step};
use super::retry::{self, Backoff, Trouble};
use crate::auth::{Acquired, IssuedToken, Waited};
use crate::clock::Instant;
use crate::config::RetryPolicy;
use crate::error::{Error, Result};
use crate::wire::Answer;
use std::time::Duration;

/// Acquires a token, after any pause that an earlier failure caused.
#[derive(Debug)]
pub(crate) struct Acquire {
    context: Context,
    deadline: Instant,
    backoff: Backoff,
    /// The exchange that was waited for.
    waited: Option<Waited>,
    paused_until: Option<Instant>,
}

/// A token for the application.
pub(crate) fn token(context: &Context, deadline: Instant) -> Acquire {
    Acquire::new(context, context.retry, deadline)
}

impl Acquire {
    pub(super) fn new(context: &Context, policy: RetryPolicy, deadline: Instant) -> Acquire {
        Acquire { context: context.clone(), deadline, backoff: Backoff::new(policy), waited: None, paused_until: None }
    }

    /// Sets another deadline.
    pub(super) fn end_by(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// Starts over: a result of the earlier exchange no longer counts.
    pub(super) fn again(&mut self) {
        self.waited = None;
    }

    /// Pauses until this instant. Returns `false` if that leaves less than `needed` of the caller's time, or if the
    /// caller prefers an error to a wait.
    pub(super) fn rest_until(&mut self, moment: Instant, needed: Duration) -> bool {
        let patient = self.context.retry.most > 0 || self.deadline == Instant::NEVER;
        let in_time = patient && moment + needed < self.deadline;
        if in_time {
            self.paused_until = self.paused_until.max(Some(moment));
        }
        in_time
    }

    /// Pauses before the same request is sent once more, whatever the policy, because its reply is in doubt.
    pub(super) fn rest_to_confirm(&mut self, now: Instant, doubtful: &Error) {
        let pause = self.context.retry.delay.min(self.deadline.saturating_since(now) / 2);
        self.paused_until = Some(now + pause);
        self.again();
        self.context.log.warning(doubtful.correlation_vector(), || {
            format!("repeating the request in {} ms: {}", pause.as_millis(), doubtful.message())
        });
    }

    /// Pauses according to the policy after this failure. Returns `false` if the failure is final, or as for
    /// [`Acquire::rest_until`].
    pub(super) fn rest_after(&mut self, now: Instant, error: &Error, needed: Duration) -> bool {
        let Some(trouble) = Trouble::of(error) else { return false };
        let Some(pause) = self.backoff.pause(trouble, retry::random()) else { return false };
        let in_time = self.rest_until(now + pause, needed);
        if in_time {
            self.context.log.warning(error.correlation_vector(), || {
                format!("retrying in {} ms: {}", pause.as_millis(), error.message())
            });
        }
        in_time
    }
}

impl Operation for Acquire {
    type Outcome = Result<IssuedToken>;

    /// A failure of the exchange during the freeze no longer counts.
    fn thawed(&mut self, deadline: Instant) {
        (self.deadline, self.waited) = (deadline, None);
    }

    fn step(&mut self, now: Instant, _: Option<Answer>) -> Step<Result<IssuedToken>> {
        if let Some(until) = self.paused_until.filter(|until| now < *until) {
            return Step::SleepUntil(until);
        }
        self.paused_until = None;
        match self.context.tokens.acquire(now, self.waited) {
            Ok(Acquired::Token(issued)) => Step::Done(Ok(issued)),
            Ok(Acquired::Fetch(exchange)) => {
                self.waited = Some(exchange.waited());
                Step::FetchToken(exchange)
            }
            Ok(Acquired::Wait(other)) => {
                // Stepped twice, it still waits for its own exchange.
                let waited = self.waited.filter(|own| own.is_for_same(other)).unwrap_or(other);
                self.waited = Some(waited);
                Step::AwaitToken
            }
            Ok(Acquired::Starved(error)) if now >= self.deadline => Step::Done(Err(error)),
            Ok(Acquired::Starved(_)) => Step::AwaitToken,
            Ok(Acquired::Rest(until, error)) => {
                if self.rest_until(until, Duration::ZERO) {
                    Step::SleepUntil(until)
                } else {
                    Step::Done(Err(error))
                }
            }
            Err(error) => {
                self.waited = None;
                if !self.rest_after(now, &error, Duration::ZERO) {
                    return Step::Done(Err(error));
                }
                // All operations that failed together resume together, and one of them sends the request for all.
                let until = self.paused_until.take().unwrap_or(now);
                let until = self.context.tokens.rest_until(now, until, &error);
                if self.rest_until(until, Duration::ZERO) { self.step(now, None) } else { Step::Done(Err(error)) }
            }
        }
    }
}

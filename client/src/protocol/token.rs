//! Getting a token: from the cache, or by fetching one, again after a pause if the token service has a passing trouble.

use super::context::Context;
use super::operation::{Operation, Step};
use super::retry::{self, Backoff, Trouble};
use crate::auth::{Acquired, IssuedToken, Waited};
use crate::clock::Instant;
use crate::config::RetryPolicy;
use crate::error::{Error, Result};
use crate::wire::Answer;
use std::time::Duration;

/// A token, not before the pause is over that an earlier failure asked for.
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

    /// Asks anew, whoever was waited for before.
    pub(super) fn again(&mut self) {
        self.waited = None;
    }

    /// Rests until this moment. `false` if less than `needed` of the caller's time is left by then, or if it wants to be told
    /// rather than to wait.
    pub(super) fn rest_until(&mut self, moment: Instant, needed: Duration) -> bool {
        let patient = self.context.retry.most > 0 || self.deadline == Instant::NEVER;
        let in_time = patient && moment + needed < self.deadline;
        if in_time {
            self.paused_until = self.paused_until.max(Some(moment));
        }
        in_time
    }

    /// Rests as long as the policy has it after this failure. `false` if it is final, or as above.
    pub(super) fn rest_after(&mut self, now: Instant, error: &Error, needed: Duration) -> bool {
        let Some(trouble) = Trouble::of(error) else { return false };
        let Some(pause) = self.backoff.pause(trouble, retry::random()) else { return false };
        let in_time = self.rest_until(now + pause, needed);
        if in_time {
            self.context.log.warning(error.correlation_vector(), || {
                format!("{}; trying again in {} ms", error.message(), pause.as_millis())
            });
        }
        in_time
    }
}

impl Operation for Acquire {
    type Outcome = Result<IssuedToken>;

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
                // A step that is asked for twice still waits for its own.
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
                // All who failed together come back together: one of them asks for all.
                let until = self.paused_until.take().unwrap_or(now);
                let until = self.context.tokens.rest_until(now, until, &error);
                if self.rest_until(until, Duration::ZERO) { self.step(now, None) } else { Step::Done(Err(error)) }
            }
        }
    }
}

//! Stopping a session.

use super::call::{AuthorizedCall, CallOutcome};
use super::context::Context;
use super::operation::{Operation, Step};
use crate::clock::Instant;
use crate::error::Result;
use crate::model::SessionId;
use crate::wire::{Answer, Urgency};

/// The result of a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// The session had already ended: the service no longer knew it, or reported that it had ended.
    pub already_gone: bool,
}

/// Stops a session that this client has seen, so 404, 409 and 410 can only mean that it has gone. `earlier_lost`: an
/// earlier stop may have been carried out.
pub(crate) fn stop(context: &Context, id: &SessionId, earlier_lost: bool, deadline: Instant) -> Stop {
    let call = request(context, id, deadline).after_lost(earlier_lost);
    Stop { context: context.clone(), id: id.clone(), deadline, call, again_at: None }
}

fn request(context: &Context, id: &SessionId, deadline: Instant) -> AuthorizedCall {
    AuthorizedCall::new(context, "stopping the session", context.service.stop(id), deadline)
}

/// See [`stop`].
pub(crate) struct Stop {
    context: Context,
    id: SessionId,
    deadline: Instant,
    call: AuthorizedCall,
    /// The service did not know the session, so the stop is sent once more then: a single such reply may come from a
    /// gateway, or from a replica that does not know a new session yet.
    again_at: Option<Instant>,
}

impl Operation for Stop {
    type Outcome = Result<Stopped>;

    fn step(&mut self, now: Instant, mut answer: Option<Answer>) -> Step<Result<Stopped>> {
        loop {
            if let Some(again_at) = self.again_at.filter(|at| now < *at) {
                return Step::SleepUntil(again_at);
            }
            let answered = match self.call.step(now, answer.take()).outcome() {
                Err(step) => return step,
                Ok(CallOutcome::NotDone(error)) => return Step::Done(Err(error)),
                Ok(CallOutcome::Answered(answered)) => answered,
            };
            if !answered.says_gone() {
                return Step::Done(answered.done().map(|_| Stopped { already_gone: false }));
            }
            // Our own earlier attempt, whose reply was lost, may have ended it.
            let gone = Stopped { already_gone: !answered.earlier_lost };
            let again_at = now + self.context.retry.delay;
            if answered.status() != Some(404) || self.again_at.is_some() || again_at >= self.deadline {
                return Step::Done(Ok(gone));
            }
            self.call = request(&self.context, &self.id, self.deadline).after_lost(answered.earlier_lost);
            self.again_at = Some(again_at);
        }
    }

    fn maybe_done(&self) -> bool {
        self.call.maybe_done()
    }

    fn urgency(&self) -> Urgency {
        Urgency::Stop
    }

    fn thawed(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }
}

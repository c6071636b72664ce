//! Setting a session's total lease.

use super::call::{AuthorizedCall, CallOutcome, OneCall};
use super::context::Context;
use super::operation::{Operation, Step};
use super::read::properties;
use crate::clock::Instant;
use crate::error::{Error, Result};
use crate::model::{Lease, SessionId, SessionProperties};
use crate::wire::{Answer, Urgency};

const WHAT: &str = "extending the lease";

/// An update of the lease. Repeating it does no harm, but the service refuses the second one, because the lease no
/// longer grows. So if an earlier reply was lost, a refusal is checked against the session's properties.
pub(crate) struct UpdateLease {
    context: Context,
    id: SessionId,
    lease: Lease,
    deadline: Instant,
    state: UpdateState,
}

enum UpdateState {
    Updating(AuthorizedCall),
    /// The update was refused with this error, after an earlier one that may have been carried out.
    Checking(OneCall<SessionProperties>, Error),
}

/// Sets a session's total lease, which can only grow. `earlier_lost`: an earlier update to the same lease may have been
/// carried out.
pub(crate) fn update_lease(
    context: &Context,
    id: SessionId,
    lease: Lease,
    earlier_lost: bool,
    deadline: Instant,
) -> UpdateLease {
    let call = AuthorizedCall::new(context, WHAT, context.service.update_lease(&id, lease), deadline);
    let call = call.after_lost(earlier_lost).confirming_404();
    UpdateLease { context: context.clone(), id, lease, deadline, state: UpdateState::Updating(call) }
}

impl Operation for UpdateLease {
    fn maybe_done(&self) -> bool {
        match &self.state {
            UpdateState::Updating(call) => call.maybe_done(),
            UpdateState::Checking(..) => true,
        }
    }

    fn urgency(&self) -> Urgency {
        Urgency::Urgent
    }

    fn thawed(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// The session's properties, if the service returned them.
    type Outcome = Result<Option<SessionProperties>>;

    fn step(&mut self, now: Instant, mut answer: Option<Answer>) -> Step<Self::Outcome> {
        loop {
            match &mut self.state {
                UpdateState::Updating(call) => {
                    let outcome = match call.step(now, answer.take()).outcome() {
                        Ok(outcome) => outcome,
                        Err(step) => return step,
                    };
                    let answered = match outcome {
                        CallOutcome::NotDone(error) => return Step::Done(Err(error)),
                        CallOutcome::Answered(answered) => answered,
                    };
                    let doubtful = answered.earlier_lost && matches!(answered.status(), Some(400 | 409 | 422));
                    let error = match answered.done() {
                        Ok(reply) => return Step::Done(self.context.service.read_updated(&reply, &self.id)),
                        Err(error) if !doubtful => return Step::Done(Err(error)),
                        Err(error) => error,
                    };
                    let look = properties(&self.context, self.id.clone(), self.deadline);
                    self.state = UpdateState::Checking(look, error);
                }
                UpdateState::Checking(look, refused) => {
                    return match look.step(now, answer.take()).outcome() {
                        Ok(Ok(session)) if session.max_lease == Some(self.lease.duration()) => {
                            Step::Done(Ok(Some(session)))
                        }
                        // The lease is different: the earlier update was not carried out, or was superseded.
                        Ok(Ok(_)) => Step::Done(Err(refused.clone().clearly_not_done())),
                        Ok(Err(_)) => Step::Done(Err(refused.clone())),
                        Err(step) => step,
                    };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::protocol::tests::{World, at, reply};
    use crate::wire::Reply;
    use std::time::Duration;

    /// Runs an update whose first reply is a 503 and whose second has this status. A following read finds this lease.
    fn after_a_lost_reply(second: u16, found: &str) -> Result<Option<SessionProperties>> {
        let world = World::new();
        let lease = Lease::new(Duration::from_secs(5 * 3_600)).unwrap();
        let mut update = update_lease(&world.context, SessionId::parse("x").unwrap(), lease, false, at(60));
        let sent = |step: Step<Result<Option<SessionProperties>>>| match step {
            Step::Send(request) => request.method.as_str(),
            other => panic!("{other:?}"),
        };
        assert_eq!(sent(update.step(at(0), None)), "PATCH");
        let Step::SleepUntil(then) = update.step(at(0), Some(Ok(reply(503)))) else { panic!("503 is retried") };
        assert_eq!(sent(update.step(then, None)), "PATCH");
        match update.step(then, Some(Ok(reply(second)))) {
            Step::Done(outcome) => outcome,
            step => {
                assert_eq!(sent(step), "GET");
                let body = format!(r#"{{"sessionStatus":"Ready","sessionMaxLeaseTime":"{found}"}}"#);
                let look = Reply { body: body.into_bytes().into(), ..reply(200) };
                let Step::Done(outcome) = update.step(then, Some(Ok(look))) else { panic!("one read is enough") };
                outcome
            }
        }
    }

    #[test]
    fn an_update_refused_because_the_lost_one_was_carried_out_succeeds() {
        after_a_lost_reply(400, "05:00:00").unwrap();
        after_a_lost_reply(200, "").unwrap();
    }

    #[test]
    fn an_update_refused_for_another_reason_fails() {
        assert_eq!(after_a_lost_reply(400, "06:00:00").unwrap_err().kind(), ErrorKind::BadRequest);
        assert_eq!(after_a_lost_reply(409, "04:00:00").unwrap_err().kind(), ErrorKind::Conflict);
        assert_eq!(after_a_lost_reply(403, "").unwrap_err().kind(), ErrorKind::Forbidden);
    }
}

//! Stopping a session.

use super::call::{AuthorizedCall, CallOutcome, OneCall};
use super::context::Context;
use crate::clock::Instant;
use crate::model::SessionId;

/// The result of a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// The session had already ended: the service no longer knew it, or reported that it had ended.
    pub already_gone: bool,
}

/// Stops a session that this client has seen, so 404, 409 and 410 can only mean that it has gone. `earlier_lost`: an
/// earlier stop may have been carried out.
pub(crate) fn stop(context: &Context, id: &SessionId, earlier_lost: bool, deadline: Instant) -> OneCall<Stopped> {
    let call = AuthorizedCall::new(context, "stopping the session", context.service.stop(id), deadline);
    OneCall::new(call.after_lost(earlier_lost).confirming_404(), |outcome| match outcome {
        CallOutcome::NotDone(error) => Err(error),
        // Our own earlier attempt, whose reply was lost, may have ended it.
        CallOutcome::Answered(it) if it.says_gone() => Ok(Stopped { already_gone: !it.earlier_lost }),
        CallOutcome::Answered(it) => it.done().map(|_| Stopped { already_gone: false }),
    })
}

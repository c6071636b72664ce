//! Stopping a session.

use super::call::{AuthorizedCall, CallOutcome, OneCall};
use super::context::Context;
use crate::clock::Instant;
use crate::model::SessionId;

/// How a stop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// The session had ended before: the service did not know it any more, or said that it has ended.
    pub already_gone: bool,
}

/// Stops a session that this client has seen, so that 404, 409 and 410 can only mean that it is gone. `earlier_lost`: an
/// earlier stop may have been carried out.
pub(crate) fn stop(context: &Context, id: &SessionId, earlier_lost: bool, deadline: Instant) -> OneCall<Stopped> {
    const WHAT: &str = "stopping the session";
    let call = AuthorizedCall::new(context, WHAT, context.service.stop(id), deadline).after_lost(earlier_lost);
    OneCall::new(call, move |outcome| match outcome {
        CallOutcome::Answered(answered) if matches!(answered.status(), Some(404 | 409 | 410)) => {
            // It may have been our own earlier try, whose answer was lost, that ended it.
            Ok(Stopped { already_gone: !answered.earlier_lost })
        }
        outcome => outcome.success().map(|_| Stopped { already_gone: false }),
    })
}

//! Stopping a session.

use super::Context;
use super::call::{Call, CallOutcome, OneCall};
use crate::clock::Instant;
use crate::session::SessionId;

/// How a stop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The session had ended before: the service did not know it any more, or said that it has ended.
    pub already_gone: bool,
}

/// Stops a session that this client has seen, so that 404, 409 and 410 can only mean that it is gone.
pub(crate) fn stop(context: &Context, id: &SessionId, deadline: Instant) -> OneCall<Stopped> {
    const WHAT: &str = "stopping the session";
    let call = Call::new(context, WHAT, context.service.stop(id), deadline).urgent();
    OneCall::new(call, move |outcome| {
        // It was our own earlier try, whose answer was lost, that ended it.
        let by_us = matches!(outcome, CallOutcome::Answered { earlier_lost: true, .. });
        let reply = outcome.reply(WHAT)?;
        match reply.status {
            200..=299 => Ok(Stopped { already_gone: false }),
            404 | 409 | 410 => Ok(Stopped { already_gone: !by_us }),
            _ => Err(reply.error(WHAT)),
        }
    })
}

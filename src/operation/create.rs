//! Creating a session.

use super::Context;
use super::call::{Call, CallOutcome, OneCall};
use crate::clock::Instant;
use crate::error::{Error, ErrorKind};
use crate::session::{NewSession, SessionProperties};
use std::sync::Arc;

/// Creates a session. With REST v1 a create is sent again only if it certainly was not carried out: a lost answer may have
/// made a session.
pub(crate) fn create(context: &Context, new: NewSession, deadline: Instant) -> OneCall<SessionProperties> {
    const WHAT: &str = "creating the session";
    let service = Arc::clone(&context.service);
    let call = Call::new(context, WHAT, service.create(&new), deadline);
    OneCall::new(call, move |outcome| match outcome {
        CallOutcome::NotDone(error) => Err(error),
        CallOutcome::Answered { answer: Ok(reply), .. } => match service.read_created(&reply, &new) {
            Err(error) if !(400..500).contains(&reply.status) || reply.status == 408 => Err(unknown_outcome(error)),
            other => other,
        },
        CallOutcome::Answered { answer: Err(failure), .. } if failure.never_sent => Err(failure.into_error(WHAT)),
        CallOutcome::Answered { answer: Err(failure), .. } => Err(unknown_outcome(failure.into_error(WHAT))),
    })
}

fn unknown_outcome(error: Error) -> Error {
    let message = format!(
        "{error}. The create was sent and a session may be running, and costing, under an id that is not known here: list \
         the account's sessions before creating another",
    );
    error.retold(ErrorKind::OutcomeUnknown, message)
}

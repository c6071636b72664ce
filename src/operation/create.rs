//! Creating a session.

use super::Context;
use super::call::{Call, CallOutcome, OneCall};
use crate::clock::Instant;
use crate::error::{Error, ErrorKind, Result};
use crate::session::{NewSession, SessionId, SessionProperties};
use std::sync::Arc;

/// Creates a session that the service's version has prepared. Where the service chooses the id (REST v1), a create is sent
/// again only if it certainly was not carried out: a lost answer may have made a session.
pub(crate) fn create(context: &Context, new: NewSession, deadline: Instant) -> OneCall<SessionProperties> {
    const WHAT: &str = "creating the session";
    let service = Arc::clone(&context.service);
    let call = Call::new(context, WHAT, service.create(&new), deadline);
    OneCall::new(call, move |outcome| {
        let answered = match outcome {
            CallOutcome::NotDone(error) => return Err(error),
            CallOutcome::Answered(answered) => answered,
        };
        let created: Result<SessionProperties> = match &answered.answer {
            // A success without a usable id is none: nobody knows what was made.
            Ok(reply) if reply.is_success() => service
                .read_created(reply, &new)
                .map_err(|error| if error.kind() == ErrorKind::Conflict { error } else { error.maybe_done(true) }),
            Ok(reply) if reply.status == 409 => return service.read_created(reply, &new),
            // A redirect is no answer that a service gives: who knows what it did.
            Ok(reply) if reply.status < 400 => Err(reply.error(WHAT).maybe_done(true)),
            _ => answered.success().and_then(|reply| service.read_created(&reply, &new)),
        };
        created
            .map_err(|error| if error.is_outcome_unknown() { unknown_outcome(error, new.id.as_ref()) } else { error })
    })
}

fn unknown_outcome(error: Error, id: Option<&SessionId>) -> Error {
    let message = match id {
        Some(id) => format!(
            "{error}. The create was sent and session {id} may be running, and costing: create it again under this id, \
             open it, or stop it",
        ),
        None => format!(
            "{error}. The create was sent and a session may be running, and costing, under an id that is not known here: \
             list the account's sessions before creating another",
        ),
    };
    error.retold(ErrorKind::OutcomeUnknown, message)
}

//! Creating a session.

use super::Context;
use super::call::{Call, CallOutcome, OneCall};
use crate::clock::Instant;
use crate::error::{Error, ErrorKind};
use crate::session::{NewSession, SessionId, SessionProperties};
use std::sync::Arc;

/// Creates a session that the service's version has prepared. Where the service chooses the id (REST v1), a create is sent
/// again only if it certainly was not carried out: a lost answer may have made a session.
pub(crate) fn create(context: &Context, new: NewSession, deadline: Instant) -> OneCall<SessionProperties> {
    const WHAT: &str = "creating the session";
    let service = Arc::clone(&context.service);
    let call = Call::new(context, WHAT, service.create(&new), deadline);
    OneCall::new(call, move |outcome| match outcome {
        CallOutcome::NotDone(error) => Err(error),
        CallOutcome::Answered { answer: Ok(reply), earlier_lost } => match service.read_created(&reply, &new) {
            Err(error) if error.kind() == ErrorKind::Conflict => Err(error),
            Err(error) if earlier_lost || !(400..500).contains(&reply.status) || reply.status == 408 => {
                Err(unknown_outcome(error, new.id.as_ref()))
            }
            other => other,
        },
        CallOutcome::Answered { answer: Err(failure), earlier_lost } if failure.never_sent && !earlier_lost => {
            Err(failure.into_error(WHAT))
        }
        CallOutcome::Answered { answer: Err(failure), .. } => {
            Err(unknown_outcome(failure.into_error(WHAT), new.id.as_ref()))
        }
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

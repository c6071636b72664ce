//! Creating a session.

use super::call::{AuthorizedCall, CallOutcome, OneCall};
use super::context::Context;
use crate::clock::Instant;
use crate::error::{Error, ErrorKind};
use crate::model::{NewSession, SessionId, SessionProperties};
use std::sync::Arc;

/// The result of a create.
#[derive(Debug)]
pub(crate) struct Created {
    pub(crate) session: SessionProperties,
    /// The session already existed under the given id with the same settings, so another client may own it.
    pub(crate) existed: bool,
}

/// Creates a session with parameters prepared for the service's API version. Where the service chooses the id (REST
/// v1), a create is retried only if it certainly was not carried out: a create whose reply was lost may have made a
/// session. `made_up`: this client generated the id, so no other client can be using it.
pub(crate) fn create(context: &Context, new: NewSession, made_up: bool, deadline: Instant) -> OneCall<Created> {
    const WHAT: &str = "creating the session";
    let service = Arc::clone(&context.service);
    let call = AuthorizedCall::new(context, WHAT, service.create(&new), deadline);
    OneCall::new(call, move |outcome| {
        let created = match outcome {
            CallOutcome::NotDone(error) => Err(error),
            CallOutcome::Answered(answered) => {
                let earlier_lost = answered.earlier_lost;
                match &answered.answer {
                    // A success without a usable id is a failure: the session exists, but its id is unknown.
                    Ok(reply) if reply.is_success() => service
                        .read_created(reply, &new)
                        .map(|session| Created { session, existed: reply.status == 200 && !earlier_lost && !made_up })
                        .map_err(|error| {
                            let taken = error.kind() == ErrorKind::Conflict && !made_up;
                            error.maybe_done(!taken)
                        }),
                    // A generated id can be in use only because of the attempt whose reply was lost.
                    Ok(reply) if reply.status == 409 => match service.read_created(reply, &new) {
                        Err(error) => Err(error.maybe_done(made_up && earlier_lost)),
                        Ok(session) => Ok(Created { session, existed: false }),
                    },
                    // The service never replies with a redirect, so its effect is unknown.
                    Ok(reply) if reply.status < 400 => Err(reply.error(WHAT).maybe_done(true)),
                    _ => answered.success().and_then(|reply| {
                        service.read_created(&reply, &new).map(|session| Created { session, existed: false })
                    }),
                }
            }
        };
        created
            .map_err(|error| if error.is_outcome_unknown() { unknown_outcome(error, new.id.as_ref()) } else { error })
    })
}

/// The error of a create that may have been carried out.
pub(crate) fn unknown_outcome(error: Error, id: Option<&SessionId>) -> Error {
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
    error.recast(ErrorKind::OutcomeUnknown, message)
}

//! Creating a session.

use super::call::{AuthorizedCall, CallOutcome, OneCall};
use super::context::Context;
use crate::clock::Instant;
use crate::error::{Error, ErrorKind};
use crate::model::{NewSession, SessionId, SessionProperties};
use crate::wire::Reply;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// The result of a create.
#[derive(Debug)]
pub(crate) struct Created {
    pub(crate) session: SessionProperties,
    /// The session already existed under the given id with the same settings, so another client may own it.
    pub(crate) existed: bool,
    /// It counts as existing, but may have been made by an earlier attempt whose reply was lost.
    pub(crate) maybe_made: bool,
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
                        .map(|session| {
                            let found = reply.status == 200 && !made_up;
                            let made = answered.since_lost.map(|since| made(reply, &session, since));
                            Created {
                                existed: found && made != Some(Made::Ours),
                                maybe_made: found && made == Some(Made::Unclear),
                                session,
                            }
                        })
                        .map_err(|error| {
                            let taken = error.kind() == ErrorKind::Conflict && !made_up;
                            error.maybe_done(!taken)
                        }),
                    // A generated id can be in use only because of the attempt whose reply was lost.
                    Ok(reply) if reply.status == 409 => match service.read_created(reply, &new) {
                        Err(error) => Err(error.maybe_done(made_up && earlier_lost)),
                        Ok(session) => Ok(Created::new(session)),
                    },
                    // The service never replies with a redirect, so its effect is unknown.
                    Ok(reply) if reply.status < 400 => Err(reply.error(WHAT).maybe_done(true)),
                    _ => answered.success().and_then(|reply| service.read_created(&reply, &new).map(Created::new)),
                }
            }
        };
        created
            .map_err(|error| if error.is_outcome_unknown() { unknown_outcome(error, new.id.as_ref()) } else { error })
    })
}

impl Created {
    fn new(session: SessionProperties) -> Created {
        Created { session, existed: false, maybe_made: false }
    }
}

/// Which client made a session under a given id.
#[derive(Debug, PartialEq, Eq)]
enum Made {
    /// This one, by an earlier attempt whose reply was lost.
    Ours,
    /// Another one, before that attempt.
    Theirs,
    Unclear,
}

/// Compares when the session was created with when the first attempt was sent, `since_lost` ago, by the service's clock.
fn made(reply: &Reply, session: &SessionProperties, since_lost: Duration) -> Made {
    /// `Date` has whole seconds.
    const UNIT: Duration = Duration::from_secs(1);
    /// It may be another machine's.
    const TOLERANCE: Duration = Duration::from_secs(1);
    let created = session.creation_time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    match (created, reply.date()) {
        (Some(created), Some(date)) if created + TOLERANCE < date.saturating_sub(since_lost) => Made::Theirs,
        (Some(created), Some(date)) if created > date.saturating_sub(since_lost) + UNIT + TOLERANCE => Made::Ours,
        _ => Made::Unclear,
    }
}

/// The error of a create that may have been carried out.
pub(crate) fn unknown_outcome(error: Error, id: Option<&SessionId>) -> Error {
    let message = match id {
        Some(id) => format!(
            "session {id} may be running and costing money, because its create was sent: create it again under this \
             id, open it, or stop it ({error})"
        ),
        None => format!(
            "a session with an unknown id may be running and costing money, because its create was sent: list the \
             account's sessions before creating another ({error})"
        ),
    };
    error.recast(ErrorKind::OutcomeUnknown, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Lease, SessionSize};
    use crate::protocol::tests::reply;

    /// `Date` is 10 s after midnight, and the first attempt was sent 5 s before the reply arrived.
    #[test]
    fn a_session_counts_as_made_by_a_lost_attempt_only_if_that_is_certain() {
        let new = NewSession::new(SessionSize::Standard, Lease::from_secs(60).unwrap());
        let reply = Reply { date: Some("Thu, 01 Jan 1970 00:00:10 GMT".into()), ..reply(200) };
        let at = |created: Option<u64>| {
            let creation_time = created.map(|ms| UNIX_EPOCH + Duration::from_millis(ms));
            let session = SessionProperties::created(SessionId::parse("x").unwrap(), &new);
            made(&reply, &SessionProperties { creation_time, ..session }, Duration::from_secs(5))
        };
        assert_eq!([at(Some(0)), at(Some(3_999))], [Made::Theirs, Made::Theirs]);
        assert_eq!([at(Some(4_000)), at(Some(7_000)), at(None)], [Made::Unclear, Made::Unclear, Made::Unclear]);
        assert_eq!(at(Some(7_001)), Made::Ours);
    }
}

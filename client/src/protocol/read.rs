//! Reading a session's properties.

use super::call::{AuthorizedCall, OneCall};
use super::context::Context;
use crate::clock::Instant;
use crate::model::{SessionId, SessionProperties};
use std::sync::Arc;

const WHAT: &str = "reading the session's properties";

/// Reads a session's properties, with retries.
pub(crate) fn properties(context: &Context, id: SessionId, deadline: Instant) -> OneCall<SessionProperties> {
    read(context, retried(context, &id, deadline).confirming_404(), id)
}

/// As [`properties`], for callers that confirm a 404 themselves.
pub(crate) fn properties_unconfirmed(
    context: &Context,
    id: SessionId,
    deadline: Instant,
) -> OneCall<SessionProperties> {
    read(context, retried(context, &id, deadline), id)
}

fn retried(context: &Context, id: &SessionId, deadline: Instant) -> AuthorizedCall {
    AuthorizedCall::new(context, WHAT, context.service.properties(id), deadline)
}

/// Reads them with a single attempt, for callers that poll anyway.
pub(crate) fn properties_once(context: &Context, id: SessionId) -> OneCall<SessionProperties> {
    read(context, AuthorizedCall::once(context, WHAT, context.service.properties(&id)), id)
}

fn read(context: &Context, call: AuthorizedCall, id: SessionId) -> OneCall<SessionProperties> {
    let service = Arc::clone(&context.service);
    OneCall::new(call, move |outcome| service.read_properties(&outcome.success()?, &id))
}

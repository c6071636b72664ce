//! Reading: opening a session, its properties, and the account's list.

use super::super::account::{Account, KnownSession};
use super::super::state::SessionState;
use super::immediate::Immediate;
use crate::clock::Instant;
use crate::error::{ErrorKind, Result};
use crate::model::{ReplyText, SessionId, SessionProperties};
use crate::protocol::{self, Operation};
use std::sync::Arc;

/// An entry of [`Client::list_sessions`](crate::Client::list_sessions).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ListedSession {
    /// The properties that the service reports.
    pub properties: SessionProperties,
    /// Whether this client created or opened it. Accounts are often shared: other people may be using the other
    /// sessions.
    pub known_to_client: bool,
}

/// Opens an existing session.
pub(in crate::client) fn open(
    account: &Arc<Account>,
    id: &SessionId,
    deadline: Instant,
) -> impl Operation<Outcome = Result<KnownSession>> + Send + use<> {
    let id = account.registry.spelled(id);
    let known = account.registry.find(&id).map(|state| (state.epoch(), state));
    let stops = account.registry.stops();
    let account = Arc::clone(account);
    let read = protocol::properties(&account.context, id.clone(), deadline);
    read.then(move |found: Result<SessionProperties>| {
        let found = found.map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                let target = &account.context.service.target;
                let message = format!(
                    "session {id} is not known to account {} at {}; check the id, the account and the endpoint",
                    target.account_id.as_str(),
                    target.endpoint
                );
                error.recast(ErrorKind::NotFound, message)
            }
            _ => error,
        })?;
        let state = match known {
            Some((epoch, state)) => {
                account.was_read(&state, epoch, found);
                state
            }
            None => account.found(found, stops),
        };
        Ok(KnownSession { account, state })
    })
}

/// The account's sessions that have not ended.
pub(in crate::client) fn list(
    account: &Arc<Account>,
    deadline: Instant,
) -> impl Operation<Outcome = Result<Vec<ListedSession>>> + Send + use<> {
    let (list, account) = (account.list(deadline), Arc::clone(account));
    list.then(move |sessions: Result<Vec<SessionProperties>>| {
        let listed = |properties: SessionProperties| ListedSession {
            known_to_client: account.registry.knows(&properties.id),
            // The application may keep the list for a long time.
            properties: SessionProperties { reply: ReplyText::default(), ..account.registry.complete(properties) },
        };
        Ok(sessions?.into_iter().map(listed).collect())
    })
}

/// Reads a session's properties.
pub(in crate::client) fn properties(
    account: &Arc<Account>,
    state: &Arc<SessionState>,
    deadline: Instant,
) -> impl Operation<Outcome = Result<SessionProperties>> + Send + use<> {
    let (account, state, epoch) = (Arc::clone(account), Arc::clone(state), state.epoch());
    let read = protocol::properties(&account.context, state.id().clone(), deadline);
    read.then(move |read: Result<SessionProperties>| Ok(account.was_read(&state, epoch, read?)))
}

/// Returns the cached properties if they are current; otherwise reads them.
pub(in crate::client) fn cached_properties(
    account: &Arc<Account>,
    state: &Arc<SessionState>,
    deadline: Instant,
) -> Box<dyn Operation<Outcome = Result<SessionProperties>> + Send> {
    let now = account.core.now();
    match state.current(now) {
        Some(current) => Box::new(Immediate::new(Ok(current))),
        None => Box::new(properties(account, state, deadline)),
    }
}

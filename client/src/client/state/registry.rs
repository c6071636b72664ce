//! The sessions that a client knows: which of them it created, and the state that all handles of one session share.

use super::session::SessionState;
use crate::clock::lock;
use crate::error::{Error, Result};
use crate::journal::RecordId;
use crate::model::{SessionId, SessionProperties, SessionSize};
use crate::protocol::Stopped;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

#[derive(Debug, Default)]
pub(in crate::client) struct Registry {
    sessions: Mutex<HashMap<SessionId, Known>>,
    /// The count of completed stops.
    stops: AtomicU64,
    /// The creates whose reply was lost, each with the sessions that it may have made.
    undecided: Mutex<Vec<(RecordId, Vec<SessionId>)>>,
    /// The count of changes that affect a list.
    changes: AtomicU64,
}

#[derive(Debug, Default)]
struct Known {
    /// This client created it, and is responsible for stopping it.
    created: bool,
    ended: bool,
    /// A stop was sent, and its reply was lost.
    may_be_stopped: bool,
    /// The requested size: services have been seen to leave it out.
    size: Option<SessionSize>,
    /// The state shared by its handles, while there are any.
    state: Weak<SessionState>,
}

impl Known {
    /// The id may be that of an earlier session that has ended.
    fn is_created(&mut self) {
        (self.created, self.ended, self.may_be_stopped) = (true, false, false);
    }

    fn is_own(&self) -> bool {
        self.created && !self.ended
    }
}

impl Registry {
    /// Registers a session that this client created.
    pub(in crate::client) fn created(&self, session: SessionState, size: Option<SessionSize>) -> Arc<SessionState> {
        let id = session.id().clone();
        let state = self.keep(session, true);
        if let Some(known) = lock(&self.sessions).get_mut(&id) {
            known.size = size;
        }
        state
    }

    /// Registers a session that this client opened. If it has handles already, their state is kept and shared.
    pub(in crate::client) fn opened(&self, session: SessionState) -> Arc<SessionState> {
        self.keep(session, false)
    }

    fn keep(&self, session: SessionState, created: bool) -> Arc<SessionState> {
        self.changed();
        let mut sessions = lock(&self.sessions);
        let known = sessions.entry(session.id().clone()).or_default();
        if created {
            known.is_created();
        }
        known.state.upgrade().unwrap_or_else(|| {
            let state = Arc::new(session);
            known.state = Arc::downgrade(&state);
            state
        })
    }

    /// Registers a session that this client requested under this id and that may have been created.
    pub(in crate::client) fn claim(&self, id: &SessionId) {
        self.changed();
        lock(&self.sessions).entry(id.clone()).or_default().is_created();
    }

    /// The state shared by the handles of a session, if there are any.
    pub(in crate::client) fn find(&self, id: &SessionId) -> Option<Arc<SessionState>> {
        lock(&self.sessions).get(id)?.state.upgrade()
    }

    /// Whether this client created or opened it.
    pub(in crate::client) fn knows(&self, id: &SessionId) -> bool {
        lock(&self.sessions).contains_key(id)
    }

    /// The sessions that this client created and that have not ended, as far as it knows.
    pub(in crate::client) fn own(&self) -> Vec<SessionId> {
        let sessions = lock(&self.sessions);
        let own = sessions.iter().filter(|(_, known)| known.is_own());
        own.map(|(id, _)| id.clone()).collect()
    }

    /// Whether this client created it and it has not ended, as far as it knows.
    pub(in crate::client) fn owns(&self, id: &SessionId) -> bool {
        lock(&self.sessions).get(id).is_some_and(Known::is_own)
    }

    /// Adds the size from the create if the service left it out.
    pub(in crate::client) fn complete(&self, properties: SessionProperties) -> SessionProperties {
        let size = properties.size.or_else(|| lock(&self.sessions).get(&properties.id)?.size.clone());
        SessionProperties { size, ..properties }
    }

    /// Counts changes that affect a list: new sessions, updates, and stops.
    pub(in crate::client) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Counts a change that affects a list: a list requested earlier predates it.
    pub(in crate::client) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// The count of completed stops. If it has changed since a read began, the read may predate a stop.
    pub(in crate::client) fn stops(&self) -> u64 {
        self.stops.load(Ordering::Acquire)
    }

    /// Whether a stop was sent whose reply was lost.
    pub(in crate::client) fn may_be_stopped(&self, id: &SessionId) -> bool {
        lock(&self.sessions).get(id).is_some_and(|known| known.may_be_stopped)
    }

    /// Records the outcome of a stop.
    pub(in crate::client) fn stop_ended(&self, id: &SessionId, outcome: &Result<Stopped>) {
        self.stops.fetch_add(1, Ordering::AcqRel);
        self.changed();
        if let Some(known) = lock(&self.sessions).get_mut(id) {
            known.may_be_stopped |= outcome.as_ref().is_err_and(Error::is_outcome_unknown);
        }
    }

    /// Records that a create whose reply was lost may have made one of these sessions.
    pub(in crate::client) fn undecided(&self, create: RecordId, candidates: Vec<SessionId>) {
        if !candidates.is_empty() {
            lock(&self.undecided).push((create, candidates));
        }
    }

    /// A session has ended. Returns the creates without a remaining candidate: the session they made, if any, has ended
    /// too.
    pub(in crate::client) fn decided(&self, id: &SessionId) -> Vec<RecordId> {
        let mut undecided = lock(&self.undecided);
        undecided.iter_mut().for_each(|(_, candidates)| candidates.retain(|candidate| candidate != id));
        undecided.extract_if(.., |(_, candidates)| candidates.is_empty()).map(|(create, _)| create).collect()
    }

    /// Marks a session as ended. Returns whether that is new.
    pub(in crate::client) fn ended(&self, id: &SessionId) -> bool {
        lock(&self.sessions).get_mut(id).is_some_and(|known| !std::mem::replace(&mut known.ended, true))
    }
}

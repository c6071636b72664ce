//! The sessions that a client knows: which of them it created, and what all handles of one session share.

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
    /// How many stops have ended.
    stops: AtomicU64,
    /// The creates whose answer was lost, and the sessions of which each may have made one.
    undecided: Mutex<Vec<(RecordId, Vec<SessionId>)>>,
    /// How often something was done that a list shows.
    changes: AtomicU64,
}

#[derive(Debug, Default)]
struct Known {
    /// This client created it, so stopping it is this client's business.
    created: bool,
    ended: bool,
    /// A stop was sent, and its answer was lost.
    may_be_stopped: bool,
    /// What was asked for: services have been seen to leave it out.
    size: Option<SessionSize>,
    /// What its handles share, while there are any.
    state: Weak<SessionState>,
}

impl Known {
    /// Perhaps again, under an id whose session had ended.
    fn is_created(&mut self) {
        (self.created, self.ended, self.may_be_stopped) = (true, false, false);
    }

    fn is_own(&self) -> bool {
        self.created && !self.ended
    }
}

impl Registry {
    /// A session that this client created.
    pub(in crate::client) fn created(&self, session: SessionState, size: Option<SessionSize>) -> Arc<SessionState> {
        let id = session.id().clone();
        let state = self.keep(session, true);
        if let Some(known) = lock(&self.sessions).get_mut(&id) {
            known.size = size;
        }
        state
    }

    /// A session that this client opened. If there are handles of it already, they stay as they are, and this one shares
    /// with them.
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

    /// A session that this client has asked for under this id, and that may have been created.
    pub(in crate::client) fn claim(&self, id: &SessionId) {
        self.changed();
        lock(&self.sessions).entry(id.clone()).or_default().is_created();
    }

    /// What the handles of a session share, if there are any.
    pub(in crate::client) fn find(&self, id: &SessionId) -> Option<Arc<SessionState>> {
        lock(&self.sessions).get(id)?.state.upgrade()
    }

    /// Whether this client created or opened it.
    pub(in crate::client) fn knows(&self, id: &SessionId) -> bool {
        lock(&self.sessions).contains_key(id)
    }

    /// The sessions that this client created and that have not ended as far as it knows.
    pub(in crate::client) fn own(&self) -> Vec<SessionId> {
        let sessions = lock(&self.sessions);
        let own = sessions.iter().filter(|(_, known)| known.is_own());
        own.map(|(id, _)| id.clone()).collect()
    }

    /// Whether this client created it, and it has not ended as far as it knows.
    pub(in crate::client) fn owns(&self, id: &SessionId) -> bool {
        lock(&self.sessions).get(id).is_some_and(Known::is_own)
    }

    /// What the service left out and this client knows.
    pub(in crate::client) fn complete(&self, properties: SessionProperties) -> SessionProperties {
        let size = properties.size.or_else(|| lock(&self.sessions).get(&properties.id)?.size.clone());
        SessionProperties { size, ..properties }
    }

    /// Counts what changes a list: sessions that came, updates, and stops.
    pub(in crate::client) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Something was done that a list shows: one that was asked for before tells of the time before.
    pub(in crate::client) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// How many stops have ended: if there were more in between, what was read may tell of the time before.
    pub(in crate::client) fn stops(&self) -> u64 {
        self.stops.load(Ordering::Acquire)
    }

    /// Whether a stop was sent whose answer was lost.
    pub(in crate::client) fn may_be_stopped(&self, id: &SessionId) -> bool {
        lock(&self.sessions).get(id).is_some_and(|known| known.may_be_stopped)
    }

    /// A stop has ended so.
    pub(in crate::client) fn stop_ended(&self, id: &SessionId, outcome: &Result<Stopped>) {
        self.stops.fetch_add(1, Ordering::AcqRel);
        self.changed();
        if let Some(known) = lock(&self.sessions).get_mut(id) {
            known.may_be_stopped |= outcome.as_ref().is_err_and(Error::is_outcome_unknown);
        }
    }

    /// One of these sessions may be what a create has made whose answer was lost.
    pub(in crate::client) fn undecided(&self, create: RecordId, candidates: Vec<SessionId>) {
        if !candidates.is_empty() {
            lock(&self.undecided).push((create, candidates));
        }
    }

    /// A session has ended. Returns the creates that have no candidate left: whatever they made has ended too.
    pub(in crate::client) fn decided(&self, id: &SessionId) -> Vec<RecordId> {
        let mut undecided = lock(&self.undecided);
        undecided.iter_mut().for_each(|(_, candidates)| candidates.retain(|candidate| candidate != id));
        undecided.extract_if(.., |(_, candidates)| candidates.is_empty()).map(|(create, _)| create).collect()
    }

    /// A session has ended. Whether that is new.
    pub(in crate::client) fn ended(&self, id: &SessionId) -> bool {
        lock(&self.sessions).get_mut(id).is_some_and(|known| !std::mem::replace(&mut known.ended, true))
    }
}

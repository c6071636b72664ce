//! The sessions that a client knows: which of them it created, and what all handles of one session share.

use super::session::Shared;
use crate::clock::lock;
use crate::session::SessionId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

#[derive(Debug, Default)]
pub(super) struct Registry {
    sessions: Mutex<HashMap<SessionId, Known>>,
}

#[derive(Debug, Default)]
struct Known {
    /// This client created it, so stopping it is this client's business.
    created: bool,
    ended: bool,
    /// What its handles share, while there are any.
    shared: Weak<Shared>,
}

impl Registry {
    /// A session that this client created.
    pub(super) fn created(&self, session: Shared) -> Arc<Shared> {
        self.keep(session, true)
    }

    /// A session that this client opened. If there are handles of it already, they stay as they are, and this one shares
    /// with them.
    pub(super) fn opened(&self, session: Shared) -> Arc<Shared> {
        self.keep(session, false)
    }

    fn keep(&self, session: Shared, created: bool) -> Arc<Shared> {
        let mut sessions = lock(&self.sessions);
        let known = sessions.entry(session.id().clone()).or_default();
        known.created |= created;
        known.shared.upgrade().unwrap_or_else(|| {
            let shared = Arc::new(session);
            known.shared = Arc::downgrade(&shared);
            shared
        })
    }

    /// A session that this client has asked for under this id, and that may have been created.
    pub(super) fn claim(&self, id: &SessionId) {
        lock(&self.sessions).entry(id.clone()).or_default().created = true;
    }

    /// What the handles of a session share, if there are any.
    pub(super) fn find(&self, id: &SessionId) -> Option<Arc<Shared>> {
        lock(&self.sessions).get(id)?.shared.upgrade()
    }

    /// Whether this client created or opened it.
    pub(super) fn knows(&self, id: &SessionId) -> bool {
        lock(&self.sessions).contains_key(id)
    }

    /// The sessions that this client created and that have not ended as far as it knows.
    pub(super) fn own(&self) -> Vec<SessionId> {
        let sessions = lock(&self.sessions);
        let own = sessions.iter().filter(|(_, known)| known.created && !known.ended);
        own.map(|(id, _)| id.clone()).collect()
    }

    /// A session has ended, or was asked to.
    pub(super) fn ended(&self, id: &SessionId) {
        if let Some(known) = lock(&self.sessions).get_mut(id) {
            known.ended = true;
        }
    }
}

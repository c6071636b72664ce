//! The sessions that a client knows: which of them it created, and the state that all handles of one session share.

use super::session::SessionState;
use crate::clock::{Instant, lock};
use crate::config::ApiVersion;
use crate::error::{Error, Result};
use crate::journal::RecordId;
use crate::model::{SessionId, SessionKey, SessionProperties, SessionSize};
use crate::protocol::Stopped;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

#[derive(Debug)]
pub(in crate::client) struct Registry {
    /// Decides which ids are the same.
    version: ApiVersion,
    sessions: Mutex<HashMap<SessionKey, Known>>,
    /// The count of completed stops.
    stops: AtomicU64,
    /// The creates whose reply was lost, each with the sessions that it may have made.
    undecided: Mutex<Vec<(RecordId, Vec<SessionKey>)>>,
    /// The sessions in the latest list, or opened since: those that existed before what is created now.
    seen: Mutex<Arc<HashSet<SessionKey>>>,
    /// The count of changes that affect a list.
    changes: AtomicU64,
}

#[derive(Debug)]
struct Known {
    /// As the service or the caller spelled it first.
    id: SessionId,
    /// This client created it, and is responsible for stopping it.
    created: bool,
    ended: bool,
    /// It was never seen, and its create may arrive until then.
    may_arrive_until: Option<Instant>,
    /// A stop was sent, and its reply was lost.
    may_be_stopped: bool,
    /// The requested size, for services that leave it out.
    size: Option<SessionSize>,
    /// The state shared by its handles, while there are any.
    state: Weak<SessionState>,
}

impl Known {
    fn of(id: &SessionId) -> Known {
        Known {
            id: id.clone(),
            created: false,
            ended: false,
            may_arrive_until: None,
            may_be_stopped: false,
            size: None,
            state: Weak::new(),
        }
    }

    /// The id may be that of an earlier session that has ended.
    fn is_created(&mut self) {
        (self.created, self.ended, self.may_be_stopped) = (true, false, false);
        self.may_arrive_until = None;
    }

    fn is_own(&self) -> bool {
        self.created && !self.ended
    }
}

impl Registry {
    pub(in crate::client) fn new(version: ApiVersion) -> Registry {
        Registry {
            version,
            sessions: Mutex::default(),
            stops: AtomicU64::default(),
            undecided: Mutex::default(),
            seen: Mutex::default(),
            changes: AtomicU64::default(),
        }
    }

    fn key(&self, id: &SessionId) -> SessionKey {
        id.key(self.version)
    }

    /// The id as it is sent: as it was first received, or else as the caller spelled it.
    pub(in crate::client) fn spelled(&self, id: &SessionId) -> SessionId {
        lock(&self.sessions).get(&self.key(id)).map_or_else(|| id.clone(), |known| known.id.clone())
    }

    /// Registers a session that this client created.
    pub(in crate::client) fn created(&self, session: SessionState, size: Option<SessionSize>) -> Arc<SessionState> {
        let id = session.id().clone();
        let state = self.keep(session, true);
        if let Some(known) = lock(&self.sessions).get_mut(&self.key(&id)) {
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
        let known = sessions.entry(self.key(session.id())).or_insert_with(|| Known::of(session.id()));
        if created {
            known.is_created();
        } else {
            Arc::make_mut(&mut *lock(&self.seen)).insert(self.key(session.id()));
        }
        known.state.upgrade().unwrap_or_else(|| {
            let state = Arc::new(session);
            known.state = Arc::downgrade(&state);
            state
        })
    }

    /// Registers a session that this client requested under this id. The create's reply was lost: the session may
    /// exist, or may still be created before `until`.
    pub(in crate::client) fn claim(&self, id: &SessionId, until: Instant) {
        self.changed();
        let mut sessions = lock(&self.sessions);
        let known = sessions.entry(self.key(id)).or_insert_with(|| Known::of(id));
        known.is_created();
        known.may_arrive_until = Some(until);
    }

    /// Whether its create may still arrive.
    pub(in crate::client) fn may_arrive(&self, id: &SessionId, now: Instant) -> bool {
        lock(&self.sessions)
            .get(&self.key(id))
            .is_some_and(|known| known.may_arrive_until.is_some_and(|until| now < until))
    }

    /// This client no longer counts as the session's creator.
    pub(in crate::client) fn gave_up(&self, id: &SessionId) {
        if let Some(known) = lock(&self.sessions).get_mut(&self.key(id)) {
            known.created = false;
        }
    }

    /// The state shared by the handles of a session, if there are any.
    pub(in crate::client) fn find(&self, id: &SessionId) -> Option<Arc<SessionState>> {
        lock(&self.sessions).get(&self.key(id))?.state.upgrade()
    }

    /// Whether this client created or opened it.
    pub(in crate::client) fn knows(&self, id: &SessionId) -> bool {
        lock(&self.sessions).contains_key(&self.key(id))
    }

    /// Whether this client created it.
    pub(in crate::client) fn has_created(&self, id: &SessionId) -> bool {
        lock(&self.sessions).get(&self.key(id)).is_some_and(|known| known.created)
    }

    /// The account's sessions were listed.
    pub(in crate::client) fn listed(&self, sessions: &[SessionProperties]) {
        *lock(&self.seen) = Arc::new(sessions.iter().map(|session| self.key(&session.id)).collect());
    }

    /// The sessions in the latest list, or opened since.
    pub(in crate::client) fn seen(&self) -> Arc<HashSet<SessionKey>> {
        Arc::clone(&lock(&self.seen))
    }

    /// The sessions that this client created and that have not ended, as far as it knows.
    pub(in crate::client) fn own(&self) -> Vec<SessionId> {
        let sessions = lock(&self.sessions);
        sessions.values().filter(|known| known.is_own()).map(|known| known.id.clone()).collect()
    }

    /// Whether this client created it and it has not ended, as far as it knows.
    pub(in crate::client) fn owns(&self, id: &SessionId) -> bool {
        lock(&self.sessions).get(&self.key(id)).is_some_and(Known::is_own)
    }

    /// Adds the size from the create if the service left it out.
    pub(in crate::client) fn complete(&self, properties: SessionProperties) -> SessionProperties {
        let size = properties.size.or_else(|| lock(&self.sessions).get(&self.key(&properties.id))?.size.clone());
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
        lock(&self.sessions).get(&self.key(id)).is_some_and(|known| known.may_be_stopped)
    }

    /// Records the outcome of a stop.
    pub(in crate::client) fn stop_ended(&self, id: &SessionId, outcome: &Result<Stopped>) {
        self.stops.fetch_add(1, Ordering::AcqRel);
        self.changed();
        if let Some(known) = lock(&self.sessions).get_mut(&self.key(id)) {
            known.may_be_stopped |= outcome.as_ref().is_err_and(Error::is_outcome_unknown);
        }
    }

    /// Records that a create whose reply was lost has made one of these sessions or none.
    pub(in crate::client) fn undecided(&self, create: RecordId, candidates: Vec<SessionId>) {
        let mut undecided = lock(&self.undecided);
        undecided.retain(|(other, _)| *other != create);
        if !candidates.is_empty() {
            undecided.push((create, candidates.iter().map(|id| self.key(id)).collect()));
        }
    }

    /// A session has ended. Returns the creates that have no candidate left: their session, if any, has ended too.
    pub(in crate::client) fn decided(&self, id: &SessionId) -> Vec<RecordId> {
        let ended = self.key(id);
        let mut undecided = lock(&self.undecided);
        undecided.iter_mut().for_each(|(_, candidates)| candidates.retain(|candidate| *candidate != ended));
        undecided.extract_if(.., |(_, candidates)| candidates.is_empty()).map(|(create, _)| create).collect()
    }

    /// Marks a session as ended. Returns whether that is new.
    pub(in crate::client) fn ended(&self, id: &SessionId) -> bool {
        lock(&self.sessions).get_mut(&self.key(id)).is_some_and(|known| !std::mem::replace(&mut known.ended, true))
    }
}

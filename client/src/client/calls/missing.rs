//! Sessions that the service does not know.

use crate::clock::Instant;
use std::collections::HashSet;
use std::hash::Hash;
use std::time::Duration;

/// The sessions that the service did not know, each to be read once more a moment later: a single such reply may come
/// from a gateway.
pub(super) struct Missing<K> {
    sessions: HashSet<K>,
    /// When they are read again. All share one pause.
    again_at: Option<Instant>,
}

impl<K: Eq + Hash> Missing<K> {
    pub(super) fn new() -> Missing<K> {
        Missing { sessions: HashSet::new(), again_at: None }
    }

    /// The service does not know this session. Returns whether that is the first such reply, so that it must be read
    /// again. `delay`: the usual pause before a retry.
    pub(super) fn is_first(&mut self, session: K, now: Instant, delay: Duration, deadline: Instant) -> bool {
        self.again_at.get_or_insert(now + delay.min(deadline.saturating_since(now) / 2));
        self.sessions.insert(session)
    }

    /// When this session may be read, if not yet.
    pub(super) fn read_at(&self, session: &K, now: Instant) -> Option<Instant> {
        self.again_at.filter(|at| now < *at && self.sessions.contains(session))
    }
}

//! Tracks whether a pooled connection may be stale: a router may silently have dropped an idle one.

use crate::clock::{Instant, lock};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

/// A connection that was idle for longer is probably dead, and detecting that takes a request's full timeout. The HTTP
/// library has such a limit too, but measures it with a clock that stops while the machine sleeps.
const USABLE: Duration = Duration::from_secs(60);

/// When the connections that one HTTP client pools were last used, by origin.
#[derive(Debug, Default)]
pub(super) struct Idleness {
    last_replies: Mutex<HashMap<String, Instant>>,
}

impl Idleness {
    /// A reply has arrived.
    pub(super) fn replied(&self, origin: &str, now: Instant) {
        let mut last_replies = lock(&self.last_replies);
        match last_replies.get_mut(origin) {
            Some(last) => *last = now.max(*last),
            None => drop(last_replies.insert(origin.to_owned(), now)),
        }
    }

    /// Whether a pooled connection, if any, is worth trying.
    pub(super) fn is_usable(&self, origin: &str, now: Instant) -> bool {
        let last_reply = lock(&self.last_replies).get(origin).copied();
        last_reply.is_none_or(|last| now.saturating_since(last) <= USABLE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_elapsed(Duration::from_secs(seconds))
    }

    #[test]
    fn a_connection_is_usable_for_a_minute_after_a_reply() {
        let idleness = Idleness::default();
        assert!(idleness.is_usable("o", at(100)), "there is no connection yet");
        idleness.replied("o", at(110));
        idleness.replied("o", at(105));
        assert!(idleness.is_usable("o", at(170)) && !idleness.is_usable("o", at(171)));
        assert!(idleness.is_usable("another", at(171)));
    }
}

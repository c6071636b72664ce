//! Tracks whether a pooled connection may be stale: a router may silently have dropped an idle one.

use crate::clock::{Instant, lock};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

/// A connection that was idle for longer may be dead. That is too risky for a request that must not be sent twice.
const FRESH: Duration = Duration::from_secs(5);
/// A connection that was idle for longer is probably dead, and detecting that takes a request's full timeout. The HTTP
/// library has such a limit too, but measures it with a clock that stops while the machine sleeps.
const USABLE: Duration = Duration::from_secs(60);

/// The state of the connections that one HTTP client pools, by origin.
#[derive(Debug, Default)]
pub(super) struct Idleness {
    origins: Mutex<HashMap<String, Origin>>,
}

#[derive(Debug, Default)]
struct Origin {
    in_flight: usize,
    /// Two requests were in flight at once, so there was more than one connection, and it is unknown which one was
    /// pooled.
    overlapped: bool,
    last_reply: Option<Instant>,
}

impl Idleness {
    /// A request starts.
    pub(super) fn begin(&self, origin: &str) {
        let mut origins = lock(&self.origins);
        let known = origins.entry(origin.to_owned()).or_default();
        known.overlapped |= known.in_flight > 0;
        known.in_flight += 1;
    }

    /// A request ends. `replied` is the time of its reply, if there was one.
    pub(super) fn end(&self, origin: &str, replied: Option<Instant>) {
        if let Some(known) = lock(&self.origins).get_mut(origin) {
            known.in_flight -= 1;
            known.last_reply = known.last_reply.max(replied);
        }
    }

    /// Whether the pooled connection that a request would use, if any, was used within the last `FRESH`.
    pub(super) fn is_fresh(&self, origin: &str, now: Instant) -> bool {
        let origins = lock(&self.origins);
        let Some(known) = origins.get(origin) else { return true };
        // A request in flight may not have taken the pooled connection yet.
        let alone = known.in_flight == 0 && !known.overlapped;
        alone && known.last_reply.is_none_or(|last| now.saturating_since(last) <= FRESH)
    }

    /// Whether a pooled connection, if any, is worth trying.
    pub(super) fn is_usable(&self, origin: &str, now: Instant) -> bool {
        let last_reply = lock(&self.origins).get(origin).and_then(|known| known.last_reply);
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
    fn a_connection_is_fresh_for_five_seconds_after_a_reply() {
        let idleness = Idleness::default();
        assert!(idleness.is_fresh("o", at(0)), "there is none yet");
        idleness.begin("o");
        idleness.end("o", Some(at(10)));
        assert!(idleness.is_fresh("o", at(15)) && !idleness.is_fresh("o", at(16)));
        assert!(idleness.is_fresh("another", at(16)));
    }

    #[test]
    fn a_connection_is_usable_for_a_minute_after_a_reply() {
        let idleness = Idleness::default();
        assert!(idleness.is_usable("o", at(0)), "there is none yet");
        idleness.begin("o");
        assert!(idleness.is_usable("o", at(100)), "nothing is known of it");
        idleness.end("o", Some(at(110)));
        assert!(idleness.is_usable("o", at(170)) && !idleness.is_usable("o", at(171)));
        assert!(idleness.is_usable("another", at(171)));
    }

    #[test]
    fn after_concurrent_requests_no_connection_counts_as_fresh() {
        let idleness = Idleness::default();
        idleness.begin("o");
        idleness.begin("o");
        idleness.end("o", Some(at(1)));
        idleness.end("o", Some(at(15)));
        assert!(!idleness.is_fresh("o", at(15)));
    }

    #[test]
    fn during_a_request_no_connection_counts_as_fresh() {
        let idleness = Idleness::default();
        idleness.begin("o");
        assert!(!idleness.is_fresh("o", at(0)));
    }
}

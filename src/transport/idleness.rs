//! Which connections may be stale: an idle one may have been dropped by a router without anybody knowing.

use crate::clock::{Instant, lock};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

/// A connection that was idle for longer may be dead.
const LONGEST_IDLE: Duration = Duration::from_secs(5);

/// What is known of the connections that the shared clients keep, by origin.
#[derive(Debug, Default)]
pub(super) struct Idleness {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Raised when all connections are forgotten: what was under way before says nothing about those made since.
    generation: u64,
    origins: HashMap<String, Origin>,
}

#[derive(Debug, Default)]
struct Origin {
    in_flight: usize,
    /// Two requests were under way at once, so there was more than one connection, and nobody knows which one was kept.
    overlapped: bool,
    last_reply: Option<Instant>,
}

/// A request under way.
pub(super) struct InFlight {
    origin: String,
    generation: u64,
}

impl Idleness {
    pub(super) fn begin(&self, origin: &str) -> InFlight {
        let mut state = lock(&self.state);
        let generation = state.generation;
        let known = state.origins.entry(origin.to_owned()).or_default();
        known.overlapped |= known.in_flight > 0;
        known.in_flight += 1;
        InFlight { origin: origin.to_owned(), generation }
    }

    /// The request is over; `replied` is the moment of its reply, if there was one.
    pub(super) fn end(&self, request: &InFlight, replied: Option<Instant>) {
        let mut state = lock(&self.state);
        if state.generation == request.generation
            && let Some(known) = state.origins.get_mut(&request.origin)
        {
            known.in_flight -= 1;
            known.last_reply = known.last_reply.max(replied);
        }
    }

    /// Whether the connection that a request would go over, if one is kept, was used a moment ago.
    pub(super) fn is_fresh(&self, origin: &str, now: Instant) -> bool {
        let state = lock(&self.state);
        let Some(known) = state.origins.get(origin) else { return true };
        // While the only connection is in use, a further request makes a new one.
        let busy = known.in_flight > 0;
        let recent = known.last_reply.is_none_or(|last| now.saturating_since(last) <= LONGEST_IDLE);
        !known.overlapped && (busy || recent)
    }

    /// All connections were forgotten.
    pub(super) fn reset(&self) {
        let mut state = lock(&self.state);
        state.generation += 1;
        state.origins.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_elapsed(Duration::from_secs(seconds))
    }

    fn exchange(idleness: &Idleness, end: u64) {
        let request = idleness.begin("o");
        idleness.end(&request, Some(at(end)));
    }

    #[test]
    fn a_connection_is_fresh_for_five_seconds_after_a_reply() {
        let idleness = Idleness::default();
        assert!(idleness.is_fresh("o", at(0)), "there is none yet");
        exchange(&idleness, 10);
        assert!(idleness.is_fresh("o", at(15)) && !idleness.is_fresh("o", at(16)));
        assert!(idleness.is_fresh("another", at(16)));
        idleness.reset();
        assert!(idleness.is_fresh("o", at(16)));
    }

    #[test]
    fn after_requests_at_once_nobody_knows_which_connection_was_kept() {
        let idleness = Idleness::default();
        let (slow, quick) = (idleness.begin("o"), idleness.begin("o"));
        idleness.end(&quick, Some(at(1)));
        idleness.end(&slow, Some(at(15)));
        assert!(!idleness.is_fresh("o", at(15)));
        idleness.reset();
        idleness.end(&slow, Some(at(15)));
        exchange(&idleness, 16);
        assert!(idleness.is_fresh("o", at(17)));
    }

    #[test]
    fn while_the_only_connection_is_in_use_a_new_one_is_made() {
        let idleness = Idleness::default();
        exchange(&idleness, 0);
        let _slow = idleness.begin("o");
        assert!(idleness.is_fresh("o", at(60)));
    }
}

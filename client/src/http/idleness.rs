//! Tracks whether a pooled connection may be stale: a router may silently have dropped an idle one.

use super::workers::AT_A_TIME;
use crate::clock::{Clock, Instant, lock};
use std::sync::Mutex;
use std::time::Duration;

/// A connection that was idle for longer is probably dead, and detecting that takes a request's full timeout. The HTTP
/// library has such a limit too, but measures it with a clock that stops while the machine sleeps.
pub(super) const USABLE: Duration = Duration::from_secs(60);

/// The most idle connections per origin: one for each worker.
pub(super) const MOST_IDLE: usize = AT_A_TIME;

/// When the idle connections of one HTTP client were last used, by origin. The client uses the latest one first.
#[derive(Debug, Default)]
pub(super) struct Idleness(Mutex<Vec<(String, Vec<Moment>)>>);

/// A time by our clock, and by the HTTP library's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) ours: Instant,
    pub(super) library: std::time::Instant,
}

impl Moment {
    pub(super) fn now(clock: &dyn Clock) -> Moment {
        Moment { ours: clock.now(), library: std::time::Instant::now() }
    }
}

impl Idleness {
    /// A request takes a connection. Returns whether it is worth trying: it is new, or was used lately.
    pub(super) fn takes_usable(&self, origin: &str, now: Moment) -> bool {
        /// The library counts from when it gets a connection back, which may be a little later.
        const LATER: Duration = Duration::from_secs(1);
        let mut origins = lock(&self.0);
        let idle = origins.iter_mut().find(|(other, _)| other == origin);
        let last_used = idle.and_then(|(_, idle)| idle.pop());
        last_used.is_none_or(|last_used| {
            let is_closed = now.library.saturating_duration_since(last_used.library) > USABLE + LATER;
            is_closed || now.ours.saturating_since(last_used.ours) <= USABLE
        })
    }

    /// A request gave its connection back.
    pub(super) fn gave_back(&self, origin: &str, now: Moment) {
        let mut origins = lock(&self.0);
        let place = origins.iter().position(|(other, _)| other == origin);
        let place = place.unwrap_or_else(|| {
            origins.push((origin.to_owned(), Vec::with_capacity(MOST_IDLE)));
            origins.len() - 1
        });
        let idle = &mut origins[place].1;
        if idle.len() < MOST_IDLE {
            idle.push(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By our clock: the library's stands still, as while the machine sleeps.
    fn at(seconds: u64) -> Moment {
        awake_until(seconds, 0)
    }

    fn awake_until(seconds: u64, library: u64) -> Moment {
        static START: once_cell::sync::Lazy<std::time::Instant> = once_cell::sync::Lazy::new(std::time::Instant::now);
        let library = *START + Duration::from_secs(library);
        Moment { ours: Instant::from_elapsed(Duration::from_secs(seconds)), library }
    }

    #[test]
    fn a_connection_is_usable_for_a_minute_after_a_reply() {
        let idleness = Idleness::default();
        assert!(idleness.takes_usable("o", at(100)), "there is no connection yet");
        idleness.gave_back("o", at(110));
        assert!(idleness.takes_usable("o", at(170)));
        idleness.gave_back("o", at(170));
        assert!(idleness.takes_usable("another", at(231)) && !idleness.takes_usable("o", at(231)));
    }

    /// Then a new client, with a thread of its own, would gain nothing.
    #[test]
    fn a_connection_that_the_library_has_closed_does_no_harm() {
        let idleness = Idleness::default();
        for (seconds, usable) in [(60, true), (61, false), (62, true), (6_000, true)] {
            idleness.gave_back("o", awake_until(100, 100));
            assert_eq!(idleness.takes_usable("o", awake_until(100 + seconds, 100 + seconds)), usable, "{seconds} s");
        }
    }

    #[test]
    fn each_connection_has_its_own_age() {
        let idleness = Idleness::default();
        // Two at once, then one at a time: always the same.
        for moment in [100, 100, 150] {
            idleness.gave_back("o", at(moment));
            assert!(moment == 100 || idleness.takes_usable("o", at(moment)));
        }
        idleness.gave_back("o", at(160));
        assert!(idleness.takes_usable("o", at(161)) && !idleness.takes_usable("o", at(161)), "the second is old");
    }

    #[test]
    fn as_many_are_tracked_as_the_http_library_keeps() {
        let idleness = Idleness::default();
        for moment in 0..=MOST_IDLE as u64 {
            idleness.gave_back("o", at(moment));
        }
        assert!((0..MOST_IDLE).all(|_| idleness.takes_usable("o", at(60))));
        assert!(idleness.takes_usable("o", at(600)), "the library has closed it");
    }
}

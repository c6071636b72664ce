//! What time it is, and waiting. Everything that depends on time asks a [`Clock`], so a test can own the time.

#![cfg_attr(
    not(feature = "test-util"),
    allow(unreachable_pub, dead_code, reason = "public with the feature test-util")
)]

use std::fmt::Debug;
use std::ops::Add;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment on the elapsed clock: the time since an arbitrary beginning, which goes on while the machine sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(Duration);

impl Instant {
    /// A moment that no clock reaches.
    pub const NEVER: Instant = Instant(Duration::MAX);

    /// The moment this long after the clock's beginning.
    pub const fn from_elapsed(since_beginning: Duration) -> Instant {
        Instant(since_beginning)
    }

    /// How long after the clock's beginning it is.
    pub(crate) const fn since_beginning(self) -> Duration {
        self.0
    }

    /// The time from `earlier` to this moment; zero if it is later than this.
    pub fn saturating_since(self, earlier: Instant) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    /// Saturates: a moment that no clock will reach.
    fn add(self, length: Duration) -> Instant {
        Instant(self.0.saturating_add(length))
    }
}

/// Tells the time and waits.
pub trait Clock: Debug + Send + Sync {
    /// Elapsed time, sleep included: for leases, polling and deadlines.
    fn now(&self) -> Instant;

    /// Wall time since 1970. Only for a token whose reply told no date; it is never compared with the service's.
    fn unix_time(&self) -> Duration;

    /// Waits until `until`, or until `signal` has changed since it was `seen`, whichever is first. May return early.
    fn sleep(&self, signal: &Signal, seen: u64, until: Instant);

    /// Like [`Clock::sleep`], while something real is under way (a request on the wire). A clock of a test must not
    /// jump ahead meanwhile.
    fn wait_for_work(&self, signal: &Signal, seen: u64, until: Instant) {
        self.sleep(signal, seen, until);
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant(crate::sys::elapsed())
    }

    fn unix_time(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn sleep(&self, signal: &Signal, seen: u64, until: Instant) {
        // A condition variable's clock may stand still while the machine sleeps, so no single wait is long.
        const LONGEST: Duration = Duration::from_secs(1);
        loop {
            let left = until.saturating_since(self.now());
            if left.is_zero() || signal.wait_past(seen, left.min(LONGEST)) {
                return;
            }
        }
    }
}

/// Wakes those who wait for a change. It counts changes, so one that comes between a look and a wait is not lost. Its clones
/// are the same signal: a clock of a test can keep one, to see whether who sleeps has been told of a change.
#[derive(Clone, Debug, Default)]
pub struct Signal(Arc<Changes>);

#[derive(Debug, Default)]
struct Changes {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Signal {
    /// How many changes there were.
    pub fn version(&self) -> u64 {
        *lock(&self.0.count)
    }

    /// Tells everyone who waits that something changed.
    pub fn notify(&self) {
        *lock(&self.0.count) += 1;
        self.0.changed.notify_all();
    }

    /// Waits, in real time, until there are changes beyond `seen`, and at most `longest`. Whether there are.
    pub fn wait_past(&self, seen: u64, longest: Duration) -> bool {
        let count = lock(&self.0.count);
        let (count, _) = self
            .0
            .changed
            .wait_timeout_while(count, longest, |count| *count == seen)
            .unwrap_or_else(PoisonError::into_inner);
        *count != seen
    }
}

/// Locks, also after a panic elsewhere: the state behind every lock of this library is changed in single steps.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_between_look_and_wait_is_not_lost() {
        let signal = Signal::default();
        let seen = signal.version();
        signal.notify();
        let clock = SystemClock;
        let before = clock.now();
        clock.sleep(&signal, seen, before + Duration::from_secs(60));
        assert!(clock.now().saturating_since(before) < Duration::from_secs(30));
    }

    #[test]
    fn a_moment_can_be_beyond_every_clock() {
        let end = SystemClock.now() + Duration::MAX;
        assert_eq!(end, end + Duration::from_secs(1));
    }
}

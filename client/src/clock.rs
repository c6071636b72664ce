//! The time, and waiting. All time-dependent code goes through [`Clock`], so that tests can control time.

#![cfg_attr(
    not(feature = "test-util"),
    allow(unreachable_pub, dead_code, reason = "public with the feature test-util")
)]

use std::fmt::Debug;
use std::ops::Add;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point on the elapsed clock: the time since an arbitrary origin. The clock keeps running while the machine sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(Duration);

impl Instant {
    /// Later than any time that a clock reports.
    pub const NEVER: Instant = Instant(Duration::MAX);

    /// The instant this long after the clock's origin.
    pub const fn from_elapsed(since_beginning: Duration) -> Instant {
        Instant(since_beginning)
    }

    /// The time since the clock's origin.
    pub(crate) const fn since_beginning(self) -> Duration {
        self.0
    }

    /// The time from `earlier` to this instant; zero if `earlier` is later.
    pub fn saturating_since(self, earlier: Instant) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// A duration in whole milliseconds, as atomics, snapshots and the journal keep it.
pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Add<Duration> for Instant {
    type Output = Instant;

    /// Saturates at [`Instant::NEVER`].
    fn add(self, length: Duration) -> Instant {
        Instant(self.0.saturating_add(length))
    }
}

/// A source of time that can also wait.
pub trait Clock: Debug + Send + Sync {
    /// Elapsed time, including sleep. Used for leases, polling and deadlines.
    fn now(&self) -> Instant;

    /// Wall time since 1970. Dates log lines and journal records. Token expiry uses it only where the service's clock
    /// is not available: for a token that the application supplied, and for a reply without a `Date`.
    fn unix_time(&self) -> Duration;

    /// Waits until `until` or until `signal` has changed since `seen`, whichever comes first. May return early.
    fn sleep(&self, signal: &Signal, seen: u64, until: Instant);

    /// Like [`Clock::sleep`], but while real work, such as a request, is in flight. A test clock must not skip time
    /// here.
    fn wait_for_work(&self, signal: &Signal, seen: u64, until: Instant) {
        self.sleep(signal, seen, until);
    }

    /// Like [`Clock::sleep`], without a wake-up in between. If the machine sleeps meanwhile, it may return as late as if
    /// time had stood still.
    fn idle(&self, signal: &Signal, seen: u64, until: Instant) {
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
        // A condition variable's clock may stop while the machine sleeps, so each wait is short.
        const LONGEST: Duration = Duration::from_secs(1);
        if until == Instant::NEVER {
            return self.idle(signal, seen, until);
        }
        loop {
            let left = until.saturating_since(self.now());
            if left.is_zero() || signal.wait_past(seen, left.min(LONGEST)) {
                return;
            }
        }
    }

    fn idle(&self, signal: &Signal, seen: u64, until: Instant) {
        signal.wait_past(seen, until.saturating_since(self.now()));
    }
}

/// Wakes waiting threads on a change. It counts changes, so a change between a check and the wait is not lost. Clones
/// share the same signal: a test clock can keep one to see whether the thread it sleeps for has been notified.
#[derive(Clone, Debug, Default)]
pub struct Signal(Arc<Changes>);

#[derive(Debug, Default)]
struct Changes {
    count: AtomicU64,
    /// The number of waiting threads. Without one, a change needs no system call.
    waiting: Mutex<usize>,
    changed: Condvar,
}

impl Signal {
    /// The number of changes so far.
    pub fn version(&self) -> u64 {
        self.0.count.load(Ordering::Acquire)
    }

    /// Records a change and wakes all waiters.
    pub fn notify(&self) {
        self.0.count.fetch_add(1, Ordering::AcqRel);
        // A thread that checked the count before now holds the lock or is counted.
        if *lock(&self.0.waiting) > 0 {
            self.0.changed.notify_all();
        }
    }

    /// Waits in real time, for at most `longest`, until the count differs from `seen`. Returns whether it does.
    pub fn wait_past(&self, seen: u64, longest: Duration) -> bool {
        let mut waiting = lock(&self.0.waiting);
        *waiting += 1;
        let waited = self.0.changed.wait_timeout_while(waiting, longest, |_| self.version() == seen);
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *waiting -= 1;
        self.version() != seen
    }
}

/// Locks even after another thread panicked: all state behind this library's locks changes in single steps, so it is
/// always consistent.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_between_check_and_wait_is_not_lost() {
        let signal = Signal::default();
        let seen = signal.version();
        signal.notify();
        let clock = SystemClock;
        let before = clock.now();
        clock.sleep(&signal, seen, before + Duration::from_secs(60));
        assert!(clock.now().saturating_since(before) < Duration::from_secs(30));
    }

    #[test]
    fn adding_to_an_instant_saturates() {
        let end = SystemClock.now() + Duration::MAX;
        assert_eq!(end, end + Duration::from_secs(1));
    }
}

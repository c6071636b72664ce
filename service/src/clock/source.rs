//! The source of time: the machine's clock, or a virtual one that a test advances.

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The source of the emulator's time. Session states, leases, token expiry and the `Date` of each reply follow it.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that moves only when a test advances it.
    Virtual(VirtualClock),
}

impl Clock {
    /// Time since this clock's beginning. It never goes back. The system clock begins at its first use in this process.
    pub fn now(&self) -> Duration {
        static FIRST_USE: LazyLock<Instant> = LazyLock::new(Instant::now);
        match self {
            Clock::System => FIRST_USE.elapsed(),
            Clock::Virtual(clock) => clock.now(),
        }
    }

    /// Time since 1970-01-01T00:00:00Z.
    pub fn unix_time(&self) -> Duration {
        match self {
            Clock::System => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            Clock::Virtual(clock) => clock.unix_time(),
        }
    }
}

/// A clock for tests. Clones share one time, so that a test, its emulator and its client can use the same clock.
///
/// It stops at 584 years.
#[derive(Clone, Debug, Default)]
pub struct VirtualClock {
    nanoseconds: Arc<AtomicU64>,
}

impl VirtualClock {
    /// The Unix time at which every virtual clock begins: 2025-01-01T00:00:00Z.
    const EPOCH: Duration = Duration::from_secs(1_735_689_600);

    /// A clock that shows zero.
    pub fn new() -> VirtualClock {
        VirtualClock::default()
    }

    /// How far the clock has been advanced.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::SeqCst))
    }

    /// Time since 1970-01-01T00:00:00Z: a fixed date plus [`now`](Self::now).
    pub fn unix_time(&self) -> Duration {
        Self::EPOCH + self.now()
    }

    /// Advances the clock by this much.
    pub fn advance(&self, step: Duration) {
        let step = whole_nanoseconds(step);
        self.nanoseconds.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| Some(now.saturating_add(step))).ok();
    }

    /// Advances the clock until [`now`](Self::now) is this. An earlier time changes nothing.
    pub fn advance_to(&self, now: Duration) {
        self.nanoseconds.fetch_max(whole_nanoseconds(now), Ordering::SeqCst);
    }
}

pub(super) fn whole_nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_clock_moves_only_forward_and_only_when_advanced() {
        let clock = VirtualClock::new();
        let shared = clock.clone();
        assert_eq!(shared.now(), Duration::ZERO);
        clock.advance(Duration::from_millis(1500));
        assert_eq!(shared.now(), Duration::from_millis(1500));
        clock.advance_to(Duration::from_secs(1));
        assert_eq!(shared.now(), Duration::from_millis(1500));
        clock.advance_to(Duration::from_secs(2));
        assert_eq!(shared.now(), Duration::from_secs(2));
        assert_eq!(shared.unix_time().as_secs(), 1_735_689_602);
    }

    #[test]
    fn a_virtual_clock_stops_at_its_maximum() {
        let clock = VirtualClock::new();
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Duration::from_nanos(u64::MAX));
    }

    #[test]
    fn the_system_clock_runs() {
        let before = Clock::System.now();
        assert!(Clock::System.now() >= before);
        assert!(Clock::System.unix_time() > VirtualClock::EPOCH);
    }
}

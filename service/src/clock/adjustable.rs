//! The clock of the service: the configured one, which may be scaled and advanced.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::source::Clock;

/// One point in time by both time scales.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timestamp {
    /// Since the base clock's beginning.
    pub(crate) now: Duration,
    /// Since 1970-01-01T00:00:00Z.
    pub(crate) unix_time: Duration,
}

/// A clock that never goes back.
#[derive(Debug)]
pub(crate) struct AdjustableClock {
    base: Clock,
    /// The base's time at the service's start.
    started_at: Duration,
    /// How much faster than the machine's clock it runs.
    scale: u32,
    /// How far it was advanced, in nanoseconds. A virtual clock is advanced itself.
    moved: AtomicU64,
}

impl AdjustableClock {
    /// A clock that shows the base's time now and from here on runs `scale` times as fast. The scale does not affect a
    /// virtual clock.
    pub(crate) fn new(base: Clock, scale: u32) -> AdjustableClock {
        AdjustableClock { started_at: base.now(), base, scale: scale.max(1), moved: AtomicU64::new(0) }
    }

    /// Time since the base clock's beginning.
    pub(crate) fn now(&self) -> Duration {
        self.base.now().saturating_add(self.ahead())
    }

    /// Time since 1970-01-01T00:00:00Z.
    pub(crate) fn unix_time(&self) -> Duration {
        self.base.unix_time().saturating_add(self.ahead())
    }

    /// The current time by both scales.
    pub(crate) fn timestamp(&self) -> Timestamp {
        Timestamp { now: self.now(), unix_time: self.unix_time() }
    }

    /// Time since the service's start.
    pub(crate) fn uptime(&self) -> Duration {
        self.now().saturating_sub(self.started_at)
    }

    /// Advances the clock. A virtual clock advances for all its users.
    pub(crate) fn advance(&self, step: Duration) {
        match &self.base {
            Clock::Virtual(clock) => clock.advance(step),
            Clock::System => {
                let step = u64::try_from(step.as_nanos()).unwrap_or(u64::MAX);
                let add = |moved: u64| Some(moved.saturating_add(step));
                self.moved.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add).ok();
            }
        }
    }

    /// How far it is ahead of its base.
    fn ahead(&self) -> Duration {
        let moved = Duration::from_nanos(self.moved.load(Ordering::SeqCst));
        match &self.base {
            Clock::Virtual(_) => moved,
            Clock::System => {
                let running = self.base.now().saturating_sub(self.started_at);
                moved.saturating_add(running.saturating_mul(self.scale - 1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::source::VirtualClock;

    #[test]
    fn the_machine_s_clock_can_be_moved_forward() {
        let clock = AdjustableClock::new(Clock::System, 1);
        let (now, unix_time) = (clock.now(), clock.unix_time());
        clock.advance(Duration::from_secs(3600));
        let hour = Duration::from_secs(3600)..Duration::from_secs(3660);
        assert!(hour.contains(&(clock.now() - now)) && hour.contains(&(clock.unix_time() - unix_time)));
        assert!(hour.contains(&clock.uptime()));
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert!(clock.now() > Duration::from_secs(3600));
    }

    #[test]
    fn a_scaled_clock_runs_faster_from_its_start_on() {
        let scale = 1_000_000;
        let clock = AdjustableClock::new(Clock::System, scale);
        // The first of them is the first to be read: nothing below waits for less than it says.
        let (unix_time, now, machine) = (clock.unix_time(), clock.now(), Clock::System.now());
        while clock.now() - now < Duration::from_secs(100) {
            std::thread::yield_now();
        }
        // A ten-thousandth of a second later.
        let passed = Clock::System.now() - machine;
        assert!(clock.now() - now >= passed * (scale / 2), "{passed:?}");
        assert!(clock.unix_time() - unix_time >= Duration::from_secs(100));
    }

    #[test]
    fn a_virtual_clock_is_moved_for_everybody_and_never_runs() {
        let shared = VirtualClock::new();
        shared.advance(Duration::from_secs(5));
        let clock = AdjustableClock::new(Clock::Virtual(shared.clone()), 100);
        assert_eq!(clock.now(), Duration::from_secs(5));
        clock.advance(Duration::from_secs(2));
        assert_eq!(
            (shared.now(), clock.now(), clock.uptime()),
            (shared.now(), Duration::from_secs(7), Duration::from_secs(2))
        );
        assert_eq!(clock.unix_time(), shared.unix_time());
    }
}

//! The clock of the service: the configured one, optionally scaled and advanced.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::source::{Clock, whole_nanoseconds};

/// One point in time, as both clocks show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timestamp {
    /// Never goes back, as [`AdjustableClock::now`].
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
    /// What it shows when the base shows zero.
    origin: Duration,
    /// How far it was ahead of its base at the service's start.
    ahead_at_start: Duration,
    /// How much faster than the machine's clock it runs.
    scale: u32,
    /// How far it was advanced, in nanoseconds. A virtual clock is advanced instead.
    moved: AtomicU64,
}

impl AdjustableClock {
    /// A clock that shows the base's time now, and runs `scale` times as fast from here on. The scale does not affect a
    /// virtual clock.
    pub(crate) fn new(base: Clock, scale: u32) -> AdjustableClock {
        AdjustableClock {
            started_at: base.now(),
            base,
            origin: Duration::ZERO,
            ahead_at_start: Duration::ZERO,
            scale: scale.max(1),
            moved: AtomicU64::new(0),
        }
    }

    /// A clock that goes on from an earlier run: its `now` begins at this time, and it is this far ahead of the base's
    /// Unix time.
    pub(crate) fn resumed(base: Clock, scale: u32, now: Duration, ahead: Duration) -> AdjustableClock {
        let clock = AdjustableClock::new(base, scale);
        AdjustableClock {
            origin: now.saturating_sub(ahead).saturating_sub(clock.started_at),
            ahead_at_start: ahead,
            moved: AtomicU64::new(whole_nanoseconds(ahead)),
            ..clock
        }
    }

    /// Time since the base clock's beginning or, if the clock was resumed, since that of its first run.
    pub(crate) fn now(&self) -> Duration {
        self.base.now().saturating_add(self.origin).saturating_add(self.ahead())
    }

    /// Time since 1970-01-01T00:00:00Z.
    pub(crate) fn unix_time(&self) -> Duration {
        self.base.unix_time().saturating_add(self.ahead())
    }

    /// The current time.
    pub(crate) fn timestamp(&self) -> Timestamp {
        Timestamp { now: self.now(), unix_time: self.unix_time() }
    }

    /// Time since the service's start.
    pub(crate) fn uptime(&self) -> Duration {
        let running = self.base.now().saturating_sub(self.started_at);
        running.saturating_add(self.ahead().saturating_sub(self.ahead_at_start))
    }

    /// A time as milliseconds since the service's start, negative before it; `None` if that is too many.
    pub(crate) fn milliseconds_since_start(&self, at: Duration) -> Option<i64> {
        let [at, start] = [at, self.started_at].map(|time| i64::try_from(time.as_millis()).ok());
        at?.checked_sub(start?)
    }

    /// How fast it runs, compared with real time; 0 if it moves only when it is advanced.
    pub(crate) fn rate(&self) -> u32 {
        match &self.base {
            Clock::Virtual(_) => 0,
            Clock::System => self.scale,
        }
    }

    /// Advances the clock. A virtual clock advances for all its users.
    pub(crate) fn advance(&self, step: Duration) {
        match &self.base {
            Clock::Virtual(clock) => clock.advance(step),
            Clock::System => {
                let step = whole_nanoseconds(step);
                let add = |moved: u64| Some(moved.saturating_add(step));
                self.moved.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add).ok();
            }
        }
    }

    /// Whether advancing it advances the base.
    pub(crate) fn is_virtual(&self) -> bool {
        matches!(self.base, Clock::Virtual(_))
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
    fn the_machine_clock_can_be_advanced() {
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
    fn a_scaled_clock_runs_faster() {
        let scale = 1_000_000;
        let clock = AdjustableClock::new(Clock::System, scale);
        // Read in this order, so that the differences below are at least as large as asserted.
        let (unix_time, now, machine) = (clock.unix_time(), clock.now(), Clock::System.now());
        while clock.now() - now < Duration::from_secs(100) {
            std::thread::yield_now();
        }
        // 0.1 ms later on the machine's clock.
        let passed = Clock::System.now() - machine;
        assert!(clock.now() - now >= passed * (scale / 2), "{passed:?}");
        assert!(clock.unix_time() - unix_time >= Duration::from_secs(100));
    }

    #[test]
    fn a_resumed_clock_goes_on_where_it_was_told_to() {
        let shared = VirtualClock::new();
        shared.advance(Duration::from_secs(5));
        for (now, ahead) in [(1_000, 0), (1_000, 30)] {
            let (now, ahead) = (Duration::from_secs(now), Duration::from_secs(ahead));
            let clock = AdjustableClock::resumed(Clock::Virtual(shared.clone()), 1, now, ahead);
            assert_eq!((clock.now(), clock.uptime()), (now, Duration::ZERO));
            assert_eq!(clock.unix_time(), shared.unix_time() + ahead);
            shared.advance(Duration::from_secs(2));
            assert_eq!((clock.now(), clock.uptime()), (now + Duration::from_secs(2), Duration::from_secs(2)));
        }
    }

    #[test]
    fn a_virtual_clock_advances_for_all_users_and_ignores_the_scale() {
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

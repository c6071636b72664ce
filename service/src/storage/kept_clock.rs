//! The clock across restarts: it goes on as if the emulator had never stopped.

use std::time::Duration;

use crate::clock::{AdjustableClock, Clock, Timestamp};

/// What is stored of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeptClock {
    /// The machine's Unix time at the start of the run.
    pub(super) wall: Duration,
    /// How far the emulator's Unix time was ahead of that.
    pub(super) ahead: Duration,
    /// How many times faster than the machine's clock it ran.
    pub(super) scale: u32,
    /// The emulator's time at the last change.
    pub(super) seen: Timestamp,
}

impl KeptClock {
    /// The clock of a new run, and what to store of it. The time since the last change has passed, at the pace of the
    /// earlier run. If the machine's clock was set back, no time has passed: the emulator's clock never goes back.
    pub(super) fn resume(kept: Option<KeptClock>, base: &Clock, scale: u32) -> (AdjustableClock, KeptClock) {
        let wall = base.unix_time();
        let ahead = kept.map_or(Duration::ZERO, |kept| {
            let since = wall.saturating_sub(kept.wall);
            kept.ahead.saturating_add(since.saturating_mul(kept.scale.saturating_sub(1)))
        });
        let unix_time = wall.saturating_add(ahead);
        let now = kept.map_or(unix_time, |KeptClock { seen, .. }| {
            seen.now.saturating_add(unix_time.saturating_sub(seen.unix_time))
        });
        // The scale does not affect a virtual clock.
        let scale = if matches!(base, Clock::System) { scale.max(1) } else { 1 };
        let clock = AdjustableClock::resumed(base.clone(), scale, now, ahead);
        (clock, KeptClock { wall, ahead, scale, seen: Timestamp { now, unix_time } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::VirtualClock;

    const HOUR: Duration = Duration::from_secs(3600);

    /// What a run stores that has just begun, at `scale` times the machine's pace.
    fn begun(clock: &VirtualClock, scale: u32) -> KeptClock {
        let (_, kept) = KeptClock::resume(None, &Clock::Virtual(clock.clone()), 1);
        KeptClock { scale, ..kept }
    }

    #[test]
    fn time_goes_on_while_the_emulator_is_down() {
        let machine = VirtualClock::new();
        for (scale, passed) in [(1, HOUR), (60, 60 * HOUR)] {
            let kept = KeptClock { ahead: HOUR, ..begun(&machine, scale) };
            let kept = KeptClock { seen: Timestamp { unix_time: kept.seen.unix_time + HOUR, ..kept.seen }, ..kept };
            machine.advance(HOUR);
            let (clock, stored) = KeptClock::resume(Some(kept), &Clock::Virtual(machine.clone()), 1);
            assert_eq!(clock.now() - kept.seen.now, passed, "{scale}");
            assert_eq!(clock.unix_time() - kept.seen.unix_time, passed, "{scale}");
            assert_eq!((stored.seen.now, stored.wall), (clock.now(), machine.unix_time()));
        }
    }

    #[test]
    fn a_machine_clock_that_was_set_back_does_not_set_back_the_emulators() {
        let machine = VirtualClock::new();
        machine.advance(2 * HOUR);
        let kept = begun(&machine, 1);
        let set_back = VirtualClock::new();
        let (clock, stored) = KeptClock::resume(Some(kept), &Clock::Virtual(set_back.clone()), 1);
        assert_eq!((clock.now(), clock.unix_time()), (kept.seen.now, set_back.unix_time()));
        set_back.advance(HOUR);
        let (clock, _) = KeptClock::resume(Some(stored), &Clock::Virtual(set_back), 1);
        assert_eq!(clock.now(), kept.seen.now + HOUR, "it goes on from there");
    }
}

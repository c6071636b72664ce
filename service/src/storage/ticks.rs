//! Times as the database has them: whole ticks of 100 ns, the service's own unit, in 64 bits.

use std::time::Duration;

const NANOSECONDS: u128 = 100;

/// Rounded down. Anything beyond 29,000 years is for ever.
pub(super) fn from(time: Duration) -> i64 {
    i64::try_from(time.as_nanos() / NANOSECONDS).unwrap_or(i64::MAX)
}

/// Rounded up, for a time that must not go back.
pub(super) fn rounded_up(time: Duration) -> i64 {
    from(time.saturating_add(Duration::from_nanos(99)))
}

/// `None` if it is negative.
pub(super) fn to(ticks: i64) -> Option<Duration> {
    const A_SECOND: u64 = 10_000_000;
    let whole = u64::try_from(ticks).ok()?;
    if ticks == i64::MAX {
        return Some(Duration::MAX);
    }
    Some(Duration::from_secs(whole / A_SECOND) + Duration::from_nanos(whole % A_SECOND * 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_to_a_tick_and_for_ever_stays_for_ever() {
        let time = Duration::new(1_800_000_000, 123_456_789);
        assert_eq!(to(from(time)), Some(Duration::new(1_800_000_000, 123_456_700)));
        assert_eq!(to(rounded_up(time)), Some(Duration::new(1_800_000_000, 123_456_800)));
        assert_eq!(to(from(Duration::MAX)), Some(Duration::MAX));
        assert_eq!(to(rounded_up(Duration::MAX)), Some(Duration::MAX));
        assert_eq!(to(-1), None);
    }
}

//! Leases.

use crate::error::{Error, Result};
use std::time::Duration;

/// How long a session may run: whole seconds, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lease(Duration);

impl Lease {
    /// The longest lease: 365 days, far beyond what the service grants.
    pub const MAX: Duration = Duration::from_secs(365 * 86_400);

    /// Leases outside this range are probably mistakes: billing is by the minute, and sessions typically run for hours.
    pub(crate) const USUAL: std::ops::RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(86_400);

    /// A lease of this length. A fraction of a second rounds up.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for zero and for more than [`Lease::MAX`].
    pub fn new(length: Duration) -> Result<Lease> {
        if length.is_zero() || length > Lease::MAX {
            return Err(Error::invalid_argument(format!(
                "`max_lease` of {} s is out of range; give 1 s to 365 days, for example 3600 s for an hour",
                length.as_secs()
            )));
        }
        Ok(Lease(Duration::from_secs(length.as_secs() + u64::from(length.subsec_nanos() > 0))))
    }

    /// A lease of this many seconds.
    ///
    /// # Errors
    /// As [`Lease::new`].
    pub fn from_secs(seconds: u64) -> Result<Lease> {
        Lease::new(Duration::from_secs(seconds))
    }

    /// A lease of this many minutes.
    ///
    /// # Errors
    /// As [`Lease::new`].
    pub fn from_minutes(minutes: u64) -> Result<Lease> {
        Lease::from_secs(minutes.saturating_mul(60))
    }

    /// Rounds up to a multiple of `unit`.
    pub(crate) fn rounded_up_to(self, unit: Duration) -> Lease {
        let (length, unit) = (self.0.as_secs(), unit.as_secs().max(1));
        Lease(Duration::from_secs(length.div_ceil(unit) * unit))
    }

    /// The length, in whole seconds.
    pub fn duration(self) -> Duration {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_whole_seconds_and_never_zero() {
        assert_eq!(Lease::from_minutes(2).unwrap(), Lease::from_secs(120).unwrap());
        assert!(Lease::from_minutes(u64::MAX).is_err());
        assert!(Lease::new(Duration::ZERO).is_err());
        assert!(Lease::new(Lease::MAX + Duration::from_nanos(1)).is_err());
        assert_eq!(Lease::new(Duration::from_millis(1_001)).unwrap().duration(), Duration::from_secs(2));
        assert_eq!(Lease::new(Lease::MAX).unwrap().duration(), Lease::MAX);
    }
}

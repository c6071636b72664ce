//! Throttling (`docs/service.md`, "Errors").

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use uuid::Uuid;

use crate::sync::lock;

/// After this long without an admitted call, an account's next call is always admitted.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// A minimum interval between the calls of an account.
#[derive(Debug)]
pub(crate) struct Throttle {
    interval: Duration,
    /// When a call of each account was last admitted.
    last: Mutex<HashMap<Uuid, Duration>>,
}

impl Throttle {
    /// Admits calls that are at least this far apart; zero admits all.
    pub(crate) fn new(interval: Duration) -> Throttle {
        Throttle { interval: interval.min(FORGOTTEN_AFTER), last: Mutex::default() }
    }

    /// Admits a call, or returns how long the account has to wait. A refused call does not prolong the wait.
    pub(crate) fn admit(&self, now: Duration, account: Uuid) -> Result<(), Duration> {
        if self.interval.is_zero() {
            return Ok(());
        }
        let mut last = lock(&self.last);
        let next = last.get(&account).map(|last| last.saturating_add(self.interval));
        match next {
            // Another call may have read the clock earlier, and been admitted later.
            Some(next) if now < next => Err((next - now).min(self.interval)),
            _ => {
                last.insert(account, now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_call_too_soon_learns_how_long_to_wait() {
        let (throttle, account) = (Throttle::new(at(5)), Uuid::new_v4());
        assert_eq!(throttle.admit(at(10), account), Ok(()));
        assert_eq!(throttle.admit(at(10), account), Err(at(5)));
        assert_eq!(throttle.admit(at(13), account), Err(at(2)), "the refused call did not count");
        assert_eq!(throttle.admit(at(13), Uuid::new_v4()), Ok(()), "another account");
        assert_eq!(throttle.admit(at(15), account), Ok(()));
        assert_eq!(throttle.admit(at(16), account), Err(at(4)));
    }

    #[test]
    fn after_a_minute_the_next_call_is_admitted() {
        let (throttle, account) = (Throttle::new(at(3600)), Uuid::new_v4());
        assert_eq!(throttle.admit(at(0), account), Ok(()));
        assert_eq!(throttle.admit(at(59), account), Err(at(1)));
        assert_eq!(throttle.admit(at(60), account), Ok(()));
    }

    #[test]
    fn without_an_interval_all_calls_are_admitted() {
        let (throttle, account) = (Throttle::new(Duration::ZERO), Uuid::new_v4());
        assert_eq!([0; 3].map(|_| throttle.admit(at(0), account)), [Ok(()); 3]);
    }
}

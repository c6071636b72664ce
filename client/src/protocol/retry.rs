//! Whether, and after what delay, a failed request is retried. Pure: no clock, no sockets.

use crate::config::RetryPolicy;
use crate::error::{Error, ErrorKind};
use std::time::Duration;
use uuid::Uuid;

/// A transient failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// The reply was 429, because of too many requests or sessions: nothing is broken, and waiting helps.
    pub(crate) throttled: bool,
    /// The pause that the service asked for, capped.
    pub(crate) retry_after: Option<Duration>,
}

impl Trouble {
    /// `None` if the failure is not transient.
    pub(crate) fn of(error: &Error) -> Option<Trouble> {
        let throttled = matches!(error.kind(), ErrorKind::Throttled | ErrorKind::ServiceFull);
        error.is_retryable().then_some(Trouble { throttled, retry_after: error.honoured_retry_after() })
    }
}

/// The delays of one call: exponential, with a random part, so that clients that failed together do not retry together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    policy: RetryPolicy,
    failures: u32,
    throttles: u32,
}

impl Backoff {
    /// The documentation asks for 5 to 10 s between calls, and says that a minute is always enough.
    const THROTTLED: u32 = 20;
    const LONGEST_THROTTLED: u32 = 120;
    const LONGEST_FAILED: u32 = 60;

    pub(crate) fn new(policy: RetryPolicy) -> Backoff {
        Backoff { policy, failures: 0, throttles: 0 }
    }

    /// The delay before the next attempt; `None` if there is none. `random` is from 0 to 1.
    pub(crate) fn pause(&mut self, trouble: Trouble, random: f64) -> Option<Duration> {
        if self.policy.most == 0 {
            return None;
        }
        let delay = self.policy.delay;
        let (count, first, longest) = if trouble.throttled {
            (&mut self.throttles, delay * Backoff::THROTTLED, delay * Backoff::LONGEST_THROTTLED)
        } else if self.failures < self.policy.most {
            (&mut self.failures, delay, delay * Backoff::LONGEST_FAILED)
        } else {
            return None;
        };
        let doubled = first.saturating_mul(2_u32.saturating_pow(*count)).min(longest);
        *count += 1;
        let asked_for = trouble.retry_after.filter(|time| !time.is_zero());
        Some(asked_for.unwrap_or_else(|| doubled.mul_f64(1.0 - random / 2.0)))
    }
}

/// A random number from 0 to 1.
pub(crate) fn random() -> f64 {
    let bits = Uuid::new_v4().as_u64_pair().1 as u32;
    f64::from(bits) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Trouble = Trouble { throttled: false, retry_after: None };
    const THROTTLED: Trouble = Trouble { throttled: true, retry_after: None };

    fn pauses(trouble: Trouble, random: f64, count: usize) -> Vec<Option<u128>> {
        let mut backoff = Backoff::new(RetryPolicy { most: 4, delay: RetryPolicy::DELAY });
        (0..count).map(|_| backoff.pause(trouble, random).map(|pause| pause.as_millis())).collect()
    }

    #[test]
    fn failures_are_retried_four_times_with_doubling_delays() {
        assert_eq!(pauses(FAILED, 0.0, 5), [Some(500), Some(1_000), Some(2_000), Some(4_000), None]);
        assert_eq!(pauses(FAILED, 1.0, 2), [Some(250), Some(500)], "less a random part of up to a half");
    }

    #[test]
    fn throttling_delays_start_at_five_to_ten_seconds_and_end_at_a_minute() {
        assert_eq!(pauses(THROTTLED, 0.0, 5), [10_000, 20_000, 40_000, 60_000, 60_000].map(Some));
        assert_eq!(pauses(THROTTLED, 1.0, 1), [Some(5_000)]);
        assert_eq!(pauses(THROTTLED, 0.0, 100).last(), Some(&Some(60_000)), "as long as the caller has time");
    }

    #[test]
    fn retry_after_replaces_the_delay() {
        let asked = |seconds| Trouble { retry_after: Some(Duration::from_secs(seconds)), ..FAILED };
        assert_eq!(pauses(asked(7), 0.5, 1), [Some(7_000)]);
        assert_eq!(pauses(asked(0), 0.0, 1), [Some(500)], "zero does not count");
    }

    #[test]
    fn zero_retries_disables_retrying() {
        let mut backoff = Backoff::new(RetryPolicy::NEVER);
        assert_eq!((backoff.pause(FAILED, 0.0), backoff.pause(THROTTLED, 0.0)), (None, None));
    }

    #[test]
    fn random_numbers_stay_in_range_and_differ() {
        let numbers: Vec<f64> = (0..100).map(|_| random()).collect();
        assert!(numbers.iter().all(|number| (0.0..=1.0).contains(number)));
        assert!(numbers.iter().any(|number| *number < 0.5) && numbers.iter().any(|number| *number > 0.5));
    }
}

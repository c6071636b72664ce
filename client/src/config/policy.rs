//! Poll intervals and the retry policy.

use super::api_version::ApiVersion;
use std::time::Duration;

/// How long cached properties of a session count as current, and so how often it is polled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PollIntervals {
    pub(crate) starting: Duration,
    /// For a premium server, which takes longer to start.
    pub(crate) starting_premium: Duration,
    /// Leases are minutes and hours, so this can be long.
    pub(crate) ready: Duration,
}

impl PollIntervals {
    /// For v1 the intervals follow the service's documentation, whose sample polls every 10 s and which states 5 s as
    /// the minimum. For 2021-01-01 they follow the official clients.
    pub(crate) const fn of(version: ApiVersion) -> PollIntervals {
        let starting = match version {
            ApiVersion::V1 => Duration::from_secs(10),
            ApiVersion::V2021_01_01 => Duration::from_secs(2),
        };
        PollIntervals { starting, starting_premium: Duration::from_secs(10), ready: Duration::from_secs(30) }
    }
}

/// How a client retries its requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryPolicy {
    /// The maximum number of retries after transient failures. Throttling does not count, but 0 disables all retries.
    pub(crate) most: u32,
    /// The first delay.
    pub(crate) delay: Duration,
}

impl RetryPolicy {
    pub(crate) const DELAY: Duration = Duration::from_millis(500);

    /// No retries.
    pub(crate) const NEVER: RetryPolicy = RetryPolicy { most: 0, delay: RetryPolicy::DELAY };
}

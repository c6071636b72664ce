//! How often requests are sent, and how often they are repeated.

use super::api_version::ApiVersion;
use std::time::Duration;

/// How long a session's properties count as current, and so how often they are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PollIntervals {
    pub(crate) starting: Duration,
    /// The same for a premium server, which takes longer to start.
    pub(crate) starting_premium: Duration,
    /// A lease is counted in minutes and hours.
    pub(crate) ready: Duration,
}

impl PollIntervals {
    /// The intervals of v1 follow the service's documentation, whose sample polls every ten seconds and which calls five the
    /// least; those of 2021-01-01 follow the official clients.
    pub(crate) const fn of(version: ApiVersion) -> PollIntervals {
        let starting = match version {
            ApiVersion::V1 => Duration::from_secs(10),
            ApiVersion::V2021_01_01 => Duration::from_secs(2),
        };
        PollIntervals { starting, starting_premium: Duration::from_secs(10), ready: Duration::from_secs(30) }
    }
}

/// How a client repeats its requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryPolicy {
    /// The most repetitions after transient failures; throttling is not counted, but 0 means that nothing is repeated.
    pub(crate) most: u32,
    /// The first pause.
    pub(crate) delay: Duration,
}

impl RetryPolicy {
    pub(crate) const DELAY: Duration = Duration::from_millis(500);

    /// Every failure is final.
    pub(crate) const NEVER: RetryPolicy = RetryPolicy { most: 0, delay: RetryPolicy::DELAY };
}

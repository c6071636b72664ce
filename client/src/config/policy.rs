//! Poll intervals and the retry policy.

use super::api_version::ApiVersion;
use super::endpoint::Endpoint;
use std::time::Duration;

/// How long cached properties of a session count as current, and so how often it is polled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PollIntervals {
    pub(crate) starting: Duration,
    /// For premium servers, which take longer to start.
    pub(crate) starting_premium: Duration,
    /// Leases are minutes and hours, so this can be long.
    pub(crate) ready: Duration,
}

/// The poll intervals that the caller gave; `None`: the default.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct GivenIntervals {
    pub(crate) starting: Option<Duration>,
    pub(crate) ready: Option<Duration>,
}

/// The service throttles accounts that poll more than once every few seconds (docs/service.md, "Errors").
pub(crate) const SHORTEST_REMOTE_INTERVAL: Duration = Duration::from_secs(1);

impl PollIntervals {
    /// The intervals for an endpoint. The journal may name a remote endpoint even if the configured service is on this
    /// machine, so short intervals are raised to the remote minimum.
    pub(crate) fn at(endpoint: &Endpoint, version: ApiVersion, given: GivenIntervals) -> PollIntervals {
        let shortest = if endpoint.is_loopback() { Duration::ZERO } else { SHORTEST_REMOTE_INTERVAL };
        let defaults = if endpoint.is_loopback() { PollIntervals::LOOPBACK } else { PollIntervals::of(version) };
        let either = |given: Option<Duration>, default: Duration| given.unwrap_or(default).max(shortest);
        PollIntervals {
            starting: either(given.starting, defaults.starting),
            starting_premium: either(given.starting, defaults.starting_premium),
            ready: either(given.ready, defaults.ready),
        }
    }

    const READY: Duration = Duration::from_secs(30);

    /// For a service on this machine, which does not throttle and may start sessions within a second.
    const LOOPBACK: PollIntervals = PollIntervals {
        starting: Duration::from_millis(250),
        starting_premium: Duration::from_millis(250),
        ready: PollIntervals::READY,
    };

    /// For v1 the intervals follow the service's documentation, whose sample polls every 10 s and which states 5 s as
    /// the minimum. For 2021-01-01 they follow the official clients.
    const fn of(version: ApiVersion) -> PollIntervals {
        let starting = match version {
            ApiVersion::V1 => Duration::from_secs(10),
            ApiVersion::V2021_01_01 => Duration::from_secs(2),
        };
        PollIntervals { starting, starting_premium: Duration::from_secs(10), ready: PollIntervals::READY }
    }
}

impl PollIntervals {
    /// The minimum time between two extensions of a session by keep-alive: the poll interval of ready sessions, since
    /// each extension is confirmed by a read; but not more than a minute, which a short lease can spare.
    pub(crate) fn between_extensions(&self) -> Duration {
        self.ready.min(Duration::from_secs(60))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(endpoint: &str, version: ApiVersion, given: Option<u64>) -> [u128; 3] {
        let given = given.map(Duration::from_millis);
        let given = GivenIntervals { starting: given, ready: given };
        let intervals = PollIntervals::at(&Endpoint::service(endpoint).unwrap(), version, given);
        [intervals.starting, intervals.starting_premium, intervals.ready].map(|interval| interval.as_millis())
    }

    #[test]
    fn intervals_depend_on_endpoint_and_version() {
        for version in [ApiVersion::V1, ApiVersion::V2021_01_01] {
            assert_eq!(milliseconds("http://127.0.0.1:8722", version, None), [250, 250, 30_000]);
            assert_eq!(milliseconds("http://localhost", version, Some(20)), [20; 3]);
            assert_eq!(milliseconds("westus2", version, Some(20)), [1_000; 3], "raised to the remote minimum");
            assert_eq!(milliseconds("westus2", version, Some(5_000)), [5_000; 3]);
        }
        assert_eq!(milliseconds("westus2", ApiVersion::V1, None), [10_000, 10_000, 30_000]);
        assert_eq!(milliseconds("westus2", ApiVersion::V2021_01_01, None), [2_000, 10_000, 30_000]);
    }
}

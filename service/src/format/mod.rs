//! Text formats of the REST API, and the milliseconds and patterns of the control API.

pub(crate) mod correlation_vector;
pub(crate) mod date_time;
pub(crate) mod glob;
pub(crate) mod guid;
pub(crate) mod lenient_json;
pub(crate) mod timespan;

use std::time::Duration;

/// A duration in whole milliseconds, as the control API and faults give it.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A duration in milliseconds to one decimal place, for people.
pub(crate) fn tenths_of_milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e4).round() / 10.0
}

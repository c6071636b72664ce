//! Control over time in tests, with your own [`Clock`]: [`Client::with_clock`](crate::Client::with_clock). Only with the feature `test-util`.

pub use crate::clock::{Clock, Instant, Signal, SystemClock};

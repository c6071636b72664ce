//! A clock of your own, for tests: [`Client::with_clock`](crate::Client::with_clock). Only with the feature `test-util`.

pub use crate::clock::{Clock, Instant, Signal, SystemClock};

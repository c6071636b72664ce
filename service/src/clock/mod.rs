//! The time by which the service works.

mod adjustable;
mod source;

pub(crate) use adjustable::{AdjustableClock, Timestamp};
pub use source::{Clock, VirtualClock};

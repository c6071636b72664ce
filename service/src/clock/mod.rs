//! The emulator's clock.

mod adjustable;
mod source;

pub(crate) use adjustable::{AdjustableClock, Timestamp};
pub use source::{Clock, VirtualClock};

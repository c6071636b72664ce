//! What time it is for the service.

mod adjustable;
mod source;

pub(crate) use adjustable::{Moment, ServiceClock};
pub use source::{Clock, VirtualClock};

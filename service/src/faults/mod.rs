//! Fault injection: which faults there are, which requests they are for, and how they are carried out.

mod fault;
mod glob;
mod injection;
pub(crate) mod json;
mod oversize;
mod rules;
mod socket_fault;

pub use fault::Fault;
pub(crate) use injection::{FaultOutcome, inject};
pub use rules::FaultError;
pub(crate) use rules::FaultRules;
pub(crate) use socket_fault::{AfterFault, Socket, SocketFault};

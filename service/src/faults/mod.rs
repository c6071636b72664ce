//! Fault injection: the faults, the rules that match them to requests, and how each is carried out.

mod fault;
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

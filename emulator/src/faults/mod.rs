//! Fault injection: which faults there are, which requests they are for, and how they are carried out.

mod fault;
mod glob;
mod inject;
pub(crate) mod json;
mod oversize;
mod rules;
mod socket_fault;

pub use fault::Fault;
pub(crate) use inject::{Outcome, carry_out};
pub(crate) use rules::FaultBook;
pub use rules::FaultError;
pub(crate) use socket_fault::{Afterwards, Socket, Takeover};

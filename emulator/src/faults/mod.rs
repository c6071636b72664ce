//! Faults on purpose: what they are and when they happen. Nothing here knows a socket; how they are carried out is
//! `routes/sabotage` for replies and `takeover` for connections.

mod book;
mod fault;
mod glob;
pub(crate) mod json;

pub(crate) use book::FaultBook;
pub use book::FaultError;
pub(crate) use fault::Action;
pub use fault::Fault;

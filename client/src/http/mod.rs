//! HTTP: the one client of the wire, its TLS, name lookups and limits, and the threads that send.

mod failure;
mod idleness;
mod resolver;
mod tls;
mod transport;
mod workers;

pub(crate) use transport::{Attempt, Transport};
pub(crate) use workers::{Counted, Lane, QueuedJob, Workers};

//! HTTP: the one client of the wire, its TLS, name lookups and limits, and the threads that send.

mod failure;
mod idleness;
mod resolver;
mod tls;
mod transport;
mod workers;

pub(crate) use transport::Transport;
pub(crate) use workers::{Counted, QueuedJob, Workers};

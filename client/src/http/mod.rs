//! HTTP: the only module that sends requests. TLS, name lookups, limits, and the sending threads.

mod failure;
mod idleness;
mod resolver;
mod tls;
mod transport;
mod workers;

pub(crate) use transport::Transport;
pub(crate) use workers::{Counted, QueuedJob, Workers};

//! HTTP: the only module that sends requests. TLS, name lookups, limits, and the sending threads.

mod apart;
mod failure;
mod idleness;
mod outgoing;
mod proxies;
mod reply;
mod resolver;
mod tls;
mod tls_failure;
mod transport;
mod workers;

pub(crate) use transport::Transport;
pub(crate) use workers::{Counted, Handover, QueuedJob, Workers};

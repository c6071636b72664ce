//! Sockets: the listener, TLS, and what becomes of each connection.

mod activity;
pub(crate) mod certificate;
mod connection;
mod handle;
mod hostnames;
pub(crate) mod in_flight;
pub(crate) mod listener;
mod registry;
mod shutdown;
pub(crate) mod tls;
mod tracked_socket;

pub(crate) use handle::Carrier;
pub(crate) use hostnames::Names;
pub(crate) use registry::Connections;
pub(crate) use shutdown::Run;

//! Sockets: the listener, TLS with its certificates, and the connections.

mod activity;
pub(crate) mod certificate;
mod connection;
mod handle;
mod hostnames;
mod in_flight;
pub(crate) mod listener;
pub(crate) mod own_certificate;
mod registry;
mod shutdown;
pub(crate) mod tls;
mod tracked_socket;

pub(crate) use handle::ConnectionHandle;
pub(crate) use hostnames::Hostnames;
pub use own_certificate::CertificateFileError;
pub(crate) use registry::ConnectionRegistry;
pub(crate) use shutdown::Shutdown;

//! Why an emulator does not start.

use std::io;
use std::net::SocketAddr;

use crate::net::CertificateFileError;
use crate::storage::StateFolderError;

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another program listens on the address.
    #[error("{address} is in use: stop the program that listens there, or listen elsewhere (port 0 picks a free port)")]
    AddressInUse {
        /// The address to listen on.
        address: SocketAddr,
    },
    /// The system refused to listen on the address.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address to listen on.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The configuration has no account.
    #[error("an emulator needs at least one account; Account::development() is the usual one")]
    NoAccount,
    /// The certificates could not be generated or used.
    #[error("cannot generate the certificates for HTTPS: {reason}")]
    Certificates {
        /// What went wrong.
        reason: String,
    },
    /// The configured certificate cannot be used.
    #[error(transparent)]
    CertificateFile(#[from] CertificateFileError),
    /// The system provides no random numbers.
    #[error("the system provides no random numbers, which the keys for tokens need")]
    NoRandomNumbers,
    /// The state folder cannot be used.
    #[error(transparent)]
    StateFolder(#[from] StateFolderError),
    /// The system cannot start a thread, or cannot wait for sockets.
    #[error("cannot start the emulator's thread: {0}")]
    Thread(#[source] io::Error),
}

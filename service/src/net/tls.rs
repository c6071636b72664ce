//! HTTPS: TLS 1.2 and 1.3 with HTTP/1.1.

use std::sync::Arc;

use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

use super::certificate::ServerCertificate;

/// An acceptor of TLS connections with this certificate. It has its own cryptography provider, so that an emulator
/// inside a test does not depend on the one that the process has installed.
pub(crate) fn acceptor(certificate: ServerCertificate) -> Result<TlsAcceptor, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificate.chain, certificate.key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

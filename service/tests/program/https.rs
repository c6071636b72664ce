//! HTTPS to the emulator.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::http::{Http, connect};

/// Trusts the authorities in a PEM text and no others.
pub(crate) fn trusting(pem: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate")).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(builder.expect("TLS versions").with_root_certificates(roots).with_no_client_auth())
}

/// One connection.
pub(crate) type Https = Http<StreamOwned<ClientConnection, TcpStream>>;

pub(crate) fn open(url: &str, config: &Arc<ClientConfig>) -> io::Result<Https> {
    let address = url.strip_prefix("https://").expect("HTTPS");
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let tls = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
    Ok(Http::over(StreamOwned::new(tls, connect(address)?), address))
}

//! A small HTTPS client that is notified when the emulator dies.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

/// Trusts the authorities in a PEM text and no others.
pub(crate) fn trusting(pem: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate")).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(builder.expect("TLS versions").with_root_certificates(roots).with_no_client_auth())
}

/// One connection.
pub(crate) struct Https {
    stream: BufReader<StreamOwned<ClientConnection, TcpStream>>,
    address: String,
}

impl Https {
    pub(crate) fn open(url: &str, config: &Arc<ClientConfig>) -> io::Result<Https> {
        let address = url.strip_prefix("https://").expect("HTTPS").to_owned();
        let stream = TcpStream::connect(&address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("127.0.0.1").expect("a name");
        let tls = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
        Ok(Https { stream: BufReader::new(StreamOwned::new(tls, stream)), address })
    }

    /// The status and the body of the reply, which is complete: whatever it says has been acknowledged.
    pub(crate) fn call(&mut self, method: &str, path: &str, bearer: &str, body: &str) -> io::Result<(u16, Value)> {
        let Https { stream, address } = self;
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {bearer}\r\nContent-Length: \
             {length}\r\n\r\n{body}"
        );
        stream.get_mut().write_all(request.as_bytes())?;
        let status = line(stream)?.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        let mut length = 0;
        loop {
            let line = line(stream)?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            assert!(!line.starts_with("transfer-encoding"), "{line}");
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().map_err(io::Error::other)?;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    line.strip_suffix("\r\n").map(str::to_owned).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

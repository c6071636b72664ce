//! TLS servers with all kinds of good and bad certificates. Their threads end with the test's process.

use super::scripted::{reply, token};
use arr_client::{Client, ClientConfig, Credential, LogLevel, Trust};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// A validity period, from 1 January of the first year to 1 January of the second.
pub(crate) type Years = [i32; 2];
pub(crate) const NOW: Years = [2020, 4000];

/// A certificate authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// The certificate to trust.
    pub(crate) pem: String,
    /// The certificates between it and the servers' certificates.
    chain: String,
}

fn params(name: &str, [from, to]: Years) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    params
}

fn authority(name: &str, valid: Years, change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = params(name, valid);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    change(&mut params);
    params
}

impl Authority {
    pub(crate) fn new(valid: Years) -> Authority {
        Authority::changed(valid, |_| ())
    }

    pub(crate) fn changed(valid: Years, change: impl FnOnce(&mut CertificateParams)) -> Authority {
        let params = authority("An Authority", valid, change);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), pem, chain: String::new() }
    }

    /// An intermediate authority below this one. Its servers send its certificate too.
    pub(crate) fn below(&self, change: impl FnOnce(&mut CertificateParams)) -> Authority {
        let params = authority(&format!("An Authority below {}", self.chain.len()), NOW, change);
        let key = KeyPair::generate().unwrap();
        let chain = params.signed_by(&key, &self.issuer).unwrap().pem() + &self.chain;
        Authority { issuer: Issuer::new(params, key), pem: self.pem.clone(), chain }
    }

    /// The certificate of a server with these names (host names or addresses), and its key.
    pub(crate) fn server(&self, names: &[&str], valid: Years) -> Identity {
        self.changed_server(names, valid, |_| ())
    }

    pub(crate) fn changed_server(
        &self,
        names: &[&str],
        valid: Years,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Identity {
        let mut params = params("a server", valid);
        params.subject_alt_names = sans(names);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem() + &self.chain;
        Identity { pem, key: key.serialize_der() }
    }
}

fn sans(names: &[&str]) -> Vec<rcgen::SanType> {
    CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap().subject_alt_names
}

/// A server's certificate and its key.
pub(crate) struct Identity {
    pub(crate) pem: String,
    key: Vec<u8>,
}

impl Identity {
    /// A self-signed certificate, as an authority's or not.
    pub(crate) fn self_signed(is_ca: bool) -> Identity {
        let mut params = params("itself", NOW);
        params.subject_alt_names = sans(&["127.0.0.1"]);
        params.is_ca = if is_ca { IsCa::Ca(BasicConstraints::Unconstrained) } else { IsCa::ExplicitNoCa };
        let key = KeyPair::generate().unwrap();
        Identity { pem: params.self_signed(&key).unwrap().pem(), key: key.serialize_der() }
    }

    /// Starts a server with it, and returns the URL. With `clients`, each client needs a certificate of that authority.
    pub(crate) fn serve(
        &self,
        versions: &[&'static rustls::SupportedProtocolVersion],
        clients: Option<&str>,
    ) -> String {
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_protocol_versions(versions).unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(pem) => {
                let mut roots = RootCertStore::empty();
                roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
                let provider = Arc::new(default_provider());
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
                builder.with_client_cert_verifier(verifier)
            }
        };
        let chain = CertificateDer::pem_slice_iter(self.pem.as_bytes()).collect::<Result<_, _>>().unwrap();
        let key = PrivatePkcs8KeyDer::from(self.key.clone());
        let config = Arc::new(builder.with_single_cert(chain, key.into()).unwrap());
        serve(move |stream| {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            answer(&mut StreamOwned::new(connection, stream));
        })
    }
}

/// Handles connections to a free port of 127.0.0.1; returns `https://127.0.0.1:port`.
pub(crate) fn serve(handle: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let handle = Arc::new(handle);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let handle = Arc::clone(&handle);
            thread::spawn(move || handle(stream));
        }
    });
    url
}

/// Reads requests without a body, and answers each with a token.
fn answer(stream: &mut StreamOwned<ServerConnection, TcpStream>) -> Option<()> {
    loop {
        let mut reader = BufReader::new(&mut *stream);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            match reader.read_line(&mut line) {
                Ok(length) if length > 0 => {}
                _ => {
                    // Any alert has been written. Closing with unread data would reset the connection before the client
                    // sees it.
                    stream.sock.read_to_end(&mut Vec::new()).ok();
                    return None;
                }
            }
        }
        stream.write_all(reply("200 OK", "", &token()).as_bytes()).ok()?;
    }
}

/// A client of the services at this URL that trusts these authorities and retries nothing.
pub(crate) fn client(url: &str, ca_pem: &str) -> Client {
    Client::new(config(url, ca_pem)).unwrap()
}

pub(crate) fn config(url: &str, ca_pem: &str) -> ClientConfig {
    let key = Credential::AccountKey("c2VjcmV0a2V5".into());
    let config = ClientConfig::new("68321d5a-7978-4ceb-b880-0f49751daae9", key, url, url);
    // The platforms' own verifiers are less specific.
    let config = config.trust(Trust::Bundled).max_retries(0).log_level(LogLevel::Warning);
    ClientConfig { ca_pem: (!ca_pem.is_empty()).then(|| ca_pem.to_owned()), ..config }
}

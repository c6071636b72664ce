//! A certificate of the operator's own, from PEM files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, InconsistentKeys};

use super::certificate::ServerCertificate;

/// Why a certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateFileError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file has something else in it than it should.
    #[error("{} {problem}", .file.display())]
    Contents {
        /// The file.
        file: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// Key and certificate are not of one pair.
    #[error(
        "the key in {} does not fit the first certificate in {}: the server's own certificate must be the first, and the \
         key its own", .key.display(), .certificates.display()
    )]
    Mismatch {
        /// The file with the certificates.
        certificates: PathBuf,
        /// The file with the key.
        key: PathBuf,
    },
}

/// Reads a server's certificate, followed by those that lead to its authority, and its key.
pub(crate) fn read(certificates: &Path, key: &Path) -> Result<ServerCertificate, CertificateFileError> {
    let chain = read_chain(certificates)?;
    let der = read_key(key)?;
    check(&chain, &der).map_err(|error| match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            CertificateFileError::Mismatch { certificates: certificates.to_owned(), key: key.to_owned() }
        }
        rustls::Error::InvalidCertificate(CertificateError::BadEncoding) => {
            wrong(certificates, "has a certificate that cannot be decoded: write the file again".to_owned())
        }
        rustls::Error::InvalidCertificate(reason) => {
            wrong(certificates, format!("has an unusable certificate: {reason}"))
        }
        _ => wrong(
            key,
            "has a key that is not supported: use RSA with 2048 to 8192 bits, ECDSA with P-256 or P-384, or Ed25519"
                .to_owned(),
        ),
    })?;
    Ok(ServerCertificate { chain, key: der })
}

fn read_chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateFileError> {
    let pem = read_pem(file, "x509")?;
    if !has_label(&pem, "CERTIFICATE") {
        let problem = if has_label(&pem, "PRIVATE KEY") {
            "has a private key but no certificate: are --cert and --key the wrong way round?"
        } else if has_label(&pem, "TRUSTED CERTIFICATE") {
            "has a certificate in OpenSSL's own format: convert it with openssl x509 -in FILE -out NEW"
        } else {
            "has no certificate: it must be PEM, with -----BEGIN CERTIFICATE-----"
        };
        return Err(wrong(file, problem.to_owned()));
    }
    let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    chain.map_err(|error| wrong(file, format!("is not valid PEM: {error}")))
}

fn read_key(file: &Path) -> Result<PrivateKeyDer<'static>, CertificateFileError> {
    let pem = read_pem(file, "pkey")?;
    if has_label(&pem, "ENCRYPTED PRIVATE KEY") || contains(&pem, "Proc-Type: 4,ENCRYPTED") {
        let problem = "has an encrypted key: decrypt it with openssl pkey -in FILE -out NEW, readable by you only";
        return Err(wrong(file, problem.to_owned()));
    }
    if !has_label(&pem, "PRIVATE KEY") {
        let problem = if has_label(&pem, "CERTIFICATE") {
            "has a certificate but no private key: are --cert and --key the wrong way round?"
        } else {
            "has no private key: it must be PEM, with -----BEGIN PRIVATE KEY-----, RSA PRIVATE KEY or EC PRIVATE KEY"
        };
        return Err(wrong(file, problem.to_owned()));
    }
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| wrong(file, format!("is not valid PEM: {error}")))
}

/// The text of a PEM file, without a byte order mark. `tool` is OpenSSL's command for such a file.
fn read_pem(file: &Path, tool: &str) -> Result<Vec<u8>, CertificateFileError> {
    let bytes =
        std::fs::read(file).map_err(|source| CertificateFileError::Unreadable { file: file.to_owned(), source })?;
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(wrong(file, "is UTF-16, as its byte order mark says: save it as UTF-8 or ASCII".to_owned()));
    }
    // DER begins with a sequence.
    if bytes.first() == Some(&0x30) && !contains(&bytes, "-----BEGIN ") {
        let problem = format!("is DER: convert it to PEM with openssl {tool} -inform der -in FILE -out NEW");
        return Err(wrong(file, problem));
    }
    Ok(bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(bytes))
}

/// Whether a line begins a section whose label is this or, for keys, ends with it.
fn has_label(pem: &[u8], label: &str) -> bool {
    let whole = format!("-----BEGIN {label}-----");
    let kinds = ["RSA ", "EC "].map(|kind| format!("-----BEGIN {kind}{label}-----"));
    contains(pem, &whole) || kinds.iter().any(|kind| contains(pem, kind))
}

fn contains(text: &[u8], part: &str) -> bool {
    text.windows(part.len()).any(|window| window == part.as_bytes())
}

fn check(chain: &[CertificateDer<'static>], key: &PrivateKeyDer<'static>) -> Result<(), rustls::Error> {
    let provider = rustls::crypto::ring::default_provider();
    let key = provider.key_provider.load_private_key(key.clone_key())?;
    let certified = CertifiedKey { cert: chain.to_vec(), key: Arc::clone(&key), ocsp: None };
    certified.keys_match()
}

fn wrong(file: &Path, problem: String) -> CertificateFileError {
    CertificateFileError::Contents { file: file.to_owned(), problem }
}

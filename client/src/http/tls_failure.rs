//! Explains why a TLS connection was not established: the cause, and what to do about it.

use super::tls::unix_time;
use crate::config::{is_hidden, is_loopback};
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};
use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};
use url::Url;

/// A server that was to speak TLS.
pub(super) struct Server<'a> {
    /// `https://host:port`
    origin: &'a str,
    /// The options that name it, or where else it is configured.
    option: &'a str,
    is_proxy: bool,
}

impl<'a> Server<'a> {
    pub(super) fn service(origin: &'a str) -> Server<'a> {
        Server { origin, option: ENDPOINT, is_proxy: false }
    }

    pub(super) fn proxy(origin: &'a str, option: &'a str) -> Server<'a> {
        Server { origin, option, is_proxy: true }
    }
}

/// The options that name the service.
const ENDPOINT: &str = "`service_endpoint` or `account_domain`";

/// Whether this failure ended a handshake, although it arrived with the first read of the reply. Under TLS 1.3 a server
/// refuses the client's certificate, or its absence, after the client has sent its request, and without reading it.
pub(super) fn refuses_client(error: &Error) -> bool {
    use AlertDescription::{
        AccessDenied, BadCertificate, CertificateExpired, CertificateRequired, CertificateRevoked, CertificateUnknown,
        NoCertificate, UnknownCA, UnsupportedCertificate,
    };
    let Error::AlertReceived(alert) = error else { return false };
    matches!(
        alert,
        AccessDenied
            | BadCertificate
            | CertificateExpired
            | CertificateRequired
            | CertificateRevoked
            | CertificateUnknown
            | NoCertificate
            | UnknownCA
            | UnsupportedCertificate
    )
}

/// The cause and the remedy, as the rest of a sentence that names the origin.
pub(super) fn explain(error: &Error, server: &Server<'_>) -> String {
    match error {
        Error::InvalidCertificate(cause) => certificate(cause, server),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => format!(
            "the server does not speak TLS ({error}), so it may be a plain HTTP server; {}",
            without_tls(server)
        ),
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            "the server speaks neither TLS 1.2 nor TLS 1.3, and older versions are not safe; update the server, or \
             enable TLS 1.2 there"
                .to_owned()
        }
        error if refuses_client(error) => format!(
            "the server demands a client certificate ({error}), which this library does not support; turn off \
             client certificates (mutual TLS) there"
        ),
        Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
            format!("the server does not offer HTTP/1.1 ({error}), which this library speaks; enable it there")
        }
        Error::AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity)
        | Error::PeerIncompatible(_) => format!(
            "client and server have no TLS settings in common ({error}); the server must offer TLS 1.2 or 1.3 with an \
             AES-GCM or ChaCha20 cipher suite and a certificate with an RSA, P-256, P-384 or Ed25519 key, and must not \
             demand a client certificate"
        ),
        Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            format!("the server does not serve this host name ({error}); check the host in {}", server.option)
        }
        _ => format!("{error}; check the host and port in {}, and the network in between", server.option),
    }
}

/// What a failure after the handshake may mean. Under TLS 1.2 a server may ask for the client's certificate only once it
/// has read the request, by a second handshake, which the TLS library refuses.
pub(super) fn after_handshake(error: &Error) -> &'static str {
    use AlertDescription::{HandshakeFailure, NoRenegotiation};
    match error {
        Error::AlertReceived(HandshakeFailure | NoRenegotiation) => {
            "; the server may demand a client certificate, which this library does not support"
        }
        _ => "",
    }
}

/// Explains a connection that the server closed during the handshake, without a TLS message.
pub(super) fn cut_off(cause: &str) -> String {
    let cause = if cause == "tls handshake eof" { "it was closed" } else { cause };
    format!("{cause} during the handshake: the port may not speak TLS, or the server may demand a client certificate")
}

/// Explains bytes that are not an HTTP reply, such as a TLS server's answer to a plain request.
pub(super) fn not_http(cause: &str, origin: &str) -> Option<String> {
    // The HTTP library has no error types for these.
    let is_malformed = cause.contains(" parsed")
        || cause == "message head is too large"
        || cause.to_lowercase().contains("chunk size");
    let tls = if cause.contains("HTTP version") { perhaps_tls(origin) } else { String::new() };
    is_malformed.then(|| format!("({cause}{tls}); check the host and port in {ENDPOINT}"))
}

/// What to do if the server of a plain HTTP URL did not reply because it speaks TLS.
pub(super) fn perhaps_tls(origin: &str) -> String {
    let authority = origin.strip_prefix("http://");
    authority
        .map(|authority| format!("; if it speaks TLS, write https://{authority} as {ENDPOINT}"))
        .unwrap_or_default()
}

fn certificate(cause: &CertificateError, server: &Server<'_>) -> String {
    match cause {
        CertificateError::ExpiredContext { time, not_after } => {
            expired(&format!("the certificate, or one above it, expired on {}", in_words(*not_after)), *time)
        }
        CertificateError::Expired => expired("the certificate has expired", unix_time()),
        CertificateError::NotValidYetContext { time, not_before } => {
            not_yet(&format!("the certificate, or one above it, is not valid before {}", in_words(*not_before)), *time)
        }
        CertificateError::NotValidYet => not_yet("the certificate is not valid yet", unix_time()),
        CertificateError::NotValidForNameContext { expected, presented } => wrong_name(expected, presented, server.option),
        CertificateError::NotValidForName => format!(
            "the certificate is not for the host {}; use a name from the certificate in {}, or get a \
             certificate for this host",
            host_of(server.origin),
            server.option
        ),
        CertificateError::UnknownIssuer => {
            "the certificate comes from an authority that is not trusted; if it is a private one, such as the \
             emulator's, give its certificate as `ca_file` or `ca_pem` (a restarted emulator has a new one); if it is \
             given, the server must also send the certificates between that one and its own"
                .to_owned()
        }
        CertificateError::BadSignature => {
            "the certificate was not signed by the trusted authority of that name, or a key is too short (RSA needs 2,048 \
             bits); if the authority was replaced, give its new certificate as `ca_file` or `ca_pem`"
                .to_owned()
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { signature_algorithm_id, .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { signature_algorithm_id, .. } => {
            weakly_signed(signature_algorithm_id)
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => not_for_servers(),
        CertificateError::Revoked => {
            "the certificate was revoked by its authority; the server needs a new one".to_owned()
        }
        // The verifier's own errors have no type here.
        CertificateError::Other(other) if format!("{other:?}").contains("EkuError") => not_for_servers(),
        CertificateError::Other(other) if format!("{other:?}").contains("NameConstraintViolation") => format!(
            "an authority above the certificate may not issue one for the host {} (its name constraints exclude it); the \
             server needs a certificate of another authority, or another name",
            host_of(server.origin)
        ),
        CertificateError::Other(other) if CHAIN.iter().any(|error| format!("{other:?}").contains(error)) => {
            "the chain of certificates that the server sends is not valid: one that signs others is not allowed to, or \
             not so many below it; the server needs other certificates"
                .to_owned()
        }
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "the server uses an authority's certificate (CA:TRUE, as many self-signed ones are) as its own, which is \
             refused even if it is given as `ca_file`; give the server a certificate with CA:FALSE, and set `ca_file` to \
             the authority that signed it, or to that certificate if it is self-signed"
                .to_owned()
        }
        CertificateError::Other(other) if format!("{other:?}").contains("UnsupportedCertVersion") => {
            "the certificate has an outdated format (X.509 version 1); the server needs one of version 3, with the \
             host as a subject alternative name"
                .to_owned()
        }
        CertificateError::Other(other) if format!("{other:?}").contains("UnsupportedCriticalExtension") => {
            "the certificate, or one above it, has a critical extension that this library does not know; the server needs \
             certificates without it"
                .to_owned()
        }
        _ => format!("{}; the server needs another certificate", Error::InvalidCertificate(cause.clone())),
    }
}

/// The verifier's names for errors of the authorities between the certificate and the trusted one.
const CHAIN: [&str; 3] = ["EndEntityUsedAsCa", "PathLenConstraintViolated", "MaximumPathDepthExceeded"];

fn not_for_servers() -> String {
    "the certificate is not for servers (its extended key usage lacks serverAuth); the server needs one that is"
        .to_owned()
}

/// `algorithm` is an object identifier in DER.
fn weakly_signed(algorithm: &[u8]) -> String {
    let weak: [(&str, &[u8]); 3] = [
        (" (MD5)", b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"),
        (" (SHA-1)", b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"),
        (" (SHA-1)", b"\x2a\x86\x48\xce\x3d\x04\x01"),
    ];
    let is = |oid: &[u8]| algorithm.windows(oid.len()).any(|part| part == oid);
    let name = weak.iter().find(|(_, oid)| is(oid)).map_or("", |(name, _)| name);
    format!(
        "the certificate, or one above it, is signed in a way that is not accepted{name}; the server needs certificates that \
         are signed with SHA-256 or SHA-384 by an RSA key of 2,048 bits or more, or a P-256, P-384 or Ed25519 key"
    )
}

fn expired(what: &str, now: UnixTime) -> String {
    format!(
        "{what}, and this machine's clock says {}; set the clock if it is wrong, otherwise the server needs a new \
         certificate",
        in_words(now)
    )
}

fn not_yet(what: &str, now: UnixTime) -> String {
    format!(
        "{what}, and this machine's clock says {}; set the clock if it is behind, otherwise check the server's \
         certificate",
        in_words(now)
    )
}

fn wrong_name(expected: &ServerName<'_>, presented: &[String], option: &str) -> String {
    /// Certificates of large sites have hundreds, and a message has 500 bytes.
    const MOST: usize = 5;
    const LONGEST: usize = 40;
    let expected = expected.to_str();
    // The names have the form `DnsName("host")` or `IpAddress(1.2.3.4)`; others are not those of servers.
    let dns_name = |name: &'_ str| Some(name.strip_prefix("DnsName(\"")?.strip_suffix("\")")?.to_owned());
    let address = |name: &'_ str| Some(name.strip_prefix("IpAddress(")?.strip_suffix(')')?.to_owned());
    let hosts: Vec<_> = presented.iter().filter_map(|name| dns_name(name).or_else(|| address(name))).collect();
    if hosts.is_empty() {
        return format!(
            "the certificate has no hosts among its subject alternative names, so it is not for the host {expected}; the \
             server needs one with the host as a subject alternative name (a common name does not count)"
        );
    }
    if hosts.iter().any(|host| *host == expected) {
        return format!(
            "the certificate has the address {expected} as a DNS name, which does not count; the server needs one with the \
             address as a subject alternative name of the type IP"
        );
    }
    let mut names = String::new();
    for (index, host) in hosts.iter().take(MOST).enumerate() {
        names.push_str(if index == 0 { "" } else { ", " });
        names.extend(host.chars().filter(|c| !is_hidden(*c) && *c != '`').take(LONGEST));
    }
    if hosts.len() > MOST {
        write!(names, " and {} more", hosts.len() - MOST).ok();
    }
    format!(
        "the certificate is not for the host {expected} but for {names}; use one of these names in {option}, or get a \
         certificate for this host"
    )
}

/// What to do about a server that does not speak TLS.
fn without_tls(server: &Server<'_>) -> String {
    let (origin, option) = (server.origin, server.option);
    let Ok(url) = Url::parse(origin) else { return String::new() };
    if server.is_proxy || is_loopback(&url) {
        format!("write {} in {option}", origin.replacen("https:", "http:", 1))
    } else {
        format!("enable TLS there, or check the port in {option} (plain HTTP is allowed only to this machine)")
    }
}

fn host_of(origin: &str) -> String {
    Url::parse(origin).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// A time, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn in_words(time: UnixTime) -> String {
    /// The last second of the year 9999, which is the formatter's limit.
    const LAST: u64 = 253_402_300_799;
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(time.as_secs().min(LAST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_second_handshake_may_be_about_the_clients_certificate() {
        for alert in [AlertDescription::HandshakeFailure, AlertDescription::NoRenegotiation] {
            assert!(after_handshake(&Error::AlertReceived(alert)).contains("client certificate"), "{alert:?}");
        }
        assert_eq!(after_handshake(&Error::AlertReceived(AlertDescription::InternalError)), "");
    }

    #[test]
    fn a_weak_signature_is_named_in_words() {
        let by = |signature_algorithm_id: &[u8]| {
            let (signature_algorithm_id, supported_algorithms) = (signature_algorithm_id.to_owned(), Vec::new());
            let cause =
                CertificateError::UnsupportedSignatureAlgorithmContext { signature_algorithm_id, supported_algorithms };
            explain(&Error::InvalidCertificate(cause), &Server::service("https://127.0.0.1"))
        };
        assert!(by(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05").contains("(SHA-1)"));
        let p521 = by(b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04");
        assert!(p521.contains("SHA-256") && p521.contains("2,048 bits") && p521.len() < 300, "{p521}");
    }
}

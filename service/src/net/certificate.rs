//! The certificate authority of an HTTPS emulator, and the server certificates that it signs.
//!
//! Both satisfy strict verifiers (OpenSSL's `-x509_strict`, Python's `VERIFY_X509_STRICT`): key identifiers,
//! key usages, critical basic constraints, and different subjects.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::hostnames::Hostnames;

/// For clients whose clocks are behind.
const VALID_BEFORE_START: Duration = Duration::days(1);
/// Some systems refuse server certificates that are valid for more than 398 days.
const SERVER_VALID: Duration = Duration::days(365);
/// A kept authority should outlive the devices that trust it.
const KEPT_AUTHORITY_VALID: Duration = Duration::days(3650);
/// A kept authority that expires sooner is replaced.
const SHORTEST_VALIDITY: Duration = Duration::days(30);

/// What an HTTPS server sends, and its private key.
pub(crate) struct ServerCertificate {
    /// The server's certificate, and those that lead to the authority.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

/// A certificate authority, with its key.
pub(crate) struct Authority {
    name: String,
    expires: OffsetDateTime,
    pem: String,
    key: KeyPair,
}

/// An authority as the state folder has it.
#[derive(Serialize, Deserialize)]
struct KeptAuthority {
    name: String,
    /// Unix time.
    expires: i64,
    certificate: String,
    /// PKCS #8 in base64.
    key: String,
}

impl Authority {
    /// A new authority; `kept` across restarts, or for one run only.
    pub(crate) fn generate(kept: bool) -> Result<Authority, rcgen::Error> {
        // A new name each time, so that certificate stores do not confuse two authorities.
        let id = Uuid::new_v4().simple().to_string();
        let name = format!("arr-emulator CA {}", &id[..8]);
        let now = OffsetDateTime::now_utc();
        let expires = now + if kept { KEPT_AUTHORITY_VALID } else { SERVER_VALID };
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let pem = authority(&name, now, expires).self_signed(&key)?.pem();
        Ok(Authority { name, expires, pem, key })
    }

    /// The authority that [`Self::to_bytes`] wrote; `None` if these bytes are something else.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Authority> {
        let KeptAuthority { name, expires, certificate, key } = serde_json::from_slice(bytes).ok()?;
        let key = PrivatePkcs8KeyDer::from(STANDARD.decode(key).ok()?);
        Some(Authority {
            name,
            expires: OffsetDateTime::from_unix_timestamp(expires).ok()?,
            pem: certificate,
            key: KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_ECDSA_P256_SHA256).ok()?,
        })
    }

    /// Certificate and key. They must be kept secret.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let kept = KeptAuthority {
            name: self.name.clone(),
            expires: self.expires.unix_timestamp(),
            certificate: self.pem.clone(),
            key: STANDARD.encode(self.key.serialized_der()),
        };
        serde_json::to_vec(&kept).unwrap_or_default()
    }

    /// Whether it has expired, or will before long.
    pub(crate) fn is_expiring(&self) -> bool {
        self.expires - OffsetDateTime::now_utc() < SHORTEST_VALIDITY
    }

    /// The authority's certificate, in PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// A new certificate for these names.
    pub(crate) fn issue(self, hostnames: &Hostnames) -> Result<ServerCertificate, rcgen::Error> {
        let now = OffsetDateTime::now_utc();
        let issuer = Issuer::new(authority(&self.name, now, self.expires), self.key);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let params = server(hostnames, now, self.expires.min(now + SERVER_VALID))?;
        let certificate = params.signed_by(&key, &issuer)?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        Ok(ServerCertificate { chain: vec![certificate.into()], key })
    }
}

fn authority(name: &str, now: OffsetDateTime, expires: OffsetDateTime) -> CertificateParams {
    let mut params = valid(name, now, expires);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn server(
    hostnames: &Hostnames,
    now: OffsetDateTime,
    expires: OffsetDateTime,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = valid("arr-emulator", now, expires);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    for name in &hostnames.dns {
        params.subject_alt_names.push(SanType::DnsName(name.as_str().try_into()?));
    }
    params.subject_alt_names.extend(hostnames.addresses.iter().copied().map(SanType::IpAddress));
    Ok(params)
}

fn valid(common_name: &str, now: OffsetDateTime, expires: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = now - VALID_BEFORE_START;
    params.not_after = expires;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_survives_a_restart() {
        let authority = Authority::generate(true).expect("an authority");
        let restored = Authority::from_bytes(&authority.to_bytes()).expect("the same");
        assert_eq!((restored.pem(), &restored.name), (authority.pem(), &authority.name));
        assert_eq!(restored.key.serialized_der(), authority.key.serialized_der());
        assert!(!restored.is_expiring());
        for other in [&b""[..], b"{}", &authority.to_bytes()[1..]] {
            assert!(Authority::from_bytes(other).is_none());
        }
    }
}

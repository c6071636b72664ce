//! The certificate authority that an HTTPS emulator generates, and the server certificate that it signs.
//!
//! Both satisfy strict verifiers (OpenSSL's `-x509_strict`, Python's `VERIFY_X509_STRICT`): key identifiers,
//! key usages, critical basic constraints, and different subjects.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::hostnames::Hostnames;

/// Clients whose clocks are a little behind accept the certificates too.
const VALID_BEFORE_START: Duration = Duration::days(1);
/// Some systems refuse server certificates that live longer than 398 days.
const VALID_AFTER_START: Duration = Duration::days(365);

/// What an HTTPS server needs, and what its clients need to trust it.
pub(crate) struct Certificates {
    /// The authority's certificate, in PEM.
    pub(crate) ca_pem: String,
    /// The server's certificate.
    pub(crate) leaf: CertificateDer<'static>,
    /// The server's private key.
    pub(crate) leaf_key: PrivateKeyDer<'static>,
}

/// Generates an authority and a certificate for these names. The authority's key is dropped, so it can never sign
/// anything else.
pub(crate) fn generate(hostnames: &Hostnames) -> Result<Certificates, rcgen::Error> {
    let ca_params = authority();
    let ca_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let ca_pem = ca_params.self_signed(&ca_key)?.pem();
    let issuer = Issuer::new(ca_params, ca_key);

    let leaf_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let leaf = server(hostnames)?.signed_by(&leaf_key, &issuer)?;
    Ok(Certificates { ca_pem, leaf: leaf.into(), leaf_key: PrivatePkcs8KeyDer::from(leaf_key.serialize_der()).into() })
}

fn authority() -> CertificateParams {
    // A new name for each run: certificate stores that hold the authorities of two runs must not confuse them.
    let run = Uuid::new_v4().simple().to_string();
    let mut params = valid_now(&format!("arr-emulator CA {}", &run[..8]));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn server(hostnames: &Hostnames) -> Result<CertificateParams, rcgen::Error> {
    let mut params = valid_now("arr-emulator");
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

fn valid_now(common_name: &str) -> CertificateParams {
    let now = OffsetDateTime::now_utc();
    let mut params = CertificateParams::default();
    params.not_before = now - VALID_BEFORE_START;
    params.not_after = now + VALID_AFTER_START;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

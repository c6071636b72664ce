//! Certificate authorities: the platform's, the bundled ones, and those that the configuration adds.

use crate::config::Trust;
use crate::error::{Error, ErrorKind, Result};
use crate::log::Log;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// The configured trust. Certificates are parsed when the client is created; the platform's store is read at the first
/// request.
#[derive(Debug)]
pub(super) struct Trusted {
    trust: Trust,
    extra: Vec<CertificateDer<'static>>,
}

impl Trusted {
    pub(super) fn new(trust: Trust, extra_pem: &[Vec<u8>]) -> Result<Trusted> {
        let mut extra = Vec::new();
        for pem in extra_pem {
            let before = extra.len();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                extra.push(certificate.map_err(|cause| malformed(&cause.to_string()))?);
            }
            if extra.len() == before {
                return Err(malformed("there is no certificate in it"));
            }
        }
        // A root store rejects PEM blocks that are not certificates. Report those now, not at the first request.
        let mut store = RootCertStore::empty();
        for certificate in &extra {
            store.add(certificate.clone()).map_err(|cause| malformed(&cause.to_string()))?;
        }
        Ok(Trusted { trust, extra })
    }

    /// TLS 1.2 and 1.3 with this trust. The provider is passed explicitly: a library must not set the process-wide
    /// default.
    pub(super) fn client_config(&self, log: &Log) -> Result<ClientConfig> {
        self.client_config_by(log, |provider| self.platform(provider))
    }

    /// The same with an explicit platform verifier, which not every platform has.
    fn client_config_by<V: ServerCertVerifier + 'static>(
        &self,
        log: &Log,
        platform: impl FnOnce(Arc<CryptoProvider>) -> Result<Arc<V>>,
    ) -> Result<ClientConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|cause| unusable(&cause))?;
        let mut config = match self.trust {
            Trust::Bundled => builder.with_root_certificates(self.bundled()?).with_no_client_auth(),
            Trust::Auto | Trust::Platform => match platform(provider) {
                Ok(verifier) => builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth(),
                Err(error) if self.trust == Trust::Auto => {
                    log.warning(None, || format!("{}; the bundled ones are used", error.message()));
                    builder.with_root_certificates(self.bundled()?).with_no_client_auth()
                }
                Err(error) => return Err(error),
            },
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn bundled(&self) -> Result<RootCertStore> {
        let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for certificate in &self.extra {
            store.add(certificate.clone()).map_err(|cause| unusable(&cause))?;
        }
        Ok(store)
    }

    /// The platform's own verifier. Android's needs initialisation through Java, which this library does not require,
    /// and a UWP sandbox has no such store: both use the bundled roots.
    #[cfg(not(any(target_os = "android", target_vendor = "uwp")))]
    fn platform(&self, provider: Arc<CryptoProvider>) -> Result<Arc<rustls_platform_verifier::Verifier>> {
        rustls_platform_verifier::Verifier::new_with_extra_roots(self.extra.iter().cloned(), provider)
            .map(Arc::new)
            .map_err(|cause| unusable(&cause))
    }

    #[cfg(any(target_os = "android", target_vendor = "uwp"))]
    fn platform(&self, _: Arc<CryptoProvider>) -> Result<Arc<rustls::client::WebPkiServerVerifier>> {
        Err(no_platform())
    }
}

/// The error on a platform without a usable store.
#[cfg(any(target_os = "android", target_vendor = "uwp", test))]
fn no_platform() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "the platform's certificates cannot be used here; use the bundled ones (trust AUTO or BUNDLED)",
    )
}

fn malformed(cause: &str) -> Error {
    Error::invalid_argument(format!(
        "the CA certificates could not be read ({cause}); give PEM text: -----BEGIN CERTIFICATE-----"
    ))
}

fn unusable(cause: &rustls::Error) -> Error {
    Error::new(
        ErrorKind::Tls,
        format!(
            "the certificate authorities to trust could not be set up ({cause}); trust BUNDLED does without the platform's"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_certificate_is_refused_when_the_client_is_created() {
        for pem in [
            "",
            "hello",
            "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n!!!!",
        ] {
            let error = Trusted::new(Trust::Auto, &[pem.into()]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{pem}");
        }
    }

    /// Simulates Android and UWP on any platform.
    #[test]
    fn without_a_platform_store_auto_takes_the_bundled_roots_and_platform_is_refused() {
        let log = Log::new(crate::log::LogLevel::Warning, Arc::new(crate::clock::SystemClock));
        let configure = |trust| {
            let nothing = |_| Err::<Arc<rustls::client::WebPkiServerVerifier>, _>(no_platform());
            Trusted::new(trust, &[]).unwrap().client_config_by(&log, nothing)
        };
        configure(Trust::Bundled).unwrap();
        assert!(log.take().is_none(), "nothing was asked for that is not there");
        configure(Trust::Auto).unwrap();
        assert!(log.take().unwrap().message.contains("the bundled ones are used"));
        assert_eq!(configure(Trust::Platform).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn every_kind_of_trust_can_be_set_up_and_sets_no_process_wide_provider() {
        let log = Log::new(crate::log::LogLevel::Off, Arc::new(crate::clock::SystemClock));
        for trust in [Trust::Auto, Trust::Bundled] {
            Trusted::new(trust, &[]).unwrap().client_config(&log).unwrap();
        }
        assert!(CryptoProvider::get_default().is_none());
    }
}

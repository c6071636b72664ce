//! Trusted certificate authorities: the platform's, the bundled ones, and those added by the configuration.

use super::tls_failure::in_words;
use super::workers::{Handover, Workers};
use crate::clock::{Clock, SystemClock, lock};
use crate::config::{CaText, Trust};
use crate::error::{Error, ErrorKind, Result};
use crate::log::Log;
use crate::sys::is_exhaustion;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, KeyProvider};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::SigningKey;
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The configured trust. Certificates are parsed when the client is created; the platform's store is read at the first
/// request.
#[derive(Debug)]
pub(super) struct Trusted {
    authorities: Arc<Authorities>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Authorities {
    trust: Trust,
    extra: Vec<CertificateDer<'static>>,
}

/// The configuration that all connections share, with the sessions that servers let this client resume.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<Making>,
    made: Condvar,
}

#[derive(Debug, Default)]
struct Making {
    outcome: Option<Result<Arc<ClientConfig>>>,
    /// A thread is making it, for all requests that wait.
    running: bool,
}

impl Trusted {
    /// Warns about authorities that have expired, although TLS trusts them.
    pub(super) fn new(trust: Trust, given: &[CaText], log: &Log) -> Result<Trusted> {
        let mut extra = Vec::new();
        for CaText { from, pem } in given {
            let before = extra.len();
            for (index, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
                let certificate = certificate.map_err(|cause| malformed(from, not_a_section(&cause)))?;
                // A root store rejects PEM blocks that are not certificates. Better now than at the first request.
                RootCertStore::empty()
                    .add(certificate.clone())
                    .map_err(|_| malformed(from, &format!("its certificate {} is malformed", index + 1)))?;
                if let Some(untimely) = untimely(&certificate) {
                    log.warning(None, || format!("certificate {} of {from} {untimely}", index + 1));
                }
                extra.push(certificate);
            }
            if extra.len() == before {
                return Err(malformed(from, "it has no certificate"));
            }
        }
        Ok(Trusted { authorities: Arc::new(Authorities { trust, extra }), shared: Arc::default() })
    }

    /// TLS 1.2 and 1.3 with this trust. Waits up to `limit` for the platform's store, which may be on a disk that
    /// hangs. The provider is passed explicitly: a library must not set the process-wide default.
    pub(super) fn client_config(
        &self,
        log: &Arc<Log>,
        workers: &Arc<Workers>,
        limit: Duration,
    ) -> Result<Arc<ClientConfig>> {
        let (authorities, log) = (Arc::clone(&self.authorities), Arc::clone(log));
        self.shared
            .get(workers, limit, move || authorities.client_config_by(&log, |provider| authorities.platform(provider)))
    }
}

impl Shared {
    /// The result of `make`, which runs once on its own thread, and again after a failure. If no thread can be started,
    /// it runs on this thread, without a limit.
    fn get(
        self: &Arc<Self>,
        workers: &Arc<Workers>,
        limit: Duration,
        make: impl FnOnce() -> Result<ClientConfig> + Send + 'static,
    ) -> Result<Arc<ClientConfig>> {
        let mut state = lock(&self.state);
        if let Some(Ok(config)) = &state.outcome {
            return Ok(Arc::clone(config));
        }
        if !state.running {
            (state.running, state.outcome) = (true, None);
            drop(state);
            let shared = Arc::clone(self);
            let make = Handover::new(move || {
                let outcome = catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|_| Err(crashed()));
                *lock(&shared.state) = Making { outcome: Some(outcome.map(Arc::new)), running: false };
                shared.made.notify_all();
            });
            make.run(|run| workers.run_apart_always("arr-setup", run));
            state = lock(&self.state);
        }
        let waited = self.made.wait_timeout_while(state, limit, |state| state.running);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.outcome.clone().unwrap_or_else(|| Err(too_slow(limit)))
    }
}

/// The crypto provider of all connections. It cannot sign with client keys, so the linker drops that code.
fn provider() -> Arc<CryptoProvider> {
    #[derive(Debug)]
    struct NoKeys;
    impl KeyProvider for NoKeys {
        fn load_private_key(
            &self,
            _: PrivateKeyDer<'static>,
        ) -> std::result::Result<Arc<dyn SigningKey>, rustls::Error> {
            Err(rustls::Error::General("client certificates are not supported".to_owned()))
        }
    }
    Arc::new(CryptoProvider { key_provider: &NoKeys, ..rustls::crypto::ring::default_provider() })
}

impl Authorities {
    /// With an explicit platform verifier, which not every platform has.
    fn client_config_by<V: ServerCertVerifier + 'static>(
        &self,
        log: &Log,
        platform: impl FnOnce(Arc<CryptoProvider>) -> Result<Arc<V>>,
    ) -> Result<ClientConfig> {
        let provider = provider();
        let builder = ClientConfig::builder_with_details(Arc::clone(&provider), Arc::new(MachineClock))
            .with_safe_default_protocol_versions()
            .map_err(|cause| unusable(&cause))?;
        let mut config = match self.trust {
            Trust::Bundled => builder.with_root_certificates(self.bundled()?).with_no_client_auth(),
            Trust::Auto | Trust::Platform => match platform(provider) {
                Ok(verifier) => builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth(),
                Err(error) if self.trust == Trust::Auto && error.kind() != ErrorKind::OutOfResources => {
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
        let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(self.extra.iter().cloned(), provider);
        // If the store's folder or a file in it could not be opened, the store looks empty, and the client would remember
        // that. Reading it takes two files at a time.
        let files = [File::open("/"), File::open("/")];
        if let Some(cause) = files.iter().filter_map(|file| file.as_ref().err()).find(|cause| is_exhaustion(cause)) {
            return Err(Error::out_of_resources("the platform's certificates could not be read", cause));
        }
        verifier.map(Arc::new).map_err(|cause| unusable(&cause))
    }

    #[cfg(any(target_os = "android", target_vendor = "uwp"))]
    fn platform(&self, _: Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>> {
        Err(no_platform())
    }
}

/// The error on a platform without a usable store.
#[cfg(any(target_os = "android", target_vendor = "uwp", test))]
fn no_platform() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "the platform's certificates cannot be used here; set `trust` to Auto or Bundled to use the bundled ones",
    )
}

/// The machine's clock, for TLS. rustls' own clock panics if the machine's time is before 1970.
#[derive(Debug)]
struct MachineClock;

impl TimeProvider for MachineClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix_time())
    }
}

pub(super) fn unix_time() -> UnixTime {
    UnixTime::since_unix_epoch(SystemClock.unix_time())
}

/// Why an authority is not valid at this time. Nothing else about it is checked.
fn untimely(authority: &CertificateDer<'static>) -> Option<String> {
    let mut alone = RootCertStore::empty();
    alone.add(authority.clone()).ok()?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(alone), provider()).build().ok()?;
    let nowhere = ServerName::try_from("invalid").ok()?;
    // The verifier checks the validity period before anything else.
    let (what, since, now) = match verifier.verify_server_cert(authority, &[], &nowhere, &[], unix_time()) {
        Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { time, not_after })) => {
            ("expired on", not_after, time)
        }
        Err(rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext { time, not_before })) => {
            ("is not valid before", not_before, time)
        }
        _ => return None,
    };
    let (since, now) = (in_words(since), in_words(now));
    Some(format!(
        "{what} {since}, and this machine's clock says {now}: it is trusted anyway, but other programs and platforms \
         refuse it; set the clock, or renew the authority"
    ))
}

/// Does not use the parser's own message, which repeats the text as numbers: it may contain a private key.
fn not_a_section(cause: &pem::Error) -> &'static str {
    match cause {
        pem::Error::MissingSectionEnd { .. } | pem::Error::IllegalSectionStart { .. } => {
            "-----BEGIN …----- and -----END …----- must each be a line; were line ends lost, as in an environment \
             variable or YAML without |"
        }
        pem::Error::Base64Decode(_) => "a character between BEGIN and END is not base64: the text was damaged",
        _ => "it is not PEM",
    }
}

fn malformed(from: &str, cause: &str) -> Error {
    Error::invalid_argument(format!("{from} cannot be used ({cause}); give PEM text: -----BEGIN CERTIFICATE-----"))
}

fn too_slow(limit: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!(
            "the platform's certificate store did not answer within {} ms; check the disk that it is on, or set \
             `trust` to Bundled, which does not use it",
            limit.as_millis()
        ),
    )
}

fn crashed() -> Error {
    Error::new(ErrorKind::Internal, "the platform's certificate store could not be read: the reader panicked")
}

fn unusable(cause: &rustls::Error) -> Error {
    Error::new(
        ErrorKind::Tls,
        format!(
            "the trusted certificate authorities could not be loaded ({cause}); set `trust` to Bundled to avoid the \
             platform's store"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(level: crate::log::LogLevel) -> Log {
        Log::new(level, Arc::new(crate::clock::SystemClock))
    }

    #[test]
    fn an_invalid_certificate_is_refused_when_the_client_is_created() {
        for pem in [
            "",
            "hello",
            "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n!!!!",
        ] {
            let given = CaText { from: "`ca_pem`".into(), pem: pem.into() };
            let error = Trusted::new(Trust::Auto, &[given], &log(crate::log::LogLevel::Off)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{pem}");
            assert!(error.message().contains("`ca_pem`"), "{error}");
        }
    }

    #[test]
    fn a_certificate_without_line_ends_is_not_quoted() {
        for pem in [
            "-----BEGIN PRIVATE KEY-----c2VjcmV0-----END PRIVATE KEY----------BEGIN CERTIFICATE-----AAAA-----END CERTIFICATE-----",
            "-----BEGIN PRIVATE KEY----- c2VjcmV0 -----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\nAAAA",
        ] {
            let given = CaText { from: "`ca_pem`".into(), pem: pem.into() };
            let error = Trusted::new(Trust::Auto, &[given], &log(crate::log::LogLevel::Off)).unwrap_err();
            assert!(error.message().contains("must each be a line"), "{error}");
            assert!(!error.message().contains("99, 50, 86") && error.message().len() < 400, "{error}");
        }
    }

    /// Simulates Android and UWP on any platform.
    #[test]
    fn without_a_platform_store_auto_uses_the_bundled_roots_and_platform_fails() {
        let log = log(crate::log::LogLevel::Warning);
        let configure = |trust| {
            let nothing = |_| Err::<Arc<WebPkiServerVerifier>, _>(no_platform());
            Trusted::new(trust, &[], &log).unwrap().authorities.client_config_by(&log, nothing)
        };
        configure(Trust::Bundled).unwrap();
        assert!(log.take().is_none(), "nothing is missing");
        configure(Trust::Auto).unwrap();
        assert!(log.take().unwrap().message.contains("the bundled ones are used"));
        assert_eq!(configure(Trust::Platform).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn every_trust_works_and_sets_no_process_wide_provider() {
        let log = Arc::new(log(crate::log::LogLevel::Off));
        for trust in [Trust::Auto, Trust::Bundled] {
            Trusted::new(trust, &[], &log).unwrap().client_config(&log, &Workers::new(), LONG).unwrap();
        }
        assert!(CryptoProvider::get_default().is_none());
    }

    const LONG: Duration = Duration::from_secs(20);

    fn bundled() -> Result<ClientConfig> {
        let log = log(crate::log::LogLevel::Off);
        Authorities { trust: Trust::Bundled, extra: Vec::new() }
            .client_config_by(&log, |_| Err::<Arc<WebPkiServerVerifier>, _>(no_platform()))
    }

    #[test]
    fn a_store_that_hangs_is_read_once_and_each_request_waits_within_its_own_limit() {
        let (shared, workers) = (Arc::<Shared>::default(), Workers::new());
        let (answers, store) = std::sync::mpsc::channel::<()>();
        let hung = move || store.recv().map_err(|_| no_platform()).and_then(|()| bundled());
        let error = shared.get(&workers, Duration::from_millis(10), hung).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(error.message().contains("`trust`"), "{error}");
        let again = || shared.get(&workers, Duration::ZERO, || panic!("it is being read"));
        assert_eq!(again().unwrap_err().kind(), ErrorKind::Timeout);
        assert!(!workers.wait_until_gone(Duration::ZERO), "the thread counts");
        answers.send(()).unwrap();
        shared.get(&workers, LONG, || panic!("it is being read")).unwrap();
        assert!(workers.wait_until_gone(LONG));
        again().unwrap();
    }

    #[test]
    fn a_store_that_could_not_be_read_is_read_again() {
        let (shared, workers) = (Arc::<Shared>::default(), Workers::new());
        let refused = shared.get(&workers, LONG, || Err(no_platform())).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unsupported);
        let panicked = shared.get(&workers, LONG, || panic!("on purpose")).unwrap_err();
        assert_eq!(panicked.kind(), ErrorKind::Internal);
        shared.get(&workers, LONG, bundled).unwrap();
    }
}

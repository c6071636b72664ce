//! The caller's configuration, validated and normalised before anything is sent.

use super::api_version::ApiVersion;
use super::ca::CaText;
use super::credential::{AccountId, Credential};
use super::endpoint::Endpoint;
use super::policy::{GivenIntervals, RetryPolicy, SHORTEST_REMOTE_INTERVAL};
use super::proxy::Proxy;
use super::text::{excerpt, is_credential};
use crate::error::{Error, Result};
use crate::log::LogLevel;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The configuration of a [`Client`](crate::Client).
///
/// The account's fields, the service endpoint and the credential are required; everything else has a default. White
/// space, byte order marks and slashes around the texts are removed.
#[derive(Clone)]
pub struct ClientConfig {
    /// The GUID of the Remote Rendering account.
    pub account_id: String,
    /// The credential that authenticates the caller.
    pub credential: Credential,
    /// Where the account was created: its account domain (`westus2.mixedreality.azure.com`) or just the region
    /// (`westus2`). Tokens then come from `https://sts.{domain}`. Alternatively, the URL of the token service itself.
    pub account_domain: String,
    /// Where sessions run: a region (`westus2`), which may differ from the account's, or the session service's host, or
    /// its URL (`https://remoterendering.westus2.mixedreality.azure.com`). HTTPS, or plain HTTP on this machine. Write a
    /// host that is not ASCII in its ASCII form (`xn--…`), here and elsewhere.
    pub service_endpoint: String,
    /// The version of the REST API to use.
    pub api_version: ApiVersion,
    /// The certificate authorities to trust.
    pub trust: Trust,
    /// A PEM file of additional certificate authorities, for example the emulator's. A byte order mark is ignored.
    /// Expired authorities are trusted too, with a warning in the log.
    pub ca_file: Option<PathBuf>,
    /// Additional certificate authorities as PEM text.
    pub ca_pem: Option<String>,
    /// The HTTP proxy. This machine is always reached directly.
    pub proxy: Proxy,
    /// Text to add to the `User-Agent` header, for example `MyApp/1.2`: up to 128 printable ASCII characters.
    pub user_agent_suffix: String,
    /// The time limit of a call without its own. Default 60 s; 1 ms to 24 h.
    pub call_timeout: Duration,
    /// The time limit of one request, from connecting to the last byte of the reply. Default 15 s; 1 ms to 24 h.
    pub attempt_timeout: Duration,
    /// The time limit for establishing a connection. Default 5 s; 1 ms to 24 h.
    pub connect_timeout: Duration,
    /// How often a starting session is polled, during a wait and while it is watched. `None`: 10 s with REST v1, as the
    /// service's documentation requires; 2 s (standard) or 10 s (premium) with REST 2021-01-01, like the official
    /// clients; 250 ms if the service is on this machine. At least 1 s, or 1 ms if the service is on this machine; at
    /// most 24 h. `Retry-After` in a failed reply can delay the next poll further.
    pub poll_interval: Option<Duration>,
    /// How long the cached properties of a ready session count as current, and how often the watched ones are listed.
    /// `None`: 30 s. Same range as `poll_interval`.
    pub ready_poll_interval: Option<Duration>,
    /// How often a request is retried after a transient failure (no connection, 408, 500, 502, 503, 504), within the
    /// call's time limit. Default 4; at most 100. Throttling (429) is retried for as long as the call's time limit
    /// allows, unless this is 0. A create with REST v1 is never retried once any part of it was sent.
    pub max_retries: u32,
    /// The delay before the first retry. Each further delay is twice as long, at most 60 times this; a random part of
    /// up to half is taken off. After a 429 without `Retry-After` the first delay is 20 times this, and the longest 120
    /// times. `None`: 500 ms. Same range as `poll_interval`, but from 100 ms.
    pub retry_delay: Option<Duration>,
    /// A folder for the journal, which records created sessions so that they can be found after a crash. Created if
    /// missing; its parent must exist. `None`: nothing is recorded. Several clients and processes may share the folder.
    /// Calls wait for the disk without a limit: see [`Call::timeout`](crate::Call::timeout).
    pub journal_folder: Option<PathBuf>,
    /// Further endpoints, in the same form as `service_endpoint`, that [`Client::recover_sessions`] may contact and
    /// send this account's token to. The journal names the endpoint of each session; the log reports any that is
    /// neither listed here nor the `service_endpoint`.
    ///
    /// [`Client::recover_sessions`]: crate::Client::recover_sessions
    pub trusted_endpoints: Vec<String>,
    /// The application will answer [`EventKind::TokenNeeded`](crate::EventKind::TokenNeeded) with
    /// [`Client::set_token`](crate::Client::set_token). Calls whose token was refused wait for the new one,
    /// within their time limit. Default off. Has no effect with an account key, which can fetch tokens at any
    /// time.
    pub token_on_request: bool,
    /// The amount of logging. [`Client::next_log`](crate::Client::next_log) returns the lines.
    pub log_level: LogLevel,
}

impl ClientConfig {
    /// A configuration with defaults for everything else. `account_domain` and `service_endpoint` may be regions.
    pub fn new(
        account_id: impl Into<String>,
        credential: Credential,
        account_domain: impl Into<String>,
        service_endpoint: impl Into<String>,
    ) -> ClientConfig {
        ClientConfig {
            account_id: account_id.into(),
            credential,
            account_domain: account_domain.into(),
            service_endpoint: service_endpoint.into(),
            ..ClientConfig::default()
        }
    }

    /// The URLs that requests go to: of the token service, and of the session service.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if they do not follow from `account_domain` and
    /// `service_endpoint`.
    pub fn urls(&self) -> Result<(String, String)> {
        let token_service = Endpoint::token_service(&self.account_domain)?;
        Ok((token_service.to_string(), Endpoint::service(&self.service_endpoint)?.to_string()))
    }

    /// Sets [`api_version`](ClientConfig::api_version).
    pub fn api_version(self, api_version: ApiVersion) -> ClientConfig {
        ClientConfig { api_version, ..self }
    }

    /// Sets [`trust`](ClientConfig::trust).
    pub fn trust(self, trust: Trust) -> ClientConfig {
        ClientConfig { trust, ..self }
    }

    /// Sets [`ca_file`](ClientConfig::ca_file).
    pub fn ca_file(self, ca_file: impl Into<PathBuf>) -> ClientConfig {
        ClientConfig { ca_file: Some(ca_file.into()), ..self }
    }

    /// Sets [`ca_pem`](ClientConfig::ca_pem).
    pub fn ca_pem(self, ca_pem: impl Into<String>) -> ClientConfig {
        ClientConfig { ca_pem: Some(ca_pem.into()), ..self }
    }

    /// Sets [`proxy`](ClientConfig::proxy).
    pub fn proxy(self, proxy: Proxy) -> ClientConfig {
        ClientConfig { proxy, ..self }
    }

    /// Sets [`user_agent_suffix`](ClientConfig::user_agent_suffix).
    pub fn user_agent_suffix(self, user_agent_suffix: impl Into<String>) -> ClientConfig {
        ClientConfig { user_agent_suffix: user_agent_suffix.into(), ..self }
    }

    /// Sets [`call_timeout`](ClientConfig::call_timeout).
    pub fn call_timeout(self, call_timeout: Duration) -> ClientConfig {
        ClientConfig { call_timeout, ..self }
    }

    /// Sets [`attempt_timeout`](ClientConfig::attempt_timeout).
    pub fn attempt_timeout(self, attempt_timeout: Duration) -> ClientConfig {
        ClientConfig { attempt_timeout, ..self }
    }

    /// Sets [`connect_timeout`](ClientConfig::connect_timeout).
    pub fn connect_timeout(self, connect_timeout: Duration) -> ClientConfig {
        ClientConfig { connect_timeout, ..self }
    }

    /// Sets [`poll_interval`](ClientConfig::poll_interval).
    pub fn poll_interval(self, poll_interval: Duration) -> ClientConfig {
        ClientConfig { poll_interval: Some(poll_interval), ..self }
    }

    /// Sets [`ready_poll_interval`](ClientConfig::ready_poll_interval).
    pub fn ready_poll_interval(self, ready_poll_interval: Duration) -> ClientConfig {
        ClientConfig { ready_poll_interval: Some(ready_poll_interval), ..self }
    }

    /// Sets [`max_retries`](ClientConfig::max_retries).
    pub fn max_retries(self, max_retries: u32) -> ClientConfig {
        ClientConfig { max_retries, ..self }
    }

    /// Sets [`retry_delay`](ClientConfig::retry_delay).
    pub fn retry_delay(self, retry_delay: Duration) -> ClientConfig {
        ClientConfig { retry_delay: Some(retry_delay), ..self }
    }

    /// Sets [`journal_folder`](ClientConfig::journal_folder).
    pub fn journal_folder(self, journal_folder: impl Into<PathBuf>) -> ClientConfig {
        ClientConfig { journal_folder: Some(journal_folder.into()), ..self }
    }

    /// Sets [`trusted_endpoints`](ClientConfig::trusted_endpoints).
    pub fn trusted_endpoints(self, endpoints: impl IntoIterator<Item = impl Into<String>>) -> ClientConfig {
        ClientConfig { trusted_endpoints: endpoints.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets [`token_on_request`](ClientConfig::token_on_request).
    pub fn token_on_request(self, token_on_request: bool) -> ClientConfig {
        ClientConfig { token_on_request, ..self }
    }

    /// Sets [`log_level`](ClientConfig::log_level).
    pub fn log_level(self, log_level: LogLevel) -> ClientConfig {
        ClientConfig { log_level, ..self }
    }
}

impl fmt::Debug for ClientConfig {
    /// Omits what may contain a secret: the credential, and URLs that may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("account_id", &excerpt(&self.account_id))
            .field("account_domain", &excerpt(&self.account_domain))
            .field("service_endpoint", &excerpt(&self.service_endpoint))
            .field("api_version", &self.api_version)
            .field("trust", &self.trust)
            .field("proxy", &self.proxy)
            .field("call_timeout", &self.call_timeout)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("max_retries", &self.max_retries)
            .field("log_level", &self.log_level)
            .finish_non_exhaustive()
    }
}

impl Default for ClientConfig {
    fn default() -> ClientConfig {
        ClientConfig {
            account_id: String::new(),
            credential: Credential::default(),
            account_domain: String::new(),
            service_endpoint: String::new(),
            api_version: ApiVersion::V1,
            trust: Trust::Auto,
            ca_file: None,
            ca_pem: None,
            proxy: Proxy::system(),
            user_agent_suffix: String::new(),
            call_timeout: Duration::from_secs(60),
            attempt_timeout: Duration::from_secs(15),
            connect_timeout: Duration::from_secs(5),
            poll_interval: None,
            ready_poll_interval: None,
            max_retries: 4,
            retry_delay: None,
            journal_folder: None,
            trusted_endpoints: Vec::new(),
            token_on_request: false,
            log_level: LogLevel::Off,
        }
    }
}

/// The certificate authorities to trust, besides those added by the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// The platform's store; the bundled list where there is no usable store, and always on Android and UWP.
    Auto,
    /// The platform's store, or an error.
    Platform,
    /// Mozilla's list, bundled when this library was built.
    Bundled,
}

/// The validated configuration.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) account_id: AccountId,
    pub(crate) credential: Credential,
    pub(crate) token_service: Endpoint,
    pub(crate) service: Endpoint,
    pub(crate) api_version: ApiVersion,
    pub(crate) trust: Trust,
    pub(crate) extra_roots: Vec<CaText>,
    pub(crate) proxy: Proxy,
    pub(crate) user_agent: String,
    pub(crate) call_timeout: Duration,
    pub(crate) attempt_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) intervals: GivenIntervals,
    pub(crate) retry: RetryPolicy,
    pub(crate) journal_folder: Option<PathBuf>,
    pub(crate) trusted: Vec<Endpoint>,
    pub(crate) token_on_request: bool,
    pub(crate) log_level: LogLevel,
}

impl ClientConfig {
    pub(crate) fn check(self) -> Result<Settings> {
        let service = Endpoint::service(&self.service_endpoint)?;
        // The limits on intervals protect the service from its clients. A service on this machine needs no protection.
        let interval = |what: &str, given: Option<Duration>, shortest_remote: Duration| {
            let shortest = if service.is_loopback() { SHORTEST } else { shortest_remote };
            given.map(|given| within(what, given, shortest)).transpose()
        };
        let intervals = GivenIntervals {
            starting: interval("poll_interval", self.poll_interval, SHORTEST_REMOTE_INTERVAL)?,
            ready: interval("ready_poll_interval", self.ready_poll_interval, SHORTEST_REMOTE_INTERVAL)?,
        };
        let retry = RetryPolicy {
            most: at_most("max_retries", self.max_retries, 100)?,
            delay: interval("retry_delay", self.retry_delay, SHORTEST_REMOTE_RETRY)?.unwrap_or(RetryPolicy::DELAY),
        };
        // A client would create the folder, with the secret as its name.
        if self.journal_folder.as_ref().is_some_and(|folder| is_credential(&folder.to_string_lossy())) {
            return Err(Error::invalid_argument(
                "`journal_folder` looks like a key or token, not a path; set it to a folder, and pass the credential in its own option",
            ));
        }
        Ok(Settings {
            account_id: AccountId::parse(&self.account_id)?,
            credential: self.credential.check()?,
            token_service: Endpoint::token_service(&self.account_domain)?,
            api_version: self.api_version,
            trust: self.trust,
            extra_roots: CaText::of_options(self.ca_file, self.ca_pem)?,
            proxy: self.proxy,
            user_agent: user_agent(&self.user_agent_suffix)?,
            call_timeout: within("call_timeout", self.call_timeout, SHORTEST)?,
            attempt_timeout: within("attempt_timeout", self.attempt_timeout, SHORTEST)?,
            connect_timeout: within("connect_timeout", self.connect_timeout, SHORTEST)?,
            intervals,
            retry,
            journal_folder: self.journal_folder,
            trusted: self.trusted_endpoints.iter().map(|text| Endpoint::trusted(text)).collect::<Result<_>>()?,
            token_on_request: self.token_on_request,
            log_level: self.log_level,
            service,
        })
    }
}

const SHORTEST: Duration = Duration::from_millis(1);
const SHORTEST_REMOTE_RETRY: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(86_400);

fn within(what: &str, value: Duration, shortest: Duration) -> Result<Duration> {
    if (shortest..=LONGEST).contains(&value) {
        return Ok(value);
    }
    Err(Error::invalid_argument(format!(
        "`{what}` of {} ms is out of range; give {} to {} ms",
        value.as_millis(),
        shortest.as_millis(),
        LONGEST.as_millis()
    )))
}

fn at_most(what: &str, value: u32, most: u32) -> Result<u32> {
    if value <= most {
        return Ok(value);
    }
    Err(Error::invalid_argument(format!("`{what}` {value} is out of range; give 0 to {most}")))
}

fn user_agent(suffix: &str) -> Result<String> {
    const OURS: &str = concat!("arr-session/", env!("CARGO_PKG_VERSION"));
    const LONGEST: usize = 128;
    let suffix = suffix.trim();
    if suffix.len() > LONGEST || !suffix.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Err(Error::invalid_argument(format!(
            "`user_agent_suffix` \"{}\" is not valid; give up to {LONGEST} printable ASCII characters, such as \
             MyApp/1.2",
            excerpt(suffix)
        )));
    }
    Ok(if suffix.is_empty() { OURS.to_owned() } else { format!("{OURS} {suffix}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::config;

    #[test]
    fn the_defaults_match_the_header() {
        let settings = config().check().unwrap();
        let times = [settings.call_timeout, settings.attempt_timeout, settings.connect_timeout, settings.retry.delay];
        assert_eq!(times.map(|time| time.as_millis()), [60_000, 15_000, 5_000, 500]);
        assert_eq!(settings.retry.most, 4);
        assert!(settings.journal_folder.is_none() && !settings.token_on_request);
    }

    #[test]
    fn fast_polling_and_retrying_are_allowed_only_on_this_machine() {
        let with = |endpoint: &str, ms| ClientConfig {
            service_endpoint: endpoint.into(),
            poll_interval: Some(Duration::from_millis(ms)),
            ready_poll_interval: Some(Duration::from_millis(ms)),
            retry_delay: Some(Duration::from_millis(ms)),
            ..config()
        };
        assert!(with("http://127.0.0.1:8722", 1).check().is_ok());
        assert!(with("https://example.com", 999).check().unwrap_err().message().contains("give 1000 to"));
        assert!(with("https://example.com", 1_000).check().is_ok());
        let eager = ClientConfig { retry_delay: Some(Duration::from_millis(99)), ..config() };
        assert!(eager.check().unwrap_err().message().contains("`retry_delay`"));
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let config = ClientConfig {
            proxy: Proxy::url("http://user:hunter2@proxy:1").unwrap(),
            account_domain: "https://user:hunter2@x".into(),
            account_id: "YXJyLWVtdWxhdG9yLWRldmVsb3BtZW50LWFjY291bnQ".into(),
            ..config()
        };
        let shown = format!("{config:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("YXJy") && !shown.contains("key="), "{shown}");
    }

    #[test]
    fn a_credential_given_as_the_journals_folder_is_refused_and_not_shown() {
        let with = |folder: &str| ClientConfig { journal_folder: Some(folder.into()), ..config() }.check();
        for secret in
            ["YXJyLWVtdWxhdG9yLWRldm+sb3BtZW50LWFjY291bnQ=", "ab/cdEfghijklmnopqrstuvw==", "eyJhbGciOiJI.e30.c"]
        {
            let error = with(secret).unwrap_err();
            let is_named = error.message().contains("`journal_folder`");
            assert!(is_named && !format!("{error:?}").contains(&secret[..6]), "{error:?}");
        }
        for folder in ["journal", "/home/Me/AppData/Some/Long/Folder", "C:\\Users\\Me\\Journal of MyGame", "a=b", "eyJ"]
        {
            assert!(with(folder).is_ok(), "{folder}");
        }
    }

    #[test]
    fn the_urls_follow_from_regions_and_urls() {
        let of = |domain: &str, endpoint: &str| {
            ClientConfig { account_domain: domain.into(), service_endpoint: endpoint.into(), ..config() }.urls()
        };
        let (token_service, service) = of("westus2", "https://127.0.0.1:1/").unwrap();
        assert_eq!(token_service, "https://sts.westus2.mixedreality.azure.com");
        assert_eq!(service, "https://127.0.0.1:1");
        assert!(of("", "westus2").is_err() && of("westus2", "nowhere").is_err());
    }

    #[test]
    fn retries_are_bounded() {
        assert_eq!(ClientConfig { max_retries: 100, ..config() }.check().unwrap().retry.most, 100);
        assert!(ClientConfig { max_retries: 101, ..config() }.check().is_err());
    }

    #[test]
    fn a_user_agent_suffix_cannot_break_the_header() {
        let with = |suffix: &str| ClientConfig { user_agent_suffix: suffix.into(), ..config() }.check();
        assert_eq!(with("").unwrap().user_agent, concat!("arr-session/", env!("CARGO_PKG_VERSION")));
        assert!(with(" MyApp/1.2 (HoloLens 2) ").unwrap().user_agent.ends_with(" MyApp/1.2 (HoloLens 2)"));
        assert!(with("MyApp/1.2 <dev@example.com>").is_ok(), "not a placeholder");
        for bad in ["a\r\nX-Evil: 1", "ä", &"x".repeat(129)] {
            assert!(with(bad).is_err(), "{bad}");
        }
    }
}

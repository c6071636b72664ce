//! What a user gives, checked and normalised before anything is sent.

use crate::api::ApiVersion;
use crate::credential::{AccountId, Credential, Secret, excerpt};
use crate::endpoint::Endpoint;
use crate::error::{Error, Result};
use std::path::PathBuf;
use std::time::Duration;

/// What a [`Client`](crate::Client) is made from.
///
/// The texts have no default and must be given; everything else has one.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The GUID of the Remote Rendering account.
    pub account_id: String,
    /// The account's primary or secondary key. For development only: whoever has it can use the whole account, so a
    /// shipped application never contains it.
    pub account_key: Secret,
    /// The account domain, for example `westus2.mixedreality.azure.com`: tokens come from `https://sts.{domain}`. A full
    /// URL is taken as the token service itself.
    pub account_domain: String,
    /// The URL of the session service, for example `https://remoterendering.westus2.mixedreality.azure.com`. HTTPS, or
    /// plain HTTP to this machine.
    pub service_endpoint: String,
    /// Which version of the REST API the service speaks.
    pub api_version: ApiVersion,
    /// Which certificate authorities are trusted.
    pub trust: Trust,
    /// A PEM file of further certificate authorities to trust, for example the emulator's.
    pub ca_file: Option<PathBuf>,
    /// The same as text.
    pub ca_pem: Option<String>,
    /// How long a call may take in all, unless it is given its own time. 60 s; 1 ms to 24 h.
    pub call_timeout: Duration,
    /// How long one request may take, from connecting to the last byte of the reply. 15 s; 1 ms to 24 h.
    pub attempt_timeout: Duration,
    /// How long making the connection may take. 5 s; 1 ms to 24 h.
    pub connect_timeout: Duration,
    /// How often a session that is waited for is read. `None`: as the service's documentation asks, 10 s. At least 1 s,
    /// or 1 ms if the service is on this machine; at most 24 h.
    pub poll_interval: Option<Duration>,
}

impl Default for ClientConfig {
    fn default() -> ClientConfig {
        ClientConfig {
            account_id: String::new(),
            account_key: Secret::default(),
            account_domain: String::new(),
            service_endpoint: String::new(),
            api_version: ApiVersion::V1,
            trust: Trust::Auto,
            ca_file: None,
            ca_pem: None,
            call_timeout: Duration::from_secs(60),
            attempt_timeout: Duration::from_secs(15),
            connect_timeout: Duration::from_secs(5),
            poll_interval: None,
        }
    }
}

/// Which certificate authorities are trusted, besides those that the configuration adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The platform's; where it has no usable store (and always on Android and UWP), the bundled ones.
    Auto,
    /// The platform's, or an error.
    Platform,
    /// Mozilla's list, as bundled with this library when it was built.
    Bundled,
}

/// The checked configuration.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) account_id: AccountId,
    pub(crate) credential: Credential,
    pub(crate) token_service: Endpoint,
    pub(crate) service: Endpoint,
    pub(crate) api_version: ApiVersion,
    pub(crate) trust: Trust,
    pub(crate) extra_roots_pem: Vec<Vec<u8>>,
    pub(crate) call_timeout: Duration,
    pub(crate) attempt_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) poll_interval: Duration,
}

impl ClientConfig {
    pub(crate) fn check(self) -> Result<Settings> {
        let service = Endpoint::service(&self.service_endpoint)?;
        Ok(Settings {
            account_id: AccountId::parse(&self.account_id)?,
            credential: Credential::account_key(self.account_key.expose())?,
            token_service: Endpoint::token_service(&self.account_domain)?,
            api_version: self.api_version,
            trust: self.trust,
            extra_roots_pem: extra_roots(self.ca_file, self.ca_pem)?,
            call_timeout: within("call timeout", self.call_timeout, SHORTEST)?,
            attempt_timeout: within("attempt timeout", self.attempt_timeout, SHORTEST)?,
            connect_timeout: within("connect timeout", self.connect_timeout, SHORTEST)?,
            poll_interval: match self.poll_interval {
                Some(interval) if service.is_loopback() => within("poll interval", interval, SHORTEST)?,
                Some(interval) => within("poll interval", interval, SHORTEST_REMOTE_INTERVAL)?,
                None => self.api_version.poll_interval(),
            },
            service,
        })
    }
}

const SHORTEST: Duration = Duration::from_millis(1);
/// The service throttles accounts that ask more often than every few seconds (docs/service.md, "Errors").
const SHORTEST_REMOTE_INTERVAL: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(86_400);

fn within(what: &str, value: Duration, shortest: Duration) -> Result<Duration> {
    if (shortest..=LONGEST).contains(&value) {
        return Ok(value);
    }
    Err(Error::invalid_argument(format!(
        "{what} of {} ms is out of range; give {} to {} ms",
        value.as_millis(),
        shortest.as_millis(),
        LONGEST.as_millis()
    )))
}

fn extra_roots(file: Option<PathBuf>, text: Option<String>) -> Result<Vec<Vec<u8>>> {
    let mut pems = Vec::new();
    if let Some(path) = file {
        let bytes = std::fs::read(&path).map_err(|cause| {
            Error::invalid_argument(format!("CA file \"{}\" cannot be read: {cause}", excerpt(&path.to_string_lossy())))
        })?;
        pems.push(bytes);
    }
    pems.extend(text.map(String::into_bytes));
    Ok(pems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fast_polling_is_for_this_machine_only() {
        let config = |endpoint: &str, ms| ClientConfig {
            service_endpoint: endpoint.into(),
            poll_interval: Some(Duration::from_millis(ms)),
            ..crate::api::tests::config()
        };
        assert!(config("http://127.0.0.1:8722", 1).check().is_ok());
        assert!(config("https://example.com", 999).check().unwrap_err().message().contains("give 1000 to"));
        assert!(config("https://example.com", 1_000).check().is_ok());
    }
}

//! What a user gives, checked and normalised before anything is sent.

use crate::api::ApiVersion;
use crate::credential::{AccountId, Credential, Secret, excerpt};
use crate::error::{Error, Result};
use std::path::PathBuf;
use std::time::Duration;
use url::{Host, Url};

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

/// The base URL of a service: HTTPS, or HTTP to this machine; no user, query or fragment; no slash at the end.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint(Url);

impl Endpoint {
    /// The session service: a URL, or a host name that stands for `https://` and itself.
    fn service(text: &str) -> Result<Endpoint> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Error::invalid_argument(
                "service endpoint is missing; it looks like https://remoterendering.westus2.mixedreality.azure.com",
            ));
        }
        let url = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{}", host_name("service endpoint", text)?)
        };
        Endpoint::parse("service endpoint", &url)
    }

    /// The token service: `https://sts.{account domain}`, or the URL that was given.
    fn token_service(text: &str) -> Result<Endpoint> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Error::invalid_argument(
                "account domain is missing; it looks like westus2.mixedreality.azure.com",
            ));
        }
        if text.contains("://") {
            return Endpoint::parse("account domain", text);
        }
        let domain = host_name("account domain", text)?;
        if domain.starts_with("remoterendering.") {
            return Err(Error::invalid_argument(format!(
                "account domain \"{}\" is the session service's host; the account domain is shown on the account's page and \
                 looks like westus2.mixedreality.azure.com",
                excerpt(domain)
            )));
        }
        Endpoint::parse("account domain", &format!("https://sts.{}", domain.strip_prefix("sts.").unwrap_or(domain)))
    }

    fn parse(what: &str, text: &str) -> Result<Endpoint> {
        let refuse = |reason: &str| Err(Error::invalid_argument(format!("{what} \"{}\" {reason}", excerpt(text))));
        let Ok(mut url) = Url::parse(text) else {
            return refuse("is not a URL; it looks like https://host or https://host:port");
        };
        if !url.username().is_empty() || url.password().is_some() {
            // Not quoted: it holds a password.
            return Err(Error::invalid_argument(format!(
                "{what} has a user name or password in its URL; leave them out"
            )));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("has a query or a fragment; give the base URL only");
        }
        let loopback = is_loopback(&url);
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => {
                return refuse(
                    "is not HTTPS; plain HTTP is allowed only to this machine (127.0.0.1, [::1], localhost)",
                );
            }
            _ => return refuse("does not begin with https://"),
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Endpoint(url))
    }

    /// This URL with further path segments; each is percent-encoded.
    pub(crate) fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// Whether a URL names this machine for certain, without any lookup.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A plain host name with at least one dot: a bare region name would be looked up in vain.
fn host_name<'a>(what: &str, text: &'a str) -> Result<&'a str> {
    let host = text.trim_end_matches('/');
    if !host.contains('.') && host != "localhost" {
        let meant = if what == "account domain" { "" } else { "remoterendering." };
        return Err(Error::invalid_argument(format!(
            "{what} \"{0}\" is not a host name; did you mean \"{meant}{0}.mixedreality.azure.com\"?",
            excerpt(host)
        )));
    }
    Ok(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_service(domain: &str) -> std::result::Result<String, String> {
        Endpoint::token_service(domain).map(|it| it.to_string()).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn an_account_domain_stands_for_its_token_service() {
        for domain in [
            "westus2.mixedreality.azure.com",
            " sts.westus2.mixedreality.azure.com/ ",
            "https://sts.westus2.mixedreality.azure.com/",
        ] {
            assert_eq!(token_service(domain).unwrap(), "https://sts.westus2.mixedreality.azure.com", "{domain}");
        }
        assert_eq!(token_service("http://127.0.0.1:8722").unwrap(), "http://127.0.0.1:8722");
    }

    #[test]
    fn the_usual_mistakes_are_answered_with_what_was_meant() {
        assert!(token_service("eastus").unwrap_err().contains("did you mean \"eastus.mixedreality.azure.com\"?"));
        assert!(
            token_service("remoterendering.eastus.mixedreality.azure.com")
                .unwrap_err()
                .contains("session service's host")
        );
        assert!(token_service("http://example.com").unwrap_err().contains("not HTTPS"));
        assert!(token_service("ftp://127.0.0.1").unwrap_err().contains("https://"));
        assert!(token_service("").unwrap_err().contains("missing"));
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_not_repeated() {
        let message = token_service("https://user:hunter2@example.com").unwrap_err();
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for good in
            ["http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:8722", "http://localhost:8722", "https://10.0.0.1"]
        {
            assert!(Endpoint::service(good).is_ok(), "{good}");
        }
        for bad in ["http://10.0.0.1", "http://localhost.example.com", "http://0.0.0.0", "http://[::ffff:10.0.0.1]"] {
            assert!(Endpoint::service(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn segments_are_encoded_and_cannot_climb() {
        let base = Endpoint::service("https://example.com/base/").unwrap();
        assert_eq!(base.join(&["v1", "a/b", "c d"]).as_str(), "https://example.com/base/v1/a%2Fb/c%20d");
    }

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

//! Where the services are: base URLs, checked and normalised.

use crate::credential::excerpt;
use crate::error::{Error, Result};
use url::{Host, Url};

/// The base URL of a service: HTTPS, or HTTP to this machine; no user, query or fragment; no slash at the end.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint(Url);

impl Endpoint {
    /// The session service: a URL, or a host name that stands for `https://` and itself.
    pub(crate) fn service(text: &str) -> Result<Endpoint> {
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
    pub(crate) fn token_service(text: &str) -> Result<Endpoint> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Error::invalid_argument(
                "account domain is missing; it looks like westus2.mixedreality.azure.com",
            ));
        }
        if text.contains("://") {
            return Endpoint::parse("account domain", text);
        }
        if text == "localhost" {
            return Endpoint::parse("account domain", "https://localhost");
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
        for url in ["https://user:hunter2@example.com", "https://user:hunter2@example.com:99999"] {
            let message = token_service(url).unwrap_err();
            assert!(!message.contains("hunter2"), "{message}");
        }
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
}

//! Base URLs of the services, validated and normalised.

use super::region::{self, DOMAIN};
use super::text::{excerpt, looks_like_token, tidy};
use crate::error::{Error, Result};
use std::net::IpAddr;
use url::{Host, Url};
use uuid::Uuid;

/// The base URL of a service: HTTPS, or HTTP on this machine. It has no user, query, fragment or trailing slash.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint(Url);

impl Endpoint {
    /// The session service, from a region, a host name or a URL.
    pub(crate) fn service(text: &str) -> Result<Endpoint> {
        Endpoint::session_service("`service_endpoint`", text)
    }

    /// A further session service that recovery may contact.
    pub(crate) fn trusted(text: &str) -> Result<Endpoint> {
        Endpoint::session_service("`trusted_endpoints`", text)
    }

    fn session_service(what: &str, text: &str) -> Result<Endpoint> {
        let text = tidy(what, text)?;
        if text.is_empty() {
            return Err(Error::invalid_argument(format!(
                "{what} is missing; give a region such as westus2, or a URL such as \
                 https://remoterendering.westus2.mixedreality.azure.com"
            )));
        }
        let url = match Place::read(what, text)? {
            Place::Url(url) => url,
            Place::Region(region) => format!("https://remoterendering.{region}.{DOMAIN}"),
            Place::Host(host) if host.starts_with("sts.") => {
                return Err(Error::invalid_argument(format!(
                    "{what} \"{}\" is the token service's host; sessions are at remoterendering.{{region}}.{DOMAIN}",
                    excerpt(&host)
                )));
            }
            Place::Host(host) if name_of(&host) == DOMAIN => {
                return Err(Error::invalid_argument(format!(
                    "{what} \"{DOMAIN}\" names no region; did you mean \"remoterendering.westus2.{DOMAIN}\"?"
                )));
            }
            Place::Host(host) if is_account_domain(&host) => format!("https://remoterendering.{host}"),
            Place::Host(host) => format!("https://{host}"),
        };
        Endpoint::parse(what, &url)
    }

    /// The token service: `https://sts.{account domain}`, or the given URL.
    pub(crate) fn token_service(text: &str) -> Result<Endpoint> {
        const WHAT: &str = "`account_domain`";
        let text = tidy(WHAT, text)?;
        if text.is_empty() {
            return Err(Error::invalid_argument(
                "`account_domain` is missing; it is on the account's page and looks like \
                 westus2.mixedreality.azure.com",
            ));
        }
        if Uuid::try_parse(text).is_ok() {
            return Err(Error::invalid_argument(
                "`account_domain` is a GUID; `account_id` and `account_domain` were probably mixed up",
            ));
        }
        let url = match Place::read(WHAT, text)? {
            Place::Url(url) => url,
            Place::Region(region) => format!("https://sts.{region}.{DOMAIN}"),
            Place::Host(host) if host.starts_with("remoterendering.") => {
                return Err(Error::invalid_argument(format!(
                    "`account_domain` \"{}\" is the session service's host; the account domain is on the account's \
                     page and looks like westus2.mixedreality.azure.com",
                    excerpt(&host)
                )));
            }
            Place::Host(host) if name_of(&host) == "localhost" => format!("https://{host}"),
            Place::Host(host) => format!("https://sts.{}", host.trim_start_matches("sts.")),
        };
        Endpoint::parse(WHAT, &url)
    }

    fn parse(what: &str, text: &str) -> Result<Endpoint> {
        /// Longer URLs leave no room for the path: servers limit the total length.
        const LONGEST: usize = 2_048;
        let refuse = |reason: &str| Err(Error::invalid_argument(format!("{what} \"{}\" {reason}", excerpt(text))));
        if text.len() > LONGEST {
            return refuse(&format!("is longer than {LONGEST} bytes"));
        }
        if !has_ascii_host(text) {
            return refuse(
                "has a host with a non-ASCII character or a %; use the ASCII form of its name (xn--...), or an address without a zone",
            );
        }
        let Ok(mut url) = Url::parse(text) else {
            return refuse("is not a URL; it looks like https://host or https://host:port");
        };
        if !url.username().is_empty() || url.password().is_some() {
            // Not quoted, because it contains a password.
            return Err(Error::invalid_argument(format!(
                "{what} has a user name or password in its URL; leave them out"
            )));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("has a query or a fragment; give the base URL only");
        }
        if !has_usual_host(&url) {
            return refuse("has characters in its host that host names cannot have");
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

    /// Appends path segments, each percent-encoded.
    pub(crate) fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// Whether a URL has this endpoint's scheme, host and port.
    pub(crate) fn is_origin_of(&self, url: &Url) -> bool {
        self.0.origin() == url.origin()
    }

    /// Whether another endpoint has the same scheme, host and port, and so is the same server.
    pub(crate) fn is_same_origin(&self, other: &Endpoint) -> bool {
        self.is_origin_of(&other.0)
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

/// Whether the host of a URL has only the characters of host names. The HTTP library takes no others, and would silently
/// ignore such a proxy.
pub(super) fn has_usual_host(url: &Url) -> bool {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !matches!(url.host(), Some(Host::Domain(host)) if !host.bytes().all(is_usual))
}

/// Whether the host of an absolute URL is ASCII, and not escaped. The C library's URL parser has no tables of Unicode, and
/// in a debug build it panics on some other hosts.
pub(crate) fn has_ascii_host(text: &str) -> bool {
    let after_scheme = text.split_once("//").map_or("", |(_, rest)| rest);
    let host = after_scheme.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    host.is_ascii() && !host.contains('%')
}

/// Whether a URL is certain to name this machine, without a name lookup.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A user's description of a service's location.
enum Place {
    Region(&'static str),
    /// A host name in lower case, optionally with a port or a path.
    Host(String),
    Url(String),
}

impl Place {
    fn read(what: &str, text: &str) -> Result<Place> {
        // It would be looked up as a host, and so be sent to name servers.
        if looks_like_token(text) {
            return Err(Error::invalid_argument(format!(
                "{what} is a token; give it as `entra_token` or `access_token` instead"
            )));
        }
        if let Some((_, rest)) = text.split_once("://") {
            // URLs are used as given. Below the public service's domain, though, a wrong host can be recognised and
            // corrected.
            let host = rest.trim_end_matches('/').to_ascii_lowercase();
            let public = name_of(&host) == DOMAIN || name_of(&host).ends_with(&format!(".{DOMAIN}"));
            let plain =
                text.len() > 8 && text[..8].eq_ignore_ascii_case("https://") && !host.contains(['/', '@', '?', '#']);
            return Ok(if public && plain { Place::Host(host) } else { Place::Url(text.to_owned()) });
        }
        if let Some(region) = region::find(text) {
            return Ok(Place::Region(region));
        }
        let host = text.trim_matches('/').to_ascii_lowercase();
        if is_address(&host) {
            return Err(Error::invalid_argument(format!(
                "{what} \"{0}\" is an address; write it as a URL: https://{0}, or for this machine http://{0}",
                excerpt(&host)
            )));
        }
        if host.contains('.') || name_of(&host) == "localhost" {
            return Ok(Place::Host(host));
        }
        Err(Error::invalid_argument(format!(
            "{what} \"{}\" is neither a host name with a dot nor a known region; for any other host, give a URL \
             (https://host:port); the regions are {}",
            excerpt(text),
            region::NAMES.join(", ")
        )))
    }
}

/// The host name without port and path.
fn name_of(host: &str) -> &str {
    host.split([':', '/']).next().unwrap_or_default()
}

/// Whether a text is an IP address, optionally with a port.
fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<IpAddr>().is_ok() || name_of(host).parse::<IpAddr>().is_ok()
}

/// Whether a host is `mixedreality.azure.com` or has one label in front of it: the parent domain of services, never a
/// service itself.
fn is_account_domain(host: &str) -> bool {
    let before = name_of(host).strip_suffix(DOMAIN);
    before.is_some_and(|before| before.is_empty() || before.strip_suffix('.').is_some_and(|label| !label.contains('.')))
        && !matches!(host.split('.').next(), Some("sts" | "remoterendering"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_service(domain: &str) -> std::result::Result<String, String> {
        Endpoint::token_service(domain).map(|it| it.to_string()).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn an_account_domain_becomes_its_token_service() {
        for domain in [
            "westus2.mixedreality.azure.com",
            " sts.westus2.mixedreality.azure.com/ ",
            "https://sts.westus2.mixedreality.azure.com/",
        ] {
            assert_eq!(token_service(domain).unwrap(), "https://sts.westus2.mixedreality.azure.com", "{domain}");
        }
        for (domain, url) in [
            ("http://127.0.0.1:8722", "http://127.0.0.1:8722"),
            ("https://tokens.example.com/base/", "https://tokens.example.com/base"),
            ("example.com:8443", "https://sts.example.com:8443"),
            ("localhost", "https://localhost"),
            ("mixedreality.azure.com", "https://sts.mixedreality.azure.com"),
            ("https://mixedreality.azure.com", "https://sts.mixedreality.azure.com"),
            ("https://WestUS2.mixedreality.azure.com/", "https://sts.westus2.mixedreality.azure.com"),
            ("West US 2", "https://sts.westus2.mixedreality.azure.com"),
            ("https://westus2.mixedreality.azure.com:443", "https://sts.westus2.mixedreality.azure.com"),
            ("sts.sts.westus2.mixedreality.azure.com", "https://sts.westus2.mixedreality.azure.com"),
            ("https://[::1]:8722", "https://[::1]:8722"),
            ("\u{feff}westus2\n", "https://sts.westus2.mixedreality.azure.com"),
            ("/westus2.mixedreality.azure.com//", "https://sts.westus2.mixedreality.azure.com"),
        ] {
            assert_eq!(token_service(domain).unwrap(), url, "{domain}");
        }
    }

    #[test]
    fn a_region_or_host_becomes_its_session_service() {
        let service = |text: &str| Endpoint::service(text).map(|it| it.to_string());
        let westus2 = "https://remoterendering.westus2.mixedreality.azure.com";
        for text in [
            "westus2",
            "WestUs2",
            "westus2.mixedreality.azure.com",
            "remoterendering.westus2.mixedreality.azure.com",
            "https://westus2.mixedreality.azure.com/",
            "https://remoterendering.westus2.mixedreality.azure.com//",
            "westus2.mixedreality.azure.com:443",
        ] {
            assert_eq!(service(text).unwrap(), westus2, "{text}");
        }
        assert_eq!(service("render.example.com/arr/").unwrap(), "https://render.example.com/arr");
        for name in region::NAMES {
            assert_eq!(service(name).unwrap(), format!("https://remoterendering.{name}.mixedreality.azure.com"));
        }
        for (text, expected) in [
            ("", "missing"),
            ("moonbase1", "the regions are australiaeast, eastus"),
            ("sts.westus2.mixedreality.azure.com", "token service's host"),
            ("mixedreality.azure.com", "names no region"),
            ("<region>", "placeholder"),
            ("https://sts.westus2.mixedreality.azure.com", "token service's host"),
            ("eyJhbGciOiJub25lIn0.e30.c2ln", "is a token"),
            ("127.0.0.1:8722", "http://127.0.0.1:8722"),
            ("[::1]:8722", "http://[::1]:8722"),
            ("10.0.0.7", "https://10.0.0.7"),
            (&format!("https://example.com/{}", "x".repeat(70_000)), "longer than 2048 bytes"),
        ] {
            let error = service(text).unwrap_err();
            assert!(error.message().contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn common_mistakes_are_recognised() {
        for text in ["westus9", "emulator:8722", "//emulator", "https:/emulator"] {
            let message = token_service(text).unwrap_err();
            assert!(message.contains("known region") && message.contains("https://host:port"), "{message}");
        }
        assert!(token_service("68321d5a-7978-4ceb-b880-0f49751daae9").unwrap_err().contains("mixed up"));
        assert!(
            token_service("remoterendering.eastus.mixedreality.azure.com")
                .unwrap_err()
                .contains("session service's host")
        );
        assert!(
            token_service("https://remoterendering.eastus.mixedreality.azure.com")
                .unwrap_err()
                .contains("session service's host")
        );
        assert!(token_service("http://example.com").unwrap_err().contains("not HTTPS"));
        assert!(token_service("ftp://127.0.0.1").unwrap_err().contains("https://"));
        assert!(token_service("").unwrap_err().contains("missing"));
    }

    #[test]
    fn a_host_that_the_http_library_rejects_is_refused() {
        for text in ["https://a{b}.example", "https://a\"b.example", "https://a`b.example"] {
            assert!(Endpoint::service(text).unwrap_err().message().contains("in its host"), "{text}");
            assert!(Endpoint::token_service(text).is_err());
        }
        for text in ["https://a_b-c.example:1", "https://127.0.0.1", "https://[::1]:1"] {
            Endpoint::service(text).unwrap();
        }
    }

    #[test]
    fn an_internationalised_host_must_be_written_in_its_ascii_form() {
        for text in ["https://xn--mller-kva.example", "xn--mller-kva.example", "https://XN--Mller-KVA.example/"] {
            assert_eq!(Endpoint::service(text).unwrap().to_string(), "https://xn--mller-kva.example", "{text}");
        }
        assert_eq!(token_service("xn--mller-kva.example").unwrap(), "https://sts.xn--mller-kva.example");
        Endpoint::service("https://example.com/größe").unwrap();
        for text in [
            "https://müller.example",
            "https://M\u{dc}LLER.example",
            "https://mu\u{308}ller.example",
            "m%C3%BCller.example",
        ] {
            for message in [Endpoint::service(text).unwrap_err().message().to_owned(), token_service(text).unwrap_err()]
            {
                assert!(message.contains("ASCII form"), "{message}");
            }
        }
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_not_repeated() {
        for url in ["https://user:hunter2@example.com", "https://user:hunter2@example.com:99999"] {
            let message = token_service(url).unwrap_err();
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn plain_http_is_allowed_only_to_this_machine() {
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
    fn a_query_or_a_fragment_is_refused() {
        for text in ["https://example.com?x=1", "https://example.com/a?", "https://example.com/#x", "example.com/?x"] {
            for error in [Endpoint::service(text).unwrap_err(), Endpoint::token_service(text).unwrap_err()] {
                assert!(error.message().contains("query or a fragment"), "{text}: {error}");
            }
        }
    }

    #[test]
    fn path_segments_are_encoded() {
        let base = Endpoint::service("https://example.com/base/").unwrap();
        assert_eq!(base.join(&["v1", "a/b", "c d"]).as_str(), "https://example.com/base/v1/a%2Fb/c%20d");
    }
}

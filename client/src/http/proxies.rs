//! Chooses the proxy for a host: that of the option, of the environment, or of the system's settings.
//!
//! The HTTP library silently ignores a variable that it cannot use, and does not say which proxy failed. So the choice
//! is made here, with the library's own matcher of host names.

use crate::config::{Proxy, Route};
use crate::error::Result;
use hyper_util::client::proxy::matcher::Matcher;
use std::env;
use std::sync::Arc;
use url::Url;

/// In this order. An empty variable counts as absent, as with curl.
const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The proxies of an HTTP client.
#[derive(Debug)]
pub(super) enum Proxies {
    None,
    /// The option's, for all hosts.
    Option(Url),
    /// A variable's, or why it cannot be used, for the hosts that match.
    Variable(Matcher, &'static str, Result<Url>),
    /// The system's settings, which may change.
    System,
    /// The same, as they are now.
    SystemNow(Matcher),
}

/// A proxy, and where it was configured.
#[derive(Debug)]
pub(super) struct Via {
    pub(super) url: Url,
    pub(super) source: &'static str,
}

impl Proxies {
    /// Reads the environment. Not on a thread of the library's: another thread of the host may change it meanwhile.
    pub(super) fn of(proxy: &Proxy) -> Proxies {
        match proxy.route() {
            Route::Direct => Proxies::None,
            Route::Url(url) => Proxies::Option(url.clone()),
            Route::System => match given(&VARIABLES) {
                Some((variable, text)) => {
                    let exceptions = given(&EXCEPTIONS).map(|(_, hosts)| hosts).unwrap_or_default();
                    Proxies::of_variable(variable, &text, &exceptions)
                }
                // Elsewhere the matcher would only read the environment.
                None if cfg!(any(windows, target_vendor = "apple")) => Proxies::System,
                None => Proxies::None,
            },
        }
    }

    fn of_variable(variable: &'static str, text: &str, exceptions: &str) -> Proxies {
        // Other programs accept white space, `*.` and brackets; the matcher does not.
        let exceptions = exceptions.replace(char::is_whitespace, ",").replace("*.", ".").replace(['[', ']'], "");
        // For the matcher this would not include addresses.
        if exceptions.split(',').any(|hosts| hosts == "*") {
            return Proxies::None;
        }
        // The matcher only decides which hosts use the proxy, so any URL will do.
        let matcher = Matcher::builder().all("http://proxy").no(exceptions).build();
        Proxies::Variable(matcher, variable, Proxy::of_variable(variable, text))
    }

    /// The same proxies, with the system's settings as they are now.
    pub(super) fn now(self: &Arc<Self>) -> Arc<Proxies> {
        match **self {
            Proxies::System => Arc::new(Proxies::SystemNow(Matcher::from_system())),
            _ => Arc::clone(self),
        }
    }

    /// The proxy for this host; `None` if it is reached directly.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if it is configured and cannot be used.
    pub(super) fn via(&self, host: &Url) -> Result<Option<Via>> {
        let intercept = |matcher: &Matcher| {
            // The system's settings may have other proxies for other schemes.
            let target = format!("https://{}", host.host_str()?);
            matcher.intercept(&target.parse().ok()?)
        };
        let via = |url: &Url, source| Some(Via { url: url.clone(), source });
        Ok(match self {
            Proxies::None | Proxies::System => None,
            Proxies::Option(url) => via(url, "`proxy`"),
            Proxies::Variable(matcher, variable, proxy) if intercept(matcher).is_some() => {
                via(proxy.as_ref().map_err(Clone::clone)?, variable)
            }
            Proxies::Variable(..) => None,
            Proxies::SystemNow(matcher) => match intercept(matcher) {
                Some(proxy) => via(&Proxy::of_variable(SYSTEM, &proxy.uri().to_string())?, SYSTEM),
                None => None,
            },
        })
    }
}

const SYSTEM: &str = "the system's settings";

impl Via {
    /// `http://host:port`
    pub(super) fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

impl std::fmt::Display for Via {
    /// Omits user and password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.origin(), self.source)
    }
}

fn given(names: &[&'static str]) -> Option<(&'static str, String)> {
    // A value that is not UTF-8 is malformed, not absent.
    let value = |name: &str| env::var_os(name).map(|value| value.to_string_lossy().trim().to_owned());
    names.iter().find_map(|name| Some((*name, value(name).filter(|value| !value.is_empty())?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_understood_as_other_programs_understand_them() {
        for (exceptions, host, direct) in [
            ("*", "arr.example", true),
            ("x, *", "192.0.2.1", true),
            ("*", "[2001:db8::1]", true),
            ("[2001:db8::1]", "[2001:db8::1]", true),
            ("2001:db8::/32", "[2001:db8::1]", true),
            ("192.0.2.0/24 x", "192.0.2.1", true),
            ("*.example", "arr.example", true),
            ("EXAMPLE", "arr.example", true),
            ("rr.example", "arr.example", false),
            ("192.0.2.1", "192.0.2.11", false),
            // Without a port only.
            ("arr.example:443", "arr.example", false),
            ("", "arr.example", false),
        ] {
            let proxies = Proxies::of_variable("HTTPS_PROXY", "http://proxy.example:8080", exceptions);
            let via = proxies.via(&Url::parse(&format!("https://{host}")).unwrap()).unwrap();
            assert_eq!(via.is_none(), direct, "{exceptions} {host}");
        }
    }
}

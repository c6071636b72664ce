//! The HTTP proxy.

use crate::error::{Error, Result};
use std::fmt;
use std::str::FromStr;
use url::Url;

/// The HTTP proxy for all hosts but this machine, which is always reached directly.
///
/// Parses from `system`, `none`, or a URL.
#[derive(Clone, Default)]
pub struct Proxy(Route);

#[derive(Clone, Default)]
pub(crate) enum Route {
    #[default]
    System,
    Direct,
    /// May contain a password.
    Url(Url),
}

impl Proxy {
    /// The proxy of the environment (`HTTPS_PROXY`, `NO_PROXY`) or of the system's settings. The default.
    pub const fn system() -> Proxy {
        Proxy(Route::System)
    }

    /// No proxy.
    pub const fn none() -> Proxy {
        Proxy(Route::Direct)
    }

    /// The proxy at this URL: `http://host:port`, with `user:password@` if it requires authentication.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if it is no such URL. The message does not
    /// quote the text, which may contain a password.
    pub fn url(url: &str) -> Result<Proxy> {
        let url = Url::parse(url.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        url.map(|url| Proxy(Route::Url(url))).ok_or_else(|| {
            Error::invalid_argument(
                "proxy is neither system, none, nor a URL such as http://host:port (SOCKS is not supported)",
            )
        })
    }

    pub(crate) fn route(&self) -> &Route {
        &self.0
    }
}

impl FromStr for Proxy {
    type Err = Error;

    /// Parses `system` or an empty text, `none`, or a URL as for [`Proxy::url`].
    fn from_str(text: &str) -> Result<Proxy> {
        match text.trim() {
            "" | "system" => Ok(Proxy::system()),
            "none" => Ok(Proxy::none()),
            url => Proxy::url(url),
        }
    }
}

impl fmt::Debug for Proxy {
    /// Omits the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Route::System => f.write_str("system"),
            Route::Direct => f.write_str("none"),
            Route::Url(url) => f.write_str(&url.origin().ascii_serialization()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Proxy> {
        text.parse()
    }

    #[test]
    fn a_proxy_is_a_word_or_a_url() {
        assert!(matches!(parse("").unwrap().0, Route::System));
        assert!(matches!(parse(" system\n").unwrap().0, Route::System));
        assert!(matches!(parse("none").unwrap().0, Route::Direct));
        assert!(matches!(parse("http://proxy.example:3128/").unwrap().0, Route::Url(_)));
        for bad in ["proxy.example:3128", "socks5://proxy.example", "direct", "http://"] {
            assert!(parse(bad).unwrap_err().message().contains("http://host:port"), "{bad}");
        }
    }

    #[test]
    fn its_password_is_not_shown() {
        let proxy = parse("http://user:hunter2@proxy.example:3128").unwrap();
        assert_eq!(format!("{proxy:?}"), "http://proxy.example:3128");
        assert!(!parse("user:hunter2@proxy").unwrap_err().message().contains("hunter2"));
    }
}

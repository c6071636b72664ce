//! Which HTTP proxy requests go through.

use crate::error::{Error, Result};
use std::fmt;
use url::Url;

/// The proxy for everything but this machine.
#[derive(Clone)]
pub(crate) enum Proxy {
    /// As the environment or the system's settings say.
    System,
    /// None.
    None,
    /// This one. It may hold a password.
    Url(Url),
}

impl Proxy {
    /// `system` or nothing, `none`, or a URL. The text is never repeated: it may hold a password.
    pub(crate) fn parse(text: &str) -> Result<Proxy> {
        match text.trim() {
            "" | "system" => return Ok(Proxy::System),
            "none" => return Ok(Proxy::None),
            _ => {}
        }
        let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        url.map(Proxy::Url).ok_or_else(|| {
            Error::invalid_argument(
                "proxy is neither system, none, nor a URL such as http://host:port (SOCKS is not supported)",
            )
        })
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Proxy::System => f.write_str("System"),
            Proxy::None => f.write_str("None"),
            Proxy::Url(url) => write!(f, "Url({})", url.origin().ascii_serialization()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_word_or_a_url() {
        assert!(matches!(Proxy::parse("").unwrap(), Proxy::System));
        assert!(matches!(Proxy::parse(" system\n").unwrap(), Proxy::System));
        assert!(matches!(Proxy::parse("none").unwrap(), Proxy::None));
        assert!(matches!(Proxy::parse("http://proxy.example:3128/").unwrap(), Proxy::Url(_)));
        for bad in ["proxy.example:3128", "socks5://proxy.example", "direct", "http://"] {
            assert!(Proxy::parse(bad).unwrap_err().message().contains("http://host:port"), "{bad}");
        }
    }

    #[test]
    fn its_password_is_not_shown() {
        let proxy = Proxy::parse("http://user:hunter2@proxy.example:3128").unwrap();
        assert_eq!(format!("{proxy:?}"), "Url(http://proxy.example:3128)");
        assert!(!Proxy::parse("user:hunter2@proxy").unwrap_err().message().contains("hunter2"));
    }
}

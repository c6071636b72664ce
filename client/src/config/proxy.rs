//! The HTTP proxy.

use super::endpoint::{has_ascii_host, has_usual_host};
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
    /// The proxy of the environment or of the system's settings. The default.
    ///
    /// The first of `HTTPS_PROXY`, `https_proxy`, `ALL_PROXY` and `all_proxy` that is not empty applies, except to the
    /// hosts in `NO_PROXY` or `no_proxy`: names, with those below them, addresses, and networks such as 10.0.0.0/8, all
    /// without a port; `*` means all hosts. Calls fail with
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if it is not the URL of an HTTP proxy;
    /// `http://` may be omitted.
    pub const fn system() -> Proxy {
        Proxy(Route::System)
    }

    /// No proxy.
    pub const fn none() -> Proxy {
        Proxy(Route::Direct)
    }

    /// The proxy at this URL: `http://host:port`, with `user:password@` if it requires authentication. The user may
    /// have a domain (`DOMAIN\user`); other special characters are percent-encoded, as UTF-8, such as `%40`
    /// for `@`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if it is not such a URL. The message does not
    /// quote the text, which may contain a password.
    pub fn url(url: &str) -> Result<Proxy> {
        match http_url(url) {
            Ok(url) => Ok(Proxy(Route::Url(url))),
            Err(why) => Err(Error::invalid_argument(format!(
                "`proxy` is neither system, none, nor a URL such as http://host:port: {why}"
            ))),
        }
    }

    /// The proxy of an environment variable or of the system's settings, where the scheme may be omitted.
    pub(crate) fn of_variable(name: &str, text: &str) -> Result<Url> {
        let url = if text.contains("://") { http_url(text) } else { http_url(&format!("http://{text}")) };
        url.map_err(|why| {
            let message = format!(
                "the proxy in {name} cannot be used: {why}; write http://host:port, or set `proxy` to none or to \
                 another proxy"
            );
            Error::invalid_argument(message)
        })
    }

    pub(crate) fn route(&self) -> &Route {
        &self.0
    }
}

/// The URL of an HTTP proxy, or why it is not one.
fn http_url(text: &str) -> std::result::Result<Url, &'static str> {
    /// The HTTP library silently ignores one of more than 65,534 bytes.
    const LONGEST: usize = 32_768;
    let text = text.trim();
    // What replaces such bytes would be sent as part of the password.
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Err("it is not UTF-8; special characters in its user or password must be percent-encoded");
    }
    // URL parsers treat a backslash as a slash, so the one in DOMAIN\user would end the host.
    let (login, host) = text.rsplit_once('@').map_or(("", text), |(login, _)| (login, &text[login.len()..]));
    let escaped = format!("{}{host}", login.replace('\\', "%5C"));
    if !has_ascii_host(&escaped) {
        return Err("its host is not ASCII; write it in its ASCII form, which begins with xn--");
    }
    let url = Url::parse(&escaped).map_err(|_| match login {
        "" => "it is not a URL",
        _ => "it is not a URL; special characters in its user or password must be percent-encoded, such as %2F for /",
    })?;
    match url.scheme() {
        _ if url.scheme().starts_with("socks") => Err("only HTTP proxies are supported, not SOCKS"),
        "http" | "https" if !url.has_host() => Err("it has no host"),
        "http" | "https" if !login.is_empty() && url.username().is_empty() && url.password().is_none() => {
            Err("a special character in its user or password must be percent-encoded, such as %2F for /")
        }
        "http" | "https" if !has_usual_host(&url) => Err("its host has characters that host names cannot have"),
        "http" | "https" if url.as_str().len() > LONGEST => Err("it is longer than 32,768 bytes"),
        "http" | "https" => Ok(url),
        _ => Err("only HTTP proxies are supported"),
    }
}

impl FromStr for Proxy {
    type Err = Error;

    /// Parses `system` (or an empty text), `none`, or a URL as for [`Proxy::url`].
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
    fn a_proxy_is_system_none_or_a_url() {
        assert!(matches!(parse("").unwrap().0, Route::System));
        assert!(matches!(parse(" system\n").unwrap().0, Route::System));
        assert!(matches!(parse("none").unwrap().0, Route::Direct));
        assert!(matches!(parse("http://proxy.example:3128/").unwrap().0, Route::Url(_)));
        assert!(parse("http://xn--mller-kva.example:3128").is_ok());
        assert!(parse("http://müller.example:3128").unwrap_err().message().contains("ASCII form"));
        for bad in ["proxy.example:3128", "socks5://proxy.example", "direct", "http://"] {
            assert!(parse(bad).unwrap_err().message().contains("http://host:port"), "{bad}");
        }
    }

    /// The HTTP library would ignore any other, and connect directly.
    #[test]
    fn every_accepted_proxy_is_usable_by_the_http_library() {
        let mut taken = 0;
        for odd in (0..=0xff).map(char::from).chain(['\u{3002}', '\u{200b}', '🦀']) {
            for text in
                ["http://a~b:9", "http://u~v:p@a:9", "http://u:p~q@a:9", "https://a/~", "http://a:9?~", "http://a#~"]
            {
                let text = text.replace('~', &odd.to_string());
                let Ok(Proxy(Route::Url(url))) = parse(&text) else { continue };
                let matcher = hyper_util::client::proxy::matcher::Matcher::builder().all(url.as_str()).build();
                assert!(matcher.intercept(&"https://x".parse().unwrap()).is_some(), "{text:?}");
                taken += 1;
            }
        }
        assert!(taken > 600, "{taken}");
        for bad in [
            "http://{proxy}:9",
            "http://a\"b:9",
            "http://u:p@a`b:9",
            "%PROXY%:80",
            &format!("http://u:{}@a", "é".repeat(9_999)),
        ] {
            for error in [parse(bad).unwrap_err(), Proxy::of_variable("HTTPS_PROXY", bad).unwrap_err()] {
                assert_eq!(error.kind(), crate::ErrorKind::InvalidArgument, "{bad}");
            }
        }
    }

    #[test]
    fn a_variable_that_is_not_utf_8_is_refused() {
        let text = String::from_utf8_lossy(b"http://user:p\xe4ss@proxy.example:3128");
        let error = Proxy::of_variable("https_proxy", &text).unwrap_err();
        assert!(["https_proxy", "UTF-8"].iter().all(|fact| error.message().contains(fact)), "{error}");
        assert!(!error.message().contains("ss@"), "{error}");
    }

    #[test]
    fn the_proxys_password_is_not_shown() {
        let proxy = parse("http://user:hunter2@proxy.example:3128").unwrap();
        assert_eq!(format!("{proxy:?}"), "http://proxy.example:3128");
        assert!(!parse("user:hunter2@proxy").unwrap_err().message().contains("hunter2"));
    }
}

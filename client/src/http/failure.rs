//! Classifies errors of the HTTP library.

use super::proxies::Via;
use super::resolver::LookupError;
use super::tls_failure::{self, Server};
use crate::error::{Error, ErrorKind};
use crate::sys::is_exhaustion;
use crate::wire::{Cause, Failure};
use std::error::Error as StdError;
use std::io;
use std::time::Duration;

/// A failure before the head of the reply arrived.
pub(super) fn before_head(origin: &str, via: Option<&Via>, limit: Duration, error: &reqwest::Error) -> Failure {
    let connecting = error.is_connect();
    let proxy = via.filter(|_| is_at_proxy(error));
    let cause = if error.is_builder() {
        Cause::Setup(Error::new(ErrorKind::Internal, format!("the request could not be built: {}", root(error))))
    } else if let Some(refused) = all(error).find(|cause| connecting && is_exhaustion(cause)) {
        Cause::Setup(Error::out_of_resources("no connection could be opened", refused))
    } else if let Some(lookup) = find::<LookupError>(error).filter(|_| connecting) {
        match lookup.is_exhaustion {
            true => Cause::Setup(Error::out_of_resources("the host could not be looked up", lookup)),
            false => Cause::Lookup(lookup.to_string()),
        }
    } else if let Some(tls) = find(error).filter(|tls| connecting || tls_failure::refuses_client(tls)) {
        match proxy {
            Some(via) => Cause::ProxyTls(tls_failure::explain(tls, &Server::proxy(&via.origin(), via.source))),
            None => Cause::Tls(tls_failure::explain(tls, &Server::service(origin))),
        }
    } else if let Some(status) = refused_by_proxy(error).filter(|_| connecting) {
        Cause::Proxy(status)
    } else if error.is_timeout() && connecting {
        Cause::ConnectTimeout
    } else if error.is_timeout() {
        Cause::Timeout(limit)
    } else if connecting {
        let is_cut = proxy.is_none() && origin.starts_with("https:") && all(error).any(ends_stream);
        let cause = root(error);
        Cause::Connect(if is_cut { tls_failure::cut_off(&cause) } else { ipv6_through_proxy(cause) })
    } else {
        let cause = root(error);
        match tls_failure::not_http(&cause, origin) {
            Some(not_http) => Cause::NotHttp(not_http),
            None => {
                let tls = find(error).map_or("", tls_failure::after_handshake);
                Cause::Lost(format!("{cause}{tls}{}", tls_failure::perhaps_tls(origin)))
            }
        }
    };
    Failure::new(origin, cause)
}

/// Whether the peer closed the connection.
fn ends_stream(cause: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(cause.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// Explains a limitation of the HTTP library; other causes stay as they are.
fn ipv6_through_proxy(cause: String) -> String {
    if cause == "Invalid Server Name" {
        "an IPv6 address cannot be reached through a proxy; use a host name, or list the address in NO_PROXY".to_owned()
    } else {
        cause
    }
}

/// The cause of a failure while reading the body of the reply.
pub(super) fn while_reading(limit: Duration, error: &(dyn StdError + 'static)) -> Cause {
    let timeout = find::<reqwest::Error>(error).is_some_and(reqwest::Error::is_timeout);
    if timeout {
        return Cause::Timeout(limit);
    }
    let cause = root(error);
    tls_failure::not_http(&cause, "").map_or(Cause::Lost(cause), Cause::NotHttp)
}

/// Whether the connection to the proxy failed, not the one through it. The HTTP library has no error type for this.
fn is_at_proxy(error: &(dyn StdError + 'static)) -> bool {
    error.to_string().starts_with(TUNNEL) || error.source().is_some_and(is_at_proxy)
}

/// The prefix of the HTTP library's messages about a connection to a proxy.
const TUNNEL: &str = "tunnel error: ";

/// The status of a proxy that refused the tunnel, if known. The HTTP library has no error type for this.
fn refused_by_proxy(error: &reqwest::Error) -> Option<Option<u16>> {
    match root(error).strip_prefix(TUNNEL)? {
        "proxy authorization required" => Some(Some(407)),
        "unsuccessful" => Some(None),
        _ => None,
    }
}

/// The first error of type `T` in a chain of sources. An `io::Error` hides its inner error from `source()`.
pub(super) fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    all(error).next()
}

fn inner<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// All errors of type `T` in such a chain.
fn all<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a T> {
    std::iter::successors(Some(error), |error| inner(*error)).filter_map(|error| error.downcast_ref())
}

/// The innermost cause. The outer errors only repeat the URL.
pub(super) fn root(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(inner) = last.source() {
        last = inner;
    }
    // The TLS library refers to its own documentation.
    let text = last.to_string();
    text.split(": https://docs.rs/").next().map_or_else(String::new, str::to_owned)
}

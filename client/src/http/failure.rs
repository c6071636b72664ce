//! Classifies errors of the HTTP library.

use super::resolver::LookupError;
use crate::error::{Error, ErrorKind};
use crate::wire::{Cause, Failure, Reply};
use std::error::Error as StdError;
use std::time::Duration;

/// A failure before the head of the reply arrived.
pub(super) fn before_head(origin: &str, limit: Duration, error: &reqwest::Error) -> Failure {
    let connecting = error.is_connect();
    let cause = if error.is_builder() {
        Cause::Setup(Error::new(ErrorKind::Internal, format!("the request could not be made: {}", root(error))))
    } else if let Some(lookup) = find::<LookupError>(error).filter(|_| connecting) {
        Cause::Lookup(lookup.to_string())
    } else if let Some(tls) = find::<rustls::Error>(error).filter(|_| connecting) {
        Cause::Tls(tls.to_string())
    } else if let Some(proxy) = refused_by_proxy(error).filter(|_| connecting) {
        Cause::Proxy(proxy)
    } else if error.is_timeout() && connecting {
        Cause::ConnectTimeout
    } else if error.is_timeout() {
        Cause::Timeout(limit)
    } else if connecting {
        Cause::Connect(root(error))
    } else {
        Cause::Lost(root(error))
    };
    Failure::new(origin, cause)
}

/// A failure while reading the body of the reply.
pub(super) fn after_head(origin: &str, limit: Duration, error: &std::io::Error, head: &Reply) -> Failure {
    let timeout = find::<reqwest::Error>(error).is_some_and(reqwest::Error::is_timeout);
    let cause = if timeout { Cause::Timeout(limit) } else { Cause::Lost(root(error)) };
    Failure::new(origin, cause).after_head(head)
}

/// The message of a proxy that rejected the user, or of a proxy setting that does not work. The HTTP library has no
/// error type for these. A proxy that is absent or failing is not included: it may be back for the next attempt.
fn refused_by_proxy(error: &reqwest::Error) -> Option<String> {
    let root = root(error);
    let refused =
        ["proxy authorization required", "unsupported scheme", "missing host"].iter().any(|it| root.contains(it));
    refused.then_some(root)
}

/// The first error of type `T` in a chain of sources. An `io::Error` hides its inner error from `source()`.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// The innermost cause. The outer errors only repeat the URL.
pub(super) fn root(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(inner) = last.source() {
        last = inner;
    }
    last.to_string()
}

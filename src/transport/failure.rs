//! Why a request has no answer, and whether the service may have seen it.

use super::resolver::LookupError;
use crate::api::{Reply, Request};
use crate::error::{Error, ErrorKind, ReplyFacts};
use std::error::Error as StdError;
use std::time::Duration;

/// A request without an answer.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// `https://host:port`, for messages.
    origin: String,
    cause: Cause,
    /// Whether it is certain that no byte of the request was written: the connection was never made.
    pub(crate) never_sent: bool,
    /// The head of the reply, if it came that far.
    reply: Option<Box<ReplyFacts>>,
}

#[derive(Clone, Debug)]
pub(super) enum Cause {
    /// The request was never tried.
    Setup(Error),
    Lookup(String),
    Tls(String),
    Connect(String),
    ConnectTimeout,
    /// The whole attempt took longer than this.
    Timeout(Duration),
    Lost(String),
    TooLong,
    /// The HTTP library panicked.
    Crashed,
}

impl Failure {
    pub(super) fn new(origin: &str, cause: Cause) -> Failure {
        let never_sent = matches!(
            cause,
            Cause::Setup(_) | Cause::Lookup(_) | Cause::Tls(_) | Cause::Connect(_) | Cause::ConnectTimeout
        );
        Failure { origin: origin.to_owned(), cause, never_sent, reply: None }
    }

    pub(super) fn setup(origin: &str, error: Error) -> Failure {
        Failure::new(origin, Cause::Setup(error))
    }

    /// The request was sent and nobody waited for its answer.
    pub(crate) fn given_up(request: &Request) -> Failure {
        let origin = request.url.origin().ascii_serialization();
        Failure::new(&origin, Cause::Lost("nobody waited for it".to_owned()))
    }

    /// A failure before the reply's head was there.
    pub(super) fn read(origin: &str, limit: Duration, error: &reqwest::Error) -> Failure {
        let connecting = error.is_connect();
        let cause = if let Some(lookup) = find::<LookupError>(error).filter(|_| connecting) {
            Cause::Lookup(lookup.to_string())
        } else if let Some(tls) = find::<rustls::Error>(error).filter(|_| connecting) {
            Cause::Tls(tls.to_string())
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

    /// A failure while the reply's body was read.
    pub(super) fn read_body(origin: &str, limit: Duration, error: &std::io::Error, head: &Reply) -> Failure {
        let timeout = find::<reqwest::Error>(error).is_some_and(reqwest::Error::is_timeout);
        let cause = if timeout { Cause::Timeout(limit) } else { Cause::Lost(root(error)) };
        Failure::new(origin, cause).after_head(head)
    }

    /// The same failure, with the head of the reply that had come.
    pub(super) fn after_head(self, head: &Reply) -> Failure {
        Failure { reply: Some(Box::new(head.facts())), ..self }
    }

    /// The error of the call that this failure ended.
    pub(crate) fn into_error(self, call: &str) -> Error {
        let origin = &self.origin;
        let (kind, what) = match self.cause {
            Cause::Setup(error) => (error.kind(), error.message().to_owned()),
            Cause::Lookup(cause) => (
                ErrorKind::NameResolution,
                format!("the host of {origin} could not be resolved ({cause}); check the name and the network"),
            ),
            Cause::Tls(cause) => (
                ErrorKind::Tls,
                format!(
                    "no secure connection to {origin} ({cause}); if its certificate comes from a private authority, such as \
                     the emulator's, give that authority as the CA file"
                ),
            ),
            Cause::Connect(cause) => (
                ErrorKind::Network,
                format!("no connection to {origin} ({cause}); check that it runs and can be reached"),
            ),
            Cause::ConnectTimeout => (
                ErrorKind::Network,
                format!("no connection to {origin} within the connect timeout; check that it can be reached"),
            ),
            Cause::Timeout(limit) => {
                (ErrorKind::Timeout, format!("no complete answer from {origin} within {} ms", limit.as_millis()))
            }
            Cause::Lost(cause) => (
                ErrorKind::Network,
                format!("the connection to {origin} broke before the answer was complete ({cause})"),
            ),
            Cause::TooLong => (
                ErrorKind::UnexpectedReply,
                format!("the answer of {origin} is longer than a session service's can be and was cut off"),
            ),
            Cause::Crashed => {
                (ErrorKind::Internal, "the HTTP client crashed and was made anew; please report this".to_owned())
            }
        };
        Error::new(kind, format!("{call} failed: {what}"))
            .with_reply(self.reply.map(|facts| *facts).unwrap_or_default())
    }
}

/// The first error of type `T` among an error and its sources. An `io::Error` hides its inner error from `source()`.
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

/// The innermost cause: what stands around it repeats the URL and says nothing.
pub(super) fn root(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(inner) = last.source() {
        last = inner;
    }
    last.to_string()
}

//! Requests without a reply: why, and whether the service may have seen the request.

use super::reply::Reply;
use super::request::Request;
use crate::error::{Error, ErrorKind, ReplyFacts};
use std::time::Duration;

/// The result of a request.
pub(crate) type Answer = std::result::Result<Reply, Failure>;

/// A request without a reply.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// `https://host:port`, for messages.
    origin: String,
    cause: Cause,
    /// Whether certainly no byte of the request was written, because there was no connection.
    pub(crate) never_sent: bool,
    /// The head of the reply, if it arrived.
    reply: Option<Box<ReplyFacts>>,
}

#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// Sending the request was not attempted.
    Setup(Error),
    Lookup(String),
    Tls(String),
    Connect(String),
    /// The proxy rejected the request.
    Proxy(String),
    ConnectTimeout,
    /// The whole attempt took longer than this.
    Timeout(Duration),
    Lost(String),
    TooLong,
    /// The HTTP library panicked.
    Crashed,
}

impl Failure {
    pub(crate) fn new(origin: &str, cause: Cause) -> Failure {
        let never_sent = !matches!(cause, Cause::Timeout(_) | Cause::Lost(_) | Cause::TooLong | Cause::Crashed);
        Failure { origin: origin.to_owned(), cause, never_sent, reply: None }
    }

    pub(crate) fn setup(origin: &str, error: Error) -> Failure {
        Failure::new(origin, Cause::Setup(error))
    }

    /// The request was queued for a thread until its time ran out.
    pub(crate) fn never_begun() -> Failure {
        let message = "every worker was busy until the time for the call ran out; give it more, or start fewer at once";
        Failure::setup("", Error::new(ErrorKind::Timeout, message))
    }

    /// The request was sent, but no caller was left to take its reply.
    pub(crate) fn given_up(request: &Request) -> Failure {
        let origin = request.url.origin().ascii_serialization();
        Failure::new(&origin, Cause::Lost("nobody waited for it".to_owned()))
    }

    /// Adds the head of the reply, which had arrived before the failure.
    pub(crate) fn after_head(self, head: &Reply) -> Failure {
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
            Cause::Proxy(cause) => (
                ErrorKind::Forbidden,
                format!(
                    "the proxy did not lead to {origin} ({cause}); check the proxy's address, user and password, in the \
                     option or in HTTPS_PROXY and ALL_PROXY"
                ),
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

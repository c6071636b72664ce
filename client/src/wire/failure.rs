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
    /// The proxy that it went through, for messages.
    proxy: Option<String>,
    cause: Cause,
    /// Whether the server certainly did not read the request, because there was no connection.
    pub(crate) never_sent: bool,
    /// The head of the reply, if it arrived.
    reply: Option<Box<ReplyFacts>>,
}

#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// Sending the request was not attempted.
    Setup(Error),
    Lookup(String),
    /// The cause and the remedy.
    Tls(String),
    /// The same for the TLS connection to a proxy.
    ProxyTls(String),
    Connect(String),
    /// The proxy refused the tunnel, with this status if known.
    Proxy(Option<u16>),
    ConnectTimeout,
    /// The whole attempt took longer than this.
    Timeout(Duration),
    Lost(String),
    /// The reply is not HTTP: the cause and the remedy.
    NotHttp(String),
    TooLong,
    /// The HTTP library panicked.
    Crashed,
}

impl Failure {
    pub(crate) fn new(origin: &str, cause: Cause) -> Failure {
        let never_sent =
            !matches!(cause, Cause::Timeout(_) | Cause::Lost(_) | Cause::NotHttp(_) | Cause::TooLong | Cause::Crashed);
        Failure { origin: origin.to_owned(), proxy: None, cause, never_sent, reply: None }
    }

    pub(crate) fn setup(origin: &str, error: Error) -> Failure {
        Failure::new(origin, Cause::Setup(error))
    }

    /// Whether time ran out while connecting or waiting for the reply.
    pub(crate) fn is_timeout(&self) -> bool {
        matches!(self.cause, Cause::Timeout(_) | Cause::ConnectTimeout)
    }

    /// The request was queued for a thread until its time ran out.
    pub(crate) fn never_begun() -> Failure {
        let message =
            "all workers were busy until the call timed out; increase its timeout, or start fewer calls at once";
        Failure::setup("", Error::new(ErrorKind::Timeout, message))
    }

    /// The request was sent, but no caller was left to take its reply.
    pub(crate) fn given_up(request: &Request) -> Failure {
        Failure::new(request.origin(), Cause::Lost("the caller stopped waiting".to_owned()))
    }

    /// Adds the proxy that the request went through.
    pub(crate) fn through(self, proxy: Option<String>) -> Failure {
        Failure { proxy, ..self }
    }

    /// Whether a proxy refused the tunnel with a status that is not known yet.
    pub(crate) fn lacks_status_of_proxy(&self) -> bool {
        matches!(self.cause, Cause::Proxy(None))
    }

    /// The same failure, with the status of the proxy's answer.
    pub(crate) fn with_status_of_proxy(self, status: Option<u16>) -> Failure {
        Failure { cause: Cause::Proxy(status), ..self }
    }

    /// Adds the head of the reply, which had arrived before the failure.
    pub(crate) fn after_head(self, head: &Reply) -> Failure {
        Failure { reply: Some(Box::new(head.facts())), ..self }
    }

    /// The error of the call that this failure ended.
    pub(crate) fn into_error(self, call: &str) -> Error {
        let proxy = self.proxy.as_deref();
        let origin = &proxy.map_or(self.origin.clone(), |proxy| format!("{} through the proxy {proxy}", self.origin));
        // A plain HTTP proxy closes the connection when TLS begins, or waits for more bytes.
        let is_tls = proxy.is_some_and(|proxy| proxy.starts_with("https:"));
        let plain = if is_tls { ", and that the proxy speaks TLS (most do not: write http://)" } else { "" };
        let (kind, what) = match self.cause {
            Cause::Setup(error) => (error.kind(), error.message().to_owned()),
            // With a proxy, this client looks up only the proxy's name.
            Cause::Lookup(cause) => (
                ErrorKind::NameResolution,
                format!(
                    "the host of {} could not be resolved ({cause}); check the name and the network",
                    proxy.map_or(self.origin, |proxy| format!("the proxy {proxy}"))
                ),
            ),
            Cause::Tls(cause) => (ErrorKind::Tls, format!("no secure connection to {origin}: {cause}")),
            Cause::ProxyTls(cause) => {
                (ErrorKind::Tls, format!("no secure connection to the proxy {}: {cause}", proxy.unwrap_or_default()))
            }
            Cause::Connect(cause) => (
                ErrorKind::Network,
                format!("no connection to {origin} ({cause}); check that it is running and reachable{plain}"),
            ),
            Cause::Proxy(status) => {
                let (kind, advice) = match status {
                    Some(407) => (ErrorKind::Forbidden, "check its user and password"),
                    Some(400..=407 | 409..=428 | 430..=499) => {
                        (ErrorKind::Forbidden, "ask its administrator, or set `proxy` to another one or to none")
                    }
                    _ => (ErrorKind::Network, "check that the proxy works and allows this host"),
                };
                let status = status.map(|status| format!(" ({status})")).unwrap_or_default();
                (kind, format!("no connection to {origin}, which refused the tunnel{status}; {advice}"))
            }
            Cause::ConnectTimeout => (
                ErrorKind::Network,
                format!(
                    "no connection to {origin} within `connect_timeout` (for a create, at most half of its time); check \
                     that it is reachable and replies{plain}"
                ),
            ),
            Cause::Timeout(limit) => {
                (ErrorKind::Timeout, format!("no complete reply from {origin} within {} ms", limit.as_millis()))
            }
            Cause::Lost(cause) => (
                ErrorKind::Network,
                format!("the connection to {origin} broke before the reply was complete ({cause})"),
            ),
            Cause::NotHttp(cause) => (ErrorKind::Network, format!("the reply of {origin} is not HTTP {cause}")),
            Cause::TooLong => (
                ErrorKind::UnexpectedReply,
                format!("the reply of {origin} is too long for a session service; check that it is one"),
            ),
            Cause::Crashed => {
                (ErrorKind::Internal, "the HTTP client crashed and was recreated; please report this".to_owned())
            }
        };
        Error::new(kind, format!("{call} failed: {what}"))
            .with_reply(self.reply.map(|facts| *facts).unwrap_or_default())
    }
}

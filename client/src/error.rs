//! Errors: what failed, what the service replied, and what to do.

use std::borrow::Cow;
use std::time::Duration;

/// The result of every fallible call of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// The kinds of failure. Each calls for a different reaction.
///
/// The C ABI has one `ARR_ERROR_…` constant for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is missing, malformed or out of range. Nothing was sent.
    InvalidArgument,
    /// A handle is NULL, freed, forged, or of the wrong type (C ABI only).
    InvalidHandle,
    /// The caller's buffer is too small; the required size was returned (C ABI only).
    BufferTooSmall,
    /// This version of the library does not support the request.
    Unsupported,
    /// The client belongs to the parent of this forked process.
    Forked,
    /// The client was freed or shut down.
    ShutDown,
    /// The caller's timeout, or the timeout of one attempt, expired.
    Timeout,
    /// The operation was cancelled before it completed.
    Cancelled,
    /// The operation has not completed yet: there is no result to take.
    Pending,
    /// The service refused the credential (401).
    Unauthorized,
    /// The credential is valid but lacks permission (403), or a proxy refused the user or the host.
    Forbidden,
    /// The token service's reply is not a token.
    InvalidToken,
    /// The connection could not be established, or broke.
    Network,
    /// The host name could not be resolved.
    NameResolution,
    /// The TLS connection could not be established, most often because a certificate is not trusted.
    Tls,
    /// The service refused the request as malformed (400 and other 4xx).
    BadRequest,
    /// The service does not know the session (404).
    NotFound,
    /// The session's state does not allow the request (409, 422), or the id is in use (409).
    Conflict,
    /// Too many requests (429).
    Throttled,
    /// The service has no room for another session (429 with the code `ServiceFull`). Creates are retried like
    /// throttled requests, until the deadline.
    ServiceFull,
    /// The service failed (5xx).
    ServiceFailure,
    /// The reply does not match the service's documentation, or is too long.
    UnexpectedReply,
    /// A create was sent and its reply was lost: a session may be running and costing money. Its id is unknown with
    /// REST v1; with 2021-01-01 the message names it.
    OutcomeUnknown,
    /// The session stopped or its lease expired during the wait.
    SessionEnded,
    /// The session failed; the message is the service's.
    SessionFailed,
    /// The journal could not be read or written. A create that could not be recorded was not sent.
    Storage,
    /// The machine or the process has run out of threads, open files, sockets or handles. Nothing was sent.
    OutOfResources,
    /// A bug in this library. Stays last.
    Internal,
}

impl ErrorKind {
    /// All kinds, in order.
    pub(crate) const ALL: [ErrorKind; 28] = [
        ErrorKind::InvalidArgument,
        ErrorKind::InvalidHandle,
        ErrorKind::BufferTooSmall,
        ErrorKind::Unsupported,
        ErrorKind::Forked,
        ErrorKind::ShutDown,
        ErrorKind::Timeout,
        ErrorKind::Cancelled,
        ErrorKind::Pending,
        ErrorKind::Unauthorized,
        ErrorKind::Forbidden,
        ErrorKind::InvalidToken,
        ErrorKind::Network,
        ErrorKind::NameResolution,
        ErrorKind::Tls,
        ErrorKind::BadRequest,
        ErrorKind::NotFound,
        ErrorKind::Conflict,
        ErrorKind::Throttled,
        ErrorKind::ServiceFull,
        ErrorKind::ServiceFailure,
        ErrorKind::UnexpectedReply,
        ErrorKind::OutcomeUnknown,
        ErrorKind::SessionEnded,
        ErrorKind::SessionFailed,
        ErrorKind::Storage,
        ErrorKind::OutOfResources,
        ErrorKind::Internal,
    ];
}

/// A failure: its kind, a message that says what to do, and details of the service's reply.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: Cow<'static, str>,
    /// The service may have carried out the request.
    outcome_unknown: bool,
    /// `None` if there was no reply: an error with a fixed message allocates nothing.
    reply: Option<Box<ReplyFacts>>,
}

/// The details of a reply other than its body; all absent if there was no reply.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReplyFacts {
    pub(crate) http_status: Option<u16>,
    pub(crate) correlation_vector: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) service_code: Option<String>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Error {
        let outcome_unknown = kind == ErrorKind::OutcomeUnknown;
        Error { kind, message: message.into(), outcome_unknown, reply: None }
    }

    /// A forked child must not use its parent's objects.
    pub(crate) fn forked() -> Error {
        let message = "the client belongs to the parent of this forked process; create a client in this process";
        Error::new(ErrorKind::Forked, message)
    }

    /// The system refused a thread, file or socket.
    pub(crate) fn out_of_resources(what: &str, cause: &dyn std::fmt::Display) -> Error {
        let advice = if cfg!(unix) { ", or raise the limits (ulimit -n, ulimit -u)" } else { "" };
        let message =
            format!("{what}: {cause}; end threads or close files and connections in this or another process{advice}");
        Error::new(ErrorKind::OutOfResources, message)
    }

    pub(crate) fn invalid_argument(message: impl Into<Cow<'static, str>>) -> Error {
        Error::new(ErrorKind::InvalidArgument, message)
    }

    /// The same failure, with the details of the reply.
    pub(crate) fn with_reply(mut self, facts: ReplyFacts) -> Error {
        self.reply = Some(Box::new(facts));
        self
    }

    /// The same failure with another kind and message. Keeps the details of the reply.
    pub(crate) fn recast(mut self, kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Error {
        self.outcome_unknown |= kind == ErrorKind::OutcomeUnknown;
        self.kind = kind;
        self.reworded(message)
    }

    /// The same failure with another message.
    pub(crate) fn reworded(self, message: impl Into<Cow<'static, str>>) -> Error {
        Error { message: message.into(), ..self }
    }

    /// The same failure, marked as possibly carried out by the service if `maybe_done`.
    pub(crate) fn maybe_done(self, maybe_done: bool) -> Error {
        Error { outcome_unknown: self.outcome_unknown || maybe_done, ..self }
    }

    /// The same failure, marked as certainly not carried out.
    pub(crate) fn clearly_not_done(self) -> Error {
        Error { outcome_unknown: false, ..self }
    }

    /// The kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What failed, why, and what to do, for a human reader. Options are in backticks. Never contains a key or a token.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The HTTP status of the reply; `None` if there was no reply.
    pub fn http_status(&self) -> Option<u16> {
        self.reply.as_ref()?.http_status
    }

    /// The reply's `MS-CV`, which the service's operators use to find the request.
    pub fn correlation_vector(&self) -> Option<&str> {
        self.reply.as_ref()?.correlation_vector.as_deref()
    }

    /// How long the service asks to wait before the next request (`Retry-After`).
    pub fn retry_after(&self) -> Option<Duration> {
        self.reply.as_ref()?.retry_after
    }

    /// `Retry-After`, capped. The service forgets throttling after a minute, so longer pauses are not honoured.
    pub(crate) fn honoured_retry_after(&self) -> Option<Duration> {
        const LONGEST: Duration = Duration::from_secs(300);
        Some(self.retry_after()?.min(LONGEST))
    }

    /// The service's own error code, for example `BadRequest`, if the reply has one.
    pub fn service_code(&self) -> Option<&str> {
        self.reply.as_ref()?.service_code.as_deref()
    }

    /// Whether the same call may succeed later. Never true where repeating it could do harm.
    pub fn is_retryable(&self) -> bool {
        use ErrorKind::{NameResolution, Network, OutOfResources, ServiceFailure, ServiceFull, Throttled, Timeout};
        match self.kind {
            Timeout | Network | NameResolution | Throttled | ServiceFull | OutOfResources => true,
            ServiceFailure => matches!(self.http_status(), Some(408 | 500 | 502 | 503 | 504)),
            _ => false,
        }
    }

    /// Whether the service may have carried out the request although the call failed: it was not a read, it was sent,
    /// and no clear reply arrived.
    pub fn is_outcome_unknown(&self) -> bool {
        self.outcome_unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds_are_listed() {
        assert!(ErrorKind::ALL.iter().enumerate().all(|(place, kind)| *kind as usize == place));
        assert_eq!(ErrorKind::ALL.len(), ErrorKind::Internal as usize + 1);
    }
}

//! What went wrong, how the service told it, and what to do about it.

use std::time::Duration;

/// The result of everything that can fail here.
pub type Result<T> = std::result::Result<T, Error>;

/// The kinds of failure, each with a different thing to do about it.
///
/// The C ABI has one `ARR_ERROR_…` constant for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is missing, malformed or out of range. Nothing was sent.
    InvalidArgument,
    /// A handle is NULL, freed, forged, or of another type (C ABI only).
    InvalidHandle,
    /// The caller's buffer is too small; the needed size was told (C ABI only).
    BufferTooSmall,
    /// The caller asks for something that this version of the library does not know.
    Unsupported,
    /// The client was freed or shut down.
    ShutDown,
    /// The time that the caller gave, or the time for one attempt, ran out.
    Timeout,
    /// The operation was cancelled before it ended.
    Cancelled,
    /// The operation has not ended yet: there is no result to take.
    Pending,
    /// The service refused the credential (401).
    Unauthorized,
    /// The credential is good but may not do this (403); or a proxy wants another user.
    Forbidden,
    /// The token service answered with something that is no token.
    InvalidToken,
    /// The connection could not be made, or broke.
    Network,
    /// The host name could not be resolved.
    NameResolution,
    /// The secure connection could not be made: most often a certificate that is not trusted.
    Tls,
    /// The service refused the request as malformed (400 and other 4xx).
    BadRequest,
    /// The service does not know the session (404).
    NotFound,
    /// The session as it is does not allow the request (409, 422), or its id is in use (409).
    Conflict,
    /// Too many requests (429).
    Throttled,
    /// The service failed (5xx).
    ServiceFailure,
    /// The reply was not what the service is documented to send.
    UnexpectedReply,
    /// A create was sent and its answer was lost: a session may be running, and costing, under an id that is not known (REST
    /// v1), or that the message names (2021-01-01).
    OutcomeUnknown,
    /// The session stopped or its lease ran out while it was waited for.
    SessionEnded,
    /// The session failed; the message is the service's.
    SessionFailed,
    /// The journal's file could not be read or written. A create that could not be noted was not sent.
    Storage,
    /// A defect of this library. Stays last.
    Internal,
}

impl ErrorKind {
    /// Each kind, in order.
    pub(crate) const ALL: [ErrorKind; 25] = [
        ErrorKind::InvalidArgument,
        ErrorKind::InvalidHandle,
        ErrorKind::BufferTooSmall,
        ErrorKind::Unsupported,
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
        ErrorKind::ServiceFailure,
        ErrorKind::UnexpectedReply,
        ErrorKind::OutcomeUnknown,
        ErrorKind::SessionEnded,
        ErrorKind::SessionFailed,
        ErrorKind::Storage,
        ErrorKind::Internal,
    ];
}

/// A failure: its kind, a message that tells what to do, and what the service's reply said.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    /// The service may have done what was asked.
    outcome_unknown: bool,
    reply: Box<ReplyFacts>,
}

/// What a reply says besides its body; all absent where there was no reply.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReplyFacts {
    pub(crate) http_status: Option<u16>,
    pub(crate) correlation_vector: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) service_code: Option<String>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        let outcome_unknown = kind == ErrorKind::OutcomeUnknown;
        Error { kind, message: message.into(), outcome_unknown, reply: Box::default() }
    }

    pub(crate) fn invalid_argument(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::InvalidArgument, message)
    }

    /// The same failure, with what the reply told.
    pub(crate) fn with_reply(mut self, facts: ReplyFacts) -> Error {
        *self.reply = facts;
        self
    }

    /// The same failure under another kind and message; what the reply told stays.
    pub(crate) fn retold(mut self, kind: ErrorKind, message: impl Into<String>) -> Error {
        self.outcome_unknown |= kind == ErrorKind::OutcomeUnknown;
        self.kind = kind;
        self.reworded(message)
    }

    /// The same failure in other words.
    pub(crate) fn reworded(self, message: impl Into<String>) -> Error {
        Error { message: message.into(), ..self }
    }

    /// The same failure of a request that the service may have carried out, if so.
    pub(crate) fn maybe_done(self, maybe_done: bool) -> Error {
        Error { outcome_unknown: self.outcome_unknown || maybe_done, ..self }
    }

    /// The same failure of a request that was certainly not carried out after all.
    pub(crate) fn clearly_not_done(self) -> Error {
        Error { outcome_unknown: false, ..self }
    }

    /// The kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What happened and what to do now, for a person. Never holds a key or a token.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The HTTP status of the reply; `None` if there was none.
    pub fn http_status(&self) -> Option<u16> {
        self.reply.http_status
    }

    /// The reply's `MS-CV`, by which the service's operators find the request.
    pub fn correlation_vector(&self) -> Option<&str> {
        self.reply.correlation_vector.as_deref()
    }

    /// How long the service asks to wait before the next request (`Retry-After`).
    pub fn retry_after(&self) -> Option<Duration> {
        self.reply.retry_after
    }

    /// The same as far as it is honoured: no service needs longer than this, as it forgets throttling after a minute.
    pub(crate) fn honoured_retry_after(&self) -> Option<Duration> {
        const LONGEST: Duration = Duration::from_secs(300);
        Some(self.retry_after()?.min(LONGEST))
    }

    /// The service's own error code, for example `BadRequest`, where the reply has one.
    pub fn service_code(&self) -> Option<&str> {
        self.reply.service_code.as_deref()
    }

    /// Whether the same call may succeed later without any change. Never true where repeating could do harm.
    pub fn is_retryable(&self) -> bool {
        use ErrorKind::{NameResolution, Network, ServiceFailure, Throttled, Timeout};
        match self.kind {
            Timeout | Network | NameResolution | Throttled => true,
            ServiceFailure => matches!(self.http_status(), Some(408 | 500 | 502 | 503 | 504)),
            _ => false,
        }
    }

    /// Whether the service may have done what was asked although the call failed: the request was sent, it was not just to
    /// read, and there was no clear answer.
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

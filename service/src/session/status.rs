//! The status of a session.

use std::fmt;

use super::batch::NotStored;

/// The status of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionStatus {
    /// A renderer is being prepared.
    Starting,
    /// The renderer runs, and the lease counts down.
    Ready,
    /// A client has stopped it, but its renderer still runs.
    Stopping,
    /// Ended by a client.
    Stopped,
    /// Ended because the lease ran out.
    Expired,
    /// Ended by a failure.
    Error,
}

impl SessionStatus {
    pub(super) const ALL: [SessionStatus; 6] = [
        SessionStatus::Starting,
        SessionStatus::Ready,
        SessionStatus::Stopping,
        SessionStatus::Stopped,
        SessionStatus::Expired,
        SessionStatus::Error,
    ];

    /// Reads a status in any letter case.
    pub(crate) fn parse(text: &str) -> Option<SessionStatus> {
        Self::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(text))
    }

    /// The status as the service writes it, such as `Ready`.
    pub fn as_str(self) -> &'static str {
        match self {
            SessionStatus::Starting => "Starting",
            SessionStatus::Ready => "Ready",
            SessionStatus::Stopping => "Stopping",
            SessionStatus::Stopped => "Stopped",
            SessionStatus::Expired => "Expired",
            SessionStatus::Error => "Error",
        }
    }

    /// Whether the session has ended. An ended session never comes back.
    pub fn is_final(self) -> bool {
        matches!(self, SessionStatus::Stopped | SessionStatus::Expired | SessionStatus::Error)
    }
}

impl fmt::Display for SessionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a status could not be forced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatusRefused {
    /// There is no such session.
    #[error("there is no session {0}; it may have ended and been forgotten, or belong to another emulator")]
    NoSession(String),
    /// There is no such transition: an ended session stays ended, and none starts or stops twice.
    #[error("a session that is {from} cannot become {to}")]
    Impossible {
        /// The current status.
        from: SessionStatus,
        /// The status to force.
        to: SessionStatus,
    },
    /// The state folder cannot be written.
    #[error("{NotStored}")]
    NotStored,
    /// A message is the reason for an end, but the session does not end in this status.
    #[error("a message goes with Error, Expired or Stopped; a session that is {0} has none")]
    NoPlaceForMessage(SessionStatus),
}

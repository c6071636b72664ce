//! Session statuses.

/// The status of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionStatus {
    /// A server is being allocated and started, which takes seconds to minutes. Costs nothing yet.
    Starting,
    /// The server is running, and costs money whether or not a client is connected.
    Ready,
    /// The session was stopped and its server is being released. REST 2021-01-01 never reports this status; after its
    /// own stop a client assumes it until the next read.
    Stopping,
    /// The session was stopped. Final.
    Stopped,
    /// The lease expired. Final.
    Expired,
    /// The session failed; its message says why. Final.
    Error,
    /// A status that this version of the library does not know, as the service spelled it.
    Unknown(String),
}

impl SessionStatus {
    /// Accepts any letter case: the service's documentation uses lower case, and the wire capitalised words.
    pub(crate) fn read(text: &str) -> SessionStatus {
        let known = (1..=6).map(SessionStatus::of_code).find(|status| text.eq_ignore_ascii_case(status.as_str()));
        known.unwrap_or_else(|| SessionStatus::Unknown(text.to_owned()))
    }

    /// The status in lower case, as in the service's documentation; an unknown one as the service spelled it.
    pub fn as_str(&self) -> &str {
        match self {
            SessionStatus::Starting => "starting",
            SessionStatus::Ready => "ready",
            SessionStatus::Stopping => "stopping",
            SessionStatus::Stopped => "stopped",
            SessionStatus::Expired => "expired",
            SessionStatus::Error => "error",
            SessionStatus::Unknown(word) => word,
        }
    }

    /// The C ABI's number for a status, which never changes.
    pub(crate) const fn code(&self) -> i32 {
        match self {
            SessionStatus::Unknown(_) => 0,
            SessionStatus::Starting => 1,
            SessionStatus::Ready => 2,
            SessionStatus::Stopped => 3,
            SessionStatus::Expired => 4,
            SessionStatus::Error => 5,
            SessionStatus::Stopping => 6,
        }
    }

    /// The status with this number. The spelling of an unknown one is lost. Allocates nothing.
    pub(crate) const fn of_code(code: i32) -> SessionStatus {
        match code {
            1 => SessionStatus::Starting,
            2 => SessionStatus::Ready,
            3 => SessionStatus::Stopped,
            4 => SessionStatus::Expired,
            5 => SessionStatus::Error,
            6 => SessionStatus::Stopping,
            _ => SessionStatus::Unknown(String::new()),
        }
    }

    /// Whether the session has ended for good. An unknown status counts as not final.
    pub fn is_final(&self) -> bool {
        matches!(self, SessionStatus::Stopped | SessionStatus::Expired | SessionStatus::Error)
    }

    /// Whether the session has neither ended nor started to stop.
    pub(crate) fn is_alive(&self) -> bool {
        !self.is_final() && *self != SessionStatus::Stopping
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read_in_any_letter_case_and_unknown_ones_kept() {
        assert_eq!(SessionStatus::read("READY"), SessionStatus::Ready);
        assert_eq!(SessionStatus::read("Napping"), SessionStatus::Unknown("Napping".into()));
        assert!(!SessionStatus::read("Napping").is_final());
    }
}

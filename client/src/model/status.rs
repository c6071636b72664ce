//! Statuses of sessions.

/// Where a session is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionStatus {
    /// A server is being found and started; this takes from seconds to minutes. Costs nothing yet.
    Starting,
    /// The server runs, and costs, whether or not anybody is connected.
    Ready,
    /// The session was stopped and its server is being given back. REST 2021-01-01 does not tell it; but after its own stop
    /// a client takes it for the status until the service is read.
    Stopping,
    /// The session was stopped. Final.
    Stopped,
    /// The lease ran out. Final.
    Expired,
    /// The session failed; its message tells why. Final.
    Error,
    /// A status that this version of the library does not know, as the service wrote it.
    Unknown(String),
}

impl SessionStatus {
    /// The service writes the words in lower case in its documentation and capitalised on the wire.
    pub(crate) fn read(text: &str) -> SessionStatus {
        match text.to_ascii_lowercase().as_str() {
            "starting" => SessionStatus::Starting,
            "ready" => SessionStatus::Ready,
            "stopping" => SessionStatus::Stopping,
            "stopped" => SessionStatus::Stopped,
            "expired" => SessionStatus::Expired,
            "error" => SessionStatus::Error,
            _ => SessionStatus::Unknown(text.to_owned()),
        }
    }

    /// A number for each, which is for ever: the C ABI's.
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

    /// The status of a number; the word of an unknown one is not kept. Allocates nothing.
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

    /// Whether the session has ended for good. An unknown status is taken as not final.
    pub fn is_final(&self) -> bool {
        matches!(self, SessionStatus::Stopped | SessionStatus::Expired | SessionStatus::Error)
    }

    /// Whether the session has neither ended nor begun to end.
    pub(crate) fn is_alive(&self) -> bool {
        !self.is_final() && *self != SessionStatus::Stopping
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_letter_case_and_unknown_ones_are_kept() {
        assert_eq!(SessionStatus::read("READY"), SessionStatus::Ready);
        assert_eq!(SessionStatus::read("Napping"), SessionStatus::Unknown("Napping".into()));
        assert!(!SessionStatus::read("Napping").is_final());
    }
}

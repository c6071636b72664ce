//! What a client chooses for its session: the size of the renderer and the length of the lease.

use std::fmt;
use std::time::Duration;

/// The kind of renderer that a session runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionSize {
    /// Up to 20 million primitives.
    Standard,
    /// No fixed limit.
    Premium,
}

impl SessionSize {
    /// The size as the service writes it, such as `standard`.
    pub fn as_str(self) -> &'static str {
        match self {
            SessionSize::Standard => "standard",
            SessionSize::Premium => "premium",
        }
    }

    /// Reads a size in any letter case.
    pub(crate) fn parse(text: &str) -> Option<SessionSize> {
        [SessionSize::Standard, SessionSize::Premium].into_iter().find(|size| size.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for SessionSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a client requests when it creates a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionSettings {
    pub(crate) size: SessionSize,
    /// The whole lease, counted from `Ready`.
    pub(crate) max_lease: Duration,
}

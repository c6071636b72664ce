//! How waits and the monitor ask a session what to do next.

use crate::clock::Instant;
use crate::error::Result;
use crate::model::SessionProperties;
use crate::protocol::{ChangeMark, Chore};

/// Who polls a session: a wait or the monitor.
#[derive(Clone, Copy)]
pub(in crate::client) struct Poller {
    pub(in crate::client) is_wait: bool,
    /// The value of `SessionState::failures` when the wait began, or that the monitor has seen.
    pub(in crate::client) failures: u64,
}

/// The next step of a wait, or of the monitor.
pub(in crate::client) enum Poll {
    /// The session is ready, or never will be, or could not be read.
    Over(Box<Result<SessionProperties>>),
    /// Nothing is due before this instant.
    At(Instant),
    /// Start this read, and poll again.
    Read(Chore),
    /// A read is in flight: poll again when this changes.
    Reading(ChangeMark),
}

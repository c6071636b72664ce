//! How waits and the monitor ask a session what to do next.

use crate::clock::Instant;
use crate::error::Result;
use crate::model::SessionProperties;
use crate::protocol::{ChangeMark, Chore};

/// Who polls a session. `failures`: the value of `SessionState::failures` when the wait began, or that the monitor has seen.
#[derive(Clone, Copy)]
pub(in crate::client) enum Poller {
    Wait { failures: u64 },
    Monitor { failures: u64 },
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

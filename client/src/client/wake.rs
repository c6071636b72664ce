//! Wake-ups after changes.

use crate::clock::Signal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Wakes blocking calls and the driver.
#[derive(Debug, Default)]
pub(super) struct Wake {
    pub(super) signal: Arc<Signal>,
    /// The monitor may have work for watched sessions.
    sessions_changed: AtomicBool,
}

impl Wake {
    /// Reports a change that a call or the driver may be waiting for.
    pub(super) fn notify(&self) {
        self.signal.notify();
    }

    /// Reports a change, and makes the monitor check the sessions again.
    pub(super) fn sessions_changed(&self) {
        self.sessions_changed.store(true, Ordering::Release);
        self.signal.notify();
    }

    /// Makes the monitor check again in this turn of the driver, without waking it.
    pub(super) fn look_again(&self) {
        self.sessions_changed.store(true, Ordering::Release);
    }

    /// Whether sessions have changed since the last call.
    pub(super) fn take_sessions_changed(&self) -> bool {
        self.sessions_changed.swap(false, Ordering::AcqRel)
    }
}

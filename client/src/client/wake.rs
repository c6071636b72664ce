//! Who is to be woken when something has changed.

use crate::clock::Signal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Wakes blocking calls and the driver.
#[derive(Debug, Default)]
pub(super) struct Wake {
    pub(super) signal: Arc<Signal>,
    /// There may be something to do for sessions that are watched.
    sessions_changed: AtomicBool,
}

impl Wake {
    /// Something changed that a call or the driver may wait for.
    pub(super) fn notify(&self) {
        self.signal.notify();
    }

    /// The same, and the monitor has to look at the sessions again.
    pub(super) fn sessions_changed(&self) {
        self.sessions_changed.store(true, Ordering::Release);
        self.signal.notify();
    }

    /// The monitor has to look again in this turn of the driver.
    pub(super) fn look_again(&self) {
        self.sessions_changed.store(true, Ordering::Release);
    }

    /// Whether sessions have changed, once.
    pub(super) fn take_sessions_changed(&self) -> bool {
        self.sessions_changed.swap(false, Ordering::AcqRel)
    }
}

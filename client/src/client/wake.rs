//! Wake-ups after changes.

use crate::clock::{Signal, lock};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Wakes blocking calls and the driver.
#[derive(Debug, Default)]
pub(super) struct Wake {
    pub(super) signal: Arc<Signal>,
    /// The monitor may have work for any watched session.
    all_changed: AtomicBool,
    /// The numbers of the watched sessions that it may have work for.
    changed: Mutex<Vec<u64>>,
}

/// The watched sessions to check again.
pub(super) struct Changed {
    pub(super) all: bool,
    pub(super) sessions: Vec<u64>,
}

impl Wake {
    /// Reports a change that a call or the driver may be waiting for.
    pub(super) fn notify(&self) {
        self.signal.notify();
    }

    /// Makes the monitor check all sessions again.
    pub(super) fn sessions_changed(&self) {
        self.look_again();
        self.signal.notify();
    }

    /// Makes the monitor check all sessions again in this turn of the driver, without waking it.
    pub(super) fn look_again(&self) {
        self.all_changed.store(true, Ordering::Release);
    }

    /// Makes the monitor check this session again, without waking the driver.
    pub(super) fn look_again_at(&self, session: u64) {
        lock(&self.changed).push(session);
    }

    /// The sessions that have changed since the last call.
    pub(super) fn take_changed(&self) -> Changed {
        let sessions = std::mem::take(&mut *lock(&self.changed));
        Changed { all: self.all_changed.swap(false, Ordering::AcqRel), sessions }
    }
}

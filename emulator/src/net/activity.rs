//! Whether a connection is idle.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What a connection is at.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    /// Requests being answered; while the handshake lasts, that counts as one.
    at_work: AtomicUsize,
    /// Whether its peer has yet to take something that was sent.
    sending: AtomicBool,
}

impl Activity {
    pub(crate) fn set_sending(&self, sending: bool) {
        self.sending.store(sending, Ordering::SeqCst);
    }

    /// Whether it waits for a request, of which it may have the beginning.
    pub(crate) fn is_idle(&self) -> bool {
        self.at_work.load(Ordering::SeqCst) == 0 && !self.sending.load(Ordering::SeqCst)
    }
}

/// While it lives, its connection is not idle.
#[derive(Debug)]
pub(crate) struct Work(Arc<Activity>);

impl Work {
    pub(super) fn begin(activity: &Arc<Activity>) -> Work {
        activity.at_work.fetch_add(1, Ordering::SeqCst);
        Work(activity.clone())
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.at_work.fetch_sub(1, Ordering::SeqCst);
    }
}

//! Whether a connection is idle.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What a connection is doing: it is idle if no request is in flight and nothing waits to be sent.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    /// Requests being answered. The TLS handshake counts as one.
    in_flight: AtomicUsize,
    /// Whether bytes wait until the peer reads them.
    sending: AtomicBool,
}

impl Activity {
    pub(crate) fn set_sending(&self, sending: bool) {
        self.sending.store(sending, Ordering::SeqCst);
    }

    /// Whether the connection waits for a request. Part of the request head may have arrived.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.load(Ordering::SeqCst) == 0 && !self.sending.load(Ordering::SeqCst)
    }
}

/// Its connection is not idle until this is dropped.
#[derive(Debug)]
pub(crate) struct InFlightGuard(Arc<Activity>);

impl InFlightGuard {
    pub(super) fn new(activity: &Arc<Activity>) -> InFlightGuard {
        activity.in_flight.fetch_add(1, Ordering::SeqCst);
        InFlightGuard(activity.clone())
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

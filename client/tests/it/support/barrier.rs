//! A barrier at which a server waits until the test opens it.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Closed until it is opened once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Barrier(Arc<(Mutex<bool>, Condvar)>);

impl Barrier {
    /// Waits until it is open.
    pub(crate) fn pass(&self) {
        let (open, opened) = &*self.0;
        let limit = Duration::from_secs(120);
        let (open, _) = opened.wait_timeout_while(open.lock().unwrap(), limit, |open| !*open).unwrap();
        assert!(*open, "the barrier was never opened");
    }

    pub(crate) fn is_open(&self) -> bool {
        *self.0.0.lock().unwrap()
    }

    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

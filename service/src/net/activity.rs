//! What a connection is doing, and since when.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::Limits;
use crate::sync::lock;

/// What a connection is doing. It is idle if no request is in flight and nothing waits to be sent.
#[derive(Debug)]
pub(crate) struct Activity(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Requests being answered. The TLS handshake counts as one.
    in_flight: usize,
    /// Whether bytes wait for the peer to read them.
    sending: bool,
    /// Whether part of a request's head has arrived.
    receiving: bool,
    /// When that began, when sending last made progress, or since when the connection is idle.
    since: Instant,
}

impl Default for Activity {
    fn default() -> Activity {
        Activity(Mutex::new(State { in_flight: 0, sending: false, receiving: false, since: Instant::now() }))
    }
}

impl Activity {
    /// Bytes have arrived.
    pub(crate) fn received(&self) {
        let mut state = lock(&self.0);
        if state.in_flight == 0 && !state.receiving {
            (state.receiving, state.since) = (true, Instant::now());
        }
    }

    /// Reports an attempt to send: whether the peer took `some` bytes, and whether more are `waiting`.
    pub(crate) fn sent(&self, some: bool, waiting: bool) {
        let mut state = lock(&self.0);
        if some || waiting != state.sending {
            (state.sending, state.since) = (waiting, Instant::now());
        }
    }

    /// Whether the connection waits for a request. Part of the request's head may have arrived.
    pub(crate) fn is_idle(&self) -> bool {
        self.idle_since().is_some()
    }

    /// Whether requests are being answered. Their replies may still wait to be sent if not.
    pub(crate) fn has_requests(&self) -> bool {
        lock(&self.0).in_flight > 0
    }

    /// Since when it waits for a request, or for the rest of its head.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let state = lock(&self.0);
        (state.in_flight == 0 && !state.sending).then_some(state.since)
    }

    /// How much longer the peer may take for its current step; zero if it has taken too long.
    pub(crate) fn left(&self, limits: &Limits) -> Duration {
        let state = lock(&self.0);
        let limit = match &*state {
            State { sending: true, .. } => limits.send,
            State { in_flight: 1.., .. } => return Duration::MAX,
            State { receiving: true, .. } => limits.head,
            _ => limits.idle,
        };
        limit.saturating_sub(state.since.elapsed())
    }
}

/// Its connection is not idle until this is dropped.
#[derive(Debug)]
pub(crate) struct InFlightGuard(Arc<Activity>);

impl InFlightGuard {
    pub(super) fn new(activity: &Arc<Activity>) -> InFlightGuard {
        let mut state = lock(&activity.0);
        state.in_flight += 1;
        state.receiving = false;
        drop(state);
        InFlightGuard(activity.clone())
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        let mut state = lock(&self.0.0);
        state.in_flight -= 1;
        state.since = Instant::now();
    }
}

//! Whether the reads of a watched session work.

use crate::clock::Instant;
use std::time::Duration;

/// Failures that last less than this are not reported: services restart, and networks change.
const SHORTEST_REPORTED: Duration = Duration::from_secs(60);

/// The state of a session's reads: its own, and the account's lists.
#[derive(Debug, Default)]
pub(super) struct ReadHealth {
    /// Since when every read has failed.
    failing_since: Option<Instant>,
    /// An event has reported that they fail.
    reported: bool,
}

impl ReadHealth {
    pub(super) fn failed(&mut self, now: Instant) {
        self.failing_since.get_or_insert(now);
    }

    /// Returns whether an event must report that they work again.
    pub(super) fn worked(&mut self) -> bool {
        self.failing_since = None;
        std::mem::take(&mut self.reported)
    }

    /// The time of failures so far does not count: time has jumped.
    pub(super) fn restart(&mut self) {
        self.failing_since = None;
    }

    /// When an event must report failing reads, if they still fail then. `interval` is the time between two reads.
    pub(super) fn report_at(&self, interval: Duration) -> Option<Instant> {
        let since = self.failing_since.filter(|_| !self.reported)?;
        Some(since + interval.saturating_mul(2).max(SHORTEST_REPORTED))
    }

    pub(super) fn is_reported(&mut self) {
        self.reported = true;
    }
}

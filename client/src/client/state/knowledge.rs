//! The cached state of a session that is behind a lock.

use super::keep_alive::Watching;
use super::published::best_of;
use crate::clock::{Instant, milliseconds};
use crate::error::Error;
use crate::model::{Lease, ReplyText, SessionProperties, SessionSize, SessionStatus, SnapshotData};
use crate::protocol::{ChoreId, Context, Readiness};
use std::time::Duration;

/// Far longer than a session takes until it is ready (docs/service.md, "Lifecycle").
const STARTING_LONG: Duration = Duration::from_secs(15 * 60);

/// The cached state of a session.
pub(in crate::client) struct Knowledge {
    pub(in crate::client) readiness: Readiness,
    /// Incremented whenever the session is extended, stopped or read: a read that began earlier is outdated.
    pub(super) epoch: u64,
    /// The read in flight that all waits share. It outlives the wait that started it.
    pub(super) reading: Option<ChoreId>,
    /// A wait has asked for that read, or for the one that follows if it fails.
    pub(super) read_for_wait: bool,
    /// The result of the last read that a wait asked for, and when it arrived. Kept until a wait has seen it, because
    /// it may arrive between two slices.
    pub(super) unseen: Option<(ReadResult, Instant)>,
    /// The count of reads whose failure ended waits, and the last such failure, which applies to all waits at that
    /// time.
    pub(in crate::client) failures: u64,
    pub(super) failure: Option<Error>,
    /// An update to this lease was sent, and its reply was lost.
    pub(in crate::client) maybe_extended: Option<Lease>,
    /// The last published properties, and how often they have changed.
    pub(super) published: Option<SessionProperties>,
    pub(super) revision: u64,
    /// Since when it has been starting, if it is.
    pub(super) starting_since: Option<Instant>,
    /// The used part of the lease at an instant, by the most accurate report of the service.
    pub(super) used: Option<(Duration, Instant)>,
    /// The state of watching, if it is watched.
    pub(in crate::client) watching: Option<Watching>,
}

impl std::fmt::Debug for Knowledge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Knowledge").field("epoch", &self.epoch).field("reading", &self.reading).finish_non_exhaustive()
    }
}

/// The result of a read, which the next wait must not miss.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadResult {
    Properties,
    FinalFailure,
}

impl Knowledge {
    pub(super) fn new(context: Context, seen: SessionProperties, now: Instant) -> Knowledge {
        Knowledge {
            readiness: Readiness::new(context, seen, now),
            epoch: 0,
            reading: None,
            read_for_wait: false,
            unseen: None,
            failures: 0,
            failure: None,
            maybe_extended: None,
            published: None,
            revision: 0,
            starting_since: None,
            used: None,
            watching: None,
        }
    }

    /// Whether the session has not been read since this update count was recorded.
    pub(super) fn is_unread_since(&self, noted: impl FnOnce(&Watching) -> Option<u64>) -> bool {
        self.watching.as_ref().and_then(noted) == Some(self.readiness.updates())
    }

    /// Stores properties that were just read.
    pub(super) fn seen(&mut self, properties: SessionProperties, now: Instant) {
        self.read_worked();
        let starting_for = self.starting_since.map(|since| now.saturating_since(since));
        if properties.status == SessionStatus::Starting && starting_for >= Some(STARTING_LONG) {
            self.watching.iter_mut().for_each(Watching::starts_long);
        }
        self.readiness.seen(properties, now);
    }

    pub(super) fn read_worked(&mut self) {
        self.watching.iter_mut().for_each(Watching::read_worked);
    }

    /// Keeps the result of a read for the next wait, if a wait asked for it or has not seen the one before.
    pub(super) fn keep_for_waits(&mut self, result: ReadResult, now: Instant) {
        if std::mem::take(&mut self.read_for_wait) || self.unseen.is_some() {
            self.unseen = Some((result, now));
        }
    }

    /// Discards the reads in flight: they must not replace newer state with older.
    pub(super) fn outdate_reads(&mut self) {
        self.epoch += 1;
        self.reading = None;
    }

    /// Discards the reads in flight and the results that no wait has seen.
    pub(super) fn outdate_results(&mut self) {
        self.outdate_reads();
        (self.read_for_wait, self.unseen) = (false, None);
    }

    /// The cached state in numbers.
    pub(super) fn snapshot_data(&mut self, now: Instant) -> SnapshotData {
        let latest = self.readiness.reported();
        let updated_at = self.readiness.updated_at();
        if !self.published.as_ref().is_some_and(|published| published.is_same_apart_from_time(latest)) {
            let reply = ReplyText::default();
            self.published = Some(SessionProperties { elapsed: None, age: Duration::ZERO, reply, ..latest.clone() });
            self.revision += 1;
        }
        let runs = latest.status == SessionStatus::Ready;
        let (used, at) = match (self.used.filter(|_| runs), latest.elapsed) {
            (Some(earlier), Some(elapsed)) => best_of(earlier, (elapsed, updated_at)),
            // The service leaves it out.
            (Some(earlier), None) => earlier,
            (None, elapsed) => (elapsed.unwrap_or_default(), updated_at),
        };
        self.used = runs.then_some((used, at));
        let starts = latest.status == SessionStatus::Starting;
        self.starting_since = starts.then(|| self.starting_since.unwrap_or(now));
        SnapshotData {
            revision: self.revision,
            status: latest.status.code(),
            size: SessionSize::code(latest.size.as_ref()),
            arr_inspector_port: latest.arr_inspector_port.unwrap_or_default(),
            handshake_port: latest.handshake_port.unwrap_or_default(),
            max_lease_ms: latest.max_lease.map(milliseconds).unwrap_or_default(),
            used_ms: milliseconds(used + if runs { updated_at.saturating_since(at) } else { Duration::ZERO }),
            at: updated_at,
            runs,
            starting_since: self.starting_since,
        }
    }
}

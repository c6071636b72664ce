//! The part of a session's state that events and snapshots read, without waiting for anything.

use crate::clock::{Clock, Instant, lock, milliseconds};
use crate::error::ErrorKind;
use crate::events::{Event, EventKind, EventSource, Label};
use crate::model::{SessionId, SnapshotCell, SnapshotData};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The source of the session's events and snapshots.
#[derive(Debug)]
pub(in crate::client) struct Published {
    id: SessionId,
    pub(super) snapshot: SnapshotCell,
    pub(super) clock: Arc<dyn Clock>,
    label: Mutex<Label>,
    /// Why the latest extension failed.
    pub(super) extension_error: Mutex<Option<ErrorKind>>,
    /// Why the latest failed read failed.
    pub(super) read_error: Mutex<Option<ErrorKind>>,
    /// When the application last showed that it is alive, in milliseconds of the clock.
    touched: AtomicU64,
}

impl Published {
    pub(super) fn new(id: SessionId, numbers: &SnapshotData, clock: &Arc<dyn Clock>, now: Instant) -> Published {
        Published {
            id,
            snapshot: SnapshotCell::new(numbers),
            clock: Arc::clone(clock),
            label: Mutex::default(),
            extension_error: Mutex::default(),
            read_error: Mutex::default(),
            touched: AtomicU64::new(milliseconds(now.since_beginning())),
        }
    }

    pub(in crate::client) fn set_label(&self, label: Label) {
        *lock(&self.label) = label;
    }

    /// Notes that the application is alive.
    pub(in crate::client) fn touch(&self, now: Instant) {
        self.touched.fetch_max(milliseconds(now.since_beginning()), Ordering::AcqRel);
    }

    pub(in crate::client) fn touched_at(&self) -> Instant {
        Instant::from_elapsed(Duration::from_millis(self.touched.load(Ordering::Acquire)))
    }
}

impl EventSource for Published {
    fn fill(&self, event: &mut Event) {
        event.label = *lock(&self.label);
        event.session = Some(self.id.clone());
        event.snapshot = Some(self.snapshot.read().snapshot(self.clock.now()));
        event.error = match event.kind {
            EventKind::LeaseNotExtended => *lock(&self.extension_error),
            EventKind::ReadsFailing => *lock(&self.read_error),
            _ => None,
        };
    }
}

/// The more accurate of two reports of the used lease. The service truncates to whole seconds or minutes, so the higher
/// one is closer to the truth, as long as both can be about the same lease.
pub(super) fn best_of(earlier: (Duration, Instant), later: (Duration, Instant)) -> (Duration, Instant) {
    const CUT: Duration = Duration::from_secs(90);
    let expected = earlier.0.saturating_add(later.1.saturating_since(earlier.1));
    let same_lease = expected >= later.0 && expected - later.0 <= CUT;
    if same_lease { earlier } else { later }
}

//! Changes that are not stored yet, if sessions are kept in a state folder.
//!
//! A call changes a session in memory, adds the change to the open batch, and is answered when the batch is stored. A
//! call that finds a session with such a change waits for it too, so no reply shows what a crash could undo. While one
//! batch is written, the next one collects changes: many calls share one flush to the disk.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use tokio::sync::watch;

use super::lifecycle::Session;

/// The state folder could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the emulator could not write its state folder, so this has no effect; its log has the reason")]
pub(crate) struct NotStored;

/// One change of a session.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) number: u64,
    /// To undo the change; none if the session is new.
    pub(crate) before: Option<Session>,
    pub(crate) after: Session,
}

/// Changes that are stored together or not at all.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) changes: Vec<Change>,
    /// The numbers of the sessions to delete.
    pub(crate) forgotten: Vec<u64>,
    /// By how much to advance the clock.
    pub(crate) advance: Duration,
    pub(crate) commit: Commit,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.forgotten.is_empty() && self.advance.is_zero()
    }
}

/// Whether a batch is stored: none until that is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Commit(Arc<watch::Sender<Option<bool>>>);

impl Commit {
    /// Waits until the batch is stored, or not.
    pub(crate) async fn wait(&self) -> Result<(), NotStored> {
        let mut outcome = self.0.subscribe();
        let known = outcome.wait_for(Option::is_some).await;
        if known.is_ok_and(|stored| *stored == Some(true)) { Ok(()) } else { Err(NotStored) }
    }

    pub(super) fn resolve(&self, stored: bool) {
        self.0.send_replace(Some(stored));
    }

    fn is(&self, other: &Commit) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The batches of a store that is kept.
#[derive(Debug)]
pub(super) struct Pending {
    open: Batch,
    in_flight: Option<Commit>,
    /// The sessions with a change in one of these batches, by number, with the latest such batch.
    unstored: HashMap<u64, Commit>,
    /// What the current call has to wait for.
    awaited: Option<Commit>,
    /// Whether the last batch could be stored.
    writable: bool,
    /// Wakes the thread that writes; none once that is to end.
    wake: Option<SyncSender<()>>,
}

impl Pending {
    pub(super) fn new(wake: SyncSender<()>) -> Pending {
        Pending {
            open: Batch::default(),
            in_flight: None,
            unstored: HashMap::new(),
            awaited: None,
            writable: true,
            wake: Some(wake),
        }
    }

    /// The current call has changed a session, and waits until that is stored.
    pub(super) fn add(&mut self, number: u64, before: Option<Session>, after: Session) {
        self.open.changes.push(Change { number, before, after });
        self.unstored.insert(number, self.open.commit.clone());
        self.await_open();
    }

    /// The current call waits until the clock is stored as advanced.
    pub(super) fn advance_clock(&mut self, step: Duration) {
        self.open.advance = self.open.advance.saturating_add(step);
        self.await_open();
    }

    /// A session is to be deleted, together with the next change. No call waits for that: after a crash, it is forgotten
    /// again.
    pub(super) fn forget(&mut self, number: u64) {
        self.open.forgotten.push(number);
    }

    /// The current call has found this session.
    pub(super) fn found(&mut self, number: u64) {
        // The open batch is the later one, and fails if the one in flight does.
        if let Some(commit) = self.unstored.get(&number)
            && self.awaited.as_ref().is_none_or(|awaited| !awaited.is(&self.open.commit))
        {
            self.awaited = Some(commit.clone());
        }
    }

    /// The current call may have found any session.
    pub(super) fn found_all(&mut self) {
        if self.open.changes.is_empty() {
            self.awaited = self.in_flight.clone();
        } else {
            self.awaited = Some(self.open.commit.clone());
        }
    }

    /// Ends the current call. It may be answered when this is stored.
    pub(super) fn end_call(&mut self) -> Option<Commit> {
        self.awaited.take()
    }

    /// The open batch, to be written; `None` if it is empty.
    pub(super) fn take(&mut self) -> Option<Batch> {
        if self.open.is_empty() {
            return None;
        }
        let batch = std::mem::take(&mut self.open);
        self.in_flight = Some(batch.commit.clone());
        Some(batch)
    }

    /// The batch in flight is stored.
    pub(super) fn stored(&mut self, batch: &Batch) {
        self.in_flight = None;
        self.writable = true;
        for change in &batch.changes {
            if self.unstored.get(&change.number).is_some_and(|commit| commit.is(&batch.commit)) {
                self.unstored.remove(&change.number);
            }
        }
        batch.commit.resolve(true);
    }

    /// The batch in flight could not be stored, so the open one, which builds on it, is not stored either. Returns the
    /// changes of both, from the last to the first. The sessions to delete stay in the new open batch.
    pub(super) fn not_stored(&mut self, failed: Batch) -> (Vec<Change>, [Commit; 2]) {
        let open = std::mem::take(&mut self.open);
        self.in_flight = None;
        self.writable = false;
        self.unstored.clear();
        self.open.forgotten = [failed.forgotten, open.forgotten].concat();
        let mut changes = [failed.changes, open.changes].concat();
        changes.reverse();
        (changes, [failed.commit, open.commit])
    }

    pub(super) fn is_writable(&self) -> bool {
        self.writable
    }

    /// Lets the thread end that writes, once it has written everything.
    pub(super) fn end(&mut self) {
        self.wake = None;
    }

    fn await_open(&mut self) {
        self.awaited = Some(self.open.commit.clone());
        self.wake();
    }

    fn wake(&self) {
        // A full channel means that the thread will look anyway.
        let _ = self.wake.as_ref().map(|wake| wake.try_send(()));
    }
}

#[cfg(test)]
mod tests;

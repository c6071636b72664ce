//! The state that all handles of one session share: cached properties, and when to read them again.

use super::super::mailbox::{Mailbox, Message};
use super::super::wake::Wake;
use super::keep_alive::{ExtensionEnd, Watching};
use super::poll::{Poll, Poller};
use crate::clock::{Clock, Instant, lock, milliseconds};
use crate::error::{Error, ErrorKind, Result};
use crate::events::{Event, EventKind, EventSource, Label};
use crate::model::{
    Lease, SessionId, SessionProperties, SessionSize, SessionStatus, Snapshot, SnapshotCell, SnapshotData,
};
use crate::protocol::{ChangeMark, Chore, ChoreId, Context, Readiness};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long the result of a read is kept for the next slice of a wait. After that the session is read again.
const UNSEEN_FOR: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(in crate::client) struct SessionState {
    id: SessionId,
    knowledge: Mutex<Knowledge>,
    /// Counts changes, so that waits can check whether there was one.
    changes: Arc<AtomicU64>,
    published: Arc<Published>,
    wake: Arc<Wake>,
    mailbox: Arc<Mailbox>,
}

/// The source of the session's events and snapshots.
#[derive(Debug)]
pub(in crate::client) struct Published {
    id: SessionId,
    snapshot: SnapshotCell,
    clock: Arc<dyn Clock>,
    label: Mutex<Label>,
    /// Why the latest extension failed.
    error: Mutex<Option<ErrorKind>>,
    /// When the application last showed that it is alive, in milliseconds of the clock.
    touched: AtomicU64,
}

/// The cached state of a session.
pub(in crate::client) struct Knowledge {
    pub(in crate::client) readiness: Readiness,
    /// Incremented whenever the session is extended, stopped or read: a read that began earlier is outdated.
    epoch: u64,
    /// The read in flight that all waits share. It outlives the wait that started it.
    reading: Option<ChoreId>,
    /// A wait has asked for that read, or for the one that follows if it fails.
    read_for_wait: bool,
    /// The result of the last read that a wait asked for, and when it came, until a wait has seen it: it may come
    /// between two slices.
    unseen: Option<(ReadResult, Instant)>,
    /// The count of reads whose failure ended waits, and the last such failure, which applies to all waits at that
    /// time.
    pub(in crate::client) failures: u64,
    failure: Option<Error>,
    /// An update to this lease was sent, and its reply was lost.
    pub(in crate::client) maybe_extended: Option<Lease>,
    /// The last published properties, and how often they have changed.
    published: Option<SessionProperties>,
    revision: u64,
    /// The used part of the lease at an instant, by the most accurate report of the service.
    used: Option<(Duration, Instant)>,
    /// The state of watching, if it is watched.
    pub(in crate::client) watching: Option<Watching>,
}

impl std::fmt::Debug for Knowledge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Knowledge").field("epoch", &self.epoch).field("reading", &self.reading).finish_non_exhaustive()
    }
}

/// What a read has brought: a later wait must not miss it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ReadResult {
    Properties,
    FinalFailure,
}

impl SessionState {
    pub(in crate::client) fn new(
        context: Context,
        seen: SessionProperties,
        clock: &Arc<dyn Clock>,
        wake: &Arc<Wake>,
        mailbox: &Arc<Mailbox>,
    ) -> SessionState {
        let (id, now) = (seen.id.clone(), clock.now());
        let mut knowledge = Knowledge {
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
            used: None,
            watching: None,
        };
        let published = Published {
            id: id.clone(),
            snapshot: SnapshotCell::new(&knowledge.snapshot_data(now)),
            clock: Arc::clone(clock),
            label: Mutex::default(),
            error: Mutex::default(),
            touched: AtomicU64::new(milliseconds(now.since_beginning())),
        };
        SessionState {
            id,
            knowledge: Mutex::new(knowledge),
            changes: Arc::default(),
            published: Arc::new(published),
            wake: Arc::clone(wake),
            mailbox: Arc::clone(mailbox),
        }
    }

    pub(in crate::client) fn id(&self) -> &SessionId {
        &self.id
    }

    pub(in crate::client) fn epoch(&self) -> u64 {
        lock(&self.knowledge).epoch
    }

    pub(in crate::client) fn published(&self) -> &Arc<Published> {
        &self.published
    }

    pub(in crate::client) fn snapshot(&self, now: Instant) -> Snapshot {
        self.published.snapshot.read().snapshot(now)
    }

    pub(in crate::client) fn numbers(&self) -> SnapshotData {
        self.published.snapshot.read()
    }

    pub(in crate::client) fn status(&self) -> SessionStatus {
        SessionStatus::of_code(self.numbers().status)
    }

    /// Whether its status is final, so that it needs no more watching.
    pub(in crate::client) fn is_over(&self) -> bool {
        self.status().is_final()
    }

    pub(in crate::client) fn known(&self, now: Instant) -> SessionProperties {
        lock(&self.knowledge).readiness.latest(now)
    }

    /// The current change count.
    pub(in crate::client) fn mark(&self) -> ChangeMark {
        ChangeMark::of(&self.changes)
    }

    /// Accesses the state without publishing a change.
    pub(in crate::client) fn look<T>(&self, look: impl FnOnce(&mut Knowledge) -> T) -> T {
        look(&mut lock(&self.knowledge))
    }

    /// Changes the state, publishes it, and wakes the waits.
    fn change<T>(&self, change: impl FnOnce(&mut Knowledge, Instant) -> T) -> T {
        let now = self.published.clock.now();
        let mut knowledge = lock(&self.knowledge);
        let before = knowledge.reading;
        let result = change(&mut knowledge, now);
        let outdated = before.filter(|_| knowledge.reading.is_none());
        self.publish(&mut knowledge, now);
        drop(knowledge);
        if let Some(chore) = outdated {
            drop(self.mailbox.post(Message::CancelChore(chore)));
        }
        self.changed();
        result
    }

    fn changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.wake.sessions_changed();
    }

    /// Updates the snapshot, and posts an event if the session is watched and its status has changed.
    fn publish(&self, knowledge: &mut Knowledge, now: Instant) {
        let data = knowledge.snapshot_data(now);
        self.published.snapshot.write(&data);
        if let Some(watching) = &mut knowledge.watching {
            watching.status_is(data.status);
        }
    }
}

/// Reports of the service.
impl SessionState {
    /// Stores properties whose read began in this epoch, unless they are outdated by now. Returns them with members
    /// that the service left out filled in.
    pub(in crate::client) fn was_read(&self, epoch: u64, read: SessionProperties) -> SessionProperties {
        if self.epoch() != epoch {
            return read;
        }
        self.change(|knowledge, now| {
            if knowledge.epoch != epoch {
                return read;
            }
            knowledge.outdate_reads();
            knowledge.keep_for_waits(ReadResult::Properties, now);
            knowledge.readiness.seen(read, now)
        })
    }

    /// Invalidates the cached properties and the reads in flight.
    pub(in crate::client) fn forget_reads(&self) {
        self.outdate(Readiness::invalidate);
    }

    /// The service accepted a stop.
    pub(in crate::client) fn was_stopped(&self) {
        self.outdate(Readiness::stopped);
    }

    /// The service accepted this as the whole lease.
    pub(in crate::client) fn was_extended(&self, lease: Duration) {
        self.outdate(|readiness, now| readiness.extended(lease, now));
    }

    /// The service no longer knows the session: it has ended.
    pub(in crate::client) fn was_forgotten(&self) {
        self.outdate(Readiness::forgotten);
    }

    /// The service replied with these properties to an update to this lease, which was sent in this epoch.
    pub(in crate::client) fn was_updated(&self, epoch: u64, properties: SessionProperties, lease: Duration) {
        // They predate any change made meanwhile.
        self.change(|knowledge, now| {
            let holds = knowledge.epoch == epoch;
            knowledge.outdate_results();
            if holds {
                drop(knowledge.readiness.seen(properties, now));
            } else {
                knowledge.readiness.extended(lease, now);
            }
        });
    }

    fn outdate(&self, change: impl FnOnce(&mut Readiness, Instant)) {
        self.change(|knowledge, now| {
            knowledge.outdate_results();
            change(&mut knowledge.readiness, now);
        });
    }

    /// Requests that the session be read soon and individually; a list is not enough.
    pub(in crate::client) fn read_soon(&self) {
        self.forget_reads();
        self.look(|knowledge| {
            let reads = knowledge.readiness.updates();
            knowledge.watching.iter_mut().for_each(|watching| watching.wanted_at = Some(reads));
        });
    }

    /// Whether it must be read individually.
    pub(in crate::client) fn is_to_be_read_soon(&self) -> bool {
        self.look(|knowledge| knowledge.is_unread_since(|watching| watching.wanted_at))
    }

    /// Invalidates all cached state until the session is reread, because the clock has jumped.
    pub(in crate::client) fn mark_stale(&self) {
        self.forget_reads();
        self.look(|knowledge| {
            let reads = knowledge.readiness.updates();
            knowledge.watching.iter_mut().for_each(|watching| watching.stale_at = Some(reads));
        });
    }

    /// Whether it has not been read since the clock jumped.
    pub(in crate::client) fn is_stale(&self) -> bool {
        self.look(|knowledge| knowledge.is_unread_since(|watching| watching.stale_at))
    }

    /// An extension has ended. `failure` is the reason if it failed.
    pub(in crate::client) fn extension_ended(&self, how: ExtensionEnd, failure: Option<ErrorKind>) {
        *lock(&self.published.error) = failure;
        if failure.is_some() {
            // The actual lease may differ from the cached one.
            self.read_soon();
        }
        let stale = self.is_stale();
        self.look(|knowledge| knowledge.watching.iter_mut().for_each(|watching| watching.extended(how, stale)));
        self.wake.sessions_changed();
    }
}

/// Waiting until it is ready.
impl SessionState {
    /// The next step of a wait, or of the monitor. `read` creates the read that all waits share.
    pub(in crate::client) fn poll(&self, now: Instant, by: Poller, read: impl FnOnce() -> Chore) -> Poll {
        let mark = self.mark();
        let mut knowledge = lock(&self.knowledge);
        let unseen = knowledge.unseen.filter(|(_, at)| by.is_wait && now < *at + UNSEEN_FOR).map(|(result, _)| result);
        let failed = knowledge.failures != by.failures || unseen == Some(ReadResult::FinalFailure);
        if !failed && knowledge.reading.is_some() {
            knowledge.read_for_wait |= by.is_wait;
            return Poll::Reading(mark);
        }
        if by.is_wait {
            knowledge.unseen = None;
        }
        if let Some(failure) = knowledge.failure.as_ref().filter(|_| failed) {
            return Poll::Over(Box::new(Err(failure.clone())));
        }
        let verdict = match unseen {
            Some(_) => knowledge.readiness.verdict_of_latest(now),
            None => knowledge.readiness.verdict(now),
        };
        if let Some(verdict) = verdict {
            return Poll::Over(Box::new(verdict));
        }
        let next_read = knowledge.readiness.next_read();
        if now < next_read {
            return Poll::At(next_read);
        }
        let chore = read();
        knowledge.reading = Some(chore.id);
        knowledge.read_for_wait |= by.is_wait;
        Poll::Read(chore)
    }

    /// The shared read has ended. Returns whether its result counts.
    pub(in crate::client) fn read_ended(&self, chore: ChoreId, outcome: Result<SessionProperties>) -> bool {
        let now = self.published.clock.now();
        let mut knowledge = lock(&self.knowledge);
        if knowledge.reading != Some(chore) {
            return false;
        }
        knowledge.reading = None;
        let result = match outcome {
            Ok(properties) => {
                drop(knowledge.readiness.seen(properties, now));
                Some(ReadResult::Properties)
            }
            Err(error) => knowledge.readiness.read_failed(now, error).map(|failure| {
                knowledge.failures += 1;
                knowledge.failure = Some(failure);
                ReadResult::FinalFailure
            }),
        };
        if let Some(result) = result {
            knowledge.keep_for_waits(result, now);
        }
        self.publish(&mut knowledge, now);
        drop(knowledge);
        self.changed();
        true
    }

    /// The count of failures before a wait that begins now.
    pub(in crate::client) fn failures(&self) -> u64 {
        lock(&self.knowledge).failures
    }

    /// A wait was given up. The read continues, because the next wait can use it, but it must not delay other requests.
    pub(in crate::client) fn wait_ended(&self) {
        if let Some(chore) = self.look(|knowledge| knowledge.reading) {
            drop(self.mailbox.post(Message::Yield(chore)));
        }
    }

    /// The error of a wait that timed out.
    pub(in crate::client) fn not_ready_yet(&self, timeout: Duration) -> Error {
        let message = format!(
            "session {} was not ready within {} ms; it may become so, wait again",
            self.id,
            timeout.as_millis()
        );
        match self.look(|knowledge| knowledge.readiness.trouble().cloned()) {
            Some(trouble) => {
                let message = format!("{message} (the latest look at it failed: {trouble})");
                trouble.recast(ErrorKind::Timeout, message)
            }
            None => Error::new(ErrorKind::Timeout, message),
        }
    }
}

impl Drop for SessionState {
    /// The session's last handle has gone: a read that is still in flight is not needed.
    fn drop(&mut self) {
        if let Some(chore) = self.look(|knowledge| knowledge.reading.take()) {
            drop(self.mailbox.post(Message::CancelChore(chore)));
        }
    }
}

impl Published {
    pub(in crate::client) fn set_label(&self, label: Label) {
        *lock(&self.label) = label;
    }

    /// The application is alive.
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
        if event.kind == EventKind::LeaseNotExtended {
            event.error = *lock(&self.error);
        }
    }
}

impl Knowledge {
    /// Whether the session has not been read since this update count was recorded.
    fn is_unread_since(&self, noted: impl FnOnce(&Watching) -> Option<u64>) -> bool {
        self.watching.as_ref().and_then(noted) == Some(self.readiness.updates())
    }

    /// The result of a read. If a wait asked for it, or has not seen the one before, it is kept for the next wait.
    fn keep_for_waits(&mut self, result: ReadResult, now: Instant) {
        if std::mem::take(&mut self.read_for_wait) || self.unseen.is_some() {
            self.unseen = Some((result, now));
        }
    }

    /// Reads that began earlier must not replace a newer state with an older one.
    fn outdate_reads(&mut self) {
        self.epoch += 1;
        self.reading = None;
    }

    /// The same, and what they have brought does not count any more.
    fn outdate_results(&mut self) {
        self.outdate_reads();
        (self.read_for_wait, self.unseen) = (false, None);
    }

    /// The cached state in numbers.
    fn snapshot_data(&mut self, now: Instant) -> SnapshotData {
        let latest = self.readiness.latest(now);
        let updated_at = self.readiness.updated_at();
        let timeless = SessionProperties { elapsed: None, age: Duration::ZERO, ..latest.clone() };
        if self.published.as_ref() != Some(&timeless) {
            self.published = Some(timeless);
            self.revision += 1;
        }
        let runs = latest.status == SessionStatus::Ready;
        let elapsed = latest.elapsed.unwrap_or_default();
        let (used, at) = match self.used.filter(|_| runs) {
            Some((used, at)) => best_of((used, at), (elapsed, updated_at)),
            None => (elapsed, updated_at),
        };
        self.used = runs.then_some((used, at));
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
        }
    }
}

/// The more accurate of two reports of the used lease. The service counts in whole seconds or minutes and truncates, so
/// the higher count is closer to the truth, as long as both can be about the same lease.
fn best_of(earlier: (Duration, Instant), later: (Duration, Instant)) -> (Duration, Instant) {
    const CUT: Duration = Duration::from_secs(90);
    let expected = earlier.0.saturating_add(later.1.saturating_since(earlier.1));
    let same_lease = expected >= later.0 && expected - later.0 <= CUT;
    if same_lease { earlier } else { later }
}

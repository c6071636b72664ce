//! The state that all handles of one session share: cached properties, and when to read them again.

use super::super::mailbox::{Mailbox, Message};
use super::super::wake::Wake;
use super::keep_alive::{ExtensionEnd, Watching};
use super::knowledge::{Knowledge, ReadResult};
use super::poll::{Poll, Poller};
use super::published::Published;
use crate::clock::{Clock, Instant, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{SessionId, SessionProperties, SessionStatus, Snapshot, SnapshotData};
use crate::protocol::{ChangeMark, Chore, ChoreId, Context, Readiness};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long the result of a read is kept for the next slice of a wait. After that the session is read again.
const UNSEEN_FOR: Duration = Duration::from_secs(60);

/// What the monitor knows of a session's changes.
mod attention {
    /// It does not watch the session.
    pub(super) const NONE: u8 = 0;
    /// It has seen all changes.
    pub(super) const SEEN: u8 = 1;
    /// It will check the session in the driver's next turn.
    pub(super) const WANTED: u8 = 2;
}

#[derive(Debug)]
pub(in crate::client) struct SessionState {
    /// Unique within the process.
    number: u64,
    id: SessionId,
    knowledge: Mutex<Knowledge>,
    /// Counts changes, so that waits can check whether there was one.
    changes: Arc<AtomicU64>,
    attention: AtomicU8,
    published: Arc<Published>,
    wake: Arc<Wake>,
    mailbox: Arc<Mailbox>,
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
        let mut knowledge = Knowledge::new(context, seen, now);
        let published = Published::new(id.clone(), &knowledge.snapshot_data(now), clock, now);
        static LATEST: AtomicU64 = AtomicU64::new(0);
        SessionState {
            number: LATEST.fetch_add(1, Ordering::Relaxed) + 1,
            id,
            knowledge: Mutex::new(knowledge),
            changes: Arc::default(),
            attention: AtomicU8::new(attention::NONE),
            published: Arc::new(published),
            wake: Arc::clone(wake),
            mailbox: Arc::clone(mailbox),
        }
    }

    pub(in crate::client) fn number(&self) -> u64 {
        self.number
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

    /// The cached properties, as they are now.
    pub(in crate::client) fn known(&self, now: Instant) -> SessionProperties {
        self.properties(&lock(&self.knowledge), now)
    }

    /// The cached properties, if they count as current.
    pub(in crate::client) fn current(&self, now: Instant) -> Option<SessionProperties> {
        let knowledge = lock(&self.knowledge);
        knowledge.readiness.is_current(now).then(|| self.properties(&knowledge, now))
    }

    /// The cached properties with the used part of the lease as the snapshot has it.
    fn properties(&self, knowledge: &Knowledge, now: Instant) -> SessionProperties {
        let (latest, numbers) = (knowledge.readiness.latest(now), self.numbers());
        let is_known = numbers.runs || latest.elapsed.is_some();
        SessionProperties { elapsed: is_known.then(|| numbers.used(now)), ..latest }
    }

    /// Reads the cached properties in place, beside the numbers as of now.
    pub(in crate::client) fn read_known<T>(
        &self,
        now: Instant,
        read: impl FnOnce(&SessionProperties, &Snapshot) -> T,
    ) -> T {
        let knowledge = lock(&self.knowledge);
        read(knowledge.readiness.reported(), &self.snapshot(now))
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
        self.look_again();
        self.wake.notify();
    }

    /// Makes the monitor check it again in this turn of the driver, without waking it.
    pub(in crate::client) fn look_again(&self) {
        if self.move_attention(attention::SEEN, attention::WANTED) {
            self.wake.look_again_at(self.number);
        }
    }

    /// The monitor watches it from now on.
    pub(in crate::client) fn is_watched(&self) {
        self.attention.store(attention::WANTED, Ordering::Release);
        self.wake.look_again_at(self.number);
    }

    /// The monitor checks it now: later changes count again.
    pub(in crate::client) fn is_looked_at(&self) {
        self.attention.store(attention::SEEN, Ordering::Release);
    }

    /// The monitor no longer watches it, unless it has been watched again since.
    pub(in crate::client) fn is_unwatched(&self) {
        self.move_attention(attention::SEEN, attention::NONE);
    }

    fn move_attention(&self, from: u8, to: u8) -> bool {
        self.attention.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
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
    /// Stores properties whose read began in this epoch, unless they are outdated by now. Returns the cached properties
    /// afterwards.
    pub(in crate::client) fn was_read(&self, epoch: u64, read: SessionProperties) -> SessionProperties {
        let mut now = self.published.clock.now();
        if self.epoch() == epoch {
            self.change(|knowledge, changed_at| {
                now = changed_at;
                if knowledge.epoch == epoch {
                    knowledge.outdate_reads();
                    knowledge.keep_for_waits(ReadResult::Properties, now);
                    knowledge.seen(read, now);
                }
            });
        }
        self.look(Knowledge::read_worked);
        self.known(now)
    }

    /// Invalidates the cached properties and the reads in flight.
    pub(in crate::client) fn forget_reads(&self) {
        self.outdate(Readiness::invalidate);
    }

    /// The service accepted a stop.
    pub(in crate::client) fn was_stopped(&self) {
        self.outdate(Readiness::stopped);
    }

    /// The service accepted this as the total lease.
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
                knowledge.seen(properties, now);
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
            knowledge.watching.iter_mut().for_each(|watching| watching.is_stale(reads));
        });
    }

    /// Whether it has not been read since the clock jumped.
    pub(in crate::client) fn is_stale(&self) -> bool {
        self.look(|knowledge| knowledge.is_unread_since(|watching| watching.stale_at))
    }

    /// The service has never reported the lease of this watched session. Returns whether that is new.
    pub(in crate::client) fn lease_is_unknown(&self) -> bool {
        *lock(&self.published.extension_error) = Some(ErrorKind::UnexpectedReply);
        self.look(|knowledge| knowledge.watching.as_mut().is_some_and(Watching::lease_is_unknown))
    }

    /// An extension has ended. `failure` is the reason if it failed.
    pub(in crate::client) fn extension_ended(&self, how: ExtensionEnd, failure: Option<ErrorKind>) {
        // The reason to report for an accepted extension, should a read show that the lease has not grown.
        *lock(&self.published.extension_error) = Some(failure.unwrap_or(ErrorKind::UnexpectedReply));
        // The actual lease may differ from the cached and from the requested one.
        self.read_soon();
        let stale = self.is_stale();
        self.look(|knowledge| knowledge.watching.iter_mut().for_each(|watching| watching.extended(how, stale)));
        self.look_again();
        self.wake.notify();
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
            Some(_) => knowledge.readiness.verdict_of_latest(),
            None => knowledge.readiness.verdict(now),
        };
        if let Some(verdict) = verdict {
            return Poll::Over(Box::new(verdict.map(|()| self.properties(&knowledge, now))));
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
                knowledge.seen(properties, now);
                Some(ReadResult::Properties)
            }
            Err(error) => {
                self.note_failed_read(&mut knowledge, error.kind(), now);
                knowledge.readiness.read_failed(now, error).map(|failure| {
                    knowledge.failures += 1;
                    knowledge.failure = Some(failure);
                    ReadResult::FinalFailure
                })
            }
        };
        if let Some(result) = result {
            knowledge.keep_for_waits(result, now);
        }
        self.publish(&mut knowledge, now);
        drop(knowledge);
        self.changed();
        true
    }

    /// A list that was to update the session has failed.
    pub(in crate::client) fn list_failed(&self, why: ErrorKind, now: Instant) {
        self.look(|knowledge| self.note_failed_read(knowledge, why, now));
    }

    fn note_failed_read(&self, knowledge: &mut Knowledge, why: ErrorKind, now: Instant) {
        *lock(&self.published.read_error) = Some(why);
        knowledge.watching.iter_mut().for_each(|watching| watching.read_failed(now));
    }

    /// Posts an event if reads have failed for long enough and none is in flight. Returns when to check again.
    pub(in crate::client) fn report_failing_reads(&self, now: Instant) -> Instant {
        self.look(|knowledge| {
            let interval = knowledge.readiness.interval();
            let watching = knowledge.watching.as_mut().filter(|_| knowledge.reading.is_none());
            watching.map_or(Instant::NEVER, |watching| watching.report_failing_reads(now, interval))
        })
    }

    /// The count of failures before a wait that begins now.
    pub(in crate::client) fn failures(&self) -> u64 {
        lock(&self.knowledge).failures
    }

    /// A wait has ended early. The read continues, because the next wait can use it, but must not delay other requests.
    pub(in crate::client) fn wait_ended(&self) {
        if let Some(chore) = self.look(|knowledge| knowledge.reading) {
            drop(self.mailbox.post(Message::Yield(chore)));
        }
    }

    /// The error of a wait that timed out.
    pub(in crate::client) fn not_ready_yet(&self, timeout: Duration) -> Error {
        let message = format!(
            "session {} was not ready within {} ms; it may still become ready, so wait again",
            self.id,
            timeout.as_millis()
        );
        match self.look(|knowledge| knowledge.readiness.trouble().cloned()) {
            Some(trouble) => {
                let message = format!("{message} (the latest read failed: {trouble})");
                trouble.recast(ErrorKind::Timeout, message)
            }
            None => Error::new(ErrorKind::Timeout, message),
        }
    }
}

impl Drop for SessionState {
    /// The session's last handle has gone, so a read in flight is not needed.
    fn drop(&mut self) {
        if let Some(chore) = self.look(|knowledge| knowledge.reading.take()) {
            drop(self.mailbox.post(Message::CancelChore(chore)));
        }
        self.look_again();
    }
}

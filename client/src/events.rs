//! The events that an application polls on its own thread. There are no callbacks.
//!
//! The queue stores no payload. Each event source (an operation or a watched session) owns one slot, which is either
//! queued or not. Further events of the source merge into its slot; the details are read from its [`EventSource`] when
//! the event is pulled. So the queue is never longer than the number of live handles, posting does not allocate, and no
//! event is lost. Facts without a live handle go to a ring of fixed length.

use crate::clock::{Clock, Instant, Signal, lock, milliseconds};
use crate::error::ErrorKind;
use crate::model::{OperationKind, SessionId, Snapshot};
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// An event, returned by [`Client::next_event`](crate::Client::next_event).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The label that the application gave when it started the operation or watched the session.
    pub label: Label,
    /// The call that started the operation, if one has completed.
    pub operation: Option<OperationKind>,
    /// The session concerned, if it is known.
    pub session: Option<SessionId>,
    /// The session's current numbers.
    pub snapshot: Option<Snapshot>,
    /// The reason for a failure. The log and the operation's outcome have the message.
    pub error: Option<ErrorKind>,
    /// The index of this event in a group of related ones, from 0.
    pub index: u32,
    /// The size of that group; 0 if there are no related events.
    pub count: u32,
    /// The number of events dropped before this one because they were not pulled in time.
    pub lost: u64,
}

/// A number by which an application recognises its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// Any value of the application's choice.
    pub user_data: u64,
    /// The C ABI's handle of the operation or session. Not for other use.
    pub(crate) handle: u64,
}

impl From<u64> for Label {
    fn from(user_data: u64) -> Label {
        Label { user_data, handle: 0 }
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A started operation has completed.
    OperationEnded,
    /// The status of a watched session has changed.
    StatusChanged,
    /// Keep-alive has extended the lease, and a read has confirmed it.
    LeaseExtended,
    /// The lease of a watched session expires soon.
    LeaseExpiring,
    /// Keep-alive could not extend the lease and will retry. [`ErrorKind::UnexpectedReply`] has two meanings. If the
    /// snapshot has a `max_lease`: the service accepted the longer lease, but a read shows that the lease has not grown.
    /// If it has none: the service has never reported the lease, so keep-alive cannot extend it until
    /// [`Session::update_lease`](crate::Session::update_lease) has set it.
    LeaseNotExtended,
    /// The lease has reached its cap and will not be extended further.
    LeaseCapReached,
    /// The application has neither pulled events nor called [`Session::touch`](crate::Session::touch) for too long. The
    /// lease is not extended until it does.
    KeepAlivePaused,
    /// The application's token expires soon or was refused. The application must supply a new one.
    TokenNeeded,
    /// Time jumped: the machine slept, or the client was resumed. All sessions were reread before this event.
    Resumed,
    /// Reads of a watched session have failed for two of its poll intervals, and at least a minute. Its status and
    /// numbers are those of the last successful read. The client keeps reading.
    ReadsFailing,
    /// A read has succeeded after [`EventKind::ReadsFailing`].
    ReadsRecovered,
    /// A read found a watched session still starting, 15 minutes or more after this client first saw it. Sessions
    /// usually take less than 3 minutes. [`Snapshot::starting_for`] has the time.
    StartingLong,
    /// The reply to a started create was lost, and this session may be the one it created. With a count of 1 it is the
    /// only candidate. If another lost create may have made that one, two events come, each with a count of 2: the
    /// second has no session and stands for the possibility that this create made none. The library stops none of the
    /// sessions named; that decision is the application's. A blocking create posts no event; it returns
    /// [`ErrorKind::OutcomeUnknown`].
    CreateLost,
    /// A create was cancelled after it had created a session. Stopping that session failed, so it may be running. Stays
    /// last.
    LeftRunning,
}

impl EventKind {
    /// All kinds, in order.
    pub(crate) const ALL: [EventKind; 14] = [
        EventKind::OperationEnded,
        EventKind::StatusChanged,
        EventKind::LeaseExtended,
        EventKind::LeaseExpiring,
        EventKind::LeaseNotExtended,
        EventKind::LeaseCapReached,
        EventKind::KeepAlivePaused,
        EventKind::TokenNeeded,
        EventKind::Resumed,
        EventKind::ReadsFailing,
        EventKind::ReadsRecovered,
        EventKind::StartingLong,
        EventKind::CreateLost,
        EventKind::LeftRunning,
    ];

    /// The kinds that a slot can report, in order of delivery.
    const OF_SLOTS: [EventKind; 12] = [
        EventKind::Resumed,
        EventKind::OperationEnded,
        EventKind::StatusChanged,
        EventKind::LeaseExtended,
        EventKind::LeaseNotExtended,
        EventKind::LeaseCapReached,
        EventKind::KeepAlivePaused,
        EventKind::LeaseExpiring,
        EventKind::TokenNeeded,
        EventKind::ReadsFailing,
        EventKind::ReadsRecovered,
        EventKind::StartingLong,
    ];

    fn bit(self) -> u16 {
        let place = EventKind::OF_SLOTS.iter().position(|kind| *kind == self);
        place.map_or(0, |place| 1 << place)
    }
}

/// A source of events. The queue reads it when an event is pulled.
pub(crate) trait EventSource: Send + Sync {
    /// Fills in the event. Must not block or allocate.
    fn fill(&self, event: &mut Event);
}

/// A fact without a live handle.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) kind: EventKind,
    pub(crate) label: Label,
    pub(crate) session: Option<SessionId>,
    pub(crate) error: Option<ErrorKind>,
    // Short, because every client has room for 256 facts.
    pub(crate) index: u16,
    pub(crate) count: u16,
}

#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<QueueState>,
    clock: Arc<dyn Clock>,
    /// Changes with every event.
    pub(crate) posted: Signal,
    /// The version of `posted` at which there was no event.
    empty_at: AtomicU64,
    /// When events were last pulled, in milliseconds of the clock. Only if that matters.
    pulled: AtomicU64,
    pulls_matter: AtomicBool,
    /// Another thread waits for the next pull.
    awaited: AtomicBool,
}

#[derive(Default)]
struct QueueState {
    slots: Vec<Slot>,
    free: Vec<usize>,
    /// The first and last queued slot.
    head: Option<usize>,
    tail: Option<usize>,
    /// The client's own pending kinds, which have no handle.
    of_client: u16,
    facts: VecDeque<Fact>,
    facts_lost: u64,
}

impl fmt::Debug for QueueState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueState").field("slots", &self.slots.len()).finish_non_exhaustive()
    }
}

struct Slot {
    source: Option<Weak<dyn EventSource>>,
    pending: u16,
    queued: bool,
    before: Option<usize>,
    after: Option<usize>,
}

/// The limit on facts that have not been pulled.
const MOST_FACTS: usize = 256;

impl Queue {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Queue> {
        let facts = VecDeque::with_capacity(MOST_FACTS);
        Arc::new(Queue {
            state: Mutex::new(QueueState { facts, ..QueueState::default() }),
            clock,
            posted: Signal::default(),
            empty_at: AtomicU64::new(u64::MAX),
            pulled: AtomicU64::new(0),
            pulls_matter: AtomicBool::new(false),
            awaited: AtomicBool::new(false),
        })
    }

    /// Allocates a slot for a source. Dropping the [`EventSlot`] frees it.
    pub(crate) fn register(self: &Arc<Self>, source: Weak<dyn EventSource>) -> EventSlot {
        let mut state = lock(&self.state);
        let slot = Slot { source: Some(source), pending: 0, queued: false, before: None, after: None };
        let index = match state.free.pop() {
            Some(index) => {
                state.slots[index] = slot;
                index
            }
            None => {
                state.slots.push(slot);
                state.slots.len() - 1
            }
        };
        EventSlot { queue: Arc::clone(self), index }
    }

    /// Posts an event of the client as a whole.
    pub(crate) fn post_of_client(&self, kind: EventKind) {
        lock(&self.state).of_client |= kind.bit();
        self.posted.notify();
    }

    /// Posts a fact without a live handle. A full ring drops the oldest fact and counts it.
    pub(crate) fn post_fact(&self, fact: Fact) {
        let mut state = lock(&self.state);
        if state.facts.len() == MOST_FACTS {
            state.facts.pop_front();
            state.facts_lost += 1;
        }
        state.facts.push_back(fact);
        drop(state);
        self.posted.notify();
    }

    /// The next event, if any. Does not block or allocate.
    pub(crate) fn pull(&self) -> Option<Event> {
        if self.pulls_matter.load(Ordering::Acquire) {
            self.mark_pulled(self.clock.now());
        }
        let version = self.posted.version();
        if self.empty_at.load(Ordering::Acquire) == version {
            return None;
        }
        let mut state = lock(&self.state);
        if let Some(event) = state.pull_of_client() {
            return Some(event);
        }
        loop {
            let Some((mut event, source)) = state.pull_slot() else {
                // What is posted from now on changes the version.
                self.empty_at.store(version, Ordering::Release);
                return None;
            };
            // `None` if the source is just being dropped.
            if let Some(source) = source.upgrade() {
                drop(state);
                source.fill(&mut event);
                return Some(event);
            }
        }
    }

    /// From now on it matters when events are pulled.
    pub(crate) fn watch_pulls(&self) {
        self.pulls_matter.store(true, Ordering::Release);
    }

    /// When events were last pulled, since that matters.
    pub(crate) fn pulled_at(&self) -> Instant {
        Instant::from_elapsed(Duration::from_millis(self.pulled.load(Ordering::Acquire)))
    }

    /// Whether [`Queue::await_pull`] was called since the last check. Resets it.
    pub(crate) fn was_awaited(&self) -> bool {
        self.awaited.load(Ordering::Relaxed) && self.awaited.swap(false, Ordering::AcqRel)
    }

    /// Requests a notification at the next pull.
    pub(crate) fn await_pull(&self) {
        self.awaited.store(true, Ordering::Release);
    }

    fn mark_pulled(&self, now: Instant) {
        self.pulled.store(milliseconds(now.since_beginning()), Ordering::Release);
    }
}

impl QueueState {
    fn pull_of_client(&mut self) -> Option<Event> {
        if let Some(kind) = take_first(&mut self.of_client) {
            return Some(Event::new(kind));
        }
        let fact = self.facts.pop_front()?;
        Some(Event {
            label: fact.label,
            session: fact.session,
            error: fact.error,
            index: fact.index.into(),
            count: fact.count.into(),
            lost: std::mem::take(&mut self.facts_lost),
            ..Event::new(fact.kind)
        })
    }

    /// Takes the first kind from the first slot. A slot with more kinds moves to the back of the queue.
    fn pull_slot(&mut self) -> Option<(Event, Weak<dyn EventSource>)> {
        loop {
            let index = self.head?;
            self.unlink(index);
            let slot = &mut self.slots[index];
            let kind = take_first(&mut slot.pending);
            let source = slot.source.clone();
            if slot.pending != 0 {
                self.link(index);
            }
            if let (Some(kind), Some(source)) = (kind, source) {
                return Some((Event::new(kind), source));
            }
        }
    }

    fn link(&mut self, index: usize) {
        let tail = self.tail.replace(index);
        let slot = &mut self.slots[index];
        (slot.queued, slot.before, slot.after) = (true, tail, None);
        match tail {
            Some(tail) => self.slots[tail].after = Some(index),
            None => self.head = Some(index),
        }
    }

    fn unlink(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        slot.queued = false;
        let (before, after) = (slot.before.take(), slot.after.take());
        match before {
            Some(before) => self.slots[before].after = after,
            None => self.head = after,
        }
        match after {
            Some(after) => self.slots[after].before = before,
            None => self.tail = before,
        }
    }
}

fn take_first(pending: &mut u16) -> Option<EventKind> {
    let kind = *EventKind::OF_SLOTS.get(pending.trailing_zeros() as usize)?;
    *pending &= !kind.bit();
    Some(kind)
}

impl Event {
    fn new(kind: EventKind) -> Event {
        let (label, operation, session, snapshot, error) = Default::default();
        Event { kind, label, operation, session, snapshot, error, index: 0, count: 0, lost: 0 }
    }
}

/// A slot of the queue. Dropping it removes its pending events.
#[derive(Debug)]
pub(crate) struct EventSlot {
    queue: Arc<Queue>,
    index: usize,
}

impl EventSlot {
    /// Queues this event, unless it is already queued or the slot is closed. Does not allocate.
    pub(crate) fn post(&self, kind: EventKind) {
        let mut state = lock(&self.queue.state);
        let slot = &mut state.slots[self.index];
        if slot.source.is_none() {
            return;
        }
        slot.pending |= kind.bit();
        if !slot.queued {
            state.link(self.index);
        }
        drop(state);
        self.queue.posted.notify();
    }

    /// Removes a pending event that is no longer true.
    pub(crate) fn retract(&self, kind: EventKind) {
        let mut state = lock(&self.queue.state);
        let slot = &mut state.slots[self.index];
        slot.pending &= !kind.bit();
        if slot.pending == 0 && slot.queued {
            state.unlink(self.index);
        }
    }

    /// Removes all pending events of this slot. It reports no more events afterwards.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.queue.state);
        state.slots[self.index].source = None;
        state.slots[self.index].pending = 0;
        if state.slots[self.index].queued {
            state.unlink(self.index);
        }
    }
}

impl Drop for EventSlot {
    fn drop(&mut self) {
        self.close();
        lock(&self.queue.state).free.push(self.index);
    }
}

#[cfg(test)]
mod tests;

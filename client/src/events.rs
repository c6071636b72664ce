//! The events that an application polls on its own thread. There are no callbacks.
//!
//! The queue stores no payload. Each event source (an operation or a watched session) owns one slot, which is either
//! queued or not. Further events of the source merge into its slot, and the details are read from its [`EventSource`]
//! when the event is pulled. So the queue is never longer than the number of live handles, posting allocates nothing,
//! and no event is lost. Facts without a live handle go to a ring of fixed length.

use crate::clock::{Clock, Instant, Signal, lock, milliseconds};
use crate::error::ErrorKind;
use crate::model::SessionId;
use crate::model::Snapshot;
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
    /// The session concerned.
    pub session: Option<SessionId>,
    /// The session's current numbers.
    pub snapshot: Option<Snapshot>,
    /// The reason for a failure. The log and the operation's outcome have the message.
    pub error: Option<ErrorKind>,
    /// The index of this fact among related facts of one kind, from 0.
    pub index: u32,
    /// The number of related facts; 0 if there are none.
    pub count: u32,
    /// The number of facts dropped before this one because they were not pulled in time.
    pub lost: u64,
}

/// Application data by which an application recognises its events.
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
    /// Keep-alive has extended the lease of a session.
    LeaseExtended,
    /// The lease of a watched session expires soon.
    LeaseExpiring,
    /// The lease could not be extended. Keep-alive will retry.
    LeaseNotExtended,
    /// The lease has reached its cap and will not be extended further.
    LeaseCapReached,
    /// The application has neither pulled events nor used the session for too long. The lease is not extended until it
    /// does.
    KeepAlivePaused,
    /// The application's token expires soon or was refused. The application must supply a new one.
    TokenNeeded,
    /// Time jumped: the machine slept, or the client was resumed. All sessions were reread before this event.
    Resumed,
    /// The reply to a create was lost, and this session may be the one it created. It is not stopped: that decision is
    /// the application's.
    CreateLost,
    /// A create was cancelled after it had created a session, and stopping that session failed: it may be running.
    /// Stays last.
    LeftRunning,
}

impl EventKind {
    /// All kinds, in order.
    pub(crate) const ALL: [EventKind; 11] = [
        EventKind::OperationEnded,
        EventKind::StatusChanged,
        EventKind::LeaseExtended,
        EventKind::LeaseExpiring,
        EventKind::LeaseNotExtended,
        EventKind::LeaseCapReached,
        EventKind::KeepAlivePaused,
        EventKind::TokenNeeded,
        EventKind::Resumed,
        EventKind::CreateLost,
        EventKind::LeftRunning,
    ];

    /// The kinds that a slot can report, in order of delivery.
    const OF_SLOTS: [EventKind; 9] = [
        EventKind::Resumed,
        EventKind::OperationEnded,
        EventKind::StatusChanged,
        EventKind::LeaseExtended,
        EventKind::LeaseNotExtended,
        EventKind::LeaseCapReached,
        EventKind::KeepAlivePaused,
        EventKind::LeaseExpiring,
        EventKind::TokenNeeded,
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
    pub(crate) index: u32,
    pub(crate) count: u32,
}

#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<QueueState>,
    clock: Arc<dyn Clock>,
    /// Changes with every event.
    pub(crate) posted: Signal,
    /// When events were last pulled, in milliseconds of the clock.
    pulled: AtomicU64,
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
        let now = clock.now();
        let queue = Queue {
            state: Mutex::new(QueueState { facts, ..QueueState::default() }),
            clock,
            posted: Signal::default(),
            pulled: AtomicU64::new(0),
            awaited: AtomicBool::new(false),
        };
        queue.mark_pulled(now);
        Arc::new(queue)
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
        self.mark_pulled(self.clock.now());
        let mut state = lock(&self.state);
        if let Some(event) = state.pull_of_client() {
            return Some(event);
        }
        loop {
            let (mut event, source) = state.pull_slot()?;
            // The source may be being dropped at this moment.
            if let Some(source) = source.upgrade() {
                drop(state);
                source.fill(&mut event);
                return Some(event);
            }
        }
    }

    /// When events were last pulled.
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
            index: fact.index,
            count: fact.count,
            lost: std::mem::take(&mut self.facts_lost),
            ..Event::new(fact.kind)
        })
    }

    /// Takes the first kind from the first slot. If the slot has more, it moves to the back of the queue.
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
        Event { kind, label: Label::default(), session: None, snapshot: None, error: None, index: 0, count: 0, lost: 0 }
    }
}

/// A slot of the queue. Dropping it removes its pending events.
#[derive(Debug)]
pub(crate) struct EventSlot {
    queue: Arc<Queue>,
    index: usize,
}

impl EventSlot {
    /// Queues this event, unless it is already queued or the slot is closed. Allocates nothing.
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
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    struct Named(u64);

    impl EventSource for Named {
        fn fill(&self, event: &mut Event) {
            event.label = self.0.into();
        }
    }

    struct Owner {
        place: EventSlot,
        _source: Arc<Named>,
    }

    fn queue() -> Arc<Queue> {
        Queue::new(Arc::new(SystemClock))
    }

    fn owner(queue: &Arc<Queue>, name: u64) -> Owner {
        let source = Arc::new(Named(name));
        let weak: Weak<dyn EventSource> = Arc::downgrade(&source) as Weak<dyn EventSource>;
        Owner { place: queue.register(weak), _source: source }
    }

    fn pull(queue: &Queue) -> Option<(u64, EventKind)> {
        queue.pull().map(|event| (event.label.user_data, event.kind))
    }

    #[test]
    fn all_kinds_are_listed() {
        assert!(EventKind::ALL.iter().enumerate().all(|(place, kind)| *kind as usize == place));
        assert_eq!(EventKind::ALL.len(), EventKind::LeftRunning as usize + 1);
    }

    #[test]
    fn events_come_in_slot_order_and_repeats_are_merged() {
        let queue = queue();
        let (one, two) = (owner(&queue, 1), owner(&queue, 2));
        two.place.post(EventKind::StatusChanged);
        one.place.post(EventKind::StatusChanged);
        two.place.post(EventKind::StatusChanged);
        two.place.post(EventKind::LeaseExtended);
        assert_eq!(pull(&queue), Some((2, EventKind::StatusChanged)));
        assert_eq!(pull(&queue), Some((1, EventKind::StatusChanged)));
        assert_eq!(pull(&queue), Some((2, EventKind::LeaseExtended)));
        assert_eq!(pull(&queue), None);
        two.place.post(EventKind::StatusChanged);
        assert_eq!(pull(&queue), Some((2, EventKind::StatusChanged)), "a slot can be queued again");
    }

    #[test]
    fn dropping_a_source_removes_only_its_own_events() {
        let queue = queue();
        let owners: Vec<_> = (0..5).map(|name| owner(&queue, name)).collect();
        owners.iter().for_each(|owner| owner.place.post(EventKind::OperationEnded));
        let mut owners = owners.into_iter().collect::<VecDeque<_>>();
        owners.remove(2);
        owners.pop_front();
        owners.pop_back();
        assert_eq!(pull(&queue), Some((1, EventKind::OperationEnded)));
        assert_eq!(pull(&queue), Some((3, EventKind::OperationEnded)));
        assert_eq!(pull(&queue), None);
        let late = owner(&queue, 9);
        late.place.post(EventKind::OperationEnded);
        assert_eq!(pull(&queue), Some((9, EventKind::OperationEnded)), "in a slot that was used before");
        assert_eq!(lock(&queue.state).slots.len(), 5, "slots are used again");
    }

    #[test]
    fn a_closed_slot_reports_nothing_more() {
        let queue = queue();
        let (one, two) = (owner(&queue, 1), owner(&queue, 2));
        one.place.post(EventKind::OperationEnded);
        one.place.close();
        one.place.post(EventKind::OperationEnded);
        two.place.post(EventKind::OperationEnded);
        assert_eq!(pull(&queue), Some((2, EventKind::OperationEnded)));
        assert_eq!(pull(&queue), None);
    }

    #[test]
    fn facts_without_a_handle_are_kept_up_to_a_bound_and_counted_beyond() {
        let queue = queue();
        for index in 0..MOST_FACTS as u32 + 2 {
            queue.post_fact(Fact {
                kind: EventKind::CreateLost,
                label: Label::default(),
                session: None,
                error: None,
                index,
                count: 0,
            });
        }
        queue.post_of_client(EventKind::TokenNeeded);
        assert_eq!(queue.pull().unwrap().kind, EventKind::TokenNeeded);
        let first = queue.pull().unwrap();
        assert_eq!((first.index, first.lost), (2, 2));
        assert_eq!(queue.pull().unwrap().lost, 0);
    }
}

//! Tests of the event queue.

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
    assert_eq!(pull(&queue), Some((9, EventKind::OperationEnded)), "in a reused slot");
    assert_eq!(lock(&queue.state).slots.len(), 5, "slots are reused");
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
fn facts_without_a_handle_are_bounded_and_lost_ones_counted() {
    let queue = queue();
    for index in 0..MOST_FACTS as u16 + 2 {
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
    assert!(size_of::<Fact>() <= 40, "every client has room for {MOST_FACTS}");
    assert_eq!(queue.pull().unwrap().lost, 0);
}

//! A kept store: which calls wait for which batch, and what a failed one undoes.

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use tokio::runtime::Builder;
use uuid::Uuid;

use super::*;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::session::{SessionId, SessionSelector, SessionSettings, SessionSize, SessionStore};

const HOUR: Duration = Duration::from_secs(3600);
const BEGINNING: Timestamp = Timestamp { now: Duration::ZERO, unix_time: Duration::ZERO };
const SETTINGS: SessionSettings = SessionSettings { size: SessionSize::Standard, max_lease: HOUR };

struct Story {
    store: SessionStore,
    account: Uuid,
    woken: Receiver<()>,
}

impl Story {
    fn begin() -> Story {
        let mut store = SessionStore::new(&Config { startup: Duration::ZERO, ..Config::default() });
        let (wake, woken) = sync_channel(1);
        store.keep(0, [], wake);
        Story { store, account: Uuid::new_v4(), woken }
    }

    fn create(&mut self) -> (SessionId, Commit) {
        let id = self.store.create(BEGINNING, self.account, SETTINGS);
        (id, self.store.end_call().expect("to be stored"))
    }

    fn extend(&mut self, id: &SessionId, lease: Duration) -> Commit {
        let extended = self.store.extend(Duration::ZERO, self.account, SessionSelector::Exact(id.as_str()), lease);
        assert!(matches!(extended, Some(Ok(_))));
        self.store.end_call().expect("to be stored")
    }

    fn stop(&mut self, id: &SessionId) -> Option<Commit> {
        self.store.stop(Duration::ZERO, self.account, SessionSelector::Exact(id.as_str())).expect("it is there");
        self.store.end_call()
    }

    /// The session's lease at this time, and what the reply has to wait for.
    fn read(&mut self, id: &SessionId, now: Duration) -> (Option<Duration>, Option<Commit>) {
        let found = self.store.find(now, self.account, SessionSelector::Exact(id.as_str()));
        (found.map(|session| session.settings.max_lease), self.store.end_call())
    }

    fn list(&mut self) -> (usize, Option<Commit>) {
        (self.store.active(Duration::ZERO, self.account, 0).count(), self.store.end_call())
    }

    fn take(&mut self) -> Batch {
        assert_eq!(self.woken.try_recv(), Ok(()));
        self.store.take_batch().expect("a batch").0
    }
}

/// `None` if it is not known yet.
fn outcome(commit: &Commit) -> Option<Result<(), NotStored>> {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        tokio::select! {
            biased;
            outcome = commit.wait() => Some(outcome),
            () = std::future::ready(()) => None,
        }
    })
}

#[test]
fn a_call_is_answered_when_its_batch_is_stored() {
    let mut story = Story::begin();
    let (one, first) = story.create();
    let (_, second) = story.create();
    assert!(first.is(&second), "they share one batch");
    let batch = story.take();
    assert_eq!((batch.changes.len(), outcome(&first)), (2, None));
    // Meanwhile the next batch collects changes.
    let third = story.extend(&one, 2 * HOUR);
    assert!(!third.is(&first));
    story.store.stored(&batch);
    assert_eq!((outcome(&first), outcome(&third)), (Some(Ok(())), None));
    let batch = story.take();
    story.store.stored(&batch);
    assert_eq!(outcome(&third), Some(Ok(())));
    assert!(story.store.take_batch().is_none());
}

#[test]
fn a_reply_shows_nothing_that_is_not_stored() {
    let mut story = Story::begin();
    let ((one, created), (two, _)) = (story.create(), story.create());
    let waits_for = |read: Option<Commit>, commit: &Commit| read.is_some_and(|read| read.is(commit));
    assert!(waits_for(story.read(&one, Duration::ZERO).1, &created));
    assert!(waits_for(story.list().1, &created));
    let batch = story.take();
    assert!(waits_for(story.read(&one, Duration::ZERO).1, &created) && waits_for(story.list().1, &created));
    let extended = story.extend(&one, 2 * HOUR);
    assert!(waits_for(story.read(&one, Duration::ZERO).1, &extended) && waits_for(story.list().1, &extended));
    assert!(waits_for(story.read(&two, Duration::ZERO).1, &created));
    story.store.stored(&batch);
    assert!(story.read(&two, Duration::ZERO).1.is_none(), "its change is stored");
    assert!(waits_for(story.read(&one, Duration::ZERO).1, &extended));
    let batch = story.take();
    story.store.stored(&batch);
    assert!(story.read(&one, Duration::ZERO).1.is_none() && story.list().1.is_none());
    assert!(story.stop(&one).is_some());
    let batch = story.take();
    story.store.stored(&batch);
    assert!(story.stop(&one).is_none(), "a second stop changes nothing");
}

#[test]
fn a_failed_batch_and_the_one_that_builds_on_it_are_undone() {
    let mut story = Story::begin();
    let (kept, _) = story.create();
    let batch = story.take();
    story.store.stored(&batch);

    let extended = story.extend(&kept, 2 * HOUR);
    let (lost, created) = story.create();
    let batch = story.take();
    let again = story.extend(&kept, 3 * HOUR);
    let stopped = story.stop(&kept).expect("to be stored");
    let renewed = story.extend(&lost, 2 * HOUR);
    story.store.not_stored(batch);
    for commit in [extended, created, again, stopped, renewed] {
        assert_eq!(outcome(&commit), Some(Err(NotStored)));
    }
    assert!(matches!(story.read(&kept, Duration::ZERO), (Some(HOUR), None)));
    assert!(matches!(story.read(&lost, Duration::ZERO), (None, None)));
    assert!(matches!(story.list(), (1, None)));
    assert!(story.store.take_batch().is_none(), "nothing of it is tried again");
    // Its lease ends as if nothing had happened.
    assert_eq!(story.store.active(HOUR, story.account, 0).count(), 0);
    assert!(matches!(story.read(&kept, HOUR), (Some(HOUR), None)));
}

#[test]
fn deleting_a_forgotten_session_is_tried_again() {
    let mut story = Story::begin();
    let (id, _) = story.create();
    let batch = story.take();
    story.store.stored(&batch);
    let forgotten_at = HOUR + Config::default().remember;
    assert!(matches!(story.read(&id, forgotten_at), (None, None)), "no call waits for it");
    let batch = story.store.take_batch().expect("a batch").0;
    assert_eq!(batch.forgotten, [1]);
    story.store.not_stored(batch);
    assert_eq!(story.store.take_batch().expect("a batch").0.forgotten, [1]);
}

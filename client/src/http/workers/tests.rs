//! Tests of the worker pool.

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};

const LONG: Duration = Duration::from_secs(20);
/// For events that must not happen. A longer time makes a failure more certain and every run slower.
const SHORT: Duration = Duration::from_millis(30);

/// A pool whose jobs report that they have started, and run until released.
struct Fixture {
    workers: Arc<Workers>,
    began: (Sender<usize>, Receiver<usize>),
}

impl Fixture {
    fn new() -> Fixture {
        Fixture::with_idle_time(LONG)
    }

    fn with_idle_time(idle_time: Duration) -> Fixture {
        Fixture { workers: Workers::with(idle_time, start_thread, &Arc::default()), began: mpsc::channel() }
    }

    /// A job that runs until the sender is dropped.
    fn blocked(&self, lane: Urgency, name: usize) -> (QueuedJob, Sender<()>) {
        let (release, released) = mpsc::channel::<()>();
        let began = self.began.0.clone();
        let job = move || {
            began.send(name).unwrap();
            let _released = released.recv();
        };
        (self.workers.run(lane, Box::new(job)).unwrap(), release)
    }

    fn many(&self, lane: Urgency, names: std::ops::Range<usize>) -> Vec<(QueuedJob, Sender<()>)> {
        names.map(|name| self.blocked(lane, name)).collect()
    }

    /// The next `count` jobs that start, sorted by name.
    fn begin(&self, count: usize) -> Vec<usize> {
        let mut names: Vec<usize> = (0..count).map(|_| self.began.1.recv_timeout(LONG).unwrap()).collect();
        names.sort_unstable();
        names
    }

    fn none_begins(&self) -> bool {
        self.began.1.recv_timeout(SHORT).is_err()
    }

    fn gone(&self) -> bool {
        self.workers.wait_until_gone(LONG)
    }
}

fn no_thread_starts(_: &str, _: Job) -> io::Result<JoinHandle<()>> {
    Err(io::Error::other("too many"))
}

fn range(names: std::ops::Range<usize>) -> Vec<usize> {
    names.collect()
}

#[test]
fn eight_jobs_run_at_a_time_and_urgent_ones_at_once() {
    let it = Fixture::new();
    let mut running = it.many(Urgency::Normal, 0..8);
    assert_eq!(it.begin(8), range(0..8));
    let _queued = it.many(Urgency::Normal, 8..11);
    assert!(it.none_begins());
    let _urgent = it.blocked(Urgency::Urgent, 100);
    assert_eq!(it.begin(1), [100]);
    assert!(it.none_begins());
    for next in 8..11 {
        running.pop();
        assert_eq!(it.begin(1), [next]);
    }
    assert_eq!(it.workers.threads(), 9, "threads are reused");
}

#[test]
fn abandoned_jobs_make_room_up_to_the_limit_and_urgent_ones_have_their_own_threads() {
    let it = Fixture::new();
    let mut all = Vec::new();
    for round in 0..3 {
        all.extend(it.many(Urgency::Normal, round * 8..round * 8 + 8));
        assert_eq!(it.begin(8), range(round * 8..round * 8 + 8));
        all.iter().for_each(|(ticket, _)| ticket.abandon());
    }
    let _waits = it.blocked(Urgency::Normal, 24);
    assert!(it.none_begins(), "24 are in flight, and no caller waits for them");
    let mut urgent = it.many(Urgency::Urgent, 100..108);
    assert_eq!(it.begin(8), range(100..108));
    let _one_more = it.blocked(Urgency::Urgent, 108);
    assert!(it.none_begins(), "all threads are in use");
    urgent.pop();
    assert_eq!(it.begin(1), [108], "before the normal one");
    all.pop();
    assert_eq!(it.begin(1), [24]);
    assert_eq!(it.workers.threads(), MOST_WORKERS);
}

#[test]
fn a_job_abandoned_in_the_queue_never_runs() {
    let it = Fixture::new();
    let running = it.many(Urgency::Normal, 0..8);
    it.begin(8);
    let queued = it.many(Urgency::Normal, 8..10);
    let (ticket, release) = &queued[0];
    ticket.abandon();
    assert!(release.send(()).is_err(), "it is dropped");
    ticket.abandon();
    drop(running);
    assert_eq!(it.begin(1), [9]);
}

#[test]
fn a_job_that_panics_costs_no_worker_and_no_slot() {
    let it = Fixture::new();
    for _ in 0..AT_A_TIME + 1 {
        it.workers.run(Urgency::Normal, Box::new(|| panic!("on purpose"))).unwrap();
    }
    let blocked = it.many(Urgency::Normal, 0..AT_A_TIME);
    assert_eq!(it.begin(AT_A_TIME), range(0..AT_A_TIME));
    assert!(it.workers.threads() <= AT_A_TIME);
    it.workers.end();
    drop(blocked);
    assert!(it.gone());
}

#[test]
fn an_idle_thread_takes_the_next_job_or_ends() {
    let it = Fixture::with_idle_time(SHORT);
    assert!(it.gone(), "there is no thread before the first job");
    for name in 0..2 {
        drop(it.blocked(Urgency::Normal, name));
        it.begin(1);
        assert!(it.gone());
    }
    let it = Fixture::new();
    for name in 0..20 {
        drop(it.blocked(Urgency::Urgent, name));
        it.begin(1);
        while lock(&it.workers.state).free == 0 {
            thread::yield_now();
        }
    }
    assert_eq!(it.workers.threads(), 1);
    it.workers.end();
    assert!(it.gone());
}

#[test]
fn the_end_drops_queued_jobs_and_lets_running_ones_finish() {
    let it = Fixture::new();
    let running = it.many(Urgency::Normal, 0..8);
    it.begin(8);
    let queued = it.blocked(Urgency::Normal, 8);
    it.workers.end();
    assert!(queued.1.send(()).is_err(), "it is dropped");
    let refused = it.workers.run(Urgency::Urgent, Box::new(|| ()));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ShutDown);
    assert!(!it.workers.wait_until_gone(SHORT) && it.workers.threads() == 8);
    drop(running);
    assert!(it.gone() && it.none_begins());
}

#[test]
fn threads_other_than_workers_count_too() {
    let it = Fixture::new();
    let (release, released) = mpsc::channel::<()>();
    let work = move || {
        let _released = released.recv();
    };
    it.workers.run_apart("arr-token", work).unwrap();
    let counted = it.workers.count();
    it.workers.end();
    assert_eq!(it.workers.threads(), 2);
    drop(counted);
    assert!(!it.workers.wait_until_gone(SHORT));
    drop(release);
    assert!(it.gone());
    assert_eq!(it.workers.run_apart("arr-token", || ()).unwrap_err().kind(), ErrorKind::ShutDown);
    assert_eq!(it.workers.threads(), 0);
}

#[test]
fn without_any_thread_a_job_is_refused_and_leaves_nothing() {
    let workers = Workers::with(LONG, no_thread_starts, &Arc::default());
    let (sender, receiver) = mpsc::channel::<()>();
    let refused = workers.run(Urgency::Urgent, Box::new(move || drop(sender)));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::OutOfResources);
    assert_eq!(receiver.recv(), Err(mpsc::RecvError));
    assert!(workers.wait_until_gone(Duration::ZERO));
}

/// The thread that waits may block; the one that called `drop_apart` must not.
#[test]
fn if_no_thread_can_be_started_the_wait_for_the_end_drops_the_value() {
    let workers = Workers::with(LONG, no_thread_starts, &Arc::default());
    let counted = workers.count();
    workers.drop_apart(counted);
    assert_eq!(workers.threads(), 1);
    assert!(workers.wait_until_gone(Duration::ZERO));
}

/// The first pool is not waited for, and the values keep it alive.
#[test]
fn a_value_that_could_not_be_dropped_is_dropped_by_the_next_thread_of_any_pool() {
    let undropped = Undropped::default();
    let freed = Workers::with(LONG, no_thread_starts, &undropped);
    freed.drop_apart(freed.count());
    let there = Arc::downgrade(&freed);
    drop(freed);
    assert!(there.upgrade().is_some());
    Workers::with(LONG, start_thread, &undropped).drop_apart(());
    let deadline = Instant::now() + LONG;
    while there.upgrade().is_some() {
        assert!(Instant::now() < deadline, "it is leaked");
        thread::yield_now();
    }
}

/// A thread that has done its work still has to end: only then are its thread locals dropped.
#[test]
fn after_waiting_for_the_end_every_thread_has_ended() {
    static ENDED: AtomicUsize = AtomicUsize::new(0);
    struct Last;
    impl Drop for Last {
        fn drop(&mut self) {
            thread::sleep(SHORT);
            ENDED.fetch_add(1, Ordering::SeqCst);
        }
    }
    thread_local!(static LAST: std::cell::RefCell<Option<Last>> = const { std::cell::RefCell::new(None) });
    let work = || LAST.with(|last| *last.borrow_mut() = Some(Last));
    let it = Fixture::new();
    let began = it.began.0.clone();
    let job = move || {
        work();
        began.send(1).unwrap();
    };
    it.workers.run(Urgency::Urgent, Box::new(job)).unwrap();
    it.workers.run_apart("arr-token", work).unwrap();
    it.begin(1);
    it.workers.end();
    assert!(it.gone());
    assert_eq!(ENDED.load(Ordering::SeqCst), 2);
}

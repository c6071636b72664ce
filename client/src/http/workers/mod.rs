//! The threads of a client: a bounded pool for started requests, and a count of all other threads, so that a shutdown
//! can wait until none is left.
//!
//! A request in flight cannot be cancelled, so an abandoned job keeps its thread. It no longer counts against the limit
//! of normal jobs, so another can run, up to a second limit.

use crate::clock::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::{PerProcess, start_thread};
use crate::wire::Urgency;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Concurrent normal jobs. More would not help: the service throttles accounts that exceed the rate limit.
const AT_A_TIME: usize = 8;
/// Concurrent normal and abandoned jobs. The remaining threads are reserved for urgent jobs.
const MOST_NORMAL: usize = 24;
const MOST_WORKERS: usize = 32;
/// Long enough for an operation's next request if it follows immediately. Between polls a client needs no thread.
const IDLE_TIME: Duration = Duration::from_secs(2);

pub(crate) type Job = Box<dyn FnOnce() + Send>;

pub(crate) struct Workers {
    state: Mutex<PoolState>,
    /// Signalled when there is work for an idle worker.
    work: Condvar,
    /// Signalled when a thread is about to end.
    gone: Condvar,
    /// How long an idle worker waits for a job, in real time.
    idle_time: Duration,
    start: Start,
    undropped: Undropped,
}

/// Values whose drop may block, and for which no thread could be started, each with the pool that it belongs to. All
/// pools of the process share them: a value keeps its pool alive, so it must not be in it.
type Undropped = Arc<Mutex<Vec<(usize, Box<dyn Send>)>>>;

/// Starts a thread of this name.
type Start = fn(&str, Job) -> io::Result<JoinHandle<()>>;

#[derive(Default)]
struct PoolState {
    urgent: VecDeque<Queued>,
    normal: VecDeque<Queued>,
    running: Vec<Running>,
    workers: usize,
    /// Idle workers, including those about to check for a job.
    free: usize,
    /// Threads other than workers.
    others: usize,
    /// The threads that have not been joined.
    handles: Vec<JoinHandle<()>>,
    /// The latest ticket issued.
    latest: u64,
    ended: bool,
}

struct Queued {
    ticket: u64,
    job: Job,
}

struct Running {
    ticket: u64,
    counts: Counts,
}

/// The limit that a running job counts against.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    Normal,
    Urgent,
    Abandoned,
}

impl Workers {
    pub(super) fn new() -> Arc<Workers> {
        static UNDROPPED: PerProcess<Undropped> = PerProcess::new();
        Workers::with(IDLE_TIME, start_thread, UNDROPPED.get())
    }

    fn with(idle_time: Duration, start: Start, undropped: &Undropped) -> Arc<Workers> {
        let (state, work, gone) = Default::default();
        Arc::new(Workers { state, work, gone, idle_time, start, undropped: Arc::clone(undropped) })
    }

    /// Runs a job on a thread of the pool, now or as soon as the limits allow.
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`] after [`Workers::end`]; [`ErrorKind::OutOfResources`] if no thread can be started and no
    /// live thread could take the job later.
    pub(crate) fn run(self: &Arc<Self>, urgency: Urgency, job: Job) -> Result<QueuedJob> {
        let mut state = lock(&self.state);
        state.check_alive()?;
        state.latest += 1;
        let ticket = state.latest;
        state.queue(urgency).push_back(Queued { ticket, job });
        if let Err(cause) = self.staff(&mut state)
            && state.workers == 0
        {
            let undone = state.queue(urgency).pop_back();
            drop(state);
            drop(undone);
            return Err(no_thread(&cause));
        }
        Ok(QueuedJob { workers: Arc::clone(self), number: ticket })
    }

    /// Ensures that there is a worker for each job that may run. If starting one fails, a live worker takes the job
    /// later.
    fn staff(self: &Arc<Self>, state: &mut PoolState) -> io::Result<()> {
        for _ in 0..state.runnable() {
            self.work.notify_one();
        }
        while state.runnable() > state.free && state.workers < MOST_WORKERS {
            let pool = Arc::clone(self);
            let thread = (self.start)("arr-worker", Box::new(move || pool.work()))?;
            state.keep(thread);
            state.workers += 1;
            state.free += 1;
        }
        Ok(())
    }

    /// The main loop of a worker. It counts as free when it starts.
    fn work(self: Arc<Self>) {
        let mut idle_since = None;
        let mut state = lock(&self.state);
        loop {
            if let Some(Queued { ticket, job }) = state.take() {
                state.free -= 1;
                // If this job is urgent, a worker is still needed for the job whose turn it took.
                let _later = self.staff(&mut state);
                drop(state);
                // The panic hook has reported a panic. It ends the job, not the worker.
                drop(catch_unwind(AssertUnwindSafe(job)));
                state = lock(&self.state);
                state.running.retain(|running| running.ticket != ticket);
                state.free += 1;
                idle_since = None;
                continue;
            }
            let since = *idle_since.get_or_insert_with(Instant::now);
            let left = self.idle_time.saturating_sub(since.elapsed());
            if state.ended || left.is_zero() {
                break;
            }
            state = self.work.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.free -= 1;
        state.workers -= 1;
        drop(state);
        self.gone.notify_all();
    }

    /// Runs work on its own thread, which is counted but not limited.
    ///
    /// # Errors
    /// As [`Workers::run`].
    pub(crate) fn run_apart(self: &Arc<Self>, name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
        lock(&self.state).check_alive()?;
        self.run_apart_always(name, work)
    }

    /// The same, also after [`Workers::end`].
    pub(crate) fn run_apart_always(self: &Arc<Self>, name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let counted = self.count();
        let run = move || {
            work();
            drop(counted);
        };
        let thread = (self.start)(name, Box::new(run)).map_err(|cause| no_thread(&cause))?;
        lock(&self.state).keep(thread);
        Ok(())
    }

    /// Drops something that may block, on its own thread. If none can be started, the next one drops it, of any pool, or
    /// the thread that waits for the end of this pool.
    pub(super) fn drop_apart(&self, dropped: impl Send + 'static) {
        let mut all = std::mem::take(&mut *lock(&self.undropped));
        all.push((self.address(), Box::new(dropped)));
        let all = Handover::new(all);
        let for_thread = all.clone();
        match (self.start)("arr-drop", Box::new(move || drop(for_thread.take()))) {
            Ok(thread) => lock(&self.state).keep(thread),
            Err(_) => lock(&self.undropped).extend(all.take().into_iter().flatten()),
        }
    }

    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Counts a thread that is started elsewhere until the result is dropped. Works after the end too.
    pub(crate) fn count(self: &Arc<Self>) -> Counted {
        lock(&self.state).others += 1;
        Counted(Arc::clone(self))
    }

    /// Accepts no more jobs. Queued jobs are dropped without running; idle workers exit at once, the others after their
    /// job.
    pub(super) fn end(&self) {
        let mut state = lock(&self.state);
        state.ended = true;
        let undone = (std::mem::take(&mut state.urgent), std::mem::take(&mut state.normal));
        drop(state);
        self.work.notify_all();
        drop(undone);
    }

    pub(super) fn has_ended(&self) -> bool {
        lock(&self.state).ended
    }

    /// The number of live threads, from before they start until their work is done. A client of the HTTP library counts
    /// as one.
    #[cfg(test)]
    pub(crate) fn threads(&self) -> usize {
        lock(&self.state).threads()
    }

    /// Waits in real time, for at most `longest`, until no thread is left, and for the moment that the system needs to
    /// end the last ones. Returns whether none is left.
    pub(crate) fn wait_until_gone(&self, longest: Duration) -> bool {
        let own: Vec<_> = lock(&self.undropped).extract_if(.., |(pool, _)| *pool == self.address()).collect();
        drop(own);
        let state = lock(&self.state);
        let waited = self.gone.wait_timeout_while(state, longest, |state| state.threads() > 0);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let gone = state.threads() == 0;
        let handles = if gone { std::mem::take(&mut state.handles) } else { Vec::new() };
        drop(state);
        handles.into_iter().for_each(join);
        gone
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers").finish_non_exhaustive()
    }
}

impl PoolState {
    fn check_alive(&self) -> Result<()> {
        if self.ended {
            let message = "the client was shut down or freed; create another";
            return Err(Error::new(ErrorKind::ShutDown, message));
        }
        Ok(())
    }

    fn queue(&mut self, urgency: Urgency) -> &mut VecDeque<Queued> {
        match urgency {
            Urgency::Normal => &mut self.normal,
            Urgency::Urgent | Urgency::Stop => &mut self.urgent,
        }
    }

    /// The number of further normal jobs that may run.
    fn room(&self) -> usize {
        let count = |counts: Counts| self.running.iter().filter(|running| running.counts == counts).count();
        let (normal, abandoned) = (count(Counts::Normal), count(Counts::Abandoned));
        AT_A_TIME.saturating_sub(normal).min(MOST_NORMAL.saturating_sub(normal + abandoned))
    }

    /// The number of queued jobs that may run.
    fn runnable(&self) -> usize {
        self.urgent.len() + self.normal.len().min(self.room())
    }

    /// The next job that may run. It counts as running from now on.
    fn take(&mut self) -> Option<Queued> {
        let (next, counts) = match self.urgent.pop_front() {
            Some(urgent) => (urgent, Counts::Urgent),
            None if self.room() > 0 => (self.normal.pop_front()?, Counts::Normal),
            None => return None,
        };
        self.running.push(Running { ticket: next.ticket, counts });
        Some(next)
    }

    /// Marks a job as abandoned. Returns it if it has not started.
    fn abandon(&mut self, ticket: u64) -> Option<Queued> {
        self.make_room(ticket);
        let queues = [&mut self.urgent, &mut self.normal];
        queues.into_iter().find_map(|queue| {
            let place = queue.iter().position(|queued| queued.ticket == ticket)?;
            queue.remove(place)
        })
    }

    fn make_room(&mut self, ticket: u64) {
        if let Some(running) = self.running.iter_mut().find(|running| running.ticket == ticket) {
            running.counts = Counts::Abandoned;
        }
    }

    fn is_running(&self, ticket: u64) -> bool {
        self.running.iter().any(|running| running.ticket == ticket)
    }

    fn threads(&self) -> usize {
        self.workers + self.others
    }

    /// Keeps a thread to be joined, and forgets those that have ended.
    fn keep(&mut self, thread: JoinHandle<()>) {
        self.handles.extract_if(.., |handle| handle.is_finished()).for_each(join);
        self.handles.push(thread);
    }
}

/// A job in the pool. Dropping this has no effect on the job.
#[derive(Debug)]
pub(crate) struct QueuedJob {
    workers: Arc<Workers>,
    number: u64,
}

impl QueuedJob {
    /// A placeholder for a job that was never queued.
    pub(super) fn void(workers: &Arc<Workers>) -> QueuedJob {
        QueuedJob { workers: Arc::clone(workers), number: 0 }
    }

    /// Abandons the job. If it is queued, it is dropped without running; if it is running, another may run besides it.
    /// Does nothing if the job is done or already abandoned.
    pub(crate) fn abandon(&self) {
        let mut state = lock(&self.workers.state);
        let undone = state.abandon(self.number);
        let _later = self.workers.staff(&mut state);
        drop(state);
        drop(undone);
    }
}

impl QueuedJob {
    /// Lets another job run besides this one if it is running. For a job that no caller waits for, but whose result may
    /// still be useful.
    pub(crate) fn make_room(&self) {
        let mut state = lock(&self.workers.state);
        state.make_room(self.number);
        let _later = self.workers.staff(&mut state);
    }

    /// Removes the job if it is still queued. Returns whether it did.
    pub(crate) fn take_back(&self) -> bool {
        let mut state = lock(&self.workers.state);
        let undone = if state.is_running(self.number) { None } else { state.abandon(self.number) };
        drop(state);
        undone.is_some()
    }
}

/// A counted thread other than a worker.
#[derive(Debug)]
pub(crate) struct Counted(Arc<Workers>);

impl Drop for Counted {
    fn drop(&mut self) {
        lock(&self.0.state).others -= 1;
        self.0.gone.notify_all();
    }
}

/// A value for another thread, or for this one if no other can be started. It can be taken once.
pub(crate) struct Handover<T>(Arc<Mutex<Option<T>>>);

impl<T> Handover<T> {
    pub(crate) fn new(value: T) -> Handover<T> {
        Handover(Arc::new(Mutex::new(Some(value))))
    }

    pub(crate) fn take(&self) -> Option<T> {
        lock(&self.0).take()
    }
}

impl<F: FnOnce() + Send + 'static> Handover<F> {
    /// Runs the work on the thread that `start` starts, or on this thread if it fails to start one.
    pub(crate) fn run(self, start: impl FnOnce(Job) -> Result<()>) {
        let for_thread = self.clone();
        let run = move || for_thread.take().into_iter().for_each(|work| work());
        if start(Box::new(run)).is_err() {
            self.take().into_iter().for_each(|work| work());
        }
    }
}

impl<T> Clone for Handover<T> {
    fn clone(&self) -> Handover<T> {
        Handover(Arc::clone(&self.0))
    }
}

fn no_thread(cause: &io::Error) -> Error {
    Error::out_of_resources("no thread could be started", cause)
}

/// Waits until the system has ended a thread whose work is done. One that ends a client cannot wait for itself.
fn join(thread: JoinHandle<()>) {
    if thread.thread().id() != thread::current().id() {
        drop(thread.join());
    }
}

#[cfg(test)]
mod tests;

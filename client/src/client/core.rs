//! What a client has exactly one of: HTTP, clock, tokens, events, journal, and the mailbox of its driver.

use super::completion::Completion;
use super::mailbox::{Mailbox, Message, Prepared};
use super::wake::Wake;
use crate::auth::{Exchange, TokenCache};
use crate::clock::{Clock, Instant, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::events::{EventKind, Fact, Label, Queue};
use crate::http::{Counted, Handover, Transport};
use crate::journal::Journal;
use crate::log::Log;
use crate::model::SessionId;
use crate::protocol::{Chore, Context, Operation as _};
use crate::sys::{generation, start_thread};
use crate::wire::Urgency;
use once_cell::sync::OnceCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A change to the journal.
type Note = Box<dyn FnOnce(&Journal) -> Result<()> + Send>;

/// The body of the driver's thread.
pub(super) type RunDriver = Box<dyn FnOnce() + Send>;

pub(super) struct Core {
    /// The generation of the process that made it.
    process: u32,
    pub(super) http: Arc<Transport>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) wake: Arc<Wake>,
    pub(super) log: Arc<Log>,
    pub(super) tokens: Arc<TokenCache>,
    /// The context of operations at the configured endpoint.
    pub(super) context: Context,
    pub(super) events: Arc<Queue>,
    pub(super) journal: Option<Arc<Journal>>,
    /// Pending changes to the journal.
    notes: Mutex<Vec<Note>>,
    pub(super) mailbox: Arc<Mailbox>,
    driver: DriverThread,
    /// No requests are made while the application is suspended.
    pub(super) suspended: AtomicBool,
    /// The application was resumed, and the driver has not noticed yet.
    pub(super) resumed: AtomicBool,
    pub(super) shut_down: AtomicBool,
    /// The next wait for an event, or for a line of the log, must end at once.
    pub(super) skip_event_wait: AtomicBool,
    pub(super) skip_log_wait: AtomicBool,
    /// The number of blocking calls in progress.
    calls: AtomicUsize,
    /// The first failure of a promised stop.
    pub(super) failed_stop: Arc<Mutex<Option<Error>>>,
    pub(super) call_timeout: Duration,
    pub(super) attempt_timeout: Duration,
}

#[derive(Default)]
struct DriverThread {
    state: Mutex<DriverState>,
    ended: Condvar,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Creates the body of the thread; `None` once the client has gone.
    prepare: OnceCell<Box<dyn Fn() -> Option<RunDriver> + Send + Sync>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum DriverState {
    /// It has not started, or has ended.
    #[default]
    None,
    Running,
    /// Its work is over, and it may be waiting for the disk.
    Leaving,
}

/// The parts of a [`Core`].
pub(super) struct Parts {
    pub(super) http: Arc<Transport>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) wake: Arc<Wake>,
    pub(super) events: Arc<Queue>,
    pub(super) context: Context,
    pub(super) journal: Option<Journal>,
    pub(super) call_timeout: Duration,
    pub(super) attempt_timeout: Duration,
}

impl Core {
    pub(super) fn new(parts: Parts) -> Arc<Core> {
        let Parts { http, clock, wake, events, context, journal, call_timeout, attempt_timeout } = parts;
        let mailbox = Mailbox::new(&wake.signal);
        Arc::new(Core {
            process: generation(),
            http,
            clock,
            wake,
            log: Arc::clone(&context.log),
            tokens: Arc::clone(&context.tokens),
            context,
            events,
            journal: journal.map(Arc::new),
            notes: Mutex::default(),
            mailbox,
            driver: DriverThread::default(),
            suspended: false.into(),
            resumed: false.into(),
            shut_down: false.into(),
            skip_event_wait: false.into(),
            skip_log_wait: false.into(),
            calls: 0.into(),
            failed_stop: Arc::default(),
            call_timeout,
            attempt_timeout,
        })
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(super) fn deadline(&self, timeout: Option<Duration>) -> Instant {
        self.now() + timeout.unwrap_or(self.call_timeout)
    }

    pub(super) fn is_shut_down(&self) -> bool {
        self.shut_down.load(Ordering::Acquire)
    }

    /// The error of calls after the end.
    pub(super) fn ended(&self) -> Error {
        Error::new(ErrorKind::ShutDown, "the client was shut down or freed; create another")
    }

    /// Whether this is a copy in a forked child. It must not be used: threads of the parent may hold its locks.
    pub(super) fn is_inherited(&self) -> bool {
        self.process != generation()
    }

    pub(super) fn check_process(&self) -> Result<()> {
        if self.is_inherited() { Err(Error::forked()) } else { Ok(()) }
    }

    pub(super) fn check_alive(&self) -> Result<()> {
        self.check_process()?;
        if self.is_shut_down() { Err(self.ended()) } else { Ok(()) }
    }

    pub(super) fn log_failure(&self, error: &Error) {
        self.log.error(error.correlation_vector(), || error.message().to_owned());
    }

    /// The application has shown that it is alive.
    pub(super) fn application_is_alive(&self) {
        if self.events.was_awaited() {
            self.wake.sessions_changed();
        }
    }

    /// Posts an event about a session that could not be stopped, because no caller is left to get the error.
    pub(super) fn report_left_running(&self, label: Label, id: &SessionId, error: &Error) {
        self.events.post_fact(Fact {
            kind: EventKind::LeftRunning,
            label,
            session: Some(id.clone()),
            error: Some(error.kind()),
            index: 0,
            count: 1,
        });
    }
}

/// The journal, and the token.
impl Core {
    /// Queues a change to the journal, if there is one. [`Core::write_notes`] writes it.
    pub(super) fn note(&self, note: impl FnOnce(&Journal) -> Result<()> + Send + 'static) {
        if self.journal.is_some() {
            lock(&self.notes).push(Box::new(note));
        }
    }

    /// Writes the queued changes. Must be called after stepping an operation.
    pub(super) fn write_notes(&self) {
        let Some(journal) = &self.journal else { return };
        let notes = std::mem::take(&mut *lock(&self.notes));
        if !notes.is_empty() {
            let (journal, log) = (Arc::clone(journal), Arc::clone(&self.log));
            let write = move |note: Note| log.warn_of(note(&journal));
            // A panic in one must not lose the others.
            self.aside(move || notes.into_iter().for_each(|note| drop(catch_unwind(AssertUnwindSafe(|| write(note))))));
        }
    }

    /// Runs slow work, such as writing to disk, off the driver's thread.
    pub(super) fn aside(&self, work: impl FnOnce() + Send + 'static) {
        if self.has_driver() { self.http.aside(work) } else { work() }
    }

    /// Fetches a token, within `limit`.
    pub(super) fn fetch_token(&self, exchange: Exchange, limit: Duration) {
        fetch_token(&self.http, exchange, limit);
    }

    /// Fetches a token on a separate thread, so that it completes even if the call stops waiting for it. It does not
    /// use a worker: all operations wait for the one exchange, so their own requests must not delay it.
    pub(super) fn start_fetching_token(&self, exchange: Exchange, limit: Duration) {
        let exchange = Handover::new(exchange);
        let (http, for_thread) = (Arc::clone(&self.http), exchange.clone());
        let run = move || for_thread.take().into_iter().for_each(|exchange| fetch_token(&http, exchange, limit));
        if let Err(error) = self.http.workers().run_apart("arr-token", run)
            && let Some(mut exchange) = exchange.take()
        {
            if !self.is_shut_down() {
                return exchange.complete(Err(error));
            }
            // If no thread can be started, use this one: stops at the end depend on the token.
            exchange.request.urgency = Urgency::Stop;
            fetch_token(&self.http, exchange, limit);
        }
    }
}

fn fetch_token(http: &Arc<Transport>, exchange: Exchange, limit: Duration) {
    let answer = http.send(&exchange.request, limit);
    exchange.complete(answer.map_err(|failure| failure.into_error("getting a token")));
}

/// Background work.
impl Core {
    /// Submits an operation to the driver for its caller.
    pub(super) fn submit(&self, prepared: Prepared, completion: &Arc<Completion>) -> Result<()> {
        let stops = prepared.operation.urgency() == Urgency::Stop;
        if !stops {
            self.check_alive()?;
        }
        self.ensure_driver(false)?;
        let task = self.mailbox.next_task();
        completion.task.store(task, Ordering::Release);
        completion.goes_on.store(stops, Ordering::Release);
        let message = Message::Start(task, prepared, Arc::clone(completion));
        self.mailbox.post(message).map_err(|_| self.ended())
    }

    /// Submits a chore to the driver. If that fails, the error is the chore's outcome.
    pub(super) fn start(&self, chore: Chore) {
        let stops = chore.operation.urgency() == Urgency::Stop;
        let alive = if stops { Ok(()) } else { self.check_alive() };
        let refused = match alive.and_then(|()| self.ensure_driver(false)) {
            Err(error) => Some((error, chore)),
            Ok(()) => match self.mailbox.post(Message::StartChore(chore)).map_err(|message| *message) {
                Err(Message::StartChore(chore)) => Some((self.ended(), chore)),
                _ => None,
            },
        };
        if let Some((error, mut chore)) = refused {
            chore.operation.fail(error);
        }
    }

    /// The caller has cancelled an operation.
    pub(super) fn cancelled(&self, completion: &Arc<Completion>) {
        drop(self.mailbox.post(Message::Cancelled(Arc::clone(completion))));
    }

    /// Sets how the driver is created, once.
    pub(super) fn set_driver(&self, prepare: impl Fn() -> Option<RunDriver> + Send + Sync + 'static) {
        drop(self.driver.prepare.set(Box::new(prepare)));
    }

    /// Ensures that the driver is running: there are watched sessions, or promised stops at the end.
    pub(super) fn wake_driver(&self) -> Result<()> {
        self.ensure_driver(true)?;
        self.wake.notify();
        Ok(())
    }

    /// `at_the_end`: even if the client has ended.
    fn ensure_driver(&self, at_the_end: bool) -> Result<()> {
        let mut state = lock(&self.driver.state);
        if *state != DriverState::None || self.mailbox.is_closed() {
            return Ok(());
        }
        if !at_the_end {
            // Under the lock: the code that ends the client checks afterwards whether there is a driver.
            self.check_alive()?;
        }
        let run = self.driver.prepare.get().and_then(|prepare| prepare()).ok_or_else(|| self.ended())?;
        let thread = start_thread("arr-driver", run)
            .map_err(|cause| Error::out_of_resources("no thread could be started", &cause))?;
        *lock(&self.driver.thread) = Some(thread);
        *state = DriverState::Running;
        Ok(())
    }

    pub(super) fn has_driver(&self) -> bool {
        *lock(&self.driver.state) == DriverState::Running
    }

    /// The driver has ended for good, and its thread is about to exit.
    pub(super) fn driver_ended(&self) {
        self.write_notes();
        self.close();
        *lock(&self.driver.state) = DriverState::Leaving;
        self.leave_sessions_behind();
        *lock(&self.driver.state) = DriverState::None;
        self.driver.ended.notify_all();
        self.events.posted.notify();
    }
}

/// The end of the client.
impl Core {
    /// Counts a blocking call until the result is dropped. The end of the client waits for it.
    pub(super) fn begin_call(self: &Arc<Self>) -> BlockingCall {
        self.calls.fetch_add(1, Ordering::SeqCst);
        BlockingCall { core: Arc::clone(self), _counted: self.http.workers().count() }
    }

    /// No work is left: closes the connections and the worker pool.
    pub(super) fn close(&self) {
        self.http.close();
        self.events.posted.notify();
    }

    /// Releases the records of running sessions for recovery, once this client can no longer change them. An
    /// application might never free its handles, so this does not wait for that.
    pub(super) fn leave_sessions_behind(&self) {
        if !self.is_shut_down() || self.has_driver() || self.calls.load(Ordering::SeqCst) > 0 {
            return;
        }
        // The application may keep its handles, and with them this memory, for a long time.
        self.tokens.forget();
        self.http.forget_proxy();
        if let Some(journal) = &self.journal {
            self.log.warn_of(journal.end());
        }
    }

    /// Like [`Core::leave_sessions_behind`], for a caller that must not wait for the disk.
    pub(super) fn leave_sessions_behind_soon(self: &Arc<Self>) {
        let core = Arc::clone(self);
        let leave = move || core.leave_sessions_behind();
        if self.journal.as_ref().is_some_and(|journal| journal.ends_slowly()) {
            Handover::new(leave).run(|run| self.http.workers().run_apart_always("arr-aside", run));
        } else {
            leave();
        }
    }

    /// A stop has failed. At the end, the shutdown reports that.
    pub(super) fn stop_failed(&self, error: &Error) {
        if !self.is_shut_down() || matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::ShutDown) {
            return;
        }
        let kind = match error.kind() {
            // A shutdown's own `Timeout` means "wait again", which would not help here.
            ErrorKind::Timeout => ErrorKind::Network,
            kind => kind,
        };
        lock(&self.failed_stop).get_or_insert_with(|| error.clone().recast(kind, error.message().to_owned()));
    }

    /// Waits in real time until no thread and no call is left. Returns whether that is so.
    pub(super) fn is_gone_within(&self, timeout: Duration) -> bool {
        let begun = std::time::Instant::now();
        self.wait_for_driver(timeout) && self.http.workers().wait_until_gone(timeout.saturating_sub(begun.elapsed()))
    }

    /// What failed at the end, once all threads and calls have gone.
    pub(super) fn end_result(&self) -> Result<()> {
        self.journal.as_ref().map_or(Ok(()), |journal| journal.end())?;
        lock(&self.failed_stop).clone().map_or(Ok(()), Err)
    }

    /// Whether the driver ended within this time. Then the system has ended its thread.
    fn wait_for_driver(&self, longest: Duration) -> bool {
        let state = lock(&self.driver.state);
        let waited = self.driver.ended.wait_timeout_while(state, longest, |state| *state != DriverState::None);
        if *waited.unwrap_or_else(PoisonError::into_inner).0 != DriverState::None {
            return false;
        }
        let thread = lock(&self.driver.thread).take();
        thread.into_iter().for_each(|thread| drop(thread.join()));
        true
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("shut_down", &self.is_shut_down()).finish_non_exhaustive()
    }
}

/// A blocking call in progress.
pub(super) struct BlockingCall {
    core: Arc<Core>,
    _counted: Counted,
}

impl Drop for BlockingCall {
    fn drop(&mut self) {
        // After a panic there may be some.
        self.core.write_notes();
        self.core.calls.fetch_sub(1, Ordering::SeqCst);
        self.core.leave_sessions_behind();
    }
}

//! What a client has once, however many endpoints its sessions are at: the wire, the time, the token, the events, and the
//! threads that drive what was started.

use super::keeper::Keeper;
use crate::auth::TokenCache;
use crate::client::runtime::Runtime;
use crate::clock::{Clock, Instant, Signal, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::events::{EventKind, Fact, Label, Queue};
use crate::http::{Counted, Transport, Workers};
use crate::journal::Journal;
use crate::log::Log;
use crate::model::SessionId;
use crate::protocol::{Context, Operation, Timed, Todo};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// The clients of this process that have not gone, and their threads, which may outlive them by a request.
static LIVING: Mutex<Vec<(Weak<Core>, Weak<Workers>)>> = Mutex::new(Vec::new());

/// Ends every client, and waits for all of them together.
pub(crate) fn end_all(timeout: Duration) -> Result<()> {
    let living = lock(&LIVING).clone();
    let cores: Vec<Arc<Core>> = living.iter().filter_map(|(core, _)| core.upgrade()).collect();
    cores.iter().for_each(Core::begin_end);
    let begun = std::time::Instant::now();
    let ends = cores.iter().map(|core| core.wait_for_end(timeout.saturating_sub(begun.elapsed())));
    ends.collect::<Vec<_>>().into_iter().collect::<Result<()>>()?;
    drop(cores);
    let threads = living.iter().filter_map(|(_, workers)| workers.upgrade());
    let gone = threads.map(|workers| workers.wait_until_gone(timeout.saturating_sub(begun.elapsed())));
    if gone.collect::<Vec<_>>().contains(&false) { Err(not_ended()) } else { Ok(()) }
}

fn not_ended() -> Error {
    let message =
        "the client has not ended within the time; requests on the wire end within their attempt timeout: wait again";
    Error::new(ErrorKind::Timeout, message)
}

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) transport: Arc<Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Changes when something happened that anybody may wait for.
    pub(crate) signal: Arc<Signal>,
    pub(crate) log: Arc<Log>,
    pub(crate) tokens: Arc<TokenCache>,
    /// What the operations of the account need, at the endpoint that was configured.
    pub(crate) context: Context,
    pub(crate) queue: Arc<Queue>,
    pub(crate) journal: Option<Arc<Journal>>,
    pub(crate) runtime: Runtime,
    pub(crate) keeper: Keeper,
    pub(crate) shut_down: AtomicBool,
    /// How many blocking calls are under way.
    pub(crate) calls: AtomicUsize,
    pub(crate) call_timeout: Duration,
    pub(crate) attempt_timeout: Duration,
}

impl Core {
    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(crate) fn deadline(&self, timeout: Option<Duration>) -> Instant {
        self.now() + timeout.unwrap_or(self.call_timeout)
    }

    pub(crate) fn is_shut_down(&self) -> bool {
        self.shut_down.load(Ordering::Acquire)
    }

    pub(crate) fn ended(&self) -> Error {
        Error::new(ErrorKind::ShutDown, "the client of this call was shut down or freed; make another")
    }

    pub(crate) fn check_alive(&self) -> Result<()> {
        if self.is_shut_down() { Err(self.ended()) } else { Ok(()) }
    }

    /// Drives an operation on this thread to its end, to the deadline, or to the end of the client.
    pub(crate) fn run<T>(&self, operation: impl Operation<Outcome = Result<T>>, deadline: Instant) -> Result<T> {
        let _call = self.begin_call();
        let outcome = self.drive(operation, deadline);
        if let Err(error) = &outcome {
            self.log_failure(error);
        }
        outcome
    }

    fn begin_call(&self) -> Call<'_> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        Call { core: self, _counted: self.transport.workers().count() }
    }

    pub(crate) fn log_failure(&self, error: &Error) {
        self.log.error(error.correlation_vector(), || error.message().to_owned());
    }

    /// Does something that may take a while, such as writing to a disk: not on the thread that drives everything.
    pub(crate) fn aside(&self, work: impl FnOnce() + Send + 'static) {
        if self.runtime.is_running() { self.transport.aside(work) } else { work() }
    }

    /// Notes something in the journal, if there is one, aside.
    pub(crate) fn note(&self, note: impl FnOnce(&Journal) -> Result<()> + Send + 'static) {
        if let Some(journal) = &self.journal {
            let (journal, log) = (Arc::clone(journal), Arc::clone(&self.log));
            self.aside(move || log.warn_of(note(&journal)));
        }
    }

    /// Tells that a session was to be stopped for nobody, and was not.
    pub(crate) fn left_running(&self, label: Label, id: &SessionId, error: &Error) {
        self.queue.post_fact(Fact {
            kind: EventKind::LeftRunning,
            label,
            session: Some(id.clone()),
            error: Some(error.kind()),
            index: 0,
            count: 1,
        });
    }

    /// The application has shown that it is alive.
    pub(crate) fn application_is_alive(&self) {
        if self.queue.was_awaited() {
            self.keeper.something_changed();
            self.signal.notify();
        }
    }

    /// Begins the end: no new work, and what was promised for the end.
    pub(crate) fn begin_end(self: &Arc<Self>) {
        let Some(promised) = self.keeper.hold_promises(|| !self.shut_down.swap(true, Ordering::AcqRel)) else {
            return;
        };
        if promised && let Err(error) = Core::wake_driver(self) {
            let message = format!("sessions may still be running, as nothing could stop them: {error}");
            self.runtime.stop_failed(&error.reworded(message));
            self.keeper.drop_promises();
        }
        if !self.runtime.is_running() {
            self.ended_for_good();
            self.let_go_of_sessions();
        }
        self.signal.notify();
        self.queue.posted.notify();
        self.log.written.notify();
    }

    /// Nothing is left to be done.
    pub(crate) fn ended_for_good(&self) {
        self.transport.close();
        self.queue.posted.notify();
    }

    /// Leaves what still runs to whoever recovers it, once nothing of this client can change it any more. An application may
    /// never free the handles that it has.
    pub(crate) fn let_go_of_sessions(&self) {
        let over = self.is_shut_down() && !self.runtime.is_running() && self.calls.load(Ordering::SeqCst) == 0;
        if let Some(journal) = self.journal.as_ref().filter(|_| over) {
            self.log.warn_of(journal.end());
        }
    }

    /// Waits, in real time, until no thread and no call is left.
    pub(crate) fn wait_for_end(&self, timeout: Duration) -> Result<()> {
        let begun = std::time::Instant::now();
        let gone = self.runtime.wait_until_ended(timeout)
            && self.transport.workers().wait_until_gone(timeout.saturating_sub(begun.elapsed()));
        if !gone {
            return Err(not_ended());
        }
        self.leave_the_living();
        self.journal.as_ref().map_or(Ok(()), |journal| journal.end())?;
        self.runtime.failed_stop().map_or(Ok(()), Err)
    }

    /// It has ended, and somebody was told how: [`end_all`] does not tell it again.
    fn leave_the_living(&self) {
        lock(&LIVING).retain(|(core, _)| !std::ptr::eq(core.as_ptr(), self));
    }

    /// From now on [`end_all`] ends this one too.
    pub(crate) fn join_the_living(self: &Arc<Self>) {
        let mut living = lock(&LIVING);
        living.retain(|(core, workers)| core.strong_count() > 0 || workers.strong_count() > 0);
        living.push((Arc::downgrade(self), Arc::downgrade(self.transport.workers())));
    }

    fn drive<T>(&self, operation: impl Operation<Outcome = Result<T>>, deadline: Instant) -> Result<T> {
        let mut operation = Timed::new(operation, deadline, self.attempt_timeout);
        let mut answer = None;
        loop {
            let seen = self.signal.version();
            match operation.next(self.now(), answer.take(), || self.check_alive()) {
                Todo::Done(outcome) => return outcome,
                Todo::Send(request, limit) => answer = Some(self.transport.send(&request, limit)),
                Todo::FetchToken(exchange, limit) if exchange.ahead => {
                    self.transport.start_fetching_token(*exchange, limit);
                }
                Todo::FetchToken(exchange, limit) => self.transport.fetch_token(*exchange, limit),
                Todo::SleepUntil(moment) | Todo::DozeUntil(moment, _) => self.clock.sleep(&self.signal, seen, moment),
                // Only the application can bring one.
                Todo::AwaitToken(until) if !self.tokens.is_fetching() => self.clock.sleep(&self.signal, seen, until),
                Todo::AwaitToken(until) | Todo::AwaitChange(_, until) => {
                    self.clock.wait_for_work(&self.signal, seen, until);
                }
                Todo::Work(work) => (work.0)(),
            }
        }
    }
}

/// A blocking call, from its beginning to its end. Who waits for the end of the client waits for it too.
struct Call<'a> {
    core: &'a Core,
    _counted: Counted,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.core.calls.fetch_sub(1, Ordering::SeqCst);
        self.core.let_go_of_sessions();
    }
}

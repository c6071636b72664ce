//! What a client has once, however many endpoints its sessions are at: the wire, the time, the token, the events, and the
//! threads that drive what was started.

use super::keeper::Keeper;
use crate::clock::{Clock, Instant, Signal};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::Journal;
use crate::log::Log;
use crate::operation::{Context, Operation, Timed, Todo};
use crate::queue::Queue;
use crate::runtime::Runtime;
use crate::token::TokenCache;
use crate::transport::Transport;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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
        let outcome = self.drive(operation, deadline);
        if let Err(error) = &outcome {
            self.log_failure(error);
        }
        outcome
    }

    pub(crate) fn log_failure(&self, error: &Error) {
        self.log.error(error.correlation_vector(), || error.message().to_owned());
    }

    /// Does something that may take a while, such as writing to a disk: not on the thread that drives everything.
    pub(crate) fn aside(&self, work: impl FnOnce() + Send + 'static) {
        if self.runtime.is_running() { self.transport.aside(work) } else { work() }
    }

    /// The application has shown that it is alive.
    pub(crate) fn application_is_alive(&self) {
        if self.queue.was_awaited() {
            self.keeper.something_changed();
            self.signal.notify();
        }
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
                Todo::AwaitToken(until) | Todo::AwaitChange(_, until) => {
                    self.clock.wait_for_work(&self.signal, seen, until);
                }
                Todo::Work(work) => (work.0)(),
            }
        }
    }
}

//! A client and its sessions: ties configuration, token, operations and transport together, and drives operations,
//! blocking, on the caller's thread.

mod session;

pub use crate::operation::Stopped;
pub use session::Session;

use crate::api::Service;
use crate::clock::{Clock, Instant, Signal, SystemClock};
use crate::config::ClientConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::operation::{self, Context, Operation, Step};
use crate::session::{NewSession, SessionId};
use crate::token::TokenCache;
use crate::transport::Transport;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// One account at one session service.
///
/// Every method may be called from any thread, several at a time. A client is cheap until its first call, which makes
/// the HTTP client with one thread of its own. Sessions keep what they need of their client, but end with it:
/// after [`Client::shut_down`], or when the client is dropped, their calls fail with [`ErrorKind::ShutDown`].
#[derive(Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

/// What a client and its sessions share.
#[derive(Debug)]
struct Inner {
    context: Context,
    transport: Arc<Transport>,
    clock: Arc<dyn Clock>,
    /// Changes when something happened that anybody may wait for.
    signal: Arc<Signal>,
    shut_down: AtomicBool,
    call_timeout: Duration,
    attempt_timeout: Duration,
    poll_interval: Duration,
}

impl Client {
    /// Checks a configuration and makes a client of it. Nothing is sent; a CA file is read.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] with what to do, for anything missing, malformed or out of range.
    pub fn new(config: ClientConfig) -> Result<Client> {
        Client::with_clock(config, Arc::new(SystemClock))
    }

    /// A client that lives by another clock than the machine's, for tests.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_clock(config: ClientConfig, clock: Arc<dyn Clock>) -> Result<Client> {
        let settings = config.check()?;
        let transport = Arc::new(Transport::new(&settings, Arc::clone(&clock))?);
        let signal = Arc::new(Signal::default());
        let tokens = TokenCache::new(
            settings.token_service,
            settings.account_id.clone(),
            settings.credential,
            Arc::clone(&clock),
            Arc::clone(&signal),
        );
        let service =
            Service { endpoint: settings.service, account_id: settings.account_id, version: settings.api_version };
        Ok(Client {
            inner: Arc::new(Inner {
                context: Context { service: Arc::new(service), tokens },
                transport,
                clock,
                signal,
                shut_down: AtomicBool::new(false),
                call_timeout: settings.call_timeout,
                attempt_timeout: settings.attempt_timeout,
                poll_interval: settings.poll_interval,
            }),
        })
    }

    /// Creates a rendering session, which starts, and costs money once it is ready. `POST …/sessions/create`
    ///
    /// Takes `timeout` at most (`None`: the configuration's call timeout). The session runs until it is stopped or its
    /// lease ends; dropping the returned value changes nothing about that.
    ///
    /// # Errors
    /// [`ErrorKind::OutcomeUnknown`] if the request was sent and its answer was lost: a session may be running.
    pub fn create_session(&self, new: &NewSession, timeout: Option<Duration>) -> Result<Session> {
        let inner = &self.inner;
        let created = inner.run(operation::create(&inner.context, new.clone()), inner.deadline(timeout))?;
        let session = Session::new(Arc::clone(inner), created);
        if inner.is_shut_down() {
            // Nobody can use the session: its client ended while it was being made.
            return Err(inner.give_back(session.id()));
        }
        Ok(session)
    }

    /// Opens a session that exists, by its id. `GET …/sessions/{id}/properties`
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the service does not know it.
    pub fn open_session(&self, id: &SessionId, timeout: Option<Duration>) -> Result<Session> {
        let inner = &self.inner;
        let properties = operation::properties(&inner.context, id.clone());
        let found = inner.run(properties, inner.deadline(timeout)).map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                let service = &inner.context.service;
                let message = format!(
                    "session {id} is not known to account {} at {}; check the id, the account and the endpoint",
                    service.account_id.as_str(),
                    service.endpoint
                );
                error.retold(ErrorKind::NotFound, message)
            }
            _ => error,
        })?;
        Ok(Session::new(Arc::clone(inner), found))
    }

    /// Ends the client: its calls and those of its sessions fail from now on, and waits end. Requests that are on the
    /// wire finish within their attempt timeout. Sessions are not stopped. Does not wait.
    pub fn shut_down(&self) {
        self.inner.shut_down.store(true, Ordering::Release);
        self.inner.signal.notify();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shut_down();
    }
}

impl Inner {
    fn deadline(&self, timeout: Option<Duration>) -> Instant {
        self.clock.now() + timeout.unwrap_or(self.call_timeout)
    }

    fn is_shut_down(&self) -> bool {
        self.shut_down.load(Ordering::Acquire)
    }

    fn ended(&self) -> Error {
        Error::new(ErrorKind::ShutDown, "the client of this call was shut down or freed; make another")
    }

    fn check_alive(&self) -> Result<()> {
        if self.is_shut_down() { Err(self.ended()) } else { Ok(()) }
    }

    /// Stops a session that was created for a client that has ended, and says so.
    fn give_back(&self, id: &SessionId) -> Error {
        let deadline = self.clock.now() + self.attempt_timeout;
        match self.drive(operation::stop(&self.context, id), deadline, || Ok(())) {
            Ok(_) => self.ended(),
            Err(error) => {
                let message = format!(
                    "the client ended while session {id} was created, and stopping it failed: {error}. Stop it"
                );
                error.retold(ErrorKind::ShutDown, message)
            }
        }
    }

    /// Drives an operation to its end, to the deadline, or to the end of the client.
    fn run<T>(&self, operation: impl Operation<Outcome = Result<T>>, deadline: Instant) -> Result<T> {
        self.drive(operation, deadline, || self.check_alive())
    }

    fn drive<T>(
        &self,
        mut operation: impl Operation<Outcome = Result<T>>,
        deadline: Instant,
        may_go_on: impl Fn() -> Result<()>,
    ) -> Result<T> {
        let mut answer = None;
        loop {
            let seen = self.signal.version();
            let now = self.clock.now();
            let step = operation.step(now, answer.take());
            if let Step::Done(outcome) = step {
                return outcome;
            }
            may_go_on()?;
            if now >= deadline {
                return Err(Error::new(
                    ErrorKind::Timeout,
                    "the time for the call ran out; give it more, or call again",
                ));
            }
            let limit = deadline.saturating_since(now).min(self.attempt_timeout);
            match step {
                Step::Send(request) => answer = Some(self.transport.send(&request, limit)),
                // A token that is fetched ahead of time must not use up the time of the call that happened to do it.
                Step::FetchToken(exchange) if exchange.ahead => self.transport.fetch_token(*exchange, limit / 2),
                Step::FetchToken(exchange) => self.transport.fetch_token(*exchange, limit),
                Step::SleepUntil(moment) => self.clock.sleep(&self.signal, seen, moment.min(deadline)),
                Step::AwaitToken => self.clock.wait_for_work(&self.signal, seen, deadline),
                Step::Done(_) => {}
            }
        }
    }
}

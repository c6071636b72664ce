//! A client and its sessions: ties configuration, token, operations and transport together, and drives operations,
//! blocking, on the caller's thread.

mod registry;
mod session;
mod stop_all;

pub use crate::operation::Stopped;
pub use session::Session;
pub use stop_all::{StopScope, StoppedAll};

use crate::api::Service;
use crate::clock::{Clock, Instant, Signal, SystemClock};
use crate::config::ClientConfig;
use crate::credential::Secret;
use crate::error::{Error, ErrorKind, Result};
use crate::log::{Log, LogEntry};
use crate::operation::{self, Context, Operation, Step};
use crate::pacing::Pacing;
use crate::session::{Lease, NewSession, SessionId, SessionProperties};
use crate::token::TokenCache;
use crate::transport::Transport;
use registry::Registry;
use session::Shared;
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
    registry: Registry,
    shut_down: AtomicBool,
    call_timeout: Duration,
    attempt_timeout: Duration,
}

/// An access token, as the rendering connection needs it too.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The token.
    pub token: Secret,
    /// How long it is good; `None` if it does not say.
    pub remaining: Option<Duration>,
}

/// An entry of [`Client::list_sessions`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ListedSession {
    /// What the service says about it.
    pub properties: SessionProperties,
    /// Whether this client created or opened it. Accounts are shared: others may be in use by other people.
    pub known_to_client: bool,
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
        let log = Arc::new(Log::new(settings.log_level, Arc::clone(&clock)));
        let transport = Arc::new(Transport::new(&settings, Arc::clone(&clock), Arc::clone(&log))?);
        let signal = Arc::new(Signal::default());
        let tokens = TokenCache::new(
            settings.token_service,
            settings.account_id.clone(),
            settings.credential,
            Arc::clone(&clock),
            Arc::clone(&signal),
            Arc::clone(&log),
        );
        let service =
            Service { endpoint: settings.service, account_id: settings.account_id, version: settings.api_version };
        let pacing = Arc::new(Pacing::new(settings.intervals));
        let context = Context { service: Arc::new(service), tokens, pacing, retry: settings.retry, log };
        Ok(Client {
            inner: Arc::new(Inner {
                context,
                transport,
                clock,
                signal,
                registry: Registry::default(),
                shut_down: AtomicBool::new(false),
                call_timeout: settings.call_timeout,
                attempt_timeout: settings.attempt_timeout,
            }),
        })
    }

    /// An access token for the account, from the cache or fetched: what the rendering connection is made with.
    /// `GET https://sts.{account domain}/accounts/{account}/token`
    ///
    /// Takes `timeout` at most (`None`: the configuration's call timeout).
    ///
    /// # Errors
    /// [`ErrorKind::Unauthorized`] if the token service refuses the credential.
    pub fn access_token(&self, timeout: Option<Duration>) -> Result<AccessToken> {
        let inner = &self.inner;
        inner.check_alive()?;
        let deadline = inner.deadline(timeout);
        let lent = inner.run(operation::token(&inner.context, deadline), deadline)?;
        let remaining = lent.expires.map(|expires| expires.saturating_since(inner.clock.now()));
        Ok(AccessToken { token: lent.text, remaining })
    }

    /// Creates a rendering session, which starts, and costs money once it is ready. `POST …/sessions/create`, or
    /// `PUT …/sessions/{id}` with REST 2021-01-01.
    ///
    /// Takes `timeout` at most (`None`: the configuration's call timeout). The session runs until it is stopped or its
    /// lease ends; dropping the returned value changes nothing about that.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for what the API version does not have. [`ErrorKind::Conflict`] if the id that was
    /// given is in use with other settings. [`ErrorKind::OutcomeUnknown`] if the request was sent and its answer was lost: a
    /// session may be running.
    pub fn create_session(&self, new: &NewSession, timeout: Option<Duration>) -> Result<Session> {
        let inner = &self.inner;
        let prepared = inner.context.service.prepare(new)?;
        inner.warn_of_lease(prepared.max_lease);
        // An id that was made up here cannot be anybody else's; one that was given may be.
        let made_up = prepared.id.clone().filter(|_| new.id.is_none());
        let (id, deadline) = (prepared.id.clone(), inner.deadline(timeout));
        let create = operation::create(&inner.context, prepared, made_up.is_some(), deadline);
        let created = match inner.run(create, deadline) {
            Ok(created) => created,
            Err(error) => return Err(inner.create_failed(error, id, made_up)),
        };
        let session = created.session;
        inner.context.log.info(None, || {
            let what = if created.existed { "existed already" } else { "is created" };
            format!("session {} {what}", session.id)
        });
        let size = session.size.clone();
        let shared = Shared::new(inner, session);
        let shared = if created.existed { inner.registry.opened(shared) } else { inner.registry.created(shared, size) };
        if inner.is_shut_down() && !created.existed {
            // Nobody can use the session: its client ended while it was being made.
            return Err(inner.give_back(shared.id()));
        }
        Ok(Session::new(Arc::clone(inner), shared))
    }

    /// Opens a session that exists, by its id. `GET …/sessions/{id}/properties`
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the service does not know it.
    pub fn open_session(&self, id: &SessionId, timeout: Option<Duration>) -> Result<Session> {
        let inner = &self.inner;
        let deadline = inner.deadline(timeout);
        let id = &inner.context.service.spelled(id);
        let known = inner.registry.find(id).map(|shared| (shared.epoch(), shared));
        let stops = inner.registry.stops();
        let read = operation::properties(&inner.context, id.clone(), deadline);
        let found = inner.run(read, deadline).map_err(|error| match error.kind() {
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
        let shared = match known {
            Some((epoch, shared)) => {
                shared.was_read(epoch, found, inner);
                shared
            }
            None => {
                let shared = inner.registry.opened(Shared::new(inner, inner.registry.complete(found)));
                if stops != inner.registry.stops() {
                    // A session was stopped meanwhile, perhaps this one: what was read may tell of the time before.
                    shared.forget_readings(inner);
                }
                shared
            }
        };
        Ok(Session::new(Arc::clone(inner), shared))
    }

    /// The account's sessions that have not ended, whoever created them. `GET …/sessions`
    ///
    /// Takes `timeout` at most (`None`: the configuration's call timeout). To do something with one, open it.
    ///
    /// # Errors
    /// Those of the network and of the credential.
    pub fn list_sessions(&self, timeout: Option<Duration>) -> Result<Vec<ListedSession>> {
        let inner = &self.inner;
        let deadline = inner.deadline(timeout);
        let sessions = inner.run(operation::list(&inner.context, deadline), deadline)?;
        let listed = |properties: SessionProperties| ListedSession {
            known_to_client: inner.registry.knows(&properties.id),
            properties: inner.registry.complete(properties),
        };
        Ok(sessions.into_iter().map(listed).collect())
    }

    /// Stops many sessions: those that this client created, or all of the account. `DELETE …/sessions/{id}` for each, up
    /// to eight at a time; for the whole account after `GET …/sessions`.
    ///
    /// Takes `timeout` at most (`None`: the configuration's call timeout). One that cannot be stopped holds up no other;
    /// what failed is in the result.
    ///
    /// # Errors
    /// Only if the account's sessions could not be listed: then nothing was stopped.
    pub fn stop_all(&self, scope: StopScope, timeout: Option<Duration>) -> Result<StoppedAll> {
        stop_all::run(&self.inner, scope, self.inner.deadline(timeout))
    }

    /// The oldest line of the log that is left, waiting for one up to `timeout`; `None` if there was none. What is written
    /// is told by [`ClientConfig::log_level`].
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`] once the client has ended and all lines are pulled.
    pub fn next_log(&self, timeout: Duration) -> Result<Option<LogEntry>> {
        let inner = &self.inner;
        let log = &inner.context.log;
        let deadline = inner.clock.now() + timeout;
        loop {
            let seen = log.written.version();
            if let Some(entry) = log.take() {
                return Ok(Some(entry));
            }
            inner.check_alive()?;
            if inner.clock.now() >= deadline {
                return Ok(None);
            }
            inner.clock.sleep(&log.written, seen, deadline);
        }
    }

    /// Ends the client: its calls and those of its sessions fail from now on, and waits end. Requests that are on the
    /// wire finish within their attempt timeout. Sessions are not stopped. Does not wait.
    pub fn shut_down(&self) {
        self.inner.shut_down.store(true, Ordering::Release);
        self.inner.signal.notify();
        self.inner.context.log.written.notify();
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

    /// What a failed create means, and does: an id that was made up here, and that may have a session now, is the client's
    /// own.
    fn create_failed(&self, error: Error, id: Option<SessionId>, made_up: Option<SessionId>) -> Error {
        if !error.is_outcome_unknown() {
            return error;
        }
        let error = match error.kind() {
            ErrorKind::OutcomeUnknown => error,
            // The client ended, or the time was over, between two tries.
            _ => operation::unknown_outcome(error, id.as_ref()),
        };
        match made_up {
            Some(id) if self.is_shut_down() => self.give_back(&id),
            Some(id) => {
                self.registry.claim(&id);
                error
            }
            None => error,
        }
    }

    /// Stops a session that was created for a client that has ended, and says so.
    fn give_back(&self, id: &SessionId) -> Error {
        let deadline = self.clock.now() + self.attempt_timeout;
        match self.drive(operation::stop(&self.context, id, false, deadline), deadline, || Ok(())) {
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
        let outcome = self.drive(operation, deadline, || self.check_alive());
        if let Err(error) = &outcome {
            self.context.log.error(error.correlation_vector(), || error.message().to_owned());
        }
        outcome
    }

    /// Stops a session that this client knows.
    fn stop(&self, id: &SessionId, deadline: Instant) -> Result<Stopped> {
        let shared = self.registry.find(id);
        // Before, so that no reading that is under way counts; and after, whatever came of it, for those begun meanwhile.
        let forget_readings = || shared.iter().for_each(|shared| shared.forget_readings(self));
        forget_readings();
        let stopped =
            self.run(operation::stop(&self.context, id, self.registry.may_be_stopped(id), deadline), deadline);
        self.registry.stop_ended(id, &stopped);
        match &stopped {
            Ok(stopped) => {
                shared.iter().for_each(|shared| shared.was_stopped(self));
                let how = if stopped.already_gone { "had ended already" } else { "is stopped" };
                self.context.log.info(None, || format!("session {id} {how}"));
            }
            Err(_) => forget_readings(),
        }
        stopped
    }

    /// Nothing bounds a lease in the documentation, so it is sent as it is.
    fn warn_of_lease(&self, lease: Lease) {
        if !Lease::USUAL.contains(&lease.duration()) {
            self.context.log.warning(None, || {
                format!(
                    "a lease of {} s is unusual: services know leases from a minute to a day",
                    lease.duration().as_secs()
                )
            });
        }
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
            may_go_on().map_err(|error| error.maybe_done(operation.maybe_done()))?;
            if now >= deadline {
                let message = "the time for the call ran out; give it more, or call again";
                return Err(Error::new(ErrorKind::Timeout, message).maybe_done(operation.maybe_done()));
            }
            let limit = deadline.saturating_since(now).min(self.attempt_timeout);
            match step {
                Step::Send(request) => answer = Some(self.transport.send(&request, limit)),
                // A token that is fetched ahead of time must not use up the time of the call that happened to ask for it.
                Step::FetchToken(exchange) if exchange.ahead => {
                    self.transport.start_fetching_token(*exchange, self.attempt_timeout);
                }
                Step::FetchToken(exchange) => self.transport.fetch_token(*exchange, limit),
                Step::SleepUntil(moment) => self.clock.sleep(&self.signal, seen, moment.min(deadline)),
                Step::AwaitToken => self.clock.wait_for_work(&self.signal, seen, deadline),
                Step::Done(_) => {}
            }
        }
    }
}

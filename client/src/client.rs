//! A client and its sessions: ties configuration, token, operations and transport together. Blocking calls are driven on
//! the caller's thread, started ones by the runtime.
//!
//! | file | noun |
//! |---|---|
//! | `core` | what a client has once: the wire, the time, the token, the events, the threads |
//! | `site` | the account at one endpoint, and what can be done there |
//! | `create`, `stop_all`, `recover` | the operations that are more than one request |
//! | `shared`, `session`, `registry` | one session: what is known of it, how an application holds it, which there are |
//! | `care`, `keeper` | how a session is looked after, and who does it |
//! | `suspend` | the application is suspended, and comes back |
//! | `started`, `runtime` | an operation as an application holds it, and what drives it |

mod care;
pub(crate) mod core;
mod create;
mod keeper;
mod recover;
mod registry;
pub(crate) mod runtime;
mod session;
mod shared;
mod site;
pub(crate) mod started;
mod stop_all;
mod suspend;

pub use crate::protocol::Stopped;
pub use care::{KeepAlive, OnSuspend, WatchOptions};
pub use recover::{Claim, Recovered, Resume};
pub use session::Session;
pub use started::{OperationState, Outcome, StartedOperation};
pub use stop_all::{StopScope, StoppedAll};

pub(crate) use self::core::Core;
pub(crate) use started::{Job, Ticket, cancelled};

use crate::auth::{Lent, TokenCache, TokenSource};
use crate::client::runtime::{Prepared, Same, Urgency};
use crate::clock::{Clock, Instant, Signal, SystemClock, lock};
use crate::config::ClientConfig;
use crate::config::Secret;
#[allow(unused_imports, reason = "for the documentation")]
use crate::error::ErrorKind;
use crate::error::{Error, Result};
use crate::events::{Event, Label, Queue};
use crate::http::Transport;
use crate::journal::Journal;
use crate::log::{Log, LogEntry};
use crate::model::{NewSession, SessionId, SessionProperties};
use crate::protocol::Pacing;
use crate::protocol::{self, Context, Operation};
use crate::wire::Service;
use create::CreateSession;
use recover::{Recover, ResumeOrCreate, Sites};
use site::Site;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use stop_all::StopAll;

/// One account at one session service.
///
/// Every method may be called from any thread, several at a time. A client is cheap until its first call, which makes
/// the HTTP client with one thread of its own; the first started operation makes the thread that drives them. Sessions
/// keep what they need of their client, but end with it: after [`Client::shut_down`], or when the client is dropped, their
/// calls fail with [`ErrorKind::ShutDown`].
#[derive(Debug)]
pub struct Client {
    core: Arc<Core>,
    /// The endpoint that was configured.
    home: Arc<Site>,
    /// Those of sessions that were found in the journal.
    others: Arc<Mutex<Vec<Arc<Site>>>>,
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
    /// Checks a configuration and makes a client of it. Nothing is sent; a CA file is read, and a journal is opened.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] with what to do, for anything missing, malformed or out of range;
    /// [`ErrorKind::Storage`] if the journal cannot be used.
    pub fn new(config: ClientConfig) -> Result<Client> {
        Client::with_clock(config, Arc::new(SystemClock))
    }

    /// A client that lives by another clock than the machine's, for tests.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_clock(config: ClientConfig, clock: Arc<dyn Clock>) -> Result<Client> {
        let settings = config.check()?;
        let service = Service::of(&settings);
        let log = Arc::new(Log::new(settings.log_level, Arc::clone(&clock)));
        let transport = Arc::new(Transport::new(&settings, Arc::clone(&clock), Arc::clone(&log))?);
        let signal = Arc::new(Signal::default());
        let queue = Queue::new(Arc::clone(&clock));
        let journal = settings.journal.as_deref().map(|path| Journal::open(path, Arc::clone(&clock))).transpose()?;
        let tokens = TokenCache::new(
            TokenSource {
                token_service: settings.token_service,
                account_id: settings.account_id.clone(),
                credential: settings.credential,
                on_request: settings.token_on_request,
            },
            Arc::clone(&clock),
            Arc::clone(&signal),
            Arc::clone(&queue),
            Arc::clone(&log),
        );
        let pacing = Arc::new(Pacing::new(settings.intervals));
        let context = Context {
            service: Arc::new(service),
            tokens: Arc::clone(&tokens),
            pacing,
            retry: settings.retry,
            log: Arc::clone(&log),
        };
        let core = Arc::new(Core {
            transport,
            clock,
            signal,
            log,
            tokens,
            context: context.clone(),
            queue,
            journal: journal.map(Arc::new),
            runtime: Default::default(),
            keeper: Default::default(),
            shut_down: false.into(),
            calls: 0.into(),
            call_timeout: settings.call_timeout,
            attempt_timeout: settings.attempt_timeout,
        });
        core.join_the_living();
        let home = Site::new(&core, context);
        Ok(Client { core, home, others: Arc::default() })
    }

    /// An access token for the account, from the cache or fetched: what the rendering connection is made with.
    /// `GET https://sts.{account domain}/accounts/{account}/token`
    ///
    /// Takes `timeout` at most (`None`: the configuration's call timeout).
    ///
    /// # Errors
    /// [`ErrorKind::Unauthorized`] if the token service refuses the credential.
    pub fn access_token(&self, timeout: Option<Duration>) -> Result<AccessToken> {
        self.core.check_alive()?;
        let deadline = self.core.deadline(timeout);
        self.core.run(self.token(deadline), deadline)
    }

    /// The same, started. Several that are started at about the same time are one request.
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`], or [`ErrorKind::Internal`] if there is no thread to be had.
    pub fn access_token_start(&self, timeout: Option<Duration>, label: Label) -> Result<StartedOperation> {
        self.prepare_access_token(timeout, label)?.begun()
    }

    #[doc(hidden)]
    pub fn prepare_access_token(&self, timeout: Option<Duration>, label: Label) -> Result<StartedOperation> {
        let deadline = self.core.deadline(timeout);
        let job = self.token(deadline).then(|token: Result<AccessToken>| token.map(Outcome::Token));
        self.prepare(label, job, deadline, Some(Same::Token), Urgency::Usual)
    }

    fn token(&self, deadline: Instant) -> impl Operation<Outcome = Result<AccessToken>> + Send + 'static {
        let clock = Arc::clone(&self.core.clock);
        protocol::token(&self.home.context, deadline).then(move |lent: Result<Lent>| {
            let lent = lent?;
            let remaining = lent.expires.map(|expires| expires.saturating_since(clock.now()));
            Ok(AccessToken { token: lent.text, remaining })
        })
    }

    /// Creates a rendering session, which starts, and costs money once it is ready. `POST …/sessions/create`, or
    /// `PUT …/sessions/{id}` with REST 2021-01-01.
    ///
    /// Takes `timeout` at most (`None`: the configuration's call timeout). The session runs until it is stopped or its
    /// lease ends; dropping the returned value changes nothing about that. With a journal it is noted there before
    /// anything is sent.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for what the API version does not have. [`ErrorKind::Conflict`] if the id that was
    /// given is in use with other settings. [`ErrorKind::OutcomeUnknown`] if the request was sent and its answer was lost: a
    /// session may be running. [`ErrorKind::Storage`] if the journal cannot be written: then nothing was sent.
    pub fn create_session(&self, new: &NewSession, timeout: Option<Duration>) -> Result<Session> {
        let deadline = self.core.deadline(timeout);
        self.core.run(self.home.create(new, None, deadline)?, deadline)
    }

    /// The same, started. A session whose id comes back to an operation that was cancelled is stopped. A create whose answer
    /// was lost is told by [`EventKind::CreateLost`](crate::EventKind::CreateLost) too, with the sessions that it may have
    /// made.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`], [`ErrorKind::ShutDown`], or [`ErrorKind::Internal`] if there is no thread to be had;
    /// those of the create itself are the operation's.
    pub fn create_session_start(
        &self,
        new: &NewSession,
        timeout: Option<Duration>,
        label: Label,
    ) -> Result<StartedOperation> {
        self.prepare_create_session(new, timeout, label)?.begun()
    }

    #[doc(hidden)]
    pub fn prepare_create_session(
        &self,
        new: &NewSession,
        timeout: Option<Duration>,
        label: Label,
    ) -> Result<StartedOperation> {
        let deadline = self.core.deadline(timeout);
        let create: CreateSession = self.home.create(new, Some(label), deadline)?;
        let job = create.then(|session: Result<Session>| Ok(Outcome::Session { session: session?, resumed: false }));
        self.prepare(label, job, deadline, None, Urgency::Usual)
    }

    /// Opens a session that exists, by its id. `GET …/sessions/{id}/properties`
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the service does not know it.
    pub fn open_session(&self, id: &SessionId, timeout: Option<Duration>) -> Result<Session> {
        self.core.check_alive()?;
        let deadline = self.core.deadline(timeout);
        self.core.run(self.home.open(id, deadline), deadline)
    }

    /// The same, started.
    ///
    /// # Errors
    /// As [`Client::access_token_start`].
    pub fn open_session_start(
        &self,
        id: &SessionId,
        timeout: Option<Duration>,
        label: Label,
    ) -> Result<StartedOperation> {
        self.prepare_open_session(id, timeout, label)?.begun()
    }

    #[doc(hidden)]
    pub fn prepare_open_session(
        &self,
        id: &SessionId,
        timeout: Option<Duration>,
        label: Label,
    ) -> Result<StartedOperation> {
        let deadline = self.core.deadline(timeout);
        let open = self.home.open(id, deadline);
        let job = open.then(|session: Result<Session>| Ok(Outcome::Session { session: session?, resumed: true }));
        self.prepare(label, job, deadline, None, Urgency::Usual)
    }

    /// The account's sessions that have not ended, whoever created them. `GET …/sessions`
    ///
    /// Takes `timeout` at most (`None`: the configuration's call timeout). To do something with one, open it.
    ///
    /// # Errors
    /// Those of the network and of the credential.
    pub fn list_sessions(&self, timeout: Option<Duration>) -> Result<Vec<ListedSession>> {
        let deadline = self.core.deadline(timeout);
        self.core.run(self.home.list(deadline), deadline)
    }

    /// The same, started. Several that are started at about the same time are one request.
    ///
    /// # Errors
    /// As [`Client::access_token_start`].
    pub fn list_sessions_start(&self, timeout: Option<Duration>, label: Label) -> Result<StartedOperation> {
        self.prepare_list_sessions(timeout, label)?.begun()
    }

    #[doc(hidden)]
    pub fn prepare_list_sessions(&self, timeout: Option<Duration>, label: Label) -> Result<StartedOperation> {
        let deadline = self.core.deadline(timeout);
        let job = self.home.list(deadline).then(|list: Result<Vec<ListedSession>>| list.map(Outcome::Sessions));
        let same = Same::List(self.home.number(), self.home.registry.changes());
        self.prepare(label, job, deadline, Some(same), Urgency::Usual)
    }

    /// Creates a session, unless there is one to go on with: the one whose id is given, or one that the journal has, of this
    /// client or of an owner that is dead, at this endpoint and of this size; starting or ready, with enough of its lease
    /// left. Returns it, and whether it was there before.
    ///
    /// Takes `timeout` at most (`None`: the configuration's call timeout).
    ///
    /// # Errors
    /// Those of [`Client::create_session`]; and if a session could not be looked at, that failure: then none is created.
    pub fn resume_or_create(
        &self,
        new: &NewSession,
        resume: Resume,
        timeout: Option<Duration>,
    ) -> Result<(Session, bool)> {
        self.core.check_alive()?;
        let deadline = self.core.deadline(timeout);
        self.core.run(ResumeOrCreate::new(&self.home, new, resume, None, deadline)?, deadline)
    }

    /// The same, started.
    ///
    /// # Errors
    /// As [`Client::create_session_start`].
    pub fn resume_or_create_start(
        &self,
        new: &NewSession,
        resume: Resume,
        timeout: Option<Duration>,
        label: Label,
    ) -> Result<StartedOperation> {
        self.prepare_resume_or_create(new, resume, timeout, label)?.begun()
    }

    #[doc(hidden)]
    pub fn prepare_resume_or_create(
        &self,
        new: &NewSession,
        resume: Resume,
        timeout: Option<Duration>,
        label: Label,
    ) -> Result<StartedOperation> {
        let deadline = self.core.deadline(timeout);
        let resume_or_create = ResumeOrCreate::new(&self.home, new, resume, Some(label), deadline)?;
        let job = resume_or_create.then(|session: Result<(Session, bool)>| {
            session.map(|(session, resumed)| Outcome::Session { session, resumed })
        });
        self.prepare(label, job, deadline, None, Urgency::Usual)
    }

    /// What earlier owners of the journal, which are dead, have left behind of this account, and the service still has; each
    /// session at the endpoint where it was created. They are this client's from now on. The sessions of an owner that lives,
    /// in this process or another, are never among them.
    ///
    /// Takes `timeout` at most (`None`: the configuration's call timeout).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the client has no journal; [`ErrorKind::Storage`]; those of the network, if no
    /// session could be looked at. What could not be looked at is left for the next time; so is, for a minute, a create that
    /// may still arrive.
    pub fn recover_sessions(&self, timeout: Option<Duration>) -> Result<Vec<Recovered>> {
        self.core.check_alive()?;
        let deadline = self.core.deadline(timeout);
        self.core.run(self.recovering(deadline)?, deadline)
    }

    /// The same, started.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the client has no journal; and as [`Client::access_token_start`].
    pub fn recover_sessions_start(&self, timeout: Option<Duration>, label: Label) -> Result<StartedOperation> {
        self.prepare_recover_sessions(timeout, label)?.begun()
    }

    #[doc(hidden)]
    pub fn prepare_recover_sessions(&self, timeout: Option<Duration>, label: Label) -> Result<StartedOperation> {
        let deadline = self.core.deadline(timeout);
        let job = self.recovering(deadline)?.then(|found: Result<Vec<Recovered>>| found.map(Outcome::Recovered));
        self.prepare(label, job, deadline, None, Urgency::Usual)
    }

    fn recovering(&self, deadline: Instant) -> Result<Recover> {
        let journal = self.core.journal.as_ref().ok_or_else(|| {
            Error::invalid_argument(
                "the client has no journal; give it a path for one, always the same, when it is made",
            )
        })?;
        Ok(Recover::new(Sites::of(self), journal, deadline))
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
        self.core.check_alive()?;
        let deadline = self.core.deadline(timeout);
        self.core.run(self.stopping_all(scope, deadline), deadline)
    }

    /// The same, started.
    ///
    /// # Errors
    /// As [`Client::access_token_start`].
    pub fn stop_all_start(
        &self,
        scope: StopScope,
        timeout: Option<Duration>,
        label: Label,
    ) -> Result<StartedOperation> {
        self.prepare_stop_all(scope, timeout, label)?.begun()
    }

    #[doc(hidden)]
    pub fn prepare_stop_all(
        &self,
        scope: StopScope,
        timeout: Option<Duration>,
        label: Label,
    ) -> Result<StartedOperation> {
        let deadline = self.core.deadline(timeout);
        let job = self.stopping_all(scope, deadline).then(|all: Result<StoppedAll>| all.map(Outcome::StoppedAll));
        self.prepare(label, job, deadline, None, Urgency::Stop)
    }

    fn stopping_all(&self, scope: StopScope, deadline: Instant) -> StopAll {
        match scope {
            StopScope::Own => {
                let mut sites = vec![Arc::clone(&self.home)];
                sites.extend(lock(&self.others).iter().cloned());
                StopAll::own(&self.core, &sites, deadline)
            }
            StopScope::Account => StopAll::account(&self.core, &self.home, deadline),
        }
    }

    fn prepare(
        &self,
        label: Label,
        job: impl Operation<Outcome = Result<Outcome>> + Send + 'static,
        deadline: Instant,
        same: Option<Same>,
        urgency: Urgency,
    ) -> Result<StartedOperation> {
        self.core.check_alive()?;
        let prepared = Prepared { job: Box::new(job), deadline, same, urgency };
        Ok(StartedOperation::prepare(&self.core, label, prepared))
    }

    /// The next event: an operation that was started has ended, or something happened to a session that is watched. Waits for
    /// one up to `timeout`; `None` if there was none. With a timeout of zero it neither waits nor allocates. One caller at a
    /// time.
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`] once the client has ended and all events are pulled.
    pub fn next_event(&self, timeout: Duration) -> Result<Option<Event>> {
        let core = &self.core;
        let mut deadline = None;
        loop {
            let seen = core.queue.posted.version();
            core.tokens.look_at_hosts_token(core.now());
            let event = core.queue.pull();
            core.application_is_alive();
            if event.is_some() {
                return Ok(event);
            }
            if core.is_shut_down() && !core.runtime.is_running() {
                // Its last event may have come between the two looks.
                let event = core.queue.pull();
                return if event.is_some() { Ok(event) } else { Err(core.ended()) };
            }
            if timeout.is_zero() {
                return Ok(None);
            }
            let now = core.now();
            let deadline = *deadline.get_or_insert(now + timeout);
            if now >= deadline {
                return Ok(None);
            }
            core.clock.wait_for_work(&core.queue.posted, seen, deadline.min(core.tokens.asks_at()));
        }
    }

    /// The oldest line of the log that is left, waiting for one up to `timeout`; `None` if there was none. What is written
    /// is told by [`ClientConfig::log_level`].
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`] once the client has ended and all lines are pulled.
    pub fn next_log(&self, timeout: Duration) -> Result<Option<LogEntry>> {
        let core = &self.core;
        let log = &core.log;
        let deadline = core.now() + timeout;
        loop {
            let seen = log.written.version();
            if let Some(entry) = log.take() {
                return Ok(Some(entry));
            }
            core.check_alive()?;
            if core.now() >= deadline {
                return Ok(None);
            }
            core.clock.sleep(&log.written, seen, deadline);
        }
    }

    /// Gives a new token, of the kind that the client was made with: the answer to
    /// [`EventKind::TokenNeeded`](crate::EventKind::TokenNeeded). Calls that wait for it go on.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if it cannot be a token, or the client was made with an account key.
    pub fn set_token(&self, token: impl Into<Secret>) -> Result<()> {
        self.core.check_alive()?;
        self.core.tokens.set(token.into())
    }

    /// Ends the client: its calls and those of its sessions fail from now on, and waits end. Operations that were started
    /// are cancelled, but for stops. Sessions that were watched with [`WatchOptions::stop_on_shutdown`] are stopped; no
    /// others are. Does not wait; requests that are on the wire finish within their attempt timeout.
    pub fn shut_down(&self) {
        self.core.begin_end();
    }

    /// The same, and waits until all of that is done and no thread of the client is left, up to `timeout`. (Name lookups,
    /// which the system cannot break off, go on by themselves.)
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] if something was left then; it may be called again. Else the first failure of a stop.
    pub fn shut_down_within(&self, timeout: Duration) -> Result<()> {
        self.core.begin_end();
        self.core.wait_for_end(timeout)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shut_down();
    }
}

/// Ends every client of the process, all at once, and waits for that as [`Client::shut_down_within`] does. New ones may be made
/// afterwards.
///
/// # Errors
/// [`ErrorKind::Timeout`] if something was left of one of them; it may be called again. Else the first failure of a stop.
pub fn shut_down_all(timeout: Duration) -> Result<()> {
    core::end_all(timeout)
}

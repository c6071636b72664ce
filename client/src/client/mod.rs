//! Clients, their sessions, and their operations.
//!
//! From the bottom up; each module uses only those above it in this table:
//!
//! | module | contents |
//! |---|---|
//! | `wake`, `completion`, `mailbox` | wake-ups; the completion of an operation; messages to the driver |
//! | `core` | what a client has once: HTTP, clock, tokens, events, journal |
//! | `interpreter` | executes operations, on the caller's thread or in the driver |
//! | `operation`, `call` | a started operation; a call before it is run or started |
//! | `state` | the cached state of a session, watching and keep-alive |
//! | `account`, `accounts` | the sessions of one endpoint; the endpoints of a client |
//! | `calls` | the operations of a client, one file each |
//! | `session` | the application's handle of a session |
//! | `inner`, `driver` | creating and ending a client; the thread that runs started operations, and the monitor |

mod account;
mod accounts;
mod call;
mod calls;
mod completion;
mod core;
mod creates;
mod driver;
mod inner;
mod interpreter;
mod mailbox;
mod operation;
mod session;
mod state;
mod wake;

pub use self::call::Call;
pub use self::calls::{AccessToken, Claim, ListedSession, RecordedSession, Reuse, StopScope, StoppedAll};
pub use self::completion::OperationState;
pub use self::operation::{AnyOperation, StartedOperation};
pub use self::session::Session;
pub use self::state::{KeepAlive, OnSuspend, WatchOptions};
pub use crate::protocol::Stopped;

use self::account::KnownSession;
use self::call::Made;
use self::calls::Origin;
use self::completion::Value;
use self::inner::ClientInner;
use self::mailbox::JoinKey;
use crate::clock::{Clock, SystemClock};
use crate::config::{ClientConfig, Secret};
#[allow(unused_imports, reason = "for the documentation")]
use crate::error::ErrorKind;
use crate::error::Result;
use crate::events::Event;
use crate::log::LogEntry;
use crate::model::{NewSession, OperationKind, SessionId, SessionProperties};
use crate::protocol::Operation as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// One account at one session service.
///
/// Every method may be called from any thread, several at a time. A client is cheap until its first call, which creates
/// the HTTP client with its own thread. The first started operation, wait or watched session creates the driver's
/// thread.
///
/// Once the client is [shut down](Client::shut_down) or dropped, [calls](Call) of its sessions fail with
/// [`ErrorKind::ShutDown`]. Cached state remains readable: [`Session::known_properties`], [`Session::snapshot`],
/// [`Session::reply`].
///
/// A forked child must not use its parent's clients: their calls fail with [`ErrorKind::Forked`], and dropping them has
/// no effect. New clients work.
#[derive(Debug)]
pub struct Client {
    inner: Arc<ClientInner>,
}

/// A session that an earlier owner of the journal left behind, and that still exists.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recovered {
    /// The session, at the endpoint where it was created.
    pub session: Session,
    /// How certain it is that this application created the session.
    pub claim: Claim,
}

/// The result of [`Client::reuse_or_create`] and [`Client::create_or_open`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reused {
    /// The session.
    pub session: Session,
    /// Whether the session already existed, possibly under the id given for a new one. If not, it was created.
    pub reused: bool,
    /// A client that has ended had left it behind.
    adopted: bool,
}

impl Client {
    /// Validates a configuration and creates a client. Sends nothing; reads the CA file and opens the journal, if
    /// configured.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for anything missing, malformed or out of range; the message says what to do.
    /// [`ErrorKind::Storage`] if the journal cannot be used.
    pub fn new(config: ClientConfig) -> Result<Client> {
        Client::by_clock(config, Arc::new(SystemClock))
    }

    /// A client with another clock, for tests.
    ///
    /// # Errors
    /// As [`Client::new`].
    #[cfg(feature = "test-util")]
    pub fn with_clock(config: ClientConfig, clock: Arc<dyn Clock>) -> Result<Client> {
        Client::by_clock(config, clock)
    }

    fn by_clock(config: ClientConfig, clock: Arc<dyn Clock>) -> Result<Client> {
        let inner = ClientInner::new(config, clock)?;
        driver::attach(&inner);
        Ok(Client { inner })
    }

    /// Gets an access token for the account, cached or fetched, for use by the rendering connection. `GET
    /// https://sts.{account domain}/accounts/{account}/token`. Calls started at about the same time share one request.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthorized`] if the token service refuses the credential.
    pub fn access_token(&self) -> Call<AccessToken> {
        let home = Arc::clone(&self.inner.accounts.home);
        Call::new(&self.inner.core, OperationKind::GetToken, move |terms| {
            Ok(Made::new(calls::access_token(&home, terms.deadline)).joined(JoinKey::Token))
        })
    }

    /// Creates a rendering session. It returns while the session is starting; the session costs money once it is ready.
    /// `POST …/sessions/create`, or `PUT …/sessions/{id}` with REST 2021-01-01.
    ///
    /// The session runs until it is stopped or its lease expires; dropping the returned value does not stop it. With a
    /// journal, it is recorded before anything is sent.
    ///
    /// A started create can be cancelled: if its session id still arrives, that session is stopped. If its reply is
    /// lost, [`EventKind::CreateLost`](crate::EventKind::CreateLost) also names the sessions that the create may have
    /// made. A blocking create returns only the error, whose message names the id with REST 2021-01-01.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for parameters that the API version does not support. [`ErrorKind::Conflict`] if
    /// the given id is in use with other settings. [`ErrorKind::OutcomeUnknown`] if the request was sent and its reply
    /// was lost: a session may be running. [`ErrorKind::Storage`] if the journal cannot be written; then nothing was
    /// sent.
    pub fn create_session(&self, new: &NewSession) -> Call<Session> {
        self.creating(new, |created| created.session).unclaimed(Session::give_back)
    }

    /// [`Client::create_session`], for a caller that must know whether a session with the given id already existed, and
    /// so may be another's.
    ///
    /// # Errors
    /// Those of [`Client::create_session`].
    pub fn create_or_open(&self, new: &NewSession) -> Call<Reused> {
        self.creating(new, |created| created).unclaimed(Reused::give_back)
    }

    fn creating<T: Value>(&self, new: &NewSession, value: fn(Reused) -> T) -> Call<T> {
        let (home, new, id) = (Arc::clone(&self.inner.accounts.home), new.clone(), new.id.clone());
        let call = Call::new(&self.inner.core, OperationKind::CreateSession, move |terms| {
            let create = calls::create(&home, &new, terms.label, terms.deadline)?;
            let id = create.chosen_id();
            Ok(Made::new(create.then(move |created: Result<_>| created.map(Reused::from).map(value))).of(id))
        });
        call.of(id)
    }

    /// Opens an existing session by its id. `GET …/sessions/{id}/properties`
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the service does not know it.
    pub fn open_session(&self, id: &SessionId) -> Call<Session> {
        let (home, about, id) = (Arc::clone(&self.inner.accounts.home), id.clone(), id.clone());
        let call = Call::new(&self.inner.core, OperationKind::OpenSession, move |terms| {
            let open = calls::open(&home, &id, terms.deadline);
            Ok(Made::new(open.then(|opened: Result<KnownSession>| opened.map(Session::from))))
        });
        call.of(Some(about))
    }

    /// Lists the account's sessions that have not ended, including those of other clients. `GET …/sessions`. To use
    /// one, [open](Client::open_session) it. Calls started at about the same time share one request.
    pub fn list_sessions(&self) -> Call<Vec<ListedSession>> {
        let home = Arc::clone(&self.inner.accounts.home);
        Call::new(&self.inner.core, OperationKind::ListSessions, move |terms| {
            let join = JoinKey::List(home.number(), home.registry.changes());
            Ok(Made::new(calls::list(&home, terms.deadline)).joined(join))
        })
    }

    /// Reuses a suitable session if there is one; otherwise creates one. Candidates are the session with the given id,
    /// and those in the journal that belong to this client or to a dead owner, at this endpoint, with this API version
    /// and size. A suitable session is starting or ready, with enough of its lease left.
    ///
    /// # Errors
    /// Those of [`Client::create_session`]. If a candidate cannot be read, that error; then no session is created.
    pub fn reuse_or_create(&self, new: &NewSession, reuse: Reuse) -> Call<Reused> {
        let (home, new) = (Arc::clone(&self.inner.accounts.home), new.clone());
        let call = Call::new(&self.inner.core, OperationKind::ReuseOrCreate, move |terms| {
            let operation = calls::reuse_or_create(&home, &new, reuse, terms.label, terms.deadline)?;
            Ok(Made::new(operation.then(|found: Result<_>| found.map(Reused::from))))
        });
        call.unclaimed(Reused::give_back)
    }

    /// Recovers the sessions of this account that dead owners of the journal left behind and that still exist, each at
    /// the endpoint where it was created. Those with [`Claim::Ours`] belong to this client from now on. Sessions that a
    /// live owner, in this process or another, is known to have created are never included, nor are
    /// [released](Session::release) ones. What a live owner's lost create may have made is at most a
    /// [`Claim::Candidate`].
    ///
    /// Only the client's own endpoint and the [trusted](ClientConfig::trusted_endpoints) ones are contacted. Sessions
    /// at other endpoints, and files in the journal folder that this version cannot read, are left alone and reported
    /// in the log.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the client has no journal; [`ErrorKind::Storage`], or a network error, if no
    /// session could be checked. Sessions that could not be checked are left for the next call. So is, for a minute, a
    /// create that may still arrive at the service.
    pub fn recover_sessions(&self) -> Call<Vec<Recovered>> {
        let accounts = self.inner.accounts.clone();
        let call = Call::new(&self.inner.core, OperationKind::RecoverSessions, move |terms| {
            let recover = calls::recover(&accounts, calls::Which::LeftBehind, terms.deadline)?;
            Ok(Made::new(recover.then(|found: Result<Vec<(KnownSession, Claim)>>| {
                let recovered = |(session, claim): (KnownSession, Claim)| Recovered { session: session.into(), claim };
                found.map(|found| found.into_iter().map(recovered).collect())
            })))
        });
        call.unclaimed(|found: &Vec<Recovered>| Session::leave_behind(found.iter().map(|it| &it.session)))
    }

    /// Recovers only this session, even if it was [released](Session::release). It belongs to this client from now on.
    ///
    /// # Errors
    /// Those of [`Client::recover_sessions`]; [`ErrorKind::NotFound`] if no dead owner of the journal has it, or it has
    /// ended.
    pub fn recover_session(&self, id: &SessionId) -> Call<Session> {
        let (accounts, about, id) = (self.inner.accounts.clone(), id.clone(), id.clone());
        let call = Call::new(&self.inner.core, OperationKind::RecoverSessions, move |terms| {
            let recover = calls::recover(&accounts, calls::Which::Named(id.clone()), terms.deadline)?;
            Ok(Made::new(recover.then(move |found: Result<Vec<(KnownSession, Claim)>>| {
                let (session, _) = found?.pop().ok_or_else(|| calls::not_left_behind(&id))?;
                Ok(session.into())
            })))
        });
        call.of(Some(about)).unclaimed(|session| Session::leave_behind(std::iter::once(session)))
    }

    /// The sessions at the client's endpoint that the journal records, oldest first: those of this client, of dead owners
    /// and of live ones, also [released](Session::release) ones. They may have ended. Sends nothing; waits for the disk.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the client has no journal; [`ErrorKind::Storage`] if it cannot be read.
    pub fn recorded_sessions(&self) -> Result<Vec<RecordedSession>> {
        self.inner.core.check_alive()?;
        calls::recorded(&self.inner.accounts.home)
    }

    /// Stops many sessions: the client's own, or all of the account. `DELETE …/sessions/{id}` for each, up to eight at
    /// a time; for the whole account after `GET …/sessions`.
    ///
    /// A failing stop does not delay the others. The result lists the failures.
    ///
    /// # Errors
    /// Only if the account's sessions could not be listed; then nothing was stopped.
    pub fn stop_all(&self, scope: StopScope) -> Call<StoppedAll> {
        let accounts = self.inner.accounts.clone();
        Call::new(&self.inner.core, OperationKind::StopAll, move |terms| {
            Ok(Made::new(match scope {
                StopScope::Own => calls::stop_own(&accounts.all(), terms.deadline),
                StopScope::Account => calls::stop_account(&accounts.home, terms.deadline),
            }))
        })
    }

    /// The next event: a started operation has completed, or a watched session has changed. Waits up to `timeout`;
    /// `None` if no event arrived. With a timeout of zero it neither blocks nor allocates. Pull events from one thread
    /// at a time.
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`] once the client has ended and all events have been pulled.
    pub fn next_event(&self, timeout: Duration) -> Result<Option<Event>> {
        let core = &self.inner.core;
        core.check_process()?;
        let mut deadline = None;
        loop {
            let seen = core.events.posted.version();
            core.note_pull();
            let event = core.events.pull();
            core.application_is_alive();
            if event.is_some() {
                return Ok(event);
            }
            if core.is_shut_down() && !core.has_driver() {
                // The last event may have been posted between the two checks.
                let event = core.events.pull();
                return if event.is_some() { Ok(event) } else { Err(core.ended()) };
            }
            if timeout.is_zero() || core.skip_event_wait.swap(false, Ordering::AcqRel) {
                return Ok(None);
            }
            let now = core.now();
            let deadline = *deadline.get_or_insert(now + timeout);
            if now >= deadline {
                return Ok(None);
            }
            core.clock.wait_for_work(&core.events.posted, seen, deadline.min(core.tokens.asks_at()));
        }
    }

    /// The oldest remaining line of the log. Waits up to `timeout`; `None` if there was none.
    /// [`ClientConfig::log_level`] selects what is logged.
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`] once the client has ended and all lines have been pulled.
    pub fn next_log(&self, timeout: Duration) -> Result<Option<LogEntry>> {
        let core = &self.inner.core;
        core.check_process()?;
        let log = &core.log;
        let deadline = core.now() + timeout;
        loop {
            let seen = log.written.version();
            if let Some(entry) = log.take() {
                return Ok(Some(entry));
            }
            core.check_alive()?;
            if core.now() >= deadline || core.skip_log_wait.swap(false, Ordering::AcqRel) {
                return Ok(None);
            }
            core.clock.sleep(&log.written, seen, deadline);
        }
    }

    /// Ends one wait of [`Client::next_event`] and one of [`Client::next_log`] with `None`: the wait in progress, or
    /// else the next one. Use it when the waiting thread has other work to do. A call that has a timeout of zero or
    /// finds something does not count as a wait. Several wake-ups before a wait end only that one.
    pub fn wake(&self) {
        let core = &self.inner.core;
        core.skip_event_wait.store(true, Ordering::Release);
        core.skip_log_wait.store(true, Ordering::Release);
        core.events.posted.notify();
        core.log.written.notify();
    }

    /// Supplies a new token of the same kind as the client's credential, in answer to
    /// [`EventKind::TokenNeeded`](crate::EventKind::TokenNeeded). Calls that wait for it resume.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if it cannot be a token, or the client has an account key.
    pub fn set_token(&self, token: impl Into<Secret>) -> Result<()> {
        let core = &self.inner.core;
        core.check_alive()?;
        core.tokens.set(token.into())?;
        // The buffers of pooled connections contain the old one.
        core.http.reset();
        // Wakes a wait for events, because the time of the next token request has changed.
        core.events.posted.notify();
        Ok(())
    }

    /// Prepares for the suspension of the application, for example when a headset is taken off. Flushes the journal and
    /// handles each watched session as its [`WatchOptions::on_suspend`] says. Then nothing is polled until
    /// [`Client::resume`], or until the client notices that the machine slept. A lease that the service accepts here is
    /// therefore believed without a read.
    ///
    /// Returns after `timeout` at the latest.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] if not everything was done in time; the rest continues as far as the system permits.
    /// Otherwise the first failure.
    pub fn suspend(&self, timeout: Duration) -> Result<()> {
        let core = &self.inner.core;
        core.check_alive()?;
        core.resumed.store(false, Ordering::Release);
        core.suspended.store(true, Ordering::Release);
        core.wake.look_again();
        // Reads in flight are cancelled.
        for account in self.inner.accounts.all() {
            account.watched().iter().for_each(|state| state.forget_reads());
        }
        calls::suspend(&self.inner.accounts, timeout)
    }

    /// Resumes after a suspension: drops pooled connections, which are dead by then, renews an expired token, and
    /// rereads the watched sessions before reporting anything about them. Then posts
    /// [`EventKind::Resumed`](crate::EventKind::Resumed). Does not block.
    ///
    /// The client does the same when it detects that the machine has slept.
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`]; [`ErrorKind::OutOfResources`] if no thread can be started.
    pub fn resume(&self) -> Result<()> {
        let core = &self.inner.core;
        core.check_alive()?;
        // Immediately, so that the next call cannot use one of them.
        core.http.reset();
        core.resumed.store(true, Ordering::Release);
        core.wake_driver()
    }

    /// Ends the client: its [calls](Call) and those of its sessions fail from now on, and waits end. Started operations
    /// are cancelled, except for stops. Only sessions watched with [`WatchOptions::stop_on_shutdown`] are stopped. Does
    /// not block; requests in flight end within their attempt timeout.
    pub fn shut_down(&self) {
        self.inner.begin_end();
    }

    /// Ends the client like [`Client::shut_down`], and waits up to `timeout` until its work is done and its threads
    /// have ended. Only name lookups, which the system cannot cancel, may continue.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] if something was left; call it again to wait longer. Otherwise [`ErrorKind::Storage`] if
    /// the journal could not be written, or the first failure of a stop.
    pub fn shut_down_within(&self, timeout: Duration) -> Result<()> {
        self.inner.begin_end();
        self.inner.wait_for_end(timeout)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.inner.core.is_inherited() {
            // The shared state must not be dropped either.
            std::mem::forget(Arc::clone(&self.inner));
        }
        self.shut_down();
    }
}

/// Ends every client of the process concurrently, and waits like [`Client::shut_down_within`]. New clients may be
/// created afterwards.
///
/// # Errors
/// As [`Client::shut_down_within`].
pub fn shut_down_all(timeout: Duration) -> Result<()> {
    inner::end_all(timeout)
}

impl Value for AccessToken {}

impl Value for SessionProperties {
    fn session_id(&self) -> Option<SessionId> {
        Some(self.id.clone())
    }
}

impl Value for Vec<ListedSession> {}

impl Value for Vec<Recovered> {}

impl From<(KnownSession, Origin)> for Reused {
    fn from((session, origin): (KnownSession, Origin)) -> Reused {
        Reused { session: session.into(), reused: origin != Origin::Created, adopted: origin == Origin::Adopted }
    }
}

impl Reused {
    /// No caller takes it.
    fn give_back(&self) {
        if self.adopted {
            Session::leave_behind(std::iter::once(&self.session));
        } else if !self.reused {
            self.session.give_back();
        }
    }
}

impl Value for Reused {
    fn session_id(&self) -> Option<SessionId> {
        self.session.session_id()
    }
}

impl Value for Stopped {}

impl Value for StoppedAll {}

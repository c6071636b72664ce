//! Clients, their sessions, and what can be done with them.
//!
//! From the bottom; each module uses only those above it in this table:
//!
//! | module | what it is |
//! |---|---|
//! | `wake`, `completion`, `mailbox` | who is woken; how an operation ends; what the driver is told |
//! | `core` | what a client has once: HTTP, clock, tokens, events, journal |
//! | `interpreter` | carries out what operations ask for, on the caller's thread or in the driver |
//! | `operation`, `call` | a started operation; a call before it is run or started |
//! | `state` | what is known of a session, how it is watched and kept alive |
//! | `account`, `accounts` | the sessions of one endpoint; the endpoints of a client |
//! | `calls` | what can be done, one file each |
//! | `session` | a session as an application holds it |
//! | `inner`, `driver` | a client's beginning and end; the thread that runs what was started, and the monitor |

mod account;
mod accounts;
mod call;
mod calls;
mod completion;
mod core;
mod driver;
mod inner;
mod interpreter;
mod mailbox;
mod operation;
mod session;
mod state;
mod wake;

pub use self::call::Call;
pub use self::calls::{AccessToken, Claim, ListedSession, Resume, StopScope, StoppedAll};
pub use self::completion::OperationState;
pub use self::operation::{AnyOperation, StartedOperation};
pub use self::session::Session;
pub use self::state::{KeepAlive, OnSuspend, WatchOptions};
pub use crate::protocol::Stopped;

use self::account::KnownSession;
use self::call::Made;
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
use crate::model::{NewSession, SessionId, SessionProperties};
use crate::protocol::Operation as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// One account at one session service.
///
/// Every method may be called from any thread, several at a time. A client is cheap until its first call, which makes
/// the HTTP client with one thread of its own; the first started operation, wait or watched session makes the driver's
/// thread. Sessions keep what they need of their client, but end with it: after [`Client::shut_down`], or when the client is
/// dropped, their calls fail with [`ErrorKind::ShutDown`].
#[derive(Debug)]
pub struct Client {
    inner: Arc<ClientInner>,
}

/// A session that an earlier owner of the journal has left, and that the service still has.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recovered {
    /// The session, at the endpoint where it was created.
    pub session: Session,
    /// How certain it is that it is ours.
    pub claim: Claim,
}

/// What [`Client::resume_or_create`] brings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Resumed {
    /// The session.
    pub session: Session,
    /// It was there before; else it was created.
    pub resumed: bool,
}

impl Client {
    /// Checks a configuration and makes a client of it. Nothing is sent; a CA file is read, and a journal is opened.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] with what to do, for anything missing, malformed or out of range;
    /// [`ErrorKind::Storage`] if the journal cannot be used.
    pub fn new(config: ClientConfig) -> Result<Client> {
        Client::by_clock(config, Arc::new(SystemClock))
    }

    /// A client that lives by another clock than the machine's, for tests.
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

    /// An access token for the account, from the cache or fetched: what the rendering connection is made with.
    /// `GET https://sts.{account domain}/accounts/{account}/token`. Several that are started at about the same time are one
    /// request.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthorized`] if the token service refuses the credential.
    pub fn access_token(&self) -> Call<AccessToken> {
        let home = Arc::clone(&self.inner.accounts.home);
        Call::new(&self.inner.core, move |terms| {
            Ok(Made::new(calls::access_token(&home, terms.deadline)).joined(JoinKey::Token))
        })
    }

    /// Creates a rendering session, which starts, and costs money once it is ready. `POST …/sessions/create`, or
    /// `PUT …/sessions/{id}` with REST 2021-01-01.
    ///
    /// The session runs until it is stopped or its lease ends; dropping the returned value changes nothing about that. With a
    /// journal it is noted there before anything is sent. Started, it can be cancelled: a session whose id comes back to an
    /// operation that was cancelled is stopped; and a create whose answer was lost is reported by
    /// [`EventKind::CreateLost`](crate::EventKind::CreateLost) too, with the sessions that it may have made.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for what the API version does not have. [`ErrorKind::Conflict`] if the id that was
    /// given is in use with other settings. [`ErrorKind::OutcomeUnknown`] if the request was sent and its answer was lost: a
    /// session may be running. [`ErrorKind::Storage`] if the journal cannot be written: then nothing was sent.
    pub fn create_session(&self, new: &NewSession) -> Call<Session> {
        let (home, new) = (Arc::clone(&self.inner.accounts.home), new.clone());
        let call = Call::new(&self.inner.core, move |terms| {
            let create = calls::create(&home, &new, terms.label, terms.deadline)?;
            Ok(Made::new(create.then(|created: Result<KnownSession>| created.map(Session::from))))
        });
        call.unclaimed(Session::give_back)
    }

    /// Opens a session that exists, by its id. `GET …/sessions/{id}/properties`
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the service does not know it.
    pub fn open_session(&self, id: &SessionId) -> Call<Session> {
        let (home, id) = (Arc::clone(&self.inner.accounts.home), id.clone());
        Call::new(&self.inner.core, move |terms| {
            let open = calls::open(&home, &id, terms.deadline);
            Ok(Made::new(open.then(|opened: Result<KnownSession>| opened.map(Session::from))))
        })
    }

    /// The account's sessions that have not ended, whoever created them. `GET …/sessions`. To do something with one, open it.
    /// Several that are started at about the same time are one request.
    pub fn list_sessions(&self) -> Call<Vec<ListedSession>> {
        let home = Arc::clone(&self.inner.accounts.home);
        Call::new(&self.inner.core, move |terms| {
            let join = JoinKey::List(home.number(), home.registry.changes());
            Ok(Made::new(calls::list(&home, terms.deadline)).joined(join))
        })
    }

    /// Creates a session, unless there is one to go on with: the one whose id is given, or one that the journal has, of this
    /// client or of an owner that is dead, at this endpoint and of this size; starting or ready, with enough of its lease
    /// left.
    ///
    /// # Errors
    /// Those of [`Client::create_session`]; and if a session could not be looked at, that failure: then none is created.
    pub fn resume_or_create(&self, new: &NewSession, resume: Resume) -> Call<Resumed> {
        let (home, new) = (Arc::clone(&self.inner.accounts.home), new.clone());
        let call = Call::new(&self.inner.core, move |terms| {
            let operation = calls::resume_or_create(&home, &new, resume, terms.label, terms.deadline)?;
            Ok(Made::new(operation.then(|found: Result<(KnownSession, bool)>| {
                found.map(|(session, resumed)| Resumed { session: session.into(), resumed })
            })))
        });
        call.unclaimed(|it: &Resumed| {
            if !it.resumed {
                it.session.give_back();
            }
        })
    }

    /// What earlier owners of the journal, which are dead, have left behind of this account, and the service still has; each
    /// session at the endpoint where it was created. They are this client's from now on. The sessions of an owner that lives,
    /// in this process or another, are never among them.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the client has no journal; [`ErrorKind::Storage`]; those of the network, if no
    /// session could be looked at. What could not be looked at is left for the next time; so is, for a minute, a create that
    /// may still arrive.
    pub fn recover_sessions(&self) -> Call<Vec<Recovered>> {
        let accounts = self.inner.accounts.clone();
        Call::new(&self.inner.core, move |terms| {
            let recover = calls::recover(&accounts, terms.deadline)?;
            Ok(Made::new(recover.then(|found: Result<Vec<(KnownSession, Claim)>>| {
                let recovered = |(session, claim): (KnownSession, Claim)| Recovered { session: session.into(), claim };
                found.map(|found| found.into_iter().map(recovered).collect())
            })))
        })
    }

    /// Stops many sessions: those that this client created, or all of the account. `DELETE …/sessions/{id}` for each, up
    /// to eight at a time; for the whole account after `GET …/sessions`.
    ///
    /// One that cannot be stopped holds up no other; what failed is in the result.
    ///
    /// # Errors
    /// Only if the account's sessions could not be listed: then nothing was stopped.
    pub fn stop_all(&self, scope: StopScope) -> Call<StoppedAll> {
        let accounts = self.inner.accounts.clone();
        Call::new(&self.inner.core, move |terms| {
            Ok(Made::new(match scope {
                StopScope::Own => calls::stop_own(&accounts.all(), terms.deadline),
                StopScope::Account => calls::stop_account(&accounts.home, terms.deadline),
            }))
        })
    }

    /// The next event: an operation that was started has ended, or something happened to a session that is watched. Waits for
    /// one up to `timeout`; `None` if there was none. With a timeout of zero it neither waits nor allocates. One caller at a
    /// time.
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`] once the client has ended and all events are pulled.
    pub fn next_event(&self, timeout: Duration) -> Result<Option<Event>> {
        let core = &self.inner.core;
        let mut deadline = None;
        loop {
            let seen = core.events.posted.version();
            core.tokens.look_at_hosts_token(core.now());
            let event = core.events.pull();
            core.application_is_alive();
            if event.is_some() {
                return Ok(event);
            }
            if core.is_shut_down() && !core.has_driver() {
                // Its last event may have come between the two looks.
                let event = core.events.pull();
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
            core.clock.wait_for_work(&core.events.posted, seen, deadline.min(core.tokens.asks_at()));
        }
    }

    /// The oldest line of the log that is left, waiting for one up to `timeout`; `None` if there was none. What is written
    /// is chosen by [`ClientConfig::log_level`].
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`] once the client has ended and all lines are pulled.
    pub fn next_log(&self, timeout: Duration) -> Result<Option<LogEntry>> {
        let core = &self.inner.core;
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
        let core = &self.inner.core;
        core.check_alive()?;
        core.tokens.set(token.into())?;
        // A wait for events lasts no longer than until the next token is to be asked for.
        core.events.posted.notify();
        Ok(())
    }

    /// The application is about to be suspended, as when a headset is taken off: flushes the journal and does with each
    /// watched session what its [`WatchOptions::on_suspend`] says. From then on nothing is asked until [`Client::resume`], or
    /// until the clock is seen to have jumped.
    ///
    /// Takes `timeout` at most.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] if not all was done in time: it goes on as far as the system lets it. Else the first failure.
    pub fn suspend(&self, timeout: Duration) -> Result<()> {
        let core = &self.inner.core;
        core.check_alive()?;
        core.resumed.store(false, Ordering::Release);
        core.suspended.store(true, Ordering::Release);
        core.wake.look_again();
        calls::suspend(&self.inner.accounts, timeout)
    }

    /// The application is back: pooled connections, which are dead, are dropped; a token that has run out is renewed; and
    /// watched sessions are read again before anything is reported about them. Then an event says that it is done. Does not
    /// wait.
    ///
    /// The client notices when the machine has slept, and does the same.
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`]; [`ErrorKind::Internal`] if no thread can be started.
    pub fn resume(&self) -> Result<()> {
        let core = &self.inner.core;
        core.check_alive()?;
        // At once: the next call is not to find one of them.
        core.http.reset();
        core.resumed.store(true, Ordering::Release);
        core.wake_driver()
    }

    /// Ends the client: its calls and those of its sessions fail from now on, and waits end. Operations that were started
    /// are cancelled, but for stops. Sessions that were watched with [`WatchOptions::stop_on_shutdown`] are stopped; no
    /// others are. Does not wait; requests that are on the wire finish within their attempt timeout.
    pub fn shut_down(&self) {
        self.inner.begin_end();
    }

    /// The same, and waits until all of that is done and no thread of the client is left, up to `timeout`. (Name lookups,
    /// which the system cannot break off, go on.)
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] if something was left then; it may be called again. Else the first failure of a stop.
    pub fn shut_down_within(&self, timeout: Duration) -> Result<()> {
        self.inner.begin_end();
        self.inner.wait_for_end(timeout)
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

impl Value for Resumed {
    fn session_id(&self) -> Option<SessionId> {
        self.session.session_id()
    }
}

impl Value for Stopped {}

impl Value for StoppedAll {}

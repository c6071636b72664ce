//! Creating and ending clients: what a client's handle and its driver share, and the list of all clients of the
//! process.

use super::account::Account;
use super::accounts::Accounts;
use super::core::{Core, Parts};
use super::state::SessionState;
use super::wake::Wake;
use crate::auth::{TokenCache, TokenSource};
use crate::clock::{Clock, lock};
use crate::config::{ClientConfig, PollIntervals};
use crate::error::{Error, ErrorKind, Result};
use crate::events::{EventKind, Queue};
use crate::http::{Transport, Workers};
use crate::journal::Journal;
use crate::log::Log;
use crate::protocol::{self, Context, Pacing};
use crate::sys::PerProcess;
use crate::wire::Service;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// The live clients of this process, and their threads, which may outlive them by one request.
static LIVING: PerProcess<Mutex<Vec<Living>>> = PerProcess::new();

#[derive(Clone)]
struct Living {
    inner: Weak<ClientInner>,
    core: Weak<Core>,
    workers: Weak<Workers>,
    /// What the client's last thread leaves for [`end_all`] to report.
    failed_stop: Arc<Mutex<Option<Error>>>,
}

#[derive(Debug)]
pub(super) struct ClientInner {
    pub(super) core: Arc<Core>,
    pub(super) accounts: Accounts,
    /// The sessions to stop once the end has begun.
    promised: Mutex<Vec<Promise>>,
}

/// A session to stop at the end.
type Promise = (Arc<Account>, Arc<SessionState>);

impl ClientInner {
    pub(super) fn new(config: ClientConfig, clock: Arc<dyn Clock>) -> Result<Arc<ClientInner>> {
        let settings = config.check()?;
        let service = Arc::new(Service::of(&settings));
        let intervals = PollIntervals::at(&settings.service, settings.api_version, settings.intervals);
        let log = Arc::new(Log::new(settings.log_level, Arc::clone(&clock)));
        let http = Arc::new(Transport::new(&settings, Arc::clone(&clock), Arc::clone(&log))?);
        let (wake, events) = (Arc::new(Wake::default()), Queue::new(Arc::clone(&clock)));
        let journal = settings.journal_folder.as_deref().map(|folder| Journal::open(folder, Arc::clone(&clock)));
        let journal = journal.transpose()?;
        let source = TokenSource {
            token_service: settings.token_service,
            account_id: settings.account_id,
            credential: settings.credential,
            on_request: settings.token_on_request,
        };
        let queue = Arc::clone(&events);
        let ask = move || queue.post_of_client(EventKind::TokenNeeded);
        let tokens = TokenCache::new(source, Arc::clone(&clock), Arc::clone(&wake.signal), ask, Arc::clone(&log));
        let pacing = Arc::new(Pacing::new(intervals));
        let context = Context { service, tokens, pacing, retry: settings.retry, log };
        let (call_timeout, attempt_timeout) = (settings.call_timeout, settings.attempt_timeout);
        let home_context = context.clone();
        let core = Core::new(Parts { http, clock, wake, events, context, journal, call_timeout, attempt_timeout });
        let accounts = Accounts::new(Account::new(&core, home_context), settings.trusted, settings.intervals);
        let inner = Arc::new(ClientInner { core, accounts, promised: Mutex::default() });
        inner.join_the_living();
        Ok(inner)
    }

    /// Begins the end: no new work is accepted, and promised stops start.
    pub(super) fn begin_end(&self) {
        let core = &self.core;
        if core.is_inherited() {
            return;
        }
        let Some(promised) = self.hold_promises() else { return };
        if promised && let Err(error) = core.wake_driver() {
            let message = format!("sessions may still be running, as they could not be stopped: {error}");
            core.stop_failed(&error.reworded(message));
            lock(&self.promised).clear();
        }
        if !core.has_driver() {
            core.close();
            core.leave_sessions_behind_soon();
        }
        core.wake.notify();
        core.events.posted.notify();
        core.log.written.notify();
    }

    /// Marks the client as ended, unless it already was. The sessions to stop are fixed now: freeing one no longer
    /// matters. Returns whether there are any; `None` if the end had already begun.
    fn hold_promises(&self) -> Option<bool> {
        // The driver sees the end at once, and waits for this lock to learn what to stop.
        let mut promised = lock(&self.promised);
        if self.core.shut_down.swap(true, Ordering::AcqRel) {
            return None;
        }
        for account in self.accounts.all() {
            let sessions = account.watched().into_iter().filter(|state| is_promised(state));
            promised.extend(sessions.map(|state| (Arc::clone(&account), state)));
        }
        Some(!promised.is_empty())
    }

    /// Takes the sessions to stop. They are returned once.
    pub(super) fn take_promises(&self) -> Vec<(Arc<Account>, Arc<SessionState>)> {
        std::mem::take(&mut *lock(&self.promised))
    }

    /// Waits in real time until no thread and no call is left.
    pub(super) fn wait_for_end(&self, timeout: Duration) -> Result<()> {
        self.core.check_process()?;
        wait_for_end(&self.core, timeout)
    }

    /// Registers the client for [`end_all`].
    fn join_the_living(self: &Arc<Self>) {
        let mut living = lock(LIVING.get());
        living.retain(|it| {
            it.core.strong_count() > 0 || it.workers.strong_count() > 0 || lock(&it.failed_stop).is_some()
        });
        let (core, workers) = (Arc::downgrade(&self.core), Arc::downgrade(self.core.http.workers()));
        let failed_stop = Arc::clone(&self.core.failed_stop);
        living.push(Living { inner: Arc::downgrade(self), core, workers, failed_stop });
    }
}

/// Ends every client of the process, and waits for all of them together.
pub(super) fn end_all(timeout: Duration) -> Result<()> {
    let living = lock(LIVING.get()).clone();
    living.iter().filter_map(|it| it.inner.upgrade()).for_each(|inner| inner.begin_end());
    wait_until_gone(timeout, |timeout| {
        let begun = std::time::Instant::now();
        let left = || timeout.saturating_sub(begun.elapsed());
        let (mut cores, mut workers) = (living.iter().map(|it| &it.core), living.iter().map(|it| &it.workers));
        cores.all(|core| core.upgrade().is_none_or(|core| core.is_gone_within(left())))
            && workers.all(|workers| workers.upgrade().is_none_or(|workers| workers.wait_until_gone(left())))
    })?;
    // Failures are reported once, so not before all clients have ended.
    let ends: Vec<Result<()>> = living.iter().filter_map(|it| it.core.upgrade()).map(|core| reported(&core)).collect();
    // Of clients that were dropped without a shutdown.
    let failed: Vec<Error> = living.iter().filter_map(|it| lock(&it.failed_stop).take()).collect();
    ends.into_iter().chain(failed.into_iter().map(Err)).collect()
}

fn wait_for_end(core: &Core, timeout: Duration) -> Result<()> {
    wait_until_gone(timeout, |timeout| core.is_gone_within(timeout))?;
    reported(core)
}

/// Waits in real time. If the process was stopped meanwhile, the remaining work has another chance.
fn wait_until_gone(timeout: Duration, is_gone_within: impl Fn(Duration) -> bool) -> Result<()> {
    let begun = std::time::Instant::now();
    if is_gone_within(timeout) {
        return Ok(());
    }
    let respite = protocol::respite(begun.elapsed().saturating_sub(timeout)).filter(|_| !timeout.is_zero());
    if respite.is_some_and(is_gone_within) {
        return Ok(());
    }
    let message =
        "the client has not ended before the timeout; requests in flight end within `attempt_timeout`, so wait again";
    Err(Error::new(ErrorKind::Timeout, message))
}

/// The result of the end, which [`end_all`] must not report again.
fn reported(core: &Core) -> Result<()> {
    lock(LIVING.get()).retain(|it| !std::ptr::eq(it.core.as_ptr(), core));
    core.end_result()
}

/// Whether a session is to be stopped at the end.
pub(super) fn is_promised(state: &SessionState) -> bool {
    state.look(|known| known.watching.as_ref().is_some_and(|watching| watching.options.stop_on_shutdown))
        && !state.is_over()
}

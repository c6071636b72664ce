//! An account at one endpoint, and its sessions.

use super::core::Core;
use super::creates::Here;
use super::state::{Poll, Poller, Registry, SessionState};
use crate::clock::{Instant, lock};
use crate::error::{Error, Result};
use crate::model::{Lease, SessionId, SessionProperties};
use crate::protocol::{self, Chore, ChoreId, Context, Operation};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Account {
    pub(super) core: Arc<Core>,
    pub(super) context: Context,
    pub(super) registry: Registry,
    pub(super) listing: Mutex<Listing>,
    /// The sessions that the monitor watches, by number.
    watched: Mutex<BTreeMap<u64, Weak<SessionState>>>,
    pub(super) here: Arc<Here>,
}

/// The schedule for listing the watched sessions.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) not_before: Option<Instant>,
    /// The number of the list request in flight.
    pub(super) running: Option<u64>,
    /// The number of the latest list request.
    pub(super) latest: u64,
}

/// A session with its account, as operations return it.
#[derive(Clone, Debug)]
pub(super) struct KnownSession {
    pub(super) account: Arc<Account>,
    pub(super) state: Arc<SessionState>,
}

impl Account {
    pub(super) fn new(core: &Arc<Core>, context: Context) -> Arc<Account> {
        Arc::new(Account {
            core: Arc::clone(core),
            here: Here::at(&context.service.target),
            registry: Registry::new(context.service.version),
            context,
            listing: Mutex::default(),
            watched: Mutex::default(),
        })
    }

    /// Unique among the live accounts.
    pub(super) fn number(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self) as usize
    }

    /// A new state for a session with these properties.
    pub(super) fn state_of(&self, properties: SessionProperties) -> SessionState {
        let Core { clock, wake, mailbox, .. } = &*self.core;
        SessionState::new(self.context.clone(), properties, clock, wake, mailbox)
    }

    /// The state of a session without a handle that was just read. `stops`: the count of completed stops when the read
    /// began.
    pub(super) fn found(&self, found: SessionProperties, stops: u64) -> Arc<SessionState> {
        let state = self.registry.opened(self.state_of(self.registry.complete(found)));
        if stops != self.registry.stops() {
            // A session was stopped meanwhile, possibly this one: the read may predate the stop.
            state.forget_reads();
        }
        state
    }

    /// Lists the account's sessions.
    pub(super) fn list(
        self: &Arc<Self>,
        deadline: Instant,
    ) -> impl Operation<Outcome = Result<Vec<SessionProperties>>> + Send + use<> {
        let account = Arc::clone(self);
        protocol::list(&self.context, deadline).then(move |sessions: Result<Vec<SessionProperties>>| {
            sessions.inspect(|sessions| account.registry.listed(sessions))
        })
    }

    /// Stores properties whose read began in this epoch, unless they are outdated by now. Returns the cached properties
    /// afterwards.
    pub(super) fn was_read(&self, state: &SessionState, epoch: u64, read: SessionProperties) -> SessionProperties {
        if read.status.is_final() {
            self.ended(state.id());
        }
        self.lease_was_read(state, &read);
        let read = SessionProperties { id: state.id().clone(), ..self.registry.complete(read) };
        state.was_read(epoch, read)
    }

    /// The next step of a wait for a ready session, or of the monitor.
    pub(super) fn poll(self: &Arc<Self>, state: &Arc<SessionState>, now: Instant, by: Poller) -> Poll {
        let poll = state.poll(now, by, || self.read_for_waits(state));
        if let Poll::Over(_) = poll
            && state.is_over()
        {
            self.ended(state.id());
        }
        poll
    }

    /// A read shared by all waits. It does not keep the session's state alive.
    fn read_for_waits(self: &Arc<Self>, state: &Arc<SessionState>) -> Chore {
        let read = protocol::properties_once(&self.context, state.id().clone());
        let (account, state) = (Arc::clone(self), Arc::downgrade(state));
        // The only time limit is the attempt's timeout: the read may wait for a token without limit.
        Chore::with_id(read, Instant::NEVER, move |chore: ChoreId, outcome: Result<SessionProperties>| {
            // After the client's end all waits are cancelled, so the result is discarded.
            let Some(state) = state.upgrade().filter(|_| !account.core.is_shut_down()) else { return };
            outcome.iter().for_each(|read| account.lease_was_read(&state, read));
            if state.read_ended(chore, outcome) && state.is_over() {
                account.ended(state.id());
            }
        })
    }

    /// Removes an ended session from the journal: it no longer needs to be recovered.
    pub(super) fn ended(&self, id: &SessionId) {
        let decided = self.registry.decided(id);
        if !self.registry.ended(id) && decided.is_empty() {
            return;
        }
        decided.iter().for_each(|create| self.decided(*create));
        let (service, id, log) = (Arc::clone(&self.context.service), id.clone(), Arc::clone(&self.core.log));
        self.core.note(move |journal| {
            decided.into_iter().for_each(|create| log.warn_of(journal.remove(create)));
            journal.ended(&service, &id)
        });
    }

    /// Records a longer lease in the journal, which uses it to drop sessions that have certainly ended.
    pub(super) fn lease_may_be(&self, id: &SessionId, lease: Duration) {
        let Ok(lease) = Lease::new(lease) else { return };
        let (service, id) = (Arc::clone(&self.context.service), id.clone());
        self.core.note(move |journal| journal.extended(&service, &id, lease));
    }

    /// Like [`Account::lease_may_be`], if a read shows a longer lease than was known: another client may have extended it.
    fn lease_was_read(&self, state: &SessionState, read: &SessionProperties) {
        let known = Duration::from_millis(state.numbers().max_lease_ms);
        if let Some(lease) = read.max_lease.filter(|lease| *lease > known) {
            self.lease_may_be(state.id(), lease);
        }
    }

    /// Adds the session to those that the monitor watches.
    pub(super) fn watch(&self, state: &Arc<SessionState>) {
        lock(&self.watched).insert(state.number(), Arc::downgrade(state));
        state.is_watched();
        self.core.wake.notify();
    }

    /// The sessions that the monitor watches.
    pub(super) fn watched(&self) -> Vec<Arc<SessionState>> {
        let mut watched = lock(&self.watched);
        watched.retain(|_, it| it.strong_count() > 0);
        watched.values().filter_map(Weak::upgrade).collect()
    }

    /// The watched session of this number. `None` if it is not watched here, or its last handle has gone.
    pub(super) fn watched_session(&self, number: u64) -> Option<Arc<SessionState>> {
        let mut watched = lock(&self.watched);
        let state = watched.get(&number)?.upgrade();
        if state.is_none() {
            watched.remove(&number);
        }
        state
    }

    /// Removes a session that is no longer watched or has ended.
    pub(super) fn unwatch(&self, state: &SessionState) {
        let mut watched = lock(&self.watched);
        // It may have been watched again since the monitor checked.
        let stays = state.look(|known| known.watching.is_some()) && !state.is_over();
        if !stays {
            watched.remove(&state.number());
        }
    }

    /// The documentation sets no limits on leases, so an unusual one is sent unchanged.
    pub(super) fn warn_of_lease(&self, lease: Lease) {
        if !Lease::USUAL.contains(&lease.duration()) {
            self.context.log.warning(None, || {
                format!(
                    "`max_lease` of {} s is unusual; leases are normally a minute to a day",
                    lease.duration().as_secs()
                )
            });
        }
    }
}

/// The error of a failed stop, which says that the session may still be running.
pub(super) fn still_running(id: &SessionId, error: Error) -> Error {
    let message = format!("session {id} may still be running; stop it again ({error})");
    error.reworded(message)
}

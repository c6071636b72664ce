//! An account at one endpoint, and its sessions.

use super::core::Core;
use super::state::{Poll, Poller, Registry, SessionState};
use crate::clock::{Instant, lock};
use crate::error::{Error, Result};
use crate::journal::Record;
use crate::model::{Lease, SessionId, SessionProperties, SessionSize};
use crate::protocol::{self, Chore, ChoreId, Context};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Account {
    pub(super) core: Arc<Core>,
    pub(super) context: Context,
    pub(super) registry: Registry,
    pub(super) listing: Mutex<Listing>,
    watched: Mutex<Vec<Weak<SessionState>>>,
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

/// A create from a process that has died may still arrive for this long, so its session may still appear.
pub(super) const ON_ITS_WAY: Duration = Duration::from_secs(60);

impl Account {
    pub(super) fn new(core: &Arc<Core>, context: Context) -> Arc<Account> {
        Arc::new(Account {
            core: Arc::clone(core),
            context,
            registry: Registry::default(),
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
            // A session was stopped meanwhile, possibly this one, so the read may predate the stop.
            state.forget_reads();
        }
        state
    }

    /// Stores properties whose read began in this epoch. Returns them with members that the service left out filled in.
    pub(super) fn was_read(&self, state: &SessionState, epoch: u64, read: SessionProperties) -> SessionProperties {
        if read.status.is_final() {
            self.ended(state.id());
        }
        state.was_read(epoch, self.registry.complete(read))
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
            // After the end the result is discarded: all waits are cancelled.
            let Some(state) = state.upgrade().filter(|_| !account.core.is_shut_down()) else { return };
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
        let (service, id, log) = (Arc::clone(&self.context.service), id.clone(), Arc::clone(&self.core.log));
        self.core.note(move |journal| {
            decided.into_iter().for_each(|create| log.warn_of(journal.remove(create)));
            journal.ended(&service, &id)
        });
    }

    /// Puts the session under the monitor's watch.
    pub(super) fn watch(&self, state: &Arc<SessionState>) {
        let mut watched = lock(&self.watched);
        if !watched.iter().any(|it| std::ptr::eq(it.as_ptr(), Arc::as_ptr(state))) {
            watched.push(Arc::downgrade(state));
        }
        drop(watched);
        self.core.wake.sessions_changed();
    }

    /// The sessions that the monitor watches.
    pub(super) fn watched(&self) -> Vec<Arc<SessionState>> {
        let mut watched = lock(&self.watched);
        watched.retain(|it| it.strong_count() > 0);
        watched.iter().filter_map(Weak::upgrade).collect()
    }

    /// Removes a session that is no longer watched or has ended.
    pub(super) fn unwatch(&self, state: &Arc<SessionState>) {
        let mut watched = lock(&self.watched);
        // It may have been watched again since the monitor checked.
        let stays = state.look(|known| known.watching.is_some()) && !state.is_over();
        watched.retain(|it| stays || !std::ptr::eq(it.as_ptr(), Arc::as_ptr(state)));
    }

    /// The listed sessions that a create may have made whose reply was lost at most `age` ago. They are unknown here
    /// and in no other record, alive, match the request, and are not older.
    pub(super) fn candidates(
        &self,
        listed: Vec<SessionProperties>,
        noted: &HashSet<SessionId>,
        size: &SessionSize,
        max_lease: Lease,
        age: Duration,
    ) -> Vec<SessionProperties> {
        let fits = |session: &SessionProperties| {
            !self.registry.knows(&session.id)
                && !noted.contains(&session.id)
                && session.status.is_alive()
                && session.size.as_ref().is_none_or(|it| it == size)
                && session.max_lease.is_none_or(|lease| lease == max_lease.duration())
                && session.elapsed.unwrap_or_default() <= age + ON_ITS_WAY
        };
        listed.into_iter().filter(fits).collect()
    }

    /// The session ids in these records, as the service spells them.
    pub(super) fn ids_of(&self, records: &[(Record, bool)]) -> HashSet<SessionId> {
        let noted = records.iter().filter_map(|(record, _)| record.session_id.as_ref());
        noted.map(|id| self.context.service.spelled(id)).collect()
    }

    /// The documentation sets no limits on leases, so an unusual one is sent unchanged.
    pub(super) fn warn_of_lease(&self, lease: Lease) {
        if !Lease::USUAL.contains(&lease.duration()) {
            self.context.log.warning(None, || {
                format!(
                    "a lease of {} s is unusual: services know leases from a minute to a day",
                    lease.duration().as_secs()
                )
            });
        }
    }
}

/// The error of a failed stop, with its consequence: the session still costs money.
pub(super) fn still_running(id: &SessionId, error: Error) -> Error {
    let message = format!("session {id} may still be running, as stopping it failed: {error}");
    error.reworded(message)
}

//! The account at one endpoint: what is known of its sessions.

use super::core::Core;
use super::state::{Poll, Registry, SessionState, is_over};
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

/// When the sessions that are watched are listed.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) not_before: Option<Instant>,
    /// The number of the list that is under way.
    pub(super) running: Option<u64>,
    /// The number of the latest.
    pub(super) latest: u64,
}

/// A session of an account, as calls bring it.
#[derive(Clone, Debug)]
pub(super) struct KnownSession {
    pub(super) account: Arc<Account>,
    pub(super) state: Arc<SessionState>,
}

/// For so long a create may still arrive whose sender is dead: its session is to come, if there is none yet.
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

    /// A number that no other living account has.
    pub(super) fn number(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self) as usize
    }

    /// The state of a session with these properties.
    pub(super) fn state_of(&self, properties: SessionProperties) -> SessionState {
        let Core { clock, wake, mailbox, .. } = &*self.core;
        SessionState::new(self.context.clone(), properties, clock, wake, mailbox)
    }

    /// A session that was read while this many stops had ended, and of which there was no handle.
    pub(super) fn found(&self, found: SessionProperties, stops: u64) -> Arc<SessionState> {
        let state = self.registry.opened(self.state_of(self.registry.complete(found)));
        if stops != self.registry.stops() {
            // A session was stopped meanwhile, perhaps this one: the read may be from before.
            state.forget_reads();
        }
        state
    }

    /// A session was read; the read began in this epoch. Returns the properties with what the service left out.
    pub(super) fn was_read(&self, state: &SessionState, epoch: u64, read: SessionProperties) -> SessionProperties {
        if read.status.is_final() {
            self.ended(state.id());
        }
        state.was_read(epoch, self.registry.complete(read))
    }

    /// What is due for those who wait until the session is ready. `failures`: see [`SessionState::poll`].
    pub(super) fn poll(self: &Arc<Self>, state: &Arc<SessionState>, now: Instant, failures: u64) -> Poll {
        let poll = state.poll(now, failures, || self.read_for_waits(state));
        if let Poll::Over(_) = poll
            && is_over(state.numbers().status)
        {
            self.ended(state.id());
        }
        poll
    }

    /// A read for all who wait. It does not keep the session's state alive.
    fn read_for_waits(self: &Arc<Self>, state: &Arc<SessionState>) -> Chore {
        let read = protocol::properties_once(&self.context, state.id().clone());
        let (account, state) = (Arc::clone(self), Arc::downgrade(state));
        // It has no deadline but the attempt's timeout: it waits for a token as long as that takes.
        Chore::with_id(read, Instant::NEVER, move |chore: ChoreId, outcome: Result<SessionProperties>| {
            // After the end a read brings nothing: those who wait are cancelled.
            let Some(state) = state.upgrade().filter(|_| !account.core.is_shut_down()) else { return };
            if state.read_ended(chore, outcome) && is_over(state.numbers().status) {
                account.ended(state.id());
            }
        })
    }

    /// A session has ended: nothing has to find it again.
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

    /// The session is to be looked after by the monitor.
    pub(super) fn watch(&self, state: &Arc<SessionState>) {
        let mut watched = lock(&self.watched);
        if !watched.iter().any(|it| std::ptr::eq(it.as_ptr(), Arc::as_ptr(state))) {
            watched.push(Arc::downgrade(state));
        }
        drop(watched);
        self.core.wake.sessions_changed();
    }

    /// The sessions that the monitor looks after.
    pub(super) fn watched(&self) -> Vec<Arc<SessionState>> {
        let mut watched = lock(&self.watched);
        watched.retain(|it| it.strong_count() > 0);
        watched.iter().filter_map(Weak::upgrade).collect()
    }

    /// Ends looking after a session that is not watched any more or has ended.
    pub(super) fn unwatch(&self, state: &Arc<SessionState>) {
        let mut watched = lock(&self.watched);
        // It may be watched again since it was looked at.
        let stays = state.look(|known| known.watching.is_some()) && !is_over(state.numbers().status);
        watched.retain(|it| stays || !std::ptr::eq(it.as_ptr(), Arc::as_ptr(state)));
    }

    /// Those of a list that a create may have made whose answer was lost this long ago at most: they are unknown here and not
    /// noted for anything else, alive, as it was asked for, and not older.
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

    /// The ids that records have noted, as the service spells them.
    pub(super) fn ids_of(&self, records: &[(Record, bool)]) -> HashSet<SessionId> {
        let noted = records.iter().filter_map(|(record, _)| record.session_id.as_ref());
        noted.map(|id| self.context.service.spelled(id)).collect()
    }

    /// Nothing bounds a lease in the documentation, so it is sent as it is.
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

/// Why stopping a session failed, and what that means: it costs on.
pub(super) fn still_running(id: &SessionId, error: Error) -> Error {
    let message = format!("session {id} may still be running, as stopping it failed: {error}");
    error.reworded(message)
}

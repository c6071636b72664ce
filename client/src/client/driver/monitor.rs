//! Serves the watched sessions: polls those that are not ready, each at its own pace, and all ready ones by one list
//! request per account; extends leases; and stops sessions at the end where that was requested.

use super::super::account::Account;
use super::super::calls;
use super::super::core::Core;
use super::super::inner::{ClientInner, is_promised};
use super::super::state::{LeaseMoment, Poll, Poller, SessionState};
use crate::auth::IssuedToken;
use crate::clock::{Instant, lock};
use crate::error::{ErrorKind, Result};
use crate::events::EventKind;
use crate::model::{SessionId, SessionKey, SessionProperties, SessionStatus};
use crate::protocol::{self, Chore, Stopped};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

#[derive(Debug, Default)]
pub(super) struct Monitor {
    /// When to check again if nothing happens.
    next: Option<Instant>,
    /// The clock has jumped. An event reports that once everything was reread.
    resuming: bool,
}

impl Monitor {
    /// Does everything that is due. Returns when to check again.
    pub(super) fn look_after(&mut self, inner: &ClientInner, now: Instant) -> Instant {
        let core = &inner.core;
        let changed = core.wake.take_sessions_changed();
        if let Some(next) = self.next
            && !changed
            && now < next
        {
            return next;
        }
        let suspended = core.suspended.load(Ordering::Acquire);
        let next = if suspended { Instant::NEVER } else { self.look(inner, now) };
        self.next = Some(next);
        next
    }

    fn look(&mut self, inner: &ClientInner, now: Instant) -> Instant {
        let (mut next, mut stale) = (Instant::NEVER, false);
        for account in inner.accounts.all() {
            let mut ready = Vec::new();
            for state in account.watched() {
                if state.look(|known| known.watching.is_none()) || state.is_over() {
                    account.unwatch(&state);
                    continue;
                }
                if state.status() != SessionStatus::Ready || state.is_to_be_read_soon() {
                    next = next.min(read(&account, &state, now));
                }
                let is_stale = state.is_stale();
                stale |= is_stale;
                if state.status() == SessionStatus::Ready {
                    if !is_stale {
                        next = next.min(tend(&account, &state, now));
                    }
                    ready.push(state);
                }
            }
            if !ready.is_empty() {
                next = next.min(list(&account, &ready, now));
            }
            // A read that was due at this moment may end the failures.
            if lock(&account.listing).running.is_none() {
                let reports = account.watched().into_iter().map(|state| state.report_failing_reads(now));
                next = reports.fold(next, Instant::min);
            }
        }
        if !stale && std::mem::take(&mut self.resuming) {
            inner.core.events.post_of_client(EventKind::Resumed);
        }
        next
    }

    /// The machine slept, the process was stopped, or the client was resumed. All cached state is outdated: nothing is
    /// reported or done until everything was reread.
    pub(super) fn read_all_again(&mut self, inner: &ClientInner, now: Instant) {
        let core = &inner.core;
        core.log.info(None, || "the clock jumped: connections were dropped, and sessions will be reread".into());
        for account in inner.accounts.all() {
            account.watched().iter().for_each(|state| state.mark_stale());
            let mut listing = lock(&account.listing);
            (listing.running, listing.not_before) = (None, None);
        }
        self.resuming = true;
        core.suspended.store(false, Ordering::Release);
        core.wake.look_again();
        // Renews a token that expired meanwhile, for the next operation that needs one.
        let deadline = now + core.call_timeout;
        if core.tokens.has_run_out(now) {
            let renew = protocol::token(&core.context, deadline);
            core.start(Chore::new(renew, deadline, |_: Result<IssuedToken>| ()));
        }
    }
}

/// Stops a session at the end, or because it is missing.
pub(super) fn promised_stop(
    account: &Arc<Account>,
    state: &SessionState,
    now: Instant,
    then: impl FnOnce(Result<Stopped>) + Send + 'static,
) -> Chore {
    let deadline = now + account.core.attempt_timeout;
    Chore::new(calls::stop(account, state.id(), deadline), deadline, then)
}

/// Reads a session that is not ready, or must be read individually, when due. Returns when to check again.
fn read(account: &Arc<Account>, state: &Arc<SessionState>, now: Instant) -> Instant {
    let met = state.look(|known| known.watching.as_mut().map(|it| std::mem::replace(&mut it.failures, known.failures)));
    let by = Poller { is_wait: false, failures: met.unwrap_or_else(|| state.failures()) };
    match account.poll(state, now, by) {
        Poll::At(moment) => moment,
        Poll::Reading(_) => Instant::NEVER,
        Poll::Read(chore) => {
            account.core.start(chore);
            Instant::NEVER
        }
        Poll::Over(outcome) => {
            if outcome.is_err_and(|error| error.kind() == ErrorKind::NotFound) && state.is_missing_again(now) {
                forgotten(account, state, now);
            }
            state.look(|known| known.readiness.next_read()).max(now)
        }
    }
}

/// The service no longer knows the session. If a gateway said so, it may still be running, so a promised stop is sent
/// before the session counts as over.
fn forgotten(account: &Arc<Account>, state: &Arc<SessionState>, now: Instant) {
    if !is_promised(state) {
        state.was_forgotten();
        return account.ended(state.id());
    }
    let stopped = Arc::clone(state);
    account.core.start(promised_stop(account, state, now, move |outcome| {
        // After a failure the next read decides, and the promise stands.
        if outcome.is_ok() {
            stopped.was_forgotten();
        }
    }));
}

/// Does what is due for a ready session. Returns when to check again.
fn tend(account: &Arc<Account>, state: &Arc<SessionState>, now: Instant) -> Instant {
    let core = &account.core;
    let numbers = state.numbers();
    let at = LeaseMoment {
        now,
        max_lease: Duration::from_millis(numbers.max_lease_ms),
        used: numbers.since_ready(now),
        alive_at: core.events.pulled_at().max(state.published().touched_at()),
        unread: state.is_to_be_read_soon(),
    };
    if at.max_lease.is_zero() {
        if state.lease_is_unknown() {
            core.log.warning(None, || {
                format!(
                    "the service does not report the lease of session {}, so the library cannot extend it or warn of \
                     its end; set it with an update",
                    state.id()
                )
            });
        }
        return Instant::NEVER;
    }
    let intervals = &account.context.pacing.intervals;
    let due = state.look(|known| known.watching.as_mut().map(|watching| watching.due(&at, intervals)));
    let Some(due) = due else { return Instant::NEVER };
    if due.awaits_application {
        core.events.await_pull();
    }
    if due.refuted {
        core.log.error(None, || {
            format!("the service accepted a longer lease for session {}, but did not grant it", state.id())
        });
    }
    if let Some(lease) = due.extend_to {
        calls::extension(account, state, lease).into_iter().for_each(|chore| core.start(chore));
    }
    if due.look_at_end {
        state.read_soon();
    }
    due.next
}

/// Lists an account's sessions, to update all ready ones, when due. Returns when to check again.
fn list(account: &Arc<Account>, sessions: &[Arc<SessionState>], now: Instant) -> Instant {
    let interval = account.context.pacing.intervals.ready;
    let stale = sessions.iter().any(|state| state.is_stale());
    let mut listing = lock(&account.listing);
    if listing.running.is_some() {
        return Instant::NEVER;
    }
    // A session that has just become ready is as current as a list would make it.
    let oldest = sessions.iter().map(|state| state.look(|known| known.readiness.updated_at())).min().unwrap_or(now);
    let due = if stale { now } else { oldest + interval };
    let due = listing.not_before.map_or(due, |not_before| due.max(not_before));
    if now < due {
        return due;
    }
    listing.latest += 1;
    let number = listing.latest;
    listing.running = Some(number);
    listing.not_before = Some(now + interval);
    drop(listing);
    let wanted: Vec<(Weak<SessionState>, u64)> =
        sessions.iter().map(|state| (Arc::downgrade(state), state.epoch())).collect();
    let deadline = account.core.deadline(None);
    let (list, for_end) = (account.list(deadline), Arc::clone(account));
    account.core.start(Chore::new(list, deadline, move |outcome: Result<Vec<SessionProperties>>| {
        listed(&for_end, number, outcome, &wanted);
    }));
    Instant::NEVER
}

/// A list request has ended.
fn listed(
    account: &Account,
    number: u64,
    outcome: Result<Vec<SessionProperties>>,
    wanted: &[(Weak<SessionState>, u64)],
) {
    let core: &Core = &account.core;
    if core.is_shut_down() {
        return;
    }
    let mut listing = lock(&account.listing);
    if listing.running != Some(number) {
        // The clock has jumped since the request.
        return;
    }
    listing.running = None;
    match outcome {
        Err(error) => {
            let pause = protocol::Trouble::of(&error).and_then(|trouble| trouble.retry_after).unwrap_or_default();
            let pause = pause.max(account.context.pacing.intervals.ready);
            listing.not_before = Some(core.now() + pause);
            drop(listing);
            core.log_failure(&error);
            let failed = wanted.iter().filter_map(|(state, _)| state.upgrade());
            failed.for_each(|state| state.list_failed(error.kind(), core.now()));
        }
        Ok(sessions) => {
            drop(listing);
            let key = |id: &SessionId| account.context.service.key(id);
            let mut found: HashMap<SessionKey, SessionProperties> =
                sessions.into_iter().map(|session| (key(&session.id), session)).collect();
            for (state, epoch) in wanted {
                let Some(state) = state.upgrade() else { continue };
                match found.remove(&key(state.id())) {
                    Some(session) => drop(account.was_read(&state, *epoch, session)),
                    // It is no longer listed; its properties say why.
                    None => state.read_soon(),
                }
            }
        }
    }
    core.wake.sessions_changed();
}

//! Serves the watched sessions: polls those that are not ready, each at its own pace, and all ready ones by one list
//! request per account; extends leases; and stops sessions at the end where that was requested.

use super::super::account::Account;
use super::super::calls;
use super::super::core::Core;
use super::super::inner::{ClientInner, is_promised};
use super::super::state::{LeaseMoment, Poll, Poller, SessionState};
use super::super::wake::Changed;
use crate::auth::IssuedToken;
use crate::clock::{Instant, lock};
use crate::error::{ErrorKind, Result};
use crate::events::EventKind;
use crate::model::{SessionId, SessionKey, SessionProperties, SessionStatus};
use crate::protocol::{self, Chore, Stopped};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

#[derive(Debug, Default)]
pub(super) struct Monitor {
    /// When to check each watched session again if nothing happens, by its number. Without an entry: never.
    plans: HashMap<u64, Instant>,
    /// The same in order. An entry that is not in `plans` is outdated.
    due: BinaryHeap<Reverse<(Instant, u64)>>,
    /// The sessions that have not been read since the clock jumped.
    stale: HashSet<u64>,
    /// The clock has jumped. An event reports that once everything was reread.
    resuming: bool,
}

impl Monitor {
    /// Does everything that is due. Returns when to check again.
    pub(super) fn look_after(&mut self, inner: &ClientInner, now: Instant) -> Instant {
        let changed = inner.core.wake.take_changed();
        if inner.core.suspended.load(Ordering::Acquire) {
            // What is missed now is made up for when the client is resumed, which checks all sessions.
            return Instant::NEVER;
        }
        for (account, sessions) in self.sessions_to_check(inner, changed, now) {
            self.look(&account, &sessions, now);
        }
        if self.stale.is_empty() && std::mem::take(&mut self.resuming) {
            inner.core.events.post_of_client(EventKind::Resumed);
        }
        self.next()
    }

    /// The sessions that have changed or are due. They count as not planned until they are checked.
    fn sessions_to_check(&mut self, inner: &ClientInner, changed: Changed, now: Instant) -> Vec<Sessions> {
        if changed.all {
            self.plans.clear();
            self.due.clear();
            self.stale.clear();
            return inner.accounts.all().into_iter().map(|account| (Arc::clone(&account), account.watched())).collect();
        }
        let mut numbers = changed.sessions;
        while self.next() <= now {
            numbers.extend(self.due.pop().map(|Reverse((_, number))| number));
        }
        if numbers.is_empty() {
            return Vec::new();
        }
        numbers.sort_unstable();
        numbers.dedup();
        for number in &numbers {
            self.plans.remove(number);
            self.stale.remove(number);
        }
        let of_account = |account: Arc<Account>| {
            let sessions = numbers.iter().filter_map(|number| account.watched_session(*number)).collect();
            (account, sessions)
        };
        inner.accounts.all().into_iter().map(of_account).collect()
    }

    /// Does everything that is due for these sessions of an account.
    fn look(&mut self, account: &Arc<Account>, sessions: &[Arc<SessionState>], now: Instant) {
        let (mut watched, mut list_is_due) = (Vec::with_capacity(sessions.len()), false);
        for state in sessions {
            state.is_looked_at();
            if state.look(|known| known.watching.is_none()) || state.is_over() {
                account.unwatch(state);
                state.is_unwatched();
                continue;
            }
            let (mut next, mut list_at) = (Instant::NEVER, Instant::NEVER);
            if state.status() != SessionStatus::Ready || state.is_to_be_read_soon() {
                next = read(account, state, now);
            }
            let is_stale = state.is_stale();
            if is_stale {
                self.stale.insert(state.number());
            }
            if state.status() == SessionStatus::Ready {
                if !is_stale {
                    next = next.min(tend(account, state, now));
                }
                list_at = listed_at(account, state, now);
                list_is_due |= list_at <= now;
            }
            watched.push((state, next, list_at));
        }
        if list_is_due {
            list(account, now);
        }
        let listing = lock(&account.listing).running.is_some();
        for (state, next, list_at) in watched {
            // A read that was due at this moment may end the failures. When a list ends, all sessions are checked.
            let next = if listing { next } else { next.min(list_at).min(state.report_failing_reads(now)) };
            self.plan(state.number(), next);
        }
    }

    fn plan(&mut self, session: u64, moment: Instant) {
        if moment == Instant::NEVER {
            return;
        }
        self.plans.insert(session, moment);
        self.due.push(Reverse((moment, session)));
        if self.due.len() > 64 + 2 * self.plans.len() {
            // Most of them are outdated.
            self.due = self.plans.iter().map(|(session, moment)| Reverse((*moment, *session))).collect();
        }
    }

    /// When to check a session again.
    fn next(&mut self) -> Instant {
        while let Some(Reverse((moment, session))) = self.due.peek() {
            if self.plans.get(session) == Some(moment) {
                return *moment;
            }
            self.due.pop();
        }
        Instant::NEVER
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

/// Sessions of an account.
type Sessions = (Arc<Account>, Vec<Arc<SessionState>>);

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
            if outcome.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
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

/// When to list an account's sessions for this ready one.
fn listed_at(account: &Account, state: &SessionState, now: Instant) -> Instant {
    let listing = lock(&account.listing);
    if listing.running.is_some() {
        return Instant::NEVER;
    }
    // A session that has just become ready is as current as a list would make it.
    let updated_at = state.look(|known| known.readiness.updated_at());
    let due = if state.is_stale() { now } else { updated_at + account.context.pacing.intervals.ready };
    listing.not_before.map_or(due, |not_before| due.max(not_before))
}

/// Lists an account's sessions, to update all ready ones.
fn list(account: &Arc<Account>, now: Instant) {
    let mut sessions = account.watched();
    sessions.retain(|state| state.look(|known| known.watching.is_some()) && state.status() == SessionStatus::Ready);
    let mut listing = lock(&account.listing);
    listing.latest += 1;
    let number = listing.latest;
    listing.running = Some(number);
    listing.not_before = Some(now + account.context.pacing.intervals.ready);
    drop(listing);
    let wanted: Vec<(Weak<SessionState>, u64)> =
        sessions.iter().map(|state| (Arc::downgrade(state), state.epoch())).collect();
    let deadline = account.core.deadline(None);
    let (list, for_end) = (account.list(deadline), Arc::clone(account));
    account.core.start(Chore::new(list, deadline, move |outcome: Result<Vec<SessionProperties>>| {
        listed(&for_end, number, outcome, &wanted);
    }));
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

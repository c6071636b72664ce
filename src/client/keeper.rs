//! Looks after the sessions that are watched: reads those that start each at its own pace, and all that are ready by one
//! list for each endpoint; extends leases; and does what was promised for the end.

use super::care::{Now, OnSuspend, is_over};
use super::core::Core;
use super::shared::{Next, Shared};
use super::site::Site;
use super::started::Outcome;
use crate::clock::{Instant, lock};
use crate::error::{ErrorKind, Result};
use crate::operation::{self, Operation as _};
use crate::queue::EventKind;
use crate::retry::Trouble;
use crate::runtime::Urgency;
use crate::session::{Lease, SessionId, SessionProperties, SessionStatus};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct Keeper {
    watched: Mutex<Vec<Watched>>,
    /// When to look again if nothing happens.
    next: Mutex<Option<Instant>>,
    changed: AtomicBool,
    /// How often the token had changed at the last look.
    token_changes: AtomicU64,
    /// Requests of its own that are under way.
    busy: AtomicUsize,
    /// Nothing is asked while the application is suspended.
    suspended: AtomicBool,
    /// The time has jumped, and that is to be told once everything was read anew.
    resuming: AtomicBool,
}

#[derive(Clone, Debug)]
struct Watched {
    site: Weak<Site>,
    shared: Weak<Shared>,
}

/// When the sessions of an endpoint are listed.
#[derive(Debug, Default)]
pub(super) struct Listing {
    not_before: Option<Instant>,
    running: bool,
}

/// How often a suspended client looks what time it is.
const HEARTBEAT: Duration = Duration::from_secs(10);

impl Keeper {
    /// A session is to be looked after.
    pub(super) fn watch(&self, site: &Arc<Site>, shared: &Arc<Shared>) {
        let mut watched = lock(&self.watched);
        let known = watched.iter().any(|it| std::ptr::eq(it.shared.as_ptr(), Arc::as_ptr(shared)));
        if !known {
            watched.push(Watched { site: Arc::downgrade(site), shared: Arc::downgrade(shared) });
        }
        drop(watched);
        self.something_changed();
    }

    /// There may be something to do.
    pub(crate) fn something_changed(&self) {
        self.changed.store(true, Ordering::Release);
    }

    /// Whether something of its own is on the wire.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire) > 0
    }

    fn sessions(&self) -> Vec<(Arc<Site>, Arc<Shared>)> {
        let mut watched = lock(&self.watched);
        watched.retain(|it| it.shared.strong_count() > 0);
        let upgrade = |it: &Watched| Some((it.site.upgrade()?, it.shared.upgrade()?));
        watched.iter().filter_map(upgrade).collect()
    }

    /// Does what is due. Returns when to look again.
    pub(crate) fn look_after(&self, core: &Arc<Core>, now: Instant) -> Instant {
        let next = *lock(&self.next);
        let token = core.tokens.changes();
        let new_token = self.token_changes.swap(token, Ordering::AcqRel) != token;
        let changed = self.changed.swap(false, Ordering::AcqRel) || new_token;
        if !changed && next.is_some_and(|next| now < next) {
            return next.unwrap_or(Instant::NEVER);
        }
        // While suspended it only looks whether the time jumps: who was suspended may not say that he is back.
        let next = if self.suspended.load(Ordering::Acquire) { now + HEARTBEAT } else { self.look(core, now) };
        *lock(&self.next) = Some(next);
        next
    }

    fn look(&self, core: &Arc<Core>, now: Instant) -> Instant {
        let sessions = self.sessions();
        let mut next = Instant::NEVER;
        let mut stale = false;
        let mut ready: HashMap<*const Site, (Arc<Site>, Vec<Arc<Shared>>)> = HashMap::new();
        let mut busy = 0;
        for (site, shared) in sessions {
            let status = SessionStatus::of_code(shared.numbers().status);
            let cared_for = shared.look(|watch| watch.care.is_some());
            if !cared_for || status.is_final() {
                self.forget(&shared);
                continue;
            }
            let is_stale = shared.is_stale();
            stale |= is_stale;
            if status == SessionStatus::Ready {
                if !is_stale {
                    next = next.min(self.tend(core, &site, &shared, now));
                }
                if shared.is_wanted_singly() {
                    let (moment, reads) = self.read_one(&site, &shared, now);
                    next = next.min(moment);
                    busy += usize::from(reads);
                }
                ready.entry(Arc::as_ptr(&site)).or_insert_with(|| (site, Vec::new())).1.push(shared);
            } else {
                let (moment, reads) = self.read_one(&site, &shared, now);
                next = next.min(moment);
                busy += usize::from(reads);
            }
        }
        for (site, sessions) in ready.into_values() {
            next = next.min(self.list(core, &site, sessions, now));
        }
        if !stale && self.resuming.swap(false, Ordering::AcqRel) {
            core.queue.post_of_client(EventKind::Resumed);
        }
        self.busy.store(busy, Ordering::Release);
        next
    }

    fn forget(&self, shared: &Arc<Shared>) {
        lock(&self.watched).retain(|it| !std::ptr::eq(it.shared.as_ptr(), Arc::as_ptr(shared)));
    }

    /// Reads a session that is not ready, or that is wanted singly, when its time has come. Returns when to look again, and
    /// whether a request is under way.
    fn read_one(&self, site: &Arc<Site>, shared: &Arc<Shared>, now: Instant) -> (Instant, bool) {
        match shared.advance(site, now, shared.failures()) {
            Next::At(moment) => (moment, false),
            Next::AfterChange(_) | Next::AfterToken => (Instant::NEVER, true),
            Next::Over(outcome) => {
                if outcome.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
                    shared.was_forgotten(site);
                }
                (shared.look(|watch| watch.wait.next_read()).max(now), false)
            }
        }
    }

    /// What is due for a session that is ready. Returns when to look again.
    fn tend(&self, core: &Arc<Core>, site: &Arc<Site>, shared: &Arc<Shared>, now: Instant) -> Instant {
        let numbers = shared.numbers();
        let at = Now {
            now,
            max_lease: Duration::from_millis(numbers.max_lease_ms),
            remaining: numbers.remaining(now),
            alive_at: core.queue.pulled_at().max(shared.told().touched_at()),
        };
        if at.max_lease.is_zero() {
            return Instant::NEVER;
        }
        let due = shared.look(|watch| watch.care.as_mut().map(|care| care.due(&at, &site.context.pacing.intervals)));
        let Some(due) = due else { return Instant::NEVER };
        if due.awaits_application {
            core.queue.await_pull();
        }
        if let Some(lease) = due.extend_to {
            self.extend(core, site, shared, lease);
        }
        if due.look_at_end {
            shared.is_wanted(core);
        }
        due.next
    }

    /// Extends a lease: one attempt is in flight at a time.
    fn extend(&self, core: &Arc<Core>, site: &Arc<Site>, shared: &Arc<Shared>, lease: Duration) {
        let Ok(lease) = Lease::new(lease).and_then(|lease| site.context.service.lease(lease)) else { return };
        shared.look(|watch| watch.care.iter_mut().for_each(super::care::Care::extending));
        let deadline = core.deadline(None);
        let (for_end, site_for_end) = (Arc::clone(shared), Arc::clone(site));
        let update = site.update(shared, lease, deadline).then(move |outcome: Result<SessionProperties>| {
            for_end.extension_ended(&site_for_end, outcome.map(|_| ()));
            Ok(Outcome::Done)
        });
        Core::submit_chore(core, Box::new(update), deadline, Urgency::Urgent);
    }

    /// Lists an endpoint's sessions, for all of them that are ready, when the time has come.
    fn list(&self, core: &Arc<Core>, site: &Arc<Site>, sessions: Vec<Arc<Shared>>, now: Instant) -> Instant {
        let interval = site.context.pacing.intervals.ready;
        let stale = sessions.iter().any(|shared| shared.is_stale());
        let mut listing = lock(&site.listing);
        if listing.running {
            return Instant::NEVER;
        }
        // A session that has just become ready is known as well as a list could tell it.
        let oldest = sessions.iter().map(|shared| shared.look(|watch| watch.wait.told_at())).min().unwrap_or(now);
        let due = listing.not_before.unwrap_or(oldest + interval);
        if now < due && !stale {
            return due;
        }
        listing.running = true;
        listing.not_before = Some(now + interval);
        drop(listing);
        let wanted: Vec<(Weak<Shared>, u64)> =
            sessions.iter().map(|shared| (Arc::downgrade(shared), shared.epoch())).collect();
        let deadline = core.deadline(None);
        let for_end = Arc::clone(site);
        let list = operation::list(&site.context, deadline).then(move |outcome: Result<Vec<SessionProperties>>| {
            for_end.listed(outcome, &wanted);
            Ok(Outcome::Done)
        });
        Core::submit_chore(core, Box::new(list), deadline, Urgency::Usual);
        Instant::NEVER
    }

    /// The machine slept, or the program was halted, or the client was resumed: what is known is old, connections are dead,
    /// and nothing is said or done before everything was read anew.
    pub(crate) fn time_jumped(&self, core: &Arc<Core>, now: Instant) {
        core.log.info(None, || "the time jumped: connections are dropped, and sessions are read anew".into());
        core.transport.reset();
        self.suspended.store(false, Ordering::Release);
        for (site, shared) in self.sessions() {
            shared.is_stale_now(core);
            lock(&site.listing).not_before = None;
        }
        self.resuming.store(true, Ordering::Release);
        self.something_changed();
        // A token that has run out meanwhile is renewed for whoever needs it next.
        let deadline = now + core.call_timeout;
        if let Some(renew) = core.tokens.has_run_out(now).then(|| operation::token(&core.context, deadline)) {
            let renew = renew.then(|outcome: Result<_>| outcome.map(|_| Outcome::Done));
            Core::submit_chore(core, Box::new(renew), deadline, Urgency::Usual);
        }
    }

    pub(super) fn suspend(&self, suspended: bool) {
        self.suspended.store(suspended, Ordering::Release);
        self.something_changed();
    }

    /// What each watched session asks for when the application is suspended.
    pub(super) fn on_suspend(&self) -> Vec<(Arc<Site>, Arc<Shared>, OnSuspend)> {
        let wish = |shared: &Arc<Shared>| {
            let wish = shared.look(|watch| watch.care.as_ref().map(|care| care.options.on_suspend))?;
            (!is_over(shared.numbers().status)).then_some(wish)
        };
        self.sessions()
            .into_iter()
            .filter_map(|(site, shared)| Some((wish(&shared)?, site, shared)))
            .map(|(wish, site, shared)| (site, shared, wish))
            .collect()
    }

    /// Stops what was promised to be stopped at the end.
    pub(crate) fn stop_promised(&self, core: &Arc<Core>, now: Instant) {
        for (site, shared) in self.sessions() {
            let promised = shared.look(|watch| watch.care.as_ref().is_some_and(|care| care.options.stop_on_shutdown));
            if promised && !is_over(shared.numbers().status) {
                let deadline = now + core.attempt_timeout;
                let stop = site.stop(shared.id(), deadline).then(|outcome: Result<_>| outcome.map(Outcome::Stopped));
                Core::submit_chore(core, Box::new(stop), deadline, Urgency::Stop);
            }
        }
    }

    /// Whether a session is to be stopped at the end.
    pub(super) fn has_promised(&self) -> bool {
        self.sessions().iter().any(|(_, shared)| {
            shared.look(|watch| watch.care.as_ref().is_some_and(|care| care.options.stop_on_shutdown))
                && !is_over(shared.numbers().status)
        })
    }
}

impl Site {
    /// The list has come, or not.
    fn listed(&self, outcome: Result<Vec<SessionProperties>>, wanted: &[(Weak<Shared>, u64)]) {
        if self.core.is_shut_down() {
            return;
        }
        let mut listing = lock(&self.listing);
        listing.running = false;
        match outcome {
            Err(error) => {
                let pause = Trouble::of(&error).and_then(|trouble| trouble.retry_after).unwrap_or_default();
                let pause = pause.max(self.context.pacing.intervals.ready);
                listing.not_before = Some(self.core.now() + pause);
                drop(listing);
                self.core.log_failure(&error);
            }
            Ok(sessions) => {
                drop(listing);
                let mut found: HashMap<SessionId, SessionProperties> =
                    sessions.into_iter().map(|session| (session.id.clone(), session)).collect();
                for (shared, epoch) in wanted {
                    let Some(shared) = shared.upgrade() else { continue };
                    match found.remove(shared.id()) {
                        Some(session) => drop(shared.was_read(*epoch, session, self)),
                        // It has left the list: it is asked what became of it.
                        None => shared.is_wanted(&self.core),
                    }
                }
            }
        }
        self.core.keeper.something_changed();
        self.core.signal.notify();
    }
}

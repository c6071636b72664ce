//! Looks after the sessions that are watched: reads those that start each at its own pace, and all that are ready by one
//! list for each endpoint; extends leases; and does what was promised for the end.

use super::care::{Now, OnSuspend, is_over};
use super::core::Core;
use super::shared::{Next, Shared};
use super::site::Site;
use crate::client::runtime::Urgency;
use crate::clock::{Instant, lock};
use crate::error::{ErrorKind, Result};
use crate::events::EventKind;
use crate::model::{Lease, SessionId, SessionProperties, SessionStatus};
use crate::protocol;
use crate::protocol::Trouble;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct Keeper {
    watched: Mutex<Vec<Watched>>,
    /// When to look again if nothing happens.
    next: Mutex<Option<Instant>>,
    changed: AtomicBool,
    /// Reads of its own that are on the wire.
    reads: AtomicUsize,
    /// A read waits for a token.
    awaits_token: AtomicBool,
    /// What is to be stopped, once the end has begun.
    promised: Mutex<Vec<(Arc<Site>, Arc<Shared>)>>,
    /// Nothing is asked while the application is suspended.
    suspended: AtomicBool,
    /// The application is back, and the driver does not know yet.
    resumed: AtomicBool,
    /// The time has jumped, and that is to be told once everything was read anew.
    resuming: AtomicBool,
}

#[derive(Clone, Debug)]
struct Watched {
    site: Weak<Site>,
    shared: Weak<Shared>,
}

/// How far the reading of one session is.
enum Reading {
    Rests(Instant),
    OnTheWire,
    AwaitsToken,
}

/// When the sessions of an endpoint are listed.
#[derive(Debug, Default)]
pub(super) struct Listing {
    not_before: Option<Instant>,
    /// The number of the list that is under way.
    running: Option<u64>,
    /// The number of the latest.
    latest: u64,
}

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

    pub(crate) fn is_suspended(&self) -> bool {
        self.suspended.load(Ordering::Acquire)
    }

    /// Whether something of its own is on the wire.
    pub(crate) fn is_reading(&self) -> bool {
        self.reads.load(Ordering::Acquire) > 0
    }

    /// Whether a read of its own waits for a token.
    pub(crate) fn awaits_token(&self) -> bool {
        self.awaits_token.load(Ordering::Acquire)
    }

    fn sessions(&self) -> Vec<(Arc<Site>, Arc<Shared>)> {
        let mut watched = lock(&self.watched);
        watched.retain(|it| it.shared.strong_count() > 0);
        let upgrade = |it: &Watched| Some((it.site.upgrade()?, it.shared.upgrade()?));
        watched.iter().filter_map(upgrade).collect()
    }

    /// Does what is due. Returns when to look again.
    pub(crate) fn look_after(&self, core: &Arc<Core>, now: Instant) -> Instant {
        let changed = self.changed.swap(false, Ordering::AcqRel);
        if let Some(next) = *lock(&self.next)
            && !changed
            && now < next
        {
            return next;
        }
        let next = if self.is_suspended() { Instant::NEVER } else { self.look(core, now) };
        *lock(&self.next) = Some(next);
        next
    }

    fn look(&self, core: &Arc<Core>, now: Instant) -> Instant {
        let sessions = self.sessions();
        let mut next = Instant::NEVER;
        let mut stale = false;
        let mut ready: HashMap<*const Site, (Arc<Site>, Vec<Arc<Shared>>)> = HashMap::new();
        let (mut reads, mut awaits_token) = (0, false);
        let mut read_one = |site: &Arc<Site>, shared: &Arc<Shared>| match self.read_one(site, shared, now) {
            Reading::Rests(until) => until,
            Reading::OnTheWire => {
                reads += 1;
                Instant::NEVER
            }
            Reading::AwaitsToken => {
                awaits_token = true;
                Instant::NEVER
            }
        };
        for (site, shared) in sessions {
            let status = || SessionStatus::of_code(shared.numbers().status);
            let cared_for = shared.look(|watch| watch.care.is_some());
            if !cared_for || status().is_final() {
                self.forget(&shared);
                continue;
            }
            if status() != SessionStatus::Ready || shared.is_wanted_singly() {
                next = next.min(read_one(&site, &shared));
            }
            let is_stale = shared.is_stale();
            stale |= is_stale;
            if status() == SessionStatus::Ready {
                if !is_stale {
                    next = next.min(self.tend(core, &site, &shared, now));
                }
                ready.entry(Arc::as_ptr(&site)).or_insert_with(|| (site, Vec::new())).1.push(shared);
            }
        }
        for (site, sessions) in ready.into_values() {
            next = next.min(self.list(core, &site, sessions, now));
        }
        if !stale && self.resuming.swap(false, Ordering::AcqRel) {
            core.queue.post_of_client(EventKind::Resumed);
        }
        self.reads.store(reads, Ordering::Release);
        self.awaits_token.store(awaits_token, Ordering::Release);
        next
    }

    fn forget(&self, shared: &Arc<Shared>) {
        let mut watched = lock(&self.watched);
        // It may be watched again since it was looked at.
        let stays = shared.look(|watch| watch.care.is_some()) && !is_over(shared.numbers().status);
        watched.retain(|it| stays || !std::ptr::eq(it.shared.as_ptr(), Arc::as_ptr(shared)));
    }

    /// Reads a session that is not ready, or that is wanted singly, when its time has come.
    fn read_one(&self, site: &Arc<Site>, shared: &Arc<Shared>, now: Instant) -> Reading {
        match shared.advance(site, now, shared.failures()) {
            Next::At(moment) => Reading::Rests(moment),
            Next::AfterChange(_) => Reading::OnTheWire,
            Next::AfterToken => Reading::AwaitsToken,
            Next::Over(outcome) => {
                if outcome.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
                    shared.was_forgotten(site);
                }
                Reading::Rests(shared.look(|watch| watch.wait.next_read()).max(now))
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
            unread: shared.is_wanted_singly(),
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
        let update = site.update(shared, lease, deadline);
        Core::submit_chore(core, update, deadline, Urgency::Urgent, move |outcome: Result<SessionProperties>| {
            for_end.extension_ended(&site_for_end, outcome.map(|_| ()));
        });
    }

    /// Lists an endpoint's sessions, for all of them that are ready, when the time has come.
    fn list(&self, core: &Arc<Core>, site: &Arc<Site>, sessions: Vec<Arc<Shared>>, now: Instant) -> Instant {
        let interval = site.context.pacing.intervals.ready;
        let stale = sessions.iter().any(|shared| shared.is_stale());
        let mut listing = lock(&site.listing);
        if listing.running.is_some() {
            return Instant::NEVER;
        }
        // A session that has just become ready is known as well as a list could tell it.
        let oldest = sessions.iter().map(|shared| shared.look(|watch| watch.wait.told_at())).min().unwrap_or(now);
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
        let wanted: Vec<(Weak<Shared>, u64)> =
            sessions.iter().map(|shared| (Arc::downgrade(shared), shared.epoch())).collect();
        let deadline = core.deadline(None);
        let for_end = Arc::clone(site);
        let list = protocol::list(&site.context, deadline);
        Core::submit_chore(core, list, deadline, Urgency::Usual, move |outcome: Result<Vec<SessionProperties>>| {
            for_end.listed(number, outcome, &wanted);
        });
        Instant::NEVER
    }

    /// The machine slept, or the program was halted, or the client was resumed: what is known is old, and nothing is said or
    /// done before everything was read anew. Only for the driver, which would else look at a part of it meanwhile.
    pub(crate) fn read_all_anew(&self, core: &Arc<Core>, now: Instant) {
        core.log.info(None, || "the time jumped: connections were dropped, and sessions are read anew".into());
        for (site, shared) in self.sessions() {
            shared.is_stale_now(core);
            let mut listing = lock(&site.listing);
            (listing.running, listing.not_before) = (None, None);
        }
        self.resuming.store(true, Ordering::Release);
        self.suspended.store(false, Ordering::Release);
        self.something_changed();
        // A token that has run out meanwhile is renewed for whoever needs it next.
        let deadline = now + core.call_timeout;
        if core.tokens.has_run_out(now) {
            let renew = protocol::token(&core.context, deadline);
            Core::submit_chore(core, renew, deadline, Urgency::Usual, drop);
        }
    }

    pub(super) fn suspend(&self) {
        self.resumed.store(false, Ordering::Release);
        self.suspended.store(true, Ordering::Release);
        self.something_changed();
    }

    /// Has the driver read everything anew.
    pub(super) fn resume(&self) {
        self.resumed.store(true, Ordering::Release);
    }

    /// Whether the client was resumed, once.
    pub(crate) fn was_resumed(&self) -> bool {
        self.resumed.swap(false, Ordering::AcqRel)
    }

    /// What each watched session asks for when the application is suspended.
    pub(super) fn on_suspend(&self) -> Vec<(Arc<Site>, Arc<Shared>, OnSuspend)> {
        let wish = |shared: &Arc<Shared>| {
            let wish = shared.look(|watch| watch.care.as_ref().map(|care| care.options.on_suspend))?;
            (!is_over(shared.numbers().status)).then_some(wish)
        };
        let wishes = self.sessions().into_iter().filter_map(|(site, shared)| {
            let wish = wish(&shared)?;
            Some((site, shared, wish))
        });
        wishes.collect()
    }

    /// Stops what was promised to be stopped at the end.
    pub(crate) fn stop_promised(&self, core: &Arc<Core>, now: Instant) {
        for (site, shared) in std::mem::take(&mut *lock(&self.promised)) {
            let deadline = now + core.attempt_timeout;
            let stop = site.stop(shared.id(), deadline);
            Core::submit_chore(core, stop, deadline, Urgency::Stop, drop);
        }
    }

    /// The end begins, unless `begin` says that it has before: what is promised now is kept, even if the application frees the
    /// session before it is done. Returns whether there is anything; `None` if the end had begun.
    pub(super) fn hold_promises(&self, begin: impl FnOnce() -> bool) -> Option<bool> {
        // The driver, which sees the end at once, waits here for what it has to do.
        let mut promised = lock(&self.promised);
        if !begin() {
            return None;
        }
        *promised = self.sessions().into_iter().filter(|(_, shared)| is_promised(shared)).collect();
        Some(!promised.is_empty())
    }

    /// Nobody is there to keep them.
    pub(super) fn drop_promises(&self) {
        lock(&self.promised).clear();
    }
}

/// Whether a session is to be stopped at the end.
fn is_promised(shared: &Shared) -> bool {
    shared.look(|watch| watch.care.as_ref().is_some_and(|care| care.options.stop_on_shutdown))
        && !is_over(shared.numbers().status)
}

impl Site {
    /// The list has come, or not.
    fn listed(&self, number: u64, outcome: Result<Vec<SessionProperties>>, wanted: &[(Weak<Shared>, u64)]) {
        if self.core.is_shut_down() {
            return;
        }
        let mut listing = lock(&self.listing);
        if listing.running != Some(number) {
            // The time has jumped since.
            return;
        }
        listing.running = None;
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

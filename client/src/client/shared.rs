//! What all handles of one session share: what is known of it, how it is found out, and who is told.

use super::care::{Care, Extension};
use super::core::Core;
use super::site::Site;
use crate::clock::{Clock, Instant, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::events::{Event, EventKind, EventSource, Label};
use crate::http::Attempt;
use crate::model::{Lease, SessionId, SessionProperties, SessionSize, SessionStatus};
use crate::model::{Snapshot, SnapshotCell, SnapshotData};
use crate::protocol::{Operation as _, Seen, Step, WaitUntilReady};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Shared {
    id: SessionId,
    watch: Mutex<Watch>,
    /// Counts what has become known, and what has ended: those who wait look whether it has changed.
    changes: Arc<AtomicU64>,
    told: Arc<Told>,
}

/// What an event of the session is told with.
#[derive(Debug)]
pub(super) struct Told {
    id: SessionId,
    numbers: SnapshotCell,
    clock: Arc<dyn Clock>,
    label: Mutex<Label>,
    /// Why the latest extension failed.
    error: Mutex<Option<ErrorKind>>,
    /// When the application last showed that it is alive, in milliseconds of the clock.
    touched: AtomicU64,
}

/// What is known of a session, and how it is found out while somebody waits.
pub(super) struct Watch {
    pub(super) wait: WaitUntilReady,
    /// Raised whenever the session is extended, stopped or read: a reading that began before tells of an earlier time.
    epoch: u64,
    /// The wait's request that is on the wire. It outlives the slice of waiting that sent it.
    attempt: Option<Attempt>,
    /// How many readings have ended waits by their failure, and the last such failure: it is for all who waited for it.
    failures: u64,
    failure: Option<Error>,
    /// An update to this lease was sent, and its answer was lost.
    pub(super) maybe_extended: Option<Lease>,
    /// What was published last, and how often it has changed.
    published: Option<SessionProperties>,
    revision: u64,
    /// How much of the lease was used at a moment, by the best of what was told.
    used: Option<(Duration, Instant)>,
    /// How it is looked after, if it is.
    pub(super) care: Option<Care>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("epoch", &self.epoch).field("attempt", &self.attempt).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(site: &Site, seen: SessionProperties) -> Shared {
        let (id, now) = (seen.id.clone(), site.core.now());
        let mut watch = Watch {
            wait: WaitUntilReady::new(site.context.clone(), seen, now),
            epoch: 0,
            attempt: None,
            failures: 0,
            failure: None,
            maybe_extended: None,
            published: None,
            revision: 0,
            used: None,
            care: None,
        };
        let told = Told {
            id: id.clone(),
            numbers: SnapshotCell::new(&watch.reading(now)),
            clock: Arc::clone(&site.core.clock),
            label: Mutex::default(),
            error: Mutex::default(),
            touched: AtomicU64::new(milliseconds(now)),
        };
        Shared { id, watch: Mutex::new(watch), changes: Arc::default(), told: Arc::new(told) }
    }

    pub(super) fn id(&self) -> &SessionId {
        &self.id
    }

    pub(super) fn epoch(&self) -> u64 {
        lock(&self.watch).epoch
    }

    pub(super) fn told(&self) -> &Arc<Told> {
        &self.told
    }

    /// Looks at what is known, or changes what does not change what is known.
    pub(super) fn look<T>(&self, look: impl FnOnce(&mut Watch) -> T) -> T {
        look(&mut lock(&self.watch))
    }

    /// Changes what is known, and tells.
    fn change<T>(&self, core: &Core, change: impl FnOnce(&mut Watch, Instant) -> T) -> T {
        let now = core.now();
        let mut watch = lock(&self.watch);
        let result = change(&mut watch, now);
        self.publish(&mut watch, now);
        drop(watch);
        self.changes.fetch_add(1, Ordering::AcqRel);
        core.keeper.something_changed();
        core.signal.notify();
        result
    }

    /// Takes a reading that began in this epoch, unless it has become outdated meanwhile. Returns it with what the service
    /// left out.
    pub(super) fn was_read(&self, epoch: u64, read: SessionProperties, site: &Site) -> SessionProperties {
        if read.status.is_final() {
            site.ended(&self.id);
        }
        let read = site.registry.complete(read);
        if self.epoch() != epoch {
            return read;
        }
        self.change(&site.core, |watch, now| {
            if watch.epoch != epoch {
                return read;
            }
            watch.outdate_readings();
            watch.wait.seen(read, now)
        })
    }

    /// What is known, and what readings under way will bring, does not count any more.
    pub(super) fn forget_readings(&self, core: &Core) {
        self.outdate(core, WaitUntilReady::invalidate);
    }

    /// The service has taken a stop.
    pub(super) fn was_stopped(&self, core: &Core) {
        self.outdate(core, WaitUntilReady::stopped);
    }

    /// The service has taken this as the whole lease.
    pub(super) fn was_extended(&self, core: &Core, lease: Duration) {
        self.outdate(core, |wait, now| wait.extended(lease, now));
    }

    /// The service has told this in answer to a change, which was sent in this epoch.
    pub(super) fn was_told(&self, core: &Core, epoch: u64, told: SessionProperties, lease: Duration) {
        // What it tells of the session is from before anything that was done to it meanwhile.
        self.change(core, |watch, now| {
            let holds = watch.epoch == epoch;
            watch.outdate_readings();
            if holds { drop(watch.wait.seen(told, now)) } else { watch.wait.extended(lease, now) }
        });
    }

    fn outdate(&self, core: &Core, change: impl FnOnce(&mut WaitUntilReady, Instant)) {
        self.change(core, |watch, now| {
            watch.outdate_readings();
            change(&mut watch.wait, now);
        });
    }

    /// It is to be read soon, whatever a list says.
    pub(super) fn is_wanted(&self, core: &Core) {
        self.outdate(core, WaitUntilReady::invalidate);
        self.look(|watch| {
            let tellings = watch.wait.tellings();
            watch.care.iter_mut().for_each(|care| care.wanted_at = Some(tellings));
        });
    }

    /// Whether it is to be read, and a list does not do.
    pub(super) fn is_wanted_singly(&self) -> bool {
        self.look(|watch| watch.is_untold_since(|care| care.wanted_at))
    }

    /// What is known counts for nothing until it was read anew.
    pub(super) fn is_stale_now(&self, core: &Core) {
        self.forget_readings(core);
        self.look(|watch| {
            let tellings = watch.wait.tellings();
            watch.care.iter_mut().for_each(|care| care.stale_at = Some(tellings));
        });
    }

    /// Whether it has not been read since the time jumped.
    pub(super) fn is_stale(&self) -> bool {
        self.look(|watch| watch.is_untold_since(|care| care.stale_at))
    }

    /// The service does not know it any more: it has ended.
    pub(super) fn was_forgotten(&self, site: &Site) {
        self.outdate(&site.core, WaitUntilReady::forgotten);
        site.ended(&self.id);
    }

    /// An extension has ended.
    pub(super) fn extension_ended(&self, site: &Site, outcome: Result<()>) {
        let core = &site.core;
        if core.is_shut_down() {
            // It was cancelled, or there is nobody any more who looks after the session.
            return;
        }
        let failed = outcome.err();
        self.told.set_error(failed.as_ref().map(Error::kind));
        let how = failed.as_ref().map_or(Extension::Done, |error| {
            core.log_failure(error);
            let pause = error.retry_after().unwrap_or_default().max(site.context.pacing.intervals.ready);
            let retry_at = core.now() + pause;
            match error.kind() {
                ErrorKind::BadRequest | ErrorKind::Conflict => Extension::Refused { retry_at },
                _ => Extension::Failed { retry_at },
            }
        });
        if failed.is_some() {
            // The lease may be another than was thought.
            self.is_wanted(core);
        }
        let stale = self.is_stale();
        self.look(|watch| watch.care.iter_mut().for_each(|care| care.extended(how, stale)));
        core.keeper.something_changed();
        core.signal.notify();
    }

    pub(super) fn snapshot(&self, now: Instant) -> Snapshot {
        self.told.numbers.read().snapshot(now)
    }

    pub(super) fn numbers(&self) -> SnapshotData {
        self.told.numbers.read()
    }

    pub(super) fn known(&self, now: Instant) -> SessionProperties {
        lock(&self.watch).wait.latest(now)
    }

    /// What is known by now: it changes when there is more.
    pub(super) fn seen(&self) -> Seen {
        Seen::of(&self.changes)
    }

    /// The error of a wait whose time is over.
    pub(super) fn not_yet(&self, timeout: Duration) -> Error {
        let message = format!(
            "session {} was not ready within {} ms; it may become so, wait again",
            self.id,
            timeout.as_millis()
        );
        match self.look(|watch| watch.wait.trouble().cloned()) {
            Some(trouble) => {
                let message = format!("{message} (the latest look at it failed: {trouble})");
                trouble.retold(ErrorKind::Timeout, message)
            }
            None => Error::new(ErrorKind::Timeout, message),
        }
    }

    /// One who waited has gone. The wait's request goes on, as it is of use for the next one, but it holds up nothing else.
    pub(super) fn is_left(&self) {
        self.look(|watch| watch.attempt.iter().for_each(Attempt::make_room));
    }

    /// The count of failures that a wait which begins now has not met.
    pub(super) fn failures(&self) -> u64 {
        lock(&self.watch).failures
    }

    /// Takes the answer that is there, and does what is due. `failures`: as it was when the wait began.
    pub(super) fn advance(&self, site: &Site, now: Instant, failures: u64) -> Next {
        let seen = Seen::of(&self.changes);
        let mut watch = lock(&self.watch);
        let next = watch.advance(self, site, now, failures, &seen);
        let changed = self.publish(&mut watch, now);
        drop(watch);
        if changed {
            self.changes.fetch_add(1, Ordering::AcqRel);
            site.core.keeper.something_changed();
            site.core.signal.notify();
        }
        if let Next::Over(_) = next
            && SessionStatus::of_code(self.numbers().status).is_final()
        {
            site.ended(&self.id);
        }
        next
    }

    /// Renews the numbers, and queues an event if the session is watched and has another status. Whether anything is new.
    fn publish(&self, watch: &mut Watch, now: Instant) -> bool {
        let before = watch.revision;
        let reading = watch.reading(now);
        self.told.numbers.write(&reading);
        if let Some(care) = &mut watch.care {
            care.status_is(reading.status);
        }
        watch.revision != before
    }
}

impl Told {
    pub(super) fn set_label(&self, label: Label) {
        *lock(&self.label) = label;
    }

    pub(super) fn set_error(&self, error: Option<ErrorKind>) {
        *lock(&self.error) = error;
    }

    /// The application is alive.
    pub(super) fn touch(&self, now: Instant) {
        self.touched.fetch_max(milliseconds(now), Ordering::AcqRel);
    }

    pub(super) fn touched_at(&self) -> Instant {
        Instant::from_elapsed(Duration::from_millis(self.touched.load(Ordering::Acquire)))
    }
}

impl EventSource for Told {
    fn fill(&self, event: &mut Event) {
        event.label = *lock(&self.label);
        event.session = Some(self.id.clone());
        event.snapshot = Some(self.numbers.read().snapshot(self.clock.now()));
        if event.kind == EventKind::LeaseNotExtended {
            event.error = *lock(&self.error);
        }
    }
}

fn milliseconds(moment: Instant) -> u64 {
    u64::try_from(moment.since_beginning().as_millis()).unwrap_or(u64::MAX)
}

/// What a wait does next.
pub(super) enum Next {
    Over(Box<Result<SessionProperties>>),
    At(Instant),
    /// When this changes: a request is under way.
    AfterChange(Seen),
    /// When there is a token.
    AfterToken,
}

impl Watch {
    /// Whether nothing was told since its care has noted how often it was.
    fn is_untold_since(&self, noted: impl FnOnce(&Care) -> Option<u64>) -> bool {
        self.care.as_ref().and_then(noted) == Some(self.wait.tellings())
    }

    /// Readings that began earlier, the wait's own among them, must not put an older state in the place of a newer one.
    fn outdate_readings(&mut self) {
        self.epoch += 1;
        self.attempt = None;
    }

    /// What is known in numbers.
    fn reading(&mut self, now: Instant) -> SnapshotData {
        let told = self.wait.latest(now);
        let told_at = self.wait.told_at();
        let timeless = SessionProperties { elapsed: None, age: Duration::ZERO, ..told.clone() };
        if self.published.as_ref() != Some(&timeless) {
            self.published = Some(timeless);
            self.revision += 1;
        }
        let runs = told.status == SessionStatus::Ready;
        let elapsed = told.elapsed.unwrap_or_default();
        let (used, at) = match self.used.filter(|_| runs) {
            Some((used, at)) => best_of((used, at), (elapsed, told_at)),
            None => (elapsed, told_at),
        };
        self.used = runs.then_some((used, at));
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        SnapshotData {
            revision: self.revision,
            status: told.status.code(),
            size: SessionSize::code(told.size.as_ref()),
            arr_inspector_port: told.arr_inspector_port.unwrap_or_default(),
            handshake_port: told.handshake_port.unwrap_or_default(),
            max_lease_ms: told.max_lease.map(milliseconds).unwrap_or_default(),
            used_ms: milliseconds(used + if runs { told_at.saturating_since(at) } else { Duration::ZERO }),
            at: told_at,
            runs,
        }
    }

    fn advance(&mut self, shared: &Shared, site: &Site, now: Instant, failures: u64, seen: &Seen) -> Next {
        if let Some(failure) = self.failure.as_ref().filter(|_| self.failures != failures) {
            // Another who waits has met it while this one waited too.
            return Next::Over(Box::new(Err(failure.clone())));
        }
        let answer = match &self.attempt {
            Some(attempt) => match attempt.take() {
                Some(answer) => Some(answer),
                None => return Next::AfterChange(seen.clone()),
            },
            None => None,
        };
        self.attempt = None;
        let core = &site.core;
        match self.wait.step(now, answer) {
            Step::Done(outcome) => {
                if let Err(error) = &outcome {
                    self.failures += 1;
                    self.failure = Some(error.clone());
                    shared.changes.fetch_add(1, Ordering::AcqRel);
                    core.signal.notify();
                }
                Next::Over(Box::new(outcome))
            }
            Step::SleepUntil(moment) | Step::DozeUntil(moment, _) => Next::At(moment),
            Step::FetchToken(exchange) => {
                let ahead = exchange.ahead;
                core.transport.start_fetching_token(*exchange, core.attempt_timeout);
                // The old token is good: the read that is due goes on with it.
                if ahead { self.advance(shared, site, now, failures, seen) } else { Next::AfterToken }
            }
            Step::AwaitToken => Next::AfterToken,
            Step::AwaitChange(seen) => Next::AfterChange(seen),
            Step::Send(request) => {
                let (changes, for_done) = (Arc::clone(&shared.changes), Arc::clone(core));
                let done = move || {
                    changes.fetch_add(1, Ordering::AcqRel);
                    for_done.keeper.something_changed();
                    for_done.signal.notify();
                };
                self.attempt = Some(core.transport.start(*request, core.attempt_timeout, done));
                Next::AfterChange(seen.clone())
            }
            Step::Work(work) => {
                (work.0)();
                Next::At(now)
            }
        }
    }
}

/// Of two tellings of how much of a lease was used, the one that tells more. The service counts in whole seconds or minutes
/// and cuts what is over, so the higher count is nearer to the truth, as long as the two can be about the same lease.
fn best_of(earlier: (Duration, Instant), later: (Duration, Instant)) -> (Duration, Instant) {
    const CUT: Duration = Duration::from_secs(90);
    let expected = earlier.0.saturating_add(later.1.saturating_since(earlier.1));
    let same_lease = expected >= later.0 && expected - later.0 <= CUT;
    if same_lease { earlier } else { later }
}

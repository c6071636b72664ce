//! Watching and keep-alive of a session.

use super::read_health::ReadHealth;
use crate::clock::Instant;
use crate::config::PollIntervals;
use crate::error::{Error, Result};
use crate::events::{EventKind, EventSlot};
use crate::model::Lease;
use std::time::Duration;

/// Options for watching a session; see [`Session::watch`](crate::Session::watch).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchOptions {
    /// How long before the lease expires an event reports that. Default 5 minutes; zero: no event.
    pub warn_before: Duration,
    /// Stop the session when the client is shut down or freed. Default off.
    pub stop_on_shutdown: bool,
    /// What to do with the session when the application is suspended. Default: leave it.
    pub on_suspend: OnSuspend,
}

impl Default for WatchOptions {
    fn default() -> WatchOptions {
        WatchOptions { warn_before: Duration::from_secs(300), stop_on_shutdown: false, on_suspend: OnSuspend::Leave }
    }
}

impl WatchOptions {
    /// Sets how long before the lease expires an event reports that; zero: no event.
    pub fn warn_before(self, warn_before: Duration) -> WatchOptions {
        WatchOptions { warn_before, ..self }
    }

    /// Sets whether the session is stopped when the client is shut down or dropped.
    pub fn stop_on_shutdown(self, stop_on_shutdown: bool) -> WatchOptions {
        WatchOptions { stop_on_shutdown, ..self }
    }

    /// Sets what to do with the session when the application is suspended.
    pub fn on_suspend(self, on_suspend: OnSuspend) -> WatchOptions {
        WatchOptions { on_suspend, ..self }
    }
}

/// What to do with a session when the application is suspended; see [`Client::suspend`](crate::Client::suspend).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnSuspend {
    /// Nothing: it keeps running, and its lease may expire meanwhile.
    Leave,
    /// Extend the lease once, if necessary, so that at least this much is left. The service's reply is believed: the
    /// session is not read afterwards.
    Extend(Duration),
    /// Stop it.
    Stop,
}

/// Options for keep-alive; see [`Session::keep_alive`](crate::Session::keep_alive).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeepAlive {
    /// Extend when less than this is left of the lease. Smaller values are raised to two minutes with REST
    /// 2021-01-01, whose service reports elapsed time in whole minutes, and to 2 s with REST v1.
    pub threshold: Duration,
    /// How much to extend by. A multiple of it is used if it would not last until the next extension may be sent.
    pub amount: Duration,
    /// The limit on the total lease, and so on the session's cost.
    pub cap: Duration,
    /// Extend only if the application has pulled events or called [`Session::touch`](crate::Session::touch) within this
    /// time. `None`: extend as long as the process lives.
    pub liveness: Option<Duration>,
}

impl KeepAlive {
    /// The default: 5 minutes. Longer than most stops at a breakpoint, and short enough to limit the cost.
    pub const LIVENESS: Duration = Duration::from_secs(300);

    /// Keeps a session alive until its total lease is `cap`: when less than 5 minutes are left, extends by 15 minutes.
    pub fn until(cap: Duration) -> KeepAlive {
        KeepAlive {
            threshold: Duration::from_secs(300),
            amount: Duration::from_secs(900),
            cap,
            liveness: Some(KeepAlive::LIVENESS),
        }
    }

    /// Sets the remaining lease below which to extend.
    pub fn threshold(self, threshold: Duration) -> KeepAlive {
        KeepAlive { threshold, ..self }
    }

    /// Sets how much to extend by.
    pub fn amount(self, amount: Duration) -> KeepAlive {
        KeepAlive { amount, ..self }
    }

    /// Sets how recently the application must have shown that it is alive; `None`: no such condition.
    pub fn liveness(self, liveness: impl Into<Option<Duration>>) -> KeepAlive {
        KeepAlive { liveness: liveness.into(), ..self }
    }

    pub(in crate::client) fn check(&self) -> Result<()> {
        Lease::new(self.cap).map_err(|_| {
            Error::invalid_argument(
                "`cap` of keep-alive is missing or out of range; give the maximum total lease, 1 s to 365 days",
            )
        })?;
        let bounded = |what: &str, time: Duration| {
            if time.is_zero() || time > Lease::MAX {
                return Err(Error::invalid_argument(format!(
                    "`{what}` of keep-alive is out of range; give 1 s to 365 days"
                )));
            }
            Ok(())
        };
        bounded("threshold", self.threshold)?;
        bounded("amount", self.amount)?;
        self.liveness.map_or(Ok(()), |liveness| bounded("liveness", liveness))
    }

    /// The lease to request, up to the cap: adds the amount as often as necessary for the threshold not to be reached
    /// before the next extension may be sent. `None` if the current lease has reached the cap.
    fn next_lease(&self, lease: Duration, remaining: Duration, pace: Duration) -> Option<Duration> {
        let missing = (self.threshold + pace).saturating_sub(remaining).as_secs() + 1;
        let times = missing.div_ceil(self.amount.as_secs().max(1)).max(1);
        let wanted = lease.saturating_add(self.amount.saturating_mul(u32::try_from(times).unwrap_or(u32::MAX)));
        let wanted = wanted.min(self.cap);
        (wanted > lease).then_some(wanted)
    }
}

/// The state of watching a session.
#[derive(Debug)]
pub(in crate::client) struct Watching {
    /// The handle that requested it. Freeing that handle ends it.
    pub(in crate::client) owner: u64,
    pub(in crate::client) options: WatchOptions,
    place: EventSlot,
    keeping: Option<LeaseKeeper>,
    /// The extension in flight, possibly for a keep-alive that has ended.
    extending: Option<Extension>,
    /// An extension whose reply has arrived, until a read shows its effect.
    unconfirmed: Option<Unconfirmed>,
    /// When the next extension may be sent: they are paced, and a failure may ask for more.
    extend_not_before: Option<Instant>,
    /// The last status reported.
    reported_status: i32,
    /// A long start has been reported.
    reported_starting_long: bool,
    /// The lease whose approaching end was reported.
    warned_for: Option<Duration>,
    /// While the update count is still this, the cached state is too old to report or act on.
    pub(in crate::client) stale_at: Option<u64>,
    /// While the update count is still this, the session must be read individually.
    pub(in crate::client) wanted_at: Option<u64>,
    /// When the end of the lease was last checked.
    end_looked_at: Option<Instant>,
    /// The count of failed reads that the monitor has seen.
    pub(in crate::client) failures: u64,
    /// An event has reported that the lease is unknown.
    pub(in crate::client) reported_no_lease: bool,
    reads: ReadHealth,
}

#[derive(Debug)]
struct LeaseKeeper {
    options: KeepAlive,
    paused: bool,
    /// The lease at which the cap was reported.
    capped_at: Option<Duration>,
}

/// An extension by keep-alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) struct Extension {
    /// The lease that the service was asked for.
    pub(in crate::client) lease: Duration,
    /// The lease before.
    pub(in crate::client) before: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unconfirmed {
    /// The service accepted the lease. Some services accept one and do not grant it.
    Accepted(Extension),
    /// The reply was lost. `reported`: as a failure.
    Lost { extension: Extension, reported: bool },
    /// The service refused the lease, so the actual one may be longer than the cached one.
    Refused,
}

/// The lease of a ready session at one time.
#[derive(Clone, Copy, Debug)]
pub(in crate::client) struct LeaseMoment {
    pub(in crate::client) now: Instant,
    pub(in crate::client) max_lease: Duration,
    /// The time since the session became ready, which may be longer than the lease.
    pub(in crate::client) used: Duration,
    /// When the application last showed that it is alive.
    pub(in crate::client) alive_at: Instant,
    /// The session must be read before this can be relied on.
    pub(in crate::client) unread: bool,
}

/// How an extension ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) enum ExtensionEnd {
    /// The service accepted the requested lease.
    Accepted { next_at: Instant },
    /// The service did not accept the requested lease: the actual lease may differ from the cached one.
    Refused { retry_at: Instant },
    /// The reply was lost: the service may have granted the requested lease.
    Lost { retry_at: Instant },
    /// It was not carried out.
    Failed { retry_at: Instant },
}

/// What is due, and when to check again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) struct Due {
    pub(in crate::client) extend_to: Option<Duration>,
    /// A read shows that an accepted extension has not made the lease longer.
    pub(in crate::client) refuted: bool,
    /// The lease should have expired by now.
    pub(in crate::client) look_at_end: bool,
    /// The lease is not extended until the application shows that it is alive.
    pub(in crate::client) awaits_application: bool,
    pub(in crate::client) next: Instant,
}

impl Watching {
    /// `failures`: the count of failed reads so far.
    pub(in crate::client) fn new(
        owner: u64,
        options: WatchOptions,
        place: EventSlot,
        status: i32,
        failures: u64,
    ) -> Watching {
        Watching {
            owner,
            options,
            place,
            keeping: None,
            extending: None,
            unconfirmed: None,
            extend_not_before: None,
            reported_status: status,
            reported_starting_long: false,
            warned_for: None,
            stale_at: None,
            wanted_at: None,
            end_looked_at: None,
            failures,
            reported_no_lease: false,
            reads: ReadHealth::default(),
        }
    }

    /// The cached state is outdated: nothing is reported or done until the session is read. `updates`: the update count
    /// so far.
    pub(in crate::client) fn read_before_anything(&mut self, updates: u64) {
        (self.stale_at, self.wanted_at) = (Some(updates), Some(updates));
    }

    /// Time has jumped: nothing is reported or done until the session is read. `updates`: the update count so far.
    pub(in crate::client) fn is_stale(&mut self, updates: u64) {
        self.stale_at = Some(updates);
        self.reads.restart();
    }

    /// A read of the session has failed, its own or the account's list.
    pub(in crate::client) fn read_failed(&mut self, now: Instant) {
        self.reads.failed(now);
    }

    /// A read of the session has worked.
    pub(in crate::client) fn read_worked(&mut self) {
        if self.reads.worked() {
            self.place.post(EventKind::ReadsRecovered);
        }
    }

    /// Posts an event if reads, which are this far apart, have failed for long enough. Returns when to check again.
    pub(in crate::client) fn report_failing_reads(&mut self, now: Instant, interval: Duration) -> Instant {
        match self.reads.report_at(interval) {
            Some(moment) if moment <= now => {
                self.reads.is_reported();
                // An earlier event that was not pulled is no longer true.
                self.place.retract(EventKind::ReadsRecovered);
                self.place.post(EventKind::ReadsFailing);
                Instant::NEVER
            }
            Some(moment) => moment,
            None => Instant::NEVER,
        }
    }

    /// Without a known lease nothing can be extended. Returns whether that is new since the latest options.
    pub(in crate::client) fn lease_is_unknown(&mut self) -> bool {
        let is_new = !std::mem::replace(&mut self.reported_no_lease, true);
        if is_new && self.keeping.is_some() {
            self.place.post(EventKind::LeaseNotExtended);
        }
        is_new
    }

    /// Sets the keep-alive options. An extension in flight continues.
    pub(in crate::client) fn keep(&mut self, options: Option<KeepAlive>) {
        self.reported_no_lease = false;
        match (&mut self.keeping, options) {
            (Some(keeping), Some(options)) => keeping.options = options,
            (keeping, options) => *keeping = options.map(LeaseKeeper::new),
        }
    }

    /// The cap of keep-alive, if it is on.
    pub(in crate::client) fn cap(&self) -> Option<Duration> {
        self.keeping.as_ref().map(|keeping| keeping.options.cap)
    }

    pub(in crate::client) fn status_is(&mut self, status: i32) {
        if std::mem::replace(&mut self.reported_status, status) != status {
            self.place.post(EventKind::StatusChanged);
            self.place.retract(EventKind::StartingLong);
            self.reported_starting_long = false;
        }
    }

    /// A read found the session still starting after a long time.
    pub(in crate::client) fn starts_long(&mut self) {
        if !std::mem::replace(&mut self.reported_starting_long, true) {
            self.place.post(EventKind::StartingLong);
        }
    }

    /// What is due now for a ready session.
    pub(in crate::client) fn due(&mut self, at: &LeaseMoment, intervals: &PollIntervals) -> Due {
        let in_time = |remaining: Duration| at.now + at.remaining().saturating_sub(remaining);
        let mut due = Due {
            extend_to: None,
            refuted: false,
            look_at_end: false,
            awaits_application: false,
            next: in_time(Duration::ZERO),
        };
        let paced_until = self.extend_not_before.filter(|moment| at.now < *moment);
        let read = self.unconfirmed.take_if(|_| !at.unread);
        match read {
            Some(Unconfirmed::Accepted(extension)) => due.refuted = !self.confirm(extension, false, at.max_lease),
            Some(Unconfirmed::Lost { extension, reported }) => drop(self.confirm(extension, reported, at.max_lease)),
            Some(Unconfirmed::Refused) | None => {}
        }
        if let Some(Unconfirmed::Lost { reported, .. }) = &mut self.unconfirmed
            && paced_until.is_none()
            && !std::mem::replace(reported, true)
        {
            // No read has shown the effect in time.
            self.place.post(EventKind::LeaseNotExtended);
        }
        if let Some(keeping) = self.keeping.as_mut().filter(|_| self.extending.is_none()) {
            let was_refused = read == Some(Unconfirmed::Refused);
            let expected = match self.unconfirmed {
                None | Some(Unconfirmed::Lost { .. }) => Some(*at),
                Some(Unconfirmed::Accepted(extension)) => Some(at.with_lease(extension.lease)),
                Some(Unconfirmed::Refused) => None,
            };
            if let Some(expected) = expected {
                keeping.due(&expected, was_refused, paced_until, intervals, &self.place, &mut due);
            }
        }
        let awaits_read = self.unconfirmed.is_some() && paced_until.is_some();
        if awaits_read {
            // While reads fail, the cached state is reported.
            due.next = due.next.min(paced_until.unwrap_or(Instant::NEVER));
        }
        let extends = due.extend_to.is_some() || self.extending.is_some() || awaits_read;
        let warn = self.options.warn_before;
        if !warn.is_zero() && self.warned_for != Some(at.max_lease) {
            if at.remaining() > warn {
                due.next = due.next.min(in_time(warn));
            } else if !extends {
                self.warned_for = Some(at.max_lease);
                self.place.post(EventKind::LeaseExpiring);
            }
        }
        if at.remaining().is_zero() {
            let pause = intervals.starting;
            let next = self.end_looked_at.map_or(at.now, |looked| looked + pause);
            if next <= at.now {
                self.end_looked_at = Some(at.now);
                due.look_at_end = true;
                due.next = at.now + pause;
            } else {
                due.next = next;
            }
        }
        due
    }

    /// An extension was sent.
    pub(in crate::client) fn extending(&mut self, extension: Extension) {
        self.extending = Some(extension);
    }

    /// An extension has ended. `stale`: time has jumped since, so a failure is meaningless.
    pub(in crate::client) fn extended(&mut self, how: ExtensionEnd, stale: bool) {
        let extension = self.extending.take();
        let lost = |reported| extension.map(|extension| Unconfirmed::Lost { extension, reported });
        // One that no read has shown yet may still turn out to have been granted.
        let earlier = self.unconfirmed.take();
        (self.unconfirmed, self.extend_not_before) = match how {
            ExtensionEnd::Accepted { next_at } => (extension.map(Unconfirmed::Accepted), Some(next_at)),
            ExtensionEnd::Lost { .. } if stale => (lost(true), None),
            ExtensionEnd::Refused { .. } | ExtensionEnd::Failed { .. } if stale => (earlier, None),
            ExtensionEnd::Refused { retry_at } => (earlier.or(Some(Unconfirmed::Refused)), Some(retry_at)),
            ExtensionEnd::Lost { retry_at } if extension.is_some() => (lost(false), Some(retry_at)),
            ExtensionEnd::Lost { retry_at } | ExtensionEnd::Failed { retry_at } => {
                self.place.post(EventKind::LeaseNotExtended);
                (earlier, Some(retry_at))
            }
        };
    }

    /// Reports what a read shows of an extension. `reported`: as a failure. Returns whether the lease has grown.
    fn confirm(&self, extension: Extension, reported: bool, lease: Duration) -> bool {
        let has_grown = lease > extension.before;
        if has_grown {
            // An earlier failure event that was not pulled is no longer true.
            self.place.retract(EventKind::LeaseNotExtended);
            self.place.post(EventKind::LeaseExtended);
        } else if !reported {
            self.place.post(EventKind::LeaseNotExtended);
        }
        has_grown
    }
}

impl LeaseMoment {
    fn remaining(&self) -> Duration {
        self.max_lease.saturating_sub(self.used)
    }

    /// This reading with another lease, if that is longer.
    fn with_lease(self, lease: Duration) -> LeaseMoment {
        LeaseMoment { max_lease: self.max_lease.max(lease), ..self }
    }
}

impl LeaseKeeper {
    fn new(options: KeepAlive) -> LeaseKeeper {
        LeaseKeeper { options, paused: false, capped_at: None }
    }

    fn due(
        &mut self,
        at: &LeaseMoment,
        was_refused: bool,
        paced_until: Option<Instant>,
        intervals: &PollIntervals,
        place: &EventSlot,
        due: &mut Due,
    ) {
        if at.remaining() > self.options.threshold {
            // Another client may have extended it; then there is nothing to report.
            due.next = due.next.min(at.now + (at.remaining() - self.options.threshold));
            return;
        }
        if was_refused {
            place.post(EventKind::LeaseNotExtended);
        }
        let pace = intervals.between_extensions();
        let Some(lease) = self.options.next_lease(at.max_lease, at.remaining(), pace) else {
            if !at.unread && self.capped_at.replace(at.max_lease) != Some(at.max_lease) {
                place.post(EventKind::LeaseCapReached);
            }
            return;
        };
        if let Some(paced_until) = paced_until {
            due.next = due.next.min(paced_until);
            return;
        }
        let silent = at.now.saturating_since(at.alive_at);
        if self.options.liveness.is_some_and(|liveness| silent >= liveness) {
            due.awaits_application = true;
            if !std::mem::replace(&mut self.paused, true) {
                place.post(EventKind::KeepAlivePaused);
            }
            return;
        }
        self.paused = false;
        due.extend_to = Some(lease);
    }
}

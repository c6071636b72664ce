//! Watching and keep-alive of a session.

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
    /// Extend the lease once, if necessary, so that at least this much is left.
    Extend(Duration),
    /// Stop it.
    Stop,
}

/// Options for keep-alive; see [`Session::keep_alive`](crate::Session::keep_alive).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeepAlive {
    /// Extend when less than this is left of the lease.
    pub threshold: Duration,
    /// How much to extend by.
    pub amount: Duration,
    /// The limit on the whole lease, and so on the session's cost.
    pub cap: Duration,
    /// Extend only if the application has shown within this time that it is alive, by pulling events or by
    /// [`Session::touch`](crate::Session::touch). `None`: as long as the process lives.
    pub liveness: Option<Duration>,
}

impl KeepAlive {
    /// 5 minutes: longer than a stop at a breakpoint, and short enough to limit the cost of a server.
    pub const LIVENESS: Duration = Duration::from_secs(300);

    /// Keeps a session alive until its whole lease is `cap`: when less than 5 minutes are left, extends by 15 minutes.
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

    /// Sets how recently the application must have shown that it is alive; `None`: as long as the process lives.
    pub fn liveness(self, liveness: impl Into<Option<Duration>>) -> KeepAlive {
        KeepAlive { liveness: liveness.into(), ..self }
    }

    pub(in crate::client) fn check(&self) -> Result<()> {
        Lease::new(self.cap).map_err(|_| {
            Error::invalid_argument("the cap of keep-alive is missing or out of range; give the most that the whole lease may become, 1 s to 365 days")
        })?;
        let bounded = |what: &str, time: Duration| {
            if time.is_zero() || time > Lease::MAX {
                return Err(Error::invalid_argument(format!(
                    "the {what} of keep-alive is out of range; give 1 s to 365 days"
                )));
            }
            Ok(())
        };
        bounded("threshold", self.threshold)?;
        bounded("amount", self.amount)?;
        self.liveness.map_or(Ok(()), |liveness| bounded("liveness", liveness))
    }

    /// The lease to request: adds the amount as often as necessary to exceed the threshold, up to the cap. `None` if
    /// the current lease is already the cap.
    fn next_lease(&self, lease: Duration, remaining: Duration) -> Option<Duration> {
        let missing = self.threshold.saturating_sub(remaining).as_secs() + 1;
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
    /// An extension is in flight, possibly for a keep-alive that has ended.
    extending: bool,
    /// The last status reported.
    reported_status: i32,
    /// The lease whose approaching end was reported.
    warned_for: Option<Duration>,
    /// The cached state is too old to report or act on while the update count is still this.
    pub(in crate::client) stale_at: Option<u64>,
    /// The session must be read individually while the update count is still this.
    pub(in crate::client) wanted_at: Option<u64>,
    /// When the end of the lease was last checked.
    end_looked_at: Option<Instant>,
    /// The count of failed reads that the monitor has seen.
    pub(in crate::client) failures: u64,
}

#[derive(Debug)]
struct LeaseKeeper {
    options: KeepAlive,
    /// The service refused the requested lease, so the actual one may be longer and must be read.
    refused: bool,
    /// Not before this, after a failure.
    not_before: Option<Instant>,
    paused: bool,
    /// The lease at which the cap was reported.
    capped_at: Option<Duration>,
}

/// The lease of a ready session at one time.
#[derive(Clone, Copy, Debug)]
pub(in crate::client) struct LeaseMoment {
    pub(in crate::client) now: Instant,
    pub(in crate::client) max_lease: Duration,
    pub(in crate::client) remaining: Duration,
    /// When the application last showed that it is alive.
    pub(in crate::client) alive_at: Instant,
    /// The session must be read before this can be relied on.
    pub(in crate::client) unread: bool,
}

/// How an extension ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) enum ExtensionEnd {
    Done,
    /// The service did not accept the requested lease: the actual lease may differ from the cached one.
    Refused {
        retry_at: Instant,
    },
    Failed {
        retry_at: Instant,
    },
}

/// What is due, and when to check again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) struct Due {
    pub(in crate::client) extend_to: Option<Duration>,
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
            extending: false,
            reported_status: status,
            warned_for: None,
            stale_at: None,
            wanted_at: None,
            end_looked_at: None,
            failures,
        }
    }

    /// The cached state is outdated: nothing is reported or done until the session is read. `updates`: the update count
    /// so far.
    pub(in crate::client) fn read_before_anything(&mut self, updates: u64) {
        (self.stale_at, self.wanted_at) = (Some(updates), Some(updates));
    }

    /// Sets the keep-alive options. An extension in flight continues.
    pub(in crate::client) fn keep(&mut self, options: Option<KeepAlive>) {
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
        }
    }

    /// What is due now for a ready session.
    pub(in crate::client) fn due(&mut self, at: &LeaseMoment, intervals: &PollIntervals) -> Due {
        let in_time = |remaining: Duration| at.now + at.remaining.saturating_sub(remaining);
        let mut due =
            Due { extend_to: None, look_at_end: false, awaits_application: false, next: in_time(Duration::ZERO) };
        if let Some(keeping) = self.keeping.as_mut().filter(|_| !self.extending) {
            keeping.due(at, &self.place, &mut due);
        }
        let refused = self.keeping.as_ref().is_some_and(|keeping| keeping.refused);
        let extends = due.extend_to.is_some() || self.extending || refused;
        let warn = self.options.warn_before;
        if !warn.is_zero() && self.warned_for != Some(at.max_lease) {
            if at.remaining > warn {
                due.next = due.next.min(in_time(warn));
            } else if !extends {
                self.warned_for = Some(at.max_lease);
                self.place.post(EventKind::LeaseExpiring);
            }
        }
        if at.remaining.is_zero() {
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
    pub(in crate::client) fn extending(&mut self) {
        self.extending = true;
    }

    /// An extension has ended. `stale`: time has jumped since, so a failure is meaningless.
    pub(in crate::client) fn extended(&mut self, how: ExtensionEnd, stale: bool) {
        let (refused, not_before) = match how {
            ExtensionEnd::Done => (false, None),
            ExtensionEnd::Refused { .. } | ExtensionEnd::Failed { .. } if stale => (false, None),
            ExtensionEnd::Refused { retry_at } => (true, Some(retry_at)),
            ExtensionEnd::Failed { retry_at } => (false, Some(retry_at)),
        };
        self.extending = false;
        if let Some(keeping) = &mut self.keeping {
            (keeping.refused, keeping.not_before) = (refused, not_before);
        }
        match how {
            ExtensionEnd::Done => self.place.post(EventKind::LeaseExtended),
            ExtensionEnd::Failed { .. } if !stale => self.place.post(EventKind::LeaseNotExtended),
            ExtensionEnd::Refused { .. } | ExtensionEnd::Failed { .. } => {}
        }
    }
}

impl LeaseKeeper {
    fn new(options: KeepAlive) -> LeaseKeeper {
        LeaseKeeper { options, refused: false, not_before: None, paused: false, capped_at: None }
    }

    fn due(&mut self, at: &LeaseMoment, place: &EventSlot, due: &mut Due) {
        if self.refused && at.unread {
            return;
        }
        let refused = std::mem::take(&mut self.refused);
        if at.remaining > self.options.threshold {
            // Another client may have extended it; then there is nothing to report.
            due.next = due.next.min(at.now + (at.remaining - self.options.threshold));
            return;
        }
        if refused {
            place.post(EventKind::LeaseNotExtended);
        }
        if let Some(not_before) = self.not_before.filter(|moment| at.now < *moment) {
            due.next = due.next.min(not_before);
            return;
        }
        let Some(lease) = self.options.next_lease(at.max_lease, at.remaining) else {
            if self.capped_at.replace(at.max_lease) != Some(at.max_lease) {
                place.post(EventKind::LeaseCapReached);
            }
            return;
        };
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

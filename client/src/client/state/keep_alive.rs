//! How a session is watched and kept alive.

use crate::clock::Instant;
use crate::config::PollIntervals;
use crate::error::{Error, Result};
use crate::events::{EventKind, EventSlot};
use crate::model::{Lease, SessionStatus};
use std::time::Duration;

/// How a session is watched; see [`Session::watch`](crate::Session::watch).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchOptions {
    /// How long before its lease ends the application is told. 5 minutes; zero: it is not told.
    pub warn_before: Duration,
    /// Stop it when the client is shut down or freed. Off.
    pub stop_on_shutdown: bool,
    /// What to do with it when the application is suspended. It is left alone.
    pub on_suspend: OnSuspend,
}

impl Default for WatchOptions {
    fn default() -> WatchOptions {
        WatchOptions { warn_before: Duration::from_secs(300), stop_on_shutdown: false, on_suspend: OnSuspend::Leave }
    }
}

impl WatchOptions {
    /// How long before its lease ends an event says so; zero: none does.
    pub fn warn_before(self, warn_before: Duration) -> WatchOptions {
        WatchOptions { warn_before, ..self }
    }

    /// Whether it is stopped when the client is shut down or dropped.
    pub fn stop_on_shutdown(self, stop_on_shutdown: bool) -> WatchOptions {
        WatchOptions { stop_on_shutdown, ..self }
    }

    /// What to do with it when the application is suspended.
    pub fn on_suspend(self, on_suspend: OnSuspend) -> WatchOptions {
        WatchOptions { on_suspend, ..self }
    }
}

/// What to do with a session when the application is suspended; see [`Client::suspend`](crate::Client::suspend).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnSuspend {
    /// Nothing: it runs on, and its lease may end meanwhile.
    Leave,
    /// Extend it once, if need be, so that at least this much of its lease is left.
    Extend(Duration),
    /// Stop it.
    Stop,
}

/// How a session is kept alive; see [`Session::keep_alive`](crate::Session::keep_alive).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeepAlive {
    /// Extend when less than this is left of the lease.
    pub threshold: Duration,
    /// By how much.
    pub amount: Duration,
    /// The most that the whole lease may become: what a session can cost.
    pub cap: Duration,
    /// Extend only while the application has shown within this time that it is alive: by pulling events, or by
    /// [`Session::touch`](crate::Session::touch). `None`: as long as the process lives.
    pub liveness: Option<Duration>,
}

impl KeepAlive {
    /// 5 minutes: longer than a pause at a breakpoint, and short enough for what a server costs.
    pub const LIVENESS: Duration = Duration::from_secs(300);

    /// Keeps a session alive until its whole lease is `cap`: when less than 5 minutes are left, by 15 minutes each time.
    pub fn until(cap: Duration) -> KeepAlive {
        KeepAlive {
            threshold: Duration::from_secs(300),
            amount: Duration::from_secs(900),
            cap,
            liveness: Some(KeepAlive::LIVENESS),
        }
    }

    /// Extend when less than this is left of the lease.
    pub fn threshold(self, threshold: Duration) -> KeepAlive {
        KeepAlive { threshold, ..self }
    }

    /// By how much to extend it.
    pub fn amount(self, amount: Duration) -> KeepAlive {
        KeepAlive { amount, ..self }
    }

    /// Extend only while the application has shown within this time that it is alive; `None`: as long as the process lives.
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

    /// The lease to ask for: as many times the amount as it takes to be above the threshold again, up to the cap. `None`:
    /// the lease that stands is the cap.
    fn next_lease(&self, lease: Duration, remaining: Duration) -> Option<Duration> {
        let missing = self.threshold.saturating_sub(remaining).as_secs() + 1;
        let times = missing.div_ceil(self.amount.as_secs().max(1)).max(1);
        let wanted = lease.saturating_add(self.amount.saturating_mul(u32::try_from(times).unwrap_or(u32::MAX)));
        let wanted = wanted.min(self.cap);
        (wanted > lease).then_some(wanted)
    }
}

/// How a session is watched, and how far that is.
#[derive(Debug)]
pub(in crate::client) struct Watching {
    /// Which handle asked for it: freeing that one ends it.
    pub(in crate::client) owner: u64,
    pub(in crate::client) options: WatchOptions,
    place: EventSlot,
    keeping: Option<LeaseKeeper>,
    /// An extension is under way, perhaps of a keeping that has ended.
    extending: bool,
    /// The status that was reported last.
    reported_status: i32,
    /// For which lease it was said that it ends soon.
    warned_for: Option<Duration>,
    /// What is known is too old to say or do anything, unless it was told more often than this.
    pub(in crate::client) stale_at: Option<u64>,
    /// It is to be read singly, unless it was told more often than this.
    pub(in crate::client) wanted_at: Option<u64>,
    /// When its end was last looked at.
    end_looked_at: Option<Instant>,
    /// The count of failed reads that the monitor has met.
    pub(in crate::client) failures: u64,
}

#[derive(Debug)]
struct LeaseKeeper {
    options: KeepAlive,
    /// The service refused the lease that was asked for: whether the one that stands is longer is to be read.
    refused: bool,
    /// After a failure, not before this.
    not_before: Option<Instant>,
    paused: bool,
    /// At which lease the cap was told.
    capped_at: Option<Duration>,
}

/// A moment in the life of a session that is ready.
#[derive(Clone, Copy, Debug)]
pub(in crate::client) struct LeaseMoment {
    pub(in crate::client) now: Instant,
    pub(in crate::client) max_lease: Duration,
    pub(in crate::client) remaining: Duration,
    /// When the application last showed that it is alive.
    pub(in crate::client) alive_at: Instant,
    /// It is to be read before this can be relied on.
    pub(in crate::client) unread: bool,
}

/// How an extension has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) enum ExtensionEnd {
    Done,
    /// The lease that was asked for is none that the service takes: it may be another than was thought.
    Refused {
        retry_at: Instant,
    },
    Failed {
        retry_at: Instant,
    },
}

/// What is due, and when to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) struct Due {
    pub(in crate::client) extend_to: Option<Duration>,
    /// Its lease should have ended by now.
    pub(in crate::client) look_at_end: bool,
    /// Its lease is not extended until the application shows itself.
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

    /// What is known is old: nothing is said or done before it is read. `tellings`: how often it was told so far.
    pub(in crate::client) fn read_before_anything(&mut self, tellings: u64) {
        (self.stale_at, self.wanted_at) = (Some(tellings), Some(tellings));
    }

    /// Sets how the session is kept alive; what was going on goes on.
    pub(in crate::client) fn keep(&mut self, options: Option<KeepAlive>) {
        match (&mut self.keeping, options) {
            (Some(keeping), Some(options)) => keeping.options = options,
            (keeping, options) => *keeping = options.map(LeaseKeeper::new),
        }
    }

    /// The most that the lease may become, if it is kept alive.
    pub(in crate::client) fn cap(&self) -> Option<Duration> {
        self.keeping.as_ref().map(|keeping| keeping.options.cap)
    }

    pub(in crate::client) fn status_is(&mut self, status: i32) {
        if std::mem::replace(&mut self.reported_status, status) != status {
            self.place.post(EventKind::StatusChanged);
        }
    }

    /// What is due at this moment of a session that is ready.
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

    /// An extension to `lease` was sent.
    pub(in crate::client) fn extending(&mut self) {
        self.extending = true;
    }

    /// It has ended. `stale`: the time has jumped since, and a failure tells nothing.
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
            // If somebody else has extended it, there is nothing to be told.
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

/// Whether a status needs no care any more.
pub(in crate::client) fn is_over(status: i32) -> bool {
    SessionStatus::of_code(status).is_final()
}

//! The cached properties of a session, whether it is ready, and when to read it again.

use super::context::Context;
use super::retry::{self, Backoff, Trouble};
use crate::clock::Instant;
use crate::config::quoted;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{SessionProperties, SessionStatus};
use std::time::Duration;

/// The cached properties of a session, and the schedule for reading it until it is ready, has ended, or has failed.
///
/// The schedule belongs to the session, not to its waiters, so waiting in many short slices sends no extra requests.
pub(crate) struct Readiness {
    context: Context,
    latest: SessionProperties,
    /// When `latest` was updated.
    updated_at: Instant,
    /// The number of updates.
    updates: u64,
    next_read: Instant,
    /// How long `latest` counts as current. `None` once a read has failed, or after a change to the session.
    good_until: Option<Instant>,
    /// The delays between failing reads.
    backoff: Backoff,
    /// Why the latest read failed, if it did. A transient failure does not end a wait.
    trouble: Option<Error>,
    /// When a 404 was last noted, until a read succeeds.
    missing_at: Option<Instant>,
}

impl Readiness {
    /// For a session with these properties at `now`.
    pub(crate) fn new(context: Context, seen: SessionProperties, now: Instant) -> Readiness {
        let next_read = now + context.pacing.interval(&seen);
        let backoff = Backoff::new(context.retry);
        Readiness {
            context,
            latest: seen,
            updated_at: now,
            updates: 0,
            next_read,
            good_until: Some(next_read),
            backoff,
            trouble: None,
            missing_at: None,
        }
    }

    /// The cached properties with their age.
    pub(crate) fn latest(&self, now: Instant) -> SessionProperties {
        SessionProperties { age: now.saturating_since(self.updated_at), ..self.latest.clone() }
    }

    /// The cached properties as they were reported.
    pub(crate) fn reported(&self) -> &SessionProperties {
        &self.latest
    }

    /// When the cached properties were updated.
    pub(crate) fn updated_at(&self) -> Instant {
        self.updated_at
    }

    /// The number of updates. Reads that began before the last [`Readiness::invalidate`] do not count.
    pub(crate) fn updates(&self) -> u64 {
        self.updates
    }

    /// When the session is next read.
    pub(crate) fn next_read(&self) -> Instant {
        self.next_read
    }

    /// How often the session is read.
    pub(crate) fn interval(&self) -> Duration {
        self.context.pacing.interval(&self.latest)
    }

    /// Whether the cached properties count as current. A final status does forever; any other for one interval.
    pub(crate) fn is_current(&self, now: Instant) -> bool {
        self.latest.status.is_final() || self.good_until.is_some_and(|until| now < until)
    }

    /// The service accepted this as the total lease. Everything else must be reread.
    pub(crate) fn extended(&mut self, lease: Duration, now: Instant) {
        // A concurrent update may have set a longer lease first.
        self.latest.max_lease = self.latest.max_lease.max(Some(lease));
        self.invalidate(now);
    }

    /// The service accepted a stop. Any other status is obsolete.
    pub(crate) fn stopped(&mut self, now: Instant) {
        if !self.latest.status.is_final() {
            self.latest.status = SessionStatus::Stopping;
        }
        self.note_update(now);
        self.invalidate(now);
    }

    /// The service no longer knows the session, because it ended long ago.
    pub(crate) fn forgotten(&mut self, now: Instant) {
        self.latest.status = SessionStatus::Stopped;
        self.note_update(now);
        self.invalidate(now);
    }

    fn note_update(&mut self, now: Instant) {
        self.updated_at = now;
        self.updates += 1;
    }

    /// Why the latest read failed, if it did.
    pub(crate) fn trouble(&self) -> Option<&Error> {
        self.trouble.as_ref()
    }

    /// Stores properties that were just read. A size or lease that the service leaves out is kept from before.
    pub(crate) fn seen(&mut self, mut properties: SessionProperties, now: Instant) {
        properties.size = properties.size.or_else(|| self.latest.size.take());
        properties.max_lease = properties.max_lease.or(self.latest.max_lease);
        self.latest = properties;
        self.note_update(now);
        self.next_read = now + self.interval();
        self.good_until = Some(self.next_read);
        self.backoff = Backoff::new(self.context.retry);
        (self.trouble, self.missing_at) = (None, None);
    }

    /// Marks the cached properties as outdated, and the next read as due.
    pub(crate) fn invalidate(&mut self, now: Instant) {
        self.next_read = now;
        self.good_until = None;
    }

    /// The result of a wait for a ready session, if the cached properties count as current; `None` while it must
    /// continue.
    pub(crate) fn verdict(&self, now: Instant) -> Option<Result<()>> {
        if self.is_current(now) { self.verdict_of_latest() } else { None }
    }

    /// The result of a wait according to the cached properties, however old they are.
    pub(crate) fn verdict_of_latest(&self) -> Option<Result<()>> {
        let session = &self.latest;
        let reason = session.message.as_deref().map(|message| format!(" ({})", quoted(message))).unwrap_or_default();
        match session.status {
            SessionStatus::Ready => Some(Ok(())),
            SessionStatus::Error => {
                let message = format!(
                    "session {} failed; create another, perhaps of another size or in another region{reason}",
                    session.id
                );
                Some(Err(Error::new(ErrorKind::SessionFailed, message)))
            }
            SessionStatus::Expired => {
                let message = format!("session {} ended: its lease expired; create another{reason}", session.id);
                Some(Err(Error::new(ErrorKind::SessionEnded, message)))
            }
            SessionStatus::Stopping | SessionStatus::Stopped => {
                let message = format!("session {} was stopped; create another{reason}", session.id);
                Some(Err(Error::new(ErrorKind::SessionEnded, message)))
            }
            SessionStatus::Starting | SessionStatus::Unknown(_) => None,
        }
    }

    /// Schedules the next read after a failed one. Returns the error if it is final: a transient failure does not end a
    /// wait, nor does a single 404.
    pub(crate) fn read_failed(&mut self, now: Instant, error: Error) -> Option<Error> {
        let trouble = Trouble::of(&error);
        let pause = trouble.and_then(|trouble| self.backoff.pause(trouble, retry::random()));
        let asked_for = pause.or(trouble.and_then(|it| it.retry_after)).unwrap_or_default();
        self.next_read = now + asked_for.max(self.interval());
        self.good_until = None;
        self.context.log.warning(error.correlation_vector(), || {
            format!("session {} will be read again at its next poll: {}", self.latest.id, error.message())
        });
        self.trouble = Some(error.clone());
        let is_final = trouble.is_none() && (error.kind() != ErrorKind::NotFound || self.is_missing_again(now));
        is_final.then_some(error)
    }

    /// Notes that the service replied 404. Returns whether it also did at least half a poll interval ago: a single 404 may
    /// come from a gateway, or from a replica that does not know the session yet.
    fn is_missing_again(&mut self, now: Instant) -> bool {
        let is_missing = self.missing_at.is_some_and(|at| now.saturating_since(at) >= self.interval() / 2);
        if is_missing || self.missing_at.is_none() {
            self.missing_at = Some(now);
        }
        is_missing
    }
}

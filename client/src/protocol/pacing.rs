//! Poll intervals, and pauses that the service asked for.

use crate::clock::{Instant, lock};
use crate::config::PollIntervals;
use crate::model::{SessionProperties, SessionSize, SessionStatus};
use std::sync::Mutex;
use std::time::Duration;

/// The pacing of one client. All its calls go to one account, and the service throttles per account.
#[derive(Debug)]
pub(crate) struct Pacing {
    pub(crate) intervals: PollIntervals,
    /// When the pause that the service asked for (`Retry-After`) ends.
    quiet_until: Mutex<Option<Instant>>,
}

impl Pacing {
    pub(crate) fn new(intervals: PollIntervals) -> Pacing {
        Pacing { intervals, quiet_until: Mutex::new(None) }
    }

    /// How long these properties count as current.
    pub(crate) fn interval(&self, session: &SessionProperties) -> Duration {
        match session.status {
            SessionStatus::Starting | SessionStatus::Stopping | SessionStatus::Unknown(_)
                if session.size == Some(SessionSize::Premium) =>
            {
                self.intervals.starting_premium
            }
            SessionStatus::Starting | SessionStatus::Stopping | SessionStatus::Unknown(_) => self.intervals.starting,
            SessionStatus::Ready | SessionStatus::Stopped | SessionStatus::Expired | SessionStatus::Error => {
                self.intervals.ready
            }
        }
    }

    /// The service replied 429 and asked for a pause.
    pub(crate) fn keep_quiet(&self, now: Instant, retry_after: Duration) {
        let until = now + retry_after;
        let mut quiet_until = lock(&self.quiet_until);
        *quiet_until = Some(quiet_until.map_or(until, |before| before.max(until)));
    }

    /// When the pause ends, if one is in effect.
    pub(crate) fn quiet_until(&self, now: Instant) -> Option<Instant> {
        lock(&self.quiet_until).filter(|until| now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SessionId;

    fn at(seconds: u64) -> Instant {
        Instant::from_elapsed(Duration::from_secs(seconds))
    }

    fn pacing() -> Pacing {
        let ten = Duration::from_secs(10);
        Pacing::new(PollIntervals { starting: ten, starting_premium: ten, ready: 3 * ten })
    }

    #[test]
    fn the_poll_interval_of_a_starting_session_depends_on_its_size() {
        let ms = Duration::from_millis;
        let pacing = Pacing::new(PollIntervals { starting: ms(1), starting_premium: ms(2), ready: ms(3) });
        let interval = |status: SessionStatus, size: Option<SessionSize>| {
            let bare = SessionProperties::bare(SessionId::parse("x").unwrap(), status);
            pacing.interval(&SessionProperties { size, ..bare })
        };
        for status in [SessionStatus::Starting, SessionStatus::Stopping, SessionStatus::Unknown("Paused".into())] {
            assert_eq!(interval(status.clone(), Some(SessionSize::Standard)), ms(1));
            assert_eq!(interval(status.clone(), None), ms(1));
            assert_eq!(interval(status, Some(SessionSize::Premium)), ms(2));
        }
        assert_eq!(interval(SessionStatus::Ready, Some(SessionSize::Premium)), ms(3));
    }

    #[test]
    fn a_pause_applies_to_all_calls_and_only_grows() {
        let pacing = pacing();
        assert_eq!(pacing.quiet_until(at(0)), None);
        pacing.keep_quiet(at(0), Duration::from_secs(20));
        pacing.keep_quiet(at(1), Duration::from_secs(5));
        assert_eq!(pacing.quiet_until(at(19)), Some(at(20)));
        assert_eq!(pacing.quiet_until(at(20)), None);
    }
}

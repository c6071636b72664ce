//! How often to ask, and when nobody may ask at all.

use crate::clock::{Instant, lock};
use crate::retry::heeded;
use crate::session::{SessionProperties, SessionSize, SessionStatus};
use std::sync::Mutex;
use std::time::Duration;

/// How long what was read of a session counts as current, and so how often it is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intervals {
    pub(crate) starting: Duration,
    /// The same for a premium server, which takes longer to start.
    pub(crate) starting_premium: Duration,
    pub(crate) ready: Duration,
}

impl Intervals {
    /// A lease is counted in minutes and hours.
    pub(crate) const READY: Duration = Duration::from_secs(30);

    pub(crate) fn of(&self, session: &SessionProperties) -> Duration {
        match session.status {
            SessionStatus::Starting | SessionStatus::Stopping | SessionStatus::Unknown(_)
                if session.size == Some(SessionSize::Premium) =>
            {
                self.starting_premium
            }
            SessionStatus::Starting | SessionStatus::Stopping | SessionStatus::Unknown(_) => self.starting,
            SessionStatus::Ready | SessionStatus::Stopped | SessionStatus::Expired | SessionStatus::Error => self.ready,
        }
    }
}

/// The pace of one client: all its calls go to one account, and it is the account that the service slows down.
#[derive(Debug)]
pub(crate) struct Pacing {
    pub(crate) intervals: Intervals,
    /// Until when the service has asked to be left alone (`Retry-After`).
    quiet_until: Mutex<Option<Instant>>,
}

impl Pacing {
    pub(crate) fn new(intervals: Intervals) -> Pacing {
        Pacing { intervals, quiet_until: Mutex::new(None) }
    }

    /// The service answered 429 and asked for a pause.
    pub(crate) fn keep_quiet(&self, now: Instant, retry_after: Duration) {
        let until = now + heeded(retry_after);
        let mut quiet_until = lock(&self.quiet_until);
        *quiet_until = Some(quiet_until.map_or(until, |before| before.max(until)));
    }

    /// Until when nothing may be sent, if that is to come.
    pub(crate) fn quiet_until(&self, now: Instant) -> Option<Instant> {
        lock(&self.quiet_until).filter(|until| now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_elapsed(Duration::from_secs(seconds))
    }

    fn pacing() -> Pacing {
        let ten = Duration::from_secs(10);
        Pacing::new(Intervals { starting: ten, starting_premium: ten, ready: Intervals::READY })
    }

    #[test]
    fn a_pause_is_for_all_calls_and_only_grows() {
        let pacing = pacing();
        assert_eq!(pacing.quiet_until(at(0)), None);
        pacing.keep_quiet(at(0), Duration::from_secs(20));
        pacing.keep_quiet(at(1), Duration::from_secs(5));
        assert_eq!(pacing.quiet_until(at(19)), Some(at(20)));
        assert_eq!(pacing.quiet_until(at(20)), None);
    }

    #[test]
    fn no_service_can_silence_a_client_for_long() {
        let pacing = pacing();
        pacing.keep_quiet(at(0), Duration::MAX);
        assert_eq!(pacing.quiet_until(at(1)), Some(at(300)));
    }
}

//! One session as a pure state machine. It holds the moments at which something was decided, and computes its state
//! from the time it is asked about; nothing ticks. All times are durations since the emulator clock's beginning.
//! `docs/service.md`, "Lifecycle".

use std::time::Duration;

use uuid::Uuid;

use super::id::SessionId;
use super::renderer::Server;
use super::settings::Settings;
use super::status::{SessionStatus, StatusRefused};
use crate::clock::Moment;
use crate::format::timespan;

/// Why a lease was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LeaseRefused {
    /// The session is over, or will be in a moment.
    Over(SessionStatus),
    /// The lease that stands is as long or longer.
    NotLarger { current: Duration },
}

/// Which session it is.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) id: SessionId,
    pub(crate) account: Uuid,
    /// How many sessions had been created when it was: it gives all of them an order.
    pub(crate) number: u64,
}

/// An end that someone brought about, as opposed to a lease that ran out.
#[derive(Clone, Debug)]
enum End {
    Stop { asked_at: Duration, done_at: Duration, message: Option<String> },
    Expiry { at: Duration, message: Option<String> },
    Failure { at: Duration, message: String },
}

fn made_to_fail() -> String {
    "The session was made to fail.".to_owned()
}

/// One session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) identity: Identity,
    pub(crate) settings: Settings,
    /// Since 1970-01-01T00:00:00Z.
    pub(crate) creation_time: Duration,
    ready_at: Duration,
    server: Server,
    end: Option<End>,
}

impl Session {
    /// A session created at this moment, which is ready after `startup`.
    pub(crate) fn new(
        identity: Identity,
        settings: Settings,
        moment: Moment,
        startup: Duration,
        server: Server,
    ) -> Session {
        Session {
            identity,
            settings,
            creation_time: moment.unix_time,
            ready_at: moment.now.saturating_add(startup),
            server,
            end: None,
        }
    }

    pub(crate) fn status(&self, now: Duration) -> SessionStatus {
        match &self.end {
            Some(End::Failure { .. }) => SessionStatus::Error,
            Some(End::Stop { done_at, .. }) if now < *done_at => SessionStatus::Stopping,
            Some(End::Stop { .. }) => SessionStatus::Stopped,
            Some(End::Expiry { .. }) => SessionStatus::Expired,
            None if now < self.ready_at => SessionStatus::Starting,
            None if now < self.expires_at() => SessionStatus::Ready,
            None => SessionStatus::Expired,
        }
    }

    /// How long the session has been of use: from ready until now or its end. A request to stop is that end, although
    /// the server may take a moment to go.
    pub(crate) fn elapsed(&self, now: Duration) -> Duration {
        self.of_use_until(now).saturating_sub(self.ready_at)
    }

    /// Whether the session has, or had before its end, a server.
    pub(crate) fn was_ready(&self, now: Duration) -> bool {
        self.of_use_until(now) >= self.ready_at
    }

    /// The name of the server, from the moment there is one.
    pub(crate) fn hostname(&self, now: Duration) -> Option<String> {
        self.was_ready(now).then(|| self.server.hostname.clone())
    }

    /// The ports for the inspector and for the handshake; none unless ready.
    pub(crate) fn ports(&self, now: Duration) -> Option<(u16, u16)> {
        (self.status(now) == SessionStatus::Ready).then_some((self.server.inspector_port, self.server.handshake_port))
    }

    /// Why the session ended, where nobody asked for the end.
    pub(crate) fn message(&self, now: Duration) -> Option<String> {
        match (&self.end, self.status(now)) {
            (Some(End::Failure { message, .. }), _) => Some(message.clone()),
            (Some(End::Stop { message, .. }), _) => message.clone(),
            (Some(End::Expiry { message: Some(message), .. }), _) => Some(message.clone()),
            (_, SessionStatus::Expired) => {
                let lease = timespan::format(self.settings.max_lease);
                Some(format!("The maximum lease time of {lease} has passed."))
            }
            _ => None,
        }
    }

    /// When the session was over, if it is.
    pub(crate) fn ended_at(&self, now: Duration) -> Option<Duration> {
        let end = match &self.end {
            Some(End::Failure { at, .. } | End::Expiry { at, .. }) => *at,
            Some(End::Stop { done_at, .. }) => *done_at,
            None => self.expires_at(),
        };
        (end <= now).then_some(end)
    }

    /// Sets the whole lease, which can only grow.
    pub(crate) fn extend(&mut self, now: Duration, lease: Duration) -> Result<(), LeaseRefused> {
        let status = self.status(now);
        if status.is_final() || status == SessionStatus::Stopping {
            return Err(LeaseRefused::Over(status));
        }
        if lease <= self.settings.max_lease {
            return Err(LeaseRefused::NotLarger { current: self.settings.max_lease });
        }
        self.settings.max_lease = lease;
        Ok(())
    }

    /// Asks for the end, which comes after `stopping`. A session that is over or stopping stays as it is.
    pub(crate) fn stop(&mut self, now: Duration, stopping: Duration) {
        if matches!(self.status(now), SessionStatus::Starting | SessionStatus::Ready) {
            self.end = Some(End::Stop { asked_at: now, done_at: now.saturating_add(stopping), message: None });
        }
    }

    /// Ends the session with a failure; false if it is over already.
    pub(crate) fn fail(&mut self, now: Duration, message: &str) -> bool {
        if self.status(now).is_final() {
            return false;
        }
        self.end = Some(End::Failure { at: now, message: message.to_owned() });
        true
    }

    /// Makes the session be in this status from now on, as far as a session can get there. Forced to stop, it is
    /// stopping until it is forced to be stopped.
    pub(crate) fn force(
        &mut self,
        now: Duration,
        to: SessionStatus,
        message: Option<&str>,
    ) -> Result<(), StatusRefused> {
        use SessionStatus::{Error, Expired, Ready, Starting, Stopped, Stopping};
        let from = self.status(now);
        if !matches!(
            (from, to),
            (Starting | Ready, Stopping | Expired) | (Starting, Ready) | (Starting | Ready | Stopping, Stopped | Error)
        ) {
            return Err(StatusRefused::Impossible { from, to });
        }
        if message.is_some() && !to.is_final() {
            return Err(StatusRefused::NoPlaceForMessage(to));
        }
        let message = message.map(str::to_owned);
        match to {
            Stopping => self.end = Some(End::Stop { asked_at: now, done_at: Duration::MAX, message }),
            Stopped => self.end = Some(End::Stop { asked_at: self.of_use_until(now), done_at: now, message }),
            Expired => self.end = Some(End::Expiry { at: now, message }),
            Error => self.end = Some(End::Failure { at: now, message: message.unwrap_or_else(made_to_fail) }),
            Starting | Ready => self.ready_at = now,
        }
        Ok(())
    }

    fn expires_at(&self) -> Duration {
        self.ready_at.saturating_add(self.settings.max_lease)
    }

    fn of_use_until(&self, now: Duration) -> Duration {
        let end = match &self.end {
            Some(End::Failure { at, .. } | End::Expiry { at, .. }) => *at,
            Some(End::Stop { asked_at, .. }) => *asked_at,
            None => self.expires_at(),
        };
        end.min(now)
    }
}

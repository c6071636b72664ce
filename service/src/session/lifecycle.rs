//! One session as a pure state machine (`docs/service.md`, "Lifecycle"). It stores when events happen and computes the
//! state at any time from them; no timer runs. All times are durations since the beginning of the emulator's clock.

use std::time::Duration;

use uuid::Uuid;

use super::id::SessionId;
use super::renderer::RendererAddress;
use super::settings::SessionSettings;
use super::status::{SessionStatus, StatusRefused};
use crate::clock::Timestamp;
use crate::format::timespan;

/// Why a lease was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LeaseRefused {
    /// The session has ended or is stopping.
    Over(SessionStatus),
    /// The current lease is as long or longer.
    NotLarger { current: Duration },
}

/// What identifies a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionIdentity {
    pub(crate) id: SessionId,
    pub(crate) account: Uuid,
    /// Counted from 1 in the order of creation, over all accounts.
    pub(crate) number: u64,
}

/// An end before the lease runs out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Stop { asked_at: Duration, done_at: Duration, message: Option<String> },
    Expiry { at: Duration, message: Option<String> },
    Failure { at: Duration, message: String },
}

fn made_to_fail() -> String {
    "The session was made to fail.".to_owned()
}

/// One session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) identity: SessionIdentity,
    pub(crate) settings: SessionSettings,
    /// Since 1970-01-01T00:00:00Z.
    pub(crate) creation_time: Duration,
    pub(crate) ready_at: Duration,
    pub(crate) renderer: RendererAddress,
    /// Its end, if that is not the end of its lease.
    pub(crate) end: Option<End>,
}

impl Session {
    /// A session created at this time, ready after `startup`.
    pub(crate) fn new(
        identity: SessionIdentity,
        settings: SessionSettings,
        timestamp: Timestamp,
        startup: Duration,
        renderer: RendererAddress,
    ) -> Session {
        Session {
            identity,
            settings,
            creation_time: timestamp.unix_time,
            ready_at: timestamp.now.saturating_add(startup),
            renderer,
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

    /// How long the session has been usable: from ready until now or its end. The end is the request to stop, although
    /// the renderer may take a while to stop.
    pub(crate) fn elapsed(&self, now: Duration) -> Duration {
        self.usable_until(now).saturating_sub(self.ready_at)
    }

    /// Whether the session has a renderer, or had one before its end.
    pub(crate) fn was_ready(&self, now: Duration) -> bool {
        self.usable_until(now) >= self.ready_at
    }

    /// The host name of the renderer, once the session has been ready.
    pub(crate) fn hostname(&self, now: Duration) -> Option<String> {
        self.was_ready(now).then(|| self.renderer.hostname.clone())
    }

    /// The ports for the inspector and for the handshake; none unless ready.
    pub(crate) fn ports(&self, now: Duration) -> Option<(u16, u16)> {
        (self.status(now) == SessionStatus::Ready)
            .then_some((self.renderer.inspector_port, self.renderer.handshake_port))
    }

    /// Why the session ended, if no client stopped it.
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

    /// When the session ended, or will end if no call intervenes.
    pub(crate) fn end(&self) -> Duration {
        match &self.end {
            Some(End::Failure { at, .. } | End::Expiry { at, .. }) => *at,
            Some(End::Stop { done_at, .. }) => *done_at,
            None => self.expires_at(),
        }
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

    /// Stops the session, which takes `stopping`. No effect if it has ended or is stopping.
    pub(crate) fn stop(&mut self, now: Duration, stopping: Duration) {
        if matches!(self.status(now), SessionStatus::Starting | SessionStatus::Ready) {
            self.end = Some(End::Stop { asked_at: now, done_at: now.saturating_add(stopping), message: None });
        }
    }

    /// Ends the session with a failure; false if it has already ended.
    pub(crate) fn fail(&mut self, now: Duration, message: &str) -> bool {
        if self.status(now).is_final() {
            return false;
        }
        self.end = Some(End::Failure { at: now, message: message.to_owned() });
        true
    }

    /// Forces the session into a status, if there is a transition to it. A forced `Stopping` lasts until `Stopped` or
    /// `Error` is forced.
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
            Stopped => self.end = Some(End::Stop { asked_at: self.usable_until(now), done_at: now, message }),
            Expired => self.end = Some(End::Expiry { at: now, message }),
            Error => self.end = Some(End::Failure { at: now, message: message.unwrap_or_else(made_to_fail) }),
            Starting | Ready => self.ready_at = now,
        }
        Ok(())
    }

    fn expires_at(&self) -> Duration {
        self.ready_at.saturating_add(self.settings.max_lease)
    }

    fn usable_until(&self, now: Duration) -> Duration {
        let end = match &self.end {
            Some(End::Failure { at, .. } | End::Expiry { at, .. }) => *at,
            Some(End::Stop { asked_at, .. }) => *asked_at,
            None => self.expires_at(),
        };
        end.min(now)
    }
}

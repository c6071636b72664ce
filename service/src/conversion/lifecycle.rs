//! One conversion as a pure state machine (`docs/service-2021-01-01.md`, "Conversions"). It stores when events happen and
//! computes the status at any time from them; no timer runs. All times are durations since the beginning of the
//! emulator's clock.

use std::time::Duration;

use uuid::Uuid;

use super::id::ConversionId;
use super::settings::ConversionSettings;
use super::status::{ConversionError, ConversionStatus, ConversionStatusRefused};
use crate::clock::Timestamp;

/// What identifies a conversion.
#[derive(Clone, Debug)]
pub(crate) struct ConversionIdentity {
    pub(crate) id: ConversionId,
    pub(crate) account: Uuid,
    /// Counted from 1 in the order of creation, over all accounts.
    pub(crate) number: u64,
}

/// How a conversion ends.
#[derive(Clone, Debug)]
enum Outcome {
    Success,
    Failure(ConversionError),
    Cancellation(ConversionError),
}

/// One conversion.
#[derive(Clone, Debug)]
pub(crate) struct Conversion {
    pub(crate) identity: ConversionIdentity,
    pub(crate) settings: ConversionSettings,
    /// Since 1970-01-01T00:00:00Z.
    pub(crate) creation_time: Duration,
    starts_at: Duration,
    ends_at: Duration,
    outcome: Outcome,
}

impl Conversion {
    /// A conversion created at this time, which ends after `duration`: successfully, unless it has a `failure`. It is
    /// `NotStarted` for the first quarter.
    pub(super) fn new(
        identity: ConversionIdentity,
        settings: ConversionSettings,
        timestamp: Timestamp,
        duration: Duration,
        failure: Option<ConversionError>,
    ) -> Conversion {
        Conversion {
            identity,
            settings,
            creation_time: timestamp.unix_time,
            starts_at: timestamp.now.saturating_add(duration / 4),
            ends_at: timestamp.now.saturating_add(duration),
            outcome: failure.map_or(Outcome::Success, Outcome::Failure),
        }
    }

    pub(crate) fn status(&self, now: Duration) -> ConversionStatus {
        match &self.outcome {
            _ if now < self.starts_at.min(self.ends_at) => ConversionStatus::NotStarted,
            _ if now < self.ends_at => ConversionStatus::Running,
            Outcome::Success => ConversionStatus::Succeeded,
            Outcome::Failure(_) => ConversionStatus::Failed,
            Outcome::Cancellation(_) => ConversionStatus::Cancelled,
        }
    }

    /// Why it ended without a result.
    pub(crate) fn error(&self, now: Duration) -> Option<&ConversionError> {
        match &self.outcome {
            Outcome::Failure(error) | Outcome::Cancellation(error) if now >= self.ends_at => Some(error),
            _ => None,
        }
    }

    /// The URI of the result, if there is one.
    pub(crate) fn output_asset_uri(&self, now: Duration) -> Option<String> {
        (self.status(now) == ConversionStatus::Succeeded).then(|| self.settings.output.asset_uri())
    }

    /// When it has ended, or will.
    pub(super) fn end(&self) -> Duration {
        self.ends_at
    }

    /// Forces the conversion into a status, if there is a transition to it. Without a code or message, an end without a
    /// result has the service's.
    pub(super) fn force(
        &mut self,
        now: Duration,
        to: ConversionStatus,
        code: Option<&str>,
        message: Option<&str>,
    ) -> Result<(), ConversionStatusRefused> {
        use ConversionStatus::{Cancelled, Failed, NotStarted, Running, Succeeded};
        let from = self.status(now);
        if from.is_final() || to == NotStarted || from == to {
            return Err(ConversionStatusRefused::Impossible { from, to });
        }
        if (code.is_some() || message.is_some()) && !matches!(to, Failed | Cancelled) {
            return Err(ConversionStatusRefused::NoPlaceForError(to));
        }
        let error = |default: ConversionError| {
            ConversionError::new(code.unwrap_or(&default.code), message.unwrap_or(&default.message))
        };
        match to {
            NotStarted | Running => {
                self.starts_at = now;
                return Ok(());
            }
            Succeeded => self.outcome = Outcome::Success,
            Failed => self.outcome = Outcome::Failure(error(ConversionError::failed())),
            Cancelled => self.outcome = Outcome::Cancellation(error(ConversionError::cancelled())),
        }
        self.ends_at = now;
        Ok(())
    }
}

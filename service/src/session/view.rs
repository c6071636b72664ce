//! A session as a user of the library sees it.

use std::time::Duration;

use super::lifecycle::Session;
use super::settings::SessionSize;
use super::status::SessionStatus;

/// A snapshot of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionView {
    /// The session's id: a GUID in lower case, or the id that the client chose.
    pub id: String,
    /// The id of the account that created it: a GUID in lower case.
    pub account_id: String,
    /// Its status.
    pub status: SessionStatus,
    /// The kind of renderer that it runs on.
    pub size: SessionSize,
    /// The whole lease, counted from `Ready`.
    pub max_lease: Duration,
    /// How long it has been ready, up to its end.
    pub elapsed: Duration,
    /// The host name of its renderer; none before it is ready.
    pub hostname: Option<String>,
    /// Why it ended, if no client stopped it.
    pub message: Option<String>,
}

impl SessionView {
    pub(crate) fn of(session: &Session, now: Duration) -> SessionView {
        SessionView {
            id: session.identity.id.to_string(),
            account_id: session.identity.account.to_string(),
            status: session.status(now),
            size: session.settings.size,
            max_lease: session.settings.max_lease,
            elapsed: session.elapsed(now),
            hostname: session.hostname(now),
            message: session.message(now),
        }
    }
}

//! The sessions in the journal.

use super::super::account::Account;
use super::journal_work::survey;
use crate::error::{Error, Result};
use crate::journal::{Record, RecordState};
use crate::model::SessionId;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An entry of [`Client::recorded_sessions`](crate::Client::recorded_sessions).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedSession {
    /// The session's id.
    pub id: SessionId,
    /// When its create was about to be sent, by this machine's clock.
    pub created: SystemTime,
    /// It was left running on purpose: see [`Session::release`](crate::Session::release).
    pub released: bool,
    /// It belongs to a client that is alive, in this process or another.
    pub in_use: bool,
}

/// The sessions at this account's endpoint that the journal records as certainly created by its clients.
pub(in crate::client) fn recorded(account: &Account) -> Result<Vec<RecordedSession>> {
    let Some(journal) = &account.core.journal else { return Err(no_journal()) };
    let read = |(record, in_use): (Record, bool)| {
        let certain = record.is_at(&account.context.service) && record.is_certain();
        Some(RecordedSession {
            id: record.session_id.clone().filter(|_| certain)?,
            created: UNIX_EPOCH + Duration::from_secs(record.written.as_secs()),
            released: record.state == RecordState::Released,
            in_use,
        })
    };
    Ok(survey(journal)?.records.into_iter().filter_map(read).collect())
}

/// The error if the client has no journal.
pub(super) fn no_journal() -> Error {
    Error::invalid_argument(
        "the client has no journal; create it with `journal_folder`, in every run with the same folder",
    )
}

//! Shared code of the operations that use the journal.

use super::super::account::Account;
use super::super::state::SessionState;
use crate::clock::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Journal, Record, Survey};
use crate::model::SessionProperties;
use crate::protocol::Work;
use std::sync::{Arc, Mutex};

/// The ownership of a session found in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// Certain: an earlier run chose or received its id. [`StopScope::Own`](crate::StopScope::Own) includes it.
    Ours,
    /// Possible: an earlier run lost the reply to a create, and this session matches its request and time. It may also
    /// belong to another client, which may be alive.
    Candidate,
    /// Likely: an earlier run lost the reply to a create, no other session of the account matches, and no other lost
    /// create that this client knows of may have made it. It may still belong to another client, if the create made no
    /// session.
    OnlyCandidate,
}

/// The result of disk work, for the operation that waits for it.
pub(super) struct JournalWork<T>(Arc<Mutex<Option<Result<T>>>>);

impl<T: Send + 'static> JournalWork<T> {
    pub(super) fn start(work: impl FnOnce() -> Result<T> + Send + 'static) -> (JournalWork<T>, Work) {
        let place = Arc::new(Mutex::new(None));
        let result = Arc::clone(&place);
        (JournalWork(place), Work(Box::new(move || *lock(&result) = Some(work()))))
    }

    pub(super) fn take(&self) -> Result<T> {
        let done = lock(&self.0).take();
        let lost = "the journal's work was not done; please report this";
        done.unwrap_or_else(|| Err(Error::new(ErrorKind::Internal, lost)))
    }
}

/// All records, each with whether its owner is alive. This client counts as alive, except for its records with
/// candidates, which each recovery checks again.
pub(super) fn survey(journal: &Journal) -> Result<Survey> {
    let mut survey = journal.others()?;
    let lives = |record: &Record| !record.is_undecided();
    survey.records.extend(journal.own().into_iter().map(|record| (record.clone(), lives(&record))));
    Ok(survey)
}

/// Registers a session that was found in the journal.
pub(super) fn take_over(account: &Account, found: SessionProperties, claim: Claim) -> Arc<SessionState> {
    let size = found.size.clone();
    let state = account.state_of(found);
    match claim {
        Claim::Ours => account.registry.created(state, size),
        Claim::Candidate | Claim::OnlyCandidate => account.registry.opened(state),
    }
}

/// Adds the recorded size if the service left it out, as some do.
pub(super) fn sized(found: SessionProperties, record: &Record) -> SessionProperties {
    SessionProperties { size: found.size.or_else(|| Some(record.size.clone())), ..found }
}

pub(super) fn stepped_after_end() -> Error {
    Error::new(ErrorKind::Internal, "an operation was stepped after its end; please report this")
}

//! Shared code of the operations that use the journal.

use super::super::account::Account;
use super::super::state::SessionState;
use crate::clock::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::Record;
use crate::model::SessionProperties;
use crate::protocol::Work;
use std::sync::{Arc, Mutex};

/// The ownership of a session found in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// An earlier run chose or received its id, so it is ours. [`StopScope::Own`](crate::StopScope::Own) includes it.
    Ours,
    /// An earlier run lost the reply to a create, and this session may be the one it made: it matches the request and
    /// the time. It may also belong to another client.
    Candidate,
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
        done.unwrap_or_else(|| Err(Error::new(ErrorKind::Internal, "the journal could not be reached")))
    }
}

/// Registers a session that was found in the journal.
pub(super) fn take_over(account: &Account, found: SessionProperties, claim: Claim) -> Arc<SessionState> {
    let size = found.size.clone();
    let state = account.state_of(found);
    match claim {
        Claim::Ours => account.registry.created(state, size),
        Claim::Candidate => account.registry.opened(state),
    }
}

/// Adds the recorded size, which services have been seen to leave out.
pub(super) fn sized(found: SessionProperties, record: &Record) -> SessionProperties {
    SessionProperties { size: found.size.or_else(|| Some(record.size.clone())), ..found }
}

pub(super) fn stepped_after_end() -> Error {
    Error::new(ErrorKind::Internal, "an operation was stepped after its end")
}

//! What the operations share that look into the journal.

use super::super::account::Account;
use super::super::state::SessionState;
use crate::clock::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::Record;
use crate::model::SessionProperties;
use crate::protocol::Work;
use std::sync::{Arc, Mutex};

/// Whose a session is that was found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// Its id was chosen or received by an earlier run: it is ours. `stop_all` of the own sessions stops it.
    Ours,
    /// An earlier run has lost the answer to a create, and this session may be what was made: it was asked for so, at that
    /// time. It may as well be somebody else's.
    Candidate,
}

/// What work on a disk brings to the operation that waits for it.
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

/// Keeps a session that was found in the journal.
pub(super) fn take_over(account: &Account, found: SessionProperties, claim: Claim) -> Arc<SessionState> {
    let size = found.size.clone();
    let state = account.state_of(found);
    match claim {
        Claim::Ours => account.registry.created(state, size),
        Claim::Candidate => account.registry.opened(state),
    }
}

/// Services have been seen to leave it out.
pub(super) fn sized(found: SessionProperties, record: &Record) -> SessionProperties {
    SessionProperties { size: found.size.or_else(|| Some(record.size.clone())), ..found }
}

pub(super) fn stepped_after_end() -> Error {
    Error::new(ErrorKind::Internal, "an operation was stepped after its end")
}

//! Reports which sessions a create may have made whose reply was lost.

use super::super::account::Account;
use crate::clock::Instant;
use crate::error::{ErrorKind, Result};
use crate::events::{EventKind, Fact, Label};
use crate::journal::RecordId;
use crate::model::{NewSession, SessionId, SessionProperties};
use crate::protocol::{self, Chore};
use std::collections::HashSet;
use std::sync::Arc;

/// A create whose reply was lost.
pub(super) struct LostCreate {
    pub(super) account: Arc<Account>,
    pub(super) label: Label,
    pub(super) new: NewSession,
    /// The journal's record of it.
    pub(super) record: Option<RecordId>,
    pub(super) begun: Instant,
    pub(super) error: ErrorKind,
}

impl LostCreate {
    /// Reports which session it may have made. With a known id that is the session; otherwise the returned chore lists
    /// the candidates.
    pub(super) fn report(self) -> Option<Chore> {
        if let Some(id) = &self.new.id {
            self.post_all(vec![id.clone()], None);
            return None;
        }
        let deadline = self.account.core.deadline(None);
        let list = protocol::list(&self.account.context, deadline);
        Some(Chore::new(list, deadline, move |sessions| self.look_through(sessions)))
    }

    /// Reports those of the account's sessions that it may have made.
    fn look_through(self, sessions: Result<Vec<SessionProperties>>) {
        let sessions = match sessions {
            Ok(sessions) => sessions,
            Err(error) => return self.post_all(Vec::new(), Some(error.kind())),
        };
        let core = Arc::clone(&self.account.core);
        if core.journal.is_none() {
            let candidates = self.candidates(sessions, &HashSet::new());
            return self.post_all(candidates, None);
        }
        core.note(move |journal| {
            // A journal that cannot be read excludes no candidate.
            let noted = self.account.ids_of(&journal.others().unwrap_or_default());
            let candidates = self.candidates(sessions, &noted);
            if let Some(record) = self.record {
                self.account.registry.undecided(record, candidates.clone());
            }
            self.post_all(candidates, None);
            Ok(())
        });
    }

    /// The sessions that are also unknown to the other users of the journal.
    fn candidates(&self, sessions: Vec<SessionProperties>, noted: &HashSet<SessionId>) -> Vec<SessionId> {
        let age = self.account.core.now().saturating_since(self.begun);
        let candidates = self.account.candidates(sessions, noted, &self.new.size, self.new.max_lease, age);
        candidates.into_iter().map(|session| session.id).collect()
    }

    /// `unseen`: why the list could not be read, for example because the client has ended.
    fn post_all(&self, candidates: Vec<SessionId>, unseen: Option<ErrorKind>) {
        let count = candidates.len();
        if count == 0 {
            self.post(None, unseen, 0, 0);
        }
        for (index, id) in candidates.into_iter().enumerate() {
            self.post(Some(id), Some(self.error), index, count);
        }
    }

    fn post(&self, session: Option<SessionId>, error: Option<ErrorKind>, index: usize, count: usize) {
        self.account.core.events.post_fact(Fact {
            kind: EventKind::CreateLost,
            label: self.label,
            session,
            error,
            index: u32::try_from(index).unwrap_or(u32::MAX),
            count: u32::try_from(count).unwrap_or(u32::MAX),
        });
    }
}

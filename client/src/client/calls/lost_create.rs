//! Reports which sessions a create with a lost reply may have made.

use super::super::account::Account;
use super::super::creates::{Lost, ON_ITS_WAY, Records, with_missing};
use super::journal_work::survey;
use crate::clock::Instant;
use crate::error::{ErrorKind, Result};
use crate::events::{EventKind, Fact, Label};
use crate::journal::{Journal, Record};
use crate::model::{SessionId, SessionKey, SessionProperties};
use crate::protocol::{Chore, Operation, Step};
use crate::wire::Answer;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// A create whose reply was lost.
pub(super) struct LostCreate {
    pub(super) account: Arc<Account>,
    pub(super) label: Label,
    /// The session's id, if it was chosen.
    pub(super) id: Option<SessionId>,
    pub(super) lost: Lost,
    /// The sessions that existed before.
    pub(super) before: Arc<HashSet<SessionKey>>,
    /// The journal's other records.
    pub(super) records: Records,
    /// The journal cannot be read.
    pub(super) unreadable: bool,
    pub(super) error: ErrorKind,
}

/// How long to wait for other creates in flight, whose sessions could be mistaken for this one's.
const PATIENCE: Duration = Duration::from_secs(60);

impl LostCreate {
    /// Reports which session it may have made: the one with the chosen id, or else the matching ones of the account's
    /// list. Returns the chore to start for that.
    pub(super) fn report(mut self) -> Option<Chore> {
        if let Some(id) = &self.id {
            self.post_all(vec![id.clone()], false, None);
            return None;
        }
        let core = Arc::clone(&self.account.core);
        let now = core.now();
        if core.journal.is_none() {
            return Some(self.list(now));
        }
        // Reads the journal before and after the list: a single read may miss a record that moves meanwhile.
        core.note(move |journal| {
            self.records = self.read(journal);
            let core = Arc::clone(&self.account.core);
            core.start(self.list(now));
            Ok(())
        });
        None
    }

    /// Lists the account's sessions at this time.
    fn list(self, at: Instant) -> Chore {
        let deadline = at + self.account.core.call_timeout;
        let list = After { at, operation: self.account.list(deadline) };
        Chore::new(list, deadline, move |sessions| self.look_through(sessions))
    }

    /// Reports those of the account's sessions that it may have made.
    fn look_through(mut self, sessions: Result<Vec<SessionProperties>>) {
        let sessions = match sessions {
            Ok(sessions) => sessions,
            Err(error) => return self.post_all(Vec::new(), false, Some(error.kind())),
        };
        let core = Arc::clone(&self.account.core);
        if core.journal.is_none() {
            return self.judge(sessions, &[]);
        }
        core.note(move |journal| {
            let records = self.read(journal);
            let earlier = std::mem::replace(&mut self.records, records);
            self.judge(sessions, &earlier);
            Ok(())
        });
    }

    /// `earlier`: the journal's records before the list.
    fn judge(self, sessions: Vec<SessionProperties>, earlier: &[(Record, bool)]) {
        let core = Arc::clone(&self.account.core);
        let now = core.now();
        if self.account.has_creates_in(&self.records) {
            if now >= self.lost.begun + PATIENCE || core.is_shut_down() {
                return self.post_all(Vec::new(), false, Some(ErrorKind::Timeout));
            }
            let pause = self.account.context.pacing.intervals.starting;
            return core.start(self.list(now + pause));
        }
        let records = with_missing(self.records.clone(), earlier);
        let excluded = &self.account.certain_in(&records) | &self.before;
        let candidates = self.account.candidates(sessions, &excluded, self.lost.requested(now)).possible;
        let ids: Vec<SessionId> = candidates.iter().map(|session| session.id.clone()).collect();
        let create = self.lost.create;
        let may_be_anothers = |session| self.account.is_shared(session, create, &records, core.clock.unix_time());
        let shared = self.unreadable || candidates.iter().any(may_be_anothers);
        if let Some(journal) = core.journal.as_ref().filter(|_| !ids.is_empty()) {
            core.log.warn_of(journal.name_candidates(create, &candidates));
            // Before that, the create may still arrive and make another session, so the record must outlive these.
            if now.saturating_since(self.lost.begun) > ON_ITS_WAY {
                self.account.registry.undecided(create, ids.clone());
            }
        }
        self.post_all(ids, shared, None);
    }

    /// The journal's records now.
    fn read(&mut self, journal: &Journal) -> Records {
        let survey = survey(journal);
        self.unreadable = survey.is_err();
        let mut records = survey.unwrap_or_default().records;
        records.retain(|(record, _)| record.id != self.lost.create);
        records
    }

    /// `shared`: other lost creates may have made them. `unseen`: why the candidates could not be determined, for example
    /// because the client has ended.
    fn post_all(&self, candidates: Vec<SessionId>, shared: bool, unseen: Option<ErrorKind>) {
        if candidates.is_empty() {
            return self.post(None, unseen, 0, 0);
        }
        // A single candidate looks certain, so that it may be none is another possibility, with an event of its own.
        let or_none = (shared && candidates.len() == 1).then_some(None);
        let possibilities: Vec<_> = candidates.into_iter().map(Some).chain(or_none).collect();
        let count = possibilities.len();
        for (index, session) in possibilities.into_iter().enumerate() {
            self.post(session, Some(self.error), index, count);
        }
    }

    fn post(&self, session: Option<SessionId>, error: Option<ErrorKind>, index: usize, count: usize) {
        self.account.core.events.post_fact(Fact {
            kind: EventKind::CreateLost,
            label: self.label,
            session,
            error,
            index: u16::try_from(index).unwrap_or(u16::MAX),
            count: u16::try_from(count).unwrap_or(u16::MAX),
        });
    }
}

/// An operation that begins at a time.
struct After<O> {
    at: Instant,
    operation: O,
}

impl<O: Operation> Operation for After<O> {
    type Outcome = O::Outcome;

    fn step(&mut self, now: Instant, answer: Option<Answer>) -> Step<O::Outcome> {
        if now < self.at { Step::SleepUntil(self.at) } else { self.operation.step(now, answer) }
    }
}

//! Recovers sessions that earlier runs left behind.

use super::super::account::{Account, KnownSession, ON_ITS_WAY};
use super::super::accounts::Accounts;
use super::super::completion::cancelled;
use super::journal_work::{Claim, JournalWork, sized, stepped_after_end, take_over};
use crate::clock::Instant;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Journal, Record, RecordId, RecordState as Noted};
use crate::model::SessionProperties;
use crate::protocol::{self, List, OneCall, Operation, Step, Work};
use crate::wire::Answer;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// Recovers all existing sessions of dead owners, with the certainty that each is ours.
pub(in crate::client) fn recover(accounts: &Accounts, deadline: Instant) -> Result<Recover> {
    let journal = accounts.home.core.journal.as_ref().ok_or_else(|| {
        Error::invalid_argument("the client has no journal; give it a path for one, always the same, when it is made")
    })?;
    Ok(Recover::new(accounts, journal, deadline))
}

/// See [`recover`].
pub(in crate::client) struct Recover {
    accounts: Accounts,
    journal: Arc<Journal>,
    deadline: Instant,
    state: Recovering,
    /// The records to check.
    todo: VecDeque<(Record, Arc<Account>)>,
    found: Vec<Found>,
    /// The records of sessions that have ended.
    gone: Vec<RecordId>,
    /// Why a record could not be checked.
    trouble: Option<Error>,
    /// The caller has gone.
    left: bool,
}

/// The recovered sessions.
type Recoverable = Vec<(KnownSession, Claim)>;

struct Found {
    record: RecordId,
    account: Arc<Account>,
    properties: SessionProperties,
    claim: Claim,
}

enum Recovering {
    Begin,
    Surveying(JournalWork<Vec<(Record, bool)>>),
    Next,
    Reading(Record, Arc<Account>, OneCall<SessionProperties>),
    Listing(Record, Arc<Account>, List),
    /// The list has arrived, and is compared with the current records of live owners.
    Comparing(Record, Arc<Account>, Vec<SessionProperties>, JournalWork<Vec<(Record, bool)>>),
    Adopting(JournalWork<HashSet<RecordId>>),
    /// There is no caller for them: they are left behind again.
    Leaving(JournalWork<()>),
    Over,
}

impl Recover {
    fn new(accounts: &Accounts, journal: &Arc<Journal>, deadline: Instant) -> Recover {
        Recover {
            accounts: accounts.clone(),
            journal: Arc::clone(journal),
            deadline,
            state: Recovering::Begin,
            todo: VecDeque::new(),
            found: Vec::new(),
            gone: Vec::new(),
            trouble: None,
            left: false,
        }
    }

    /// All records, and whether the owner is alive. This client is.
    fn survey(&self) -> (JournalWork<Vec<(Record, bool)>>, Work) {
        let journal = Arc::clone(&self.journal);
        JournalWork::start(move || {
            let mut records = journal.others()?;
            records.extend(journal.own().into_iter().map(|record| (record, true)));
            Ok(records)
        })
    }

    fn trouble(&mut self, error: Error) {
        self.accounts.home.context.log.warning(error.correlation_vector(), || {
            format!("a session of the journal could not be looked at: {error}")
        });
        self.trouble.get_or_insert(error);
    }

    /// Records a failure. If the endpoint cannot be reached, its other records are skipped.
    fn trouble_at(&mut self, account: &Arc<Account>, error: Error) {
        use ErrorKind::{NameResolution, Network, Timeout, Tls};
        if matches!(error.kind(), Network | NameResolution | Timeout | Tls) {
            self.todo.retain(|(_, other)| !Arc::ptr_eq(other, account));
        }
        self.trouble(error);
    }

    fn begin_next(&mut self, now: Instant) -> std::result::Result<Recovering, Step<Result<Recoverable>>> {
        if now >= self.deadline && !self.todo.is_empty() {
            // The sessions found so far are not discarded because of the rest.
            self.todo.clear();
            self.trouble(protocol::out_of_time());
        }
        let Some((record, account)) = self.todo.pop_front() else {
            return Err(self.adopt());
        };
        let deadline = self.share_of(&account, now);
        Ok(match record.session_id.clone() {
            Some(id) => {
                let id = account.context.service.spelled(&id);
                let read = protocol::properties(&account.context, id, deadline);
                Recovering::Reading(record, account, read)
            }
            None => {
                let list = protocol::list(&account.context, deadline);
                Recovering::Listing(record, account, list)
            }
        })
    }

    /// The deadline for an account: one that does not answer must leave the others their share of the time.
    fn share_of(&self, account: &Arc<Account>, now: Instant) -> Instant {
        let others: HashSet<_> = self.todo.iter().map(|(_, other)| Arc::as_ptr(other)).collect();
        let others = others.into_iter().filter(|other| *other != Arc::as_ptr(account)).count();
        now + self.deadline.saturating_since(now) / u32::try_from(others + 1).unwrap_or(u32::MAX)
    }

    /// Whether this record's create may still arrive, if its session does not exist yet.
    fn may_still_come(&self, record: &Record) -> bool {
        record.state != Noted::Created && self.journal.unix_time().saturating_sub(record.written) <= ON_ITS_WAY
    }

    fn adopt(&mut self) -> Step<Result<Recoverable>> {
        if let Some(trouble) = self.trouble.take().filter(|_| self.found.is_empty() && self.gone.is_empty()) {
            return Step::Done(Err(trouble));
        }
        let (journal, gone) = (Arc::clone(&self.journal), std::mem::take(&mut self.gone));
        let mut wanted: Vec<RecordId> = self.found.iter().map(|found| found.record).collect();
        wanted.extend(&gone);
        let (pending, work) = JournalWork::start(move || {
            let adopted: HashSet<RecordId> = journal.adopt(&wanted)?.iter().map(|record| record.id).collect();
            for id in gone {
                journal.remove(id)?;
            }
            Ok(adopted)
        });
        self.state = Recovering::Adopting(pending);
        Step::Work(work)
    }

    fn hand_out(&mut self, adopted: &HashSet<RecordId>) -> Recoverable {
        let mut found = std::mem::take(&mut self.found);
        found.retain(|found| adopted.contains(&found.record));
        for create in adopted {
            let of_create = |found: &&Found| found.record == *create && found.claim == Claim::Candidate;
            let candidates: Vec<&Found> = found.iter().filter(of_create).collect();
            if let Some(first) = candidates.first() {
                let ids = candidates.iter().map(|found| found.properties.id.clone()).collect();
                first.account.registry.undecided(*create, ids);
            }
        }
        // Several lost creates may have the same candidate.
        let mut seen = HashSet::new();
        found.retain(|found| seen.insert((Arc::as_ptr(&found.account), found.properties.id.clone())));
        let hand_out = |Found { account, properties, claim, .. }| {
            let state = take_over(&account, properties, claim);
            (KnownSession { account, state }, claim)
        };
        found.into_iter().map(hand_out).collect()
    }

    /// The listed sessions that the create of a record without an id may have made. `None` if that is ambiguous now.
    fn candidates(
        &self,
        record: &Record,
        account: &Account,
        sessions: Vec<SessionProperties>,
        others: &[(Record, bool)],
    ) -> Option<Vec<SessionProperties>> {
        let service = &account.context.service;
        // A live owner is creating a session whose id is not known yet. It must not be mistaken for ours.
        let ambiguous = |(other, lives): &(Record, bool)| {
            *lives && other.is_at(service) && other.session_id.is_none() && other.state == Noted::Creating
        };
        if others.iter().any(ambiguous) {
            return None;
        }
        let age = self.journal.unix_time().saturating_sub(record.written);
        Some(account.candidates(sessions, &account.ids_of(others), &record.size, record.max_lease, age))
    }

    fn go_on(
        &mut self,
        now: Instant,
        answer: Option<Answer>,
    ) -> std::result::Result<Recovering, Step<Result<Recoverable>>> {
        match std::mem::replace(&mut self.state, Recovering::Over) {
            Recovering::Begin => {
                let (pending, work) = self.survey();
                self.state = Recovering::Surveying(pending);
                Err(Step::Work(work))
            }
            Recovering::Surveying(pending) => {
                let others = pending.take().map_err(|error| Step::Done(Err(error)))?;
                let account = self.accounts.home.context.service.target.account_id.clone();
                for (record, lives) in others {
                    if lives || record.account_id != account {
                        continue;
                    }
                    match self.accounts.of_record(&record) {
                        Ok(account) => self.todo.push_back((record, account)),
                        Err(error) => self.trouble(error),
                    }
                }
                Ok(Recovering::Next)
            }
            Recovering::Next => self.begin_next(now),
            Recovering::Reading(record, account, mut read) => match read.step(now, answer).outcome() {
                Err(step) => {
                    self.state = Recovering::Reading(record, account, read);
                    Err(step)
                }
                Ok(Ok(properties)) if properties.status.is_alive() => {
                    let properties = sized(properties, &record);
                    self.found.push(Found { record: record.id, account, properties, claim: Claim::Ours });
                    Ok(Recovering::Next)
                }
                Ok(Err(error)) if error.kind() != ErrorKind::NotFound => {
                    self.trouble_at(&account, error);
                    Ok(Recovering::Next)
                }
                Ok(Err(_)) if self.may_still_come(&record) => Ok(Recovering::Next),
                Ok(_) => {
                    self.gone.push(record.id);
                    Ok(Recovering::Next)
                }
            },
            Recovering::Listing(record, account, mut list) => match list.step(now, answer).outcome() {
                Err(step) => {
                    self.state = Recovering::Listing(record, account, list);
                    Err(step)
                }
                Ok(Ok(sessions)) => {
                    let (pending, work) = self.survey();
                    self.state = Recovering::Comparing(record, account, sessions, pending);
                    Err(Step::Work(work))
                }
                Ok(Err(error)) => {
                    self.trouble_at(&account, error);
                    Ok(Recovering::Next)
                }
            },
            Recovering::Comparing(record, account, sessions, pending) => {
                let others = pending.take().map_err(|error| Step::Done(Err(error)))?;
                match self.candidates(&record, &account, sessions, &others) {
                    // It is checked again by the next call.
                    None => {}
                    Some(candidates) if candidates.is_empty() && self.may_still_come(&record) => {}
                    Some(candidates) if candidates.is_empty() => self.gone.push(record.id),
                    Some(candidates) => {
                        let found = candidates.into_iter().map(|properties| Found {
                            record: record.id,
                            account: Arc::clone(&account),
                            properties,
                            claim: Claim::Candidate,
                        });
                        self.found.extend(found);
                    }
                }
                Ok(Recovering::Next)
            }
            Recovering::Adopting(pending) => match pending.take() {
                Ok(adopted) if self.left => {
                    let (journal, adopted) = (Arc::clone(&self.journal), adopted.into_iter().collect::<Vec<_>>());
                    let (pending, work) = JournalWork::start(move || journal.leave_behind(&adopted));
                    self.state = Recovering::Leaving(pending);
                    Err(Step::Work(work))
                }
                Ok(adopted) => Err(Step::Done(Ok(self.hand_out(&adopted)))),
                Err(error) => Err(Step::Done(Err(error))),
            },
            Recovering::Leaving(pending) => Err(Step::Done(pending.take().and(Err(cancelled())))),
            Recovering::Over => Err(Step::Done(Err(stepped_after_end()))),
        }
    }
}

impl Operation for Recover {
    type Outcome = Result<Recoverable>;

    fn step(&mut self, now: Instant, mut answer: Option<Answer>) -> Step<Self::Outcome> {
        loop {
            match self.go_on(now, answer.take()) {
                Ok(state) => self.state = state,
                Err(step) => return step,
            }
        }
    }

    fn leave(&mut self, _now: Instant, _in_flight: bool) -> bool {
        self.left = true;
        matches!(self.state, Recovering::Adopting(_) | Recovering::Leaving(_))
    }
}

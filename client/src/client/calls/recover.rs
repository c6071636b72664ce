//! Recovers sessions that earlier runs left behind.

use super::super::account::{Account, KnownSession};
use super::super::accounts::Accounts;
use super::super::completion::cancelled;
use super::super::creates::{Candidates, ON_ITS_WAY, Records, Requested, with_missing};
use super::journal_work::{Claim, JournalWork, sized, stepped_after_end, survey, take_over};
use super::missing::Missing;
use super::recorded::no_journal;
use crate::clock::Instant;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Adopted, Journal, Record, RecordId, RecordState as Noted, Survey};
use crate::model::{SessionId, SessionKey, SessionProperties};
use crate::protocol::{self, List, OneCall, Operation, Step, Work};
use crate::wire::Answer;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// Recovers the existing sessions of dead owners, or one of them.
pub(in crate::client) fn recover(accounts: &Accounts, which: Which, deadline: Instant) -> Result<Recover> {
    let journal = accounts.home.core.journal.as_ref().ok_or_else(no_journal)?;
    Ok(Recover::new(accounts, journal, which, deadline))
}

/// The error if no dead owner has the named session.
pub(in crate::client) fn not_left_behind(id: &SessionId) -> Error {
    let message = format!(
        "session {id} cannot be recovered: it has ended, or the journal has no record of it from a client that has \
         ended; open it instead"
    );
    Error::new(ErrorKind::NotFound, message)
}

/// Which sessions to recover.
pub(in crate::client) enum Which {
    /// Those that a crash left behind.
    LeftBehind,
    /// This one, even if it was left running on purpose.
    Named(SessionId),
}

impl Which {
    fn includes(&self, record: &Record) -> bool {
        match self {
            Which::LeftBehind => record.state != Noted::Released,
            Which::Named(id) => {
                record.session_id.as_ref().is_some_and(|own| own.key(record.version) == id.key(record.version))
            }
        }
    }
}

/// See [`recover`].
pub(in crate::client) struct Recover {
    accounts: Accounts,
    journal: Arc<Journal>,
    which: Which,
    deadline: Instant,
    state: Recovering,
    /// The records to check.
    todo: VecDeque<(Record, Arc<Account>)>,
    found: Vec<Found>,
    /// All records at the beginning. A single survey may miss a record that moves while the files are read.
    first: Records,
    /// The records whose session the service does not know.
    missing: Missing<RecordId>,
    /// The records of sessions that have ended.
    gone: Vec<RecordId>,
    /// Why a record could not be checked.
    trouble: Option<Error>,
    /// Why a record was not checked: this client may not contact its endpoint.
    elsewhere: Option<Error>,
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
    /// The record contains this session's id, as its own or as a candidate.
    named: bool,
    /// The create may still arrive and make another session.
    early: bool,
    /// Another lost create may have made this session too.
    shared: bool,
}

/// The records that this client holds.
struct Held {
    adopted: HashSet<RecordId>,
    /// Held since an earlier call, with candidates.
    before: HashSet<RecordId>,
    /// Files that could not be claimed.
    problems: Vec<Error>,
}

impl Held {
    fn includes(&self, record: RecordId) -> bool {
        self.adopted.contains(&record) || self.before.contains(&record)
    }
}

impl Found {
    fn of(record: &Record, account: &Arc<Account>, properties: SessionProperties, claim: Claim) -> Found {
        let named = record.session_id.is_some() || record.names(&account.context.service, &properties.id);
        let account = Arc::clone(account);
        Found { record: record.id, account, properties, claim, named, early: false, shared: false }
    }

    /// Identifies the session: ids are unique only within an endpoint.
    fn place(&self) -> (*const Account, SessionKey) {
        (Arc::as_ptr(&self.account), self.account.context.service.key(&self.properties.id))
    }
}

enum Recovering {
    Begin,
    Surveying(JournalWork<Survey>),
    Next,
    Reading(Record, Arc<Account>, OneCall<SessionProperties>),
    Listing(Record, Arc<Account>, List),
    /// The list has arrived, and is compared with the current records of live owners.
    Comparing(Record, Arc<Account>, Vec<SessionProperties>, JournalWork<Survey>),
    Adopting(JournalWork<Held>),
    /// The caller has gone: the sessions are left behind again.
    Leaving(JournalWork<()>),
    Over,
}

impl Recover {
    fn new(accounts: &Accounts, journal: &Arc<Journal>, which: Which, deadline: Instant) -> Recover {
        Recover {
            accounts: accounts.clone(),
            journal: Arc::clone(journal),
            which,
            deadline,
            state: Recovering::Begin,
            todo: VecDeque::new(),
            first: Vec::new(),
            found: Vec::new(),
            missing: Missing::new(),
            gone: Vec::new(),
            trouble: None,
            elsewhere: None,
            left: false,
        }
    }

    fn survey(&self) -> (JournalWork<Survey>, Work) {
        let journal = Arc::clone(&self.journal);
        JournalWork::start(move || survey(&journal))
    }

    fn warn(&self, error: &Error) {
        self.accounts.home.context.log.warning(error.correlation_vector(), || {
            format!("some sessions in the journal could not be recovered: {error}")
        });
    }

    fn trouble(&mut self, error: Error) {
        self.warn(&error);
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
            // Keep the sessions found so far.
            self.todo.clear();
            self.trouble(protocol::out_of_time());
        }
        let Some((record, account)) = self.todo.pop_front() else {
            return Err(self.adopt());
        };
        if let Some(again_at) = self.missing.read_at(&record.id, now) {
            self.todo.push_front((record, account));
            self.state = Recovering::Next;
            return Err(Step::SleepUntil(again_at));
        }
        let deadline = self.share_of(&account, now);
        Ok(match record.session_id.clone() {
            Some(id) => {
                let read = protocol::properties_unconfirmed(&account.context, id, deadline);
                Recovering::Reading(record, account, read)
            }
            None => {
                let list = protocol::list(&account.context, deadline);
                Recovering::Listing(record, account, list)
            }
        })
    }

    /// The deadline for an account's next request: an endpoint that does not answer must leave time for the others.
    fn share_of(&self, account: &Arc<Account>, now: Instant) -> Instant {
        let others: HashSet<_> = self.todo.iter().map(|(_, other)| Arc::as_ptr(other)).collect();
        let others = others.into_iter().filter(|other| *other != Arc::as_ptr(account)).count();
        now + self.deadline.saturating_since(now) / u32::try_from(others + 1).unwrap_or(u32::MAX)
    }

    /// Whether this record's create may still arrive, if its session does not exist yet.
    fn may_still_come(&self, record: &Record) -> bool {
        record.state != Noted::Created && self.journal.unix_time().saturating_sub(record.written) <= ON_ITS_WAY
    }

    /// Whether another create has certainly made this record's session.
    fn is_anothers(&self, record: &Record, account: &Account) -> bool {
        let is_same =
            |other: &Record| record.session_id.as_ref().is_some_and(|id| other.is_of(&account.context.service, id));
        self.first.iter().any(|(other, _)| other.id != record.id && other.is_certain() && is_same(other))
    }

    fn adopt(&mut self) -> Step<Result<Recoverable>> {
        // What the client itself cannot reach counts more than what it may not.
        let trouble = self.trouble.take().or(self.elsewhere.take());
        if let Some(trouble) = trouble.filter(|_| self.found.is_empty() && self.gone.is_empty()) {
            return Step::Done(Err(trouble));
        }
        let (journal, gone) = (Arc::clone(&self.journal), std::mem::take(&mut self.gone));
        let mut wanted: Vec<RecordId> = self.found.iter().map(|found| found.record).collect();
        wanted.extend(&gone);
        let mut named: HashMap<RecordId, Vec<SessionProperties>> = HashMap::new();
        for found in self.found.iter().filter(|found| found.claim == Claim::Candidate && !found.named) {
            named.entry(found.record).or_default().push(found.properties.clone());
        }
        let log = Arc::clone(&self.accounts.home.core.log);
        let (pending, work) = JournalWork::start(move || {
            let Adopted { records, problems } = journal.adopt(&wanted)?;
            let adopted: HashSet<RecordId> = records.iter().map(|record| record.id).collect();
            let own = journal.own().into_iter().map(|record| record.id);
            let before = own.filter(|id| wanted.contains(id) && !adopted.contains(id)).collect();
            let held = Held { adopted, before, problems };
            for (record, candidates) in named.into_iter().filter(|(record, _)| held.includes(*record)) {
                log.warn_of(journal.name_candidates(record, &candidates));
            }
            // The next call checks the remaining records again.
            gone.into_iter().for_each(|id| log.warn_of(journal.remove(id)));
            Ok(held)
        });
        self.state = Recovering::Adopting(pending);
        Step::Work(work)
    }

    /// # Errors
    /// If sessions were found, but none can be taken over.
    fn hand_out(&mut self, held: &Held) -> Result<Recoverable> {
        let log = &self.accounts.home.context.log;
        held.problems.iter().for_each(|problem| log.warn_of(Err(problem.clone())));
        let mut found = std::mem::take(&mut self.found);
        let any = !found.is_empty();
        found.retain(|found| held.includes(found.record));
        if let Some(problem) = held.problems.first().filter(|_| any && found.is_empty()) {
            return Err(problem.clone());
        }
        for create in held.adopted.iter().chain(&held.before) {
            let of_create = |found: &&Found| found.record == *create && found.claim == Claim::Candidate;
            let candidates: Vec<&Found> = found.iter().filter(of_create).collect();
            if let Some(first) = candidates.first().filter(|first| !first.early) {
                let ids = candidates.iter().map(|found| found.properties.id.clone()).collect();
                first.account.registry.undecided(*create, ids);
            }
        }
        let is_only = |one: &Found| !one.shared && found.iter().filter(|other| other.record == one.record).count() == 1;
        let only: Vec<bool> = found.iter().map(is_only).collect();
        for (found, _) in found.iter_mut().zip(only).filter(|(it, only)| *only && it.claim == Claim::Candidate) {
            found.claim = Claim::OnlyCandidate;
        }
        found.retain(|found| !(found.named && held.before.contains(&found.record)));
        // Several lost creates may have the same candidate.
        let mut seen = HashSet::new();
        found.retain(|found| seen.insert(found.place()));
        let hand_out = |Found { account, properties, claim, .. }| {
            let state = take_over(&account, properties, claim);
            (KnownSession { account, state }, claim)
        };
        Ok(found.into_iter().map(hand_out).collect())
    }

    /// The listed sessions that the create of a record without an id may have made.
    fn candidates(
        &self,
        record: &Record,
        account: &Account,
        sessions: Vec<SessionProperties>,
        records: &[(Record, bool)],
    ) -> Candidates {
        let service = &account.context.service;
        let certain = account.certain_in(records);
        // Recognised by the id alone: the lease may have changed since the session was named.
        let is_named = |session: &SessionProperties| {
            record.names(service, &session.id)
                && session.status.is_alive()
                && !certain.contains(&service.key(&session.id))
                && !account.registry.has_created(&session.id)
        };
        let (named, sessions): (Vec<_>, Vec<_>) = sessions.into_iter().partition(is_named);
        let requested = Requested::by(record, self.journal.unix_time());
        let mut candidates = account.candidates(sessions, &certain, requested);
        candidates.possible.extend(named);
        candidates
    }

    /// The session is gone, or it is another create's: the record is over.
    fn over(&mut self, record: &Record, account: &Account) {
        account.decided(record.id);
        self.gone.push(record.id);
    }

    /// A session that the record's create may have made.
    fn found(
        &mut self,
        record: &Record,
        account: &Arc<Account>,
        session: SessionProperties,
        records: &[(Record, bool)],
    ) {
        let early = record.session_id.is_none() && self.may_still_come(record);
        let shared = account.is_shared(&session, record.id, records, self.journal.unix_time());
        self.found.push(Found { early, shared, ..Found::of(record, account, session, Claim::Candidate) });
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
                let survey = pending.take().map_err(|error| Step::Done(Err(error)))?;
                let log = &self.accounts.home.core.log;
                survey.problems.into_iter().for_each(|problem| log.warn_of(Err(problem)));
                let account = self.accounts.home.context.service.target.account_id.clone();
                self.first.clone_from(&survey.records);
                for (record, lives) in survey.records {
                    if lives || record.account_id != account || !self.which.includes(&record) {
                        continue;
                    }
                    match self.accounts.of_record(&record) {
                        Ok(account) => self.todo.push_back((record, account)),
                        Err(error) => {
                            self.warn(&error);
                            self.elsewhere.get_or_insert(error);
                        }
                    }
                }
                if let Which::Named(_) = self.which {
                    // Two endpoints may have the same id.
                    if let Some(certain) = self.todo.iter().position(|(record, _)| record.is_certain()) {
                        self.todo.swap(0, certain);
                    }
                    self.todo.truncate(1);
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
                    if record.is_certain() {
                        self.found.push(Found::of(&record, &account, properties, Claim::Ours));
                    } else if self.is_anothers(&record, &account) {
                        self.over(&record, &account);
                    } else {
                        let records = self.first.clone();
                        self.found(&record, &account, properties, &records);
                    }
                    Ok(Recovering::Next)
                }
                Ok(Err(error)) if error.kind() != ErrorKind::NotFound => {
                    self.trouble_at(&account, error);
                    Ok(Recovering::Next)
                }
                Ok(Err(_)) if self.may_still_come(&record) => Ok(Recovering::Next),
                Ok(Err(_)) if self.missing.is_first(record.id, now, account.context.retry.delay, self.deadline) => {
                    self.todo.push_back((record, account));
                    Ok(Recovering::Next)
                }
                Ok(_) => {
                    self.over(&record, &account);
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
                let records = pending.take().map_err(|error| Step::Done(Err(error)))?.records;
                // The session of a live owner whose id is not known yet must not be mistaken for ours. The next call
                // checks the record again.
                if account.has_creates_in(&records) {
                    return Ok(Recovering::Next);
                }
                let records = with_missing(records, &self.first);
                let Candidates { possible, only_age_excludes_some } =
                    self.candidates(&record, &account, sessions, &records);
                // The age is measured by the wall clock, which may have been set back.
                if possible.is_empty() && !only_age_excludes_some && !self.may_still_come(&record) {
                    self.over(&record, &account);
                }
                possible.into_iter().for_each(|session| self.found(&record, &account, session, &records));
                Ok(Recovering::Next)
            }
            Recovering::Adopting(pending) => match pending.take() {
                Ok(Held { adopted, .. }) if self.left => {
                    let (journal, adopted) = (Arc::clone(&self.journal), adopted.into_iter().collect::<Vec<_>>());
                    let (pending, work) = JournalWork::start(move || journal.leave_behind(&adopted));
                    self.state = Recovering::Leaving(pending);
                    Err(Step::Work(work))
                }
                Ok(held) => Err(Step::Done(self.hand_out(&held))),
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

    fn thawed(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    fn leave(&mut self, _now: Instant, _in_flight: bool) -> bool {
        self.left = true;
        matches!(self.state, Recovering::Adopting(_) | Recovering::Leaving(_))
    }
}

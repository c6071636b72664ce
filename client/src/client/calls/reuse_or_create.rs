//! Reusing a session, or creating one.

use super::super::account::{Account, KnownSession};
use super::super::completion::cancelled;
use super::create::{CreateSession, create};
use super::journal_work::{Claim, JournalWork, sized, stepped_after_end, take_over};
use super::missing::Missing;
use crate::clock::Instant;
use crate::error::{Error, ErrorKind, Result};
use crate::events::Label;
use crate::journal::{Adopted, Record, RecordId, RecordState, sort_by_number};
use crate::model::{NewSession, SessionId, SessionProperties, SessionStatus};
use crate::protocol::{self, Chore, OneCall, Operation, Step};
use crate::wire::Answer;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Which session [`Client::reuse_or_create`](crate::Client::reuse_or_create) reuses instead of creating one.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Reuse {
    /// This session, if it is suitable; otherwise those of the journal.
    pub id: Option<SessionId>,
    /// The minimum remaining lease.
    pub min_remaining: Duration,
}

impl Reuse {
    /// Sets the session to try first.
    pub fn id(self, id: impl Into<Option<SessionId>>) -> Reuse {
        Reuse { id: id.into(), ..self }
    }

    /// Sets the minimum remaining lease.
    pub fn min_remaining(self, min_remaining: Duration) -> Reuse {
        Reuse { min_remaining, ..self }
    }
}

/// Where the session came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) enum Origin {
    Created,
    /// It existed before, and belongs to this client or to another one.
    Existing,
    /// A client that has ended left it behind.
    Adopted,
}

/// Returns a suitable existing session or a new one, and where it came from.
pub(in crate::client) fn reuse_or_create(
    account: &Arc<Account>,
    new: &NewSession,
    reuse: Reuse,
    label: Option<Label>,
    deadline: Instant,
) -> Result<impl Operation<Outcome = Result<(KnownSession, Origin)>> + Send + use<>> {
    ReuseOrCreate::new(account, new, reuse, label, deadline)
}

/// See [`reuse_or_create`].
struct ReuseOrCreate {
    account: Arc<Account>,
    new: NewSession,
    reuse: Reuse,
    deadline: Instant,
    state: Reusing,
    /// The session with the given id first, then those of the journal, newest first.
    todo: VecDeque<(SessionId, Option<Record>)>,
    missing: Missing<SessionId>,
    create: Option<CreateSession>,
    /// The caller has gone.
    left: bool,
    afterwards: Option<Chore>,
}

enum Reusing {
    Begin,
    Surveying(JournalWork<Vec<Record>>),
    Next,
    Reading(SessionId, Option<Record>, u64, Box<OneCall<SessionProperties>>),
    Adopting(SessionProperties, u64, RecordId, JournalWork<Adoption>),
    /// The caller has gone: the session is left behind again.
    Leaving(JournalWork<()>),
    Creating(Box<CreateSession>),
    Over,
}

/// Whether a session of the journal is this client's.
enum Adoption {
    Before,
    Now,
    /// Another client adopted it first.
    Never,
}

impl ReuseOrCreate {
    fn new(
        account: &Arc<Account>,
        new: &NewSession,
        reuse: Reuse,
        label: Option<Label>,
        deadline: Instant,
    ) -> Result<ReuseOrCreate> {
        let create = create(account, new, label, deadline)?;
        Ok(ReuseOrCreate {
            account: Arc::clone(account),
            new: new.clone(),
            reuse,
            deadline,
            state: Reusing::Begin,
            todo: VecDeque::new(),
            missing: Missing::new(),
            create: Some(create),
            left: false,
            afterwards: None,
        })
    }

    fn is_fit(&self, session: &SessionProperties) -> bool {
        matches!(session.status, SessionStatus::Starting | SessionStatus::Ready)
            && session.size.as_ref().is_none_or(|size| *size == self.new.size)
            && session.remaining().is_some_and(|left| left >= self.reuse.min_remaining)
    }

    fn go_on(
        &mut self,
        now: Instant,
        answer: Option<Answer>,
    ) -> std::result::Result<Reusing, Step<Result<(KnownSession, Origin)>>> {
        match std::mem::replace(&mut self.state, Reusing::Over) {
            Reusing::Begin => {
                self.todo.extend(self.reuse.id.take().map(|id| (self.account.registry.spelled(&id), None)));
                let Some(journal) = self.account.core.journal.clone() else { return Ok(Reusing::Next) };
                let log = Arc::clone(&self.account.core.log);
                let (pending, work) = JournalWork::start(move || {
                    let survey = journal.others()?;
                    survey.problems.iter().for_each(|problem| log.warn_of(Err(problem.clone())));
                    let mut records = survey.left_behind();
                    records.extend(journal.own());
                    sort_by_number(&mut records, |record| u128::MAX - record.written.as_nanos());
                    Ok(records)
                });
                self.state = Reusing::Surveying(pending);
                Err(Step::Work(work))
            }
            Reusing::Surveying(pending) => {
                let records = pending.take().map_err(|error| Step::Done(Err(error)))?;
                let service = &self.account.context.service;
                let here = records
                    .into_iter()
                    .filter(|record| record.is_at(service) && record.version == service.version && record.is_certain());
                for record in here {
                    let Some(id) = record.session_id.clone() else { continue };
                    // The journal may also have a record of the session with the given id.
                    match self.todo.front_mut().filter(|(given, _)| service.key(given) == service.key(&id)) {
                        Some(given) => *given = (id, Some(record)),
                        // A session that was left running on purpose is taken over only by its id.
                        None if record.size == self.new.size && record.state != RecordState::Released => {
                            self.todo.push_back((id, Some(record)));
                        }
                        None => {}
                    }
                }
                Ok(Reusing::Next)
            }
            Reusing::Next => Ok(match self.todo.pop_front() {
                Some((id, record)) => {
                    if let Some(again_at) = self.missing.read_at(&id, now) {
                        self.todo.push_front((id, record));
                        self.state = Reusing::Next;
                        return Err(Step::SleepUntil(again_at));
                    }
                    let read = protocol::properties_unconfirmed(&self.account.context, id.clone(), self.deadline);
                    Reusing::Reading(id, record, self.account.registry.stops(), Box::new(read))
                }
                None => match self.create.take() {
                    Some(create) => Reusing::Creating(Box::new(create)),
                    None => return Err(Step::Done(Err(stepped_after_end()))),
                },
            }),
            Reusing::Reading(id, record, stops, mut read) => match read.step(now, answer).outcome() {
                Err(step) => {
                    self.state = Reusing::Reading(id, record, stops, read);
                    Err(step)
                }
                Ok(Ok(found)) if self.is_fit(&self.completed(&found, record.as_ref())) => match record {
                    None => Err(Step::Done(Ok((self.reused(found, stops, None), Origin::Existing)))),
                    Some(record) => {
                        let (found, id) = (sized(found, &record), record.id);
                        let Some(journal) = self.account.core.journal.clone() else { return Ok(Reusing::Next) };
                        let (pending, work) = JournalWork::start(move || {
                            if journal.own().iter().any(|own| own.id == id) {
                                return Ok(Adoption::Before);
                            }
                            let Adopted { records, mut problems } = journal.adopt(&[id])?;
                            match problems.pop().filter(|_| records.is_empty()) {
                                Some(problem) => Err(problem),
                                None if records.is_empty() => Ok(Adoption::Never),
                                None => Ok(Adoption::Now),
                            }
                        });
                        self.state = Reusing::Adopting(found, stops, id, pending);
                        Err(Step::Work(work))
                    }
                },
                Ok(Err(error)) if error.kind() == ErrorKind::NotFound => {
                    let delay = self.account.context.retry.delay;
                    if self.missing.is_first(id.clone(), now, delay, self.deadline) {
                        self.todo.push_back((id, record));
                    }
                    Ok(Reusing::Next)
                }
                Ok(Ok(_unsuitable)) => Ok(Reusing::Next),
                Ok(Err(error)) => Err(Step::Done(Err(error))),
            },
            Reusing::Adopting(found, stops, id, pending) => match (pending.take(), &self.account.core.journal) {
                (Ok(Adoption::Now), Some(journal)) if self.left => {
                    let journal = Arc::clone(journal);
                    let (pending, work) = JournalWork::start(move || journal.leave_behind(&[id]));
                    self.state = Reusing::Leaving(pending);
                    Err(Step::Work(work))
                }
                (Ok(_), _) if self.left => Err(Step::Done(Err(cancelled()))),
                (Ok(Adoption::Never), _) => Ok(Reusing::Next),
                (Ok(adoption), _) => {
                    let origin = if let Adoption::Now = adoption { Origin::Adopted } else { Origin::Existing };
                    Err(Step::Done(Ok((self.reused(found, stops, Some(Claim::Ours)), origin))))
                }
                (Err(error), _) => Err(Step::Done(Err(error))),
            },
            Reusing::Leaving(pending) => Err(Step::Done(pending.take().and(Err(cancelled())))),
            Reusing::Creating(mut create) => match create.step(now, answer).outcome() {
                Ok(session) => {
                    self.afterwards = create.afterwards();
                    Err(Step::Done(session))
                }
                Err(step) => {
                    self.state = Reusing::Creating(create);
                    Err(step)
                }
            },
            Reusing::Over => Err(Step::Done(Err(stepped_after_end()))),
        }
    }

    /// The properties, with members that the service left out filled in.
    fn completed(&self, found: &SessionProperties, record: Option<&Record>) -> SessionProperties {
        let found = self.account.registry.complete(found.clone());
        match record {
            Some(record) => sized(found, record),
            None => found,
        }
    }

    fn reused(&self, found: SessionProperties, stops: u64, claim: Option<Claim>) -> KnownSession {
        let state = match (self.account.registry.find(&found.id), claim) {
            (Some(state), _) => {
                self.account.was_read(&state, state.epoch(), found);
                state
            }
            (None, Some(claim)) => take_over(&self.account, found, claim),
            (None, None) => self.account.found(found, stops),
        };
        self.account.context.log.info(None, || format!("session {} was reused", state.id()));
        KnownSession { account: Arc::clone(&self.account), state }
    }
}

impl Operation for ReuseOrCreate {
    type Outcome = Result<(KnownSession, Origin)>;

    fn step(&mut self, now: Instant, mut answer: Option<Answer>) -> Step<Self::Outcome> {
        loop {
            match self.go_on(now, answer.take()) {
                Ok(state) => self.state = state,
                Err(step) => return step,
            }
        }
    }

    fn maybe_done(&self) -> bool {
        matches!(&self.state, Reusing::Creating(create) if create.maybe_done())
    }

    fn afterwards(&mut self) -> Option<Chore> {
        self.afterwards.take()
    }

    fn thawed(&mut self, deadline: Instant) {
        self.deadline = deadline;
        self.create.iter_mut().for_each(|create| create.thawed(deadline));
        if let Reusing::Creating(create) = &mut self.state {
            create.thawed(deadline);
        }
    }

    fn leave(&mut self, now: Instant, in_flight: bool) -> bool {
        match &mut self.state {
            Reusing::Creating(create) => create.leave(now, in_flight),
            Reusing::Adopting(..) | Reusing::Leaving(_) => {
                self.left = true;
                true
            }
            _ => false,
        }
    }

    fn fail(&mut self, error: Error) -> Error {
        match &mut self.state {
            Reusing::Creating(create) => {
                let error = create.fail(error);
                self.afterwards = create.afterwards();
                error
            }
            _ => error,
        }
    }
}

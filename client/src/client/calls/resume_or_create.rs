//! Resuming a session, or creating one.

use super::super::account::{Account, KnownSession};
use super::create::{CreateSession, create};
use super::journal_work::{Claim, JournalWork, sized, stepped_after_end, take_over};
use crate::clock::Instant;
use crate::error::{Error, ErrorKind, Result};
use crate::events::Label;
use crate::journal::Record;
use crate::model::{NewSession, SessionId, SessionProperties, SessionStatus};
use crate::protocol::{self, Chore, OneCall, Operation, Step};
use crate::wire::Answer;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Which session [`Client::resume_or_create`](crate::Client::resume_or_create) resumes instead of creating one.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Resume {
    /// This session, if it is suitable; otherwise those of the journal.
    pub id: Option<SessionId>,
    /// The minimum remaining lease.
    pub min_remaining: Duration,
}

impl Resume {
    /// Sets the session to try first.
    pub fn id(self, id: impl Into<Option<SessionId>>) -> Resume {
        Resume { id: id.into(), ..self }
    }

    /// Sets the minimum remaining lease.
    pub fn min_remaining(self, min_remaining: Duration) -> Resume {
        Resume { min_remaining, ..self }
    }
}

/// A suitable existing session, or a new one; and whether it existed before.
pub(in crate::client) fn resume_or_create(
    account: &Arc<Account>,
    new: &NewSession,
    resume: Resume,
    label: Option<Label>,
    deadline: Instant,
) -> Result<impl Operation<Outcome = Result<(KnownSession, bool)>> + Send + use<>> {
    ResumeOrCreate::new(account, new, resume, label, deadline)
}

/// See [`resume_or_create`].
struct ResumeOrCreate {
    account: Arc<Account>,
    new: NewSession,
    resume: Resume,
    deadline: Instant,
    state: Resuming,
    /// The session with the given id first, then those of the journal, newest first.
    todo: VecDeque<(SessionId, Option<Record>)>,
    create: Option<CreateSession>,
    afterwards: Option<Chore>,
}

enum Resuming {
    Begin,
    Surveying(JournalWork<Vec<Record>>),
    Next,
    Reading(SessionId, Option<Record>, u64, Box<OneCall<SessionProperties>>),
    Adopting(SessionProperties, u64, JournalWork<bool>),
    Creating(Box<CreateSession>),
    Over,
}

impl ResumeOrCreate {
    fn new(
        account: &Arc<Account>,
        new: &NewSession,
        resume: Resume,
        label: Option<Label>,
        deadline: Instant,
    ) -> Result<ResumeOrCreate> {
        let create = create(account, new, label, deadline)?;
        Ok(ResumeOrCreate {
            account: Arc::clone(account),
            new: new.clone(),
            resume,
            deadline,
            state: Resuming::Begin,
            todo: VecDeque::new(),
            create: Some(create),
            afterwards: None,
        })
    }

    fn is_fit(&self, session: &SessionProperties) -> bool {
        matches!(session.status, SessionStatus::Starting | SessionStatus::Ready)
            && session.size.as_ref().is_none_or(|size| *size == self.new.size)
            && session.remaining().is_some_and(|left| left >= self.resume.min_remaining)
    }

    fn go_on(
        &mut self,
        now: Instant,
        answer: Option<Answer>,
    ) -> std::result::Result<Resuming, Step<Result<(KnownSession, bool)>>> {
        match std::mem::replace(&mut self.state, Resuming::Over) {
            Resuming::Begin => {
                let service = &self.account.context.service;
                self.todo.extend(self.resume.id.take().map(|id| (service.spelled(&id), None)));
                let Some(journal) = self.account.core.journal.clone() else { return Ok(Resuming::Next) };
                let (pending, work) = JournalWork::start(move || {
                    let mut records = journal.left_behind()?;
                    records.extend(journal.own());
                    records.sort_by_key(|record| std::cmp::Reverse(record.written));
                    Ok(records)
                });
                self.state = Resuming::Surveying(pending);
                Err(Step::Work(work))
            }
            Resuming::Surveying(pending) => {
                let records = pending.take().map_err(|error| Step::Done(Err(error)))?;
                let service = &self.account.context.service;
                let here =
                    records.into_iter().filter(|record| record.is_at(service) && record.version == service.version);
                for record in here {
                    let Some(id) = record.session_id.as_ref().map(|id| service.spelled(id)) else { continue };
                    // The journal may also have a record of the session with the given id.
                    match self.todo.front_mut().filter(|(given, _)| *given == id) {
                        Some((_, known)) => *known = Some(record),
                        None if record.size == self.new.size => self.todo.push_back((id, Some(record))),
                        None => {}
                    }
                }
                Ok(Resuming::Next)
            }
            Resuming::Next => Ok(match self.todo.pop_front() {
                Some((id, record)) => {
                    let read = protocol::properties(&self.account.context, id.clone(), self.deadline);
                    Resuming::Reading(id, record, self.account.registry.stops(), Box::new(read))
                }
                None => match self.create.take() {
                    Some(create) => Resuming::Creating(Box::new(create)),
                    None => return Err(Step::Done(Err(stepped_after_end()))),
                },
            }),
            Resuming::Reading(id, record, stops, mut read) => match read.step(now, answer).outcome() {
                Err(step) => {
                    self.state = Resuming::Reading(id, record, stops, read);
                    Err(step)
                }
                Ok(Ok(found)) if self.is_fit(&self.completed(&found, record.as_ref())) => match record {
                    None => Err(Step::Done(Ok((self.resumed(found, stops, None), true)))),
                    Some(record) => {
                        let found = sized(found, &record);
                        let Some(journal) = self.account.core.journal.clone() else { return Ok(Resuming::Next) };
                        let (pending, work) = JournalWork::start(move || {
                            let is = |other: &Record| other.id == record.id;
                            Ok(journal.own().iter().any(is) || journal.adopt(&[record.id])?.iter().any(is))
                        });
                        self.state = Resuming::Adopting(found, stops, pending);
                        Err(Step::Work(work))
                    }
                },
                // Not suitable, or gone.
                Ok(Ok(_)) => Ok(Resuming::Next),
                Ok(Err(error)) if error.kind() == ErrorKind::NotFound => Ok(Resuming::Next),
                Ok(Err(error)) => Err(Step::Done(Err(error))),
            },
            Resuming::Adopting(found, stops, pending) => match pending.take() {
                Ok(true) => Err(Step::Done(Ok((self.resumed(found, stops, Some(Claim::Ours)), true)))),
                // Another client adopted it first.
                Ok(false) => Ok(Resuming::Next),
                Err(error) => Err(Step::Done(Err(error))),
            },
            Resuming::Creating(mut create) => match create.step(now, answer).outcome() {
                Ok(session) => {
                    self.afterwards = create.afterwards();
                    Err(Step::Done(session.map(|session| (session, false))))
                }
                Err(step) => {
                    self.state = Resuming::Creating(create);
                    Err(step)
                }
            },
            Resuming::Over => Err(Step::Done(Err(stepped_after_end()))),
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

    fn resumed(&self, found: SessionProperties, stops: u64, claim: Option<Claim>) -> KnownSession {
        let state = match (self.account.registry.find(&found.id), claim) {
            (Some(state), _) => {
                self.account.was_read(&state, state.epoch(), found);
                state
            }
            (None, Some(claim)) => take_over(&self.account, found, claim),
            (None, None) => self.account.found(found, stops),
        };
        self.account.context.log.info(None, || format!("session {} is gone on with", state.id()));
        KnownSession { account: Arc::clone(&self.account), state }
    }
}

impl Operation for ResumeOrCreate {
    type Outcome = Result<(KnownSession, bool)>;

    fn step(&mut self, now: Instant, mut answer: Option<Answer>) -> Step<Self::Outcome> {
        loop {
            match self.go_on(now, answer.take()) {
                Ok(state) => self.state = state,
                Err(step) => return step,
            }
        }
    }

    fn maybe_done(&self) -> bool {
        matches!(&self.state, Resuming::Creating(create) if create.maybe_done())
    }

    fn afterwards(&mut self) -> Option<Chore> {
        self.afterwards.take()
    }

    fn leave(&mut self, now: Instant, in_flight: bool) -> bool {
        match &mut self.state {
            Resuming::Creating(create) => create.leave(now, in_flight),
            _ => false,
        }
    }

    fn fail(&mut self, error: Error) -> Error {
        match &mut self.state {
            Resuming::Creating(create) => {
                let error = create.fail(error);
                self.afterwards = create.afterwards();
                error
            }
            _ => error,
        }
    }
}

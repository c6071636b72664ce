//! Creating a session: the journal record, the request, recording the id, and cleanup after an abandoned create.

use super::super::account::{Account, KnownSession, still_running};
use super::super::completion::cancelled;
use super::super::creates::{Lost, ON_ITS_WAY};
use super::journal_work::{JournalWork, stepped_after_end};
use super::lost_create::LostCreate;
use super::reuse_or_create::Origin;
use crate::clock::Instant;
use crate::error::{Error, ErrorKind, Result};
use crate::events::Label;
use crate::journal::{Journal, RecordId};
use crate::model::{NewSession, SessionId, SessionKey};
use crate::protocol::{self, Chore, Created, OneCall, Operation, Step, Stopped, Work};
use crate::wire::{Answer, Request};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Creates a session. `label` is set if the create was started; then an event reports a lost reply.
pub(in crate::client) fn create(
    account: &Arc<Account>,
    new: &NewSession,
    label: Option<Label>,
    deadline: Instant,
) -> Result<CreateSession> {
    let prepared = account.context.service.prepare(new)?;
    account.warn_of_lease(prepared.max_lease);
    Ok(CreateSession {
        account: Arc::clone(account),
        // A generated id cannot belong to another client; a given one may.
        made_up: new.id.is_none(),
        new: prepared,
        label,
        deadline,
        record: None,
        begun: None,
        before: account.registry.seen(),
        _counted: account.count_create(),
        state: CreateState::Begin,
        left: false,
        afterwards: None,
    })
}

/// See [`create`].
pub(in crate::client) struct CreateSession {
    account: Arc<Account>,
    new: NewSession,
    /// This client generated the id, so no other session can have it.
    made_up: bool,
    /// Set if the create was started: events report a lost reply.
    label: Option<Label>,
    deadline: Instant,
    /// The journal's record of it, once it is written.
    record: Option<RecordId>,
    /// When the create began, or its latest attempt was sent. Earlier attempts without a known id were not carried out.
    begun: Option<Instant>,
    /// The sessions that existed before.
    before: Arc<HashSet<SessionKey>>,
    /// While this exists, no lost create can mistake this create's session for its own.
    _counted: Arc<()>,
    state: CreateState,
    /// The caller has gone.
    left: bool,
    /// Finds out which session a lost create may have made.
    afterwards: Option<Chore>,
}

enum CreateState {
    Begin,
    /// Writing the record to the journal, before anything is sent.
    Recording(JournalWork<RecordId>),
    Creating(OneCall<Created>),
    /// Writing the time of sending to the journal, because the request had to wait.
    Dating(OneCall<Created>, Box<Request>),
    /// Writing the id to the journal.
    Completing(Created),
    /// No caller can use the session, so it is being stopped.
    GivingBack(SessionId, OneCall<Stopped>),
    Over,
}

impl CreateSession {
    /// The session's id, if the caller or this client chose it.
    pub(in crate::client) fn chosen_id(&self) -> Option<SessionId> {
        self.new.id.clone()
    }

    fn made_up_id(&self) -> Option<SessionId> {
        self.new.id.clone().filter(|_| self.made_up)
    }

    /// Whether no caller is left that could use the session.
    fn is_unwanted(&self) -> bool {
        self.left || self.account.core.is_shut_down()
    }

    /// The next state, or the step to take in this one.
    fn go_on(
        &mut self,
        now: Instant,
        answer: Option<Answer>,
    ) -> std::result::Result<CreateState, Step<Result<(KnownSession, Origin)>>> {
        match std::mem::replace(&mut self.state, CreateState::Over) {
            CreateState::Begin => Ok(match &self.account.core.journal {
                None => self.creating(),
                Some(journal) => {
                    let journal = Arc::clone(journal);
                    let (service, new) = (Arc::clone(&self.account.context.service), self.new.clone());
                    let begin = if self.made_up { Journal::begin } else { Journal::begin_given };
                    let (pending, work) = JournalWork::start(move || begin(&journal, &service, &new));
                    self.state = CreateState::Recording(pending);
                    return Err(Step::Work(work));
                }
            }),
            CreateState::Recording(pending) => {
                self.record = Some(pending.take().map_err(|error| Step::Done(Err(error)))?);
                if self.left { Err(Step::Done(Err(self.failed(cancelled())))) } else { Ok(self.creating()) }
            }
            CreateState::Creating(mut create) => match create.step(now, answer).outcome() {
                // The id is recorded before the caller gets it.
                Ok(Ok(created)) => Ok(CreateState::Completing(created)),
                Ok(Err(error)) => self.create_failed(now, error),
                // An attempt that was not carried out is not repeated without a caller.
                Err(_) if self.left => self.create_failed(now, cancelled().maybe_done(create.maybe_done())),
                Err(Step::Send(request)) => Err(self.sending(now, create, request)),
                Err(step) => {
                    self.state = CreateState::Creating(create);
                    Err(step)
                }
            },
            CreateState::Dating(create, _) if self.left => {
                self.create_failed(now, cancelled().maybe_done(create.maybe_done()))
            }
            CreateState::Dating(create, request) => {
                self.state = CreateState::Creating(create);
                Err(Step::Send(request))
            }
            CreateState::Completing(created) => match self.finished(now, created) {
                Ok(session) => Err(Step::Done(Ok(session))),
                Err(state) => Ok(*state),
            },
            CreateState::GivingBack(id, mut stop) => match stop.step(now, answer).outcome() {
                Ok(outcome) => Err(Step::Done(Err(self.given_back(&id, outcome)))),
                Err(step) => {
                    self.state = CreateState::GivingBack(id, stop);
                    Err(step)
                }
            },
            CreateState::Over => Err(Step::Done(Err(stepped_after_end()))),
        }
    }

    fn creating(&self) -> CreateState {
        CreateState::Creating(protocol::create(&self.account.context, self.new.clone(), self.made_up, self.deadline))
    }

    /// Sends a request. If it had to wait, for example because the service was full, the journal gets its time first:
    /// recovery compares that with the ages of sessions.
    fn sending(
        &mut self,
        now: Instant,
        create: OneCall<Created>,
        request: Box<Request>,
    ) -> Step<Result<(KnownSession, Origin)>> {
        const LATE: Duration = Duration::from_secs(1);
        let is_late = self.begun.replace(now).is_some_and(|begun| now.saturating_since(begun) >= LATE);
        match (self.account.core.journal.clone(), self.record) {
            (Some(journal), Some(record)) if is_late => {
                let log = Arc::clone(&self.account.core.log);
                self.state = CreateState::Dating(create, request);
                Step::Work(Work(Box::new(move || log.warn_of(journal.sent_now(record)))))
            }
            _ => {
                self.state = CreateState::Creating(create);
                Step::Send(request)
            }
        }
    }

    fn finished(
        &mut self,
        now: Instant,
        created: Created,
    ) -> std::result::Result<(KnownSession, Origin), Box<CreateState>> {
        let account = &self.account;
        let session = created.session;
        account.context.log.info(None, || {
            let what = if created.existed { "already existed" } else { "was created" };
            format!("session {} {what}", session.id)
        });
        if !created.existed {
            account.created(&session.id);
        }
        let size = session.size.clone();
        let state = account.state_of(session);
        let state =
            if created.existed { account.registry.opened(state) } else { account.registry.created(state, size) };
        if self.is_unwanted() && !created.existed {
            return Err(Box::new(self.giving_back(now, state.id().clone())));
        }
        let origin = if created.existed { Origin::Existing } else { Origin::Created };
        Ok((KnownSession { account: Arc::clone(account), state }, origin))
    }

    fn giving_back(&self, now: Instant, id: SessionId) -> CreateState {
        // Includes a session with a generated id whose create got no reply.
        if !self.account.registry.has_created(&id) {
            self.account.registry.claim(&id, now + ON_ITS_WAY);
        }
        let stop = protocol::stop(&self.account.context, &id, false, now + self.account.core.attempt_timeout);
        CreateState::GivingBack(id, stop)
    }

    /// The outcome of a create whose caller has gone.
    fn given_back(&mut self, id: &SessionId, outcome: Result<Stopped>) -> Error {
        let core = Arc::clone(&self.account.core);
        let why = if core.is_shut_down() { core.ended() } else { cancelled() };
        self.account.registry.stop_ended(id, &outcome);
        match outcome {
            Ok(stopped) if stopped.already_gone && self.account.registry.may_arrive(id, core.now()) => {
                self.note(|journal, record| journal.lost(record));
                let error = protocol::unknown_outcome(why, Some(id));
                self.report_lost(error.kind());
                error
            }
            Ok(_) => {
                core.log.info(None, || format!("session {id} was stopped, because its create was abandoned"));
                self.account.ended(id);
                why
            }
            Err(error) => {
                core.stop_failed(&still_running(id, error.clone()));
                core.report_left_running(self.label.unwrap_or_default(), id, &error);
                let message = format!(
                    "{why}. Session {id} was created meanwhile and may be running, as it could not be stopped; stop it \
                     ({error})"
                );
                error.recast(why.kind(), message)
            }
        }
    }

    /// Handles a failed create. If a session exists under a generated id, it belongs to this client.
    fn create_failed(
        &mut self,
        now: Instant,
        error: Error,
    ) -> std::result::Result<CreateState, Step<Result<(KnownSession, Origin)>>> {
        match self.made_up_id() {
            Some(id) if error.is_outcome_unknown() && self.is_unwanted() => Ok(self.giving_back(now, id)),
            _ => Err(Step::Done(Err(self.failed(error)))),
        }
    }

    /// Applies a failure to the journal and the registry. Returns the error to report.
    fn failed(&mut self, error: Error) -> Error {
        if !error.is_outcome_unknown() {
            self.note(|journal, record| journal.remove(record));
            return error;
        }
        let error = match error.kind() {
            ErrorKind::OutcomeUnknown => error,
            // The client ended, or the time ran out, between two attempts.
            _ => protocol::unknown_outcome(error, self.new.id.as_ref()),
        };
        self.note(|journal, record| journal.lost(record));
        if let Some(id) = self.made_up_id() {
            self.account.registry.claim(&id, self.account.core.now() + ON_ITS_WAY);
        }
        self.report_lost(error.kind());
        error
    }

    /// The create may have made a session, or still make one. If it was started, events report which.
    fn report_lost(&mut self, error: ErrorKind) {
        let lost = Lost {
            create: self.record.unwrap_or_else(RecordId::new),
            size: self.new.size.clone(),
            max_lease: self.new.max_lease,
            begun: self.begun.unwrap_or_else(|| self.account.core.now()),
        };
        if self.new.id.is_none() {
            self.account.lost(lost.clone());
        }
        let lost = self.label.map(|label| LostCreate {
            account: Arc::clone(&self.account),
            label,
            id: self.new.id.clone(),
            lost,
            before: Arc::clone(&self.before),
            records: Vec::new(),
            unreadable: false,
            error,
        });
        self.afterwards = lost.and_then(LostCreate::report);
    }

    fn note(&self, note: impl FnOnce(&Journal, RecordId) -> Result<()> + Send + 'static) {
        if let Some(record) = self.record {
            self.account.core.note(move |journal| note(journal, record));
        }
    }
}

impl Operation for CreateSession {
    type Outcome = Result<(KnownSession, Origin)>;

    fn step(&mut self, now: Instant, mut answer: Option<Answer>) -> Step<Result<(KnownSession, Origin)>> {
        self.begun.get_or_insert(now);
        loop {
            match self.go_on(now, answer.take()) {
                Ok(CreateState::Completing(created)) => {
                    let (id, log) = (created.session.id.clone(), Arc::clone(&self.account.core.log));
                    let (existed, maybe_made) = (created.existed, created.maybe_made);
                    self.state = CreateState::Completing(created);
                    let (Some(journal), Some(record)) = (self.account.core.journal.clone(), self.record) else {
                        continue;
                    };
                    return Step::Work(Work(Box::new(move || {
                        log.warn_of(match existed {
                            // The next run finds it as a candidate.
                            true if maybe_made => journal.lost(record),
                            // It is not ours to recover.
                            true => journal.remove(record),
                            false => journal.complete(record, &id),
                        });
                    })));
                }
                Ok(state) => self.state = state,
                Err(step) => return step,
            }
        }
    }

    fn afterwards(&mut self) -> Option<Chore> {
        self.afterwards.take()
    }

    fn thawed(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    fn maybe_done(&self) -> bool {
        let sending = match &self.state {
            CreateState::Creating(create) | CreateState::Dating(create, _) => Some(create),
            _ => None,
        };
        sending.is_some_and(Operation::maybe_done)
    }

    fn leave(&mut self, now: Instant, in_flight: bool) -> bool {
        self.left = true;
        match &self.state {
            CreateState::Begin | CreateState::Recording(_) | CreateState::Over => false,
            CreateState::Completing(_) | CreateState::GivingBack(..) => true,
            CreateState::Creating(_) if in_flight => true,
            CreateState::Creating(create) | CreateState::Dating(create, _) => {
                match self.made_up_id().filter(|_| create.maybe_done()) {
                    Some(id) => {
                        self.state = self.giving_back(now, id);
                        true
                    }
                    None => false,
                }
            }
        }
    }

    fn fail(&mut self, error: Error) -> Error {
        match std::mem::replace(&mut self.state, CreateState::Over) {
            CreateState::GivingBack(id, _) => self.given_back(&id, Err(error)),
            CreateState::Completing(created) => protocol::unknown_outcome(error, Some(&created.session.id)),
            CreateState::Recording(pending) => {
                self.record = pending.take().ok();
                self.failed(error)
            }
            _ => self.failed(error),
        }
    }
}

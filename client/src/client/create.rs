//! Creating a session, from the note in the journal to the handle; and putting right what an abandoned create has done.

use super::Session;
use super::core::Core;
use super::shared::Shared;
use super::site::{Site, still_running};
use super::started::cancelled;
use crate::client::runtime::Urgency;
use crate::clock::{Instant, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::events::{EventKind, Fact, Label};
use crate::journal::{Journal, RecordId};
use crate::model::{NewSession, SessionId, SessionProperties};
use crate::protocol::{self, Created, OneCall, Operation, Step, Stopped, Work};
use crate::wire::Answer;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

/// See [`Site::create`].
pub(super) struct CreateSession {
    site: Arc<Site>,
    new: NewSession,
    /// The id is our own, and nobody else's.
    made_up: bool,
    /// It was started: what is lost is told by events.
    label: Option<Label>,
    deadline: Instant,
    /// What the journal calls it.
    record: Arc<Mutex<Option<Result<RecordId>>>>,
    begun: Option<Instant>,
    state: State,
    /// The caller has gone.
    left: bool,
}

enum State {
    Begin,
    /// The journal is being told, before anything is sent.
    Noting,
    Creating(OneCall<Created>),
    /// The journal is being told the id.
    Completing(Created),
    /// Nobody can use the session: it is stopped.
    GivingBack(SessionId, OneCall<Stopped>),
    Over,
}

impl CreateSession {
    pub(super) fn new(
        site: &Arc<Site>,
        new: NewSession,
        made_up: bool,
        label: Option<Label>,
        deadline: Instant,
    ) -> CreateSession {
        CreateSession {
            site: Arc::clone(site),
            new,
            made_up,
            label,
            deadline,
            record: Arc::default(),
            begun: None,
            state: State::Begin,
            left: false,
        }
    }

    fn made_up_id(&self) -> Option<SessionId> {
        self.new.id.clone().filter(|_| self.made_up)
    }

    /// Whether there is nobody any more who could use the session.
    fn is_unwanted(&self) -> bool {
        self.left || self.site.core.is_shut_down()
    }

    /// The next state, or the step to be made in this one.
    fn go_on(&mut self, now: Instant, answer: Option<Answer>) -> std::result::Result<State, Step<Result<Session>>> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Begin => Ok(match &self.site.core.journal {
                None => self.creating(),
                Some(journal) => {
                    let (journal, record) = (Arc::clone(journal), Arc::clone(&self.record));
                    let (service, new) = (Arc::clone(&self.site.context.service), self.new.clone());
                    self.state = State::Noting;
                    let note = move || *lock(&record) = Some(journal.begin(&service, &new));
                    return Err(Step::Work(Work(Box::new(note))));
                }
            }),
            State::Noting => match self.noted() {
                Some(Ok(_)) if self.left => Err(Step::Done(Err(self.failed(cancelled())))),
                Some(Ok(_)) => Ok(self.creating()),
                Some(Err(error)) => Err(Step::Done(Err(error))),
                None => Err(Step::Done(Err(Error::new(ErrorKind::Internal, "the journal could not be written")))),
            },
            State::Creating(mut create) => match create.step(now, answer).outcome() {
                // Its id is noted before anybody is told.
                Ok(Ok(created)) => Ok(State::Completing(created)),
                Ok(Err(error)) => self.create_failed(now, error),
                // A try that was not carried out is not repeated for nobody.
                Err(_) if self.left => self.create_failed(now, cancelled().maybe_done(create.maybe_done())),
                Err(step) => {
                    self.state = State::Creating(create);
                    Err(step)
                }
            },
            State::Completing(created) => match self.finished(now, created) {
                Ok(session) => Err(Step::Done(Ok(session))),
                Err(state) => Ok(*state),
            },
            State::GivingBack(id, mut stop) => match stop.step(now, answer).outcome() {
                Ok(outcome) => Err(Step::Done(Err(self.given_back(&id, outcome)))),
                Err(step) => {
                    self.state = State::GivingBack(id, stop);
                    Err(step)
                }
            },
            State::Over => Err(Step::Done(Err(Error::new(ErrorKind::Internal, "a create was stepped after its end")))),
        }
    }

    fn creating(&self) -> State {
        State::Creating(protocol::create(&self.site.context, self.new.clone(), self.made_up, self.deadline))
    }

    fn finished(&mut self, now: Instant, created: Created) -> std::result::Result<Session, Box<State>> {
        let site = &self.site;
        let session = created.session;
        site.context.log.info(None, || {
            let what = if created.existed { "existed already" } else { "is created" };
            format!("session {} {what}", session.id)
        });
        let size = session.size.clone();
        let shared = Shared::new(site, session);
        let shared = if created.existed { site.registry.opened(shared) } else { site.registry.created(shared, size) };
        if self.is_unwanted() && !created.existed {
            return Err(Box::new(self.giving_back(now, shared.id().clone())));
        }
        Ok(Session::new(Arc::clone(site), shared))
    }

    fn giving_back(&self, now: Instant, id: SessionId) -> State {
        // Also one whose id was made up here, and which nobody has seen.
        self.site.registry.claim(&id);
        let stop = protocol::stop(&self.site.context, &id, false, now + self.site.core.attempt_timeout);
        State::GivingBack(id, stop)
    }

    /// What to tell the caller, who has gone.
    fn given_back(&self, id: &SessionId, outcome: Result<Stopped>) -> Error {
        let core = &self.site.core;
        let why = if core.is_shut_down() { core.ended() } else { cancelled() };
        self.site.registry.stop_ended(id, &outcome);
        match outcome {
            Ok(_) => {
                core.log.info(None, || format!("session {id}, which nobody waited for any more, is stopped"));
                self.site.ended(id);
                why
            }
            Err(error) => {
                if core.is_shut_down() {
                    core.runtime.stop_failed(&still_running(id, error.clone()));
                }
                core.left_running(self.label.unwrap_or_default(), id, &error);
                let message =
                    format!("{why}, while session {id} was created, and stopping it failed: {error}. Stop it");
                error.retold(why.kind(), message)
            }
        }
    }

    /// The create has failed: an id that was made up here, and that may have a session now, is the client's own.
    fn create_failed(&mut self, now: Instant, error: Error) -> std::result::Result<State, Step<Result<Session>>> {
        match self.made_up_id() {
            Some(id) if error.is_outcome_unknown() && self.is_unwanted() => Ok(self.giving_back(now, id)),
            _ => Err(Step::Done(Err(self.failed(error)))),
        }
    }

    /// What a failure means for the journal, the client and the application.
    fn failed(&self, error: Error) -> Error {
        if !error.is_outcome_unknown() {
            self.note(|journal, record| journal.remove(record));
            return error;
        }
        let error = match error.kind() {
            ErrorKind::OutcomeUnknown => error,
            // The client ended, or the time was over, between two tries.
            _ => protocol::unknown_outcome(error, self.new.id.as_ref()),
        };
        self.note(|journal, record| journal.lost(record));
        if let Some(id) = self.made_up_id() {
            self.site.registry.claim(&id);
        }
        if let Some(label) = self.label {
            self.tell_of_lost(label, &error);
        }
        error
    }

    /// What the journal calls it, if it was told.
    fn noted(&self) -> Option<Result<RecordId>> {
        lock(&self.record).clone()
    }

    fn note(&self, note: impl FnOnce(&Journal, RecordId) -> Result<()> + Send + 'static) {
        if let Some(Ok(record)) = self.noted() {
            self.site.core.note(move |journal| note(journal, record));
        }
    }

    /// Tells which session the lost create may have made: the one of its id, or those that the list shows.
    fn tell_of_lost(&self, label: Label, error: &Error) {
        let core = &self.site.core;
        let lost = Lost {
            site: Arc::clone(&self.site),
            label,
            new: self.new.clone(),
            record: self.noted().and_then(Result::ok),
            begun: self.begun.unwrap_or_else(|| core.now()),
            error: error.kind(),
        };
        if let Some(id) = &self.new.id {
            lost.tell(vec![id.clone()], None);
            return;
        }
        let deadline = core.deadline(None);
        let look = protocol::list(&self.site.context, deadline);
        Core::submit_chore(core, look, deadline, Urgency::Usual, move |sessions| lost.look_through(sessions));
    }
}

/// A create whose answer was lost, until it is told which session it may have made.
struct Lost {
    site: Arc<Site>,
    label: Label,
    new: NewSession,
    record: Option<RecordId>,
    begun: Instant,
    error: ErrorKind,
}

impl Lost {
    /// Tells those of the account's sessions that it may have made.
    fn look_through(self, sessions: Result<Vec<SessionProperties>>) {
        let sessions = match sessions {
            Ok(sessions) => sessions,
            Err(error) => return self.tell(Vec::new(), Some(error.kind())),
        };
        let core = Arc::clone(&self.site.core);
        let Some(journal) = core.journal.clone() else {
            let candidates = self.candidates(sessions, &HashSet::new());
            return self.tell(candidates, None);
        };
        core.aside(move || {
            // What cannot be read excludes nothing.
            let noted = self.site.ids_of(&journal.others().unwrap_or_default());
            let candidates = self.candidates(sessions, &noted);
            if let Some(record) = self.record {
                self.site.registry.undecided(record, candidates.clone());
            }
            self.tell(candidates, None);
        });
    }

    /// Those that are unknown to those who share the journal, too.
    fn candidates(&self, sessions: Vec<SessionProperties>, noted: &HashSet<SessionId>) -> Vec<SessionId> {
        let age = self.site.core.now().saturating_since(self.begun);
        let candidates = self.site.candidates(sessions, noted, &self.new.size, self.new.max_lease, age);
        candidates.into_iter().map(|session| session.id).collect()
    }

    /// `unseen`: why nobody could look, as when the client has ended.
    fn tell(self, candidates: Vec<SessionId>, unseen: Option<ErrorKind>) {
        let count = candidates.len();
        if count == 0 {
            self.post(None, unseen, 0, 0);
        }
        for (index, id) in candidates.into_iter().enumerate() {
            self.post(Some(id), Some(self.error), index, count);
        }
    }

    fn post(&self, session: Option<SessionId>, error: Option<ErrorKind>, index: usize, count: usize) {
        self.site.core.queue.post_fact(Fact {
            kind: EventKind::CreateLost,
            label: self.label,
            session,
            error,
            index: u32::try_from(index).unwrap_or(u32::MAX),
            count: u32::try_from(count).unwrap_or(u32::MAX),
        });
    }
}

impl Operation for CreateSession {
    type Outcome = Result<Session>;

    fn step(&mut self, now: Instant, mut answer: Option<Answer>) -> Step<Result<Session>> {
        self.begun.get_or_insert(now);
        loop {
            match self.go_on(now, answer.take()) {
                Ok(State::Completing(created)) if self.site.core.journal.is_some() => {
                    let (journal, record) = (self.site.core.journal.clone(), Arc::clone(&self.record));
                    let (id, log) = (created.session.id.clone(), Arc::clone(&self.site.core.log));
                    let existed = created.existed;
                    self.state = State::Completing(created);
                    return Step::Work(Work(Box::new(move || {
                        let (Some(journal), Some(Ok(record))) = (journal, lock(&record).clone()) else { return };
                        // One that was there before is not ours to find again.
                        log.warn_of(if existed { journal.remove(record) } else { journal.complete(record, &id) });
                    })));
                }
                Ok(state) => self.state = state,
                Err(step) => return step,
            }
        }
    }

    fn maybe_done(&self) -> bool {
        matches!(&self.state, State::Creating(create) if create.maybe_done())
    }

    fn leave(&mut self, now: Instant, in_flight: bool) -> bool {
        self.left = true;
        match &self.state {
            State::Begin | State::Noting | State::Over => false,
            State::Completing(_) | State::GivingBack(..) => true,
            State::Creating(_) if in_flight => true,
            State::Creating(create) => match self.made_up_id().filter(|_| create.maybe_done()) {
                Some(id) => {
                    self.state = self.giving_back(now, id);
                    true
                }
                None => false,
            },
        }
    }

    fn fail(&mut self, error: Error) -> Error {
        match std::mem::replace(&mut self.state, State::Over) {
            State::GivingBack(id, _) => self.given_back(&id, Err(error)),
            State::Completing(created) => protocol::unknown_outcome(error, Some(&created.session.id)),
            _ => self.failed(error),
        }
    }
}

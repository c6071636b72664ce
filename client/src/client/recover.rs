//! Finding sessions again that an earlier run has left: all of them, or one to go on with instead of creating another.

use super::create::CreateSession;
use super::shared::Shared;
use super::site::{ON_ITS_WAY, Site};
use super::{Client, Session, cancelled};
use crate::clock::{Instant, lock};
use crate::config::Endpoint;
use crate::error::{Error, ErrorKind, Result};
use crate::events::Label;
use crate::journal::{Journal, Record, RecordId, RecordState as Noted};
use crate::model::{NewSession, SessionId, SessionProperties, SessionStatus};
use crate::protocol::Pacing;
use crate::protocol::{self, Context, List, OneCall, Operation, Step, Work};
use crate::wire::{Answer, Service, Target};
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A session that an earlier owner of the journal has left, and that the service still has.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recovered {
    /// The session, at the endpoint where it was created.
    pub session: Session,
    /// How certain it is that it is ours.
    pub claim: Claim,
}

/// Whose a session is that was found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Its id was chosen or received by an earlier run: it is ours. `stop_all` of the own sessions stops it.
    Ours,
    /// An earlier run has lost the answer to a create, and this session may be what was made: it was asked for so, at that
    /// time. It may as well be somebody else's.
    Candidate,
}

/// Which session [`Client::resume_or_create`] takes instead of creating one.
#[derive(Clone, Debug, Default)]
pub struct Resume {
    /// This one, if it is fit; else those of the journal.
    pub id: Option<SessionId>,
    /// At least this much of its lease must be left.
    pub min_remaining: Duration,
}

/// What work on a disk brings to the operation that waits for it.
struct Pending<T>(Arc<Mutex<Option<Result<T>>>>);

impl<T: Send + 'static> Pending<T> {
    fn start(work: impl FnOnce() -> Result<T> + Send + 'static) -> (Pending<T>, Work) {
        let place = Arc::new(Mutex::new(None));
        let result = Arc::clone(&place);
        (Pending(place), Work(Box::new(move || *lock(&result) = Some(work()))))
    }

    fn take(&self) -> Result<T> {
        let done = lock(&self.0).take();
        done.unwrap_or_else(|| Err(Error::new(ErrorKind::Internal, "the journal could not be reached")))
    }
}

/// The sites of a client, to which those of recovered sessions are added.
#[derive(Clone, Debug)]
pub(super) struct Sites {
    home: Arc<Site>,
    others: Arc<Mutex<Vec<Arc<Site>>>>,
}

impl Sites {
    pub(super) fn of(client: &Client) -> Sites {
        Sites { home: Arc::clone(&client.home), others: Arc::clone(&client.others) }
    }

    /// The site where a record's session is. An endpoint that no client could be made with is none.
    fn site_of(&self, record: &Record) -> Result<Arc<Site>> {
        let fits = |site: &Arc<Site>| {
            let service = &site.context.service;
            record.is_at(service) && record.version == service.version
        };
        if fits(&self.home) {
            return Ok(Arc::clone(&self.home));
        }
        let mut others = lock(&self.others);
        if let Some(known) = others.iter().find(|site| fits(site)) {
            return Ok(Arc::clone(known));
        }
        let context = &self.home.context;
        let endpoint = Endpoint::service(&record.endpoint)?;
        let target = Target { endpoint, account_id: record.account_id.clone() };
        let service = Service { target, version: record.version };
        let pacing = Arc::new(Pacing::new(context.pacing.intervals));
        let site = Site::new(&self.home.core, Context { service: Arc::new(service), pacing, ..context.clone() });
        others.push(Arc::clone(&site));
        Ok(site)
    }
}

/// All that dead owners have left and the service still has; see [`Client::recover_sessions`].
pub(super) struct Recover {
    sites: Sites,
    journal: Arc<Journal>,
    deadline: Instant,
    state: Recovering,
    /// What is to be looked at.
    todo: VecDeque<(Record, Arc<Site>)>,
    found: Vec<Found>,
    /// The records of sessions that are over.
    gone: Vec<RecordId>,
    /// Why a record could not be looked into.
    trouble: Option<Error>,
    /// The caller has gone.
    left: bool,
}

struct Found {
    record: RecordId,
    site: Arc<Site>,
    properties: SessionProperties,
    claim: Claim,
}

enum Recovering {
    Begin,
    Surveying(Pending<Vec<(Record, bool)>>),
    Next,
    Reading(Record, Arc<Site>, OneCall<SessionProperties>),
    Listing(Record, Arc<Site>, List),
    /// The list is there, and is held against what living owners have noted by now.
    Comparing(Record, Arc<Site>, Vec<SessionProperties>, Pending<Vec<(Record, bool)>>),
    Adopting(Pending<HashSet<RecordId>>),
    /// Nobody wants them: they are left behind again.
    Leaving(Pending<()>),
    Over,
}

impl Recover {
    pub(super) fn new(sites: Sites, journal: &Arc<Journal>, deadline: Instant) -> Recover {
        Recover {
            sites,
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

    /// All records, and whether their owner lives: this client does.
    fn survey(&self) -> (Pending<Vec<(Record, bool)>>, Work) {
        let journal = Arc::clone(&self.journal);
        Pending::start(move || {
            let mut records = journal.others()?;
            records.extend(journal.own().into_iter().map(|record| (record, true)));
            Ok(records)
        })
    }

    fn trouble(&mut self, error: Error) {
        self.sites.home.context.log.warning(error.correlation_vector(), || {
            format!("a session of the journal could not be looked at: {error}")
        });
        self.trouble.get_or_insert(error);
    }

    /// The same. Where nobody can be reached, the others there are not tried.
    fn trouble_at(&mut self, site: &Arc<Site>, error: Error) {
        use ErrorKind::{NameResolution, Network, Timeout, Tls};
        if matches!(error.kind(), Network | NameResolution | Timeout | Tls) {
            self.todo.retain(|(_, other)| !Arc::ptr_eq(other, site));
        }
        self.trouble(error);
    }

    fn begin_next(&mut self, now: Instant) -> std::result::Result<Recovering, Step<Result<Vec<Recovered>>>> {
        if now >= self.deadline && !self.todo.is_empty() {
            // What was found is not given up for the rest.
            self.todo.clear();
            self.trouble(protocol::out_of_time());
        }
        let Some((record, site)) = self.todo.pop_front() else {
            return Err(self.adopt());
        };
        let deadline = self.share_of(&site, now);
        Ok(match record.session_id.clone() {
            Some(id) => {
                let id = site.context.service.spelled(&id);
                let read = protocol::properties(&site.context, id, deadline);
                Recovering::Reading(record, site, read)
            }
            None => {
                let list = protocol::list(&site.context, deadline);
                Recovering::Listing(record, site, list)
            }
        })
    }

    /// When to give up on a site: one that does not answer leaves the others their part of the time.
    fn share_of(&self, site: &Arc<Site>, now: Instant) -> Instant {
        let others: HashSet<_> = self.todo.iter().map(|(_, other)| Arc::as_ptr(other)).collect();
        let others = others.into_iter().filter(|other| *other != Arc::as_ptr(site)).count();
        now + self.deadline.saturating_since(now) / u32::try_from(others + 1).unwrap_or(u32::MAX)
    }

    /// Whether a session of this record that is not there can still come.
    fn may_still_come(&self, record: &Record) -> bool {
        record.state != Noted::Created && self.journal.unix_time().saturating_sub(record.written) <= ON_ITS_WAY
    }

    fn adopt(&mut self) -> Step<Result<Vec<Recovered>>> {
        if let Some(trouble) = self.trouble.take().filter(|_| self.found.is_empty() && self.gone.is_empty()) {
            return Step::Done(Err(trouble));
        }
        let (journal, gone) = (Arc::clone(&self.journal), std::mem::take(&mut self.gone));
        let mut wanted: Vec<RecordId> = self.found.iter().map(|found| found.record).collect();
        wanted.extend(&gone);
        let (pending, work) = Pending::start(move || {
            let adopted: HashSet<RecordId> = journal.adopt(&wanted)?.iter().map(|record| record.id).collect();
            for id in gone {
                journal.remove(id)?;
            }
            Ok(adopted)
        });
        self.state = Recovering::Adopting(pending);
        Step::Work(work)
    }

    fn hand_out(&mut self, adopted: &HashSet<RecordId>) -> Vec<Recovered> {
        let mut found = std::mem::take(&mut self.found);
        found.retain(|found| adopted.contains(&found.record));
        for create in adopted {
            let of_create = |found: &&Found| found.record == *create && found.claim == Claim::Candidate;
            let candidates: Vec<&Found> = found.iter().filter(of_create).collect();
            if let Some(first) = candidates.first() {
                let ids = candidates.iter().map(|found| found.properties.id.clone()).collect();
                first.site.registry.undecided(*create, ids);
            }
        }
        // Several creates may each have made the same one.
        let mut seen = HashSet::new();
        found.retain(|found| seen.insert((Arc::as_ptr(&found.site), found.properties.id.clone())));
        let hand_out = |Found { site, properties, claim, .. }| {
            let shared = take_over(&site, properties, claim);
            Recovered { session: Session::new(site, shared), claim }
        };
        found.into_iter().map(hand_out).collect()
    }

    /// Those of a list that a create may have made whose record has no id.
    fn candidates(
        &self,
        record: &Record,
        site: &Site,
        sessions: Vec<SessionProperties>,
        others: &[(Record, bool)],
    ) -> Option<Vec<SessionProperties>> {
        let service = &site.context.service;
        // Somebody who lives is creating one right now, whose id is not known to anybody here: it must not be taken for ours.
        let ambiguous = |(other, lives): &(Record, bool)| {
            *lives && other.is_at(service) && other.session_id.is_none() && other.state == Noted::Creating
        };
        if others.iter().any(ambiguous) {
            return None;
        }
        let age = self.journal.unix_time().saturating_sub(record.written);
        Some(site.candidates(sessions, &site.ids_of(others), &record.size, record.max_lease, age))
    }

    fn go_on(
        &mut self,
        now: Instant,
        answer: Option<Answer>,
    ) -> std::result::Result<Recovering, Step<Result<Vec<Recovered>>>> {
        match std::mem::replace(&mut self.state, Recovering::Over) {
            Recovering::Begin => {
                let (pending, work) = self.survey();
                self.state = Recovering::Surveying(pending);
                Err(Step::Work(work))
            }
            Recovering::Surveying(pending) => {
                let others = pending.take().map_err(|error| Step::Done(Err(error)))?;
                let account = self.sites.home.context.service.target.account_id.clone();
                for (record, lives) in others {
                    if lives || record.account_id != account {
                        continue;
                    }
                    match self.sites.site_of(&record) {
                        Ok(site) => self.todo.push_back((record, site)),
                        Err(error) => self.trouble(error),
                    }
                }
                Ok(Recovering::Next)
            }
            Recovering::Next => self.begin_next(now),
            Recovering::Reading(record, site, mut read) => match read.step(now, answer).outcome() {
                Err(step) => {
                    self.state = Recovering::Reading(record, site, read);
                    Err(step)
                }
                Ok(Ok(properties)) if properties.status.is_alive() => {
                    let properties = sized(properties, &record);
                    self.found.push(Found { record: record.id, site, properties, claim: Claim::Ours });
                    Ok(Recovering::Next)
                }
                Ok(Err(error)) if error.kind() != ErrorKind::NotFound => {
                    self.trouble_at(&site, error);
                    Ok(Recovering::Next)
                }
                Ok(Err(_)) if self.may_still_come(&record) => Ok(Recovering::Next),
                Ok(_) => {
                    self.gone.push(record.id);
                    Ok(Recovering::Next)
                }
            },
            Recovering::Listing(record, site, mut list) => match list.step(now, answer).outcome() {
                Err(step) => {
                    self.state = Recovering::Listing(record, site, list);
                    Err(step)
                }
                Ok(Ok(sessions)) => {
                    let (pending, work) = self.survey();
                    self.state = Recovering::Comparing(record, site, sessions, pending);
                    Err(Step::Work(work))
                }
                Ok(Err(error)) => {
                    self.trouble_at(&site, error);
                    Ok(Recovering::Next)
                }
            },
            Recovering::Comparing(record, site, sessions, pending) => {
                let others = pending.take().map_err(|error| Step::Done(Err(error)))?;
                match self.candidates(&record, &site, sessions, &others) {
                    // It is looked at again the next time.
                    None => {}
                    Some(candidates) if candidates.is_empty() && self.may_still_come(&record) => {}
                    Some(candidates) if candidates.is_empty() => self.gone.push(record.id),
                    Some(candidates) => {
                        let found = candidates.into_iter().map(|properties| Found {
                            record: record.id,
                            site: Arc::clone(&site),
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
                    let (pending, work) = Pending::start(move || journal.leave_behind(&adopted));
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
    type Outcome = Result<Vec<Recovered>>;

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

/// A session that is fit to go on with, or a new one; see [`Client::resume_or_create`].
pub(super) struct ResumeOrCreate {
    site: Arc<Site>,
    new: NewSession,
    resume: Resume,
    deadline: Instant,
    state: Resuming,
    /// Whose id was given first, then those of the journal, the newest first.
    todo: VecDeque<(SessionId, Option<Record>)>,
    create: Option<CreateSession>,
}

enum Resuming {
    Begin,
    Surveying(Pending<Vec<Record>>),
    Next,
    Reading(SessionId, Option<Record>, u64, Box<OneCall<SessionProperties>>),
    Adopting(SessionProperties, u64, Pending<bool>),
    Creating(Box<CreateSession>),
    Over,
}

impl ResumeOrCreate {
    pub(super) fn new(
        site: &Arc<Site>,
        new: &NewSession,
        resume: Resume,
        label: Option<Label>,
        deadline: Instant,
    ) -> Result<ResumeOrCreate> {
        let create = site.create(new, label, deadline)?;
        Ok(ResumeOrCreate {
            site: Arc::clone(site),
            new: new.clone(),
            resume,
            deadline,
            state: Resuming::Begin,
            todo: VecDeque::new(),
            create: Some(create),
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
    ) -> std::result::Result<Resuming, Step<Result<(Session, bool)>>> {
        match std::mem::replace(&mut self.state, Resuming::Over) {
            Resuming::Begin => {
                let service = &self.site.context.service;
                self.todo.extend(self.resume.id.take().map(|id| (service.spelled(&id), None)));
                let Some(journal) = self.site.core.journal.clone() else { return Ok(Resuming::Next) };
                let (pending, work) = Pending::start(move || {
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
                let service = &self.site.context.service;
                let here =
                    records.into_iter().filter(|record| record.is_at(service) && record.version == service.version);
                for record in here {
                    let Some(id) = record.session_id.as_ref().map(|id| service.spelled(id)) else { continue };
                    // The one whose id was given may be known to the journal too.
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
                    let read = protocol::properties(&self.site.context, id.clone(), self.deadline);
                    Resuming::Reading(id, record, self.site.registry.stops(), Box::new(read))
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
                        let Some(journal) = self.site.core.journal.clone() else { return Ok(Resuming::Next) };
                        let (pending, work) = Pending::start(move || {
                            let is = |other: &Record| other.id == record.id;
                            Ok(journal.own().iter().any(is) || journal.adopt(&[record.id])?.iter().any(is))
                        });
                        self.state = Resuming::Adopting(found, stops, pending);
                        Err(Step::Work(work))
                    }
                },
                // Not fit, or not there any more.
                Ok(Ok(_)) => Ok(Resuming::Next),
                Ok(Err(error)) if error.kind() == ErrorKind::NotFound => Ok(Resuming::Next),
                Ok(Err(error)) => Err(Step::Done(Err(error))),
            },
            Resuming::Adopting(found, stops, pending) => match pending.take() {
                Ok(true) => Err(Step::Done(Ok((self.resumed(found, stops, Some(Claim::Ours)), true)))),
                // Another was quicker.
                Ok(false) => Ok(Resuming::Next),
                Err(error) => Err(Step::Done(Err(error))),
            },
            Resuming::Creating(mut create) => match create.step(now, answer).outcome() {
                Ok(session) => Err(Step::Done(session.map(|session| (session, false)))),
                Err(step) => {
                    self.state = Resuming::Creating(create);
                    Err(step)
                }
            },
            Resuming::Over => Err(Step::Done(Err(stepped_after_end()))),
        }
    }

    /// What was found, with what the service left out.
    fn completed(&self, found: &SessionProperties, record: Option<&Record>) -> SessionProperties {
        let found = self.site.registry.complete(found.clone());
        match record {
            Some(record) => sized(found, record),
            None => found,
        }
    }

    fn resumed(&self, found: SessionProperties, stops: u64, claim: Option<Claim>) -> Session {
        let shared = match (self.site.registry.find(&found.id), claim) {
            (Some(shared), _) => {
                shared.was_read(shared.epoch(), found, &self.site);
                shared
            }
            (None, Some(claim)) => take_over(&self.site, found, claim),
            (None, None) => self.site.found(found, stops),
        };
        let session = Session::new(Arc::clone(&self.site), shared);
        self.site.context.log.info(None, || format!("session {} is gone on with", session.id()));
        session
    }
}

impl Operation for ResumeOrCreate {
    type Outcome = Result<(Session, bool)>;

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

    fn leave(&mut self, now: Instant, in_flight: bool) -> bool {
        match &mut self.state {
            Resuming::Creating(create) => create.leave(now, in_flight),
            _ => false,
        }
    }

    fn fail(&mut self, error: Error) -> Error {
        match &mut self.state {
            Resuming::Creating(create) => create.fail(error),
            _ => error,
        }
    }
}

/// Keeps a session that was found in the journal.
fn take_over(site: &Site, found: SessionProperties, claim: Claim) -> Arc<Shared> {
    let size = found.size.clone();
    let shared = Shared::new(site, found);
    match claim {
        Claim::Ours => site.registry.created(shared, size),
        Claim::Candidate => site.registry.opened(shared),
    }
}

/// Services have been seen to leave it out.
fn sized(found: SessionProperties, record: &Record) -> SessionProperties {
    SessionProperties { size: found.size.or_else(|| Some(record.size.clone())), ..found }
}

fn stepped_after_end() -> Error {
    Error::new(ErrorKind::Internal, "an operation was stepped after its end")
}

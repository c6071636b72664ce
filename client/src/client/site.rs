//! The account at one endpoint: what is known of its sessions, and what can be done there. Every method makes an operation,
//! which the caller's thread or the client's own drives.

use super::core::Core;
use super::create::CreateSession;
use super::keeper::Listing;
use super::registry::Registry;
use super::shared::{Next, Shared};
use super::{ListedSession, Session};
use crate::clock::Instant;
use crate::error::{Error, ErrorKind, Result};
use crate::events::Label;
use crate::journal::Record;
use crate::model::{Lease, NewSession, SessionId, SessionProperties, SessionSize};
use crate::protocol::{self, Context, Operation, Step, Stopped};
use crate::wire::Answer;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Site {
    pub(super) core: Arc<Core>,
    pub(super) context: Context,
    pub(super) registry: Registry,
    pub(super) listing: Mutex<Listing>,
}

/// For so long a create may still arrive whose sender is dead: its session is to come, if there is none yet.
pub(super) const ON_ITS_WAY: Duration = Duration::from_secs(60);

/// An operation of a site, whatever it is made of.
pub(super) type Boxed<T> = Box<dyn Operation<Outcome = Result<T>> + Send>;

impl Site {
    pub(super) fn new(core: &Arc<Core>, context: Context) -> Arc<Site> {
        Arc::new(Site { core: Arc::clone(core), context, registry: Registry::default(), listing: Mutex::default() })
    }

    /// Creates a session. `label`: it was started, and a lost answer is told by events.
    pub(super) fn create(
        self: &Arc<Self>,
        new: &NewSession,
        label: Option<Label>,
        deadline: Instant,
    ) -> Result<CreateSession> {
        let prepared = self.context.service.prepare(new)?;
        self.warn_of_lease(prepared.max_lease);
        // An id that was made up here cannot be anybody else's; one that was given may be.
        let made_up = new.id.is_none();
        Ok(CreateSession::new(self, prepared, made_up, label, deadline))
    }

    /// Opens a session that exists.
    pub(super) fn open(self: &Arc<Self>, id: &SessionId, deadline: Instant) -> Boxed<Session> {
        let id = self.context.service.spelled(id);
        let known = self.registry.find(&id).map(|shared| (shared.epoch(), shared));
        let stops = self.registry.stops();
        let site = Arc::clone(self);
        let read = protocol::properties(&self.context, id.clone(), deadline);
        Box::new(read.then(move |found: Result<SessionProperties>| {
            let found = found.map_err(|error| match error.kind() {
                ErrorKind::NotFound => {
                    let service = &site.context.service;
                    let message = format!(
                        "session {id} is not known to account {} at {}; check the id, the account and the endpoint",
                        service.target.account_id.as_str(),
                        service.target.endpoint
                    );
                    error.retold(ErrorKind::NotFound, message)
                }
                _ => error,
            })?;
            let shared = match known {
                Some((epoch, shared)) => {
                    shared.was_read(epoch, found, &site);
                    shared
                }
                None => site.found(found, stops),
            };
            Ok(Session::new(site, shared))
        }))
    }

    /// A session that was read while this many stops had ended, and of which there was no handle.
    pub(super) fn found(&self, found: SessionProperties, stops: u64) -> Arc<Shared> {
        let shared = self.registry.opened(Shared::new(self, self.registry.complete(found)));
        if stops != self.registry.stops() {
            // A session was stopped meanwhile, perhaps this one: what was read may tell of the time before.
            shared.forget_readings(&self.core);
        }
        shared
    }

    /// The account's sessions that have not ended.
    pub(super) fn list(self: &Arc<Self>, deadline: Instant) -> Boxed<Vec<ListedSession>> {
        let site = Arc::clone(self);
        let list = protocol::list(&self.context, deadline);
        Box::new(list.then(move |sessions: Result<Vec<SessionProperties>>| {
            let listed = |properties: SessionProperties| ListedSession {
                known_to_client: site.registry.knows(&properties.id),
                properties: site.registry.complete(properties),
            };
            Ok(sessions?.into_iter().map(listed).collect())
        }))
    }

    /// Reads a session's properties.
    pub(super) fn properties(self: &Arc<Self>, shared: &Arc<Shared>, deadline: Instant) -> Boxed<SessionProperties> {
        let (site, shared, epoch) = (Arc::clone(self), Arc::clone(shared), shared.epoch());
        let read = protocol::properties(&self.context, shared.id().clone(), deadline);
        Box::new(read.then(move |read: Result<SessionProperties>| Ok(shared.was_read(epoch, read?, &site))))
    }

    /// Sets a session's whole lease. What is known is used, nothing is read for it.
    pub(super) fn update(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        max_lease: Lease,
        deadline: Instant,
    ) -> Boxed<SessionProperties> {
        match self.check_update(shared, max_lease) {
            Ok(Ok(max_lease)) => self.send_update(shared, max_lease, deadline),
            Ok(Err(stands)) => Box::new(AtOnce(Some(Ok(stands)))),
            Err(error) => Box::new(AtOnce(Some(Err(error)))),
        }
    }

    /// The lease to send; or what is known, if it is the one that stands.
    fn check_update(&self, shared: &Shared, max_lease: Lease) -> Result<std::result::Result<Lease, SessionProperties>> {
        self.core.check_alive()?;
        let known = shared.known(self.core.now());
        if !known.status.is_alive() {
            let message = format!("session {} has ended; its lease cannot be extended, create another", shared.id());
            return Err(Error::new(ErrorKind::SessionEnded, message));
        }
        let max_lease = self.context.service.lease(max_lease)?;
        let wanted = max_lease.duration();
        match known.max_lease {
            Some(stands) if wanted == stands => return Ok(Err(known)),
            Some(stands) if wanted < stands => {
                return Err(Error::invalid_argument(format!(
                    "a lease of {} s is shorter than the {} s that stand; the whole lease is given, and it can only grow",
                    wanted.as_secs(),
                    stands.as_secs()
                )));
            }
            _ => {}
        }
        self.warn_of_lease(max_lease);
        Ok(Ok(max_lease))
    }

    fn send_update(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        max_lease: Lease,
        deadline: Instant,
    ) -> Boxed<SessionProperties> {
        let wanted = max_lease.duration();
        let (epoch, earlier_lost) = (shared.epoch(), shared.look(|watch| watch.maybe_extended == Some(max_lease)));
        let update = protocol::update_lease(&self.context, shared.id().clone(), max_lease, earlier_lost, deadline);
        let (site, shared) = (Arc::clone(self), Arc::clone(shared));
        Box::new(update.then(move |updated: Result<Option<SessionProperties>>| {
            site.registry.changed();
            let lost = updated.as_ref().is_err_and(Error::is_outcome_unknown);
            shared.look(|watch| watch.maybe_extended = lost.then_some(max_lease));
            match updated {
                Ok(Some(told)) => shared.was_told(&site.core, epoch, told, wanted),
                Ok(None) => shared.was_extended(&site.core, wanted),
                Err(error) => {
                    shared.forget_readings(&site.core);
                    return Err(error);
                }
            }
            site.context
                .log
                .info(None, || format!("the lease of session {} is now {} s", shared.id(), wanted.as_secs()));
            site.was_extended(shared.id(), max_lease);
            Ok(shared.known(site.core.now()))
        }))
    }

    /// Stops a session that this client knows.
    pub(super) fn stop(self: &Arc<Self>, id: &SessionId, deadline: Instant) -> Boxed<Stopped> {
        let shared = self.registry.find(id);
        // Before, so that no reading that is under way counts; and after, whatever came of it, for those begun meanwhile.
        shared.iter().for_each(|shared| shared.forget_readings(&self.core));
        let stop = protocol::stop(&self.context, id, self.registry.may_be_stopped(id), deadline);
        let (site, id) = (Arc::clone(self), id.clone());
        Box::new(stop.then(move |stopped: Result<Stopped>| {
            site.registry.stop_ended(&id, &stopped);
            match stopped {
                Ok(stopped) => {
                    shared.iter().for_each(|shared| shared.was_stopped(&site.core));
                    let how = if stopped.already_gone { "had ended already" } else { "is stopped" };
                    site.context.log.info(None, || format!("session {id} {how}"));
                    site.ended(&id);
                    Ok(stopped)
                }
                Err(error) => {
                    shared.iter().for_each(|shared| shared.forget_readings(&site.core));
                    let over = shared.is_some_and(|shared| !shared.known(site.core.now()).status.is_alive());
                    Err(if over { error } else { still_running(&id, error) })
                }
            }
        }))
    }

    /// Waits until a session is ready.
    pub(super) fn wait(self: &Arc<Self>, shared: &Arc<Shared>, timeout: Duration) -> WaitReady {
        WaitReady { site: Arc::clone(self), failures: shared.failures(), shared: Arc::clone(shared), timeout }
    }

    /// A session has ended: nobody has to find it again.
    pub(super) fn ended(&self, id: &SessionId) {
        let decided = self.registry.decided(id);
        if !self.registry.ended(id) && decided.is_empty() {
            return;
        }
        if let Some(journal) = &self.core.journal {
            let (journal, id) = (Arc::clone(journal), id.clone());
            let (service, log) = (Arc::clone(&self.context.service), Arc::clone(&self.core.log));
            self.core.aside(move || {
                decided.into_iter().for_each(|create| log.warn_of(journal.remove(create)));
                log.warn_of(journal.ended(&service, &id));
            });
        }
    }

    /// Those of a list that a create may have made whose answer was lost this long ago at most: they are unknown here and not
    /// noted for anything else, alive, as it was asked for, and not older.
    pub(super) fn candidates(
        &self,
        listed: Vec<SessionProperties>,
        noted: &HashSet<SessionId>,
        size: &SessionSize,
        max_lease: Lease,
        age: Duration,
    ) -> Vec<SessionProperties> {
        let fits = |session: &SessionProperties| {
            !self.registry.knows(&session.id)
                && !noted.contains(&session.id)
                && session.status.is_alive()
                && session.size.as_ref().is_none_or(|it| it == size)
                && session.max_lease.is_none_or(|lease| lease == max_lease.duration())
                && session.elapsed.unwrap_or_default() <= age + ON_ITS_WAY
        };
        listed.into_iter().filter(fits).collect()
    }

    /// The ids that records have noted, as the service spells them.
    pub(super) fn ids_of(&self, records: &[(Record, bool)]) -> HashSet<SessionId> {
        let noted = records.iter().filter_map(|(record, _)| record.session_id.as_ref());
        noted.map(|id| self.context.service.spelled(id)).collect()
    }

    /// The journal goes by the lease: what is surely over nobody has to find again.
    fn was_extended(&self, id: &SessionId, lease: Lease) {
        let (service, id) = (Arc::clone(&self.context.service), id.clone());
        self.core.note(move |journal| journal.extended(&service, &id, lease));
    }

    /// Nothing bounds a lease in the documentation, so it is sent as it is.
    fn warn_of_lease(&self, lease: Lease) {
        if !Lease::USUAL.contains(&lease.duration()) {
            self.context.log.warning(None, || {
                format!(
                    "a lease of {} s is unusual: services know leases from a minute to a day",
                    lease.duration().as_secs()
                )
            });
        }
    }

    /// A number that no other site alive has.
    pub(super) fn number(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self) as usize
    }
}

/// Why stopping a session failed, and what that means: it costs on.
pub(super) fn still_running(id: &SessionId, error: Error) -> Error {
    let message = format!("session {id} may still be running, as stopping it failed: {error}");
    error.reworded(message)
}

/// An operation that is over at once.
struct AtOnce<T>(Option<T>);

impl<T> Operation for AtOnce<T> {
    type Outcome = T;

    fn step(&mut self, _now: Instant, _answer: Option<Answer>) -> Step<T> {
        Step::Done(self.0.take().expect("nobody steps an operation that is over"))
    }
}

/// Waiting until a session is ready: what all who wait for it share goes on, and this looks on.
pub(super) struct WaitReady {
    site: Arc<Site>,
    shared: Arc<Shared>,
    failures: u64,
    timeout: Duration,
}

impl Operation for WaitReady {
    type Outcome = Result<SessionProperties>;

    fn step(&mut self, now: Instant, _answer: Option<Answer>) -> Step<Self::Outcome> {
        let seen = self.shared.seen();
        match self.shared.advance(&self.site, now, self.failures) {
            Next::Over(outcome) => Step::Done(*outcome),
            Next::At(moment) => Step::DozeUntil(moment, seen),
            Next::AfterChange(seen) => Step::AwaitChange(seen),
            Next::AfterToken => Step::AwaitToken,
        }
    }

    fn fail(&mut self, error: Error) -> Error {
        self.shared.is_left();
        if error.kind() == ErrorKind::Timeout { self.shared.not_yet(self.timeout) } else { error }
    }
}

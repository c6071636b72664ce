//! A session as an application holds it.

use super::{Inner, Stopped};
use crate::clock::{Instant, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::operation::{self, Operation as _, Step, WaitUntilReady};
use crate::session::{Lease, SessionId, SessionProperties, SessionStatus};
use crate::transport::Attempt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A rendering session of a [`Client`](crate::Client).
///
/// Every method may be called from any thread, several at a time. Dropping it does **not** stop the session.
#[derive(Debug)]
pub struct Session {
    client: Arc<Inner>,
    shared: Arc<Shared>,
}

/// What all handles of one session share.
#[derive(Debug)]
pub(super) struct Shared {
    id: SessionId,
    watch: Mutex<Watch>,
}

/// What is known of a session, and how it is found out while somebody waits.
struct Watch {
    wait: WaitUntilReady,
    /// Raised whenever the session is extended, stopped or read: a reading that began before tells of an earlier time.
    epoch: u64,
    /// The wait's request that is on the wire. It outlives the slice of waiting that sent it.
    attempt: Option<Attempt>,
    /// How many readings have ended waits by their failure, and the last such failure: it is for all who waited for it.
    failures: u64,
    failure: Option<Error>,
    /// An update to this lease was sent, and its answer was lost.
    maybe_extended: Option<Lease>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("epoch", &self.epoch).field("attempt", &self.attempt).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(client: &Inner, seen: SessionProperties) -> Shared {
        let id = seen.id.clone();
        let wait = WaitUntilReady::new(client.context.clone(), seen, client.clock.now());
        Shared {
            id,
            watch: Mutex::new(Watch {
                wait,
                epoch: 0,
                attempt: None,
                failures: 0,
                failure: None,
                maybe_extended: None,
            }),
        }
    }

    pub(super) fn id(&self) -> &SessionId {
        &self.id
    }

    pub(super) fn epoch(&self) -> u64 {
        lock(&self.watch).epoch
    }

    /// Takes a reading that began in this epoch, unless it has become outdated meanwhile. Returns it with what the service
    /// left out.
    pub(super) fn was_read(&self, epoch: u64, read: SessionProperties, client: &Inner) -> SessionProperties {
        if read.status.is_final() {
            client.registry.ended(&self.id);
        }
        let read = client.registry.complete(read);
        let mut watch = lock(&self.watch);
        if watch.epoch != epoch {
            return read;
        }
        watch.outdate_readings();
        let read = watch.wait.seen(read, client.clock.now());
        drop(watch);
        client.signal.notify();
        read
    }

    /// What is known, and what readings under way will bring, does not count any more.
    pub(super) fn forget_readings(&self, client: &Inner) {
        self.change(client, WaitUntilReady::invalidate);
    }

    /// The service has taken a stop.
    pub(super) fn was_stopped(&self, client: &Inner) {
        self.change(client, WaitUntilReady::stopped);
    }

    fn change(&self, client: &Inner, change: impl FnOnce(&mut WaitUntilReady, Instant)) {
        let mut watch = lock(&self.watch);
        watch.outdate_readings();
        change(&mut watch.wait, client.clock.now());
        drop(watch);
        client.signal.notify();
    }
}

impl Session {
    pub(super) fn new(client: Arc<Inner>, shared: Arc<Shared>) -> Session {
        Session { client, shared }
    }

    /// The session's id.
    pub fn id(&self) -> &SessionId {
        &self.shared.id
    }

    /// What the service, or the create, said last, however long ago. Sends nothing.
    pub fn known_properties(&self) -> SessionProperties {
        lock(&self.shared.watch).wait.latest(self.client.clock.now())
    }

    /// Reads the session's properties. `GET …/sessions/{id}/properties`
    ///
    /// Takes `timeout` at most (`None`: the configuration's call timeout).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the service does not know the session any more.
    pub fn properties(&self, timeout: Option<Duration>) -> Result<SessionProperties> {
        let client = &self.client;
        let epoch = self.shared.epoch();
        let deadline = client.deadline(timeout);
        let read = operation::properties(&client.context, self.id().clone(), deadline);
        Ok(self.shared.was_read(epoch, client.run(read, deadline)?, client))
    }

    /// The same, without a request if what is known is younger than the poll interval; its
    /// [`age`](SessionProperties::age) tells how old it is. What the client itself has done since counts as a change: then
    /// the service is asked.
    ///
    /// # Errors
    /// As [`Session::properties`].
    pub fn cached_properties(&self, timeout: Option<Duration>) -> Result<SessionProperties> {
        self.client.check_alive()?;
        let current = lock(&self.shared.watch).wait.current(self.client.clock.now());
        match current {
            Some(current) => Ok(current),
            None => self.properties(timeout),
        }
    }

    /// Sets the whole lease, counted from when the session became ready: it can only grow. `PATCH …/sessions/{id}`. With
    /// REST 2021-01-01 it is rounded up to a whole minute.
    ///
    /// Takes `timeout` at most (`None`: the configuration's call timeout). The lease that stands, as far as it is known,
    /// is a success without a request. Returns what is known afterwards; nothing is read for it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the lease is shorter than the one that is known; [`ErrorKind::BadRequest`] (REST
    /// v1) or [`ErrorKind::Conflict`] (2021-01-01) if it is not longer than the one that the service knows;
    /// [`ErrorKind::SessionEnded`] or [`ErrorKind::Conflict`] if the session has ended.
    pub fn update_lease(&self, max_lease: Lease, timeout: Option<Duration>) -> Result<SessionProperties> {
        let client = &self.client;
        client.check_alive()?;
        let known = self.known_properties();
        if known.status.is_final() || known.status == SessionStatus::Stopping {
            let message = format!("session {} has ended; its lease cannot be extended, create another", self.id());
            return Err(Error::new(ErrorKind::SessionEnded, message));
        }
        let max_lease = client.context.service.lease(max_lease)?;
        let wanted = max_lease.duration();
        match known.max_lease {
            Some(stands) if wanted == stands => return Ok(known),
            Some(stands) if wanted < stands => {
                return Err(Error::invalid_argument(format!(
                    "a lease of {} s is shorter than the {} s that stand; the whole lease is given, and it can only grow",
                    wanted.as_secs(),
                    stands.as_secs()
                )));
            }
            _ => {}
        }
        client.warn_of_lease(max_lease);
        let deadline = client.deadline(timeout);
        let (epoch, earlier_lost) = {
            let watch = lock(&self.shared.watch);
            (watch.epoch, watch.maybe_extended == Some(max_lease))
        };
        let update = operation::update_lease(&client.context, self.id().clone(), max_lease, earlier_lost, deadline);
        let updated = client.run(update, deadline);
        let lost = updated.as_ref().is_err_and(Error::is_outcome_unknown);
        lock(&self.shared.watch).maybe_extended = lost.then_some(max_lease);
        match updated {
            // What it tells of the session is from before anything that was done to it meanwhile.
            Ok(Some(told)) if self.shared.epoch() == epoch => {
                self.shared.change(client, |wait, now| drop(wait.seen(told, now)));
            }
            Ok(_) => self.shared.change(client, |wait, now| wait.extended(wanted, now)),
            Err(error) => {
                self.shared.forget_readings(client);
                return Err(error);
            }
        }
        client.context.log.info(None, || format!("the lease of session {} is now {} s", self.id(), wanted.as_secs()));
        Ok(self.known_properties())
    }

    /// Waits until the session is ready, reading its properties at the poll interval.
    ///
    /// May be called in short slices, to show progress or to stay responsive: the schedule, and a request on the wire,
    /// belong to the session and outlive a slice, so slices cost no extra request. A `timeout` of zero starts what is
    /// due and returns at once. A failure that may pass (no connection, throttling, a 5xx) does not end the wait.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] when the time is over; then [`Session::known_properties`] says how far it is.
    /// [`ErrorKind::SessionFailed`] or [`ErrorKind::SessionEnded`] if it will never be ready.
    pub fn wait_until_ready(&self, timeout: Duration) -> Result<SessionProperties> {
        let client = &self.client;
        let deadline = client.clock.now() + timeout;
        let failures = lock(&self.shared.watch).failures;
        loop {
            client.check_alive()?;
            let seen = client.signal.version();
            let now = client.clock.now();
            let next = lock(&self.shared.watch).advance(client, now, failures);
            if let Next::Over(outcome) = next {
                if self.known_properties().status.is_final() {
                    client.registry.ended(self.id());
                }
                return *outcome;
            }
            if now >= deadline {
                return Err(self.not_yet(timeout));
            }
            match next {
                Next::At(moment) => client.clock.sleep(&client.signal, seen, moment.min(deadline)),
                Next::AfterChange => client.clock.wait_for_work(&client.signal, seen, deadline),
                Next::Over(_) => {}
            }
        }
    }

    fn not_yet(&self, timeout: Duration) -> Error {
        let watch = lock(&self.shared.watch);
        let message = format!(
            "session {} was not ready within {} ms; it may become so, wait again",
            self.id(),
            timeout.as_millis()
        );
        match watch.wait.trouble() {
            Some(trouble) => {
                let message = format!("{message} (the latest look at it failed: {trouble})");
                trouble.clone().retold(ErrorKind::Timeout, message)
            }
            None => Error::new(ErrorKind::Timeout, message),
        }
    }

    /// Stops the session: its server is given back and costs no more. `DELETE …/sessions/{id}`
    ///
    /// Takes `timeout` at most (`None`: the configuration's call timeout). A session that has ended already counts as
    /// stopped, with [`Stopped::already_gone`] set.
    ///
    /// # Errors
    /// Those of the network and of the credential. After one, the session may be running: stop it again.
    pub fn stop(&self, timeout: Option<Duration>) -> Result<Stopped> {
        self.client.stop(self.id(), self.client.deadline(timeout))
    }
}

/// What a wait does next.
enum Next {
    Over(Box<Result<SessionProperties>>),
    At(Instant),
    /// When the client's signal changes: a request or a token is under way.
    AfterChange,
}

impl Watch {
    /// Readings that began earlier, the wait's own among them, must not put an older state in the place of a newer one.
    fn outdate_readings(&mut self) {
        self.epoch += 1;
        self.attempt = None;
    }

    /// Takes the answer that is there, and does what is due.
    fn advance(&mut self, client: &Inner, now: Instant, failures: u64) -> Next {
        if let Some(failure) = self.failure.as_ref().filter(|_| self.failures != failures) {
            // Another who waits has met it while this one waited too.
            return Next::Over(Box::new(Err(failure.clone())));
        }
        let answer = match &self.attempt {
            Some(attempt) => match attempt.take() {
                Some(answer) => Some(answer),
                None => return Next::AfterChange,
            },
            None => None,
        };
        self.attempt = None;
        match self.wait.step(now, answer) {
            Step::Done(outcome) => {
                if let Err(error) = &outcome {
                    self.failures += 1;
                    self.failure = Some(error.clone());
                    client.signal.notify();
                }
                Next::Over(Box::new(outcome))
            }
            Step::SleepUntil(moment) => Next::At(moment),
            Step::AwaitToken => Next::AfterChange,
            Step::FetchToken(exchange) => {
                let ahead = exchange.ahead;
                client.transport.start_fetching_token(*exchange, client.attempt_timeout);
                // The old token is good: the read that is due goes on with it.
                if ahead { self.advance(client, now, failures) } else { Next::AfterChange }
            }
            Step::Send(request) => {
                let signal = Arc::clone(&client.signal);
                self.attempt = Some(client.transport.start(*request, client.attempt_timeout, signal));
                Next::AfterChange
            }
        }
    }
}

//! A session as an application holds it.

use super::{Inner, Stopped};
use crate::clock::{Instant, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::operation::{self, Operation as _, Step, WaitUntilReady};
use crate::session::{SessionId, SessionProperties};
use crate::transport::Attempt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A rendering session of a [`Client`](crate::Client).
///
/// Every method may be called from any thread, several at a time. Dropping it does **not** stop the session.
#[derive(Debug)]
pub struct Session {
    client: Arc<Inner>,
    id: SessionId,
    watch: Mutex<Watch>,
}

/// What is known of a session, and how it is found out while somebody waits.
struct Watch {
    wait: WaitUntilReady,
    /// Raised whenever the session is stopped or read: a reading that began before tells of an earlier time.
    epoch: u64,
    /// The wait's request that is on the wire. It outlives the slice of waiting that sent it.
    attempt: Option<Attempt>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("latest", self.wait.latest()).field("attempt", &self.attempt).finish()
    }
}

impl Session {
    pub(super) fn new(client: Arc<Inner>, seen: SessionProperties) -> Session {
        let id = seen.id.clone();
        let wait = WaitUntilReady::new(client.context.clone(), client.poll_interval, seen, client.clock.now());
        Session { client, id, watch: Mutex::new(Watch { wait, epoch: 0, attempt: None }) }
    }

    /// The session's id.
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// What the service, or the create, said last. Sends nothing.
    pub fn known_properties(&self) -> SessionProperties {
        lock(&self.watch).wait.latest().clone()
    }

    /// Reads the session's properties. `GET …/sessions/{id}/properties`
    ///
    /// Takes `timeout` at most (`None`: the configuration's call timeout).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the service does not know the session any more.
    pub fn properties(&self, timeout: Option<Duration>) -> Result<SessionProperties> {
        let client = &self.client;
        let epoch = lock(&self.watch).epoch;
        let read = operation::properties(&client.context, self.id.clone());
        let properties = client.run(read, client.deadline(timeout))?;
        let mut watch = lock(&self.watch);
        if watch.epoch != epoch {
            return Ok(properties);
        }
        watch.outdate_readings();
        let properties = watch.wait.seen(properties, client.clock.now());
        drop(watch);
        client.signal.notify();
        Ok(properties)
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
        loop {
            client.check_alive()?;
            let seen = client.signal.version();
            let now = client.clock.now();
            let next = lock(&self.watch).advance(client, now);
            if let Next::Over(outcome) = next {
                return outcome;
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
        let watch = lock(&self.watch);
        let message = format!(
            "session {} was not ready within {} ms; it may become so, wait again",
            self.id,
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
        let client = &self.client;
        // Before, so that no reading that is under way counts; and after, whatever came of it, for those begun meanwhile.
        self.forget_readings();
        let stopped = client.run(operation::stop(&client.context, &self.id), client.deadline(timeout));
        self.forget_readings();
        stopped
    }

    fn forget_readings(&self) {
        let mut watch = lock(&self.watch);
        watch.outdate_readings();
        watch.wait.invalidate(self.client.clock.now());
        drop(watch);
        self.client.signal.notify();
    }
}

/// What a wait does next.
enum Next {
    Over(Result<SessionProperties>),
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
    fn advance(&mut self, client: &Inner, now: Instant) -> Next {
        let answer = match &self.attempt {
            Some(attempt) => match attempt.take() {
                Some(answer) => Some(answer),
                None => return Next::AfterChange,
            },
            None => None,
        };
        self.attempt = None;
        match self.wait.step(now, answer) {
            Step::Done(outcome) => Next::Over(outcome),
            Step::SleepUntil(moment) => Next::At(moment),
            Step::AwaitToken => Next::AfterChange,
            Step::FetchToken(exchange) => {
                let ahead = exchange.ahead;
                client.transport.start_fetching_token(*exchange, client.attempt_timeout);
                // The old token is good: the read that is due goes on with it.
                if ahead { self.advance(client, now) } else { Next::AfterChange }
            }
            Step::Send(request) => {
                let signal = Arc::clone(&client.signal);
                self.attempt = Some(client.transport.start(*request, client.attempt_timeout, signal));
                Next::AfterChange
            }
        }
    }
}

//! A session as an application holds it.

use super::Stopped;
use super::care::{Care, KeepAlive, WatchOptions};
use super::core::Core;
use super::shared::{Next, Shared};
use super::site::Site;
use super::started::{Outcome, StartedOperation};
use crate::client::runtime::{Prepared, Same, Urgency};
use crate::clock::Instant;
#[allow(unused_imports, reason = "for the documentation")]
use crate::error::ErrorKind;
use crate::error::{Error, Result};
use crate::events::{EventSource, Label};
use crate::model::Snapshot;
use crate::model::{Lease, SessionId, SessionProperties};
use crate::protocol::Operation as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// A rendering session of a [`Client`](crate::Client).
///
/// Every method may be called from any thread, several at a time. Dropping it does **not** stop the session; it ends the
/// watching and keeping alive that was asked for through this value.
#[derive(Debug)]
pub struct Session {
    site: Arc<Site>,
    shared: Arc<Shared>,
    /// Which of the session's handles this is.
    number: u64,
}

impl Clone for Session {
    /// Another handle of the same session. What was asked for through the first one ends with the first one.
    fn clone(&self) -> Session {
        Session::new(Arc::clone(&self.site), Arc::clone(&self.shared))
    }
}

impl Session {
    pub(super) fn new(site: Arc<Site>, shared: Arc<Shared>) -> Session {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        Session { site, shared, number: NUMBERS.fetch_add(1, Ordering::Relaxed) }
    }

    fn core(&self) -> &Arc<Core> {
        &self.site.core
    }

    /// The session's id.
    pub fn id(&self) -> &SessionId {
        self.shared.id()
    }

    /// What the service, or the create, said last, however long ago. Sends nothing.
    pub fn known_properties(&self) -> SessionProperties {
        self.shared.known(self.core().now())
    }

    /// The session in numbers, as it is now: what was told last, and the time since. Sends nothing, waits for nothing and
    /// allocates nothing; for every frame.
    pub fn snapshot(&self) -> Snapshot {
        self.shared.snapshot(self.core().now())
    }

    /// Reads the session's properties. `GET …/sessions/{id}/properties`
    ///
    /// Takes `timeout` at most (`None`: the configuration's call timeout).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the service does not know the session any more.
    pub fn properties(&self, timeout: Option<Duration>) -> Result<SessionProperties> {
        let deadline = self.core().deadline(timeout);
        self.core().run(self.site.properties(&self.shared, deadline), deadline)
    }

    /// The same, started. Several that are started at about the same time are one request.
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`], or [`ErrorKind::Internal`] if there is no thread to be had.
    pub fn properties_start(&self, timeout: Option<Duration>, label: Label) -> Result<StartedOperation> {
        self.prepare_properties(timeout, label)?.begun()
    }

    #[doc(hidden)]
    pub fn prepare_properties(&self, timeout: Option<Duration>, label: Label) -> Result<StartedOperation> {
        let deadline = self.core().deadline(timeout);
        let read = self.site.properties(&self.shared, deadline);
        let same = Same::Properties(self.site.number(), self.id().clone(), self.shared.epoch());
        let job = read.then(|read: Result<SessionProperties>| read.map(Outcome::Properties));
        self.prepare(label, Prepared { job: Box::new(job), deadline, same: Some(same), urgency: Urgency::Usual })
    }

    /// The same, without a request if what is known is younger than the poll interval; its
    /// [`age`](SessionProperties::age) tells how old it is. What the client itself has done since counts as a change: then
    /// the service is asked.
    ///
    /// # Errors
    /// As [`Session::properties`].
    pub fn cached_properties(&self, timeout: Option<Duration>) -> Result<SessionProperties> {
        self.core().check_alive()?;
        let now = self.core().now();
        let current = self.shared.look(|watch| watch.wait.current(now));
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
        let deadline = self.core().deadline(timeout);
        self.core().run(self.site.update(&self.shared, max_lease, deadline), deadline)
    }

    /// The same, started. It has a worker of its own: nothing holds it up.
    ///
    /// # Errors
    /// As [`Session::properties_start`]; those of the update itself are the operation's.
    pub fn update_lease_start(
        &self,
        max_lease: Lease,
        timeout: Option<Duration>,
        label: Label,
    ) -> Result<StartedOperation> {
        self.prepare_update_lease(max_lease, timeout, label)?.begun()
    }

    #[doc(hidden)]
    pub fn prepare_update_lease(
        &self,
        max_lease: Lease,
        timeout: Option<Duration>,
        label: Label,
    ) -> Result<StartedOperation> {
        let deadline = self.core().deadline(timeout);
        let update = self.site.update(&self.shared, max_lease, deadline);
        let job = update.then(|known: Result<SessionProperties>| known.map(Outcome::Properties));
        self.prepare(label, Prepared { job: Box::new(job), deadline, same: None, urgency: Urgency::Urgent })
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
        let core = self.core();
        let deadline = core.now() + timeout;
        let failures = self.shared.failures();
        loop {
            core.check_alive()?;
            let seen = core.signal.version();
            let now = core.now();
            let next = self.shared.advance(&self.site, now, failures);
            if let Next::Over(outcome) = next {
                return *outcome;
            }
            if now >= deadline {
                return Err(self.shared.not_yet(timeout));
            }
            match next {
                Next::At(moment) => core.clock.sleep(&core.signal, seen, moment.min(deadline)),
                Next::AfterChange(_) | Next::AfterToken => core.clock.wait_for_work(&core.signal, seen, deadline),
                Next::Over(_) => {}
            }
        }
    }

    /// The same, started. All who wait for one session share its requests.
    ///
    /// # Errors
    /// As [`Session::properties_start`].
    pub fn wait_until_ready_start(&self, timeout: Duration, label: Label) -> Result<StartedOperation> {
        self.prepare_wait_until_ready(timeout, label)?.begun()
    }

    #[doc(hidden)]
    pub fn prepare_wait_until_ready(&self, timeout: Duration, label: Label) -> Result<StartedOperation> {
        let deadline = self.core().now() + timeout;
        let wait = self.site.wait(&self.shared, timeout);
        let job = wait.then(|ready: Result<SessionProperties>| ready.map(Outcome::Properties));
        self.prepare(label, Prepared { job: Box::new(job), deadline, same: None, urgency: Urgency::Usual })
    }

    /// Stops the session: its server is given back and costs no more. `DELETE …/sessions/{id}`
    ///
    /// Takes `timeout` at most (`None`: the configuration's call timeout). A session that has ended already counts as
    /// stopped, with [`Stopped::already_gone`] set.
    ///
    /// # Errors
    /// Those of the network and of the credential. After one, the session may be running: stop it again.
    pub fn stop(&self, timeout: Option<Duration>) -> Result<Stopped> {
        let deadline = self.core().deadline(timeout);
        self.core().run(self.site.stop(self.id(), deadline), deadline)
    }

    /// The same, started. It has a worker of its own, and goes on when the operation is dropped or the client ends.
    ///
    /// # Errors
    /// As [`Session::properties_start`].
    pub fn stop_start(&self, timeout: Option<Duration>, label: Label) -> Result<StartedOperation> {
        self.prepare_stop(timeout, label)?.begun()
    }

    #[doc(hidden)]
    pub fn prepare_stop(&self, timeout: Option<Duration>, label: Label) -> Result<StartedOperation> {
        let deadline = self.core().deadline(timeout);
        let stop = self.site.stop(self.id(), deadline);
        let job = stop.then(|stopped: Result<Stopped>| stopped.map(Outcome::Stopped));
        self.prepare(label, Prepared { job: Box::new(job), deadline, same: None, urgency: Urgency::Stop })
    }

    fn prepare(&self, label: Label, prepared: Prepared) -> Result<StartedOperation> {
        self.core().check_alive()?;
        Ok(StartedOperation::prepare(self.core(), label, prepared))
    }

    /// Has the client watch the session: it is read at the poll intervals, its changes of status and the coming end of its
    /// lease are events with this label, and [`Session::snapshot`] stays current. All of the account's sessions that are
    /// ready are read by one list. Calling it again changes the options.
    ///
    /// The watching belongs to this value, and ends with it; another value of the same session that watches takes it over.
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`]; [`ErrorKind::Internal`] if there is no thread to be had.
    pub fn watch(&self, options: WatchOptions, label: Label) -> Result<()> {
        let core = self.core();
        core.check_alive()?;
        self.shared.told().set_label(label);
        let source: Weak<dyn EventSource> = Arc::downgrade(self.shared.told()) as Weak<dyn EventSource>;
        let (status, now) = (self.shared.numbers().status, core.now());
        self.shared.look(|watch| match &mut watch.care {
            Some(care) => {
                if care.owner != self.number {
                    // What the other handle asked for ends with its watching.
                    care.keep(None);
                }
                (care.owner, care.options) = (self.number, options);
            }
            none => {
                let mut care = Care::new(self.number, options, core.queue.register(source), status);
                if watch.wait.current(now).is_none() {
                    care.read_before_anything(watch.wait.tellings());
                }
                *none = Some(care);
            }
        });
        core.keeper.watch(&self.site, &self.shared);
        Core::wake_driver(core)
    }

    /// Ends watching and keeping alive, if this value asked for it. The session goes on.
    pub fn unwatch(&self) {
        self.shared.look(|watch| {
            if watch.care.as_ref().is_some_and(|care| care.owner == self.number) {
                watch.care = None;
            }
        });
    }

    /// Has the client extend the lease by itself whenever it runs low, up to a cap; `None` ends that. What happens is told by
    /// events. The session must be watched.
    ///
    /// It is extended only while the application shows that it is alive, as native threads outlive a hung loop, a breakpoint
    /// and a broken reload: see [`KeepAlive::liveness`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the options are out of range, or the session is not watched by this value.
    pub fn keep_alive(&self, options: Option<KeepAlive>) -> Result<()> {
        let core = self.core();
        core.check_alive()?;
        if let Some(options) = &options {
            options.check()?;
        }
        let service = &self.site.context.service;
        let options = options.map(|options| KeepAlive { cap: service.longest_lease_within(options.cap), ..options });
        self.touch();
        self.shared.look(|watch| match &mut watch.care {
            Some(care) if care.owner == self.number => {
                care.keep(options);
                Ok(())
            }
            _ => Err(Error::invalid_argument("the session is not watched by this handle; watch it first")),
        })?;
        core.keeper.something_changed();
        Core::wake_driver(core)
    }

    /// Stops a session that was just created for somebody who has gone, unless somebody else holds it.
    pub(super) fn give_back(self) {
        let core = Arc::clone(self.core());
        if !self.site.registry.owns(self.id()) || Arc::strong_count(&self.shared) > 1 {
            return;
        }
        let (id, deadline) = (self.id().clone(), core.now() + core.attempt_timeout);
        let (stop, for_end) = (self.site.stop(&id, deadline), Arc::clone(&core));
        Core::submit_chore(&core, stop, deadline, Urgency::Stop, move |outcome: Result<Stopped>| {
            if let Err(error) = outcome {
                for_end.left_running(Label::default(), &id, &error);
            }
        });
    }

    /// Shows that the application is alive: see [`KeepAlive::liveness`]. Pulling events does so too, for all sessions.
    pub fn touch(&self) {
        self.shared.told().touch(self.core().now());
        self.core().application_is_alive();
    }
}

/// The lease that leaves at least this much from now on; `None` if it stands already. The service cuts what is used to whole
/// units, so it may be up to one more than is known.
pub(super) fn lease_leaving(shared: &Shared, left: Duration, unit: Duration, now: Instant) -> Option<Duration> {
    let (numbers, left) = (shared.numbers(), left + unit);
    (numbers.remaining(now) < left).then(|| numbers.used(now) + left)
}

impl Drop for Session {
    fn drop(&mut self) {
        self.unwatch();
    }
}

//! The application's handle of a session.

use super::account::{Account, KnownSession};
use super::call::{Call, Made, Terms};
use super::calls;
use super::completion::Value;
use super::core::Core;
use super::mailbox::JoinKey;
use super::state::{KeepAlive, SessionState, WatchOptions, Watching};
#[allow(unused_imports, reason = "for the documentation")]
use crate::error::ErrorKind;
use crate::error::{Error, Result};
use crate::events::{EventSource, Label};
use crate::model::{Lease, OperationKind, SessionId, SessionProperties, Snapshot};
use crate::protocol::Stopped;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// A rendering session of a [`Client`](crate::Client).
///
/// Every method may be called from any thread, several at a time. Dropping it does **not** stop the session. It ends
/// the watching and keep-alive that were requested through this value.
#[derive(Debug)]
#[must_use = "the session costs money until it is stopped or its lease expires"]
pub struct Session {
    account: Arc<Account>,
    state: Arc<SessionState>,
    /// Distinguishes the handles of one session.
    number: u64,
}

impl Clone for Session {
    /// Another handle of the same session. Watching and keep-alive requested through the first handle still end with
    /// the first.
    fn clone(&self) -> Session {
        Session::new(Arc::clone(&self.account), Arc::clone(&self.state))
    }
}

impl From<KnownSession> for Session {
    fn from(known: KnownSession) -> Session {
        Session::new(known.account, known.state)
    }
}

impl Value for Session {
    fn session_id(&self) -> Option<SessionId> {
        Some(self.id().clone())
    }
}

impl Session {
    fn new(account: Arc<Account>, state: Arc<SessionState>) -> Session {
        static LATEST: AtomicU64 = AtomicU64::new(0);
        Session { account, state, number: LATEST.fetch_add(1, Ordering::Relaxed) + 1 }
    }

    fn core(&self) -> &Arc<Core> {
        &self.account.core
    }

    fn call<T: Value>(
        &self,
        kind: OperationKind,
        make: impl FnOnce(&Terms) -> Result<Made<T>> + Send + 'static,
    ) -> Call<T> {
        Call::new(self.core(), kind, make).of(Some(self.id().clone()))
    }

    /// The session's id.
    pub fn id(&self) -> &SessionId {
        self.state.id()
    }

    /// The cached properties: the service's last report, or the create's parameters if there is none yet. They may be
    /// of any [age](SessionProperties::age); only the used part of the lease is advanced to now, as in
    /// [`Session::snapshot`]. Sends nothing.
    pub fn known_properties(&self) -> SessionProperties {
        self.state.known(self.core().now())
    }

    pub(crate) fn read_known<T>(&self, read: impl FnOnce(&SessionProperties, &Snapshot) -> T) -> T {
        self.state.read_known(self.core().now(), read)
    }

    /// The session's JSON in the service's last reply, for members that this crate does not know. For a list, which
    /// updates watched sessions, it is the session's entry. `None` until there was such a reply; the reply to a create
    /// has none with REST v1. Exactly as received, but without a byte order mark, and with U+FFFD for bytes that are
    /// not UTF-8. Sends nothing.
    ///
    /// [`Snapshot::revision`] does not count changes of members that this crate does not know.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedReply`] if it was longer than 64 KiB and therefore not kept.
    pub fn reply(&self) -> Result<Option<Arc<str>>> {
        self.known_properties().reply.get()
    }

    /// The session's current numbers: the service's last report, advanced by the time since. Sends nothing, and neither
    /// blocks nor allocates: suitable for every frame.
    pub fn snapshot(&self) -> Snapshot {
        self.state.snapshot(self.core().now())
    }

    /// Reads the session's properties. `GET …/sessions/{id}/properties`. Calls started at about the same time share one
    /// request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the service no longer knows the session.
    pub fn properties(&self) -> Call<SessionProperties> {
        let (account, state) = (Arc::clone(&self.account), Arc::clone(&self.state));
        self.call(OperationKind::GetProperties, move |terms| {
            let join = JoinKey::Properties(account.number(), state.id().clone(), state.epoch());
            Ok(Made::new(calls::properties(&account, &state, terms.deadline)).joined(join))
        })
    }

    /// Returns the cached properties if they are younger than the poll interval, without a request; otherwise reads
    /// them. [`SessionProperties::age`] says how old they are. A change by this client makes them outdated.
    ///
    /// # Errors
    /// As for [`Session::properties`].
    pub fn cached_properties(&self) -> Call<SessionProperties> {
        let (account, state) = (Arc::clone(&self.account), Arc::clone(&self.state));
        self.call(OperationKind::GetProperties, move |terms| {
            Ok(Made::new(calls::cached_properties(&account, &state, terms.deadline)))
        })
    }

    /// Sets the total lease, counted from the moment the session became ready. It can only grow. `PATCH …/sessions/{id}`.
    /// With REST 2021-01-01 it is rounded up to a whole minute.
    ///
    /// If the cached lease is already this long, succeeds without a request. Returns the cached properties after the
    /// update, without a read: a lease that the service accepted is believed until a read shows another. A started
    /// update does not queue behind other calls.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the lease is shorter than the cached one; [`ErrorKind::BadRequest`] (REST v1)
    /// or [`ErrorKind::Conflict`] (2021-01-01) if it is not longer than the service's; [`ErrorKind::SessionEnded`] or
    /// [`ErrorKind::Conflict`] if the session has ended.
    pub fn update_lease(&self, max_lease: Lease) -> Call<SessionProperties> {
        let (account, state) = (Arc::clone(&self.account), Arc::clone(&self.state));
        self.call(OperationKind::UpdateLease, move |terms| {
            Ok(Made::new(calls::update_lease(&account, &state, max_lease, terms.deadline)))
        })
    }

    /// Waits until the session is ready, polling its properties at the poll interval. Without a
    /// [`timeout`](Call::timeout) it waits without limit.
    ///
    /// May be run in short slices, to show progress or to stay responsive. The schedule, and a request in flight,
    /// belong to the session and outlive a slice, so slices send no extra requests. A timeout of zero starts a request
    /// that is due and returns immediately. A transient failure (no connection, throttling, a 5xx) does not end the
    /// wait.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] when the time limit is reached; then [`Session::known_properties`] has the session's
    /// status. [`ErrorKind::SessionFailed`] or [`ErrorKind::SessionEnded`] if it will never be ready.
    pub fn wait_until_ready(&self) -> Call<SessionProperties> {
        let (account, state) = (Arc::clone(&self.account), Arc::clone(&self.state));
        let call = self.call(OperationKind::WaitUntilReady, move |terms| {
            Ok(Made::new(calls::wait_until_ready(&account, &state, terms.timeout)))
        });
        call.unlimited()
    }

    /// Stops the session, which releases its server and ends its cost. `DELETE …/sessions/{id}`
    ///
    /// A session that has already ended counts as stopped, with [`Stopped::already_gone`] set. A started stop does not
    /// queue behind other calls, and continues when the operation is dropped or the client ends.
    ///
    /// # Errors
    /// If the call fails, the session may still be running: stop it again.
    pub fn stop(&self) -> Call<Stopped> {
        let (account, id) = (Arc::clone(&self.account), self.id().clone());
        self.call(OperationKind::Stop, move |terms| Ok(Made::new(calls::stop(&account, &id, terms.deadline))))
    }

    /// Leaves the session running on purpose: no later run mistakes it for one that a crash left behind. The journal
    /// keeps it, so that [`Client::recover_session`](crate::Client::recover_session) can take it over.
    /// [`StopScope::Own`](crate::StopScope::Own) of this client still includes it. Waits for the disk. Does nothing
    /// without a journal, or for a session that this client has not created or recovered.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] if the journal cannot be written.
    pub fn release(&self) -> Result<()> {
        let journal = self.core().journal.as_ref();
        journal.map_or(Ok(()), |journal| journal.released(&self.account.context.service, self.id()))
    }

    /// Watches the session: it is polled at the poll intervals, and [`Session::snapshot`] stays current. Events with
    /// this label report status changes, the approaching end of the lease, reads that keep failing, and a session that
    /// does not become ready. All ready sessions of the account are polled by one list request. Calling this again
    /// changes the options.
    ///
    /// Watching belongs to this value and ends with it. If another value of the same session starts watching, it takes
    /// over.
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`]; [`ErrorKind::OutOfResources`] if no thread can be started. Then the session is not
    /// watched, and will not be stopped on shutdown.
    pub fn watch(&self, options: WatchOptions, label: u64) -> Result<()> {
        self.watch_labelled(options, label.into())
    }

    /// Watches with a label that contains a handle of the C ABI.
    pub(crate) fn watch_labelled(&self, options: WatchOptions, label: Label) -> Result<()> {
        let core = self.core();
        core.check_alive()?;
        // First, because a stop on shutdown must not be promised if no thread can keep the promise.
        core.wake_driver()?;
        let published = self.state.published();
        published.set_label(label);
        let source: Weak<dyn EventSource> = Arc::downgrade(published) as Weak<dyn EventSource>;
        let (status, now) = (self.state.numbers().status, core.now());
        self.state.look(|known| match &mut known.watching {
            Some(watching) => {
                if watching.owner != self.number {
                    // Keep-alive that the other handle requested ends with its watching.
                    watching.keep(None);
                }
                (watching.owner, watching.options) = (self.number, options);
            }
            none => {
                let place = core.events.register(source);
                let mut watching = Watching::new(self.number, options, place, status, known.failures);
                if !known.readiness.is_current(now) {
                    watching.read_before_anything(known.readiness.updates());
                }
                *none = Some(watching);
            }
        });
        self.account.watch(&self.state);
        // If the client began to end meanwhile, it may have missed this request.
        core.check_alive()?;
        core.wake_driver()
    }

    /// Ends watching and keep-alive, if they were requested through this value. The session continues.
    pub fn unwatch(&self) {
        if self.core().is_inherited() {
            return;
        }
        self.state.look(|known| {
            if known.watching.as_ref().is_some_and(|watching| watching.owner == self.number) {
                known.watching = None;
            }
        });
        self.state.look_again();
    }

    /// Extends the lease automatically when it runs low, up to a cap; `None` turns that off. Events report extensions
    /// and failures. The session must be watched.
    ///
    /// After each extension the session is read: the lease counts as extended only if it has grown. Extensions are at
    /// least the [`ready_poll_interval`](crate::ClientConfig::ready_poll_interval) apart, or a minute if that is less,
    /// and ask for enough to last until the next one.
    ///
    /// The lease is extended only while the application shows that it is alive, because the library's threads keep
    /// running when the application hangs, stops at a breakpoint or fails to reload: see [`KeepAlive::liveness`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if an option is out of range, or this value does not watch the session.
    pub fn keep_alive(&self, options: Option<KeepAlive>) -> Result<()> {
        let core = self.core();
        core.check_alive()?;
        if let Some(options) = &options {
            options.check()?;
        }
        let service = &self.account.context.service;
        let options = options.map(|options| KeepAlive {
            cap: service.longest_lease_within(options.cap),
            // Almost a unit more may be used than reported; another is left for the request.
            threshold: options.threshold.max(2 * service.lease_unit()),
            ..options
        });
        self.touch();
        if options.is_some_and(|options| options.liveness.is_some()) {
            core.events.watch_pulls();
        }
        self.state.look(|known| match &mut known.watching {
            Some(watching) if watching.owner == self.number => {
                watching.keep(options);
                Ok(())
            }
            _ => Err(Error::invalid_argument("the session is not watched by this handle; watch it first")),
        })?;
        self.state.look_again();
        core.wake_driver()
    }

    /// Shows that the application is alive: see [`KeepAlive::liveness`]. Pulling events does the same, for all
    /// sessions.
    pub fn touch(&self) {
        if self.core().is_inherited() {
            return;
        }
        self.state.published().touch(self.core().now());
        self.core().application_is_alive();
    }

    /// Leaves recovered sessions behind again if all callers have gone.
    pub(super) fn leave_behind<'a>(sessions: impl Iterator<Item = &'a Session>) {
        let mut left = Vec::new();
        let mut core = None;
        for Session { account, state, .. } in sessions {
            account.registry.gave_up(state.id());
            left.push((Arc::clone(&account.context.service), state.id().clone()));
            core = Some(&account.core);
        }
        if let Some(core) = core {
            core.note(move |journal| journal.leave_sessions_behind(&left));
        }
    }

    /// Stops a session that was just created if all callers have gone and no other handle exists.
    pub(super) fn give_back(&self) {
        calls::give_back(&self.account, &self.state).into_iter().for_each(|chore| self.core().start(chore));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.core().is_inherited() {
            std::mem::forget((Arc::clone(&self.account), Arc::clone(&self.state)));
        }
        self.unwatch();
    }
}

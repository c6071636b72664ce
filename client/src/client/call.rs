//! A call that can be run or started.

use super::completion::{About, AnyOutcome, Brought, Value};
use super::core::Core;
use super::interpreter;
use super::mailbox::{JoinKey, Prepared};
use super::operation::StartedOperation;
use crate::clock::Instant;
#[allow(unused_imports, reason = "for the documentation")]
use crate::error::ErrorKind;
use crate::error::{Error, Result};
use crate::events::Label;
use crate::model::{OperationKind, SessionId};
use crate::protocol::{Operation, Step, out_of_time};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A call of a client or a session. [`run`](Call::run) executes it on this thread, [`start`](Call::start) in the
/// background. Nothing is sent before that.
///
/// ```no_run
/// # fn example(client: &arr_client::Client) -> arr_client::Result<()> {
/// use std::time::Duration;
/// let sessions = client.list_sessions().timeout(Duration::from_secs(5)).run()?;
/// let operation = client.list_sessions().label(7).start()?; // its end is an event with this label
/// # Ok(())
/// # }
/// ```
#[must_use = "a call does nothing until it is run or started"]
pub struct Call<T> {
    core: Arc<Core>,
    timeout: Option<Duration>,
    label: Label,
    about: About,
    make: Make<T>,
    /// Converts the result to the outcome of an operation.
    brought: fn(T, fn(&T)) -> AnyOutcome,
    unclaimed: fn(&T),
    /// Without a timeout it has no limit, rather than the client's call timeout. Its timeouts are expected, so failures
    /// are not logged.
    unlimited: bool,
}

/// Creates the operation of a call.
type Make<T> = Box<dyn FnOnce(&Terms) -> Result<Made<T>> + Send>;

/// The conditions that a call runs under.
pub(super) struct Terms {
    pub(super) deadline: Instant,
    pub(super) timeout: Duration,
    /// The label, if the call is started.
    pub(super) label: Option<Label>,
}

/// The operation of a call, and the key for joining it with others.
pub(super) struct Made<T> {
    operation: Box<dyn Operation<Outcome = Result<T>> + Send>,
    join: Option<JoinKey>,
    /// The session that it concerns, if the library chose the id.
    session: Option<SessionId>,
}

impl<T> Made<T> {
    pub(super) fn new(operation: impl Operation<Outcome = Result<T>> + Send + 'static) -> Made<T> {
        Made { operation: Box::new(operation), join: None, session: None }
    }

    /// Sets the session that it concerns, if the caller did not name one.
    pub(super) fn of(self, session: Option<SessionId>) -> Made<T> {
        Made { session, ..self }
    }

    /// Allows joining it with other operations of this key.
    pub(super) fn joined(self, key: JoinKey) -> Made<T> {
        Made { join: Some(key), ..self }
    }
}

impl<T> Call<T> {
    pub(super) fn new(
        core: &Arc<Core>,
        kind: OperationKind,
        make: impl FnOnce(&Terms) -> Result<Made<T>> + Send + 'static,
    ) -> Call<T>
    where
        T: Value,
    {
        Call {
            core: Arc::clone(core),
            timeout: None,
            label: Label::default(),
            about: About { kind, session: None },
            make: Box::new(make),
            brought: |value, unclaimed| Arc::new(Brought { value, unclaimed }),
            unclaimed: |_| (),
            unlimited: false,
        }
    }

    /// Sets the session that it concerns.
    pub(super) fn of(self, session: Option<SessionId>) -> Call<T> {
        Call { about: About { session, ..self.about }, ..self }
    }

    /// Sets the cleanup of an outcome that no caller takes.
    pub(super) fn unclaimed(self, give_back: fn(&T)) -> Call<T> {
        Call { unclaimed: give_back, ..self }
    }

    /// Without an explicit timeout it has no limit, and a timeout is not logged.
    pub(super) fn unlimited(self) -> Call<T> {
        Call { unlimited: true, ..self }
    }

    /// The time limit. The default is the client's [`call_timeout`](crate::ClientConfig::call_timeout), unless the
    /// method states otherwise. With a limit of zero [`run`](Call::run) sends nothing: it succeeds if it needs no
    /// request, and fails with [`ErrorKind::Timeout`] otherwise. [`start`](Call::start) refuses zero.
    ///
    /// A call can exceed its limit in two cases:
    ///
    /// * Calls that use the journal wait for the disk without a limit. [`run`](Call::run) waits on this thread; a
    ///   started operation waits in the background and can be cancelled.
    /// * If the process was stopped when the time ran out, for example by a debugger, the call continues for as long as
    ///   it was late, at most 2 s. A create that was not sent before may be sent then.
    pub fn timeout(self, timeout: Duration) -> Call<T> {
        Call { timeout: Some(timeout), ..self }
    }

    /// A number of your choice that identifies the operation's events, if the call is started.
    pub fn label(self, label: u64) -> Call<T> {
        self.labelled(label.into())
    }

    /// Sets a label that contains a handle of the C ABI.
    pub(crate) fn labelled(self, label: Label) -> Call<T> {
        Call { label, ..self }
    }

    fn terms(&self, label: Option<Label>) -> Terms {
        let default = if self.unlimited { Duration::MAX } else { self.core.call_timeout };
        let timeout = self.timeout.unwrap_or(default);
        Terms { deadline: self.core.now() + timeout, timeout, label }
    }

    /// Runs the call on this thread and returns its result.
    ///
    /// # Errors
    /// Those listed by the method that made the call; [`ErrorKind::Timeout`] when the time limit is reached; network
    /// and credential errors; [`ErrorKind::ShutDown`] after the client has ended.
    pub fn run(self) -> Result<T> {
        self.core.check_alive()?;
        let terms = self.terms(None);
        let mut operation = (self.make)(&terms)?.operation;
        if self.unlimited {
            interpreter::run_silently(&self.core, operation, terms.deadline)
        } else if terms.timeout.is_zero() {
            match operation.step(self.core.now(), None) {
                Step::Done(outcome) => outcome,
                _ => Err(operation.fail(out_of_time())),
            }
        } else {
            interpreter::run(&self.core, operation, terms.deadline)
        }
    }
}

impl<T: Clone + Send + Sync + 'static> Call<T> {
    /// Starts the call in the background. Its completion is an event of the client; dropping the operation cancels it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for invalid arguments and for a time limit of zero; [`ErrorKind::ShutDown`] after
    /// the client has ended; [`ErrorKind::OutOfResources`] if no thread can be started. All other errors are the
    /// operation's outcome.
    pub fn start(self) -> Result<StartedOperation<T>> {
        let operation = self.prepare()?;
        operation.begin()?;
        Ok(operation)
    }

    /// Prepares an operation without starting it; [`StartedOperation::begin`] starts it. So an application can store
    /// the operation where its event handlers find it, before any event can arrive.
    ///
    /// # Errors
    /// As [`Call::start`].
    pub fn prepare(self) -> Result<StartedOperation<T>> {
        self.core.check_process()?;
        if self.timeout == Some(Duration::ZERO) {
            return Err(Error::invalid_argument("the timeout of a started call is 0; give at least 1 ms"));
        }
        let terms = self.terms(Some(self.label));
        let Made { operation, join, session } = (self.make)(&terms)?;
        self.core.check_alive()?;
        let Call { brought, unclaimed, about: About { kind, session: named }, .. } = self;
        let about = About { kind, session: named.or(session) };
        let operation = operation.then(move |outcome: Result<T>| outcome.map(|value| brought(value, unclaimed)));
        let prepared = Prepared { operation: Box::new(operation), deadline: terms.deadline, join };
        Ok(StartedOperation::prepare(&self.core, self.label, about, prepared))
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("timeout", &self.timeout).field("label", &self.label).finish_non_exhaustive()
    }
}

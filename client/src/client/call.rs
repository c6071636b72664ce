//! A call of the library that can be run or started.

use super::completion::{AnyOutcome, Brought, Value};
use super::core::Core;
use super::interpreter;
use super::mailbox::{JoinKey, Prepared};
use super::operation::StartedOperation;
use crate::clock::Instant;
#[allow(unused_imports, reason = "for the documentation")]
use crate::error::ErrorKind;
use crate::error::Result;
use crate::events::Label;
use crate::protocol::Operation;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// An action of a client or a session. [`run`](Call::run) executes it on this thread; [`start`](Call::start) executes
/// it in the background. Nothing is sent before.
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
    make: Make<T>,
    /// Converts the result to the outcome of an operation.
    brought: fn(T, fn(&T)) -> AnyOutcome,
    unclaimed: fn(&T),
    /// Without a timeout it has no limit, rather than the client's call timeout. Callers expect timeouts, so failures are
    /// not logged.
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
}

impl<T> Made<T> {
    pub(super) fn new(operation: impl Operation<Outcome = Result<T>> + Send + 'static) -> Made<T> {
        Made { operation: Box::new(operation), join: None }
    }

    /// Allows joining it with other operations of this key.
    pub(super) fn joined(self, key: JoinKey) -> Made<T> {
        Made { join: Some(key), ..self }
    }
}

impl<T> Call<T> {
    pub(super) fn new(core: &Arc<Core>, make: impl FnOnce(&Terms) -> Result<Made<T>> + Send + 'static) -> Call<T>
    where
        T: Value,
    {
        Call {
            core: Arc::clone(core),
            timeout: None,
            label: Label::default(),
            make: Box::new(make),
            brought: |value, unclaimed| Arc::new(Brought { value, unclaimed }),
            unclaimed: |_| (),
            unlimited: false,
        }
    }

    /// Sets what happens to an outcome that no caller takes.
    pub(super) fn unclaimed(self, give_back: fn(&T)) -> Call<T> {
        Call { unclaimed: give_back, ..self }
    }

    /// Without an explicit timeout it has no limit, and a timeout is not logged.
    pub(super) fn unlimited(self) -> Call<T> {
        Call { unlimited: true, ..self }
    }

    /// The time limit. The default is the client's [`call_timeout`](crate::ClientConfig::call_timeout), unless the
    /// method states otherwise.
    pub fn timeout(self, timeout: Duration) -> Call<T> {
        Call { timeout: Some(timeout), ..self }
    }

    /// A number of your choice that identifies the operation's events, if the call is started.
    pub fn label(self, label: u64) -> Call<T> {
        self.labelled(label.into())
    }

    /// Sets a label with a handle of the C ABI.
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
    /// Those of the call, as its method lists them; [`ErrorKind::Timeout`] when the time limit is reached; network and
    /// credential errors; [`ErrorKind::ShutDown`] after the client has ended.
    pub fn run(self) -> Result<T> {
        let terms = self.terms(None);
        self.core.check_alive()?;
        let operation = (self.make)(&terms)?.operation;
        if self.unlimited {
            interpreter::run_silently(&self.core, operation, terms.deadline)
        } else {
            interpreter::run(&self.core, operation, terms.deadline)
        }
    }
}

impl<T: Clone + Send + Sync + 'static> Call<T> {
    /// Starts the call in the background. Its completion is an event of the client; dropping the operation cancels it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] as for the call; [`ErrorKind::ShutDown`] after the client has ended;
    /// [`ErrorKind::Internal`] if no thread can be started. All other errors are the operation's outcome.
    pub fn start(self) -> Result<StartedOperation<T>> {
        let operation = self.prepare()?;
        operation.begin()?;
        Ok(operation)
    }

    /// Prepares an operation without starting it; [`StartedOperation::begin`] does that. An application can so store
    /// the operation where its event handlers find it before the first event can arrive.
    ///
    /// # Errors
    /// As [`Call::start`].
    pub fn prepare(self) -> Result<StartedOperation<T>> {
        let terms = self.terms(Some(self.label));
        let Made { operation, join } = (self.make)(&terms)?;
        self.core.check_alive()?;
        let Call { brought, unclaimed, .. } = self;
        let operation = operation.then(move |outcome: Result<T>| outcome.map(|value| brought(value, unclaimed)));
        let prepared = Prepared { operation: Box::new(operation), deadline: terms.deadline, join };
        Ok(StartedOperation::prepare(&self.core, self.label, prepared))
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("timeout", &self.timeout).field("label", &self.label).finish_non_exhaustive()
    }
}

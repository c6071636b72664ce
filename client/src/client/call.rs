//! A call of the library before it is run or started.

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

/// Something that a client or a session can do. [`run`](Call::run) does it on this thread and waits; [`start`](Call::start)
/// does it in the background. Nothing is sent before.
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
    /// Makes the outcome of what it brings.
    brought: fn(T, fn(&T)) -> AnyOutcome,
    unclaimed: fn(&T),
    /// Without a timeout it has no limit, instead of the client's call timeout.
    unlimited: bool,
    /// A failure is an answer that callers expect often: it is not logged.
    silent: bool,
}

/// Makes the operation of a call.
type Make<T> = Box<dyn FnOnce(&Terms) -> Result<Made<T>> + Send>;

/// How a call is run.
pub(super) struct Terms {
    pub(super) deadline: Instant,
    pub(super) timeout: Duration,
    /// The label, if it is started.
    pub(super) label: Option<Label>,
}

/// The operation of a call, and what it may be joined with.
pub(super) struct Made<T> {
    operation: Box<dyn Operation<Outcome = Result<T>> + Send>,
    join: Option<JoinKey>,
}

impl<T> Made<T> {
    pub(super) fn new(operation: impl Operation<Outcome = Result<T>> + Send + 'static) -> Made<T> {
        Made { operation: Box::new(operation), join: None }
    }

    /// The same, if it may be joined with others of this key.
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
            silent: false,
        }
    }

    /// What becomes of an outcome that no caller takes.
    pub(super) fn unclaimed(self, give_back: fn(&T)) -> Call<T> {
        Call { unclaimed: give_back, ..self }
    }

    /// It has no limit unless it is given one, and running out of time is nothing to log.
    pub(super) fn unlimited(self) -> Call<T> {
        Call { unlimited: true, silent: true, ..self }
    }

    /// The most that it may take. The default is the client's [`call_timeout`](crate::ClientConfig::call_timeout), unless the
    /// method says otherwise.
    pub fn timeout(self, timeout: Duration) -> Call<T> {
        Call { timeout: Some(timeout), ..self }
    }

    /// A number of your own by which the events of the operation are recognised, if it is started.
    pub fn label(self, label: u64) -> Call<T> {
        self.labelled(label.into())
    }

    /// The same with a handle of the C ABI.
    pub(crate) fn labelled(self, label: Label) -> Call<T> {
        Call { label, ..self }
    }

    fn terms(&self, label: Option<Label>) -> Terms {
        let default = if self.unlimited { Duration::MAX } else { self.core.call_timeout };
        let timeout = self.timeout.unwrap_or(default);
        Terms { deadline: self.core.now() + timeout, timeout, label }
    }

    /// Runs it on this thread and waits for its end.
    ///
    /// # Errors
    /// Those of the call, as its method lists them; [`ErrorKind::Timeout`] when its time is over; those of the network and of
    /// the credential; [`ErrorKind::ShutDown`] after the end of the client.
    pub fn run(self) -> Result<T> {
        let terms = self.terms(None);
        self.core.check_alive()?;
        let operation = (self.make)(&terms)?.operation;
        if self.silent {
            interpreter::run_silently(&self.core, operation, terms.deadline)
        } else {
            interpreter::run(&self.core, operation, terms.deadline)
        }
    }
}

impl<T: Clone + Send + Sync + 'static> Call<T> {
    /// Starts it in the background. Its end is an event of the client; dropping the operation cancels it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] as the call; [`ErrorKind::ShutDown`] after the end of the client;
    /// [`ErrorKind::Internal`] if no thread can be started. All others are the operation's.
    pub fn start(self) -> Result<StartedOperation<T>> {
        let operation = self.prepare()?;
        operation.begin()?;
        Ok(operation)
    }

    /// The same without letting it run: [`StartedOperation::begin`] does. So an application can keep the operation where its
    /// event handlers look for it before its first event can come.
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

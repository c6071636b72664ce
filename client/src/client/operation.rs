//! Operations that were started: what an application holds while the driver runs them.

use super::completion::{Brought, Completion, OperationState};
use super::core::Core;
use super::mailbox::Prepared;
use crate::clock::lock;
#[allow(unused_imports, reason = "for the documentation")]
use crate::error::ErrorKind;
use crate::error::{Error, Result};
use crate::events::Label;
use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// An operation that was started and runs in the background. It can be polled, waited for and cancelled from any thread.
///
/// Its end is also an [`Event`](crate::Event) of its client. Dropping it cancels it, except for a stop, which goes on.
#[must_use = "dropping it cancels the operation"]
pub struct StartedOperation<T> {
    core: Arc<Core>,
    completion: Arc<Completion>,
    prepared: Mutex<Option<Prepared>>,
    outcome: PhantomData<fn() -> T>,
}

impl<T: Clone + Send + Sync + 'static> StartedOperation<T> {
    pub(super) fn prepare(core: &Arc<Core>, label: Label, prepared: Prepared) -> StartedOperation<T> {
        let completion = Completion::new(&core.events, label);
        let prepared = Mutex::new(Some(prepared));
        StartedOperation { core: Arc::clone(core), completion, prepared, outcome: PhantomData }
    }

    /// The outcome, or the error by which it has ended; as often as you like.
    ///
    /// # Errors
    /// [`ErrorKind::Pending`] while it runs, [`ErrorKind::Cancelled`] if it was cancelled, else its own.
    pub fn outcome(&self) -> Result<T> {
        let outcome: Arc<dyn Any + Send + Sync> = self.completion.outcome()?;
        outcome.downcast::<Brought<T>>().map(|brought| brought.value.clone()).map_err(|_| {
            Error::new(ErrorKind::Internal, "the operation brought something else than it was started for")
        })
    }

    /// Lets a prepared operation run: see [`Call::prepare`](crate::Call::prepare). Does nothing if it runs already.
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`], or [`ErrorKind::Internal`] if no thread can be started.
    pub fn begin(&self) -> Result<()> {
        let prepared = lock(&self.prepared).take();
        prepared.map_or(Ok(()), |prepared| self.core.submit(prepared, &self.completion))
    }

    /// How far it is. Neither waits nor allocates.
    pub fn state(&self) -> OperationState {
        self.completion.state()
    }

    /// Waits until it has ended, up to `timeout`, and returns how far it is then.
    pub fn wait(&self, timeout: Duration) -> OperationState {
        let (clock, ended) = (&self.core.clock, &self.completion.ended);
        let deadline = clock.now() + timeout;
        loop {
            let seen = ended.version();
            let state = self.state();
            if state != OperationState::Running || clock.now() >= deadline {
                return state;
            }
            clock.wait_for_work(ended, seen, deadline);
        }
    }
}

impl<T> StartedOperation<T> {
    /// Ends it at once, for its caller: a request on the wire is finished and its answer dropped, but a session whose id comes
    /// back to a cancelled create is stopped. One that has ended already stays as it is.
    pub fn cancel(&self) {
        if self.completion.cancel() {
            self.core.cancelled(&self.completion);
        }
    }
}

/// A started operation, whatever it brings: for an application that keeps operations of several kinds.
pub trait AnyOperation: Release + fmt::Debug + Send + Sync {
    /// How far it is. Neither waits nor allocates.
    fn state(&self) -> OperationState;

    /// Waits until it has ended, up to `timeout`, and returns how far it is then.
    fn wait(&self, timeout: Duration) -> OperationState;

    /// Ends it at once: see [`StartedOperation::cancel`].
    fn cancel(&self);

    /// Whether it has succeeded.
    ///
    /// # Errors
    /// As [`StartedOperation::outcome`].
    fn succeeded(&self) -> Result<()>;

    /// Lets a prepared operation run: see [`StartedOperation::begin`].
    ///
    /// # Errors
    /// As [`StartedOperation::begin`].
    fn begin(&self) -> Result<()>;
}

/// What only the C ABI does with an operation.
pub trait Release {
    /// Does what dropping the operation does, also while another thread holds it.
    fn release(&self);
}

impl<T: Clone + Send + Sync + 'static> AnyOperation for StartedOperation<T> {
    fn state(&self) -> OperationState {
        StartedOperation::state(self)
    }

    fn wait(&self, timeout: Duration) -> OperationState {
        StartedOperation::wait(self, timeout)
    }

    fn cancel(&self) {
        StartedOperation::cancel(self);
    }

    fn succeeded(&self) -> Result<()> {
        self.completion.outcome().map(drop)
    }

    fn begin(&self) -> Result<()> {
        StartedOperation::begin(self)
    }
}

impl<T> Release for StartedOperation<T> {
    fn release(&self) {
        // Before: neither this nor an end that comes at the same moment is reported.
        self.completion.place.close();
        // One that was never begun has ended nowhere.
        let begun = lock(&self.prepared).is_none();
        if begun && !self.completion.goes_on.load(Ordering::Acquire) {
            self.cancel();
        }
    }
}

impl<T> Drop for StartedOperation<T> {
    fn drop(&mut self) {
        self.release();
    }
}

impl<T> fmt::Debug for StartedOperation<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartedOperation").field("completion", &self.completion).finish_non_exhaustive()
    }
}

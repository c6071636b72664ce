//! Started operations: the application's handles of operations in the driver.

use super::completion::{About, Brought, Completion, OperationState};
use super::core::Core;
use super::mailbox::Prepared;
use crate::clock::lock;
#[allow(unused_imports, reason = "for the documentation")]
use crate::error::ErrorKind;
use crate::error::{Error, Result};
use crate::events::Label;
use crate::model::OperationKind;
use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A started operation, which runs in the background. It can be polled, waited for and cancelled from any thread.
///
/// Its completion is also an [`Event`](crate::Event) of its client. Dropping this cancels the operation, except for a
/// stop, which continues.
#[must_use = "dropping it cancels the operation"]
pub struct StartedOperation<T> {
    core: Arc<Core>,
    completion: Arc<Completion>,
    prepared: Mutex<Option<Prepared>>,
    outcome: PhantomData<fn() -> T>,
}

impl<T: Clone + Send + Sync + 'static> StartedOperation<T> {
    pub(super) fn prepare(core: &Arc<Core>, label: Label, about: About, prepared: Prepared) -> StartedOperation<T> {
        let completion = Completion::new(&core.events, label, about);
        let prepared = Mutex::new(Some(prepared));
        StartedOperation { core: Arc::clone(core), completion, prepared, outcome: PhantomData }
    }

    /// The outcome, or the error that the operation ended with. May be called repeatedly.
    ///
    /// # Errors
    /// [`ErrorKind::Pending`] while it runs, [`ErrorKind::Cancelled`] if it was cancelled, otherwise its own.
    pub fn outcome(&self) -> Result<T> {
        let outcome: Arc<dyn Any + Send + Sync> = self.completion.outcome()?;
        outcome.downcast::<Brought<T>>().map(|brought| brought.value.clone()).map_err(|_| {
            Error::new(ErrorKind::Internal, "the operation's result has the wrong type; please report this")
        })
    }

    /// Starts a prepared operation: see [`Call::prepare`](crate::Call::prepare). Does nothing if it is already running.
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`], or [`ErrorKind::OutOfResources`] if no thread can be started.
    pub fn begin(&self) -> Result<()> {
        self.core.check_process()?;
        let prepared = lock(&self.prepared).take();
        prepared.map_or(Ok(()), |prepared| self.core.submit(prepared, &self.completion))
    }

    /// The call that started it.
    pub fn kind(&self) -> OperationKind {
        self.completion.about.kind
    }

    /// The operation's state. Does not block or allocate.
    pub fn state(&self) -> OperationState {
        self.completion.state()
    }

    /// Waits up to `timeout` until it completes, and returns its state.
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
    /// Ends the operation for its caller immediately. A request in flight still completes, and its reply is discarded;
    /// if a create gets a session id, that session is stopped. Has no effect on a completed operation.
    pub fn cancel(&self) {
        if !self.core.is_inherited() && self.completion.cancel() {
            self.core.cancelled(&self.completion);
        }
    }
}

/// A started operation with any result type, for an application that stores operations of several kinds.
pub trait AnyOperation: Release + fmt::Debug + Send + Sync {
    /// The call that started it.
    fn kind(&self) -> OperationKind;

    /// The operation's state. Does not block or allocate.
    fn state(&self) -> OperationState;

    /// Waits up to `timeout` until it completes, and returns its state.
    fn wait(&self, timeout: Duration) -> OperationState;

    /// Cancels it: see [`StartedOperation::cancel`].
    fn cancel(&self);

    /// `Ok` if it has succeeded.
    ///
    /// # Errors
    /// As for [`StartedOperation::outcome`].
    fn succeeded(&self) -> Result<()>;

    /// Starts a prepared operation: see [`StartedOperation::begin`].
    ///
    /// # Errors
    /// As for [`StartedOperation::begin`].
    fn begin(&self) -> Result<()>;
}

/// For the C ABI only.
pub trait Release {
    /// The effect of dropping the operation, also while another thread holds it.
    fn release(&self);
}

impl<T: Clone + Send + Sync + 'static> AnyOperation for StartedOperation<T> {
    fn kind(&self) -> OperationKind {
        StartedOperation::kind(self)
    }

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
        // First, so that neither the cancellation nor a simultaneous completion is reported.
        self.completion.place.close();
        // The driver does not know an operation that was never begun.
        let begun = lock(&self.prepared).is_none();
        if begun && !self.completion.goes_on.load(Ordering::Acquire) {
            self.cancel();
        }
    }
}

impl<T> Drop for StartedOperation<T> {
    fn drop(&mut self) {
        if self.core.is_inherited() {
            std::mem::forget((Arc::clone(&self.core), Arc::clone(&self.completion)));
            return;
        }
        self.release();
    }
}

impl<T> fmt::Debug for StartedOperation<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartedOperation").field("completion", &self.completion).finish_non_exhaustive()
    }
}

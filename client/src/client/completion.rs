//! The completion of a started operation, shared by its owner and the driver.

use crate::clock::{Signal, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::events::{Event, EventKind, EventSlot, EventSource, Label, Queue};
use crate::model::{OperationKind, SessionId};
use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

/// The state of a started operation. It reaches exactly one final state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum OperationState {
    /// It has not completed.
    Running = 0,
    /// It has succeeded; its outcome can be taken.
    Succeeded = 1,
    /// It has failed; its outcome is the error.
    Failed = 2,
    /// It was cancelled, or its client ended.
    Cancelled = 3,
}

impl OperationState {
    fn of(number: u8) -> OperationState {
        match number {
            0 => OperationState::Running,
            1 => OperationState::Succeeded,
            2 => OperationState::Failed,
            _ => OperationState::Cancelled,
        }
    }
}

/// The type-erased result of a successful operation.
pub(super) trait Outcome: Any + Send + Sync {
    /// The session concerned.
    fn session_id(&self) -> Option<SessionId> {
        None
    }

    /// Called if every caller had cancelled the operation by the time it completed.
    fn unclaimed(&self) {}
}

pub(super) type AnyOutcome = Arc<dyn Outcome>;

impl Outcome for () {}

/// The outcome of an operation whose callers get a `T`.
pub(super) struct Brought<T> {
    pub(super) value: T,
    /// Called if every caller has gone.
    pub(super) unclaimed: fn(&T),
}

/// The result of an operation, as callers get it.
pub(super) trait Value: Any + Clone + Send + Sync {
    /// The session concerned.
    fn session_id(&self) -> Option<SessionId> {
        None
    }
}

impl<T: Value> Outcome for Brought<T> {
    fn session_id(&self) -> Option<SessionId> {
        self.value.session_id()
    }

    fn unclaimed(&self) {
        (self.unclaimed)(&self.value);
    }
}

/// What an operation was started for.
#[derive(Clone)]
pub(super) struct About {
    pub(super) kind: OperationKind,
    /// The session concerned, if known beforehand.
    pub(super) session: Option<SessionId>,
}

/// The completion of an operation, shared by its owner and the driver.
pub(super) struct Completion {
    state: AtomicU8,
    outcome: Mutex<Option<Result<AnyOutcome>>>,
    pub(super) ended: Signal,
    label: Label,
    pub(super) about: About,
    pub(super) place: EventSlot,
    /// It continues when its owner has gone.
    pub(super) goes_on: AtomicBool,
    /// The number of its task.
    pub(super) task: AtomicU64,
}

impl Completion {
    pub(super) fn new(queue: &Arc<Queue>, label: Label, about: About) -> Arc<Completion> {
        Arc::new_cyclic(|this: &Weak<Completion>| {
            let source: Weak<dyn EventSource> = this.clone();
            Completion {
                state: AtomicU8::new(OperationState::Running as u8),
                outcome: Mutex::new(None),
                ended: Signal::default(),
                label,
                about,
                place: queue.register(source),
                goes_on: false.into(),
                task: 0.into(),
            }
        })
    }

    pub(super) fn state(&self) -> OperationState {
        OperationState::of(self.state.load(Ordering::Acquire))
    }

    pub(super) fn is_running(&self) -> bool {
        self.state() == OperationState::Running
    }

    pub(super) fn outcome(&self) -> Result<AnyOutcome> {
        let outcome = lock(&self.outcome).clone();
        outcome.unwrap_or_else(|| {
            Err(Error::new(ErrorKind::Pending, "the operation has not ended yet; poll it, wait for it or pull events"))
        })
    }

    /// Completes the operation unless it is already complete. Returns whether this call completed it.
    pub(super) fn finish(&self, outcome: Result<AnyOutcome>) -> bool {
        let state = match &outcome {
            Ok(_) => OperationState::Succeeded,
            Err(error) if error.kind() == ErrorKind::Cancelled => OperationState::Cancelled,
            Err(_) => OperationState::Failed,
        };
        let mut place = lock(&self.outcome);
        if place.is_some() {
            return false;
        }
        *place = Some(outcome);
        self.state.store(state as u8, Ordering::Release);
        drop(place);
        self.place.post(EventKind::OperationEnded);
        self.ended.notify();
        true
    }

    pub(super) fn cancel(&self) -> bool {
        self.finish(Err(cancelled()))
    }
}

/// The error of a cancelled operation.
pub(super) fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the operation was cancelled before it ended")
}

impl EventSource for Completion {
    fn fill(&self, event: &mut Event) {
        event.label = self.label;
        event.operation = Some(self.about.kind);
        event.session = self.about.session.clone();
        match &*lock(&self.outcome) {
            Some(Ok(outcome)) => event.session = outcome.session_id().or(event.session.take()),
            Some(Err(error)) => event.error = Some(error.kind()),
            None => {}
        }
    }
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completion").field("state", &self.state()).field("label", &self.label).finish_non_exhaustive()
    }
}

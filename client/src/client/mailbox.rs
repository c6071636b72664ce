//! Messages to the driver: operations to run, replies, and cancellations.

use super::completion::{AnyOutcome, Completion};
use crate::clock::{Instant, Signal, lock};
use crate::error::Result;
use crate::model::SessionId;
use crate::protocol::{Chore, ChoreId, Operation};
use crate::wire::Answer;
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Two started reads with the same key share one request: nothing that would change the result was done in between.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum JoinKey {
    /// The properties of a session at an endpoint, and the session's change count.
    Properties(usize, SessionId, u64),
    /// The list of an endpoint, and its change count.
    List(usize, u64),
    /// The access token.
    Token,
}

/// An operation that is ready to run.
pub(super) struct Prepared {
    pub(super) operation: Box<dyn Operation<Outcome = Result<AnyOutcome>> + Send>,
    pub(super) deadline: Instant,
    pub(super) join: Option<JoinKey>,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("join", &self.join).finish_non_exhaustive()
    }
}

/// An operation that the driver runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum TaskId {
    Operation(u64),
    Chore(ChoreId),
}

pub(super) enum Message {
    /// Run this operation for its caller.
    Start(u64, Prepared, Arc<Completion>),
    /// Run this operation, which has no caller.
    StartChore(Chore),
    /// The reply to a task's request has arrived.
    Answer(TaskId, Answer),
    /// A task's work is done.
    WorkDone(TaskId),
    /// The caller has cancelled the operation.
    Cancelled(Arc<Completion>),
    /// The result of the chore is no longer needed.
    CancelChore(ChoreId),
    /// No caller waits for the chore at present: its request must not delay others.
    Yield(ChoreId),
}

/// The driver's messages.
pub(super) struct Mailbox {
    inbox: Mutex<Inbox>,
    latest_task: AtomicU64,
    /// Wakes the driver.
    wake: Arc<Signal>,
}

#[derive(Default)]
struct Inbox {
    messages: VecDeque<Message>,
    /// The driver has ended for good.
    closed: bool,
}

impl Mailbox {
    pub(super) fn new(wake: &Arc<Signal>) -> Arc<Mailbox> {
        Arc::new(Mailbox { inbox: Mutex::default(), latest_task: AtomicU64::default(), wake: Arc::clone(wake) })
    }

    /// A unique number for a task.
    pub(super) fn next_task(&self) -> u64 {
        self.latest_task.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Posts a message and wakes the driver. Returns it if the driver has ended for good.
    pub(super) fn post(&self, message: Message) -> std::result::Result<(), Box<Message>> {
        let mut inbox = lock(&self.inbox);
        if inbox.closed {
            return Err(Box::new(message));
        }
        inbox.messages.push_back(message);
        drop(inbox);
        self.wake.notify();
        Ok(())
    }

    pub(super) fn take(&self) -> Option<Message> {
        lock(&self.inbox).messages.pop_front()
    }

    pub(super) fn take_all(&self) -> VecDeque<Message> {
        std::mem::take(&mut lock(&self.inbox).messages)
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.inbox).closed
    }

    /// Closes the mailbox if it is empty. Returns whether it is closed.
    pub(super) fn close_if_empty(&self) -> bool {
        let mut inbox = lock(&self.inbox);
        inbox.closed |= inbox.messages.is_empty();
        inbox.closed
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}

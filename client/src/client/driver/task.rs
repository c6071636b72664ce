//! An operation that the driver runs, and its callers.

use super::super::completion::{AnyOutcome, Completion};
use super::super::interpreter::WaitFor;
use super::super::mailbox::{JoinKey, Prepared};
use crate::clock::Instant;
use crate::error::{ErrorKind, Result};
use crate::http::QueuedJob;
use crate::protocol::{self, Operation, Timed};
use crate::wire::Urgency;
use std::sync::Arc;
use std::time::Duration;

/// An operation does not join one whose deadline is this much earlier.
pub(super) const MUCH_SHORTER: Duration = Duration::from_secs(1);

pub(super) type TaskOperation = Box<dyn Operation<Outcome = Result<AnyOutcome>> + Send>;

/// The state of a task.
pub(super) enum TaskState {
    /// To be stepped.
    Ready,
    /// Its request is in flight, or queued for a worker.
    Request(QueuedJob),
    /// A thread is running work for it.
    Work,
    /// It waits for a time, or for a change until then.
    Waiting(WaitFor),
}

pub(super) struct Task {
    pub(super) timed: Timed<TaskOperation>,
    pub(super) waiters: Vec<Waiter>,
    pub(super) urgency: Urgency,
    pub(super) join: Option<JoinKey>,
    pub(super) state: TaskState,
    /// It never had a caller.
    pub(super) is_chore: bool,
    /// Its caller has gone, but its reply is still needed.
    pub(super) left: bool,
    /// No caller waits for it at present, so it must not delay others.
    yields: bool,
}

/// A caller of an operation.
pub(super) struct Waiter {
    pub(super) completion: Arc<Completion>,
    pub(super) deadline: Instant,
    /// Its own operation, if it has joined another. It continues with that if the other's deadline turns out to be too
    /// early.
    pub(super) spare: Option<TaskOperation>,
    /// The deadline has been moved because of a freeze, which happens once.
    pub(super) thawed: bool,
}

impl Waiter {
    pub(super) fn cancel(&self) {
        self.completion.cancel();
    }
}

impl Task {
    pub(super) fn new(timed: Timed<TaskOperation>, waiter: Option<Waiter>, join: Option<JoinKey>) -> Task {
        Task {
            urgency: timed.urgency(),
            timed,
            is_chore: waiter.is_none(),
            waiters: waiter.into_iter().collect(),
            join,
            state: TaskState::Ready,
            left: false,
            yields: false,
        }
    }

    /// Whether real work is in progress for it. Work that it waits for is counted elsewhere.
    pub(super) fn is_busy(&self) -> bool {
        !matches!(self.state, TaskState::Waiting(_))
    }

    /// The urgency of its request. Cleanup after a caller has gone saves money, so it is urgent.
    pub(super) fn urgency_of(&self, request: Urgency) -> Urgency {
        request.max(self.urgency).max(if self.left { Urgency::Urgent } else { Urgency::Normal })
    }

    /// Its request was queued.
    pub(super) fn sent(&mut self, job: QueuedJob) {
        if self.yields {
            job.make_room();
        }
        self.state = TaskState::Request(job);
    }

    pub(super) fn hold_up_no_others(&mut self) {
        self.yields = true;
        if let TaskState::Request(job) = &self.state {
            job.make_room();
        }
    }

    /// If the process was stopped, moves the deadlines: a freeze is not a timeout.
    pub(super) fn thaw(&mut self, now: Instant) {
        if let Some(later) = self.timed.thaw(now) {
            self.waiters.iter_mut().for_each(|waiter| waiter.deadline = waiter.deadline.max(later));
        }
    }

    /// Completes the callers whose deadline passed before the task's own. Returns whether there were any, and when the
    /// next deadline is that a freeze has moved.
    pub(super) fn end_late(&mut self, now: Instant) -> (bool, Option<Instant>) {
        // The reply to a request in flight may have arrived in time, so the deadline is not moved yet.
        if !self.is_busy() {
            self.thaw(now);
        }
        let end = self.timed.deadline();
        let moved = self.waiters.iter_mut().filter(|waiter| now < end && !waiter.thawed).filter_map(|waiter| {
            let later = protocol::after_freeze(waiter.deadline, now)?;
            (waiter.deadline, waiter.thawed) = (later, true);
            Some(later)
        });
        let moved = moved.min();
        let late = |waiter: &mut Waiter| waiter.deadline <= now && now < end;
        let over: Vec<Waiter> = self.waiters.extract_if(.., late).collect();
        for waiter in &over {
            waiter.completion.finish(Err(protocol::out_of_time()));
        }
        (!over.is_empty(), moved)
    }

    /// Removes the callers with a later deadline than the task's, if it failed only for lack of time.
    pub(super) fn with_more_time(
        &mut self,
        now: Instant,
        outcome: &Result<AnyOutcome>,
    ) -> Vec<(Arc<Completion>, Prepared)> {
        let end = self.timed.deadline();
        let lacked_time = outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::Timeout);
        if !lacked_time || now + MUCH_SHORTER < end {
            return Vec::new();
        }
        let join = self.join.clone();
        let more = |waiter: &mut Waiter| waiter.deadline > end.max(now) && waiter.spare.is_some();
        let with_operation = self.waiters.extract_if(.., more).filter_map(|waiter| {
            let (operation, deadline) = (waiter.spare?, waiter.deadline);
            Some((waiter.completion, Prepared { operation, deadline, join: join.clone() }))
        });
        with_operation.collect()
    }

    /// Called when a reply or work has completed. Callers that have cancelled, even if their message is still queued,
    /// do not want the result: a session in it must be given back.
    pub(super) fn notice_leavers(&mut self, now: Instant) {
        let had = !self.waiters.is_empty();
        self.waiters.retain(|waiter| waiter.completion.is_running());
        if had && self.waiters.is_empty() && !self.goes_on() {
            self.left = self.timed.leave_in_flight(now);
        }
    }

    /// Whether it continues without a caller.
    pub(super) fn goes_on(&self) -> bool {
        self.left || self.is_chore || self.urgency == Urgency::Stop
    }
}

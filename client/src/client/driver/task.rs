//! An operation that the driver runs, and those who wait for it.

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

/// An operation is not joined to one that ends this much earlier.
pub(super) const MUCH_SHORTER: Duration = Duration::from_secs(1);

pub(super) type TaskOperation = Box<dyn Operation<Outcome = Result<AnyOutcome>> + Send>;

/// What a task is doing.
pub(super) enum TaskState {
    /// It is to be stepped.
    Ready,
    /// Its request is on the wire, or waits for a worker.
    Request(QueuedJob),
    /// A thread does something for it.
    Work,
    /// It waits for a moment, or for something else up to that moment.
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
    /// Its caller has gone, and its answer is wanted nevertheless.
    pub(super) left: bool,
    /// No caller waits for it just now: it holds up no others.
    yields: bool,
}

/// A caller of an operation.
pub(super) struct Waiter {
    pub(super) completion: Arc<Completion>,
    pub(super) deadline: Instant,
    /// Its own operation, if it has joined that of another: it goes on with it when the other's time turns out to be too short.
    pub(super) spare: Option<TaskOperation>,
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

    /// Whether something real is under way for it. Something that it waits for counts for itself.
    pub(super) fn is_busy(&self) -> bool {
        !matches!(self.state, TaskState::Waiting(_))
    }

    /// The urgency of its request: what puts something right saves money.
    pub(super) fn urgency_of(&self, request: Urgency) -> Urgency {
        request.max(self.urgency).max(if self.left { Urgency::Urgent } else { Urgency::Normal })
    }

    /// Its request was given to the workers.
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

    /// Ends those whose time is over before the task's own. Returns whether there are such.
    pub(super) fn end_late(&mut self, now: Instant) -> bool {
        let end = self.timed.deadline();
        let late = |waiter: &mut Waiter| waiter.deadline <= now && now < end;
        let over: Vec<Waiter> = self.waiters.extract_if(.., late).collect();
        for waiter in &over {
            waiter.completion.finish(Err(protocol::out_of_time()));
        }
        !over.is_empty()
    }

    /// Takes out those who have more time than the task had, if it was only time that it lacked.
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

    /// Something has come that it waited for. Those who have cancelled it meanwhile, whose message is still to come, do not want
    /// it any more: a session that it brings has to be given back.
    pub(super) fn notice_leavers(&mut self, now: Instant) {
        let had = !self.waiters.is_empty();
        self.waiters.retain(|waiter| waiter.completion.is_running());
        if had && self.waiters.is_empty() && !self.goes_on() {
            self.left = self.timed.leave_in_flight(now);
        }
    }

    /// Whether it goes on without a caller.
    pub(super) fn goes_on(&self) -> bool {
        self.left || self.is_chore || self.urgency == Urgency::Stop
    }
}

//! The driver: one thread per client runs all started operations and chores, and serves the watched sessions. It never
//! blocks on a request: workers send them, and one timer queue holds all waiting operations. So a thousand waiting
//! operations need no extra thread.
//!
//! ```text
//! start, cancel ─→ mailbox ─→ driver: step ─→ send ─→ worker ─→ mailbox …
//!                               │  ├─→ wait ─→ timers
//!                               │  └─→ end ─→ completion, events
//!                               └─→ monitor: work that is due for watched sessions
//! ```

mod executor;
mod monitor;
mod task;
#[cfg(test)]
mod tests;

use super::completion::{AnyOutcome, Completion, cancelled};
use super::core::Core;
use super::inner::ClientInner;
use super::interpreter::{Flow, WaitFor, carry_out};
use super::mailbox::{JoinKey, Message, Prepared, TaskId};
use crate::clock::Instant;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::{Action, Chore, ChoreId, Operation as _, Timed};
use crate::wire::{Answer, Failure, Urgency};
use executor::InBackground;
use monitor::Monitor;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use task::{MUCH_SHORTER, Task, TaskState, Waiter};

/// Sets up a client's driver. Its thread starts when there is work for it.
pub(super) fn attach(inner: &Arc<ClientInner>) {
    let client = Arc::downgrade(inner);
    inner.core.set_driver(move || {
        let inner = client.upgrade()?;
        Some(Box::new(move || {
            let core = Arc::clone(&inner.core);
            // Even after a panic, the driver must be seen to have ended.
            drop(catch_unwind(AssertUnwindSafe(|| Driver::new(inner).run())));
            core.driver_ended();
        }))
    });
}

struct Driver {
    inner: Arc<ClientInner>,
    core: Arc<Core>,
    monitor: Monitor,
    tasks: HashMap<TaskId, Task>,
    /// The tasks that wait. Work is in progress for all others.
    waiting: HashSet<TaskId>,
    /// Those of them that wait for the token or for a change.
    alert: HashSet<TaskId>,
    timers: BinaryHeap<Reverse<(Instant, TaskId)>>,
    /// The tasks that others may join.
    joinable: HashMap<JoinKey, TaskId>,
    /// The token's change count when the tasks waiting for it were last stepped.
    token_changes: u64,
    ending: bool,
}

/// Waking up this much later than planned means that the machine slept or the process was stopped.
const JUMP: Duration = Duration::from_secs(30);

/// The loop.
impl Driver {
    fn new(inner: Arc<ClientInner>) -> Driver {
        Driver {
            core: Arc::clone(&inner.core),
            inner,
            monitor: Monitor::default(),
            tasks: HashMap::new(),
            waiting: HashSet::new(),
            alert: HashSet::new(),
            timers: BinaryHeap::new(),
            joinable: HashMap::new(),
            token_changes: 0,
            ending: false,
        }
    }

    fn run(mut self) {
        let core = Arc::clone(&self.core);
        let mut planned = core.now();
        loop {
            let seen = core.wake.signal.version();
            let now = core.now();
            let jumped = now.saturating_since(planned) > JUMP;
            if jumped {
                core.http.reset();
            }
            if core.resumed.swap(false, Ordering::AcqRel) || jumped {
                self.monitor.read_all_again(&self.inner, now);
            }
            // A bug in one operation must not end the driver for all of them.
            let wake = catch_unwind(AssertUnwindSafe(|| self.turn(now))).unwrap_or_else(|_| {
                core.wake.look_again();
                Some(now + Duration::from_secs(1))
            });
            core.write_notes();
            let Some(wake) = wake else { return };
            let waits_for_work = self.waits_for_work();
            // Waking up regularly is how a clock jump is detected. When idle, a jump does not matter.
            let idle = wake == Instant::NEVER && !waits_for_work && !core.suspended.load(Ordering::Acquire);
            planned = if idle { wake } else { wake.min(now + JUMP) }.max(now);
            if core.wake.signal.version() != seen {
                continue;
            }
            if waits_for_work {
                core.clock.wait_for_work(&core.wake.signal, seen, planned);
            } else {
                core.driver_idles_until(if idle { Instant::NEVER } else { planned + JUMP });
                core.clock.idle(&core.wake.signal, seen, planned);
                core.driver_idles_until(Instant::NEVER);
            }
        }
    }

    /// Whether real work is in progress, so that a test clock must not skip time.
    fn waits_for_work(&self) -> bool {
        self.core.tokens.is_fetching() || self.tasks.len() > self.waiting.len()
    }

    /// Does everything that is due. Returns when to run again; `None` if the driver has ended.
    fn turn(&mut self, now: Instant) -> Option<Instant> {
        while let Some(message) = self.core.mailbox.take() {
            self.take(self.core.now(), message);
        }
        if self.core.is_shut_down() && !self.ending {
            self.ending = true;
            self.end_all(now);
        }
        self.step_due(now);
        self.step_changed(now);
        let due = if self.ending { Instant::NEVER } else { self.monitor.look_after(&self.inner, now) };
        if self.ending && self.tasks.is_empty() {
            return if self.core.mailbox.close_if_empty() { None } else { Some(now) };
        }
        // Timers of completed tasks must not cause a wake-up.
        while self.timers.peek().is_some_and(|Reverse((_, id))| !self.tasks.contains_key(id)) {
            self.timers.pop();
        }
        let next = self.timers.peek().map_or(Instant::NEVER, |Reverse((moment, _))| *moment);
        Some(next.min(due))
    }

    fn take(&mut self, now: Instant, message: Message) {
        match message {
            Message::Start(task, prepared, completion) => self.start(now, task, prepared, completion),
            Message::StartChore(chore) => self.start_chore(now, chore),
            Message::Answer(id, answer) => self.came(now, id, Some(answer)),
            Message::WorkDone(id) => self.came(now, id, None),
            Message::Cancelled(completion) => self.cancelled(now, &completion),
            Message::CancelChore(chore) => self.cancel_chore(now, chore),
            Message::Yield(chore) => {
                if let Some(task) = self.tasks.get_mut(&TaskId::Chore(chore)) {
                    task.hold_up_no_others();
                }
            }
        }
    }

    /// A task's reply or work has completed.
    fn came(&mut self, now: Instant, id: TaskId, answer: Option<Answer>) {
        if let Some(task) = self.tasks.get_mut(&id) {
            task.state = TaskState::Ready;
            task.thaw(now);
            task.notice_leavers(now);
            self.step(now, id, answer);
        }
    }

    fn step_due(&mut self, now: Instant) {
        while let Some(Reverse((moment, id))) = self.timers.peek().copied()
            && moment <= now
        {
            self.timers.pop();
            let Some(task) = self.tasks.get_mut(&id) else { continue };
            task.timer.take_if(|timer| *timer == moment);
            let (any_late, moved) = task.end_late(now);
            self.timers.extend(moved.map(|deadline| Reverse((deadline, id))));
            if any_late && task.waiters.is_empty() && !task.goes_on() {
                self.leave(now, id);
                continue;
            }
            match &task.state {
                TaskState::Waiting(_) => self.step(now, id, None),
                // It was still queued for a worker. A request in flight ends by its own limit.
                TaskState::Request(job) if now >= task.timed.deadline() && job.take_back() => {
                    task.state = TaskState::Ready;
                    self.step(now, id, Some(Err(Failure::never_begun())));
                }
                _ => {}
            }
        }
    }

    /// Steps the tasks that wait for the token or for a mark, if it has changed.
    fn step_changed(&mut self, now: Instant) {
        let token_changes = self.core.tokens.changes();
        let new_token = token_changes != std::mem::replace(&mut self.token_changes, token_changes);
        let is_due = |task: &Task| match &task.state {
            TaskState::Waiting(WaitFor::Token) => new_token,
            TaskState::Waiting(WaitFor::Change(mark) | WaitFor::PossibleChange(mark)) => mark.is_past(),
            _ => false,
        };
        let is_due = |id: &&TaskId| self.tasks.get(id).is_some_and(is_due);
        let due: Vec<TaskId> = self.alert.iter().filter(is_due).copied().collect();
        due.into_iter().for_each(|id| self.step(now, id, None));
    }
}

/// Starting and stepping.
impl Driver {
    fn start(&mut self, now: Instant, task: u64, prepared: Prepared, completion: Arc<Completion>) {
        let Prepared { operation, deadline, join } = prepared;
        if self.ending && operation.urgency() != Urgency::Stop {
            completion.cancel();
            return;
        }
        if !completion.is_running() {
            // It was cancelled before it started.
            return;
        }
        if let Some(joined) = join.as_ref().and_then(|join| self.joinable.get(join)).copied()
            && let TaskId::Operation(number) = joined
            && let Some(task) = self.tasks.get_mut(&joined)
            && task.timed.deadline() + MUCH_SHORTER >= deadline
        {
            completion.task.store(number, Ordering::Release);
            self.timers.push(Reverse((deadline, joined)));
            task.waiters.push(Waiter { completion, deadline, spare: Some(operation), thawed: false });
            return;
        }
        let id = TaskId::Operation(task);
        if let Some(join) = &join {
            self.joinable.insert(join.clone(), id);
        }
        let waiter = Waiter { completion, deadline, spare: None, thawed: false };
        let timed = Timed::new(operation, deadline, self.core.attempt_timeout);
        self.begin(now, id, Task::new(timed, Some(waiter), join));
    }

    fn start_chore(&mut self, now: Instant, chore: Chore) {
        let Chore { id, mut operation, deadline } = chore;
        if self.ending && operation.urgency() != Urgency::Stop {
            operation.fail(cancelled());
            return;
        }
        let operation = operation.then(|outcome: Result<()>| outcome.map(|()| Arc::new(()) as AnyOutcome));
        let timed = Timed::new(Box::new(operation) as task::TaskOperation, deadline, self.core.attempt_timeout);
        self.begin(now, TaskId::Chore(id), Task::new(timed, None, None));
    }

    fn begin(&mut self, now: Instant, id: TaskId, mut task: Task) {
        if self.ending {
            task.timed.end_by(now + self.core.attempt_timeout);
        }
        self.tasks.insert(id, task);
        self.step(now, id, None);
    }

    /// Steps a task until it has to wait.
    fn step(&mut self, now: Instant, id: TaskId, answer: Option<Answer>) {
        self.guarded(now, id, |driver| driver.step_on(now, id, answer));
    }

    /// Acts on a task. A panic ends this task, and no other.
    fn guarded(&mut self, now: Instant, id: TaskId, act: impl FnOnce(&mut Driver)) {
        if catch_unwind(AssertUnwindSafe(|| act(self))).is_err() {
            let message = "the operation hit a bug in this library; it may be started again. Please report this";
            self.fail(now, id, Error::new(ErrorKind::Internal, message));
        }
    }

    /// Ends a task with this error, after giving its operation the chance to change it.
    fn fail(&mut self, now: Instant, id: TaskId, error: Error) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        // Its request may have reached the service: a create that may have made a session stays in the journal.
        let ended = catch_unwind(AssertUnwindSafe(|| task.timed.give_up(error.clone())));
        self.finish(now, id, Err(ended.unwrap_or(error)));
    }

    fn step_on(&mut self, now: Instant, id: TaskId, mut answer: Option<Answer>) {
        while let Some(task) = self.tasks.get_mut(&id) {
            let alone = task.waiters.is_empty() && !task.goes_on();
            let gone = || if alone { Err(cancelled()) } else { Ok(()) };
            let action = task.timed.next(now, answer.take(), gone);
            match self.act(now, id, action) {
                Flow::StepAgain(next) => answer = next,
                Flow::Waits => return,
            }
        }
    }

    fn no_longer_waits(&mut self, id: TaskId) {
        // Without a look-up if none waits: mostly tasks send requests.
        for ids in [&mut self.waiting, &mut self.alert] {
            if !ids.is_empty() {
                ids.remove(&id);
            }
        }
    }

    fn act(&mut self, now: Instant, id: TaskId, action: Action<Result<AnyOutcome>>) -> Flow {
        self.no_longer_waits(id);
        match carry_out(action, &mut InBackground { driver: self, id }) {
            ControlFlow::Break(outcome) => {
                self.finish(now, id, outcome);
                Flow::Waits
            }
            ControlFlow::Continue(flow) => flow,
        }
    }
}

/// Ending.
impl Driver {
    fn finish(&mut self, now: Instant, id: TaskId, outcome: Result<AnyOutcome>) {
        let Some(mut task) = self.tasks.remove(&id) else { return };
        self.no_longer_waits(id);
        if let Some(join) = &task.join
            && self.joinable.get(join) == Some(&id)
        {
            self.joinable.remove(join);
        }
        if let Err(error) = &outcome {
            // A caller that has cancelled its operation, even a stop, needs no report.
            let wanted = error.kind() != ErrorKind::Cancelled;
            if wanted && !task.waiters.is_empty() {
                self.core.log_failure(error);
            }
        }
        if let Some(chore) = task.timed.afterwards() {
            self.core.start(chore);
        }
        let go_on = if self.ending { Vec::new() } else { task.with_more_time(now, &outcome) };
        let (had, mut taken) = (!task.waiters.is_empty(), false);
        for waiter in task.waiters {
            taken |= waiter.completion.finish(outcome.clone());
        }
        // All callers cancelled it just now.
        if had
            && !taken
            && let Ok(outcome) = outcome
        {
            outcome.unclaimed();
        }
        for (completion, prepared) in go_on {
            let task = self.core.mailbox.next_task();
            completion.task.store(task, Ordering::Release);
            self.start(now, task, prepared, completion);
        }
    }

    fn cancelled(&mut self, now: Instant, completion: &Arc<Completion>) {
        let id = TaskId::Operation(completion.task.load(Ordering::Acquire));
        if let Some(task) = self.tasks.get_mut(&id) {
            task.waiters.retain(|waiter| !Arc::ptr_eq(&waiter.completion, completion));
            if task.waiters.is_empty() {
                // An explicit cancel ends even a stop.
                self.leave(now, id);
            }
        }
    }

    fn cancel_chore(&mut self, now: Instant, chore: ChoreId) {
        let id = TaskId::Chore(chore);
        if let Some(task) = self.tasks.get_mut(&id) {
            task.is_chore = false;
            self.leave(now, id);
        }
    }

    /// No caller is left that waits for a task.
    fn leave(&mut self, now: Instant, id: TaskId) {
        self.guarded(now, id, |driver| driver.leave_unguarded(now, id));
    }

    fn leave_unguarded(&mut self, now: Instant, id: TaskId) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        match &task.state {
            // It was still queued for a worker, so it is not sent.
            TaskState::Request(job) if job.take_back() => task.state = TaskState::Ready,
            TaskState::Request(job) => {
                if task.timed.leave_in_flight(now) {
                    task.left = true;
                } else {
                    job.abandon();
                    let outcome = Err(task.timed.give_up(cancelled()));
                    self.finish(now, id, outcome);
                }
                return;
            }
            TaskState::Work => {
                // Its work is a disk write: it is stepped, and ends, when that is done.
                task.left = task.timed.leave_in_flight(now);
                if task.urgency == Urgency::Stop {
                    task.urgency = Urgency::Urgent;
                }
                return;
            }
            TaskState::Ready | TaskState::Waiting(_) => {}
        }
        let action = task.timed.abandon(now, cancelled());
        if !matches!(action, Action::Done(_)) {
            task.left = true;
        }
        if let Flow::StepAgain(answer) = self.act(now, id, action) {
            self.step(now, id, answer);
        }
    }

    /// The client ends: operations that save money continue for a while, and all others are cancelled.
    fn end_all(&mut self, now: Instant) {
        let ids: Vec<TaskId> = self.tasks.keys().copied().collect();
        let end = now + self.core.attempt_timeout;
        for id in ids {
            let Some(task) = self.tasks.get_mut(&id) else { continue };
            task.timed.end_by(end);
            if task.urgency == Urgency::Stop {
                self.timers.push(Reverse((end, id)));
                continue;
            }
            task.waiters.drain(..).for_each(|waiter| waiter.cancel());
            task.is_chore = false;
            if !task.left {
                self.leave(now, id);
            }
        }
        for (account, state) in self.inner.take_promises() {
            // Without another thread each stop is sent here, and has its own time.
            let now = self.core.now();
            self.start_chore(now, monitor::promised_stop(&account, &state, now, drop));
        }
    }
}

impl Drop for Driver {
    /// Releases all waiting callers. After a normal end there are none.
    fn drop(&mut self) {
        let now = self.core.now();
        let ids: Vec<TaskId> = self.tasks.keys().copied().collect();
        for id in ids {
            if let Some(task) = self.tasks.get_mut(&id) {
                task.waiters.drain(..).for_each(|waiter| waiter.cancel());
            }
            self.fail(now, id, Error::new(ErrorKind::Internal, "the library's thread ended before the operation did"));
        }
        for message in self.core.mailbox.take_all() {
            match message {
                Message::Start(_, _, completion) => drop(completion.cancel()),
                Message::StartChore(mut chore) => drop(chore.operation.fail(cancelled())),
                _ => {}
            }
        }
    }
}

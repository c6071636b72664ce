//! How the driver executes the steps of its tasks.

use super::super::core::Core;
use super::super::interpreter::{Executor, Flow, WaitFor};
use super::super::mailbox::{Message, TaskId};
use super::Driver;
use super::task::TaskState;
use crate::auth::Exchange;
use crate::clock::Instant;
use crate::protocol::Work;
use crate::wire::Request;
use std::cmp::Reverse;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// The executor of a task: starts what the task asks for. The mailbox or a timer resumes the task.
pub(super) struct InBackground<'a> {
    pub(super) driver: &'a mut Driver,
    pub(super) id: TaskId,
}

impl Executor for InBackground<'_> {
    fn core(&self) -> &Arc<Core> {
        &self.driver.core
    }

    fn send(&mut self, mut request: Request, limit: Duration) -> Flow {
        let Driver { core, tasks, timers, .. } = &mut *self.driver;
        if let Some(task) = tasks.get_mut(&self.id) {
            let (id, deadline, mailbox) = (self.id, task.timed.deadline(), Arc::clone(&core.mailbox));
            let done = move |answer| {
                drop(mailbox.post(Message::Answer(id, answer)));
            };
            request.urgency = task.urgency_of(request.urgency);
            task.sent(core.http.start(request, limit, deadline, done));
            if deadline != Instant::NEVER {
                timers.push(Reverse((deadline, id)));
            }
        }
        Flow::Waits
    }

    fn fetch_token(&mut self, exchange: Exchange, limit: Duration) -> Flow {
        self.driver.core.start_fetching_token(exchange, limit);
        self.wait(Instant::NEVER, WaitFor::Token)
    }

    fn work(&mut self, work: Work) -> Flow {
        let (id, mailbox) = (self.id, Arc::clone(&self.driver.core.mailbox));
        self.driver.core.http.aside(move || {
            // After a panic the result is missing, and the operation reports that.
            drop(catch_unwind(AssertUnwindSafe(work.0)));
            drop(mailbox.post(Message::WorkDone(id)));
        });
        self.set_state(TaskState::Work)
    }

    fn wait(&mut self, until: Instant, wait_for: WaitFor) -> Flow {
        let Driver { tasks, timers, .. } = &mut *self.driver;
        if let Some(task) = tasks.get_mut(&self.id)
            && until != Instant::NEVER
            && task.timer.replace(until) != Some(until)
        {
            timers.push(Reverse((until, self.id)));
        }
        self.driver.waiting.insert(self.id);
        if !matches!(wait_for, WaitFor::Time) {
            self.driver.alert.insert(self.id);
        }
        self.set_state(TaskState::Waiting(wait_for))
    }
}

impl InBackground<'_> {
    fn set_state(&mut self, state: TaskState) -> Flow {
        if let Some(task) = self.driver.tasks.get_mut(&self.id) {
            task.state = state;
        }
        Flow::Waits
    }
}

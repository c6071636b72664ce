//! The interpreter of operations: executes their steps. The same code runs blocking calls on the caller's thread and
//! started operations in the driver; the two differ only in their [`Executor`].

use super::core::Core;
use crate::auth::Exchange;
use crate::clock::Instant;
use crate::error::Result;
use crate::protocol::{Action, ChangeMark, Operation, Timed, Work};
use crate::wire::{Answer, Request};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

/// What an operation waits for, besides its wake-up time.
pub(super) enum WaitFor {
    Time,
    Token,
    /// A change that work in progress will cause.
    Change(ChangeMark),
    /// A change that may never come.
    PossibleChange(ChangeMark),
}

/// What to do with an operation after an executor has acted.
pub(super) enum Flow {
    /// Step it again, with the reply to its request if it sent one.
    StepAgain(Option<Answer>),
    /// Step it when the work that was started has completed.
    Waits,
}

/// Executes an operation's actions: on a thread that blocks, or in the driver, which does not.
pub(super) trait Executor {
    fn core(&self) -> &Arc<Core>;

    fn send(&mut self, request: Request, limit: Duration) -> Flow;

    fn fetch_token(&mut self, exchange: Exchange, limit: Duration) -> Flow;

    fn work(&mut self, work: Work) -> Flow;

    fn wait(&mut self, until: Instant, wait_for: WaitFor) -> Flow;
}

/// Executes one action of an operation. Breaks with its outcome if that was the last.
pub(super) fn carry_out<T>(action: Action<T>, by: &mut impl Executor) -> ControlFlow<T, Flow> {
    let flow = match action {
        Action::Done(outcome) => {
            by.core().write_notes();
            return ControlFlow::Break(outcome);
        }
        Action::Send(request, limit) => by.send(*request, limit),
        Action::FetchToken(exchange, limit) if exchange.ahead => {
            // The old token is valid, so the operation continues with it.
            by.core().start_fetching_token(*exchange, limit);
            Flow::StepAgain(None)
        }
        Action::FetchToken(exchange, limit) => by.fetch_token(*exchange, limit),
        Action::AwaitToken(until) => by.wait(until, WaitFor::Token),
        Action::SleepUntil(until) => by.wait(until, WaitFor::Time),
        Action::SleepUntilChange(until, mark) => by.wait(until, WaitFor::PossibleChange(mark)),
        Action::AwaitChange(mark, until) => by.wait(until, WaitFor::Change(mark)),
        Action::Work(work) => by.work(work),
        Action::Start(chore) => {
            by.core().start(chore);
            Flow::StepAgain(None)
        }
    };
    by.core().write_notes();
    ControlFlow::Continue(flow)
}

/// Runs an operation on this thread until it completes, its deadline passes, or the client ends. Logs a failure.
pub(super) fn run<T>(core: &Arc<Core>, operation: impl Operation<Outcome = Result<T>>, deadline: Instant) -> Result<T> {
    let outcome = run_silently(core, operation, deadline);
    if let Err(error) = &outcome {
        core.log_failure(error);
    }
    outcome
}

/// Like [`run`], without logging a failure.
pub(super) fn run_silently<T>(
    core: &Arc<Core>,
    operation: impl Operation<Outcome = Result<T>>,
    deadline: Instant,
) -> Result<T> {
    let mut value = None;
    let mut operation = operation.then(|outcome: Result<T>| outcome.map(|outcome| value = Some(outcome)));
    run_any(core, &mut operation, deadline)?;
    drop(operation);
    Ok(value.expect("a successful operation has an outcome"))
}

/// Compiled once rather than for each type of outcome.
fn run_any(core: &Arc<Core>, operation: &mut dyn Operation<Outcome = Result<()>>, deadline: Instant) -> Result<()> {
    let _call = core.begin_call();
    let mut timed = Timed::new(operation, deadline, core.attempt_timeout);
    let mut here = OnThisThread { core, seen: 0 };
    let mut answer = None;
    loop {
        here.seen = core.wake.signal.version();
        let action = timed.next(core.now(), answer.take(), || core.check_alive());
        match carry_out(action, &mut here) {
            ControlFlow::Break(outcome) => {
                timed.afterwards().into_iter().for_each(|chore| core.start(chore));
                return outcome;
            }
            ControlFlow::Continue(Flow::StepAgain(next)) => answer = next,
            ControlFlow::Continue(Flow::Waits) => {}
        }
    }
}

/// The thread of a blocking call.
struct OnThisThread<'a> {
    core: &'a Arc<Core>,
    /// The signal's version before the operation was stepped.
    seen: u64,
}

impl Executor for OnThisThread<'_> {
    fn core(&self) -> &Arc<Core> {
        self.core
    }

    fn send(&mut self, request: Request, limit: Duration) -> Flow {
        Flow::StepAgain(Some(self.core.http.send(&request, limit)))
    }

    fn fetch_token(&mut self, exchange: Exchange, limit: Duration) -> Flow {
        self.core.fetch_token(exchange, limit);
        Flow::StepAgain(None)
    }

    fn work(&mut self, work: Work) -> Flow {
        (work.0)();
        Flow::StepAgain(None)
    }

    fn wait(&mut self, until: Instant, wait_for: WaitFor) -> Flow {
        let Core { clock, wake, tokens, .. } = &**self.core;
        match wait_for {
            WaitFor::Time | WaitFor::PossibleChange(_) => clock.sleep(&wake.signal, self.seen, until),
            // Only the application can supply one.
            WaitFor::Token if !tokens.is_fetching() => clock.sleep(&wake.signal, self.seen, until),
            WaitFor::Token | WaitFor::Change(_) => clock.wait_for_work(&wake.signal, self.seen, until),
        }
        Flow::StepAgain(None)
    }
}

//! Operations that panic, and callers that run out of time.

use super::super::call::{Call, Made};
use super::super::completion::{About, AnyOutcome, Completion};
use super::super::{Client, OperationState, StartedOperation, Stopped};
use super::task::{Task, TaskOperation, Waiter};
use crate::clock::Instant;
use crate::config::tests::config;
use crate::error::{Error, ErrorKind, Result};
use crate::events::Label;
use crate::model::OperationKind;
use crate::protocol::{Chore, Operation, Step, Timed, Work};
use crate::wire::Answer;
use std::sync::{Arc, mpsc};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(20);

/// Panics in its work, in a step, or at the latest when its caller leaves.
struct Defect {
    works: bool,
    sleeps: bool,
}

impl Operation for Defect {
    type Outcome = Result<Stopped>;

    fn step(&mut self, _now: Instant, _answer: Option<Answer>) -> Step<Result<Stopped>> {
        if std::mem::take(&mut self.works) {
            return Step::Work(Work(Box::new(|| panic!("on purpose, at work"))));
        }
        assert!(self.sleeps, "on purpose, in a step");
        Step::SleepUntil(Instant::NEVER)
    }

    fn leave(&mut self, _now: Instant, _in_flight: bool) -> bool {
        panic!("on purpose, when it was left")
    }
}

fn start(client: &Client, defect: Defect) -> StartedOperation<Stopped> {
    Call::new(&client.inner.core, OperationKind::Stop, |_| Ok(Made::new(defect))).timeout(LONG).start().unwrap()
}

#[test]
fn an_operation_that_panics_fails_alone() {
    let client = Client::new(config()).unwrap();
    let sleeping = start(&client, Defect { works: false, sleeps: true });
    let in_a_step = start(&client, Defect { works: false, sleeps: false });
    let at_work = start(&client, Defect { works: true, sleeps: false });
    let left = start(&client, Defect { works: false, sleeps: true });
    left.cancel();
    for operation in [&in_a_step, &at_work] {
        assert_eq!(operation.wait(LONG), OperationState::Failed);
        assert_eq!(operation.outcome().unwrap_err().kind(), ErrorKind::Internal);
    }
    assert_eq!(left.state(), OperationState::Cancelled);
    assert_eq!(sleeping.state(), OperationState::Running);
    client.shut_down_within(LONG).unwrap();
    assert_eq!(sleeping.state(), OperationState::Cancelled);
}

#[test]
fn a_chore_that_panics_gets_an_outcome() {
    let client = Client::new(config()).unwrap();
    let core = &client.inner.core;
    let (ended, ends) = mpsc::channel();
    let defect = Defect { works: false, sleeps: false };
    core.start(Chore::new(defect, core.now() + LONG, move |outcome: Result<Stopped>| {
        ended.send(outcome.map(drop).map_err(|error: Error| error.kind())).unwrap();
    }));
    assert_eq!(ends.recv_timeout(LONG).unwrap(), Err(ErrorKind::Internal));
}

/// Two callers share a read, and the process is stopped until one of them has run out of time.
#[test]
fn a_caller_that_ran_out_of_time_in_a_freeze_has_another_chance() {
    struct Endless;
    impl Operation for Endless {
        type Outcome = Result<AnyOutcome>;

        fn step(&mut self, _now: Instant, _answer: Option<Answer>) -> Step<Self::Outcome> {
            Step::AwaitToken
        }
    }
    let at = |ms| Instant::from_elapsed(Duration::from_millis(ms));
    let client = Client::new(config()).unwrap();
    let about = About { kind: OperationKind::GetProperties, session: None };
    let completion = Completion::new(&client.inner.core.events, Label::default(), about);
    let mut task = Task::new(Timed::new(Box::new(Endless) as TaskOperation, at(60_000), LONG), None, None);
    let waiter = Waiter { completion: Arc::clone(&completion), deadline: at(1_000), spare: None, thawed: false };
    task.waiters.push(waiter);
    assert_eq!(task.end_late(at(1_150)), (false, Some(at(1_300))), "its reply may have arrived");
    assert!(completion.is_running());
    assert_eq!(task.end_late(at(1_500)), (true, None), "this happens once");
    assert!(!completion.is_running());
}

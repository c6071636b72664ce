//! Operations that panic.

use super::super::call::{Call, Made};
use super::super::{Client, OperationState, StartedOperation, Stopped};
use crate::clock::Instant;
use crate::config::tests::config;
use crate::error::{Error, ErrorKind, Result};
use crate::model::OperationKind;
use crate::protocol::{Chore, Operation, Step, Work};
use crate::wire::Answer;
use std::sync::mpsc;
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

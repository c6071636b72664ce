//! Waiting until a session is ready.

use super::super::account::Account;
use super::super::state::{Poll, Poller, SessionState};
use crate::clock::Instant;
use crate::error::{Error, ErrorKind, Result};
use crate::model::SessionProperties;
use crate::protocol::{Operation, Step};
use crate::wire::Answer;
use std::sync::Arc;
use std::time::Duration;

/// Waits until a session is ready. All waits for one session share its reads.
pub(in crate::client) fn wait_until_ready(
    account: &Arc<Account>,
    state: &Arc<SessionState>,
    timeout: Duration,
) -> impl Operation<Outcome = Result<SessionProperties>> + Send + use<> {
    let failures = state.failures();
    WaitUntilReady { account: Arc::clone(account), failures, state: Arc::clone(state), timeout, last_read: false }
}

struct WaitUntilReady {
    account: Arc<Account>,
    state: Arc<SessionState>,
    /// See [`SessionState::poll`].
    failures: u64,
    timeout: Duration,
    /// The session is read once more, regardless of the schedule.
    last_read: bool,
}

impl Operation for WaitUntilReady {
    type Outcome = Result<SessionProperties>;

    fn step(&mut self, now: Instant, _answer: Option<Answer>) -> Step<Self::Outcome> {
        let mark = self.state.mark();
        let poll = || self.account.poll(&self.state, now, Poller { is_wait: true, failures: self.failures });
        let mut next = poll();
        if self.last_read && matches!(next, Poll::At(_)) {
            self.state.forget_reads();
            next = poll();
        }
        self.last_read &= !matches!(next, Poll::Read(_));
        match next {
            Poll::Over(outcome) => Step::Done(*outcome),
            Poll::At(moment) => Step::SleepUntilChange(moment, mark),
            Poll::Read(chore) => Step::Start(chore),
            Poll::Reading(mark) => Step::AwaitChange(mark, Instant::NEVER),
        }
    }

    fn thawed(&mut self, _deadline: Instant) {
        self.last_read = true;
    }

    fn fail(&mut self, error: Error) -> Error {
        self.state.wait_ended();
        if error.kind() == ErrorKind::Timeout { self.state.not_ready_yet(self.timeout) } else { error }
    }
}

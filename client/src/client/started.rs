//! Operations that were started: what an application holds while the client's own threads drive them.

use super::core::Core;
use super::{AccessToken, ListedSession, Recovered, Session, Stopped, StoppedAll};
use crate::client::runtime::{Prepared, Submission};
use crate::clock::{Signal, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::events::{Event, EventKind, EventSource, Label, Place, Queue};
use crate::model::SessionProperties;
use crate::protocol::Operation;
use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// How far a started operation is. It reaches exactly one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OperationState {
    /// It has not ended.
    Running = 0,
    /// It has succeeded: its outcome can be taken.
    Succeeded = 1,
    /// It has failed: its outcome is the error.
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

/// What a started operation has brought.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// Nothing but that it is done.
    Done,
    /// An access token.
    Token(AccessToken),
    /// A session that was created, opened or resumed; `resumed` if it was there before.
    Session {
        /// The session.
        session: Session,
        /// It was not created, but found again.
        resumed: bool,
    },
    /// A session's properties.
    Properties(SessionProperties),
    /// The account's sessions.
    Sessions(Vec<ListedSession>),
    /// What earlier owners of the journal left behind.
    Recovered(Vec<Recovered>),
    /// A session was stopped.
    Stopped(Stopped),
    /// Many were.
    StoppedAll(StoppedAll),
}

/// What a job for the runtime is.
pub(crate) type Job = Box<dyn Operation<Outcome = Result<Outcome>> + Send>;

/// An operation that was started: it goes on by itself, and can be polled, waited for and cancelled from any thread.
///
/// Its end is also an [`Event`] of its client. Dropping it cancels it, but for a stop, which goes on.
#[derive(Debug)]
pub struct StartedOperation {
    core: Arc<Core>,
    ticket: Arc<Ticket>,
    prepared: Mutex<Option<Prepared>>,
}

impl StartedOperation {
    pub(super) fn prepare(core: &Arc<Core>, label: Label, prepared: Prepared) -> StartedOperation {
        let ticket = Ticket::new(&core.queue, label);
        StartedOperation { core: Arc::clone(core), ticket, prepared: Mutex::new(Some(prepared)) }
    }

    /// Lets it run. Until then nobody knows of it.
    #[doc(hidden)]
    pub fn begin(&self) -> Result<()> {
        let Some(prepared) = lock(&self.prepared).take() else { return Ok(()) };
        let submission = Submission { prepared, ticket: Some(Arc::clone(&self.ticket)) };
        Core::submit(&self.core, submission)
    }

    pub(super) fn begun(self) -> Result<StartedOperation> {
        self.begin()?;
        Ok(self)
    }

    /// How far it is. Neither waits nor allocates.
    pub fn state(&self) -> OperationState {
        self.ticket.state()
    }

    /// Waits until it has ended, up to `timeout`, and returns how far it is then.
    pub fn wait(&self, timeout: Duration) -> OperationState {
        let clock = &self.core.clock;
        let deadline = clock.now() + timeout;
        loop {
            let seen = self.ticket.ended.version();
            let state = self.state();
            if state != OperationState::Running || clock.now() >= deadline {
                return state;
            }
            clock.wait_for_work(&self.ticket.ended, seen, deadline);
        }
    }

    /// What it has brought, or by what error it has ended; as often as one likes.
    ///
    /// # Errors
    /// [`ErrorKind::Pending`] while it runs, [`ErrorKind::Cancelled`] if it was cancelled, else its own.
    pub fn outcome(&self) -> Result<Outcome> {
        self.ticket.outcome()
    }

    /// Ends it at once, for its caller: a request on the wire finishes by itself and its answer is dropped, but a session
    /// whose id comes back to a cancelled create is stopped. One that has ended already stays as it is.
    pub fn cancel(&self) {
        if self.ticket.cancel() {
            Core::cancelled(&self.core, &self.ticket);
        }
    }
}

impl StartedOperation {
    /// Its owner has gone: what dropping it does, also while somebody waits for it.
    #[doc(hidden)]
    pub fn let_go(&self) {
        // Before: neither this nor an end that comes at the same moment is told to anybody.
        self.ticket.place.close();
        // What was never begun has nobody to tell.
        let begun = lock(&self.prepared).is_none();
        if begun && !self.ticket.goes_on.load(Ordering::Acquire) {
            self.cancel();
        }
    }
}

impl Drop for StartedOperation {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// What an operation's owner and those who drive it share.
pub(crate) struct Ticket {
    state: AtomicU8,
    outcome: Mutex<Option<Result<Outcome>>>,
    ended: Signal,
    label: Label,
    place: Place,
    /// It goes on when nobody holds it any more.
    pub(crate) goes_on: std::sync::atomic::AtomicBool,
    /// The number under which the runtime drives it.
    pub(crate) task: std::sync::atomic::AtomicU64,
}

impl Ticket {
    fn new(queue: &Arc<Queue>, label: Label) -> Arc<Ticket> {
        Arc::new_cyclic(|this: &Weak<Ticket>| {
            let source: Weak<dyn EventSource> = this.clone();
            Ticket {
                state: AtomicU8::new(OperationState::Running as u8),
                outcome: Mutex::new(None),
                ended: Signal::default(),
                label,
                place: queue.register(source),
                goes_on: false.into(),
                task: 0.into(),
            }
        })
    }

    fn state(&self) -> OperationState {
        OperationState::of(self.state.load(Ordering::Acquire))
    }

    fn outcome(&self) -> Result<Outcome> {
        let outcome = lock(&self.outcome).clone();
        outcome.unwrap_or_else(|| {
            Err(Error::new(ErrorKind::Pending, "the operation has not ended yet: poll it, wait for it or pull events"))
        })
    }

    /// Ends it, if it has not ended. Whether it was this that ended it.
    pub(crate) fn finish(&self, outcome: Result<Outcome>) -> bool {
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

    pub(crate) fn cancel(&self) -> bool {
        self.finish(Err(cancelled()))
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state() == OperationState::Running
    }
}

pub(crate) fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the operation was cancelled before it ended")
}

impl EventSource for Ticket {
    fn fill(&self, event: &mut Event) {
        event.label = self.label;
        if let Some(outcome) = &*lock(&self.outcome) {
            match outcome {
                Ok(Outcome::Session { session, .. }) => event.session = Some(session.id().clone()),
                Ok(Outcome::Properties(properties)) => event.session = Some(properties.id.clone()),
                Ok(_) => {}
                Err(error) => event.error = Some(error.kind()),
            }
        }
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("state", &self.state()).field("label", &self.label).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Client;
    use crate::client::runtime::Urgency;
    use crate::clock::Instant;
    use crate::config::tests::config;
    use crate::protocol::{Step, Work};
    use crate::wire::Answer;

    const LONG: Duration = Duration::from_secs(20);

    /// Panics at work, in a step, or at the latest when it is left.
    struct Defect {
        works: bool,
        sleeps: bool,
    }

    impl Operation for Defect {
        type Outcome = Result<Outcome>;

        fn step(&mut self, _now: Instant, _answer: Option<Answer>) -> Step<Result<Outcome>> {
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

    fn start(client: &Client, job: Defect) -> StartedOperation {
        let prepared =
            Prepared { job: Box::new(job), deadline: client.core.now() + LONG, same: None, urgency: Urgency::Usual };
        StartedOperation::prepare(&client.core, Label::default(), prepared).begun().unwrap()
    }

    #[test]
    fn an_operation_that_panics_has_an_end_and_the_others_go_on() {
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
}

//! Stopping many sessions, several at a time.

use super::super::account::{Account, still_running};
use super::stop::stop;
use crate::clock::{Instant, lock};
use crate::error::{Error, Result};
use crate::model::{SessionId, SessionProperties, SessionStatus};
use crate::protocol::{self, ChangeMark, Chore, List, Operation, Step, Stopped};
use crate::wire::{Answer, Urgency};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The sessions that [`Client::stop_all`](crate::Client::stop_all) stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopScope {
    /// Those that this client created, or recovered as certainly its own ([`Claim::Ours`](crate::Claim::Ours)).
    Own,
    /// All of the account, including those of other clients, which other people may be using.
    Account,
}

/// The result of stopping many sessions.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StoppedAll {
    /// The number of sessions stopped.
    pub stopped: usize,
    /// The number of sessions that had already ended.
    pub already_gone: usize,
    /// The sessions that may still be running, and why.
    pub failed: Vec<(SessionId, Error)>,
}

impl StoppedAll {
    /// `self` if no session is left running; otherwise the first failure, with the number of failures in its message.
    ///
    /// # Errors
    /// Those of stopping a session.
    pub fn into_result(self) -> Result<StoppedAll> {
        let Some((_, error)) = self.failed.first() else { return Ok(self) };
        let message = format!(
            "stopping {} of {} sessions failed: {error}",
            self.failed.len(),
            self.failed.len() + self.stopped + self.already_gone
        );
        Err(error.clone().reworded(message))
    }
}

/// More at a time would not help: the service throttles accounts that exceed its rate limit.
const MOST_AT_A_TIME: usize = 8;
/// A stop without a reply for so long no longer counts, so that stops that hang do not keep the others from being sent.
const HANGS_AFTER: Duration = Duration::from_secs(1);

/// Stops the sessions that a client created at these accounts.
pub(in crate::client) fn stop_own(accounts: &[Arc<Account>], deadline: Instant) -> StopAll {
    let own = |account: &Arc<Account>| {
        account.registry.own().into_iter().map(|id| (Arc::clone(account), id)).collect::<Vec<_>>()
    };
    StopAll { queue: accounts.iter().flat_map(own).collect(), ..StopAll::new(None, deadline) }
}

/// Stops all sessions of an account, including those of other clients.
pub(in crate::client) fn stop_account(account: &Arc<Account>, deadline: Instant) -> StopAll {
    let list = protocol::list_urgently(&account.context, deadline);
    StopAll::new(Some((Arc::clone(account), list)), deadline)
}

/// Stops many sessions. Each stop is a separate operation, which continues regardless of this one.
pub(in crate::client) struct StopAll {
    deadline: Instant,
    listing: Option<(Arc<Account>, List)>,
    queue: VecDeque<(Arc<Account>, SessionId)>,
    /// The stops in progress, oldest first, and when each was started.
    running: VecDeque<(SessionId, Instant)>,
    progress: Arc<StopProgress>,
    result: StoppedAll,
}

#[derive(Default)]
struct StopProgress {
    ended: Mutex<Vec<(SessionId, Result<Stopped>)>>,
    count: Arc<AtomicU64>,
}

impl StopAll {
    fn new(listing: Option<(Arc<Account>, List)>, deadline: Instant) -> StopAll {
        StopAll {
            deadline,
            listing,
            queue: VecDeque::new(),
            running: VecDeque::new(),
            progress: Arc::default(),
            result: StoppedAll::default(),
        }
    }

    fn start(&mut self, now: Instant, account: &Arc<Account>, id: SessionId) -> Chore {
        self.running.push_back((id.clone(), now));
        let (progress, core) = (Arc::clone(&self.progress), Arc::clone(&account.core));
        let stop = stop(account, &id, self.deadline);
        Chore::new(stop, self.deadline, move |outcome: Result<Stopped>| {
            lock(&progress.ended).push((id, outcome));
            progress.count.fetch_add(1, Ordering::AcqRel);
            core.wake.notify();
        })
    }

    fn collect(&mut self) {
        let result = &mut self.result;
        for (id, outcome) in std::mem::take(&mut *lock(&self.progress.ended)) {
            self.running.retain(|(running, _)| *running != id);
            match outcome {
                Ok(Stopped { already_gone: false, .. }) => result.stopped += 1,
                Ok(Stopped { already_gone: true, .. }) => result.already_gone += 1,
                Err(error) => result.failed.push((id, error)),
            }
        }
    }
}

impl Operation for StopAll {
    type Outcome = Result<StoppedAll>;

    fn step(&mut self, now: Instant, answer: Option<Answer>) -> Step<Self::Outcome> {
        if let Some((account, list)) = &mut self.listing {
            let listed: Vec<SessionProperties> = match list.step(now, answer).outcome() {
                Ok(Ok(listed)) => listed,
                Ok(Err(error)) => {
                    account.core.stop_failed(&error);
                    return Step::Done(Err(error));
                }
                Err(step) => return step,
            };
            let running = listed.into_iter().filter(|session| session.status != SessionStatus::Stopping);
            self.queue = running.map(|session| (Arc::clone(account), session.id)).collect();
            self.listing = None;
        }
        let mark = ChangeMark::of(&self.progress.count);
        self.collect();
        if self.running.is_empty() && self.queue.is_empty() {
            return Step::Done(Ok(std::mem::take(&mut self.result)));
        }
        if now >= self.deadline || self.queue.is_empty() {
            return Step::AwaitChange(mark, Instant::NEVER);
        }
        let hangs_at = |(_, begun): &(SessionId, Instant)| *begun + HANGS_AFTER;
        let mut counted = self.running.iter().map(hangs_at).filter(|hangs_at| now < *hangs_at);
        match counted.clone().count() {
            0..MOST_AT_A_TIME => {}
            _ => return Step::AwaitChange(mark, counted.next().unwrap_or(Instant::NEVER)),
        }
        match self.queue.pop_front() {
            Some((account, id)) => Step::Start(self.start(now, &account, id)),
            None => Step::AwaitChange(mark, Instant::NEVER),
        }
    }

    fn thawed(&mut self, deadline: Instant) {
        self.deadline = deadline;
        self.listing.iter_mut().for_each(|(_, list)| list.thawed(deadline));
    }

    fn fail(&mut self, error: Error) -> Error {
        self.listing.iter().for_each(|(account, _)| account.core.stop_failed(&error));
        error
    }

    /// Stops that were started continue.
    fn at_deadline(&mut self) -> Option<Self::Outcome> {
        if self.listing.is_some() {
            return None;
        }
        self.collect();
        let running = self.running.drain(..).map(|(id, _)| id);
        let late = running.chain(self.queue.drain(..).map(|(_, id)| id));
        self.result.failed.extend(late.map(|id| {
            let error = still_running(&id, protocol::out_of_time());
            (id, error)
        }));
        Some(Ok(std::mem::take(&mut self.result)))
    }

    fn urgency(&self) -> Urgency {
        Urgency::Stop
    }
}

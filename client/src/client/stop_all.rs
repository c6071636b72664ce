//! Stopping many sessions, several at a time.

use super::Stopped;
use super::core::Core;
use super::site::Site;
use crate::client::runtime::Urgency;
use crate::clock::{Instant, lock};
use crate::error::{Error, Result};
use crate::model::{SessionId, SessionProperties, SessionStatus};
use crate::protocol::{self, List, Operation, Seen, Step};
use crate::wire::Answer;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Which sessions [`Client::stop_all`](crate::Client::stop_all) stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopScope {
    /// Those that this client created.
    Own,
    /// All of the account, whoever created them: other people may be using them.
    Account,
}

/// What became of the sessions.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StoppedAll {
    /// How many were stopped.
    pub stopped: usize,
    /// How many had ended already.
    pub already_gone: usize,
    /// Those that may still be running, and why.
    pub failed: Vec<(SessionId, Error)>,
}

impl StoppedAll {
    /// Itself, if no session is left running; else the first failure, which tells how many there are.
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

/// More at a time gain nothing: the service slows down accounts that are in a hurry.
const MOST_AT_A_TIME: usize = 8;

/// Stops many sessions. Each stop is an operation of its own, which goes on whatever becomes of this one.
pub(super) struct StopAll {
    core: Arc<Core>,
    deadline: Instant,
    listing: Option<(Arc<Site>, List)>,
    queue: VecDeque<(Arc<Site>, SessionId)>,
    running: usize,
    progress: Arc<Progress>,
    result: StoppedAll,
}

#[derive(Default)]
struct Progress {
    ended: Mutex<Vec<(SessionId, Result<Stopped>)>>,
    count: Arc<AtomicU64>,
}

impl StopAll {
    /// Those that these sites' clients created.
    pub(super) fn own(core: &Arc<Core>, sites: &[Arc<Site>], deadline: Instant) -> StopAll {
        let own =
            |site: &Arc<Site>| site.registry.own().into_iter().map(|id| (Arc::clone(site), id)).collect::<Vec<_>>();
        StopAll::new(core, None, sites.iter().flat_map(own).collect(), deadline)
    }

    /// All of the account at this site.
    pub(super) fn account(core: &Arc<Core>, site: &Arc<Site>, deadline: Instant) -> StopAll {
        let list = protocol::list_urgently(&site.context, deadline);
        StopAll::new(core, Some((Arc::clone(site), list)), VecDeque::new(), deadline)
    }

    fn new(
        core: &Arc<Core>,
        listing: Option<(Arc<Site>, List)>,
        queue: VecDeque<(Arc<Site>, SessionId)>,
        deadline: Instant,
    ) -> StopAll {
        let (progress, result) = (Arc::default(), StoppedAll::default());
        StopAll { core: Arc::clone(core), deadline, listing, queue, running: 0, progress, result }
    }

    fn start(&mut self, site: &Arc<Site>, id: SessionId) {
        let (core, progress, stopped_id) = (Arc::clone(&self.core), Arc::clone(&self.progress), id.clone());
        let stop = site.stop(&id, self.deadline);
        self.running += 1;
        Core::submit_chore(&self.core, stop, self.deadline, Urgency::Stop, move |outcome: Result<Stopped>| {
            lock(&progress.ended).push((stopped_id, outcome));
            progress.count.fetch_add(1, Ordering::AcqRel);
            core.signal.notify();
        });
    }

    fn collect(&mut self) {
        let result = &mut self.result;
        for (id, outcome) in std::mem::take(&mut *lock(&self.progress.ended)) {
            self.running -= 1;
            match outcome {
                Ok(Stopped { already_gone: false }) => result.stopped += 1,
                Ok(Stopped { already_gone: true }) => result.already_gone += 1,
                Err(error) => result.failed.push((id, error)),
            }
        }
    }
}

impl Operation for StopAll {
    type Outcome = Result<StoppedAll>;

    fn step(&mut self, now: Instant, answer: Option<Answer>) -> Step<Self::Outcome> {
        if let Some((site, list)) = &mut self.listing {
            let listed: Vec<SessionProperties> = match list.step(now, answer).outcome() {
                Ok(Ok(listed)) => listed,
                Ok(Err(error)) => return Step::Done(Err(error)),
                Err(step) => return step,
            };
            let running = listed.into_iter().filter(|session| session.status != SessionStatus::Stopping);
            self.queue = running.map(|session| (Arc::clone(site), session.id)).collect();
            self.listing = None;
        }
        let seen = Seen::of(&self.progress.count);
        self.collect();
        while self.running < MOST_AT_A_TIME
            && let Some((site, id)) = self.queue.pop_front()
        {
            self.start(&site, id);
        }
        if self.running == 0 {
            return Step::Done(Ok(std::mem::take(&mut self.result)));
        }
        Step::AwaitChange(seen)
    }
}

//! Stopping many sessions, several at a time.

use super::{Inner, Stopped};
use crate::clock::{Instant, lock};
use crate::error::{Error, Result};
use crate::operation;
use crate::session::{SessionId, SessionStatus};
use std::sync::Mutex;
use std::thread;

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
        let Some((id, error)) = self.failed.first() else { return Ok(self) };
        let message = format!(
            "{} of {} sessions may still be running, session {id} among them: {error}",
            self.failed.len(),
            self.failed.len() + self.stopped + self.already_gone
        );
        Err(error.clone().retold(error.kind(), message))
    }
}

/// More at a time gain nothing: the service slows down accounts that are in a hurry.
const MOST_AT_A_TIME: usize = 8;

pub(super) fn run(client: &Inner, scope: StopScope, deadline: Instant) -> Result<StoppedAll> {
    client.check_alive()?;
    let ids = match scope {
        StopScope::Own => client.registry.own(),
        StopScope::Account => {
            let list = operation::list_urgently(&client.context, deadline);
            let listed = client.run(list, deadline)?.into_iter();
            listed.filter(|session| session.status != SessionStatus::Stopping).map(|session| session.id).collect()
        }
    };
    let helpers = ids.len().min(MOST_AT_A_TIME).saturating_sub(1);
    let (queue, result) = (Mutex::new(ids.into_iter()), Mutex::new(StoppedAll::default()));
    let next = || lock(&queue).next();
    let work = || {
        while let Some(id) = next() {
            let outcome = client.stop(&id, deadline);
            let mut result = lock(&result);
            match outcome {
                Ok(Stopped { already_gone: false }) => result.stopped += 1,
                Ok(Stopped { already_gone: true }) => result.already_gone += 1,
                Err(error) => result.failed.push((id, error)),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..helpers {
            // Without a helper this thread does its part too.
            drop(thread::Builder::new().name("arr-stop".into()).spawn_scoped(scope, work));
        }
        work();
    });
    Ok(result.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

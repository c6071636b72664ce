//! Preparing for the suspension of the application.

use super::super::account::Account;
use super::super::accounts::Accounts;
use super::super::core::Core;
use super::super::state::{OnSuspend, SessionState};
use super::lease::{lease_leaving, update_lease};
use super::stop::stop;
use crate::clock::{Instant, Signal, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Lease;
use crate::protocol::{Chore, Operation};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Flushes the journal and handles each watched session as its options say. Waits up to `timeout`; unfinished work
/// continues.
pub(in crate::client) fn suspend(accounts: &Accounts, timeout: Duration) -> Result<()> {
    let core = &accounts.home.core;
    let until = core.now() + timeout;
    let deadline = core.deadline(Some(timeout.max(core.call_timeout)));
    let progress = Arc::new(SuspendProgress::default());
    for account in accounts.all() {
        for state in account.watched() {
            let wish = state.look(|known| known.watching.as_ref().map(|watching| watching.options.on_suspend));
            let Some(wish) = wish.filter(|_| !state.is_over()) else { continue };
            match wish {
                OnSuspend::Leave => {}
                OnSuspend::Extend(left) => match lease_for(&account, &state, left) {
                    Ok(Some(lease)) => {
                        let update = update_lease(&account, &state, lease, deadline);
                        SuspendProgress::start(&progress, core, update, deadline);
                    }
                    Ok(None) => {}
                    Err(error) => progress.failed(error),
                },
                OnSuspend::Stop => {
                    SuspendProgress::start(&progress, core, stop(&account, state.id(), deadline), deadline);
                }
            }
        }
    }
    if let Some(journal) = core.journal.clone() {
        // Not on this thread: the disk may take longer than `timeout`.
        lock(&progress.state).open += 1;
        let for_end = Arc::clone(&progress);
        core.http.aside(move || for_end.ended(journal.flush()));
    }
    progress.wait(core, until)
}

/// The lease that leaves this much; `None` if the current one suffices.
fn lease_for(account: &Account, state: &SessionState, left: Duration) -> Result<Option<Lease>> {
    let unit = account.context.service.lease_unit();
    let lease = lease_leaving(state, left, unit, account.core.now());
    // The cap limits the session's cost, so it applies to every extension.
    let cap = state.look(|known| known.watching.as_ref()?.cap());
    // Towards the end of the longest lease, less can be left.
    let longest = Some(account.context.service.longest_lease_within(Lease::MAX)).filter(|longest| left <= *longest);
    let stands = state.numbers().max_lease_ms;
    let lease = lease.map(|lease| cap.into_iter().chain(longest).fold(lease, Duration::min));
    lease.filter(|lease| lease.as_millis() > u128::from(stands)).map(Lease::new).transpose()
}

/// The progress of the work for all sessions.
#[derive(Default)]
struct SuspendProgress {
    state: Mutex<Open>,
    changed: Signal,
}

#[derive(Default)]
struct Open {
    open: usize,
    failed: Option<Error>,
}

impl SuspendProgress {
    fn start<T: 'static>(
        progress: &Arc<SuspendProgress>,
        core: &Arc<Core>,
        operation: impl Operation<Outcome = Result<T>> + Send + 'static,
        deadline: Instant,
    ) {
        lock(&progress.state).open += 1;
        let for_end = Arc::clone(progress);
        core.start(Chore::new(operation, deadline, move |outcome: Result<T>| for_end.ended(outcome)));
    }

    fn ended<T>(&self, outcome: Result<T>) {
        outcome.err().into_iter().for_each(|error| self.failed(error));
        lock(&self.state).open -= 1;
        self.changed.notify();
    }

    fn failed(&self, error: Error) {
        lock(&self.state).failed.get_or_insert(error);
    }

    fn wait(&self, core: &Core, until: Instant) -> Result<()> {
        loop {
            let seen = self.changed.version();
            let state = lock(&self.state);
            if state.open == 0 {
                return state.failed.clone().map_or(Ok(()), Err);
            }
            drop(state);
            core.check_alive()?;
            if core.now() >= until {
                let message = "not everything was done before the timeout; the rest continues if the system permits";
                return Err(Error::new(ErrorKind::Timeout, message));
            }
            core.clock.wait_for_work(&self.changed, seen, until);
        }
    }
}

//! The application is suspended, and comes back.

use super::Client;
use super::care::OnSuspend;
use super::core::Core;
use super::session::lease_leaving;
use crate::client::runtime::Urgency;
use crate::clock::{Instant, Signal, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Lease;
use crate::protocol::Operation;
use std::sync::{Arc, Mutex};
use std::time::Duration;

impl Client {
    /// The application is about to be suspended, as when a headset is taken off: flushes the journal and does with each
    /// watched session what its [`WatchOptions::on_suspend`](super::WatchOptions::on_suspend) says. From then on nothing is
    /// asked until [`Client::resume`], or until the time is seen to have jumped.
    ///
    /// Takes `timeout` at most.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] if not all was done in time: it goes on as far as the system lets it. Else the first failure.
    pub fn suspend(&self, timeout: Duration) -> Result<()> {
        let core = &self.core;
        core.check_alive()?;
        let until = core.now() + timeout;
        core.keeper.suspend();
        let wishes = Arc::new(Wishes::default());
        // What is not done in time goes on.
        let deadline = core.deadline(Some(timeout.max(core.call_timeout)));
        for (site, shared, wish) in core.keeper.on_suspend() {
            match wish {
                OnSuspend::Leave => {}
                OnSuspend::Extend(left) => {
                    let lease = lease_leaving(&shared, left, site.context.service.lease_unit(), core.now());
                    // What a session can cost is bounded, whoever has it extended.
                    let (cap, stands) =
                        (shared.look(|watch| watch.care.as_ref()?.cap()), shared.numbers().max_lease_ms);
                    let lease = lease.map(|lease| cap.map_or(lease, |cap| lease.min(cap)));
                    let lease = lease.filter(|lease| lease.as_millis() > u128::from(stands));
                    match lease.map(Lease::new).transpose() {
                        Ok(Some(lease)) => {
                            let update = site.update(&shared, lease, deadline);
                            Wishes::add(&wishes, core, update, deadline, Urgency::Urgent);
                        }
                        Ok(None) => {}
                        Err(error) => wishes.failed(error),
                    }
                }
                OnSuspend::Stop => {
                    Wishes::add(&wishes, core, site.stop(shared.id(), deadline), deadline, Urgency::Stop);
                }
            }
        }
        if let Some(journal) = core.journal.clone() {
            // Not here: another program may hold the journal's lock for longer than there is time.
            lock(&wishes.state).open += 1;
            let for_end = Arc::clone(&wishes);
            core.transport.aside(move || for_end.ended(journal.flush()));
        }
        wishes.wait(core, until)
    }

    /// The application is back: pooled connections, which are dead, are dropped; a token that has run out is renewed; and
    /// watched sessions are read anew before anything is said about them. Then an event says that it is done. Does not wait.
    ///
    /// The client notices by itself that the machine has slept, and does the same.
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`]; [`ErrorKind::Internal`] if there is no thread to be had.
    pub fn resume(&self) -> Result<()> {
        self.core.check_alive()?;
        // At once: the next call is not to find one of them.
        self.core.transport.reset();
        self.core.keeper.resume();
        Core::wake_driver(&self.core)
    }
}

/// What the sessions ask for, as far as it is done.
#[derive(Default)]
struct Wishes {
    state: Mutex<State>,
    changed: Signal,
}

#[derive(Default)]
struct State {
    open: usize,
    failed: Option<Error>,
}

impl Wishes {
    fn add<T: 'static>(
        wishes: &Arc<Wishes>,
        core: &Arc<Core>,
        operation: impl Operation<Outcome = Result<T>> + Send + 'static,
        deadline: Instant,
        urgency: Urgency,
    ) {
        lock(&wishes.state).open += 1;
        let for_end = Arc::clone(wishes);
        Core::submit_chore(core, operation, deadline, urgency, move |outcome: Result<T>| {
            for_end.ended(outcome);
        });
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
                let message = "not all was done in the time that was given; it goes on, as far as the system lets it";
                return Err(Error::new(ErrorKind::Timeout, message));
            }
            core.clock.wait_for_work(&self.changed, seen, until);
        }
    }
}

//! Extending leases, for a caller and for keep-alive.

use super::super::account::Account;
use super::super::state::{ExtensionEnd, SessionState, Watching};
use super::immediate::Immediate;
use crate::clock::Instant;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Lease, SessionProperties};
use crate::protocol::{self, Chore, Operation};
use std::sync::Arc;
use std::time::Duration;

/// Sets a session's whole lease. Relies on cached properties; reads nothing.
pub(in crate::client) fn update_lease(
    account: &Arc<Account>,
    state: &Arc<SessionState>,
    max_lease: Lease,
    deadline: Instant,
) -> Box<dyn Operation<Outcome = Result<SessionProperties>> + Send> {
    match check(account, state, max_lease) {
        Ok(Check::Send(max_lease)) => Box::new(send(account, state, max_lease, deadline)),
        Ok(Check::Stands(known)) => Box::new(Immediate::new(Ok(*known))),
        Err(error) => Box::new(Immediate::new(Err(error))),
    }
}

/// Extends the lease for keep-alive. One extension is in flight at a time.
pub(in crate::client) fn extension(
    account: &Arc<Account>,
    state: &Arc<SessionState>,
    lease: Duration,
) -> Option<Chore> {
    let lease = Lease::new(lease).and_then(|lease| account.context.service.lease(lease)).ok()?;
    state.look(|known| known.watching.iter_mut().for_each(Watching::extending));
    let deadline = account.core.deadline(None);
    let update = update_lease(account, state, lease, deadline);
    let (account, state) = (Arc::clone(account), Arc::clone(state));
    Some(Chore::new(update, deadline, move |outcome: Result<SessionProperties>| {
        extended(&account, &state, outcome.err());
    }))
}

/// The whole lease that leaves at least this much from now; `None` if the current one suffices. The service truncates
/// the used part to whole units, so up to one unit more may be used than reported.
pub(in crate::client) fn lease_leaving(
    state: &SessionState,
    left: Duration,
    unit: Duration,
    now: Instant,
) -> Option<Duration> {
    let (numbers, left) = (state.numbers(), left + unit);
    (numbers.remaining(now) < left).then(|| numbers.used(now) + left)
}

/// An extension has ended.
fn extended(account: &Account, state: &SessionState, failure: Option<Error>) {
    let core = &account.core;
    if core.is_shut_down() {
        // It was cancelled, or the session is no longer watched.
        return;
    }
    let how = failure.as_ref().map_or(ExtensionEnd::Done, |error| {
        core.log_failure(error);
        let pause = error.honoured_retry_after().unwrap_or_default().max(account.context.pacing.intervals.ready);
        let retry_at = core.now() + pause;
        match error.kind() {
            ErrorKind::BadRequest | ErrorKind::Conflict => ExtensionEnd::Refused { retry_at },
            _ => ExtensionEnd::Failed { retry_at },
        }
    });
    state.extension_ended(how, failure.as_ref().map(Error::kind));
}

enum Check {
    /// Send this lease.
    Send(Lease),
    /// The lease is already this long. Contains the cached properties.
    Stands(Box<SessionProperties>),
}

fn check(account: &Account, state: &SessionState, max_lease: Lease) -> Result<Check> {
    account.core.check_alive()?;
    let known = state.known(account.core.now());
    if !known.status.is_alive() {
        let message = format!("session {} has ended; its lease cannot be extended, create another", state.id());
        return Err(Error::new(ErrorKind::SessionEnded, message));
    }
    let max_lease = account.context.service.lease(max_lease)?;
    let wanted = max_lease.duration();
    match known.max_lease {
        Some(stands) if wanted == stands => return Ok(Check::Stands(Box::new(known))),
        Some(stands) if wanted < stands => {
            return Err(Error::invalid_argument(format!(
                "a lease of {} s is shorter than the {} s that stand; the whole lease is given, and it can only grow",
                wanted.as_secs(),
                stands.as_secs()
            )));
        }
        _ => {}
    }
    account.warn_of_lease(max_lease);
    Ok(Check::Send(max_lease))
}

fn send(
    account: &Arc<Account>,
    state: &Arc<SessionState>,
    max_lease: Lease,
    deadline: Instant,
) -> impl Operation<Outcome = Result<SessionProperties>> + Send + use<> {
    let wanted = max_lease.duration();
    let (epoch, earlier_lost) = (state.epoch(), state.look(|known| known.maybe_extended == Some(max_lease)));
    let update = protocol::update_lease(&account.context, state.id().clone(), max_lease, earlier_lost, deadline);
    let (account, state) = (Arc::clone(account), Arc::clone(state));
    update.then(move |updated: Result<Option<SessionProperties>>| {
        account.registry.changed();
        let lost = updated.as_ref().is_err_and(Error::is_outcome_unknown);
        state.look(|known| known.maybe_extended = lost.then_some(max_lease));
        match updated {
            Ok(Some(properties)) => state.was_updated(epoch, properties, wanted),
            Ok(None) => state.was_extended(wanted),
            Err(error) => {
                state.forget_reads();
                return Err(error);
            }
        }
        let log = &account.context.log;
        log.info(None, || format!("the lease of session {} is now {} s", state.id(), wanted.as_secs()));
        // The journal uses the lease to drop sessions that have certainly ended.
        let (service, id) = (Arc::clone(&account.context.service), state.id().clone());
        account.core.note(move |journal| journal.extended(&service, &id, max_lease));
        Ok(state.known(account.core.now()))
    })
}

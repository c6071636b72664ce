//! Extending leases, for a caller and for keep-alive.

use super::super::account::Account;
use super::super::state::{Extension, ExtensionEnd, SessionState};
use super::immediate::Immediate;
use crate::clock::Instant;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Lease, SessionProperties};
use crate::protocol::{self, Chore, Operation};
use std::sync::Arc;
use std::time::Duration;

/// Sets a session's total lease. Checks it against the cached properties, without a read.
pub(in crate::client) fn update_lease(
    account: &Arc<Account>,
    state: &Arc<SessionState>,
    max_lease: Lease,
    deadline: Instant,
) -> Box<dyn Operation<Outcome = Result<SessionProperties>> + Send> {
    match check(account, state, max_lease) {
        Ok(Check::Send(max_lease)) => {
            let (epoch, wanted) = (state.epoch(), max_lease.duration());
            let (update, state) = (send(account, state, max_lease, deadline), Arc::clone(state));
            let account = Arc::clone(account);
            Box::new(update.then(move |updated: Result<Option<SessionProperties>>| {
                match updated? {
                    Some(properties) => state.was_updated(epoch, properties, wanted),
                    None => state.was_extended(wanted),
                }
                Ok(state.known(account.core.now()))
            }))
        }
        Ok(Check::Stands(known)) => Box::new(Immediate::new(Ok(*known))),
        Err(error) => Box::new(Immediate::new(Err(error))),
    }
}

/// Extends the lease for keep-alive. One extension is in flight at a time. The reply is not trusted: the cached lease
/// does not change until the session has been read.
pub(in crate::client) fn extension(
    account: &Arc<Account>,
    state: &Arc<SessionState>,
    lease: Duration,
) -> Option<Chore> {
    let lease = Lease::new(lease).and_then(|lease| account.context.service.lease(lease)).ok()?;
    let before = Duration::from_millis(state.numbers().max_lease_ms);
    let extension = Extension { lease: lease.duration(), before };
    state.look(|known| known.watching.iter_mut().for_each(|watching| watching.extending(extension)));
    let deadline = account.core.deadline(None);
    account.warn_of_lease(lease);
    let update = send(account, state, lease, deadline);
    let (account, state) = (Arc::clone(account), Arc::clone(state));
    Some(Chore::new(update, deadline, move |outcome: Result<Option<SessionProperties>>| {
        extended(&account, &state, outcome.err());
    }))
}

/// The total lease that leaves at least this much from now; `None` if the current one suffices. The service truncates
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
        // The update was cancelled, and the session is no longer watched.
        return;
    }
    let pace = account.context.pacing.intervals.between_extensions();
    let how = match &failure {
        None => ExtensionEnd::Accepted { next_at: core.now() + pace },
        Some(error) => {
            core.log_failure(error);
            let retry_at = core.now() + error.honoured_retry_after().unwrap_or_default().max(pace);
            match error.kind() {
                _ if error.is_outcome_unknown() => ExtensionEnd::Lost { retry_at },
                ErrorKind::BadRequest | ErrorKind::Conflict => ExtensionEnd::Refused { retry_at },
                _ => ExtensionEnd::Failed { retry_at },
            }
        }
    };
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
        let message = format!("session {} has ended, so its lease cannot be extended; create another", state.id());
        return Err(Error::new(ErrorKind::SessionEnded, message));
    }
    let max_lease = account.context.service.lease(max_lease)?;
    let wanted = max_lease.duration();
    match known.max_lease {
        Some(stands) if wanted == stands => return Ok(Check::Stands(Box::new(known))),
        Some(stands) if wanted < stands => {
            return Err(Error::invalid_argument(format!(
                "`max_lease` of {} s is shorter than the current {} s; give the total lease, which can only grow",
                wanted.as_secs(),
                stands.as_secs()
            )));
        }
        _ => {}
    }
    account.warn_of_lease(max_lease);
    Ok(Check::Send(max_lease))
}

/// Sends the update. The caller stores what the reply says.
fn send(
    account: &Arc<Account>,
    state: &Arc<SessionState>,
    max_lease: Lease,
    deadline: Instant,
) -> impl Operation<Outcome = Result<Option<SessionProperties>>> + Send + use<> {
    let earlier_lost = state.look(|known| known.maybe_extended == Some(max_lease));
    let update = protocol::update_lease(&account.context, state.id().clone(), max_lease, earlier_lost, deadline);
    let (account, state) = (Arc::clone(account), Arc::clone(state));
    update.then(move |updated: Result<Option<SessionProperties>>| {
        account.registry.changed();
        match &updated {
            Ok(_) => state.look(|known| known.maybe_extended = None),
            Err(error) if error.is_outcome_unknown() => {
                state.look(|known| known.maybe_extended = Some(max_lease));
                account.lease_may_be(state.id(), max_lease.duration());
            }
            // An earlier one may still have been carried out.
            Err(_) => {}
        }
        if updated.is_err() {
            state.forget_reads();
            return updated;
        }
        let (log, lease) = (&account.context.log, max_lease.duration().as_secs());
        log.info(None, || format!("the service accepted a lease of {lease} s for session {}", state.id()));
        account.lease_may_be(state.id(), max_lease.duration());
        updated
    })
}

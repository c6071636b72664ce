//! Stopping a session.

use super::super::account::{Account, still_running};
use super::super::state::SessionState;
use crate::clock::Instant;
use crate::error::Result;
use crate::events::Label;
use crate::model::SessionId;
use crate::protocol::{self, Chore, Operation, Stopped};
use std::sync::Arc;

/// Stops a session that this client knows.
pub(in crate::client) fn stop(
    account: &Arc<Account>,
    id: &SessionId,
    deadline: Instant,
) -> impl Operation<Outcome = Result<Stopped>> + Send + use<> {
    let state = account.registry.find(id);
    // Discards the reads in flight before the stop, and again after it, whatever its outcome, for reads begun
    // meanwhile.
    state.iter().for_each(|state| state.forget_reads());
    let stop = protocol::stop(&account.context, id, account.registry.may_be_stopped(id), deadline);
    let (account, id) = (Arc::clone(account), id.clone());
    stop.then(move |stopped: Result<Stopped>| {
        account.registry.stop_ended(&id, &stopped);
        match stopped {
            Ok(stopped) => {
                state.iter().for_each(|state| state.was_stopped());
                let how = if stopped.already_gone { "had already ended" } else { "was stopped" };
                account.context.log.info(None, || format!("session {id} {how}"));
                // Of one that was never seen, 404 may only mean that it has not come yet.
                if !(stopped.already_gone && account.registry.may_arrive(&id, account.core.now())) {
                    account.ended(&id);
                }
                Ok(stopped)
            }
            Err(error) => {
                state.iter().for_each(|state| state.forget_reads());
                let over = state.is_some_and(|state| !state.known(account.core.now()).status.is_alive());
                if over {
                    return Err(error);
                }
                let error = still_running(&id, error);
                account.core.stop_failed(&error);
                Err(error)
            }
        }
    })
}

/// Stops a session whose create's caller has gone, unless another handle exists.
pub(in crate::client) fn give_back(account: &Arc<Account>, state: &Arc<SessionState>) -> Option<Chore> {
    if !account.registry.owns(state.id()) || Arc::strong_count(state) > 1 {
        return None;
    }
    let (id, core) = (state.id().clone(), Arc::clone(&account.core));
    let deadline = core.now() + core.attempt_timeout;
    Some(Chore::new(stop(account, &id, deadline), deadline, move |outcome: Result<Stopped>| {
        if let Err(error) = outcome {
            core.report_left_running(Label::default(), &id, &error);
        }
    }))
}

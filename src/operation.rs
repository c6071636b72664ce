//! `arr_operation`: an operation that was started and runs in the background.

use super::client::{out_handle, wait_timeout, write_stopped_all, write_token};
use super::error_info::arr_error_info;
use super::guard;
use super::handle::{Table, table};
use super::session::{self, arr_session};
use super::session_list::{arr_session_list, hand_out_list};
use super::session_properties::arr_session_properties;
use super::status::{ARR_OK, arr_status, code};
use super::structs::Out;
use crate::client::arr_stop_all_result;
use client::{
    AccessToken, AnyOperation, Call, Error, ErrorKind, Label, ListedSession, OperationState, Recovered, Result, Reused,
    Session, SessionProperties, StartedOperation, Stopped, StoppedAll, abi,
};
use std::ffi::c_char;
use std::sync::Arc;

/// An operation started by a `_start` function. A handle.
pub struct arr_operation {
    _private: [u8; 0],
}

/// State of an operation, an ARR_OPERATION_... value. It leaves ARR_OPERATION_RUNNING exactly once.
pub type arr_operation_state = i32;
/// It has not ended.
pub const ARR_OPERATION_RUNNING: arr_operation_state = 0;
/// It has succeeded. The arr_operation_get_... function for its kind returns the result.
pub const ARR_OPERATION_SUCCEEDED: arr_operation_state = 1;
/// It has failed. arr_operation_get_error() says why.
pub const ARR_OPERATION_FAILED: arr_operation_state = 2;
/// It was cancelled, or its client was shut down or freed.
pub const ARR_OPERATION_CANCELLED: arr_operation_state = 3;

/// An operation, by the type of its result.
pub(super) enum TypedOperation {
    Token(StartedOperation<AccessToken>),
    Opened(StartedOperation<Session>),
    /// A create is one too: the session may have existed under the given id.
    Reused(StartedOperation<Reused>),
    Properties(StartedOperation<SessionProperties>),
    Sessions(StartedOperation<Vec<ListedSession>>),
    Recovered(StartedOperation<Vec<Recovered>>),
    Stopped(StartedOperation<Stopped>),
    StoppedAll(StartedOperation<StoppedAll>),
}

impl TypedOperation {
    pub(super) fn any(&self) -> &dyn AnyOperation {
        match self {
            TypedOperation::Token(operation) => operation,
            TypedOperation::Opened(operation) => operation,
            TypedOperation::Reused(operation) => operation,
            TypedOperation::Properties(operation) => operation,
            TypedOperation::Sessions(operation) => operation,
            TypedOperation::Recovered(operation) => operation,
            TypedOperation::Stopped(operation) => operation,
            TypedOperation::StoppedAll(operation) => operation,
        }
    }
}

static OPERATIONS: Table<TypedOperation> = table!(4, "arr_operation");

/// The operation of a handle.
pub(super) fn find_operation(operation: *const arr_operation) -> Result<Arc<TypedOperation>> {
    OPERATIONS.get(operation)
}

/// Creates the handle of an operation, and starts it.
///
/// # Safety
/// `place` is NULL or writable.
pub(super) unsafe fn start(
    place: *mut *mut arr_operation,
    user_data: u64,
    prepare: impl FnOnce(Label) -> Result<TypedOperation>,
) -> Result<()> {
    // SAFETY: the caller's promise.
    let place = unsafe { out_handle(place, "operation") }?;
    let handle = OPERATIONS.insert_with(|handle: *mut arr_operation| {
        // An event that arrives before this function returns already contains the handle.
        prepare(abi::label(user_data, handle.addr() as u64))
    })?;
    if let Err(error) = OPERATIONS.get(handle).and_then(|operation| operation.any().begin()) {
        drop(OPERATIONS.remove(handle));
        return Err(error);
    }
    // SAFETY: `out_handle` has checked the place, and written to it.
    unsafe { place.write_unaligned(handle) };
    Ok(())
}

/// An operation that [`start`] lets run.
pub(super) fn prepare<T: Clone + Send + Sync + 'static>(call: Call<T>, label: Label) -> Result<StartedOperation<T>> {
    abi::labelled(call, label).prepare()
}

fn number(state: OperationState) -> arr_operation_state {
    match state {
        OperationState::Succeeded => ARR_OPERATION_SUCCEEDED,
        OperationState::Failed => ARR_OPERATION_FAILED,
        OperationState::Cancelled => ARR_OPERATION_CANCELLED,
        _ => ARR_OPERATION_RUNNING,
    }
}

/// Returns the state of an operation. Cheap enough to call in every frame.
///
///   operation  The operation.
///   state      Out.
///   error      Out, may be NULL.
///
/// Does not block or allocate. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_operation_poll(
    operation: *mut arr_operation,
    state: *mut arr_operation_state,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_operation_poll", error, || {
            let operation = OPERATIONS.get(operation)?;
            if state.is_null() {
                return Err(abi::invalid_argument("the output `state` is NULL"));
            }
            state.write_unaligned(number(operation.any().state()));
            Ok(())
        })
    }
}

/// Waits until an operation has ended. On ARR_ERROR_TIMEOUT, `state` is ARR_OPERATION_RUNNING.
///
///   operation   The operation.
///   state       Out, may be NULL.
///   timeout_ms  Time limit. 0 does not wait; ARR_WAIT_FOREVER and ARR_TIMEOUT_DEFAULT have no limit.
///   error       Out, may be NULL.
///
/// Errors: ARR_ERROR_TIMEOUT if it is still running. ARR_OK if it has ended, even by failing.
/// Blocks. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_operation_wait(
    operation: *mut arr_operation,
    state: *mut arr_operation_state,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_operation_wait", error, || {
            let timeout = wait_timeout(timeout_ms);
            let reached = OPERATIONS.get(operation)?.any().wait(timeout);
            if !state.is_null() {
                state.write_unaligned(number(reached));
            }
            if reached == OperationState::Running {
                return Err(abi::error(ErrorKind::Timeout, "the operation is still running; wait again"));
            }
            Ok(())
        })
    }
}

/// Cancels an operation. When this function returns, the operation is ARR_OPERATION_CANCELLED, unless it had already
/// ended. Its event is posted as usual.
///
/// A request in flight continues and its reply is dropped. If a cancelled create still receives a session, the library
/// stops that session. Cancelling a stop that has not been sent prevents the stop. If you just do not need its result,
/// free the operation instead: then the stop continues.
///
///   operation  The operation.
///   error      Out, may be NULL.
///
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_operation_cancel(operation: *mut arr_operation, error: *mut arr_error_info) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_operation_cancel", error, || {
            OPERATIONS.get(operation)?.any().cancel();
            Ok(())
        })
    }
}

/// Returns the outcome of an operation: the status and `error` that the blocking function would have returned.
///
///   operation  The operation.
///   error      Out, may be NULL.
///
/// Errors: ARR_ERROR_PENDING while it is running; ARR_ERROR_CANCELLED if it was cancelled; otherwise its own status.
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_operation_get_error(
    operation: *mut arr_operation,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe { guard::status("arr_operation_get_error", error, || OPERATIONS.get(operation)?.any().succeeded()) }
}

/// Returns the session of a create, an open or a reuse. Each call returns a new handle.
///
///   operation   From arr_session_create_start(), arr_session_open_start() or arr_session_reuse_or_create_start().
///   session     Out. Free it with arr_session_free(). NULL on failure.
///   properties  Out, may be NULL. The cached properties of the session.
///   reused      Out, may be NULL. 1 if the session existed already, even if a create opened it under the given id; 0 if
///               it was created.
///   error       Out, may be NULL.
///
/// Errors: those of arr_operation_get_error(); ARR_ERROR_INVALID_ARGUMENT for an operation of another kind.
/// Does not block. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_operation_get_session(
    operation: *mut arr_operation,
    session: *mut *mut arr_session,
    properties: *mut arr_session_properties,
    reused: *mut i32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_operation_get_session", error, || {
            let place = out_handle(session, "session")?;
            let properties = Out::optional(properties, "properties")?;
            let (session, was_there) = match &*OPERATIONS.get(operation)? {
                TypedOperation::Opened(operation) => (operation.outcome()?, true),
                TypedOperation::Reused(operation) => {
                    let found = operation.outcome()?;
                    (found.session, found.reused)
                }
                other => return Err(other.is_not("a session")),
            };
            if !reused.is_null() {
                reused.write_unaligned(was_there.into());
            }
            session::hand_out(|| Ok(session), place, properties)
        })
    }
}

/// Returns the properties from a read, a wait or a lease update.
///
///   operation   From arr_session_get_properties_start(), arr_session_wait_until_ready_start() or
///               arr_session_update_lease_start().
///   properties  Out.
///   error       Out, may be NULL.
///
/// Errors: those of arr_operation_get_error(); ARR_ERROR_INVALID_ARGUMENT for an operation of another kind.
/// Does not block. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_operation_get_properties(
    operation: *mut arr_operation,
    properties: *mut arr_session_properties,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_operation_get_properties", error, || {
            let place = Out::required(properties, "properties")?;
            match &*OPERATIONS.get(operation)? {
                TypedOperation::Properties(operation) => {
                    place.write(&arr_session_properties::from(&operation.outcome()?));
                    Ok(())
                }
                other => Err(other.is_not("properties")),
            }
        })
    }
}

/// Returns the sessions of a list or a recovery. Each call returns a new list.
///
///   operation  From arr_client_list_sessions_start() or arr_client_recover_sessions_start().
///   list       Out. Free it with arr_session_list_free(). NULL on failure.
///   error      Out, may be NULL.
///
/// Errors: those of arr_operation_get_error(); ARR_ERROR_INVALID_ARGUMENT for an operation of another kind.
/// Does not block. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_operation_get_list(
    operation: *mut arr_operation,
    list: *mut *mut arr_session_list,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_operation_get_list", error, || {
            let place = out_handle(list, "list")?;
            let list = match &*OPERATIONS.get(operation)? {
                TypedOperation::Sessions(operation) => hand_out_list(|| Ok(operation.outcome()?.into()))?,
                TypedOperation::Recovered(operation) => hand_out_list(|| Ok(operation.outcome()?.into()))?,
                other => return Err(other.is_not("a list")),
            };
            place.write_unaligned(list);
            Ok(())
        })
    }
}

/// Returns the access token that was fetched. See arr_client_get_token().
///
///   operation          From arr_client_get_token_start().
///   buffer             Out. The token and a final NUL. NULL with a `capacity` of 0 queries the size. The token is a
///                      secret.
///   capacity           Size of the buffer in bytes; 4096 is enough for the public service's tokens.
///   needed             Out, may be NULL. The required size with the NUL, on ARR_OK and ARR_ERROR_BUFFER_TOO_SMALL.
///   remaining_seconds  Out, may be NULL. How long the token was valid when the operation ended: 0 if it had expired,
///                      ARR_TOKEN_EXPIRY_UNKNOWN if the token does not say.
///   error              Out, may be NULL.
///
/// Errors: those of arr_operation_get_error(); ARR_ERROR_BUFFER_TOO_SMALL if the token does not fit (the buffer is
/// unchanged); ARR_ERROR_INVALID_ARGUMENT for an operation of another kind.
/// Does not block. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_operation_get_token(
    operation: *mut arr_operation,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
    remaining_seconds: *mut u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status_with_secrets("arr_operation_get_token", error, || match &*OPERATIONS.get(operation)? {
            TypedOperation::Token(operation) => {
                write_token(&operation.outcome()?, buffer, capacity, needed, remaining_seconds)
            }
            other => Err(other.is_not("a token")),
        })
    }
}

/// Returns the result of a stop.
///
///   operation     From arr_session_stop_start().
///   already_gone  Out, may be NULL. As for arr_session_stop().
///   error         Out, may be NULL.
///
/// Errors: those of arr_operation_get_error(); ARR_ERROR_INVALID_ARGUMENT for an operation of another kind.
/// Does not block. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_operation_get_stop(
    operation: *mut arr_operation,
    already_gone: *mut i32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_operation_get_stop", error, || match &*OPERATIONS.get(operation)? {
            TypedOperation::Stopped(operation) => {
                let stopped = operation.outcome()?;
                if !already_gone.is_null() {
                    already_gone.write_unaligned(stopped.already_gone.into());
                }
                Ok(())
            }
            other => Err(other.is_not("a stop")),
        })
    }
}

/// Returns the result of stopping many sessions.
///
///   operation  From arr_client_stop_all_start().
///   result     Out, may be NULL. Also set if the call fails because some sessions could not be stopped.
///   error      Out, may be NULL. On failure it describes the first session that could not be stopped.
///
/// Errors: those of arr_operation_get_error(); the status of the first failed stop; ARR_ERROR_INVALID_ARGUMENT for an
/// operation of another kind.
/// Does not block. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_operation_get_stop_all(
    operation: *mut arr_operation,
    result: *mut arr_stop_all_result,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_operation_get_stop_all", error, || {
            let result = Out::optional(result, "result")?;
            match &*OPERATIONS.get(operation)? {
                TypedOperation::StoppedAll(operation) => write_stopped_all(operation.outcome()?, result),
                other => Err(other.is_not("a stop of many")),
            }
        })
    }
}

/// Frees an operation and removes its event from the queue. If it is running, cancels it like arr_operation_cancel();
/// but a stop (of one session or of many) continues.
///
///   operation  The operation. NULL or a freed handle is ignored.
///
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn arr_operation_free(operation: *mut arr_operation) {
    guard::value("arr_operation_free", (), || {
        if let Some(operation) = OPERATIONS.remove(operation) {
            // Immediately, even while another call holds it.
            abi::release(operation.any());
        }
    });
}

impl TypedOperation {
    /// The error for requesting the wrong kind of result. If the operation has not succeeded, its own error.
    fn is_not(&self, wanted: &str) -> Error {
        if let Err(error) = self.any().succeeded() {
            return error;
        }
        let result = match self {
            TypedOperation::Token(_) => "a token (arr_operation_get_token)",
            TypedOperation::Opened(_) | TypedOperation::Reused(_) => "a session (arr_operation_get_session)",
            TypedOperation::Properties(_) => "properties (arr_operation_get_properties)",
            TypedOperation::Sessions(_) | TypedOperation::Recovered(_) => "a list (arr_operation_get_list)",
            TypedOperation::Stopped(_) => "a stop (arr_operation_get_stop)",
            TypedOperation::StoppedAll(_) => "a stop of many (arr_operation_get_stop_all)",
        };
        abi::invalid_argument(format!("the result of the operation is {result}, not {wanted}"))
    }
}

/// The status of an operation for an event.
pub(super) fn status_of(error: Option<client::ErrorKind>) -> arr_status {
    error.map_or(ARR_OK, code)
}

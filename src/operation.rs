//! `arr_operation`: an operation that was started and runs in the background.

use super::client::{out_handle, wait_timeout, write_stopped_all, write_token};
use super::error_info::arr_error_info;
use super::guard::{self, Quiet};
use super::handle::Table;
use super::session::{self, arr_session};
use super::session_list::{arr_session_list, hand_out_list};
use super::session_properties::arr_session_properties;
use super::status::{ARR_OK, arr_status, code};
use super::structs::Out;
use crate::client::arr_stop_all_result;
use client::{
    AccessToken, AnyOperation, Call, Error, Label, ListedSession, OperationState, Recovered, Result, Resumed, Session,
    SessionProperties, StartedOperation, Stopped, StoppedAll, abi,
};
use std::ffi::c_char;

/// An operation that was started by a function whose name ends in _start. A handle: a value that is looked up, never a
/// pointer to follow.
pub struct arr_operation {
    _private: [u8; 0],
}

/// How far an operation is, an ARR_OPERATION_... value. It reaches exactly one end.
pub type arr_operation_state = i32;
/// It has not ended.
pub const ARR_OPERATION_RUNNING: arr_operation_state = 0;
/// It has succeeded: the function that fits its kind gives what it has brought.
pub const ARR_OPERATION_SUCCEEDED: arr_operation_state = 1;
/// It has failed: arr_operation_get_error() tells why.
pub const ARR_OPERATION_FAILED: arr_operation_state = 2;
/// It was cancelled, or its client ended.
pub const ARR_OPERATION_CANCELLED: arr_operation_state = 3;

/// An operation, by the type of its result.
pub(super) enum TypedOperation {
    Token(StartedOperation<AccessToken>),
    Created(StartedOperation<Session>),
    Opened(StartedOperation<Session>),
    Resumed(StartedOperation<Resumed>),
    Properties(StartedOperation<SessionProperties>),
    Sessions(StartedOperation<Vec<ListedSession>>),
    Recovered(StartedOperation<Vec<Recovered>>),
    Stopped(StartedOperation<Stopped>),
    StoppedAll(StartedOperation<StoppedAll>),
}

impl TypedOperation {
    fn any(&self) -> &dyn AnyOperation {
        match self {
            TypedOperation::Token(operation) => operation,
            TypedOperation::Created(operation) | TypedOperation::Opened(operation) => operation,
            TypedOperation::Resumed(operation) => operation,
            TypedOperation::Properties(operation) => operation,
            TypedOperation::Sessions(operation) => operation,
            TypedOperation::Recovered(operation) => operation,
            TypedOperation::Stopped(operation) => operation,
            TypedOperation::StoppedAll(operation) => operation,
        }
    }
}

static OPERATIONS: Table<TypedOperation> = Table::new(4, "arr_operation");

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

/// How far an operation is. Neither waits nor allocates: for every frame.
///
/// - operation: the operation.
/// - state: receives it.
/// - error: may be NULL.
///
/// Threads: any.
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
                return Err(abi::invalid_argument("the place for the state is NULL"));
            }
            state.write_unaligned(number(operation.any().state()));
            Ok(())
        })
    }
}

/// Waits until an operation has ended.
///
/// - operation: the operation.
/// - state: receives how far it is. May be NULL.
/// - timeout_ms: how long to wait. 0 does not wait; ARR_WAIT_FOREVER waits as long as it takes.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_TIMEOUT if it is still running, and ARR_OK if it has ended, however. Blocks. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_operation_wait(
    operation: *mut arr_operation,
    state: *mut arr_operation_state,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::quiet("arr_operation_wait", error, || {
            let timeout = wait_timeout(timeout_ms);
            let reached = OPERATIONS.get(operation)?.any().wait(timeout);
            if !state.is_null() {
                state.write_unaligned(number(reached));
            }
            Ok(if reached == OperationState::Running {
                Quiet::Timeout("the operation is still running; wait again")
            } else {
                Quiet::Done
            })
        })
    }
}

/// Ends an operation at once, for its caller: it is ARR_OPERATION_CANCELLED when this returns, and no other thread has to
/// agree. A request that is on the wire finishes by itself, and its answer is dropped; but a session whose id comes back to
/// a cancelled create is stopped. A stop that is cancelled before it was sent is not made: free its operation instead, and it goes
/// on. An operation that has ended already stays as it is.
///
/// - operation: the operation.
/// - error: may be NULL.
///
/// Neither waits nor blocks. Threads: any.
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

/// How an operation has ended: returns what the blocking function would have returned, and fills `error` as it would have.
///
/// - operation: the operation.
/// - error: receives it. May be NULL.
///
/// Returns ARR_OK if it has succeeded, ARR_ERROR_PENDING while it is running, ARR_ERROR_CANCELLED if it was cancelled, else
/// its own status. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_operation_get_error(
    operation: *mut arr_operation,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe { guard::status("arr_operation_get_error", error, || OPERATIONS.get(operation)?.any().succeeded()) }
}

/// The session that a create, an open or a resume has brought. Each call gives a handle of its own. Sends nothing.
///
/// - operation: one that arr_session_create_start(), arr_session_open_start() or arr_session_resume_or_create_start() has
///   started.
/// - session: receives a handle, to be freed by arr_session_free(); NULL after a failure.
/// - properties: receives what is known of it. May be NULL.
/// - resumed: receives 1 if it was there before, 0 if it was created. May be NULL.
/// - error: may be NULL.
///
/// Returns what arr_operation_get_error() returns, and ARR_ERROR_INVALID_ARGUMENT for an operation of another kind. Threads:
/// any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_operation_get_session(
    operation: *mut arr_operation,
    session: *mut *mut arr_session,
    properties: *mut arr_session_properties,
    resumed: *mut i32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_operation_get_session", error, || {
            let place = out_handle(session, "session")?;
            let properties = Out::optional(properties, "properties")?;
            let (session, was_there) = match &*OPERATIONS.get(operation)? {
                TypedOperation::Created(operation) => (operation.outcome()?, false),
                TypedOperation::Opened(operation) => (operation.outcome()?, true),
                TypedOperation::Resumed(operation) => {
                    let found = operation.outcome()?;
                    (found.session, found.resumed)
                }
                other => return Err(other.is_not("a session")),
            };
            if !resumed.is_null() {
                resumed.write_unaligned(was_there.into());
            }
            session::hand_out(session, place, properties)
        })
    }
}

/// The properties that a read, a wait or an update of the lease has brought. Sends nothing.
///
/// - operation: one that arr_session_get_properties_start(), arr_session_wait_until_ready_start() or
///   arr_session_update_lease_start() has started.
/// - properties: receives them.
/// - error: may be NULL.
///
/// Returns what arr_operation_get_error() returns, and ARR_ERROR_INVALID_ARGUMENT for an operation of another kind. Threads:
/// any.
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

/// The sessions that a list or a recovery has brought. Each call gives a list of its own. Sends nothing.
///
/// - operation: one that arr_client_list_sessions_start() or arr_client_recover_sessions_start() has started.
/// - list: receives a handle, to be freed by arr_session_list_free(); NULL after a failure.
/// - error: may be NULL.
///
/// Returns what arr_operation_get_error() returns, and ARR_ERROR_INVALID_ARGUMENT for an operation of another kind. Threads:
/// any.
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
                TypedOperation::Sessions(operation) => hand_out_list(operation.outcome()?.into())?,
                TypedOperation::Recovered(operation) => hand_out_list(operation.outcome()?.into())?,
                other => return Err(other.is_not("a list")),
            };
            place.write_unaligned(list);
            Ok(())
        })
    }
}

/// The access token that arr_client_get_token_start() has brought, as arr_client_get_token() gives it. Sends nothing.
///
/// - operation: the operation.
/// - buffer: receives the token and a final NUL. May be NULL if capacity is 0, to ask for the size. It is a secret.
/// - capacity: the size of the buffer in bytes; 4096 is enough for the public service's tokens.
/// - needed: receives the bytes needed, the final NUL included, on ARR_OK and ARR_ERROR_BUFFER_TOO_SMALL. May be NULL.
/// - remaining_seconds: receives how long the token was good when it came; 0 if it does not say. May be NULL.
/// - error: may be NULL.
///
/// Returns what arr_operation_get_error() returns, ARR_ERROR_BUFFER_TOO_SMALL if the token does not fit, and
/// ARR_ERROR_INVALID_ARGUMENT for an operation of another kind. Threads: any.
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
        guard::status("arr_operation_get_token", error, || match &*OPERATIONS.get(operation)? {
            TypedOperation::Token(operation) => {
                write_token(&operation.outcome()?, buffer, capacity, needed, remaining_seconds)
            }
            other => Err(other.is_not("a token")),
        })
    }
}

/// What a stop has brought. Sends nothing.
///
/// - operation: one that arr_session_stop_start() has started.
/// - already_gone: receives 1 if the service said that the session had ended before, else 0. May be NULL.
/// - error: may be NULL.
///
/// Returns what arr_operation_get_error() returns, and ARR_ERROR_INVALID_ARGUMENT for an operation of another kind. Threads:
/// any.
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

/// What stopping many sessions has brought. Sends nothing.
///
/// - operation: one that arr_client_stop_all_start() has started.
/// - result: receives how many were stopped, and how many were not. May be NULL.
/// - error: may be NULL. After a failure it is about the first session that could not be stopped.
///
/// Returns ARR_OK if no session is left running, else the status of the first that may be; what arr_operation_get_error()
/// returns; and ARR_ERROR_INVALID_ARGUMENT for an operation of another kind. Threads: any.
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

/// Frees an operation. One that is running is cancelled, as by arr_operation_cancel(), but for a stop, which goes on; its
/// events are taken out of the queue.
///
/// - operation: NULL, or a handle that was freed before, is left alone.
///
/// Neither waits nor blocks. Threads: any.
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
    /// The error of asking for another result than the operation has: its own error if it has not succeeded.
    fn is_not(&self, wanted: &str) -> Error {
        if let Err(error) = self.any().succeeded() {
            return error;
        }
        let brought = match self {
            TypedOperation::Token(_) => "a token (arr_operation_get_token)",
            TypedOperation::Created(_) | TypedOperation::Opened(_) | TypedOperation::Resumed(_) => {
                "a session (arr_operation_get_session)"
            }
            TypedOperation::Properties(_) => "properties (arr_operation_get_properties)",
            TypedOperation::Sessions(_) | TypedOperation::Recovered(_) => "a list (arr_operation_get_list)",
            TypedOperation::Stopped(_) => "a stop (arr_operation_get_stop)",
            TypedOperation::StoppedAll(_) => "a stop of many (arr_operation_get_stop_all)",
        };
        abi::invalid_argument(format!("the operation has brought {brought}, not {wanted}"))
    }
}

/// The status of an operation for an event.
pub(super) fn status_of(error: Option<client::ErrorKind>) -> arr_status {
    error.map_or(ARR_OK, code)
}

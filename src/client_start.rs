//! The non-blocking `_start` variants of the functions of `arr_client`.

use super::client::{arr_client, arr_stop_scope, find, stop_scope, within};
use super::error_info::arr_error_info;
use super::guard;
use super::operation::{TypedOperation, arr_operation, prepare, start};
use super::status::arr_status;

/// Starts arr_client_get_token(). Result: arr_operation_get_token().
///
/// Calls started at about the same time share one request.
///
///   client      The client.
///   user_data   Any value; returned in arr_event.user_data.
///   operation   Out. Free it with arr_operation_free(). NULL on failure.
///   timeout_ms  Time limit, not 0; see Timeouts.
///   error       Out, may be NULL.
///
/// Errors: see Operations.
/// Does not block. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_get_token_start(
    client: *mut arr_client,
    user_data: u64,
    operation: *mut *mut arr_operation,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_client_get_token_start", error, || {
            start(operation, user_data, |label| {
                let client = find(client)?;
                prepare(within(client.access_token(), timeout_ms), label).map(TypedOperation::Token)
            })
        })
    }
}

/// Starts arr_client_list_sessions(). Result: arr_operation_get_list().
///
/// Calls started at about the same time share one request.
///
///   client      The client.
///   user_data   Any value; returned in arr_event.user_data.
///   operation   Out. Free it with arr_operation_free(). NULL on failure.
///   timeout_ms  Time limit, not 0; see Timeouts.
///   error       Out, may be NULL.
///
/// Errors: see Operations.
/// Does not block. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_list_sessions_start(
    client: *mut arr_client,
    user_data: u64,
    operation: *mut *mut arr_operation,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_client_list_sessions_start", error, || {
            start(operation, user_data, |label| {
                let client = find(client)?;
                prepare(within(client.list_sessions(), timeout_ms), label).map(TypedOperation::Sessions)
            })
        })
    }
}

/// Starts arr_client_recover_sessions(). Result: arr_operation_get_list().
///
///   client      The client, created with a journal_folder.
///   user_data   Any value; returned in arr_event.user_data.
///   operation   Out. Free it with arr_operation_free(). NULL on failure.
///   timeout_ms  Time limit, not 0; see Timeouts.
///   error       Out, may be NULL.
///
/// Errors: see Operations. ARR_ERROR_INVALID_ARGUMENT if the client has no journal.
/// Does not block. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_recover_sessions_start(
    client: *mut arr_client,
    user_data: u64,
    operation: *mut *mut arr_operation,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_client_recover_sessions_start", error, || {
            start(operation, user_data, |label| {
                let client = find(client)?;
                prepare(within(client.recover_sessions(), timeout_ms), label).map(TypedOperation::Recovered)
            })
        })
    }
}

/// Starts arr_client_stop_all(). Result: arr_operation_get_stop_all().
///
/// Stopping never waits for other operations, and continues when the operation is freed or the client is shut down or
/// freed.
///
///   client      The client.
///   scope       ARR_STOP_SCOPE_OWN or ARR_STOP_SCOPE_ACCOUNT.
///   user_data   Any value; returned in arr_event.user_data.
///   operation   Out. Free it with arr_operation_free(). NULL on failure.
///   timeout_ms  Time limit, not 0; see Timeouts.
///   error       Out, may be NULL.
///
/// Errors: see Operations.
/// Does not block. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_stop_all_start(
    client: *mut arr_client,
    scope: arr_stop_scope,
    user_data: u64,
    operation: *mut *mut arr_operation,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_client_stop_all_start", error, || {
            start(operation, user_data, |label| {
                let (client, scope) = (find(client)?, stop_scope(scope)?);
                prepare(within(client.stop_all(scope), timeout_ms), label).map(TypedOperation::StoppedAll)
            })
        })
    }
}

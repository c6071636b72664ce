//! The non-blocking `_start` variants of the functions of `arr_client`.

use super::client::{arr_client, arr_stop_scope, find, stop_scope, within};
use super::error_info::arr_error_info;
use super::guard;
use super::operation::{TypedOperation, arr_operation, prepare, start};
use super::status::arr_status;

/// Starts what arr_client_get_token() does; arr_operation_get_token() gives the token. Several that are started at about the same
/// time are one request.
///
/// - client: the client.
/// - user_data: whatever the application likes; the event carries it.
/// - operation: receives the handle, to be freed by arr_operation_free(); NULL after a failure.
/// - timeout_ms: the most that it may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL. It is about starting; arr_operation_get_error() tells how it ended.
///
/// Returns at once, also if nothing can be reached. Neither waits nor blocks. Threads: any.
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

/// Starts what arr_client_list_sessions() does; arr_operation_get_list() gives the list. Several that are started at about the
/// same time are one request.
///
/// - client: the client.
/// - user_data: whatever the application likes; the event carries it.
/// - operation: receives the handle, to be freed by arr_operation_free(); NULL after a failure.
/// - timeout_ms: the most that it may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL. It is about starting; arr_operation_get_error() tells how it ended.
///
/// Returns at once, also if nothing can be reached. Neither waits nor blocks. Threads: any.
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

/// Starts what arr_client_recover_sessions() does; arr_operation_get_list() gives the list.
///
/// - client: the client, made with a journal_path.
/// - user_data: whatever the application likes; the event carries it.
/// - operation: receives the handle, to be freed by arr_operation_free(); NULL after a failure.
/// - timeout_ms: the most that it may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL. It is about starting; arr_operation_get_error() tells how it ended.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT if the client has no journal. Neither waits nor blocks. Threads: any.
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

/// Starts what arr_client_stop_all() does; arr_operation_get_stop_all() gives the result. It has workers of its own, and goes on
/// when the operation is freed or the client ends.
///
/// - client: the client.
/// - scope: ARR_STOP_SCOPE_OWN or ARR_STOP_SCOPE_ACCOUNT.
/// - user_data: whatever the application likes; the event carries it.
/// - operation: receives the handle, to be freed by arr_operation_free(); NULL after a failure.
/// - timeout_ms: the most that it may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL. It is about starting; arr_operation_get_error() tells how it ended.
///
/// Returns at once, also if nothing can be reached. Neither waits nor blocks. Threads: any.
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

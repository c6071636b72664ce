//! The non-blocking `_start` variants of the functions of `arr_session`.

use super::client::{arr_client, find, wait_timeout, within};
use super::error_info::arr_error_info;
use super::operation::{TypedOperation, arr_operation, prepare, start};
use super::session::{arr_session, arr_session_create_options, find_session, new_session};
use super::status::arr_status;
use super::{guard, text};
use client::{Lease, SessionId};
use std::ffi::c_char;
use std::time::Duration;

/// Starts what arr_session_create() does; arr_operation_get_session() gives the session. Cancelled, or freed, while it runs, the
/// session that it may have made is stopped. If the answer is lost, ARR_EVENT_CREATE_LOST tells what may have come of it.
///
/// - client: the client.
/// - options: what the session shall be. Nothing in it is used after the call.
/// - user_data: whatever the application likes; the event carries it.
/// - operation: receives the handle, to be freed by arr_operation_free(); NULL after a failure.
/// - timeout_ms: the most that it may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL. It is about starting; arr_operation_get_error() tells how it ended.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT for what the REST version does not have. Neither waits nor blocks. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_create_start(
    client: *mut arr_client,
    options: *const arr_session_create_options,
    user_data: u64,
    operation: *mut *mut arr_operation,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_create_start", error, || {
            start(operation, user_data, |label| {
                let (client, new) = (find(client)?, new_session(options)?);
                prepare(within(client.create_session(&new), timeout_ms), label).map(TypedOperation::Created)
            })
        })
    }
}

/// Starts what arr_session_open() does; arr_operation_get_session() gives the session.
///
/// - client: the client.
/// - session_id: 1 to 256 letters, digits, hyphens and underscores.
/// - user_data: whatever the application likes; the event carries it.
/// - operation: receives the handle, to be freed by arr_operation_free(); NULL after a failure.
/// - timeout_ms: the most that it may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL. It is about starting; arr_operation_get_error() tells how it ended.
///
/// Returns at once, also if nothing can be reached. Neither waits nor blocks. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_open_start(
    client: *mut arr_client,
    session_id: *const c_char,
    user_data: u64,
    operation: *mut *mut arr_operation,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_open_start", error, || {
            start(operation, user_data, |label| {
                let (client, id) = (find(client)?, SessionId::parse(text::required(session_id, "session_id")?)?);
                prepare(within(client.open_session(&id), timeout_ms), label).map(TypedOperation::Opened)
            })
        })
    }
}

/// Starts what arr_session_get_properties() does with ARR_READ_FRESH; arr_operation_get_properties() gives the properties. Several
/// of one session that are started at about the same time are one request.
///
/// - session: the session.
/// - user_data: whatever the application likes; the event carries it.
/// - operation: receives the handle, to be freed by arr_operation_free(); NULL after a failure.
/// - timeout_ms: the most that it may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL. It is about starting; arr_operation_get_error() tells how it ended.
///
/// Returns at once, also if nothing can be reached. Neither waits nor blocks. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_get_properties_start(
    session: *mut arr_session,
    user_data: u64,
    operation: *mut *mut arr_operation,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_get_properties_start", error, || {
            start(operation, user_data, |label| {
                let session = find_session(session)?;
                prepare(within(session.properties(), timeout_ms), label).map(TypedOperation::Properties)
            })
        })
    }
}

/// Starts what arr_session_update_lease() does; arr_operation_get_properties() gives what is known afterwards. It does not queue
/// behind other operations, but waits for a pause that the service has asked for.
///
/// - session: the session.
/// - max_lease_seconds: the whole lease, as for arr_session_update_lease().
/// - user_data: whatever the application likes; the event carries it.
/// - operation: receives the handle, to be freed by arr_operation_free(); NULL after a failure.
/// - timeout_ms: the most that it may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL. It is about starting; arr_operation_get_error() tells how it ended.
///
/// Returns at once, also if nothing can be reached. Neither waits nor blocks. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_update_lease_start(
    session: *mut arr_session,
    max_lease_seconds: u32,
    user_data: u64,
    operation: *mut *mut arr_operation,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_update_lease_start", error, || {
            start(operation, user_data, |label| {
                let session = find_session(session)?;
                let lease = Lease::new(Duration::from_secs(max_lease_seconds.into()))?;
                prepare(within(session.update_lease(lease), timeout_ms), label).map(TypedOperation::Properties)
            })
        })
    }
}

/// Starts what arr_session_wait_until_ready() does; arr_operation_get_properties() gives the properties of the session that is
/// ready. All who wait for one session share its requests, and waiting takes no thread.
///
/// - session: the session.
/// - user_data: whatever the application likes; the event carries it.
/// - operation: receives the handle, to be freed by arr_operation_free(); NULL after a failure.
/// - timeout_ms: the most that it may take; ARR_WAIT_FOREVER for as long as it takes.
/// - error: may be NULL. It is about starting; arr_operation_get_error() tells how it ended.
///
/// Returns at once, also if nothing can be reached. Neither waits nor blocks. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_wait_until_ready_start(
    session: *mut arr_session,
    user_data: u64,
    operation: *mut *mut arr_operation,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_wait_until_ready_start", error, || {
            start(operation, user_data, |label| {
                let session = find_session(session)?;
                prepare(session.wait_until_ready().timeout(wait_timeout(timeout_ms)), label)
                    .map(TypedOperation::Properties)
            })
        })
    }
}

/// Starts what arr_session_stop() does; arr_operation_get_stop() gives the result. It does not queue behind other operations.
/// It goes on when the operation is freed or the client ends.
///
/// - session: the session.
/// - user_data: whatever the application likes; the event carries it.
/// - operation: receives the handle, to be freed by arr_operation_free(); NULL after a failure.
/// - timeout_ms: the most that it may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL. It is about starting; arr_operation_get_error() tells how it ended.
///
/// Returns at once, also if nothing can be reached. Neither waits nor blocks. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_stop_start(
    session: *mut arr_session,
    user_data: u64,
    operation: *mut *mut arr_operation,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_stop_start", error, || {
            start(operation, user_data, |label| {
                let session = find_session(session)?;
                prepare(within(session.stop(), timeout_ms), label).map(TypedOperation::Stopped)
            })
        })
    }
}

//! The non-blocking `_start` variants of the functions of `arr_session`.

use super::client::{arr_client, find, wait_timeout, within};
use super::error_info::arr_error_info;
use super::new_session::new_session;
use super::operation::{TypedOperation, arr_operation, prepare, start};
use super::session::{arr_session, arr_session_create_options, find_session};
use super::status::arr_status;
use super::{guard, text};
use client::{Lease, SessionId, abi};
use std::ffi::c_char;
use std::time::Duration;

/// Starts arr_session_create(). Result: arr_operation_get_session().
///
/// If the operation is cancelled or freed while it runs, any session that it creates is stopped. If the reply is lost,
/// ARR_EVENT_CREATE_LOST reports the sessions that the create may have made.
///
///   client      The client.
///   options     The options. They may be freed after the call.
///   user_data   Any value; returned in arr_event.user_data.
///   operation   Out. Free it with arr_operation_free(). NULL on failure.
///   timeout_ms  Time limit, not 0; see Timeouts.
///   error       Out, may be NULL.
///
/// Errors: see Operations. ARR_ERROR_INVALID_ARGUMENT for options that the REST version does not support.
/// Does not block. Thread-safe.
#[must_use]
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
                prepare(within(abi::create_session(&client, &new), timeout_ms), label).map(TypedOperation::Reused)
            })
        })
    }
}

/// Starts arr_session_open(). Result: arr_operation_get_session().
///
///   client      The client.
///   session_id  1 to 256 letters, digits, hyphens and underscores.
///   user_data   Any value; returned in arr_event.user_data.
///   operation   Out. Free it with arr_operation_free(). NULL on failure.
///   timeout_ms  Time limit, not 0; see Timeouts.
///   error       Out, may be NULL.
///
/// Errors: see Operations.
/// Does not block. Thread-safe.
#[must_use]
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

/// Starts arr_session_get_properties() with ARR_READ_FRESH. Result: arr_operation_get_properties().
///
/// Reads of one session that are started at about the same time share one request.
///
///   session     The session.
///   user_data   Any value; returned in arr_event.user_data.
///   operation   Out. Free it with arr_operation_free(). NULL on failure.
///   timeout_ms  Time limit, not 0; see Timeouts.
///   error       Out, may be NULL.
///
/// Errors: see Operations.
/// Does not block. Thread-safe.
#[must_use]
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

/// Starts arr_session_update_lease(). Result: arr_operation_get_properties().
///
/// The update does not wait for other operations, only for a pause that the service has asked for (Retry-After).
///
///   session            The session.
///   max_lease_seconds  Total lease, as for arr_session_update_lease().
///   user_data          Any value; returned in arr_event.user_data.
///   operation          Out. Free it with arr_operation_free(). NULL on failure.
///   timeout_ms         Time limit, not 0; see Timeouts.
///   error              Out, may be NULL.
///
/// Errors: see Operations.
/// Does not block. Thread-safe.
#[must_use]
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

/// Starts arr_session_wait_until_ready(). Result: arr_operation_get_properties().
///
/// All waits for a session share their requests. A wait occupies no thread.
///
///   session     The session.
///   user_data   Any value; returned in arr_event.user_data.
///   operation   Out. Free it with arr_operation_free(). NULL on failure.
///   timeout_ms  Time limit, not 0; ARR_WAIT_FOREVER and ARR_TIMEOUT_DEFAULT have no limit.
///   error       Out, may be NULL.
///
/// Errors: see Operations.
/// Does not block. Thread-safe.
#[must_use]
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

/// Starts arr_session_stop(). Result: arr_operation_get_stop().
///
/// The stop never waits for other operations, and continues when the operation is freed or the client is shut down or
/// freed.
///
///   session     The session.
///   user_data   Any value; returned in arr_event.user_data.
///   operation   Out. Free it with arr_operation_free(). NULL on failure.
///   timeout_ms  Time limit, not 0; see Timeouts.
///   error       Out, may be NULL.
///
/// Errors: see Operations.
/// Does not block. Thread-safe.
#[must_use]
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

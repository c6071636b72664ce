//! Suspending and ending a client: suspend, resume, a new token, shutdown.

use super::client::{arr_client, find, wait_timeout};
use super::error_info::arr_error_info;
use super::status::arr_status;
use super::{guard, text};
use client::shut_down_all;
use std::ffi::c_char;

/// Shuts a client down, and waits until its work is done and its threads have ended.
///
/// These stops are still sent: those that a _start function has started, and those of sessions watched with
/// stop_on_shutdown. All other operations are cancelled. Blocking calls to the service fail with ARR_ERROR_SHUT_DOWN,
/// even arr_session_stop(), arr_client_stop_all() and arr_session_wait_until_ready(). After ARR_OK no thread of the
/// client is left, except those of name lookups, which the system cannot cancel.
///
/// The handle stays valid until it is freed: the remaining events and log lines can still be pulled. Cached state of
/// its sessions stays readable as after arr_client_free().
///
/// If a started create has already succeeded, shutting down does not stop its session unless the session is watched with
/// stop_on_shutdown. Afterwards this client cannot stop it. So, before shutting down, get the session with
/// arr_operation_get_session(), then stop it or watch it with stop_on_shutdown.
///
///   client      The client.
///   timeout_ms  Time limit. 0 does not wait; ARR_WAIT_FOREVER and ARR_TIMEOUT_DEFAULT have no limit.
///   error       Out, may be NULL.
///
/// Errors: ARR_ERROR_TIMEOUT if the work has not finished; call the function again. Requests in flight end within
/// attempt_timeout_ms. If the client has ended but a stop failed, returns the status of the first failed stop; that
/// session may still be running. If the client has ended but the journal could not be written, returns
/// ARR_ERROR_STORAGE.
/// Blocks. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_shutdown(
    client: *mut arr_client,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status_with_secrets("arr_client_shutdown", error, || {
            find(client)?.shut_down_within(wait_timeout(timeout_ms))
        })
    }
}

/// Shuts down all clients of the process concurrently, as arr_client_shutdown() does, including those whose handles
/// were freed. New clients may be created afterwards.
///
///   timeout_ms  Time limit for all of them together. 0 does not wait; ARR_WAIT_FOREVER and ARR_TIMEOUT_DEFAULT have no
///               limit.
///   error       Out, may be NULL.
///
/// Errors: ARR_ERROR_TIMEOUT if a client has not finished; call the function again. Otherwise the first failure that
/// arr_client_shutdown() would return.
/// Blocks. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_shutdown(timeout_ms: u32, error: *mut arr_error_info) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe { guard::status_with_secrets("arr_shutdown", error, || shut_down_all(wait_timeout(timeout_ms))) }
}

/// Prepares for the suspension of the application, as when a headset is taken off. Flushes the journal, then does with
/// each watched session what its on_suspend says.
///
/// Polling and keep-alive stop until arr_client_resume(), or until the library notices that the machine slept. So an
/// extension made here is not verified: the service has accepted it, but no read shows whether it was granted (see
/// arr_session_update_lease()).
///
///   client      The client.
///   timeout_ms  Time limit. 0 starts the work without waiting: if there is any, the call returns ARR_ERROR_TIMEOUT.
///               ARR_WAIT_FOREVER and ARR_TIMEOUT_DEFAULT have no limit.
///   error       Out, may be NULL.
///
/// Errors: ARR_ERROR_SHUT_DOWN; ARR_ERROR_TIMEOUT if not everything was done in time: the rest continues as far as the
/// system permits. Otherwise the status of the first failure.
/// Blocks. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_suspend(
    client: *mut arr_client,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status_with_secrets("arr_client_suspend", error, || find(client)?.suspend(wait_timeout(timeout_ms)))
    }
}

/// Resumes after a suspension. Drops pooled connections, which are dead, and renews an expired token. Reads the
/// watched sessions before it reports anything about them; then comes ARR_EVENT_RESUMED.
///
/// While it watches sessions or runs operations, the library does this automatically after a sleep of a minute or more.
/// After a sleep of 30 s to a minute it may do so; after a shorter one it does not.
///
///   client  The client.
///   error   Out, may be NULL.
///
/// Errors: ARR_ERROR_SHUT_DOWN; ARR_ERROR_OUT_OF_RESOURCES if no thread can be started.
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_resume(client: *mut arr_client, error: *mut arr_error_info) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe { guard::status("arr_client_resume", error, || find(client)?.resume()) }
}

/// Supplies a new token of the kind that the client was created with, in reply to ARR_EVENT_TOKEN_NEEDED. Calls that
/// wait for a token continue. Sends nothing.
///
///   client  The client.
///   token   The token. The library wipes its copy when it no longer needs it.
///   error   Out, may be NULL.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if `token` cannot be a token, or the client was created with an account key.
/// Does not block. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_set_token(
    client: *mut arr_client,
    token: *const c_char,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status_with_secrets("arr_client_set_token", error, || {
            let client = find(client)?;
            client.set_token(text::required(token, "token")?)
        })
    }
}

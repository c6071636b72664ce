//! Suspending and ending a client: suspend, resume, a new token, shutdown.

use super::client::{arr_client, find, wait_timeout};
use super::error_info::arr_error_info;
use super::status::arr_status;
use super::{guard, text};
use client::shut_down_all;
use std::ffi::c_char;

/// Ends a client in good order, and waits for that: no new work; stops that were started, and those that were promised
/// (arr_watch_options.stop_on_shutdown), are made first; every other operation is cancelled; calls that block, a stop too, and
/// waits end with ARR_ERROR_SHUT_DOWN. Afterwards no thread of the client is left, but for name lookups, which the system cannot break off.
/// The handle stays good, for pulling the events that are left, until it is freed. A session that a create had brought before, and
/// that nobody has taken, runs on, and this client can do nothing about it any more: pull the events first.
///
/// - client: the client.
/// - timeout_ms: how long to wait. 0 does not wait; ARR_WAIT_FOREVER waits as long as it takes.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_TIMEOUT if something is left: requests on the wire end within attempt_timeout_ms; call it again. If a
/// stop has failed, its status: that session may be running. Blocks. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_shutdown(
    client: *mut arr_client,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe { guard::status("arr_client_shutdown", error, || find(client)?.shut_down_within(wait_timeout(timeout_ms))) }
}

/// Ends every client of the process, all at once, as arr_client_shutdown() does, also those whose handles were freed. New ones
/// may be made afterwards.
///
/// - timeout_ms: how long to wait for all of them together. 0 does not wait; ARR_WAIT_FOREVER waits as long as it takes.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_TIMEOUT if something of one of them is left: call it again. Else the status of the first stop that has
/// failed. Blocks. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_shutdown(timeout_ms: u32, error: *mut arr_error_info) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe { guard::status("arr_shutdown", error, || shut_down_all(wait_timeout(timeout_ms))) }
}

/// The application is about to be suspended, as when a headset is taken off: flushes the journal, and does with each watched
/// session what its on_suspend says. From then on watched sessions are not read nor kept alive, until arr_client_resume(), or
/// until the time is seen to have jumped.
///
/// - client: the client.
/// - timeout_ms: the most that the call may take. 0 starts what is to be done and returns at once.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_TIMEOUT if not all was done: it goes on, as far as the system lets it. Else the status of the first
/// failure. Blocks. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_suspend(
    client: *mut arr_client,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe { guard::status("arr_client_suspend", error, || find(client)?.suspend(wait_timeout(timeout_ms))) }
}

/// The application is back: pooled connections, which are dead, are dropped; a token that has run out is renewed; watched
/// sessions are read anew before anything is said about them, and then ARR_EVENT_RESUMED comes. The library notices by itself
/// that the machine has slept for a minute or more, and does the same; a sleep of less than half a minute it never notices.
///
/// - client: the client.
/// - error: may be NULL.
///
/// Does not block. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_resume(client: *mut arr_client, error: *mut arr_error_info) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe { guard::status("arr_client_resume", error, || find(client)?.resume()) }
}

/// Gives a new token, of the kind that the client was made with: the answer to ARR_EVENT_TOKEN_NEEDED. Calls that wait for it
/// go on. Sends nothing.
///
/// - client: the client.
/// - token: the token. The library's copy is wiped when it is no longer needed.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT if it cannot be a token, or the client was made with an account key. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_set_token(
    client: *mut arr_client,
    token: *const c_char,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_client_set_token", error, || {
            let client = find(client)?;
            client.set_token(text::required(token, "token")?)
        })
    }
}

//! `arr_client`: one account at one session service.

use super::client_options::{arr_client_options, config};
use super::error_info::arr_error_info;
use super::guard;
use super::handle::{Table, table};
use super::log::arr_log_entry;
use super::status::arr_status;
use super::structs::{self, Out, Plain};
use super::text;
use client::{AccessToken, Call, Client, ErrorKind, Result, StopScope, StoppedAll, abi};
use std::ffi::c_char;
use std::sync::Arc;
use std::time::Duration;

/// Timeout: call_timeout_ms; no limit for the waits, suspend and shutdown (see Timeouts).
pub const ARR_TIMEOUT_DEFAULT: u32 = 4_294_967_294;
/// Timeout: no limit.
pub const ARR_WAIT_FOREVER: u32 = 4_294_967_295;
/// For remaining_seconds of a token: the token does not state its expiry.
pub const ARR_TOKEN_EXPIRY_UNKNOWN: u32 = 4_294_967_295;

/// One account at one session service. A handle.
pub struct arr_client {
    _private: [u8; 0],
}

/// Which sessions arr_client_stop_all() stops, an ARR_STOP_SCOPE_... value.
pub type arr_stop_scope = i32;
/// Sessions that this client created, recovered with ARR_CLAIM_OURS, or reused from its journal. Excludes sessions that
/// it only opened, and any that already existed under an id that the application chose.
pub const ARR_STOP_SCOPE_OWN: arr_stop_scope = 0;
/// All sessions of the account, including those that other people may be using.
pub const ARR_STOP_SCOPE_ACCOUNT: arr_stop_scope = 1;

/// Size of arr_stop_all_result in version 1 of the ABI.
pub const ARR_STOP_ALL_RESULT_SIZE_V1: u32 = 16;

/// Result of stopping many sessions. Initialize it with arr_stop_all_result_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_stop_all_result {
    /// Set by arr_stop_all_result_init().
    pub struct_size: u32,
    /// Sessions that were stopped.
    pub stopped: u32,
    /// Sessions that had already ended.
    pub already_gone: u32,
    /// Sessions that may still be running.
    pub failed: u32,
}

// SAFETY: repr(C) and integers; the assertion shows that there is no padding.
unsafe impl Plain for arr_stop_all_result {
    const SIZE_V1: u32 = ARR_STOP_ALL_RESULT_SIZE_V1;
}
const _: () = assert!(size_of::<arr_stop_all_result>() == 4 * 4);
const _: () = assert!(size_of::<arr_stop_all_result>() == ARR_STOP_ALL_RESULT_SIZE_V1 as usize);

static CLIENTS: Table<Client> = table!(1, "arr_client");

/// Creates a client. Checks the options, reads ca_file and opens the journal. Sends nothing and starts no thread.
///
///   options  The options. They may be freed after the call.
///   client   Out. Free it with arr_client_free(). NULL on failure.
///   error    Out, may be NULL.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if an option is missing, malformed or out of range; ARR_ERROR_UNSUPPORTED if a
/// field is set that this version does not know; ARR_ERROR_STORAGE if the journal cannot be used.
/// Blocks on the disk only. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_new(
    options: *const arr_client_options,
    client: *mut *mut arr_client,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status_with_secrets("arr_client_new", error, || {
            let client = out_handle(client, "client")?;
            client.write_unaligned(CLIENTS.insert(Client::new(config(options)?)?)?);
            Ok(())
        })
    }
}

/// Gets an access token for the account, cached or fetched, for use by the rendering connection.
///
/// A cached token with at least half a minute left is returned without a request. In a token's last five minutes the
/// library fetches the next one in the background. (For a short-lived token both times are shorter.)
///
/// The lifetime is measured by the token service's clock: the date of its reply. This machine's clock is used if the
/// reply has no date, and for an access_token of the application.
///
///   client             The client.
///   buffer             Out. The token and a final NUL. NULL with a `capacity` of 0 queries the size. The token is a
///                      secret: keep it out of logs, and wipe the buffer.
///   capacity           Size of the buffer in bytes; 4096 is enough for the public service's tokens.
///   needed             Out, may be NULL. The required size with the NUL, on ARR_OK and ARR_ERROR_BUFFER_TOO_SMALL.
///   remaining_seconds  Out, may be NULL. How long the token is valid; ARR_TOKEN_EXPIRY_UNKNOWN if the token does not
///                      say. A token that the application supplied may have 0 seconds left: the library uses it
///                      until the service refuses it, because this machine's clock may be wrong.
///   timeout_ms         Time limit; see Timeouts.
///   error              Out, may be NULL.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if `buffer` is NULL and `capacity` is not 0; ARR_ERROR_BUFFER_TOO_SMALL if the
/// token does not fit (the buffer is unchanged, the token stays cached); ARR_ERROR_UNAUTHORIZED if the credential is
/// refused.
/// REST: GET `https://sts.{account domain}/accounts/{account}/token`. Blocks. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_get_token(
    client: *mut arr_client,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
    remaining_seconds: *mut u32,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status_with_secrets("arr_client_get_token", error, || {
            text::check_buffer(buffer, capacity)?;
            let token = within(find(client)?.access_token(), timeout_ms).run()?;
            write_token(&token, buffer, capacity, needed, remaining_seconds)
        })
    }
}

/// Initializes a struct: `arr_stop_all_result_init(&result, sizeof result)`.
///
///   result  Out. Exactly `size` bytes are written.
///   size    The struct's size as the caller compiled it, ARR_STOP_ALL_RESULT_SIZE_V1 to 65536.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if `result` is NULL or `size` is out of range.
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_stop_all_result_init(result: *mut arr_stop_all_result, size: usize) -> arr_status {
    let nothing =
        arr_stop_all_result { struct_size: ARR_STOP_ALL_RESULT_SIZE_V1, stopped: 0, already_gone: 0, failed: 0 };
    // SAFETY: no error info is given to the guard; the caller promises `size` writable bytes.
    unsafe { guard::status("arr_stop_all_result_init", std::ptr::null_mut(), || structs::init(result, size, &nothing)) }
}

/// Stops many sessions, up to eight at a time. A stop that fails does not delay the others; a stop that gets no reply
/// delays the others by 1 s.
///
///   client      The client.
///   scope       ARR_STOP_SCOPE_OWN or ARR_STOP_SCOPE_ACCOUNT.
///   result      Out, may be NULL. Set even if the call fails because some sessions could not be stopped, or not stopped in
///               time.
///   timeout_ms  Time limit; see Timeouts.
///   error       Out, may be NULL. On failure it describes the first session that could not be stopped.
///
/// Errors: the status of the first failed stop; that session may still be running. If the account's sessions could not
/// be listed, the status of the list request; then none was stopped, and `result` keeps its values.
/// REST: the request of arr_session_stop() for each session; with ARR_STOP_SCOPE_ACCOUNT, before them those of
/// arr_client_list_sessions(). Blocks.
/// Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_stop_all(
    client: *mut arr_client,
    scope: arr_stop_scope,
    result: *mut arr_stop_all_result,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status_with_secrets("arr_client_stop_all", error, || {
            let result = Out::optional(result, "result")?;
            write_stopped_all(within(find(client)?.stop_all(stop_scope(scope)?), timeout_ms).run()?, result)
        })
    }
}

/// Returns the oldest line of the client's log. See log_level.
///
/// The log holds 512 lines. Beyond that the oldest are dropped and counted in `lost`.
///
///   client      The client.
///   entry       Out. The line.
///   timeout_ms  Time limit. 0 does not wait; ARR_WAIT_FOREVER and ARR_TIMEOUT_DEFAULT have no limit. arr_client_wake()
///               ends the wait.
///   error       Out, may be NULL.
///
/// Errors: ARR_ERROR_TIMEOUT if there is no line; ARR_ERROR_SHUT_DOWN once the client has been shut down and all lines
/// are pulled.
/// Blocks up to timeout_ms; with 0 it neither blocks nor allocates if there is no line. Thread-safe: each line goes to
/// one caller.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_next_log(
    client: *mut arr_client,
    entry: *mut arr_log_entry,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_client_next_log", error, || {
            let entry = Out::required(entry, "entry")?;
            let line = find(client)?.next_log(wait_timeout(timeout_ms))?;
            let line = line.ok_or_else(|| abi::error(ErrorKind::Timeout, "the log has no line"))?;
            entry.write(&arr_log_entry::from(&line));
            Ok(())
        })
    }
}

/// Ends one wait of arr_client_next_event() and one of arr_client_next_log() with ARR_ERROR_TIMEOUT. Use it when the
/// waiting thread has other work to do.
///
/// If no thread is in such a wait, the next wait of that kind ends at once. Several wakes before that count as one.
/// Pulling with a timeout of 0, or when something is queued, is not a wait.
///
///   client  The client.
///   error   Out, may be NULL.
///
/// Does not block or allocate. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_wake(client: *mut arr_client, error: *mut arr_error_info) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_client_wake", error, || {
            find(client)?.wake();
            Ok(())
        })
    }
}

/// Frees a client. Shuts it down like arr_client_shutdown(), but does not wait. Its remaining events and log lines are
/// lost.
///
/// Afterwards, calls on its sessions that need the service fail with ARR_ERROR_SHUT_DOWN. In the background, requests
/// in flight finish, stops already started with a _start function are still sent, and sessions watched with
/// stop_on_shutdown are stopped. All other sessions keep running.
///
/// Handles of its sessions, operations and lists stay valid until they are freed. Results of operations and lists can
/// still be read, and so can the cached state of sessions: arr_session_get_id(), arr_session_get_message(),
/// arr_session_get_reply(), arr_session_snapshot(), and arr_session_get_properties() with ARR_READ_KNOWN.
/// arr_session_touch() succeeds and has no effect.
///
///   client  The client. NULL or a freed handle is ignored.
///
/// Does not block. Thread-safe, even while calls are in progress.
#[unsafe(no_mangle)]
pub extern "C" fn arr_client_free(client: *mut arr_client) {
    guard::value("arr_client_free", (), || {
        if let Some(client) = CLIENTS.remove(client) {
            client.shut_down();
        }
    });
}

/// Converts a caller's scope.
pub(super) fn stop_scope(scope: arr_stop_scope) -> Result<StopScope> {
    match scope {
        ARR_STOP_SCOPE_OWN => Ok(StopScope::Own),
        ARR_STOP_SCOPE_ACCOUNT => Ok(StopScope::Account),
        other => Err(abi::invalid_argument(format!("scope {other} is not one of the ARR_STOP_SCOPE_... values"))),
    }
}

/// Writes the result of stopping many sessions. Fails if a session may still be running.
pub(super) fn write_stopped_all(all: StoppedAll, result: Option<Out<arr_stop_all_result>>) -> Result<()> {
    if let Some(result) = result {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        result.write(&arr_stop_all_result {
            struct_size: ARR_STOP_ALL_RESULT_SIZE_V1,
            stopped: count(all.stopped),
            already_gone: count(all.already_gone),
            failed: count(all.failed.len()),
        });
    }
    all.into_result().map(|_| ())
}

/// Writes a token to a caller's buffer.
///
/// # Safety
/// `buffer` and `needed` are as [`text::into_buffer`] requires; `remaining_seconds` is NULL or writable.
pub(super) unsafe fn write_token(
    token: &AccessToken,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
    remaining_seconds: *mut u32,
) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { text::into_buffer(token.token.expose(), buffer, capacity, needed) }?;
    if !remaining_seconds.is_null() {
        let known = |remaining| structs::seconds(remaining).min(ARR_TOKEN_EXPIRY_UNKNOWN - 1);
        let seconds = token.remaining.map_or(ARR_TOKEN_EXPIRY_UNKNOWN, known);
        // SAFETY: the caller's promise.
        unsafe { remaining_seconds.write_unaligned(seconds) };
    }
    Ok(())
}

/// The client of a handle.
pub(super) fn find(client: *const arr_client) -> Result<Arc<Client>> {
    CLIENTS.get(client)
}

/// Checks the place for a handle, and sets it to NULL so that a failure leaves no old handle in it.
///
/// # Safety
/// `place` is NULL or writable.
pub(super) unsafe fn out_handle<H>(place: *mut *mut H, what: &str) -> Result<*mut *mut H> {
    if place.is_null() {
        return Err(abi::invalid_argument(format!("the output for the {what} handle is NULL")));
    }
    // SAFETY: the caller's promise.
    unsafe { place.write_unaligned(std::ptr::null_mut()) };
    Ok(place)
}

/// Applies the timeout argument of a function that makes a REST call.
pub(super) fn within<T>(call: Call<T>, milliseconds: u32) -> Call<T> {
    if milliseconds == ARR_TIMEOUT_DEFAULT { call } else { call.timeout(wait_timeout(milliseconds)) }
}

/// Converts the timeout argument of a wait, whose default is no limit.
pub(super) fn wait_timeout(milliseconds: u32) -> Duration {
    match milliseconds {
        ARR_TIMEOUT_DEFAULT | ARR_WAIT_FOREVER => Duration::MAX,
        _ => Duration::from_millis(milliseconds.into()),
    }
}

//! `arr_client`: one account at one session service.

use super::client_options::{arr_client_options, config};
use super::error_info::arr_error_info;
use super::guard::{self, Quiet};
use super::handle::Table;
use super::log::arr_log_entry;
use super::status::arr_status;
use super::structs::{self, Out, Plain};
use super::text;
use client::{AccessToken, Call, Client, Result, StopScope, StoppedAll, abi};
use std::ffi::c_char;
use std::sync::Arc;
use std::time::Duration;

/// As a timeout of a function that makes a REST call: the client's call_timeout_ms.
pub const ARR_TIMEOUT_DEFAULT: u32 = 0;
/// As a timeout of a function that waits: as long as it takes.
pub const ARR_WAIT_FOREVER: u32 = u32::MAX;

/// One account at one session service. A handle: a value that is looked up, never a pointer to follow.
pub struct arr_client {
    _private: [u8; 0],
}

/// Which sessions arr_client_stop_all() stops, an ARR_STOP_SCOPE_... value.
pub type arr_stop_scope = i32;
/// Those that this client created. One that was there before, under an id that the application gave, is not among them.
pub const ARR_STOP_SCOPE_OWN: arr_stop_scope = 0;
/// All of the account, whoever created them: other people may be using them.
pub const ARR_STOP_SCOPE_ACCOUNT: arr_stop_scope = 1;

/// The size of arr_stop_all_result in the first version of the ABI.
pub const ARR_STOP_ALL_RESULT_SIZE_V1: u32 = 16;

/// What became of many sessions. Set it up with arr_stop_all_result_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_stop_all_result {
    /// Set by arr_stop_all_result_init().
    pub struct_size: u32,
    /// How many were stopped.
    pub stopped: u32,
    /// How many had ended already.
    pub already_gone: u32,
    /// How many may still be running.
    pub failed: u32,
}

// SAFETY: repr(C) and integers; the assertion shows that there is no padding.
unsafe impl Plain for arr_stop_all_result {
    const SIZE_V1: u32 = ARR_STOP_ALL_RESULT_SIZE_V1;
}
const _: () = assert!(size_of::<arr_stop_all_result>() == 4 * 4);
const _: () = assert!(size_of::<arr_stop_all_result>() == ARR_STOP_ALL_RESULT_SIZE_V1 as usize);

static CLIENTS: Table<Client> = Table::new(1, "arr_client");

/// Makes a client. Checks the options and reads the CA file; sends nothing and starts no thread.
///
/// - options: what to make it from. Nothing in it is used after the call.
/// - client: receives the handle, to be freed by arr_client_free(); NULL after a failure.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT with what to do, if anything is missing, malformed or out of range, or
/// ARR_ERROR_UNSUPPORTED if fields are set that this library does not know. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_new(
    options: *const arr_client_options,
    client: *mut *mut arr_client,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_client_new", error, || {
            let client = out_handle(client, "client")?;
            client.write_unaligned(CLIENTS.insert(Client::new(config(options)?)?)?);
            Ok(())
        })
    }
}

/// Gives an access token for the account, from the cache or fetched: what the rendering connection is made with.
///
/// REST: GET `https://sts.{account domain}/accounts/{account}/token`, if there is no token with at least half a minute left;
/// in the last five minutes of a token's life a new one is fetched meanwhile, on a thread of the library's.
///
/// - client: the client.
/// - buffer: receives the token and a final NUL. May be NULL if capacity is 0, to ask for the size. It is a secret: keep it
///   out of logs, and wipe the buffer.
/// - capacity: the size of the buffer in bytes; 4096 is enough for the public service's tokens.
/// - needed: receives the bytes needed, the final NUL included, on ARR_OK and ARR_ERROR_BUFFER_TOO_SMALL. May be NULL.
/// - remaining_seconds: receives how long the token is good; 0 if it does not say. May be NULL.
/// - timeout_ms: the most that the call may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT if buffer is NULL and capacity is not 0, and ARR_ERROR_BUFFER_TOO_SMALL if the token
/// does not fit: the buffer is left alone, the token is kept, and the next call
/// sends nothing. ARR_ERROR_UNAUTHORIZED if the credential was refused. Blocks. Threads: any.
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
        guard::status("arr_client_get_token", error, || {
            text::check_buffer(buffer, capacity)?;
            let token = within(find(client)?.access_token(), timeout_ms).run()?;
            write_token(&token, buffer, capacity, needed, remaining_seconds)
        })
    }
}

/// Sets a result up: `arr_stop_all_result_init(&result, sizeof result)`.
///
/// - result: written for exactly `size` bytes.
/// - size: the struct's size where it is compiled, ARR_STOP_ALL_RESULT_SIZE_V1 to 65536.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT for NULL or a size out of range. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_stop_all_result_init(result: *mut arr_stop_all_result, size: usize) -> arr_status {
    let nothing =
        arr_stop_all_result { struct_size: ARR_STOP_ALL_RESULT_SIZE_V1, stopped: 0, already_gone: 0, failed: 0 };
    // SAFETY: no error info is given to the guard; the caller promises `size` writable bytes.
    unsafe { guard::status("arr_stop_all_result_init", std::ptr::null_mut(), || structs::init(result, size, &nothing)) }
}

/// Stops many sessions, up to eight at a time. One that cannot be stopped holds up no other.
///
/// REST: what arr_session_stop() sends, for each; for the whole account after what arr_client_list_sessions() sends.
///
/// - client: the client.
/// - scope: ARR_STOP_SCOPE_OWN: the sessions that this client created. ARR_STOP_SCOPE_ACCOUNT: all of the account.
/// - result: receives how many were stopped, and how many were not, also if the call fails for some. May be NULL.
/// - timeout_ms: the most that the call may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL. After a failure it is about the first session that could not be stopped.
///
/// Returns ARR_OK if no session is left running, else the status of the first that may be. Blocks. Threads: any.
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
        guard::status("arr_client_stop_all", error, || {
            let result = Out::optional(result, "result")?;
            write_stopped_all(within(find(client)?.stop_all(stop_scope(scope)?), timeout_ms).run()?, result)
        })
    }
}

/// Takes the oldest line of the client's log: what it was asked to log by log_level. The log holds 512 lines; beyond that
/// the oldest are lost, and counted. A frame loop pulls without waiting until nothing is left.
///
/// - client: the client.
/// - entry: receives the line.
/// - timeout_ms: how long to wait for one. 0 does not wait; ARR_WAIT_FOREVER waits as long as it takes.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_TIMEOUT if there is none, and ARR_ERROR_SHUT_DOWN or ARR_ERROR_INVALID_HANDLE once the client is
/// freed. Allocates nothing if there is none. Sends nothing. Threads: any; one line goes to one caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_next_log(
    client: *mut arr_client,
    entry: *mut arr_log_entry,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::quiet("arr_client_next_log", error, || {
            let entry = Out::required(entry, "entry")?;
            Ok(match find(client)?.next_log(wait_timeout(timeout_ms))? {
                Some(line) => {
                    entry.write(&arr_log_entry::from(&line));
                    Quiet::Done
                }
                None => Quiet::Timeout("there is no line in the log"),
            })
        })
    }
}

/// Ends a client and frees its handle, as arr_client_shutdown() does, but does not wait: calls of its sessions fail with
/// ARR_ERROR_SHUT_DOWN from now on, and waits end. Requests on the wire finish on the library's threads. It stops no session
/// but those for which that was promised (arr_watch_options.stop_on_shutdown), and goes on with that by itself.
///
/// - client: NULL, or a handle that was freed before, is left alone.
///
/// Threads: any, also while calls are under way.
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
        other => Err(abi::invalid_argument(format!("scope {other} is none of the ARR_STOP_SCOPE_... values"))),
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
        let seconds = token.remaining.map_or(0, structs::seconds);
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
        return Err(abi::invalid_argument(format!("the place for the {what} handle is NULL")));
    }
    // SAFETY: the caller's promise.
    unsafe { place.write_unaligned(std::ptr::null_mut()) };
    Ok(place)
}

/// Applies the timeout argument of a function that makes a REST call.
pub(super) fn within<T>(call: Call<T>, milliseconds: u32) -> Call<T> {
    if milliseconds == ARR_TIMEOUT_DEFAULT { call } else { call.timeout(wait_timeout(milliseconds)) }
}

/// Converts the timeout argument of a wait.
pub(super) fn wait_timeout(milliseconds: u32) -> Duration {
    if milliseconds == ARR_WAIT_FOREVER { Duration::MAX } else { Duration::from_millis(milliseconds.into()) }
}

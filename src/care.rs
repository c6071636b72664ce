//! Watching and keep-alive: `arr_watch_options`, `arr_keep_alive_options`.

use super::error_info::arr_error_info;
use super::guard;
use super::session::{arr_session, find_session};
use super::status::arr_status;
use super::structs::{self, Plain};
use client::{KeepAlive, OnSuspend, Result, WatchOptions, abi};
use std::ptr;
use std::time::Duration;

/// What arr_client_suspend() does with a session, an ARR_ON_SUSPEND_... value.
pub type arr_on_suspend = i32;
/// Does nothing: the session keeps running, and its lease may end during the suspension.
pub const ARR_ON_SUSPEND_LEAVE: arr_on_suspend = 0;
/// If less than suspend_lease_seconds remains, extends the lease once, to suspend_lease_seconds from now but not beyond
/// keep-alive's cap. No read verifies that the service granted the extension (see arr_session_update_lease()).
pub const ARR_ON_SUSPEND_EXTEND: arr_on_suspend = 1;
/// Stops the session.
pub const ARR_ON_SUSPEND_STOP: arr_on_suspend = 2;

/// Size of arr_watch_options in version 1 of the ABI.
pub const ARR_WATCH_OPTIONS_SIZE_V1: u32 = 24;

/// How to watch a session. Initialize it with arr_watch_options_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_watch_options {
    /// Set by arr_watch_options_init().
    pub struct_size: u32,
    /// ARR_EVENT_LEASE_EXPIRING comes this many seconds before the lease ends. Default 300; 0: never.
    pub warn_before_seconds: u32,
    /// 1: the session is stopped when its client is shut down or freed, if this handle still watches it then. Default
    /// 0.
    pub stop_on_shutdown: i32,
    /// What arr_client_suspend() does with it. Default ARR_ON_SUSPEND_LEAVE.
    pub on_suspend: arr_on_suspend,
    /// For ARR_ON_SUSPEND_EXTEND: the lease is extended if less than this remains, in seconds. Default 600.
    pub suspend_lease_seconds: u32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: repr(C) and integers; the assertion shows that there is no padding.
unsafe impl Plain for arr_watch_options {
    const SIZE_V1: u32 = ARR_WATCH_OPTIONS_SIZE_V1;
}
const _: () = assert!(size_of::<arr_watch_options>() == 6 * 4);
const _: () = assert!(size_of::<arr_watch_options>() == ARR_WATCH_OPTIONS_SIZE_V1 as usize);

/// Size of arr_keep_alive_options in version 1 of the ABI.
pub const ARR_KEEP_ALIVE_OPTIONS_SIZE_V1: u32 = 24;

/// How to keep a session alive. Initialize it with arr_keep_alive_options_init(). Required: cap_seconds.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_keep_alive_options {
    /// Set by arr_keep_alive_options_init().
    pub struct_size: u32,
    /// The lease is extended when less than this remains, in seconds, 1 to 31536000. Default 300. Smaller values
    /// are raised to 120 with ARR_API_VERSION_2021_01_01, whose service reports elapsed time in whole minutes, and to 2
    /// with REST v1.
    pub threshold_seconds: u32,
    /// By how much the lease is extended, in seconds, 1 to 31536000. Default 900. If the lease would fall below
    /// threshold_seconds before the next extension is allowed (see arr_session_keep_alive()), the smallest sufficient
    /// multiple of amount_seconds is used.
    pub amount_seconds: u32,
    /// Limit of the total lease, in seconds, 1 to 31536000. There is no default, because it bounds what the session can
    /// cost.
    pub cap_seconds: u32,
    /// The lease is extended only if the application has pulled events or called arr_session_touch() within this time,
    /// in milliseconds. Default 300000 (5 minutes); 0: no such check. The library's threads keep running when the
    /// application hangs, fails to reload its scripts (as in Unity), or is paused by a debugger that stops only the
    /// application's threads, as script debuggers do. Without the check, they would extend the lease of a session that
    /// is no longer used.
    pub liveness_ms: u32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: repr(C) and integers; the assertion shows that there is no padding.
unsafe impl Plain for arr_keep_alive_options {
    const SIZE_V1: u32 = ARR_KEEP_ALIVE_OPTIONS_SIZE_V1;
}
const _: () = assert!(size_of::<arr_keep_alive_options>() == 6 * 4);
const _: () = assert!(size_of::<arr_keep_alive_options>() == ARR_KEEP_ALIVE_OPTIONS_SIZE_V1 as usize);

/// Initializes a struct with the defaults: `arr_watch_options_init(&options, sizeof options)`.
///
///   options  Out. Exactly `size` bytes are written.
///   size     The struct's size as the caller compiled it, ARR_WATCH_OPTIONS_SIZE_V1 to 65536.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if `options` is NULL or `size` is out of range.
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_watch_options_init(options: *mut arr_watch_options, size: usize) -> arr_status {
    const DEFAULTS: arr_watch_options = arr_watch_options {
        struct_size: ARR_WATCH_OPTIONS_SIZE_V1,
        warn_before_seconds: 300,
        stop_on_shutdown: 0,
        on_suspend: ARR_ON_SUSPEND_LEAVE,
        suspend_lease_seconds: 600,
        reserved: 0,
    };
    // SAFETY: no error info is given to the guard; the caller promises `size` writable bytes.
    unsafe { guard::status("arr_watch_options_init", ptr::null_mut(), || structs::init(options, size, &DEFAULTS)) }
}

/// Initializes a struct with the defaults: `arr_keep_alive_options_init(&options, sizeof options)`. Then set
/// cap_seconds.
///
///   options  Out. Exactly `size` bytes are written.
///   size     The struct's size as the caller compiled it, ARR_KEEP_ALIVE_OPTIONS_SIZE_V1 to 65536.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if `options` is NULL or `size` is out of range.
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_keep_alive_options_init(options: *mut arr_keep_alive_options, size: usize) -> arr_status {
    const DEFAULTS: arr_keep_alive_options = arr_keep_alive_options {
        struct_size: ARR_KEEP_ALIVE_OPTIONS_SIZE_V1,
        threshold_seconds: 300,
        amount_seconds: 900,
        cap_seconds: 0,
        liveness_ms: 300_000,
        reserved: 0,
    };
    // SAFETY: no error info is given to the guard; the caller promises `size` writable bytes.
    unsafe { guard::status("arr_keep_alive_options_init", ptr::null_mut(), || structs::init(options, size, &DEFAULTS)) }
}

/// Watches a session: polls it in the background, reports changes as events, and keeps arr_session_snapshot() current.
///
/// Events: ARR_EVENT_SESSION_STATUS_CHANGED, ARR_EVENT_LEASE_EXPIRING, ARR_EVENT_READS_FAILING,
/// ARR_EVENT_READS_RECOVERED, ARR_EVENT_STARTING_LONG.
///
/// Call again to change the options. Watching belongs to this handle: when it is freed, watching, keep-alive and
/// stop_on_shutdown end. If another handle of the same session starts watching, it takes over, and keep-alive ends.
///
///   session    The session.
///   options    The options. NULL ends watching and keep-alive.
///   user_data  Any value; returned in arr_event.user_data.
///   error      Out, may be NULL.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if an option is out of range; ARR_ERROR_SHUT_DOWN; ARR_ERROR_OUT_OF_RESOURCES if
/// no thread can be started. A failure changes nothing: a session that was not watched stays unwatched, so
/// stop_on_shutdown does not apply to it; one that was watched keeps its previous options.
/// Background REST: while the session starts, as arr_session_get_properties(), every poll_interval_ms; while it is
/// ready, as arr_client_list_sessions(), every ready_poll_interval_ms, one list for all watched sessions. Does not
/// block. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_watch(
    session: *mut arr_session,
    options: *const arr_watch_options,
    user_data: u64,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_watch", error, || {
            let found = find_session(session)?;
            if options.is_null() {
                found.unwatch();
                return Ok(());
            }
            let options = watch_options(&structs::read(options, "options")?)?;
            abi::watch(&found, options, abi::label(user_data, session.addr() as u64))
        })
    }
}

/// Extends the lease of a session whenever it runs low, up to a cap. The session must be watched with this handle.
///
/// Events: ARR_EVENT_LEASE_EXTENDED, ARR_EVENT_LEASE_NOT_EXTENDED, ARR_EVENT_LEASE_CAP_REACHED,
/// ARR_EVENT_KEEP_ALIVE_PAUSED.
///
/// Keep-alive relies on the elapsed time that the service reports. After each extension the session is read: the lease
/// counts as extended only if it has grown. Two extensions are at least ready_poll_interval_ms or a minute apart,
/// whichever is shorter. Each is long enough to last until the next.
///
///   session  The session.
///   options  The options. NULL ends keep-alive; watching continues.
///   error    Out, may be NULL.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if an option is out of range or the session is not watched with this handle.
/// Background REST: the requests of arr_session_update_lease() and arr_session_get_properties(). Does not block.
/// Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_keep_alive(
    session: *mut arr_session,
    options: *const arr_keep_alive_options,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_keep_alive", error, || {
            let found = find_session(session)?;
            if options.is_null() {
                return found.keep_alive(None);
            }
            found.keep_alive(Some(keep_alive(&structs::read(options, "options")?)?))
        })
    }
}

/// Marks the application as responding, for keep-alive: see liveness_ms. An application that pulls events does not need
/// this call; pulling does the same for all sessions of the client.
///
///   session  The session.
///   error    Out, may be NULL.
///
/// Does not block or allocate. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_touch(session: *mut arr_session, error: *mut arr_error_info) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_touch", error, || {
            find_session(session)?.touch();
            Ok(())
        })
    }
}

fn watch_options(options: &arr_watch_options) -> Result<WatchOptions> {
    must_be_zero(options.reserved)?;
    let stop_on_shutdown = match options.stop_on_shutdown {
        0 => false,
        1 => true,
        other => return Err(abi::invalid_argument(format!("`stop_on_shutdown` is {other}; set it to 0 or 1"))),
    };
    let on_suspend = match options.on_suspend {
        ARR_ON_SUSPEND_LEAVE => OnSuspend::Leave,
        ARR_ON_SUSPEND_EXTEND => OnSuspend::Extend(seconds(options.suspend_lease_seconds)),
        ARR_ON_SUSPEND_STOP => OnSuspend::Stop,
        other => {
            return Err(abi::invalid_argument(format!(
                "`on_suspend` {other} is not one of the ARR_ON_SUSPEND_... values"
            )));
        }
    };
    let watch = WatchOptions::default().warn_before(seconds(options.warn_before_seconds));
    Ok(watch.stop_on_shutdown(stop_on_shutdown).on_suspend(on_suspend))
}

fn keep_alive(options: &arr_keep_alive_options) -> Result<KeepAlive> {
    must_be_zero(options.reserved)?;
    let keep_alive = KeepAlive::until(seconds(options.cap_seconds))
        .threshold(seconds(options.threshold_seconds))
        .amount(seconds(options.amount_seconds));
    Ok(keep_alive.liveness((options.liveness_ms != 0).then(|| Duration::from_millis(options.liveness_ms.into()))))
}

fn must_be_zero(reserved: u32) -> Result<()> {
    if reserved == 0 {
        return Ok(());
    }
    Err(abi::error(
        client::ErrorKind::Unsupported,
        "options.reserved is not 0; initialize the options with their init function",
    ))
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(count.into())
}

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
/// Nothing: it runs on, and its lease may end meanwhile.
pub const ARR_ON_SUSPEND_LEAVE: arr_on_suspend = 0;
/// Extends it once, if need be, so that at least suspend_lease_seconds of its lease are left.
pub const ARR_ON_SUSPEND_EXTEND: arr_on_suspend = 1;
/// Stops it.
pub const ARR_ON_SUSPEND_STOP: arr_on_suspend = 2;

/// The size of arr_watch_options in the first version of the ABI.
pub const ARR_WATCH_OPTIONS_SIZE_V1: u32 = 24;

/// How a session is watched. Set it up with arr_watch_options_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_watch_options {
    /// Set by arr_watch_options_init().
    pub struct_size: u32,
    /// How long before its lease ends ARR_EVENT_LEASE_EXPIRING comes, in seconds. Default 300; 0: it does not come.
    pub warn_before_seconds: u32,
    /// 1: the session is stopped when its client is shut down or freed. Default 0.
    pub stop_on_shutdown: i32,
    /// What arr_client_suspend() does with it. Default ARR_ON_SUSPEND_LEAVE.
    pub on_suspend: arr_on_suspend,
    /// With ARR_ON_SUSPEND_EXTEND: how much of the lease is to be left at least, in seconds. Default 600.
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

/// The size of arr_keep_alive_options in the first version of the ABI.
pub const ARR_KEEP_ALIVE_OPTIONS_SIZE_V1: u32 = 24;

/// How a session is kept alive. Set it up with arr_keep_alive_options_init(), then give the cap.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_keep_alive_options {
    /// Set by arr_keep_alive_options_init().
    pub struct_size: u32,
    /// Extend when less than this is left of the lease, in seconds, 1 to 31536000. Default 300.
    pub threshold_seconds: u32,
    /// By how much, in seconds, 1 to 31536000. Default 900.
    pub amount_seconds: u32,
    /// The most that the whole lease may become, in seconds, 1 to 31536000: what the session can cost. No default.
    pub cap_seconds: u32,
    /// Extend only while the application has pulled events, or called arr_session_touch(), within this time, in
    /// milliseconds. Default 300000 (5 minutes); 0: as long as the process lives. Native threads outlive a hung loop, a
    /// breakpoint and a broken domain reload.
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

/// Sets options up: `arr_watch_options_init(&options, sizeof options)`.
///
/// - options: written for exactly `size` bytes: the defaults.
/// - size: the struct's size where it is compiled, ARR_WATCH_OPTIONS_SIZE_V1 to 65536.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT for NULL or a size out of range. Threads: any.
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

/// Sets options up: `arr_keep_alive_options_init(&options, sizeof options)`. The cap is to be given.
///
/// - options: written for exactly `size` bytes: the defaults.
/// - size: the struct's size where it is compiled, ARR_KEEP_ALIVE_OPTIONS_SIZE_V1 to 65536.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT for NULL or a size out of range. Threads: any.
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

/// Has the library watch a session: it is read at the poll intervals on the library's threads (all of the account's sessions
/// that are ready by one list), ARR_EVENT_SESSION_STATUS_CHANGED and ARR_EVENT_LEASE_EXPIRING tell what becomes of it, and
/// arr_session_snapshot() stays current. Calling it again changes the options. It belongs to this handle and ends with it;
/// another handle of the same session that watches takes it over.
///
/// REST: while the session starts, what arr_session_get_properties() sends, every poll_interval_ms; while it is ready, what
/// arr_client_list_sessions() sends, every ready_poll_interval_ms for all of them together.
///
/// - session: the session.
/// - options: how. NULL ends watching and keeping alive.
/// - user_data: whatever the application likes; its events carry it.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT for a value out of range. Does not block. Threads: any.
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

/// Has the library extend the session's lease by itself whenever it runs low, up to a cap: ARR_EVENT_LEASE_EXTENDED,
/// _NOT_EXTENDED, _CAP_REACHED and ARR_EVENT_KEEP_ALIVE_PAUSED tell about it. It goes by the elapsed time that the service
/// reports. The session must be watched by this handle.
///
/// REST: what arr_session_update_lease() sends, when the time has come.
///
/// - session: the session.
/// - options: how. NULL ends keeping alive; watching goes on.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT for a value out of range, or if the session is not watched by this handle. Does not
/// block. Threads: any.
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

/// Shows that the application is alive, for an application that does not pull events: see arr_keep_alive_options.liveness_ms.
///
/// - session: the session.
/// - error: may be NULL.
///
/// Neither waits nor allocates. Threads: any.
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
        other => return Err(abi::invalid_argument(format!("stop_on_shutdown {other} is neither 0 nor 1"))),
    };
    let on_suspend = match options.on_suspend {
        ARR_ON_SUSPEND_LEAVE => OnSuspend::Leave,
        ARR_ON_SUSPEND_EXTEND => OnSuspend::Extend(seconds(options.suspend_lease_seconds)),
        ARR_ON_SUSPEND_STOP => OnSuspend::Stop,
        other => {
            return Err(abi::invalid_argument(format!("on_suspend {other} is none of the ARR_ON_SUSPEND_... values")));
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
    Err(abi::error(client::ErrorKind::Unsupported, "options.reserved is not 0; set options up by their init function"))
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(count.into())
}

//! `arr_reuse_options`: reusing a session instead of creating another.

use super::client::{arr_client, find, out_handle, within};
use super::error_info::arr_error_info;
use super::new_session::new_session;
use super::operation::{TypedOperation, arr_operation, prepare, start};
use super::session::{arr_session, arr_session_create_options, hand_out};
use super::session_properties::arr_session_properties;
use super::status::arr_status;
use super::structs::{self, Out, Plain};
use super::{guard, text};
use client::{Result, Reuse, SessionId};
use std::ffi::c_char;
use std::time::Duration;

/// Size of arr_reuse_options in version 1 of the ABI.
pub const ARR_REUSE_OPTIONS_SIZE_V1: u32 = 16;

/// Which session may be reused. Initialize it with arr_reuse_options_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_reuse_options {
    /// Set by arr_reuse_options_init().
    pub struct_size: u32,
    /// Minimum remaining lease, in seconds. Default 600.
    pub min_remaining_seconds: u32,
    /// Id of the session to check first, for example one that the application stored. NULL or "": none.
    pub session_id: *const c_char,
}

// SAFETY: repr(C), integers and a pointer; the assertion shows that there is no padding.
unsafe impl Plain for arr_reuse_options {
    const SIZE_V1: u32 = ARR_REUSE_OPTIONS_SIZE_V1;
}
const _: () = assert!(size_of::<arr_reuse_options>() == 2 * 4 + 8);
const _: () = assert!(size_of::<arr_reuse_options>() == ARR_REUSE_OPTIONS_SIZE_V1 as usize);

/// Initializes a struct with the defaults: `arr_reuse_options_init(&options, sizeof options)`.
///
///   options  Out. Exactly `size` bytes are written.
///   size     The struct's size as the caller compiled it, ARR_REUSE_OPTIONS_SIZE_V1 to 65536.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if `options` is NULL or `size` is out of range.
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_reuse_options_init(options: *mut arr_reuse_options, size: usize) -> arr_status {
    const DEFAULTS: arr_reuse_options = arr_reuse_options {
        struct_size: ARR_REUSE_OPTIONS_SIZE_V1,
        min_remaining_seconds: 600,
        session_id: std::ptr::null(),
    };
    // SAFETY: no error info is given to the guard; the caller promises `size` writable bytes.
    unsafe { guard::status("arr_reuse_options_init", std::ptr::null_mut(), || structs::init(options, size, &DEFAULTS)) }
}

/// Reuses a suitable session if there is one; otherwise creates one.
///
/// It first checks the session with the id in `reuse`; then, newest first, those in the journal that were created by
/// this client or by a client that is no longer running. It skips those that arr_client_recover_sessions() would return
/// as ARR_CLAIM_CANDIDATE or ARR_CLAIM_ONLY_CANDIDATE. A session is suitable if it is at this endpoint, has the
/// requested size, is starting or ready, and has enough lease left.
///
///   client      The client. Without a journal_folder only the given id is checked.
///   options     Options of a new session.
///   reuse       Which session may be reused.
///   session     Out. Free it with arr_session_free(). NULL on failure.
///   properties  Out, may be NULL. The cached properties of the session.
///   reused      Out, may be NULL. 1 if a session was reused or existed under the id of `options`; 0 if one was
///               created.
///   timeout_ms  Time limit; see Timeouts.
///   error       Out, may be NULL.
///
/// Errors: those of arr_session_create(). If a session cannot be checked, the call fails with the error of that check
/// and creates none.
/// REST: the request of arr_session_open() for each session that is checked; if none is suitable, that of
/// arr_session_create(). Blocks.
/// Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_reuse_or_create(
    client: *mut arr_client,
    options: *const arr_session_create_options,
    reuse: *const arr_reuse_options,
    session: *mut *mut arr_session,
    properties: *mut arr_session_properties,
    reused: *mut i32,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status_with_secrets("arr_session_reuse_or_create", error, || {
            let place = out_handle(session, "session")?;
            let properties = Out::optional(properties, "properties")?;
            let (new, reuse) = (new_session(options)?, reuse_options(reuse)?);
            let reuse_or_create = || {
                let found = within(find(client)?.reuse_or_create(&new, reuse), timeout_ms).run()?;
                if !reused.is_null() {
                    reused.write_unaligned(found.reused.into());
                }
                Ok(found.session)
            };
            hand_out(reuse_or_create, place, properties)
        })
    }
}

/// Starts arr_session_reuse_or_create(). Result: arr_operation_get_session().
///
///   client      The client. Without a journal_folder only the given id is checked.
///   options     Options of a new session. They may be freed after the call.
///   reuse       Which session may be reused.
///   user_data   Any value; returned in arr_event.user_data.
///   operation   Out. Free it with arr_operation_free(). NULL on failure.
///   timeout_ms  Time limit, not 0; see Timeouts.
///   error       Out, may be NULL.
///
/// Errors: see Operations. ARR_ERROR_INVALID_ARGUMENT for options that the REST version does not support.
/// Does not block. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_reuse_or_create_start(
    client: *mut arr_client,
    options: *const arr_session_create_options,
    reuse: *const arr_reuse_options,
    user_data: u64,
    operation: *mut *mut arr_operation,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_reuse_or_create_start", error, || {
            start(operation, user_data, |label| {
                let (client, new, reuse) = (find(client)?, new_session(options)?, reuse_options(reuse)?);
                prepare(within(client.reuse_or_create(&new, reuse), timeout_ms), label).map(TypedOperation::Reused)
            })
        })
    }
}

/// # Safety
/// `options` and its text are as [`structs::read`] and [`text::optional`] require.
unsafe fn reuse_options(options: *const arr_reuse_options) -> Result<Reuse> {
    // SAFETY: the caller's promise.
    let options = unsafe { structs::read(options, "reuse") }?;
    // SAFETY: the caller's promise.
    let id = unsafe { text::optional(options.session_id, "session_id") }?.filter(|id| !id.is_empty());
    Ok(Reuse::default()
        .id(id.map(SessionId::parse).transpose()?)
        .min_remaining(Duration::from_secs(options.min_remaining_seconds.into())))
}

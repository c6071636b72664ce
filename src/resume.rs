//! `arr_resume_options`: resuming a session instead of creating another.

use super::client::{arr_client, find, out_handle, within};
use super::error_info::arr_error_info;
use super::operation::{TypedOperation, arr_operation, prepare, start};
use super::session::{arr_session, arr_session_create_options, hand_out, new_session};
use super::session_properties::arr_session_properties;
use super::status::arr_status;
use super::structs::{self, Out, Plain};
use super::{guard, text};
use client::{Result, Resume, SessionId};
use std::ffi::c_char;
use std::time::Duration;

/// The size of arr_resume_options in the first version of the ABI.
pub const ARR_RESUME_OPTIONS_SIZE_V1: u32 = 16;

/// Which session is fit to go on with. Set it up with arr_resume_options_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_resume_options {
    /// Set by arr_resume_options_init().
    pub struct_size: u32,
    /// How much of its lease must be left at least, in seconds. Default 600.
    pub min_remaining_seconds: u32,
    /// The id of the session to look at first, for example one that the application has kept itself. NULL: none.
    pub session_id: *const c_char,
}

// SAFETY: repr(C), integers and a pointer; the assertion shows that there is no padding.
unsafe impl Plain for arr_resume_options {
    const SIZE_V1: u32 = ARR_RESUME_OPTIONS_SIZE_V1;
}
const _: () = assert!(size_of::<arr_resume_options>() == 2 * 4 + 8);
const _: () = assert!(size_of::<arr_resume_options>() == ARR_RESUME_OPTIONS_SIZE_V1 as usize);

/// Sets options up: `arr_resume_options_init(&options, sizeof options)`.
///
/// - options: written for exactly `size` bytes: the defaults.
/// - size: the struct's size where it is compiled, ARR_RESUME_OPTIONS_SIZE_V1 to 65536.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT for NULL or a size out of range. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_resume_options_init(options: *mut arr_resume_options, size: usize) -> arr_status {
    const DEFAULTS: arr_resume_options = arr_resume_options {
        struct_size: ARR_RESUME_OPTIONS_SIZE_V1,
        min_remaining_seconds: 600,
        session_id: std::ptr::null(),
    };
    // SAFETY: no error info is given to the guard; the caller promises `size` writable bytes.
    unsafe {
        guard::status("arr_resume_options_init", std::ptr::null_mut(), || structs::init(options, size, &DEFAULTS))
    }
}

/// Creates a session, unless there is one to go on with: the one whose id is given, or one that the journal has, of this
/// client or of an earlier run that is over, at this endpoint; of the size that the new one would have, starting or ready,
/// with enough of its lease left.
///
/// REST: what arr_session_open() sends, for each that may be fit, then what arr_session_create() sends, if none is.
///
/// - client: the client. Without a journal_path only the given id is looked at.
/// - options: what a new session shall be.
/// - resume: what is fit.
/// - session: receives the handle, to be freed by arr_session_free(); NULL after a failure.
/// - properties: receives what is known of it. May be NULL.
/// - resumed: receives 1 if it was there before, 0 if it was created. May be NULL.
/// - timeout_ms: the most that the call may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL.
///
/// Fails as arr_session_create() does. If a session cannot be looked at, it fails as that did, and creates none. Blocks.
/// Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_resume_or_create(
    client: *mut arr_client,
    options: *const arr_session_create_options,
    resume: *const arr_resume_options,
    session: *mut *mut arr_session,
    properties: *mut arr_session_properties,
    resumed: *mut i32,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_resume_or_create", error, || {
            let place = out_handle(session, "session")?;
            let properties = Out::optional(properties, "properties")?;
            let (new, resume) = (new_session(options)?, resume_options(resume)?);
            let found = within(find(client)?.resume_or_create(&new, resume), timeout_ms).run()?;
            if !resumed.is_null() {
                resumed.write_unaligned(found.resumed.into());
            }
            hand_out(found.session, place, properties)
        })
    }
}

/// Starts what arr_session_resume_or_create() does; arr_operation_get_session() gives the session, and whether it was there before.
///
/// - client: the client.
/// - options: what a new session shall be. Nothing in it is used after the call.
/// - resume: what is fit.
/// - user_data: whatever the application likes; the event carries it.
/// - operation: receives the handle, to be freed by arr_operation_free(); NULL after a failure.
/// - timeout_ms: the most that it may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL. It is about starting; arr_operation_get_error() tells how it ended.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT for what the REST version does not have. Neither waits nor blocks. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_resume_or_create_start(
    client: *mut arr_client,
    options: *const arr_session_create_options,
    resume: *const arr_resume_options,
    user_data: u64,
    operation: *mut *mut arr_operation,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_resume_or_create_start", error, || {
            start(operation, user_data, |label| {
                let (client, new, resume) = (find(client)?, new_session(options)?, resume_options(resume)?);
                prepare(within(client.resume_or_create(&new, resume), timeout_ms), label).map(TypedOperation::Resumed)
            })
        })
    }
}

/// # Safety
/// `options` and its text are as [`structs::read`] and [`text::optional`] require.
unsafe fn resume_options(options: *const arr_resume_options) -> Result<Resume> {
    // SAFETY: the caller's promise.
    let options = unsafe { structs::read(options, "resume") }?;
    // SAFETY: the caller's promise.
    let id = unsafe { text::optional(options.session_id, "session_id") }?.filter(|id| !id.is_empty());
    Ok(Resume::default()
        .id(id.map(SessionId::parse).transpose()?)
        .min_remaining(Duration::from_secs(options.min_remaining_seconds.into())))
}

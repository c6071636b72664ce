//! `arr_session`: a rendering session.

use super::client::{arr_client, find, out_handle, wait_timeout, within};
use super::error_info::arr_error_info;
use super::handle::{Table, table};
use super::new_session::new_session;
use super::session_properties::{ARR_SESSION_SIZE_STANDARD, arr_session_properties, arr_session_size};
use super::status::arr_status;
use super::structs::{self, Out, Plain};
use super::{guard, text};
use client::{Error, ErrorKind, Lease, Result, Session, SessionId, abi};
use std::ffi::c_char;
use std::sync::Arc;
use std::time::Duration;

/// Read mode: requests the properties from the service.
pub const ARR_READ_FRESH: u32 = 0;
/// Read mode: accepts cached properties without a request if the session has ended, or if they are younger than a poll
/// interval (poll_interval_ms while the session starts, ready_poll_interval_ms after that); age_ms is their age. The
/// first read after a stop by this client, or after an update whose reply did not have the properties, sends a request.
pub const ARR_READ_CACHED: u32 = 1;
/// Read mode: accepts cached properties of any age (age_ms). Sends nothing and does not block. Use it in a frame loop
/// when arr_snapshot.revision has changed.
pub const ARR_READ_KNOWN: u32 = 2;

/// A rendering session. A handle.
pub struct arr_session {
    _private: [u8; 0],
}

/// Size of arr_session_create_options in version 1 of the ABI.
pub const ARR_SESSION_CREATE_OPTIONS_SIZE_V1: u32 = 48;

/// Options of a new session. Initialize them with arr_session_create_options_init(). Required: max_lease_seconds.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_session_create_options {
    /// Set by arr_session_create_options_init().
    pub struct_size: u32,
    /// Size of the server. Default ARR_SESSION_SIZE_STANDARD.
    pub size: arr_session_size,
    /// Lease in seconds, counted from the moment the session is ready: 1 to 31536000 (365 days); with
    /// ARR_API_VERSION_2021_01_01 up to 86400 (a day), rounded up to whole minutes. The session ends when its lease
    /// ends. There is no default, because the lease bounds what a forgotten session costs.
    pub max_lease_seconds: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Session id: 1 to 256 letters, digits, hyphens and underscores. NULL or "": a new GUID. Only with
    /// ARR_API_VERSION_2021_01_01; with REST v1 the service chooses the id.
    pub session_id: *const c_char,
    /// Models to load before the session is ready: URLs of their asset containers. NULL: none. Only with REST v1.
    pub models: *const *const c_char,
    /// Number of models, at most 1000.
    pub model_count: usize,
    /// Additional members of the request that this library does not know, as a JSON object of at most 64 KiB and 16
    /// levels. These members cannot change the lease, the size or the models. Numbers have double precision. NULL or
    /// "": none.
    pub extra_json: *const c_char,
}

// SAFETY: repr(C), integers and pointers; the assertion shows that there is no padding.
unsafe impl Plain for arr_session_create_options {
    const SIZE_V1: u32 = ARR_SESSION_CREATE_OPTIONS_SIZE_V1;
}
const _: () = assert!(size_of::<arr_session_create_options>() == 4 * 4 + 4 * 8);
const _: () = assert!(size_of::<arr_session_create_options>() == ARR_SESSION_CREATE_OPTIONS_SIZE_V1 as usize);

pub(super) static SESSIONS: Table<Session> = table!(2, "arr_session");

/// Initializes a struct with the defaults and no strings: `arr_session_create_options_init(&options, sizeof options)`.
///
///   options  Out. Exactly `size` bytes are written.
///   size     The struct's size as the caller compiled it, ARR_SESSION_CREATE_OPTIONS_SIZE_V1 to 65536.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if `options` is NULL or `size` is out of range.
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_create_options_init(
    options: *mut arr_session_create_options,
    size: usize,
) -> arr_status {
    let defaults = arr_session_create_options {
        struct_size: ARR_SESSION_CREATE_OPTIONS_SIZE_V1,
        size: ARR_SESSION_SIZE_STANDARD,
        max_lease_seconds: 0,
        reserved: 0,
        session_id: std::ptr::null(),
        models: std::ptr::null(),
        model_count: 0,
        extra_json: std::ptr::null(),
    };
    // SAFETY: no error info is given to the guard; the caller promises `size` writable bytes.
    unsafe {
        guard::status("arr_session_create_options_init", std::ptr::null_mut(), || {
            structs::init(options, size, &defaults)
        })
    }
}

/// Creates a session. Its server costs money from the moment it is ready until it is stopped or its lease ends.
///
/// If the application passed a session_id, and a session with that id and the same settings already exists, that
/// session is opened, and this client does not own it (see ARR_STOP_SCOPE_OWN). If the reply to a first attempt was
/// lost, and the client cannot tell whether that attempt created the session, the client does not own it either.
///
/// With REST v1, a create is retried only if no part of it was sent, or after a 429. If its reply is lost, it fails
/// with ARR_ERROR_OUTCOME_UNKNOWN: a session may be running. Its id is unknown, and arr_client_list_sessions() shows it
/// among others. With 2021-01-01, a create is retried like any other call. It fails with ARR_ERROR_OUTCOME_UNKNOWN only
/// if the outcome is still unknown after the last attempt; the message names the id.
///
/// If the client is shut down or freed during the call, the new session is stopped before the call
/// returns (see Timeouts).
///
///   client      The client.
///   options     The options.
///   session     Out. Free it with arr_session_free(), which does not stop the session. NULL on failure.
///   properties  Out, may be NULL. At least the id, the status, the size and the lease.
///   timeout_ms  Time limit; see Timeouts.
///   error       Out, may be NULL.
///
/// Errors: ARR_ERROR_OUTCOME_UNKNOWN; ARR_ERROR_INVALID_ARGUMENT for options that the REST version does not support;
/// ARR_ERROR_CONFLICT if session_id belongs to a session with other settings, or to one that has ended;
/// ARR_ERROR_STORAGE if the journal cannot record the create.
/// REST: POST /sessions/create (v1), PUT /sessions/{id} (2021-01-01). Blocks. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_create(
    client: *mut arr_client,
    options: *const arr_session_create_options,
    session: *mut *mut arr_session,
    properties: *mut arr_session_properties,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status_with_secrets("arr_session_create", error, || {
            let session = out_handle(session, "session")?;
            let properties = Out::optional(properties, "properties")?;
            let new = new_session(options)?;
            let create = || within(find(client)?.create_session(&new), timeout_ms).run();
            hand_out(create, session, properties)
        })
    }
}

/// Opens an existing session by its id, for example one that another process created.
///
///   client      The client.
///   session_id  1 to 256 letters, digits, hyphens and underscores.
///   session     Out. Free it with arr_session_free(). NULL on failure.
///   properties  Out, may be NULL.
///   timeout_ms  Time limit; see Timeouts.
///   error       Out, may be NULL.
///
/// Errors: ARR_ERROR_NOT_FOUND if the service does not know the session.
/// REST: GET /sessions/{id}/properties (v1), GET /sessions/{id} (2021-01-01). Blocks. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_open(
    client: *mut arr_client,
    session_id: *const c_char,
    session: *mut *mut arr_session,
    properties: *mut arr_session_properties,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status_with_secrets("arr_session_open", error, || {
            let session = out_handle(session, "session")?;
            let properties = Out::optional(properties, "properties")?;
            let id = SessionId::parse(text::required(session_id, "session_id")?)?;
            hand_out(|| within(find(client)?.open_session(&id), timeout_ms).run(), session, properties)
        })
    }
}

/// Copies the session's id to a buffer.
///
///   session   The session.
///   buffer    Out. The id and a final NUL. NULL with a `capacity` of 0 queries the size.
///   capacity  Size of the buffer in bytes; 257 is always enough.
///   needed    Out, may be NULL. The required size with the NUL, on ARR_OK and ARR_ERROR_BUFFER_TOO_SMALL.
///   error     Out, may be NULL.
///
/// Errors: ARR_ERROR_BUFFER_TOO_SMALL if it does not fit (the buffer is unchanged).
/// Does not block. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_get_id(
    session: *mut arr_session,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_get_id", error, || {
            text::into_buffer(SESSIONS.get(session)?.id().as_str(), buffer, capacity, needed)
        })
    }
}

/// Copies the full message of the cached properties to a buffer: why the session failed or ended. Empty if there is
/// none. At most 4096 bytes are kept; control characters are replaced by spaces.
///
///   session   The session.
///   buffer    Out. The message and a final NUL. NULL with a `capacity` of 0 queries the size.
///   capacity  Size of the buffer in bytes.
///   needed    Out, may be NULL. The required size with the NUL, on ARR_OK and ARR_ERROR_BUFFER_TOO_SMALL.
///   error     Out, may be NULL.
///
/// Errors: ARR_ERROR_BUFFER_TOO_SMALL if it does not fit (the buffer is unchanged).
/// Does not block. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_get_message(
    session: *mut arr_session,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_get_message", error, || {
            let message = SESSIONS.get(session)?.known_properties().message.unwrap_or_default();
            text::into_buffer(&message, buffer, capacity, needed)
        })
    }
}

/// Copies the session's JSON from the last reply, to read members that this library does not know, such as what your
/// own renderer needs to connect.
///
/// The JSON is as received, up to 64 KiB, without a byte order mark and with U+FFFD for bytes that are not UTF-8. If
/// the last reply was a list, as for a watched session, it is the session's entry. It is empty until a reply contains
/// the session; with REST v1, the reply to a create does not contain it. arr_snapshot.revision does not count changes
/// of members that this library does not know.
///
///   session   The session.
///   buffer    Out. The JSON and a final NUL. NULL with a `capacity` of 0 queries the size.
///   capacity  Size of the buffer in bytes; 65537 is always enough.
///   needed    Out, may be NULL. The required size with the NUL, on ARR_OK and ARR_ERROR_BUFFER_TOO_SMALL.
///   error     Out, may be NULL.
///
/// Errors: ARR_ERROR_BUFFER_TOO_SMALL if it does not fit (the buffer is unchanged); ARR_ERROR_UNEXPECTED_REPLY if the
/// last reply had more than 64 KiB of JSON for the session (each U+FFFD counts as 3 bytes): none of it is kept.
/// Does not block. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_get_reply(
    session: *mut arr_session,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_get_reply", error, || {
            let reply = SESSIONS.get(session)?.reply()?;
            text::into_buffer(reply.as_deref().unwrap_or_default(), buffer, capacity, needed)
        })
    }
}

/// Reads the session's properties.
///
/// The service may throttle an account that reads too often (ARR_ERROR_THROTTLED): the documentation of REST v1 asks
/// for 5 to 10 s between reads. Waits, watching and ARR_READ_CACHED keep to the poll intervals.
///
///   session     The session.
///   flags       ARR_READ_FRESH, ARR_READ_CACHED or ARR_READ_KNOWN: one of them, they cannot be combined.
///   properties  Out.
///   timeout_ms  Time limit; see Timeouts.
///   error       Out, may be NULL.
///
/// Errors: ARR_ERROR_NOT_FOUND if the service no longer knows the session; ARR_ERROR_UNSUPPORTED for other flags.
/// REST: GET /sessions/{id}/properties (v1), GET /sessions/{id} (2021-01-01). Blocks, except with ARR_READ_KNOWN.
/// Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_get_properties(
    session: *mut arr_session,
    flags: u32,
    properties: *mut arr_session_properties,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status_with_secrets("arr_session_get_properties", error, || {
            let properties = Out::required(properties, "properties")?;
            let session = SESSIONS.get(session)?;
            let read = match flags {
                ARR_READ_FRESH => within(session.properties(), timeout_ms).run()?,
                ARR_READ_CACHED => within(session.cached_properties(), timeout_ms).run()?,
                ARR_READ_KNOWN => {
                    properties.write(&abi::read_known(&session, arr_session_properties::as_of_now));
                    return Ok(());
                }
                other => return Err(abi::error(ErrorKind::Unsupported, format!("flags {other} are not ARR_READ_..."))),
            };
            properties.write(&arr_session_properties::from(&read));
            Ok(())
        })
    }
}

/// Sets the session's total lease, counted from the moment it became ready. A lease can only grow: to add an hour to a
/// lease of one hour, set 7200.
///
/// After rounding, max_lease_seconds is compared with the cached lease: if they are equal, the call succeeds without a
/// request. Otherwise, ARR_OK means that the service accepted the new lease: it replied with success. Only a read shows
/// whether the service also granted the lease.
///
///   session            The session.
///   max_lease_seconds  Total lease: 1 to 31536000 (365 days); with ARR_API_VERSION_2021_01_01 up to 86400, rounded up
///                      to whole minutes.
///   properties         Out, may be NULL. The cached properties after the update. With REST v1: the accepted lease, and
///                      all else as last read (age_ms). With 2021-01-01: those in the reply.
///   timeout_ms         Time limit; see Timeouts.
///   error              Out, may be NULL.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if the lease is shorter than the cached one; ARR_ERROR_BAD_REQUEST (v1) or
/// ARR_ERROR_CONFLICT (2021-01-01) if it is not longer than the service's; ARR_ERROR_SESSION_ENDED or
/// ARR_ERROR_CONFLICT if the session has ended.
/// REST: PATCH /sessions/{id}. Blocks. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_update_lease(
    session: *mut arr_session,
    max_lease_seconds: u32,
    properties: *mut arr_session_properties,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status_with_secrets("arr_session_update_lease", error, || {
            let properties = Out::optional(properties, "properties")?;
            let lease = Lease::new(Duration::from_secs(max_lease_seconds.into()))?;
            let known = within(SESSIONS.get(session)?.update_lease(lease), timeout_ms).run()?;
            if let Some(properties) = properties {
                properties.write(&arr_session_properties::from(&known));
            }
            Ok(())
        })
    }
}

/// Waits until the session is ready. Polls its properties every poll_interval_ms.
///
/// May be called in short slices, to show progress. The schedule and the request in flight belong to the session, so
/// slices send no extra requests: a wait of 60 s and 240 waits of 250 ms send the same. Transient failures do not end
/// the wait.
///
/// A session that the service reported as ready less than ready_poll_interval_ms ago counts as ready without a request;
/// see age_ms.
///
///   session     The session.
///   properties  Out, may be NULL. The latest properties; set on ARR_OK, and on failure with ARR_ERROR_TIMEOUT,
///               ARR_ERROR_SESSION_ENDED and ARR_ERROR_SESSION_FAILED.
///   timeout_ms  Time limit. 0 does not wait, but starts a read if one is due; ARR_WAIT_FOREVER and ARR_TIMEOUT_DEFAULT
///               have no limit.
///   error       Out, may be NULL.
///
/// Errors: ARR_ERROR_TIMEOUT if it is not ready yet; ARR_ERROR_SESSION_ENDED or ARR_ERROR_SESSION_FAILED if it will
/// never be ready; ARR_ERROR_SHUT_DOWN once the client is shut down or freed. A failure that is not transient (an
/// unknown session, a refused credential, an untrusted certificate, an invalid reply) ends all waits for that session.
/// REST: GET /sessions/{id}/properties (v1), GET /sessions/{id} (2021-01-01), at each poll. Blocks. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_wait_until_ready(
    session: *mut arr_session,
    properties: *mut arr_session_properties,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status_with_secrets("arr_session_wait_until_ready", error, || {
            let properties = Out::optional(properties, "properties")?;
            let session = SESSIONS.get(session)?;
            let waited = session.wait_until_ready().timeout(wait_timeout(timeout_ms)).run();
            let known = match &waited {
                Ok(ready) => Some(ready.clone()),
                Err(error) => fills_properties(error).then(|| session.known_properties()),
            };
            if let (Some(properties), Some(known)) = (properties, known) {
                properties.write(&arr_session_properties::from(&known));
            }
            waited.map(|_| ())
        })
    }
}

/// Stops the session: its server is released and no longer costs money. A session that has already ended counts as
/// stopped: the call returns ARR_OK. If the call fails, the session may still be running: stop it again.
///
///   session       The session. The handle stays valid until it is freed, to read the final properties.
///   already_gone  Out, may be NULL. 1 if the service replied that the session had already ended (409, 410, or 404 twice),
///                 else 0. After an earlier stop request whose reply was lost, it is 0, because that request may have
///                 ended the session.
///   timeout_ms    Time limit; see Timeouts.
///   error         Out, may be NULL.
///
/// REST: DELETE /sessions/{id} (v1), POST /sessions/{id}/:stop (2021-01-01). Blocks. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_stop(
    session: *mut arr_session,
    already_gone: *mut i32,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status_with_secrets("arr_session_stop", error, || {
            let stopped = within(SESSIONS.get(session)?.stop(), timeout_ms).run()?;
            if !already_gone.is_null() {
                already_gone.write_unaligned(stopped.already_gone.into());
            }
            Ok(())
        })
    }
}

/// Frees a session's handle. Does NOT stop the session: that is arr_session_stop().
///
/// Ends watching, keep-alive and stop_on_shutdown that were requested with this handle.
///
///   session  The session. NULL or a freed handle is ignored.
///
/// Does not block. Thread-safe, even while calls with the handle are in progress: they finish.
#[unsafe(no_mangle)]
pub extern "C" fn arr_session_free(session: *mut arr_session) {
    guard::value("arr_session_free", (), || {
        if let Some(session) = SESSIONS.remove(session) {
            // Immediately, even while another call holds it.
            session.unwatch();
        }
    });
}

/// The session of a handle.
pub(super) fn find_session(session: *const arr_session) -> Result<Arc<Session>> {
    SESSIONS.get(session)
}

/// Reserves a handle before it makes the session, which must not run without one.
pub(super) fn hand_out(
    make: impl FnOnce() -> Result<Session>,
    place: *mut *mut arr_session,
    properties: Option<Out<arr_session_properties>>,
) -> Result<()> {
    let handle = SESSIONS.insert_with(|_| {
        let made = make()?;
        if let Some(properties) = properties {
            properties.write(&arr_session_properties::from(&made.known_properties()));
        }
        Ok(made)
    })?;
    // SAFETY: `out_handle` has checked the place, and written to it.
    unsafe { place.write_unaligned(handle) };
    Ok(())
}

/// Whether the session's properties explain further how a wait ended.
fn fills_properties(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Timeout | ErrorKind::SessionEnded | ErrorKind::SessionFailed)
}

//! `arr_session`: a rendering session.

use super::client::{arr_client, call_timeout, find, out_handle, wait_timeout};
use super::error_info::arr_error_info;
use super::handle::Table;
use super::status::arr_status;
use super::structs::{self, Out, Plain};
use super::{guard, text};
use crate::client::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::session::{NewSession, SessionId, SessionProperties, SessionSize, SessionStatus};
use std::ffi::c_char;
use std::time::Duration;

/// The size of a rendering server, an ARR_SESSION_SIZE_... value. Expect values that this header does not have.
pub type arr_session_size = i32;
/// The service did not say, or named a size that this library does not know.
pub const ARR_SESSION_SIZE_UNKNOWN: arr_session_size = 0;
/// Up to 20 million primitives.
pub const ARR_SESSION_SIZE_STANDARD: arr_session_size = 1;
/// No fixed limit.
pub const ARR_SESSION_SIZE_PREMIUM: arr_session_size = 2;

/// Where a session is in its life, an ARR_SESSION_STATUS_... value. Expect values that this header does not have.
pub type arr_session_status = i32;
/// The service named a status that this library does not know. It is not final.
pub const ARR_SESSION_STATUS_UNKNOWN: arr_session_status = 0;
/// A server is being found and started, which takes seconds to minutes and costs nothing yet.
pub const ARR_SESSION_STATUS_STARTING: arr_session_status = 1;
/// The server runs, and costs, whether or not anybody is connected to it.
pub const ARR_SESSION_STATUS_READY: arr_session_status = 2;
/// The session was stopped. Final.
pub const ARR_SESSION_STATUS_STOPPED: arr_session_status = 3;
/// The lease ran out. Final.
pub const ARR_SESSION_STATUS_EXPIRED: arr_session_status = 4;
/// The session failed; the message tells why. Final.
pub const ARR_SESSION_STATUS_ERROR: arr_session_status = 5;
/// The session was stopped and its server is being given back.
pub const ARR_SESSION_STATUS_STOPPING: arr_session_status = 6;

/// A rendering session of a client. A handle: a value that is looked up, never a pointer to follow.
pub struct arr_session {
    _private: [u8; 0],
}

/// The size of arr_session_create_options in the first version of the ABI.
pub const ARR_SESSION_CREATE_OPTIONS_SIZE_V1: u32 = 16;

/// What a new session shall be. Set it up with arr_session_create_options_init(), then give the lease.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_session_create_options {
    /// Set by arr_session_create_options_init().
    pub struct_size: u32,
    /// The size of the server. Default ARR_SESSION_SIZE_STANDARD.
    pub size: arr_session_size,
    /// After how long ready the session ends by itself, in seconds, 1 to 31536000 (365 days). No default: it bounds what
    /// a forgotten session costs.
    pub max_lease_seconds: u32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: repr(C) and integers; the assertion shows that there is no padding.
unsafe impl Plain for arr_session_create_options {
    const SIZE_V1: u32 = ARR_SESSION_CREATE_OPTIONS_SIZE_V1;
}
const _: () = assert!(size_of::<arr_session_create_options>() == 4 * 4);
const _: () = assert!(size_of::<arr_session_create_options>() == ARR_SESSION_CREATE_OPTIONS_SIZE_V1 as usize);

/// The size of arr_session_properties in the first version of the ABI.
pub const ARR_SESSION_PROPERTIES_SIZE_V1: u32 = 1064;

/// What is known of a session. Set it up once with arr_session_properties_init(); it may be filled any number of times.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_session_properties {
    /// Set by arr_session_properties_init().
    pub struct_size: u32,
    /// Where it is in its life.
    pub status: arr_session_status,
    /// The size of its server.
    pub size: arr_session_size,
    /// The port of the ARR inspector on the host; 0 if there is none.
    pub arr_inspector_port: i32,
    /// The port of the rendering connection's handshake on the host; 0 if there is none.
    pub handshake_port: i32,
    /// The whole lease in seconds, counted from when the session became ready; 0 if the service did not say.
    pub max_lease_seconds: u32,
    /// How much of it is used, in seconds.
    pub elapsed_seconds: u32,
    /// How much of it was left when the service answered, in seconds.
    pub remaining_seconds: u32,
    /// The full length of the message in bytes, without the final NUL; arr_session_get_message() gives all of it.
    pub message_length: u32,
    /// The session's id.
    pub session_id: [c_char; 257],
    /// The host that renders; empty while the session is not ready.
    pub hostname: [c_char; 256],
    /// Why it failed or ended, where the service says so, cut to 511 bytes; else empty.
    pub message: [c_char; 512],
    /// Zero.
    pub reserved: [u8; 3],
}

// SAFETY: repr(C), integers and arrays of them; the assertion shows that there is no padding.
unsafe impl Plain for arr_session_properties {
    const SIZE_V1: u32 = ARR_SESSION_PROPERTIES_SIZE_V1;
}
const _: () = assert!(size_of::<arr_session_properties>() == 9 * 4 + 257 + 256 + 512 + 3);
const _: () = assert!(size_of::<arr_session_properties>() == ARR_SESSION_PROPERTIES_SIZE_V1 as usize);

const NO_PROPERTIES: arr_session_properties = arr_session_properties {
    struct_size: ARR_SESSION_PROPERTIES_SIZE_V1,
    status: ARR_SESSION_STATUS_UNKNOWN,
    size: ARR_SESSION_SIZE_UNKNOWN,
    arr_inspector_port: 0,
    handshake_port: 0,
    max_lease_seconds: 0,
    elapsed_seconds: 0,
    remaining_seconds: 0,
    message_length: 0,
    session_id: [0; 257],
    hostname: [0; 256],
    message: [0; 512],
    reserved: [0; 3],
};

impl From<&SessionProperties> for arr_session_properties {
    fn from(properties: &SessionProperties) -> arr_session_properties {
        let seconds = |span: Option<Duration>| u32::try_from(span.unwrap_or_default().as_secs()).unwrap_or(u32::MAX);
        let message = properties.message.as_deref().unwrap_or_default();
        arr_session_properties {
            status: match properties.status {
                SessionStatus::Unknown(_) => ARR_SESSION_STATUS_UNKNOWN,
                SessionStatus::Starting => ARR_SESSION_STATUS_STARTING,
                SessionStatus::Ready => ARR_SESSION_STATUS_READY,
                SessionStatus::Stopping => ARR_SESSION_STATUS_STOPPING,
                SessionStatus::Stopped => ARR_SESSION_STATUS_STOPPED,
                SessionStatus::Expired => ARR_SESSION_STATUS_EXPIRED,
                SessionStatus::Error => ARR_SESSION_STATUS_ERROR,
            },
            size: match properties.size {
                None | Some(SessionSize::Unknown(_)) => ARR_SESSION_SIZE_UNKNOWN,
                Some(SessionSize::Standard) => ARR_SESSION_SIZE_STANDARD,
                Some(SessionSize::Premium) => ARR_SESSION_SIZE_PREMIUM,
            },
            arr_inspector_port: properties.arr_inspector_port.map_or(0, i32::from),
            handshake_port: properties.handshake_port.map_or(0, i32::from),
            max_lease_seconds: seconds(properties.max_lease),
            elapsed_seconds: seconds(properties.elapsed),
            remaining_seconds: seconds(properties.remaining()),
            message_length: text::length(message),
            session_id: text::inline(properties.id.as_str()),
            hostname: text::inline(properties.hostname.as_deref().unwrap_or_default()),
            message: text::inline(message),
            ..NO_PROPERTIES
        }
    }
}

static SESSIONS: Table<Session> = Table::new(2, "arr_session");

/// Sets options up: `arr_session_create_options_init(&options, sizeof options)`.
///
/// - options: written for exactly `size` bytes: the defaults.
/// - size: the struct's size where it is compiled, ARR_SESSION_CREATE_OPTIONS_SIZE_V1 to 65536.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT for NULL or a size out of range. Threads: any.
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
    };
    // SAFETY: no error info is given to the guard; the caller promises `size` writable bytes.
    unsafe {
        guard::status("arr_session_create_options_init", std::ptr::null_mut(), || {
            structs::init(options, size, &defaults)
        })
    }
}

/// Sets properties up: `arr_session_properties_init(&properties, sizeof properties)`.
///
/// - properties: written for exactly `size` bytes: nothing known.
/// - size: the struct's size where it is compiled, ARR_SESSION_PROPERTIES_SIZE_V1 to 65536.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT for NULL or a size out of range. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_properties_init(
    properties: *mut arr_session_properties,
    size: usize,
) -> arr_status {
    // SAFETY: no error info is given to the guard; the caller promises `size` writable bytes.
    unsafe {
        guard::status("arr_session_properties_init", std::ptr::null_mut(), || {
            structs::init(properties, size, &NO_PROPERTIES)
        })
    }
}

/// Creates a rendering session: a server that costs money from when it is ready until it is stopped or its lease ends.
///
/// REST v1: POST /v1/accounts/{account}/sessions/create, after a token if there is none.
///
/// - client: the client.
/// - options: what the session shall be.
/// - session: receives the handle, to be freed by arr_session_free(), which does not stop the session; NULL after a
///   failure.
/// - properties: receives what is known: the id, the status STARTING, the size and the lease. May be NULL.
/// - timeout_ms: the most that the call may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_OUTCOME_UNKNOWN if the create was sent and its answer was lost: then a session may be running. It is
/// never sent twice. If the client is freed meanwhile, the new session is stopped, which may take attempt_timeout_ms more.
/// Blocks. Threads: any.
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
        guard::status("arr_session_create", error, || {
            let session = out_handle(session, "session")?;
            let properties = Out::optional(properties, "properties")?;
            let new = new_session(&structs::read(options, "options")?)?;
            SESSIONS.check_room()?;
            hand_out(find(client)?.create_session(&new, call_timeout(timeout_ms))?, session, properties)
        })
    }
}

/// Opens a session that exists, by its id: one that another process created, or this one before it was restarted.
///
/// REST v1: GET /v1/accounts/{account}/sessions/{id}/properties, after a token if there is none.
///
/// - client: the client.
/// - session_id: 1 to 256 letters, digits, hyphens and underscores.
/// - session: receives the handle, to be freed by arr_session_free(); NULL after a failure.
/// - properties: receives the session's properties. May be NULL.
/// - timeout_ms: the most that the call may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_NOT_FOUND if the service does not know the session. Blocks. Threads: any.
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
        guard::status("arr_session_open", error, || {
            let session = out_handle(session, "session")?;
            let properties = Out::optional(properties, "properties")?;
            let id = SessionId::parse(text::required(session_id, "session_id")?)?;
            hand_out(find(client)?.open_session(&id, call_timeout(timeout_ms))?, session, properties)
        })
    }
}

/// The session's id, into a buffer of the caller. Sends nothing.
///
/// - session: the session.
/// - buffer: receives the id and a final NUL. May be NULL if capacity is 0, to ask for the size.
/// - capacity: the size of the buffer in bytes; 257 is always enough.
/// - needed: receives the bytes needed, the final NUL included, on ARR_OK and ARR_ERROR_BUFFER_TOO_SMALL. May be NULL.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_BUFFER_TOO_SMALL if it does not fit; the buffer is left alone then. Threads: any.
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

/// The whole message of the properties last read, into a buffer of the caller: why the session failed or ended. Sends
/// nothing. Empty if there is none.
///
/// - session: the session.
/// - buffer: receives the message and a final NUL. May be NULL if capacity is 0, to ask for the size.
/// - capacity: the size of the buffer in bytes.
/// - needed: receives the bytes needed, the final NUL included, on ARR_OK and ARR_ERROR_BUFFER_TOO_SMALL. May be NULL.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_BUFFER_TOO_SMALL if it does not fit; the buffer is left alone then. Threads: any.
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

/// Reads the session's properties.
///
/// REST v1: GET /v1/accounts/{account}/sessions/{id}/properties, after a token if there is none.
///
/// - session: the session.
/// - properties: receives them.
/// - timeout_ms: the most that the call may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_NOT_FOUND if the service does not know the session any more. The service slows accounts down that
/// ask more often than every five to ten seconds (ARR_ERROR_THROTTLED). Blocks. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_get_properties(
    session: *mut arr_session,
    properties: *mut arr_session_properties,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_get_properties", error, || {
            let properties = required(properties)?;
            let read = SESSIONS.get(session)?.properties(call_timeout(timeout_ms))?;
            properties.write(&arr_session_properties::from(&read));
            Ok(())
        })
    }
}

/// Waits until the session is ready, reading its properties every poll_interval_ms.
///
/// It may be called in short slices, to show progress or to stay responsive. The schedule and a request on the wire
/// belong to the session and outlive a slice, so slices cost no extra request: a wait of 60 s and 240 waits of 250 ms
/// send the same. Failures that may pass (no connection, throttling, a 5xx) do not end it.
///
/// REST v1: GET /v1/accounts/{account}/sessions/{id}/properties, each time, after a token if there is none.
///
/// - session: the session.
/// - properties: receives what was read last, on ARR_OK, ARR_ERROR_TIMEOUT, ARR_ERROR_SESSION_ENDED and
///   ARR_ERROR_SESSION_FAILED. May be NULL.
/// - timeout_ms: the most that the call may take. 0 starts what is due and returns at once; ARR_WAIT_FOREVER waits as
///   long as it takes.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_TIMEOUT if it is not ready yet, ARR_ERROR_SESSION_ENDED or ARR_ERROR_SESSION_FAILED if it never
/// will be, and ARR_ERROR_SHUT_DOWN as soon as the client is freed. Blocks. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_wait_until_ready(
    session: *mut arr_session,
    properties: *mut arr_session_properties,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_wait_until_ready", error, || {
            let properties = Out::optional(properties, "properties")?;
            let session = SESSIONS.get(session)?;
            let waited = session.wait_until_ready(wait_timeout(timeout_ms));
            let known = match &waited {
                Ok(ready) => Some(ready.clone()),
                Err(error) => tells_how_far(error).then(|| session.known_properties()),
            };
            if let (Some(properties), Some(known)) = (properties, known) {
                properties.write(&arr_session_properties::from(&known));
            }
            waited.map(|_| ())
        })
    }
}

/// Stops the session: its server is given back and costs no more.
///
/// REST v1: DELETE /v1/accounts/{account}/sessions/{id}, after a token if there is none.
///
/// - session: the session. Its handle stays good, for reading the final properties, until it is freed.
/// - already_gone: receives 1 if the service said that the session had ended before (404, 409 or 410), else 0. May be
///   NULL.
/// - timeout_ms: the most that the call may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL.
///
/// After a failure the session may still be running: stop it again. Blocks. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_stop(
    session: *mut arr_session,
    already_gone: *mut i32,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_stop", error, || {
            let stopped = SESSIONS.get(session)?.stop(call_timeout(timeout_ms))?;
            if !already_gone.is_null() {
                already_gone.write_unaligned(stopped.already_gone.into());
            }
            Ok(())
        })
    }
}

/// Frees a session's handle. It does NOT stop the session: that is arr_session_stop().
///
/// - session: NULL, or a handle that was freed before, is left alone.
///
/// Threads: any, also while calls with the handle are under way: they finish.
#[unsafe(no_mangle)]
pub extern "C" fn arr_session_free(session: *mut arr_session) {
    guard::value("arr_session_free", (), || drop(SESSIONS.remove(session)));
}

fn hand_out(
    made: Session,
    place: *mut *mut arr_session,
    properties: Option<Out<arr_session_properties>>,
) -> Result<()> {
    let known = made.known_properties();
    let handle = SESSIONS.insert(made)?;
    // SAFETY: `out_handle` has checked the place, and written to it.
    unsafe { place.write_unaligned(handle) };
    if let Some(properties) = properties {
        properties.write(&arr_session_properties::from(&known));
    }
    Ok(())
}

/// # Safety
/// As [`Out::optional`].
unsafe fn required(properties: *mut arr_session_properties) -> Result<Out<arr_session_properties>> {
    // SAFETY: the caller's promise.
    let properties = unsafe { Out::optional(properties, "properties") }?;
    properties.ok_or_else(|| {
        Error::invalid_argument("properties is NULL; give a struct set up by arr_session_properties_init")
    })
}

fn new_session(options: &arr_session_create_options) -> Result<NewSession> {
    if options.reserved != 0 {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "options.reserved is not 0; set options up by arr_session_create_options_init",
        ));
    }
    let size = match options.size {
        ARR_SESSION_SIZE_STANDARD => SessionSize::Standard,
        ARR_SESSION_SIZE_PREMIUM => SessionSize::Premium,
        other => return Err(Error::invalid_argument(format!("size {other} is neither STANDARD (1) nor PREMIUM (2)"))),
    };
    NewSession::new(size, Duration::from_secs(options.max_lease_seconds.into()))
}

/// Whether what is known of the session tells more about how a wait ended.
fn tells_how_far(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Timeout | ErrorKind::SessionEnded | ErrorKind::SessionFailed)
}

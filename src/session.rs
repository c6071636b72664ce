//! `arr_session`: a rendering session.

use super::client::{arr_client, find, out_handle, wait_timeout, within};
use super::error_info::arr_error_info;
use super::handle::Table;
use super::session_properties::{
    ARR_SESSION_SIZE_PREMIUM, ARR_SESSION_SIZE_STANDARD, arr_session_properties, arr_session_size,
};
use super::status::arr_status;
use super::structs::{self, Out, Plain};
use super::{guard, text};
use client::{Error, ErrorKind, Lease, NewSession, Result, Session, SessionId, SessionSize, abi};
use std::ffi::c_char;
use std::sync::Arc;
use std::time::Duration;

/// As flags of a read: ask the service.
pub const ARR_READ_FRESH: u32 = 0;
/// As flags of a read: what the service said less than a poll interval ago (poll_interval_ms while the session starts, then
/// ready_poll_interval_ms) will do, and costs no request; age_ms tells how old it is. After an update or a stop by this
/// client the service is asked.
pub const ARR_READ_CACHED: u32 = 1;
/// As flags of a read: what the service said last will do, however old it is (age_ms). Nothing is sent, and nothing waits: for
/// a frame loop, when arr_snapshot.revision has changed.
pub const ARR_READ_KNOWN: u32 = 2;

/// A rendering session of a client. A handle: a value that is looked up, never a pointer to follow.
pub struct arr_session {
    _private: [u8; 0],
}

/// The size of arr_session_create_options in the first version of the ABI.
pub const ARR_SESSION_CREATE_OPTIONS_SIZE_V1: u32 = 48;

/// What a new session shall be. Set it up with arr_session_create_options_init(), then give the lease.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_session_create_options {
    /// Set by arr_session_create_options_init().
    pub struct_size: u32,
    /// The size of the server. Default ARR_SESSION_SIZE_STANDARD.
    pub size: arr_session_size,
    /// After how long ready the session ends by itself, in seconds, 1 to 31536000 (365 days); with
    /// ARR_API_VERSION_2021_01_01 up to 86400 (a day), rounded up to whole minutes. No default: it bounds what
    /// a forgotten session costs.
    pub max_lease_seconds: u32,
    /// Must be 0.
    pub reserved: u32,
    /// The id that the session shall have: 1 to 256 letters, digits, hyphens and underscores. NULL: a new GUID. Only with
    /// ARR_API_VERSION_2021_01_01; with REST v1 the service chooses it.
    pub session_id: *const c_char,
    /// Models to load before the session is ready: the URLs of their asset containers. NULL: none. Only with REST v1.
    pub models: *const *const c_char,
    /// How many they are, at most 1000.
    pub model_count: usize,
    /// Further members for the request, as a JSON object of at most 64 KiB: for what a service takes that this library does
    /// not know, its numbers with double precision. It cannot change lease, size and models. NULL: none.
    pub extra_json: *const c_char,
}

// SAFETY: repr(C), integers and pointers; the assertion shows that there is no padding.
unsafe impl Plain for arr_session_create_options {
    const SIZE_V1: u32 = ARR_SESSION_CREATE_OPTIONS_SIZE_V1;
}
const _: () = assert!(size_of::<arr_session_create_options>() == 4 * 4 + 4 * 8);
const _: () = assert!(size_of::<arr_session_create_options>() == ARR_SESSION_CREATE_OPTIONS_SIZE_V1 as usize);

static SESSIONS: Table<Session> = Table::new(2, "arr_session");

/// Sets options up: `arr_session_create_options_init(&options, sizeof options)`.
///
/// - options: written for exactly `size` bytes: the defaults, and no texts.
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

/// Creates a rendering session: a server that costs money from when it is ready until it is stopped or its lease ends.
///
/// REST v1: POST /v1/accounts/{account}/sessions/create; 2021-01-01: PUT /accounts/{account}/sessions/{id}; after a token
/// if there is none.
///
/// - client: the client.
/// - options: what the session shall be.
/// - session: receives the handle, to be freed by arr_session_free(), which does not stop the session; NULL after a
///   failure.
/// - properties: receives what is known: at least the id, the status, the size and the lease. May be NULL.
/// - timeout_ms: the most that the call may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_OUTCOME_UNKNOWN if the create was sent and its answer was lost: then a session may be running, which
/// arr_client_list_sessions() shows. With REST v1 it is sent again only if the connection was never made, or the answer was
/// 429; with 2021-01-01 as often as every other call. ARR_ERROR_INVALID_ARGUMENT for what the REST version does not have,
/// and ARR_ERROR_CONFLICT if the given session_id is in use with other settings, or was. One that is in use with the same
/// settings is opened. If the client is freed meanwhile, the new session is stopped, which may take attempt_timeout_ms more.
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
            let new = new_session(options)?;
            SESSIONS.check_room()?;
            hand_out(within(find(client)?.create_session(&new), timeout_ms).run()?, session, properties)
        })
    }
}

/// Opens a session that exists, by its id: one that another process created, or this one before it was restarted.
///
/// REST v1: GET /v1/accounts/{account}/sessions/{id}/properties; 2021-01-01: GET /accounts/{account}/sessions/{id}; after a
/// token if there is none.
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
            hand_out(within(find(client)?.open_session(&id), timeout_ms).run()?, session, properties)
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
/// nothing. Empty if there is none. Up to 4096 bytes are kept, control characters are replaced by spaces.
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
/// REST v1: GET /v1/accounts/{account}/sessions/{id}/properties; 2021-01-01: GET /accounts/{account}/sessions/{id}; after a
/// token if there is none.
///
/// - session: the session.
/// - flags: ARR_READ_FRESH, ARR_READ_CACHED or ARR_READ_KNOWN.
/// - properties: receives them.
/// - timeout_ms: the most that the call may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_NOT_FOUND if the service does not know the session any more, and ARR_ERROR_UNSUPPORTED for other flags.
/// The service slows accounts down that
/// ask more often than every five to ten seconds (ARR_ERROR_THROTTLED). Blocks. Threads: any.
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
        guard::status("arr_session_get_properties", error, || {
            let properties = Out::required(properties, "properties")?;
            let session = SESSIONS.get(session)?;
            let read = match flags {
                ARR_READ_FRESH => within(session.properties(), timeout_ms).run()?,
                ARR_READ_CACHED => within(session.cached_properties(), timeout_ms).run()?,
                ARR_READ_KNOWN => session.known_properties(),
                other => return Err(abi::error(ErrorKind::Unsupported, format!("flags {other} are not known"))),
            };
            properties.write(&arr_session_properties::from(&read));
            Ok(())
        })
    }
}

/// Sets the session's whole lease, counted from when it became ready: it can only grow. To give a session with a lease of
/// one hour another hour, set 7200.
///
/// REST v1: PATCH /v1/accounts/{account}/sessions/{id}; 2021-01-01: PATCH /accounts/{account}/sessions/{id}; after a token
/// if there is none. The lease that stands, as far as the library knows it, is a success without a request.
///
/// - session: the session.
/// - max_lease_seconds: the whole lease, 1 to 31536000 (365 days); with ARR_API_VERSION_2021_01_01 up to 86400, rounded up to
///   whole minutes.
/// - properties: receives what is known afterwards: with REST v1 the new lease, and all else as it was last read (age_ms);
///   with 2021-01-01 what the service answered. May be NULL.
/// - timeout_ms: the most that the call may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT if the lease is shorter than the one that is known, ARR_ERROR_BAD_REQUEST (REST v1)
/// or ARR_ERROR_CONFLICT (2021-01-01) if it is not longer than the one that the service knows, and ARR_ERROR_SESSION_ENDED or ARR_ERROR_CONFLICT if the session has
/// ended. Blocks. Threads: any.
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
        guard::status("arr_session_update_lease", error, || {
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

/// Waits until the session is ready, reading its properties every poll_interval_ms.
///
/// It may be called in short slices, to show progress or to stay responsive. The schedule and a request on the wire
/// belong to the session and outlive a slice, so slices cost no extra request: a wait of 60 s and 240 waits of 250 ms
/// send the same. Failures that may pass (no connection, throttling, a 5xx) do not end it.
///
/// REST v1: GET /v1/accounts/{account}/sessions/{id}/properties; 2021-01-01: GET /accounts/{account}/sessions/{id}; each
/// time, after a token if there is none.
///
/// - session: the session.
/// - properties: receives what was read last, on ARR_OK, ARR_ERROR_TIMEOUT, ARR_ERROR_SESSION_ENDED and
///   ARR_ERROR_SESSION_FAILED. May be NULL.
/// - timeout_ms: the most that the call may take. 0 starts what is due and returns at once; ARR_WAIT_FOREVER waits as
///   long as it takes.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_TIMEOUT if it is not ready yet, ARR_ERROR_SESSION_ENDED or ARR_ERROR_SESSION_FAILED if it never
/// will be, and ARR_ERROR_SHUT_DOWN as soon as the client is freed. A failure that does not pass (ARR_ERROR_NOT_FOUND, a
/// refused credential, an untrusted certificate, a reply that makes no sense) ends the waits of all who wait. A session
/// that was ready less than ready_poll_interval_ms ago counts as ready without a request; age_ms tells how old that is.
/// Blocks. Threads: any.
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
            let waited = session.wait_until_ready().timeout(wait_timeout(timeout_ms)).run();
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
/// REST v1: DELETE /v1/accounts/{account}/sessions/{id}; 2021-01-01: POST /accounts/{account}/sessions/{id}/:stop; after a
/// token if there is none.
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
            let stopped = within(SESSIONS.get(session)?.stop(), timeout_ms).run()?;
            if !already_gone.is_null() {
                already_gone.write_unaligned(stopped.already_gone.into());
            }
            Ok(())
        })
    }
}

/// Frees a session's handle. It does NOT stop the session: that is arr_session_stop(). Watching and keeping alive that were asked
/// for by this handle end.
///
/// - session: NULL, or a handle that was freed before, is left alone.
///
/// Threads: any, also while calls with the handle are under way: they finish.
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

pub(super) fn hand_out(
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
/// `options` and its texts are as [`structs::read`] and [`text::optional`] require; `models` has `model_count` of them.
pub(super) unsafe fn new_session(options: *const arr_session_create_options) -> Result<NewSession> {
    // SAFETY: the caller's promise.
    let options = unsafe { structs::read(options, "options") }?;
    if options.reserved != 0 {
        return Err(abi::error(
            ErrorKind::Unsupported,
            "options.reserved is not 0; set options up by arr_session_create_options_init",
        ));
    }
    let size = match options.size {
        ARR_SESSION_SIZE_STANDARD => SessionSize::Standard,
        ARR_SESSION_SIZE_PREMIUM => SessionSize::Premium,
        other => return Err(abi::invalid_argument(format!("size {other} is neither STANDARD (1) nor PREMIUM (2)"))),
    };
    let new = NewSession::new(size, Lease::new(Duration::from_secs(options.max_lease_seconds.into()))?);
    // SAFETY: the caller's promise.
    let new =
        new.with_models(unsafe { text::list(options.models, options.model_count, abi::MOST_MODELS, "models") }?)?;
    // SAFETY: the caller's promise.
    let id = unsafe { text::optional(options.session_id, "session_id") }?.filter(|id| !id.is_empty());
    let new = match id {
        Some(id) => new.with_id(SessionId::parse(id)?),
        None => new,
    };
    // SAFETY: the caller's promise.
    match unsafe { text::optional(options.extra_json, "extra_json") }? {
        Some(json) if !json.is_empty() => new.with_extra_json(json),
        _ => Ok(new),
    }
}

/// Whether the session's properties explain further how a wait ended.
fn tells_how_far(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Timeout | ErrorKind::SessionEnded | ErrorKind::SessionFailed)
}

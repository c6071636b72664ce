//! `arr_snapshot`: a session's numbers, for every frame.

use super::error_info::arr_error_info;
use super::guard;
use super::session::{arr_session, find_session};
use super::session_properties::{
    ARR_SESSION_SIZE_UNKNOWN, ARR_SESSION_STATUS_UNKNOWN, arr_session_size, arr_session_status,
};
use super::status::arr_status;
use super::structs::{self, Out, Plain, milliseconds, seconds};
use client::{Snapshot, abi};

/// Size of arr_snapshot in version 1 of the ABI.
pub const ARR_SNAPSHOT_SIZE_V1: u32 = 48;

/// The numbers of a session, as of now. Initialize the struct once with arr_snapshot_init(), then reuse it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_snapshot {
    /// Set by arr_snapshot_init().
    pub struct_size: u32,
    /// Status of the session.
    pub status: arr_session_status,
    /// Size of its server.
    pub size: arr_session_size,
    /// Port of the ARR inspector, the service's diagnostic web page, on the host; 0 if there is none.
    pub arr_inspector_port: i32,
    /// Port for the handshake of the rendering connection on the host; 0 if there is none.
    pub handshake_port: i32,
    /// Total lease in seconds, counted from the moment the session became ready; 0 if unknown.
    pub max_lease_seconds: u32,
    /// Used part of the lease now, in seconds: as last reported, plus the time since that report while the session is
    /// ready.
    pub elapsed_seconds: u32,
    /// Remaining part of the lease now, in seconds: the total while the session starts; 0 if the lease is unknown.
    pub remaining_seconds: u32,
    /// Age of the service's report, in milliseconds; at most 4294967295 (49 days).
    pub age_ms: u32,
    /// How long the session has been starting, in milliseconds: since this client created it, or first read it as
    /// starting. 0 if it is not starting.
    pub starting_for_ms: u32,
    /// Counts changes other than the passing of time. If it has changed since the last frame, read the strings with
    /// arr_session_get_properties() and ARR_READ_KNOWN.
    pub revision: u64,
}

// SAFETY: repr(C) and integers; the assertion shows that there is no padding.
unsafe impl Plain for arr_snapshot {
    const SIZE_V1: u32 = ARR_SNAPSHOT_SIZE_V1;
}
const _: () = assert!(size_of::<arr_snapshot>() == 10 * 4 + 8);
const _: () = assert!(size_of::<arr_snapshot>() == ARR_SNAPSHOT_SIZE_V1 as usize);

const NOTHING: arr_snapshot = arr_snapshot {
    struct_size: ARR_SNAPSHOT_SIZE_V1,
    status: ARR_SESSION_STATUS_UNKNOWN,
    size: ARR_SESSION_SIZE_UNKNOWN,
    arr_inspector_port: 0,
    handshake_port: 0,
    max_lease_seconds: 0,
    elapsed_seconds: 0,
    remaining_seconds: 0,
    age_ms: 0,
    starting_for_ms: 0,
    revision: 0,
};

impl From<&Snapshot> for arr_snapshot {
    fn from(now: &Snapshot) -> arr_snapshot {
        arr_snapshot {
            status: abi::status_code(&now.status),
            size: abi::size_code(now.size.as_ref()),
            arr_inspector_port: now.arr_inspector_port.map_or(0, i32::from),
            handshake_port: now.handshake_port.map_or(0, i32::from),
            max_lease_seconds: now.max_lease.map_or(0, seconds),
            elapsed_seconds: seconds(now.elapsed),
            remaining_seconds: seconds(now.remaining),
            age_ms: milliseconds(now.age),
            starting_for_ms: milliseconds(now.starting_for),
            revision: now.revision,
            ..NOTHING
        }
    }
}

/// Initializes a struct: `arr_snapshot_init(&snapshot, sizeof snapshot)`.
///
///   snapshot  Out. Exactly `size` bytes are written.
///   size      The struct's size as the caller compiled it, ARR_SNAPSHOT_SIZE_V1 to 65536.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if `snapshot` is NULL or `size` is out of range.
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_snapshot_init(snapshot: *mut arr_snapshot, size: usize) -> arr_status {
    // SAFETY: no error info is given to the guard; the caller promises `size` writable bytes.
    unsafe { guard::status("arr_snapshot_init", std::ptr::null_mut(), || structs::init(snapshot, size, &NOTHING)) }
}

/// Returns the session's current numbers: the service's last report, advanced by the time since then. Cheap enough to
/// call in every frame. arr_session_watch() keeps them current.
///
///   session   The session.
///   snapshot  Out.
///   error     Out, may be NULL.
///
/// Does not block or allocate. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_snapshot(
    session: *mut arr_session,
    snapshot: *mut arr_snapshot,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_snapshot", error, || {
            let place = Out::required(snapshot, "snapshot")?;
            place.write(&arr_snapshot::from(&find_session(session)?.snapshot()));
            Ok(())
        })
    }
}

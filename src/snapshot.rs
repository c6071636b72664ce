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

/// The size of arr_snapshot in the first version of the ABI.
pub const ARR_SNAPSHOT_SIZE_V1: u32 = 48;

/// A session in numbers, as it is now. Set it up once with arr_snapshot_init(); it may be filled any number of times.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_snapshot {
    /// Set by arr_snapshot_init().
    pub struct_size: u32,
    /// Where it is in its life.
    pub status: arr_session_status,
    /// The size of its server.
    pub size: arr_session_size,
    /// The port of the ARR inspector on the host; 0 if there is none.
    pub arr_inspector_port: i32,
    /// The port of the rendering connection's handshake on the host; 0 if there is none.
    pub handshake_port: i32,
    /// The whole lease in seconds, counted from when the session became ready; 0 if it is not known.
    pub max_lease_seconds: u32,
    /// How much of it is used by now, in seconds: what the service said, and the time since, while the session is ready.
    pub elapsed_seconds: u32,
    /// What is left of it by now, in seconds; 0 if the lease is not known.
    pub remaining_seconds: u32,
    /// How long ago the service told this, in milliseconds.
    pub age_ms: u32,
    /// Zero.
    pub reserved: u32,
    /// Counts what has changed besides the time. When it is another than in the last frame, arr_session_get_properties() with
    /// ARR_READ_KNOWN has new texts.
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
    reserved: 0,
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
            revision: now.revision,
            ..NOTHING
        }
    }
}

/// Sets a snapshot up: `arr_snapshot_init(&snapshot, sizeof snapshot)`.
///
/// - snapshot: written for exactly `size` bytes.
/// - size: the struct's size where it is compiled, ARR_SNAPSHOT_SIZE_V1 to 65536.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT for NULL or a size out of range. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_snapshot_init(snapshot: *mut arr_snapshot, size: usize) -> arr_status {
    // SAFETY: no error info is given to the guard; the caller promises `size` writable bytes.
    unsafe { guard::status("arr_snapshot_init", std::ptr::null_mut(), || structs::init(snapshot, size, &NOTHING)) }
}

/// The session in numbers, as it is now: what the service told last, and the time since. For every frame: it sends nothing,
/// takes no lock that anybody could hold, waits for nothing and allocates nothing. arr_session_watch() keeps it current.
///
/// - session: the session.
/// - snapshot: receives it.
/// - error: may be NULL.
///
/// Threads: any.
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

//! `arr_session_properties`: the properties of a session.

use super::status::arr_status;
use super::structs::{self, Plain, milliseconds, seconds};
use super::{guard, text};
use client::{SessionProperties, abi};
use std::ffi::c_char;
use std::time::UNIX_EPOCH;

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

/// How certain it is that a session that was found again is ours, an ARR_CLAIM_... value.
pub type arr_claim = i32;
/// Nothing is claimed.
pub const ARR_CLAIM_NONE: arr_claim = 0;
/// An earlier run has chosen or received its id: it is ours.
pub const ARR_CLAIM_OURS: arr_claim = 1;
/// An earlier run has lost the answer to a create, and this session may be what came of it: it was asked for so, at that
/// time. It may as well be somebody else's.
pub const ARR_CLAIM_CANDIDATE: arr_claim = 2;

/// The size of arr_session_properties in the first version of the ABI.
pub const ARR_SESSION_PROPERTIES_SIZE_V1: u32 = 1160;

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
    /// How much of it is used, in seconds; 0 also if the service did not say. With ARR_API_VERSION_2021_01_01 whole minutes.
    pub elapsed_seconds: u32,
    /// How much of it was left when the service answered, in seconds: max_lease_seconds less elapsed_seconds.
    pub remaining_seconds: u32,
    /// The full length of the message in bytes, without the final NUL. Of a session that is held by a handle,
    /// arr_session_get_message() gives all of it.
    pub message_length: u32,
    /// How long ago the service said all this, in milliseconds: 0 for what was just read.
    pub age_ms: u32,
    /// 1 if this client created or opened the session, else 0.
    pub known_to_client: i32,
    /// In a list of recovered sessions: how certain it is that it is ours, an ARR_CLAIM_... value; else ARR_CLAIM_NONE.
    pub claim: arr_claim,
    /// When it was created, by the service's clock: milliseconds since 1970-01-01T00:00:00Z. 0 with REST v1.
    pub creation_time_unix_ms: u64,
    /// The computing power of its server in teraflops. 0 until it has one, and with REST v1.
    pub teraflops: f64,
    /// The session's id.
    pub session_id: [c_char; 257],
    /// The host that renders; empty while the session is not ready.
    pub hostname: [c_char; 256],
    /// The service's code for why it failed; empty with REST v1.
    pub error_code: [c_char; 64],
    /// Why it failed or ended, where the service says so, cut to 511 bytes; else empty.
    pub message: [c_char; 512],
    /// Zero.
    pub reserved_tail: [u8; 7],
}

// SAFETY: repr(C), numbers and arrays of them; the assertion shows that there is no padding.
unsafe impl Plain for arr_session_properties {
    const SIZE_V1: u32 = ARR_SESSION_PROPERTIES_SIZE_V1;
}
const _: () = assert!(size_of::<arr_session_properties>() == 12 * 4 + 2 * 8 + 257 + 256 + 64 + 512 + 7);
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
    age_ms: 0,
    known_to_client: 0,
    claim: ARR_CLAIM_NONE,
    creation_time_unix_ms: 0,
    teraflops: 0.0,
    session_id: [0; 257],
    hostname: [0; 256],
    error_code: [0; 64],
    message: [0; 512],
    reserved_tail: [0; 7],
};

/// For a session with a handle, so it is known to the client.
impl From<&SessionProperties> for arr_session_properties {
    fn from(properties: &SessionProperties) -> arr_session_properties {
        let message = properties.message.as_deref().unwrap_or_default();
        arr_session_properties {
            status: abi::status_code(&properties.status),
            size: abi::size_code(properties.size.as_ref()),
            arr_inspector_port: properties.arr_inspector_port.map_or(0, i32::from),
            handshake_port: properties.handshake_port.map_or(0, i32::from),
            max_lease_seconds: properties.max_lease.map_or(0, seconds),
            elapsed_seconds: properties.elapsed.map_or(0, seconds),
            remaining_seconds: properties.remaining().map_or(0, seconds),
            message_length: text::length(message),
            age_ms: milliseconds(properties.age),
            known_to_client: 1,
            creation_time_unix_ms: properties
                .creation_time
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
                .map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            teraflops: properties.teraflops.unwrap_or_default(),
            error_code: text::inline(properties.error_code.as_deref().unwrap_or_default()),
            session_id: text::inline(properties.id.as_str()),
            hostname: text::inline(properties.hostname.as_deref().unwrap_or_default()),
            message: text::inline(message),
            ..NO_PROPERTIES
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use client::SessionSize;
    use client::SessionStatus;

    #[test]
    fn the_numbers_are_those_of_the_core() {
        let statuses = [
            (ARR_SESSION_STATUS_UNKNOWN, SessionStatus::Unknown(String::new())),
            (ARR_SESSION_STATUS_STARTING, SessionStatus::Starting),
            (ARR_SESSION_STATUS_READY, SessionStatus::Ready),
            (ARR_SESSION_STATUS_STOPPED, SessionStatus::Stopped),
            (ARR_SESSION_STATUS_EXPIRED, SessionStatus::Expired),
            (ARR_SESSION_STATUS_ERROR, SessionStatus::Error),
            (ARR_SESSION_STATUS_STOPPING, SessionStatus::Stopping),
        ];
        for (number, status) in statuses {
            assert_eq!(abi::status_code(&status), number);
        }
        let sizes = [
            (ARR_SESSION_SIZE_UNKNOWN, None),
            (ARR_SESSION_SIZE_STANDARD, Some(SessionSize::Standard)),
            (ARR_SESSION_SIZE_PREMIUM, Some(SessionSize::Premium)),
        ];
        for (number, size) in sizes {
            assert_eq!(abi::size_code(size.as_ref()), number);
        }
    }
}

//! `arr_session_properties`: the properties of a session.

use super::status::arr_status;
use super::structs::{self, Plain, milliseconds, seconds};
use super::{guard, text};
use client::{SessionProperties, Snapshot, abi};
use std::ffi::c_char;
use std::time::UNIX_EPOCH;

/// Size of a rendering server, an ARR_SESSION_SIZE_... value. Open enum: newer versions may return other values.
pub type arr_session_size = i32;
/// The service did not say, or named a size that this library does not know.
pub const ARR_SESSION_SIZE_UNKNOWN: arr_session_size = 0;
/// Up to 20 million primitives.
pub const ARR_SESSION_SIZE_STANDARD: arr_session_size = 1;
/// No fixed limit.
pub const ARR_SESSION_SIZE_PREMIUM: arr_session_size = 2;

/// Status of a session, an ARR_SESSION_STATUS_... value. Open enum: newer versions may return other values.
pub type arr_session_status = i32;
/// The service named a status that this library does not know. Not final.
pub const ARR_SESSION_STATUS_UNKNOWN: arr_session_status = 0;
/// The service is finding and starting a server. Takes seconds to minutes and costs nothing yet.
pub const ARR_SESSION_STATUS_STARTING: arr_session_status = 1;
/// The server is running and costs money, even if no client is connected to it.
pub const ARR_SESSION_STATUS_READY: arr_session_status = 2;
/// The session was stopped. Final.
pub const ARR_SESSION_STATUS_STOPPED: arr_session_status = 3;
/// The lease has ended. Final.
pub const ARR_SESSION_STATUS_EXPIRED: arr_session_status = 4;
/// The session failed; the message says why. Final.
pub const ARR_SESSION_STATUS_ERROR: arr_session_status = 5;
/// The session was stopped and its server is being released. Not final.
pub const ARR_SESSION_STATUS_STOPPING: arr_session_status = 6;

/// How certain it is that a recovered session is this application's, an ARR_CLAIM_... value.
pub type arr_claim = i32;
/// Not a recovered session.
pub const ARR_CLAIM_NONE: arr_claim = 0;
/// Ours: an earlier run of this application created it. Its id is in the journal.
pub const ARR_CLAIM_OURS: arr_claim = 1;
/// Candidate: an earlier run lost the reply to a create, and this session matches the request and the time. It may
/// belong to another user, or to a running client that has lost the reply to a create.
pub const ARR_CLAIM_CANDIDATE: arr_claim = 2;
/// The only candidate for the lost create, and not a candidate for any other lost create of this process or in the
/// journal. If the create has made a session that still exists, it is the session listed here; otherwise the session
/// listed here belongs to another user. But within a minute of being sent, the create may still reach the service
/// and make a session that is not listed yet.
pub const ARR_CLAIM_ONLY_CANDIDATE: arr_claim = 3;

/// Size of arr_session_properties in version 1 of the ABI.
pub const ARR_SESSION_PROPERTIES_SIZE_V1: u32 = 1160;

/// Properties of a session. Initialize the struct once with arr_session_properties_init(), then reuse it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_session_properties {
    /// Set by arr_session_properties_init().
    pub struct_size: u32,
    /// Status of the session.
    pub status: arr_session_status,
    /// Size of its server.
    pub size: arr_session_size,
    /// Port of the ARR inspector, the service's diagnostic web page, on the host; 0 if there is none.
    pub arr_inspector_port: i32,
    /// Port for the handshake of the rendering connection on the host; 0 if there is none.
    pub handshake_port: i32,
    /// Total lease in seconds, counted from the moment the session became ready; 0 if the service did not say.
    pub max_lease_seconds: u32,
    /// Used part of the lease, in seconds; 0 if the service did not say. In properties from arr_client_list_sessions(),
    /// this is the value that the service reported (a multiple of 60 with ARR_API_VERSION_2021_01_01). In all other
    /// properties, the time since that report is added while the session is ready, as in arr_snapshot.
    pub elapsed_seconds: u32,
    /// Remaining part of the lease, in seconds, when the call or operation ended: the total less the used part. So it
    /// is the total while the session starts, and 0 if the lease is unknown.
    pub remaining_seconds: u32,
    /// Length of the full message in bytes, without the final NUL. arr_session_get_message() returns all of it.
    pub message_length: u32,
    /// Age of the service's report, in milliseconds; 0 if it was just read. At most 4294967295 (49 days).
    pub age_ms: u32,
    /// 1 if this client created or opened the session, else 0.
    pub known_to_client: i32,
    /// In a list of recovered sessions: how certain it is that the session is this application's. Otherwise
    /// ARR_CLAIM_NONE.
    pub claim: arr_claim,
    /// When it was created, by the service's clock: milliseconds since 1970-01-01T00:00:00Z. 0 with REST v1.
    pub creation_time_unix_ms: u64,
    /// Computing power of its server in teraflops. 0 until the session has a server, and always 0 with REST v1.
    pub teraflops: f64,
    /// Session id.
    pub session_id: [c_char; 257],
    /// Host that renders; empty until the session is ready.
    pub hostname: [c_char; 256],
    /// The service's code for the failure; empty with REST v1.
    pub error_code: [c_char; 64],
    /// Why the session failed or ended, cut to 511 bytes; empty if the service did not say.
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

impl arr_session_properties {
    /// Of cached properties, with the times as of now.
    pub(super) fn as_of_now(properties: &SessionProperties, now: &Snapshot) -> arr_session_properties {
        arr_session_properties {
            elapsed_seconds: seconds(now.elapsed),
            remaining_seconds: seconds(now.remaining),
            age_ms: milliseconds(now.age),
            ..arr_session_properties::from(properties)
        }
    }
}

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

/// Initializes a struct: `arr_session_properties_init(&properties, sizeof properties)`.
///
///   properties  Out. Exactly `size` bytes are written.
///   size        The struct's size as the caller compiled it, ARR_SESSION_PROPERTIES_SIZE_V1 to 65536.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if `properties` is NULL or `size` is out of range.
/// Does not block. Thread-safe.
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
    fn numbers_match_the_client_crate() {
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

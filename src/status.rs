//! Status codes: 0 is success, failures are negative, in groups of a hundred. Numbers are never changed or reused.

use super::guard;
use client::ErrorKind;
use std::ffi::{CStr, c_char};

/// Result of a function: ARR_OK, or a negative ARR_ERROR_... value. Open enum: newer versions may return other values;
/// arr_status_category() knows their group too.
pub type arr_status = i32;

/// Success.
pub const ARR_OK: arr_status = 0;

/// An argument is missing, malformed or out of range, a string is not UTF-8, or a struct_size is wrong. Nothing was
/// sent.
pub const ARR_ERROR_INVALID_ARGUMENT: arr_status = -100;
/// The handle is NULL, freed, forged or of another type.
pub const ARR_ERROR_INVALID_HANDLE: arr_status = -101;
/// The buffer is too small, or its size was only queried. The required size was written to `needed`.
pub const ARR_ERROR_BUFFER_TOO_SMALL: arr_status = -102;
/// The library's version or build does not support a value: an unknown read mode, a reserved field that is not 0, a
/// field of a newer version that is set, or ARR_TRUST_PLATFORM on Android or UWP.
pub const ARR_ERROR_UNSUPPORTED: arr_status = -103;
/// This process was forked from the one that created the handle. Nothing was done; create a client in this process.
pub const ARR_ERROR_FORKED: arr_status = -104;

/// The client was shut down or freed.
pub const ARR_ERROR_SHUT_DOWN: arr_status = -200;
/// The time limit of the call, or of one request, was reached. Calling again is safe.
pub const ARR_ERROR_TIMEOUT: arr_status = -201;
/// The operation was cancelled.
pub const ARR_ERROR_CANCELLED: arr_status = -202;
/// The operation is still running and has no result yet.
pub const ARR_ERROR_PENDING: arr_status = -203;

/// The service refused the account key or the token (401).
pub const ARR_ERROR_UNAUTHORIZED: arr_status = -300;
/// The credential is valid but does not permit the request (403), or a proxy refuses the user or the host.
pub const ARR_ERROR_FORBIDDEN: arr_status = -301;
/// The reply of the token service has no usable token.
pub const ARR_ERROR_INVALID_TOKEN: arr_status = -302;

/// The connection could not be established, or it broke.
pub const ARR_ERROR_NETWORK: arr_status = -400;
/// The host name could not be resolved.
pub const ARR_ERROR_NAME_RESOLUTION: arr_status = -401;
/// No secure connection could be established, usually because a certificate is not trusted.
pub const ARR_ERROR_TLS: arr_status = -402;

/// The service refused the request as malformed (400, or another 4xx).
pub const ARR_ERROR_BAD_REQUEST: arr_status = -500;
/// The service does not know the session (404).
pub const ARR_ERROR_NOT_FOUND: arr_status = -501;
/// The session's state does not permit the request (409, 422), or the session id is in use (409).
pub const ARR_ERROR_CONFLICT: arr_status = -502;
/// Too many requests (429). retry_after_ms is how long to wait, if the service said so.
pub const ARR_ERROR_THROTTLED: arr_status = -503;
/// The service failed (5xx).
pub const ARR_ERROR_SERVICE_FAILURE: arr_status = -504;
/// The reply does not match the documentation of the service.
pub const ARR_ERROR_UNEXPECTED_REPLY: arr_status = -505;
/// A create was sent and its reply was lost: a session may be running and costing money. Its id is unknown with REST
/// v1. With 2021-01-01 the message names the id, and the library's own retries are safe. To repeat the call safely
/// yourself, pass a session_id in the first call and the same one in the repeat.
pub const ARR_ERROR_OUTCOME_UNKNOWN: arr_status = -506;
/// The service runs as many sessions as it can (429 with the code ServiceFull). A create is retried within its time
/// limit, by default first after 5 to 10 s and at least once a minute; see retry_delay_ms.
pub const ARR_ERROR_SERVICE_FULL: arr_status = -507;

/// The session was stopped, or its lease ended.
pub const ARR_ERROR_SESSION_ENDED: arr_status = -600;
/// The session failed. The message is the service's.
pub const ARR_ERROR_SESSION_FAILED: arr_status = -601;

/// The journal could not be read or written. A create that could not be recorded was not sent.
pub const ARR_ERROR_STORAGE: arr_status = -700;

/// The process or the machine has no more threads, files or sockets, or all handles are in use. Nothing was sent. Free
/// some and retry.
pub const ARR_ERROR_OUT_OF_RESOURCES: arr_status = -800;

/// A defect in this library.
pub const ARR_ERROR_INTERNAL: arr_status = -900;

/// Group of a status, an ARR_CATEGORY_... value: suggests how to react.
pub type arr_category = i32;

/// A value in no group.
pub const ARR_CATEGORY_OTHER: arr_category = -1;
/// Success.
pub const ARR_CATEGORY_OK: arr_category = 0;
/// -100 to -199: the call is wrong. Fix the program.
pub const ARR_CATEGORY_USAGE: arr_category = 1;
/// -200 to -299: a time limit, a shutdown or the caller ended the call; or it has not ended yet.
pub const ARR_CATEGORY_ENDED: arr_category = 2;
/// -300 to -399: the credential. Ask the user or the administrator.
pub const ARR_CATEGORY_AUTHENTICATION: arr_category = 3;
/// -400 to -499: the network. Retry later.
pub const ARR_CATEGORY_NETWORK: arr_category = 4;
/// -500 to -599: the service's reply.
pub const ARR_CATEGORY_SERVICE: arr_category = 5;
/// -600 to -699: the session has ended or failed. Create another.
pub const ARR_CATEGORY_SESSION: arr_category = 6;
/// -700 to -799: the journal. The message says what to do: for example, free space or use another folder.
pub const ARR_CATEGORY_STORAGE: arr_category = 7;
/// -800 to -899: threads, files, sockets or handles. Free some and retry.
pub const ARR_CATEGORY_RESOURCES: arr_category = 8;
/// -900 to -999: a defect in this library. Report it.
pub const ARR_CATEGORY_INTERNAL: arr_category = 9;

/// Returns the name of a status, for example "ARR_ERROR_TIMEOUT", or "ARR_ERROR_UNKNOWN" for a value that this version
/// does not know. The string is static: never free it.
///
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn arr_status_name(status: arr_status) -> *const c_char {
    guard::value("arr_status_name", UNKNOWN.as_ptr(), || name(status).as_ptr())
}

/// Returns the group of a status, an ARR_CATEGORY_... value. Accepts every int32_t.
///
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn arr_status_category(status: arr_status) -> arr_category {
    guard::value("arr_status_category", ARR_CATEGORY_OTHER, || category(status))
}

const UNKNOWN: &CStr = c"ARR_ERROR_UNKNOWN";

pub(super) fn category(status: arr_status) -> arr_category {
    match status {
        ARR_OK => ARR_CATEGORY_OK,
        -199..=-100 => ARR_CATEGORY_USAGE,
        -299..=-200 => ARR_CATEGORY_ENDED,
        -399..=-300 => ARR_CATEGORY_AUTHENTICATION,
        -499..=-400 => ARR_CATEGORY_NETWORK,
        -599..=-500 => ARR_CATEGORY_SERVICE,
        -699..=-600 => ARR_CATEGORY_SESSION,
        -799..=-700 => ARR_CATEGORY_STORAGE,
        -899..=-800 => ARR_CATEGORY_RESOURCES,
        -999..=-900 => ARR_CATEGORY_INTERNAL,
        _ => ARR_CATEGORY_OTHER,
    }
}

fn name(status: arr_status) -> &'static CStr {
    match status {
        ARR_OK => c"ARR_OK",
        ARR_ERROR_INVALID_ARGUMENT => c"ARR_ERROR_INVALID_ARGUMENT",
        ARR_ERROR_INVALID_HANDLE => c"ARR_ERROR_INVALID_HANDLE",
        ARR_ERROR_BUFFER_TOO_SMALL => c"ARR_ERROR_BUFFER_TOO_SMALL",
        ARR_ERROR_UNSUPPORTED => c"ARR_ERROR_UNSUPPORTED",
        ARR_ERROR_FORKED => c"ARR_ERROR_FORKED",
        ARR_ERROR_SHUT_DOWN => c"ARR_ERROR_SHUT_DOWN",
        ARR_ERROR_TIMEOUT => c"ARR_ERROR_TIMEOUT",
        ARR_ERROR_CANCELLED => c"ARR_ERROR_CANCELLED",
        ARR_ERROR_PENDING => c"ARR_ERROR_PENDING",
        ARR_ERROR_UNAUTHORIZED => c"ARR_ERROR_UNAUTHORIZED",
        ARR_ERROR_FORBIDDEN => c"ARR_ERROR_FORBIDDEN",
        ARR_ERROR_INVALID_TOKEN => c"ARR_ERROR_INVALID_TOKEN",
        ARR_ERROR_NETWORK => c"ARR_ERROR_NETWORK",
        ARR_ERROR_NAME_RESOLUTION => c"ARR_ERROR_NAME_RESOLUTION",
        ARR_ERROR_TLS => c"ARR_ERROR_TLS",
        ARR_ERROR_BAD_REQUEST => c"ARR_ERROR_BAD_REQUEST",
        ARR_ERROR_NOT_FOUND => c"ARR_ERROR_NOT_FOUND",
        ARR_ERROR_CONFLICT => c"ARR_ERROR_CONFLICT",
        ARR_ERROR_THROTTLED => c"ARR_ERROR_THROTTLED",
        ARR_ERROR_SERVICE_FAILURE => c"ARR_ERROR_SERVICE_FAILURE",
        ARR_ERROR_UNEXPECTED_REPLY => c"ARR_ERROR_UNEXPECTED_REPLY",
        ARR_ERROR_OUTCOME_UNKNOWN => c"ARR_ERROR_OUTCOME_UNKNOWN",
        ARR_ERROR_SERVICE_FULL => c"ARR_ERROR_SERVICE_FULL",
        ARR_ERROR_SESSION_ENDED => c"ARR_ERROR_SESSION_ENDED",
        ARR_ERROR_SESSION_FAILED => c"ARR_ERROR_SESSION_FAILED",
        ARR_ERROR_STORAGE => c"ARR_ERROR_STORAGE",
        ARR_ERROR_OUT_OF_RESOURCES => c"ARR_ERROR_OUT_OF_RESOURCES",
        ARR_ERROR_INTERNAL => c"ARR_ERROR_INTERNAL",
        _ => UNKNOWN,
    }
}

/// The status of an error kind.
pub(super) fn code(kind: ErrorKind) -> arr_status {
    match kind {
        ErrorKind::InvalidArgument => ARR_ERROR_INVALID_ARGUMENT,
        ErrorKind::InvalidHandle => ARR_ERROR_INVALID_HANDLE,
        ErrorKind::BufferTooSmall => ARR_ERROR_BUFFER_TOO_SMALL,
        ErrorKind::Unsupported => ARR_ERROR_UNSUPPORTED,
        ErrorKind::Forked => ARR_ERROR_FORKED,
        ErrorKind::ShutDown => ARR_ERROR_SHUT_DOWN,
        ErrorKind::Timeout => ARR_ERROR_TIMEOUT,
        ErrorKind::Cancelled => ARR_ERROR_CANCELLED,
        ErrorKind::Pending => ARR_ERROR_PENDING,
        ErrorKind::Unauthorized => ARR_ERROR_UNAUTHORIZED,
        ErrorKind::Forbidden => ARR_ERROR_FORBIDDEN,
        ErrorKind::InvalidToken => ARR_ERROR_INVALID_TOKEN,
        ErrorKind::Network => ARR_ERROR_NETWORK,
        ErrorKind::NameResolution => ARR_ERROR_NAME_RESOLUTION,
        ErrorKind::Tls => ARR_ERROR_TLS,
        ErrorKind::BadRequest => ARR_ERROR_BAD_REQUEST,
        ErrorKind::NotFound => ARR_ERROR_NOT_FOUND,
        ErrorKind::Conflict => ARR_ERROR_CONFLICT,
        ErrorKind::Throttled => ARR_ERROR_THROTTLED,
        ErrorKind::ServiceFailure => ARR_ERROR_SERVICE_FAILURE,
        ErrorKind::UnexpectedReply => ARR_ERROR_UNEXPECTED_REPLY,
        ErrorKind::OutcomeUnknown => ARR_ERROR_OUTCOME_UNKNOWN,
        ErrorKind::ServiceFull => ARR_ERROR_SERVICE_FULL,
        ErrorKind::SessionEnded => ARR_ERROR_SESSION_ENDED,
        ErrorKind::SessionFailed => ARR_ERROR_SESSION_FAILED,
        ErrorKind::Storage => ARR_ERROR_STORAGE,
        ErrorKind::OutOfResources => ARR_ERROR_OUT_OF_RESOURCES,
        ErrorKind::Internal => ARR_ERROR_INTERNAL,
        // Unreachable: the client library has the same version, and a test checks all of its kinds.
        _ => ARR_ERROR_INTERNAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::abi;
    use std::collections::HashSet;

    #[test]
    fn every_error_kind_has_its_own_status() {
        let statuses: HashSet<arr_status> = abi::ERROR_KINDS.iter().map(|kind| code(*kind)).collect();
        assert_eq!(statuses.len(), abi::ERROR_KINDS.len());
    }

    #[test]
    fn every_number_has_a_name_and_a_category() {
        for status in (-2_000..2_000).chain([i32::MIN, i32::MAX]) {
            assert!(name(status).to_str().unwrap().starts_with("ARR_"));
            category(status);
        }
        assert_eq!(category(-399), ARR_CATEGORY_AUTHENTICATION, "a code of a later version stays in its group");
        assert_eq!(category(7), ARR_CATEGORY_OTHER);
    }
}

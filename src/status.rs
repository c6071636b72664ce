//! Status codes: 0 is success, failures are negative, in groups of a hundred. Numbers are never changed or reused.

use super::guard;
use client::ErrorKind;
use std::ffi::{CStr, c_char};

/// What a function returns: ARR_OK, or one of the negative ARR_ERROR_... values. Expect values that this header does not
/// have: a newer library may return them. arr_status_category() sorts those too.
pub type arr_status = i32;

/// Success.
pub const ARR_OK: arr_status = 0;

/// An argument is missing, malformed or out of range, a text is not UTF-8, or a struct_size is wrong. Nothing was sent.
pub const ARR_ERROR_INVALID_ARGUMENT: arr_status = -100;
/// A handle is NULL, freed, forged, or of another type.
pub const ARR_ERROR_INVALID_HANDLE: arr_status = -101;
/// The buffer is too small. The needed size was written; no request was sent.
pub const ARR_ERROR_BUFFER_TOO_SMALL: arr_status = -102;
/// A struct has fields set, or a value, that this version of the library does not know.
pub const ARR_ERROR_UNSUPPORTED: arr_status = -103;

/// The client was freed or shut down.
pub const ARR_ERROR_SHUT_DOWN: arr_status = -200;
/// The given time, or the time for one request, ran out. Calling again is fine.
pub const ARR_ERROR_TIMEOUT: arr_status = -201;
/// The operation was cancelled before it ended.
pub const ARR_ERROR_CANCELLED: arr_status = -202;
/// The operation has not ended yet: there is no result to take.
pub const ARR_ERROR_PENDING: arr_status = -203;

/// The service refused the account key or the token (401).
pub const ARR_ERROR_UNAUTHORIZED: arr_status = -300;
/// The credential is good but may not do this (403); or a proxy wants another user.
pub const ARR_ERROR_FORBIDDEN: arr_status = -301;
/// The token service answered with something that is no usable token.
pub const ARR_ERROR_INVALID_TOKEN: arr_status = -302;

/// The connection could not be made, or broke.
pub const ARR_ERROR_NETWORK: arr_status = -400;
/// The host name could not be resolved.
pub const ARR_ERROR_NAME_RESOLUTION: arr_status = -401;
/// No secure connection: most often a certificate that is not trusted.
pub const ARR_ERROR_TLS: arr_status = -402;

/// The service refused the request as malformed (400, or another 4xx).
pub const ARR_ERROR_BAD_REQUEST: arr_status = -500;
/// The service does not know the session (404).
pub const ARR_ERROR_NOT_FOUND: arr_status = -501;
/// The session as it is does not allow the request (409, 422), or its id is in use (409).
pub const ARR_ERROR_CONFLICT: arr_status = -502;
/// Too many requests (429). retry_after_ms says how long to wait, if the service did.
pub const ARR_ERROR_THROTTLED: arr_status = -503;
/// The service failed (5xx).
pub const ARR_ERROR_SERVICE_FAILURE: arr_status = -504;
/// The reply was not what the service is documented to send.
pub const ARR_ERROR_UNEXPECTED_REPLY: arr_status = -505;
/// A create was sent and its answer was lost: a session may be running, and costing, under an id that is not known (REST
/// v1), or that the message names (2021-01-01).
pub const ARR_ERROR_OUTCOME_UNKNOWN: arr_status = -506;

/// The session was stopped, or its lease ran out, while it was waited for.
pub const ARR_ERROR_SESSION_ENDED: arr_status = -600;
/// The session failed. The message is the service's.
pub const ARR_ERROR_SESSION_FAILED: arr_status = -601;

/// The journal's file could not be read or written. A create that could not be noted was not sent.
pub const ARR_ERROR_STORAGE: arr_status = -700;

/// A defect of this library.
pub const ARR_ERROR_INTERNAL: arr_status = -900;

/// The group of a status: what kind of thing to do about it. ARR_CATEGORY_OTHER for every value that is in no group.
pub type arr_category = i32;

/// A value that is in no group.
pub const ARR_CATEGORY_OTHER: arr_category = -1;
/// Success.
pub const ARR_CATEGORY_OK: arr_category = 0;
/// -100 to -199: the call is wrong; mend the program.
pub const ARR_CATEGORY_USAGE: arr_category = 1;
/// -200 to -299: the call was ended by time, by shutdown or by the caller; or has not ended.
pub const ARR_CATEGORY_ENDED: arr_category = 2;
/// -300 to -399: the credential; ask the user, or whoever set it up.
pub const ARR_CATEGORY_AUTHENTICATION: arr_category = 3;
/// -400 to -499: the network; try again later.
pub const ARR_CATEGORY_NETWORK: arr_category = 4;
/// -500 to -599: the service's answer.
pub const ARR_CATEGORY_SERVICE: arr_category = 5;
/// -600 to -699: what became of the session; create another.
pub const ARR_CATEGORY_SESSION: arr_category = 6;
/// -700 to -799: this machine's disk; free space, or give another path.
pub const ARR_CATEGORY_STORAGE: arr_category = 7;
/// -900 to -999: a defect of this library; report it.
pub const ARR_CATEGORY_INTERNAL: arr_category = 9;

/// The name of a status as in this header, for example "ARR_ERROR_TIMEOUT"; "ARR_ERROR_UNKNOWN" for a value that this
/// version of the library does not have. The text is static: never free it.
///
/// Threads: any.
#[unsafe(no_mangle)]
pub extern "C" fn arr_status_name(status: arr_status) -> *const c_char {
    guard::value("arr_status_name", UNKNOWN.as_ptr(), || name(status).as_ptr())
}

/// The group of a status, an ARR_CATEGORY_... value; it answers for every int32_t.
///
/// Threads: any.
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
        ARR_ERROR_SESSION_ENDED => c"ARR_ERROR_SESSION_ENDED",
        ARR_ERROR_SESSION_FAILED => c"ARR_ERROR_SESSION_FAILED",
        ARR_ERROR_STORAGE => c"ARR_ERROR_STORAGE",
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
        ErrorKind::SessionEnded => ARR_ERROR_SESSION_ENDED,
        ErrorKind::SessionFailed => ARR_ERROR_SESSION_FAILED,
        ErrorKind::Storage => ARR_ERROR_STORAGE,
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
    fn every_kind_of_error_has_a_status_of_its_own() {
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

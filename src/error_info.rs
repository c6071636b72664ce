//! Error details in a struct that the caller owns.

use super::status::{ARR_CATEGORY_OK, ARR_OK, arr_category, arr_status, category, code};
use super::structs::{self, Plain};
use super::{guard, text};
use client::Error;
use std::ffi::c_char;

/// The size of arr_error_info in the first version of the ABI.
pub const ARR_ERROR_INFO_SIZE_V1: u32 = 736;

/// What went wrong, filled by every function that takes one. After a success it says so. Set it up once with
/// arr_error_info_init(); it may be used for any number of calls, but not by two threads at a time.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_error_info {
    /// Set by arr_error_info_init().
    pub struct_size: u32,
    /// The status that the function returned.
    pub status: arr_status,
    /// Its group.
    pub category: arr_category,
    /// The HTTP status of the service's reply; 0 if there was none.
    pub http_status: i32,
    /// How long the service asks to wait before the next request, in milliseconds; 0 if it did not say.
    pub retry_after_ms: u32,
    /// 1 if the same call may succeed later without any change, else 0.
    pub retryable: i32,
    /// 1 if the service may have done what was asked although the call failed (it was sent, it was not just to read, and
    /// there was no clear answer), else 0.
    pub outcome_unknown: i32,
    /// The full length of the message in bytes, without the final NUL. `message` holds at most 511 of them.
    pub message_length: u32,
    /// The service's own error code, for example "BadRequest"; empty if it gave none.
    pub service_code: [c_char; 64],
    /// The reply's MS-CV, by which the service's operators find the request; empty if there was no reply.
    pub correlation_vector: [c_char; 128],
    /// What happened and what to do now, beginning with the function's name. Holds no key and no token.
    pub message: [c_char; 512],
}

// SAFETY: repr(C), integers and arrays of them; the assertion shows that there is no padding.
unsafe impl Plain for arr_error_info {
    const SIZE_V1: u32 = ARR_ERROR_INFO_SIZE_V1;
}
const _: () = assert!(size_of::<arr_error_info>() == 8 * 4 + 64 + 128 + 512);
const _: () = assert!(size_of::<arr_error_info>() == ARR_ERROR_INFO_SIZE_V1 as usize);

impl arr_error_info {
    pub(super) fn none() -> arr_error_info {
        arr_error_info {
            struct_size: ARR_ERROR_INFO_SIZE_V1,
            status: ARR_OK,
            category: ARR_CATEGORY_OK,
            http_status: 0,
            retry_after_ms: 0,
            retryable: 0,
            outcome_unknown: 0,
            message_length: 0,
            service_code: [0; 64],
            correlation_vector: [0; 128],
            message: [0; 512],
        }
    }

    pub(super) fn of(function: &str, error: &Error) -> arr_error_info {
        let status = code(error.kind());
        let message = format!("{function}: {error}");
        arr_error_info {
            status,
            category: category(status),
            http_status: error.http_status().map_or(0, i32::from),
            retry_after_ms: error.retry_after().map_or(0, structs::milliseconds),
            retryable: error.is_retryable().into(),
            outcome_unknown: error.is_outcome_unknown().into(),
            message_length: text::length(&message),
            service_code: text::inline(error.service_code().unwrap_or_default()),
            correlation_vector: text::inline(error.correlation_vector().unwrap_or_default()),
            message: text::inline(&message),
            ..arr_error_info::none()
        }
    }

    /// An outcome that is not a failure, reported without allocating.
    pub(super) fn quiet(function: &str, status: arr_status, what: &str) -> arr_error_info {
        arr_error_info {
            status,
            category: category(status),
            retryable: 1,
            message_length: text::length(function) + 2 + text::length(what),
            message: text::inline_of(&[function, ": ", what]),
            ..arr_error_info::none()
        }
    }

    #[cfg(test)]
    pub(super) fn message(&self) -> String {
        text::of_inline(&self.message)
    }
}

/// Sets a struct up: `arr_error_info_init(&info, sizeof info)`.
///
/// - info: written for exactly `size` bytes.
/// - size: the struct's size where it is compiled, ARR_ERROR_INFO_SIZE_V1 to 65536.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT for NULL or a size out of range. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_error_info_init(info: *mut arr_error_info, size: usize) -> arr_status {
    // SAFETY: no error info is given to the guard; the caller promises `size` writable bytes.
    unsafe {
        guard::status("arr_error_info_init", std::ptr::null_mut(), || {
            structs::init(info, size, &arr_error_info::none())
        })
    }
}

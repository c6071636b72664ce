//! Error details in a struct that the caller owns.

use super::status::{ARR_CATEGORY_OK, ARR_OK, arr_category, arr_status, category, code};
use super::structs::{self, Plain};
use super::{guard, text};
use client::Error;
use std::ffi::c_char;

/// Size of arr_error_info in version 1 of the ABI.
pub const ARR_ERROR_INFO_SIZE_V1: u32 = 736;

/// Details of a call's result. A function with an `error` parameter fills the struct on success too. Initialize it once
/// with arr_error_info_init(), then reuse it, but not for two calls at the same time.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_error_info {
    /// Set by arr_error_info_init().
    pub struct_size: u32,
    /// The status that the function returned.
    pub status: arr_status,
    /// The group of the status.
    pub category: arr_category,
    /// HTTP status of the service's reply; 0 if there was none.
    pub http_status: i32,
    /// How long the service asks to wait before the next request, in milliseconds; 0 if it did not say.
    pub retry_after_ms: u32,
    /// 1 if the same call may succeed later, else 0.
    pub retryable: i32,
    /// 1 if the service may have carried out the failed request: it was sent, was not just a read, and got no clear
    /// reply. Else 0.
    pub outcome_unknown: i32,
    /// Length of the full message in bytes, without the final NUL. `message` holds at most 511 of them.
    pub message_length: u32,
    /// The service's own error code, for example "BadRequest"; empty if it sent none.
    pub service_code: [c_char; 64],
    /// MS-CV (Microsoft correlation vector) of the reply, with which the service's operators find the request; empty if
    /// there was no reply.
    pub correlation_vector: [c_char; 128],
    /// What failed, why, and what to do; starts with the function's name. Option names are in backticks, spelled as
    /// their fields. Never contains a key or a token.
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
        let message = text::in_c(error.message());
        arr_error_info {
            status,
            category: category(status),
            http_status: error.http_status().map_or(0, i32::from),
            retry_after_ms: error.retry_after().map_or(0, structs::milliseconds),
            retryable: error.is_retryable().into(),
            outcome_unknown: error.is_outcome_unknown().into(),
            message_length: text::length(function) + 2 + text::length(&message),
            service_code: text::inline(error.service_code().unwrap_or_default()),
            correlation_vector: text::inline(error.correlation_vector().unwrap_or_default()),
            message: text::inline_of(&[function, ": ", &message]),
            ..arr_error_info::none()
        }
    }

    #[cfg(test)]
    pub(super) fn message(&self) -> String {
        text::of_inline(&self.message)
    }
}

/// Initializes a struct: `arr_error_info_init(&info, sizeof info)`.
///
///   info  Out. Exactly `size` bytes are written.
///   size  The struct's size as the caller compiled it, ARR_ERROR_INFO_SIZE_V1 to 65536.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if `info` is NULL or `size` is out of range.
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_error_info_init(info: *mut arr_error_info, size: usize) -> arr_status {
    // SAFETY: no error info is given to the guard; the caller promises `size` writable bytes.
    unsafe {
        guard::status("arr_error_info_init", std::ptr::null_mut(), || {
            structs::init(info, size, &arr_error_info::none())
        })
    }
}

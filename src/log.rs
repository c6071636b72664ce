//! `arr_log_entry`: the client's log, pulled line by line.

use super::status::arr_status;
use super::structs::{self, Plain};
use super::{guard, text};
use client::{LogEntry, LogLevel, Result, abi};
use std::ffi::c_char;

/// Log level, an ARR_LOG_LEVEL_... value. Open enum: newer versions may return other values.
pub type arr_log_level = i32;
/// Nothing.
pub const ARR_LOG_LEVEL_OFF: arr_log_level = 0;
/// Failures that could not be recovered from.
pub const ARR_LOG_LEVEL_ERROR: arr_log_level = 1;
/// Failures that are retried, and settings that are probably wrong.
pub const ARR_LOG_LEVEL_WARNING: arr_log_level = 2;
/// What was done: tokens fetched, sessions created, extended and stopped.
pub const ARR_LOG_LEVEL_INFO: arr_log_level = 3;
/// Every request.
pub const ARR_LOG_LEVEL_DEBUG: arr_log_level = 4;

/// Size of arr_log_entry in version 1 of the ABI.
pub const ARR_LOG_ENTRY_SIZE_V1: u32 = 672;

/// A line of the log. Initialize it once with arr_log_entry_init(), then reuse it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_log_entry {
    /// Set by arr_log_entry_init().
    pub struct_size: u32,
    /// Severity of the line.
    pub level: arr_log_level,
    /// When it was written: milliseconds of wall time since 1970-01-01T00:00:00Z.
    pub unix_time_ms: u64,
    /// Lines lost before this one because they were not pulled in time.
    pub lost: u64,
    /// Length of the full message in bytes, without the final NUL. `message` holds at most 511 of them.
    pub message_length: u32,
    /// Zero.
    pub reserved: u32,
    /// MS-CV of the reply that the line is about; empty if there is none.
    pub correlation_vector: [c_char; 128],
    /// What happened. Never contains a key, a token or a body.
    pub message: [c_char; 512],
}

// SAFETY: repr(C), integers and arrays of them; the assertion shows that there is no padding.
unsafe impl Plain for arr_log_entry {
    const SIZE_V1: u32 = ARR_LOG_ENTRY_SIZE_V1;
}
const _: () = assert!(size_of::<arr_log_entry>() == 4 * 4 + 2 * 8 + 128 + 512);
const _: () = assert!(size_of::<arr_log_entry>() == ARR_LOG_ENTRY_SIZE_V1 as usize);

const NO_ENTRY: arr_log_entry = arr_log_entry {
    struct_size: ARR_LOG_ENTRY_SIZE_V1,
    level: ARR_LOG_LEVEL_OFF,
    unix_time_ms: 0,
    lost: 0,
    message_length: 0,
    reserved: 0,
    correlation_vector: [0; 128],
    message: [0; 512],
};

impl From<&LogEntry> for arr_log_entry {
    fn from(entry: &LogEntry) -> arr_log_entry {
        let message = text::in_c(&entry.message);
        arr_log_entry {
            level: match entry.level {
                LogLevel::Off => ARR_LOG_LEVEL_OFF,
                LogLevel::Error => ARR_LOG_LEVEL_ERROR,
                LogLevel::Warning => ARR_LOG_LEVEL_WARNING,
                LogLevel::Info => ARR_LOG_LEVEL_INFO,
                LogLevel::Debug => ARR_LOG_LEVEL_DEBUG,
            },
            unix_time_ms: u64::try_from(entry.unix_time.as_millis()).unwrap_or(u64::MAX),
            lost: entry.lost,
            message_length: text::length(&message),
            correlation_vector: text::inline(entry.correlation_vector.as_deref().unwrap_or_default()),
            message: text::inline(&message),
            ..NO_ENTRY
        }
    }
}

/// Converts a caller's level.
pub(super) fn level(given: arr_log_level) -> Result<LogLevel> {
    match given {
        ARR_LOG_LEVEL_OFF => Ok(LogLevel::Off),
        ARR_LOG_LEVEL_ERROR => Ok(LogLevel::Error),
        ARR_LOG_LEVEL_WARNING => Ok(LogLevel::Warning),
        ARR_LOG_LEVEL_INFO => Ok(LogLevel::Info),
        ARR_LOG_LEVEL_DEBUG => Ok(LogLevel::Debug),
        other => Err(abi::invalid_argument(format!("`log_level` {other} is not one of the ARR_LOG_LEVEL_... values"))),
    }
}

/// Initializes a struct: `arr_log_entry_init(&entry, sizeof entry)`.
///
///   entry  Out. Exactly `size` bytes are written.
///   size   The struct's size as the caller compiled it, ARR_LOG_ENTRY_SIZE_V1 to 65536.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if `entry` is NULL or `size` is out of range.
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_log_entry_init(entry: *mut arr_log_entry, size: usize) -> arr_status {
    // SAFETY: no error info is given to the guard; the caller promises `size` writable bytes.
    unsafe { guard::status("arr_log_entry_init", std::ptr::null_mut(), || structs::init(entry, size, &NO_ENTRY)) }
}

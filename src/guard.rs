//! The wrapper around the body of every exported function: contains panics, defers the thread's cancellation, sets the
//! default floating-point state, and adds the function's name to its error.

use super::cancellation;
use super::error_info::arr_error_info;
use super::status::{ARR_OK, arr_status, code};
use super::structs::Out;
use client::{Error, ErrorKind, Result, abi};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs the body of a function that returns a status, with details in `info`.
///
/// # Safety
/// `info` is NULL or points to a writable `arr_error_info` of the size that it states.
pub(super) unsafe fn status(name: &str, info: *mut arr_error_info, body: impl FnOnce() -> Result<()>) -> arr_status {
    let mut body = Some(body);
    // SAFETY: the caller's promise.
    unsafe { run(name, info, &mut || body.take().map_or(Ok(()), |body| body())) }
}

/// Compiled once rather than for each function.
#[inline(never)]
unsafe fn run(name: &str, info: *mut arr_error_info, body: &mut dyn FnMut() -> Result<()>) -> arr_status {
    // SAFETY: the caller's promise.
    let info = match unsafe { Out::optional(info, "error info") } {
        Ok(info) => info,
        Err(error) => return code(error.kind()),
    };
    // State that a panic left incomplete is behind locks that recover from poisoning, and is never accessed in place.
    let outcome = contained(body).unwrap_or_else(|_| Err(panicked()));
    if let Some(info) = info {
        info.write(&match &outcome {
            Ok(()) => arr_error_info::none(),
            Err(error) => arr_error_info::of(name, error),
        });
    }
    outcome.map_or_else(|error| code(error.kind()), |()| ARR_OK)
}

/// The same for a function that copies keys or tokens, as those do that send requests: parts of the copies may be left on
/// the stack and in registers.
///
/// # Safety
/// As [`status`].
pub(super) unsafe fn status_with_secrets(
    name: &str,
    info: *mut arr_error_info,
    body: impl FnOnce() -> Result<()>,
) -> arr_status {
    // SAFETY: the caller's promise.
    let status = unsafe { status(name, info, body) };
    abi::wipe_stack();
    status
}

/// Runs the body of a function that cannot fail. Returns `fallback` if it panics.
pub(super) fn value<T>(_name: &str, fallback: T, body: impl FnOnce() -> T) -> T {
    contained(body).unwrap_or(fallback)
}

fn contained<T>(body: impl FnOnce() -> T) -> std::thread::Result<T> {
    cancellation::deferred(|| abi::with_default_floating_point(|| catch_unwind(AssertUnwindSafe(body))))
}

fn panicked() -> Error {
    abi::error(ErrorKind::Internal, "internal error in the library. Please report it; the call may be repeated")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::ARR_ERROR_INTERNAL;

    #[test]
    fn a_panic_becomes_an_error_that_names_the_function() {
        let mut info = arr_error_info::none();
        // SAFETY: `info` is a whole arr_error_info that says its size.
        let result = unsafe { status("arr_test", &raw mut info, || panic!("on purpose")) };
        assert_eq!((result, info.status), (ARR_ERROR_INTERNAL, ARR_ERROR_INTERNAL));
        assert!(info.message().starts_with("arr_test: "), "{}", info.message());
        assert_eq!(value("arr_test", 7, || panic!("on purpose")), 7);
    }

    /// A host may have exceptions trap. Then this would end the process.
    #[test]
    #[cfg(target_arch = "x86_64")]
    fn a_call_has_the_default_floating_point_state() {
        use std::arch::asm;
        use std::hint::black_box;
        let (hosts, mut before, mut after) = (0x1000_u32, 0_u32, 0_u32);
        // SAFETY: reads and writes these numbers; no floating-point operation outside the call precedes the last line.
        unsafe {
            asm!("stmxcsr [{}]", in(reg) &raw mut before);
            asm!("ldmxcsr [{}]", in(reg) &raw const hosts);
        }
        let tiny = value("arr_test", 1.0, || black_box(1e-300_f64) * black_box(1e-300));
        // SAFETY: as above.
        unsafe {
            asm!("stmxcsr [{}]", in(reg) &raw mut after);
            asm!("ldmxcsr [{}]", in(reg) &raw const before);
        }
        assert!(tiny == 0.0 && after == hosts);
    }
}

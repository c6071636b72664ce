//! The wrapper around the body of every exported function: contains panics, defers the thread's cancellation, and adds
//! the function's name to its error.

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
    cancellation::deferred(|| catch_unwind(AssertUnwindSafe(body)))
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
}

//! The wrapper around the body of every exported function: contains panics, and adds the function's name to its error.

use super::error_info::arr_error_info;
use super::status::{ARR_ERROR_TIMEOUT, ARR_OK, arr_status, code};
use super::structs::Out;
use client::{Error, ErrorKind, Result, abi};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs the body of a function that returns a status, with details in `info`.
///
/// # Safety
/// `info` is NULL or points to a writable `arr_error_info` of the size that it states.
pub(super) unsafe fn status(name: &str, info: *mut arr_error_info, body: impl FnOnce() -> Result<()>) -> arr_status {
    // SAFETY: the caller's promise.
    let info = match unsafe { Out::optional(info, "error info") } {
        Ok(info) => info,
        Err(error) => return code(error.kind()),
    };
    // State that a panic left incomplete is behind locks that recover from poisoning, and is never accessed in place.
    let outcome = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(panicked()));
    let filled = catch_unwind(AssertUnwindSafe(|| match &outcome {
        Ok(()) => arr_error_info::none(),
        Err(error) => arr_error_info::of(name, error),
    }));
    if let Some(info) = info {
        info.write(&filled.unwrap_or_else(|_| arr_error_info::none()));
    }
    outcome.map_or_else(|error| code(error.kind()), |()| ARR_OK)
}

/// The outcome of a body that may find nothing. That is not a failure, and must cost nothing.
pub(super) enum Quiet {
    Done,
    /// The time ran out, and why.
    Timeout(&'static str),
}

/// Like [`status`], for functions that are called every frame: finding nothing is reported without allocating.
///
/// # Safety
/// As [`status`].
pub(super) unsafe fn quiet(name: &str, info: *mut arr_error_info, body: impl FnOnce() -> Result<Quiet>) -> arr_status {
    let mut nothing = None;
    // SAFETY: the caller's promise.
    let result = unsafe {
        status(name, info, || {
            if let Quiet::Timeout(why) = body()? {
                nothing = Some(why);
            }
            Ok(())
        })
    };
    let Some(why) = nothing else { return result };
    // SAFETY: the caller's promise, which `status` has just relied on too.
    if let Ok(Some(info)) = unsafe { Out::optional(info, "error info") } {
        info.write(&arr_error_info::quiet(name, ARR_ERROR_TIMEOUT, why));
    }
    ARR_ERROR_TIMEOUT
}

/// Runs the body of a function that cannot fail. Returns `fallback` if it panics.
pub(super) fn value<T>(_name: &str, fallback: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(fallback)
}

fn panicked() -> Error {
    abi::error(ErrorKind::Internal, "the library hit a defect of its own; the call may be repeated. Please report it")
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

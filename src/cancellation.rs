//! Defers `pthread_cancel` to the end of the call. Cancellation unwinds the stack, and the process would abort at
//! Rust's frames.

/// Runs a call, which must not unwind, with this thread's cancellation deferred. On Linux this costs a few nanoseconds
/// and no system call.
#[cfg(all(unix, not(target_os = "android")))]
pub(super) fn deferred<T>(call: impl FnOnce() -> T) -> T {
    use std::ffi::c_int;
    unsafe extern "C" {
        fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    }
    const PTHREAD_CANCEL_DISABLE: c_int = if cfg!(target_vendor = "apple") { 0 } else { 1 };
    let (mut before, mut ignored) = (PTHREAD_CANCEL_DISABLE, 0);
    // SAFETY: `before` is writable.
    unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &raw mut before) };
    let result = call();
    // SAFETY: `ignored` is writable, and `before` is a valid state. The thread can end inside this call only with
    // asynchronous cancellation, which is not supported.
    unsafe { pthread_setcancelstate(before, &raw mut ignored) };
    result
}

/// These systems have no thread cancellation.
#[cfg(not(all(unix, not(target_os = "android"))))]
pub(super) fn deferred<T>(call: impl FnOnce() -> T) -> T {
    call()
}

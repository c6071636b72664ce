//! Elapsed time that includes sleep. A lease keeps running while a headset sleeps.

use std::time::Duration;

/// The time since an arbitrary origin, which is fixed for the life of the process.
#[cfg(unix)]
pub(crate) fn elapsed() -> Duration {
    // Apple's CLOCK_MONOTONIC counts sleep. Linux's does not; its CLOCK_BOOTTIME does.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: libc::clockid_t = libc::CLOCK_BOOTTIME;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;

    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live, writable timespec, which is all that clock_gettime requires.
    let status = unsafe { libc::clock_gettime(CLOCK, &raw mut time) };
    debug_assert_eq!(status, 0, "every supported system has this clock");
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The time since the first call. Here `Instant` is the performance counter, which counts sleep.
#[cfg(not(unix))]
pub(crate) fn elapsed() -> Duration {
    static START: once_cell::sync::Lazy<std::time::Instant> = once_cell::sync::Lazy::new(std::time::Instant::now);
    START.elapsed()
}

/// The processor time that the calling thread has used. Zero where that is not known.
pub(crate) fn processor_time() -> Duration {
    #[cfg(unix)]
    {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: as above.
        unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
    }
    #[cfg(not(unix))]
    Duration::ZERO
}

#[cfg(test)]
mod tests {
    use super::elapsed;

    #[test]
    fn time_never_goes_backwards() {
        let mut last = elapsed();
        for _ in 0..1_000 {
            let now = elapsed();
            assert!(now >= last);
            last = now;
        }
    }
}

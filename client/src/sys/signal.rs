//! Keeps SIGPIPE away from this library's threads.
//!
//! Writing to a connection that the peer has closed raises SIGPIPE. A Rust program ignores it, but in a C program it
//! terminates the process. A new thread inherits the signal mask of its parent. So blocking the signal while an inner
//! thread is created keeps it away from that thread permanently, and leaves the rest of the process unchanged.

/// Runs `start` with SIGPIPE blocked, so that threads it starts inherit the block.
#[cfg(unix)]
pub(crate) fn without_sigpipe<T>(start: impl FnOnce() -> T) -> T {
    let _restored = Blocked::sigpipe();
    start()
}

/// This platform has no SIGPIPE.
#[cfg(not(unix))]
pub(crate) fn without_sigpipe<T>(start: impl FnOnce() -> T) -> T {
    start()
}

/// The calling thread's previous mask. Restored on drop, even if `start` panics.
#[cfg(unix)]
struct Blocked(Option<libc::sigset_t>);

#[cfg(unix)]
impl Blocked {
    fn sigpipe() -> Blocked {
        let mut pipe = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
        let mut before = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: both sets are writable, and sigemptyset initialises the first before it is read.
        let blocked = unsafe {
            libc::sigemptyset(pipe.as_mut_ptr());
            libc::sigaddset(pipe.as_mut_ptr(), libc::SIGPIPE);
            libc::pthread_sigmask(libc::SIG_BLOCK, pipe.as_ptr(), before.as_mut_ptr()) == 0
        };
        // SAFETY: pthread_sigmask has succeeded and filled it; zeroed bytes are a valid set in any case.
        Blocked(blocked.then(|| unsafe { before.assume_init() }))
    }
}

#[cfg(unix)]
impl Drop for Blocked {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // SAFETY: `before` is a valid set, and a null pointer is allowed for the old mask.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before, std::ptr::null_mut()) };
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::without_sigpipe;

    /// Whether the calling thread blocks SIGPIPE.
    fn blocked() -> bool {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap().trim();
        u64::from_str_radix(mask, 16).unwrap() & 1 << (libc::SIGPIPE - 1) != 0
    }

    #[test]
    fn threads_started_within_are_spared_and_the_caller_stays_as_it_was() {
        assert!(!blocked());
        let thread = without_sigpipe(|| std::thread::spawn(blocked));
        assert!(thread.join().unwrap());
        assert!(!blocked());
        assert!(std::panic::catch_unwind(|| without_sigpipe(|| panic!("on purpose"))).is_err());
        assert!(!blocked());
    }
}

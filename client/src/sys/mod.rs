//! Operating system calls that the standard library lacks.

#![allow(unsafe_code, reason = "calls foreign functions; each call says why it is sound")]

mod clock;
mod file_lock;
mod floating_point;
mod module;
mod open_files;
mod process;
mod stack;
mod thread;
mod wipe;

pub(crate) use clock::{elapsed, processor_time};
pub(crate) use file_lock::{FileLock, is_at};
pub use floating_point::with_default_floating_point;
pub(crate) use open_files::OpenFiles;
pub use process::{PerProcess, generation};
pub(crate) use stack::{wipe_stack, wipe_stack_at_end};
pub(crate) use thread::{run_on_ordinary_thread, start_thread, without_write_signals};
pub(crate) use wipe::Wiped;
pub use wipe::wipe_memory;

/// Whether the machine or the process has run out of files, sockets or memory.
pub(crate) fn is_exhaustion(cause: &std::io::Error) -> bool {
    #[cfg(unix)]
    const CODES: &[i32] = &[libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    // ERROR_TOO_MANY_OPEN_FILES, WSAEMFILE and WSAENOBUFS.
    #[cfg(windows)]
    const CODES: &[i32] = &[4, 10_024, 10_055];
    cause.raw_os_error().is_some_and(|code| CODES.contains(&code))
}

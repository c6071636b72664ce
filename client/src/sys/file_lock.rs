//! An exclusive lock on a file, which the system releases when the process dies, however it dies.

use std::fs::File;
use std::io;

/// A lock that is held until it is dropped. It belongs to this opening of the file, so it also keeps out others of the same
/// process.
#[derive(Debug)]
pub(crate) struct FileLock(File);

impl FileLock {
    /// Locks the file, without waiting; `None` if another has locked it.
    pub(crate) fn try_on(file: File) -> io::Result<Option<FileLock>> {
        Ok(try_lock(&file)?.then_some(FileLock(file)))
    }
}

impl Drop for FileLock {
    /// Closing alone does not do it while a process that is just being started still shares the file.
    fn drop(&mut self) {
        unlock(&self.0);
    }
}

// The standard library's locks are not supported on Android before Rust 1.98. One way for every Unix is the one that the
// tests run.
#[cfg(unix)]
fn try_lock(file: &File) -> io::Result<bool> {
    if flock(file, libc::LOCK_EX | libc::LOCK_NB) {
        return Ok(true);
    }
    match io::Error::last_os_error() {
        error if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        error => Err(error),
    }
}

#[cfg(unix)]
fn unlock(file: &File) {
    flock(file, libc::LOCK_UN);
}

#[cfg(unix)]
fn flock(file: &File, operation: libc::c_int) -> bool {
    use std::os::fd::AsRawFd;
    // SAFETY: the descriptor is open as long as `file` is borrowed, and the call touches no memory.
    unsafe { libc::flock(file.as_raw_fd(), operation) == 0 }
}

#[cfg(not(unix))]
fn try_lock(file: &File) -> io::Result<bool> {
    use std::fs::TryLockError;
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(not(unix))]
fn unlock(file: &File) {
    let _ = file.unlock();
}

//! An exclusive file lock that the system releases when the process ends, even by a crash.

use std::fs::File;
use std::io;

/// A lock held until it is dropped. It belongs to this file handle, so it also excludes other handles of the same
/// process.
#[derive(Debug)]
pub(crate) struct FileLock(File);

impl FileLock {
    /// Locks the file without waiting; `None` if it is already locked.
    pub(crate) fn try_on(file: File) -> io::Result<Option<FileLock>> {
        Ok(try_lock(&file)?.then_some(FileLock(file)))
    }
}

impl Drop for FileLock {
    /// Closing alone is not enough: a child process that is just starting may still share the handle.
    fn drop(&mut self) {
        unlock(&self.0);
    }
}

// The standard library does not support file locks on Android before Rust 1.98. All Unix systems use this
// implementation, so that the tests cover it.
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

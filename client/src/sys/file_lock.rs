//! An exclusive file lock that the system releases when the process ends, even by a crash.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

/// A lock that is held until it is dropped.
///
/// On Unix it belongs to the process: a forked child does not have it, other handles of this process do not see it, and
/// closing any of them releases it.
#[derive(Debug)]
pub(crate) struct FileLock(File);

impl FileLock {
    /// Locks the file without waiting; `None` if another process has locked it. The file must be open for writing.
    pub(crate) fn try_on(file: File) -> io::Result<Option<FileLock>> {
        Ok(try_lock(&file)?.then_some(FileLock(file)))
    }

    /// Whether another process has locked the file. On Windows, which has no such query, this locks it for a moment.
    pub(crate) fn is_held_elsewhere(file: &File) -> io::Result<bool> {
        is_locked(file)
    }

    /// Locks the file again, in case the lock was lost. Returns whether it is locked.
    pub(crate) fn renew(&self) -> bool {
        renew(&self.0)
    }

    /// The locked file.
    pub(crate) fn file(&self) -> &File {
        &self.0
    }
}

impl Drop for FileLock {
    /// On Windows, closing a file may release its locks only later.
    fn drop(&mut self) {
        unlock(&self.0);
    }
}

/// Whether a path still leads to this file.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(mine), Ok(there)) => is_same(&mine, &there),
        _ => false,
    }
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Files can be distinguished only by their names.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

#[cfg(unix)]
fn whole_file() -> libc::flock {
    // SAFETY: zeroed bytes are a valid flock, which has only numbers.
    let mut whole: libc::flock = unsafe { std::mem::zeroed() };
    whole.l_type = libc::F_WRLCK as _;
    whole.l_whence = libc::SEEK_SET as _;
    whole
}

#[cfg(unix)]
fn is_locked(file: &File) -> io::Result<bool> {
    use std::os::fd::AsRawFd;
    let mut lock = whole_file();
    // SAFETY: the descriptor is open as long as `file` is borrowed, and the flock is writable.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETLK, &raw mut lock) } {
        0 => Ok(i64::from(lock.l_type) != i64::from(libc::F_UNLCK)),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(unix)]
fn try_lock(file: &File) -> io::Result<bool> {
    use std::os::fd::AsRawFd;
    let whole = whole_file();
    // SAFETY: the descriptor is open as long as `file` is borrowed, and F_SETLK only reads the flock.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &raw const whole) } == 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EACCES | libc::EAGAIN) => Ok(false),
        _ => Err(error),
    }
}

/// Closing the file is enough.
#[cfg(unix)]
fn unlock(_: &File) {}

/// Windows keeps other processes from reading a locked range, so a single byte far beyond the end is locked instead.
#[cfg(windows)]
const BYTE: windows::Overlapped = windows::Overlapped { offset_high: 0x4000_0000, ..windows::Overlapped::ZERO };

#[cfg(windows)]
mod windows {
    use core::ffi::c_void;

    #[repr(C)]
    pub(super) struct Overlapped {
        pub(super) internal: usize,
        pub(super) internal_high: usize,
        pub(super) offset: u32,
        pub(super) offset_high: u32,
        pub(super) event: *mut c_void,
    }

    impl Overlapped {
        pub(super) const ZERO: Overlapped =
            Overlapped { internal: 0, internal_high: 0, offset: 0, offset_high: 0, event: std::ptr::null_mut() };
    }

    #[link(name = "kernel32")]
    unsafe extern "system" {
        pub(super) fn LockFileEx(
            file: *mut c_void,
            flags: u32,
            reserved: u32,
            length: u32,
            length_high: u32,
            place: *mut Overlapped,
        ) -> i32;
        pub(super) fn UnlockFileEx(
            file: *mut c_void,
            reserved: u32,
            length: u32,
            length_high: u32,
            place: *mut Overlapped,
        ) -> i32;
    }
}

#[cfg(unix)]
fn renew(file: &File) -> bool {
    try_lock(file).unwrap_or(false)
}

/// Here a lock is lost only by closing the file.
#[cfg(not(unix))]
fn renew(_: &File) -> bool {
    true
}

/// Queries by several processes share the lock.
#[cfg(windows)]
fn is_locked(file: &File) -> io::Result<bool> {
    let locked = lock_by(file, FAIL_IMMEDIATELY)?;
    if locked {
        unlock(file);
    }
    Ok(!locked)
}

/// A query holds the lock only for a moment.
#[cfg(windows)]
fn try_lock(file: &File) -> io::Result<bool> {
    const TRIES: usize = 5;
    for _ in 1..TRIES {
        if lock_by(file, FAIL_IMMEDIATELY | EXCLUSIVE)? {
            return Ok(true);
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    lock_by(file, FAIL_IMMEDIATELY | EXCLUSIVE)
}

#[cfg(windows)]
const FAIL_IMMEDIATELY: u32 = 1;
#[cfg(windows)]
const EXCLUSIVE: u32 = 2;

#[cfg(windows)]
fn lock_by(file: &File, flags: u32) -> io::Result<bool> {
    use std::os::windows::io::AsRawHandle;
    const ERROR_LOCK_VIOLATION: i32 = 33;
    const ERROR_IO_PENDING: i32 = 997;
    let mut place = BYTE;
    // SAFETY: the handle is open as long as `file` is borrowed and was not opened for overlapped use, so the call is
    // over, and done with `place`, when it returns.
    let locked = unsafe { windows::LockFileEx(file.as_raw_handle(), flags, 0, 1, 0, &raw mut place) != 0 };
    if locked {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(ERROR_LOCK_VIOLATION | ERROR_IO_PENDING) => Ok(false),
        _ => Err(error),
    }
}

#[cfg(windows)]
fn unlock(file: &File) {
    use std::os::windows::io::AsRawHandle;
    let mut place = BYTE;
    // SAFETY: as for locking.
    unsafe { windows::UnlockFileEx(file.as_raw_handle(), 0, 1, 0, &raw mut place) };
}

#[cfg(not(any(unix, windows)))]
fn is_locked(_: &File) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(any(unix, windows)))]
fn try_lock(_: &File) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(any(unix, windows)))]
fn unlock(_: &File) {}

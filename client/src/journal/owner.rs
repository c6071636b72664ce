//! Owners of records. A live owner holds the lock on its own file; when its process dies, the system releases the lock.
//! Owners are checked only under the journal's lock.

use super::file::{JournalFile, open_lock};
use super::record::OwnerId;
use crate::error::Result;
use crate::sys::FileLock;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

pub(super) struct Owner {
    id: OwnerId,
    path: PathBuf,
    /// `None`: dead.
    lock: Option<FileLock>,
}

impl Owner {
    /// Registers a new, live owner.
    pub(super) fn register(file: &JournalFile, _lock: &FileLock) -> Result<Owner> {
        let id = OwnerId::new();
        let path = path(file, id);
        let lock = take_lock(&path).map_err(|cause| file.cannot("be locked", &cause))?;
        Ok(Owner { id, path, lock: Some(lock) })
    }

    pub(super) fn id(&self) -> OwnerId {
        self.id
    }

    /// Recreates the lock file if it was removed.
    pub(super) fn renew(&mut self, file: &JournalFile) -> Result<()> {
        if self.lives() && matches!(self.path.try_exists(), Ok(false)) {
            self.lock = Some(take_lock(&self.path).map_err(|cause| file.cannot("be locked", &cause))?);
        }
        Ok(())
    }

    pub(super) fn lives(&self) -> bool {
        self.lock.is_some()
    }

    /// Releases the lock, so that others see this owner as dead.
    pub(super) fn die(&mut self) {
        self.lock = None;
    }

    /// Removes the lock file. Only for an owner without records.
    pub(super) fn leave_no_trace(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn path(file: &JournalFile, id: OwnerId) -> PathBuf {
    file.beside(&format!("{id}.lock"))
}

fn take_lock(path: &Path) -> io::Result<FileLock> {
    FileLock::try_on(open_lock(path)?)?.ok_or_else(|| io::Error::from(io::ErrorKind::WouldBlock))
}

/// The lock of a dead owner, `None` if its file is gone. `Err` if the owner is alive, or may be.
fn lock_of_dead(file: &JournalFile, id: OwnerId) -> std::result::Result<Option<FileLock>, ()> {
    match File::options().read(true).write(true).open(path(file, id)) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(_) => Err(()),
        Ok(file) => FileLock::try_on(file).ok().flatten().map(Some).ok_or(()),
    }
}

pub(super) fn lives(file: &JournalFile, id: OwnerId) -> bool {
    lock_of_dead(file, id).is_err()
}

/// Removes the lock file of a dead owner without records.
pub(super) fn bury(file: &JournalFile, id: OwnerId) {
    if let Ok(Some(_lock)) = lock_of_dead(file, id) {
        let _ = fs::remove_file(path(file, id));
    }
}

/// All owners that have a lock file.
pub(super) fn all(file: &JournalFile) -> Vec<OwnerId> {
    let (Some(folder), Some(name)) = (file.path().parent(), file.path().file_name()) else {
        return Vec::new();
    };
    let prefix = format!("{}.", name.to_string_lossy());
    let id_of = |entry: fs::DirEntry| {
        OwnerId::parse(entry.file_name().to_string_lossy().strip_prefix(&prefix)?.strip_suffix(".lock")?)
    };
    fs::read_dir(folder).into_iter().flatten().flatten().filter_map(id_of).collect()
}

//! Who answers for records. An owner holds the lock on a file of its own for as long as it lives, and the system takes the
//! lock from the dead. Every look at an owner is taken under the journal's lock.

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
    /// `None`: it lives no more.
    lock: Option<FileLock>,
}

impl Owner {
    /// A new owner, alive.
    pub(super) fn register(file: &JournalFile, _lock: &FileLock) -> Result<Owner> {
        let id = OwnerId::new();
        let path = path(file, id);
        let lock = take_lock(&path).map_err(|cause| file.cannot("be locked", &cause))?;
        Ok(Owner { id, path, lock: Some(lock) })
    }

    pub(super) fn id(&self) -> OwnerId {
        self.id
    }

    /// Shows that it lives, if somebody has removed its file.
    pub(super) fn renew(&mut self, file: &JournalFile) -> Result<()> {
        if self.lives() && matches!(self.path.try_exists(), Ok(false)) {
            self.lock = Some(take_lock(&self.path).map_err(|cause| file.cannot("be locked", &cause))?);
        }
        Ok(())
    }

    pub(super) fn lives(&self) -> bool {
        self.lock.is_some()
    }

    /// From now on others see it as dead.
    pub(super) fn die(&mut self) {
        self.lock = None;
    }

    /// Takes away its file, which nobody misses if it answers for nothing.
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

/// The lock of an owner that is dead, `None` if its file is gone; `Err` if it lives, or may.
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

/// Removes what a dead owner without records has left.
pub(super) fn bury(file: &JournalFile, id: OwnerId) {
    if let Ok(Some(_lock)) = lock_of_dead(file, id) {
        let _ = fs::remove_file(path(file, id));
    }
}

/// All owners that have a file.
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

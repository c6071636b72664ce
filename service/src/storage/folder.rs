//! The folder: made if it is missing, locked while it is in use.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::error::StateFolderError;

/// A state folder that this emulator alone uses, until it is dropped.
#[derive(Debug)]
pub(crate) struct StateFolder {
    path: PathBuf,
    /// The lock ends when this is closed, at the latest with the process.
    _lock: File,
}

impl StateFolder {
    const LOCK: &str = "lock";
    const DATABASE: &str = "state.sqlite";
    /// A database that was not finished.
    const UNFINISHED: &str = "state.sqlite.new";

    /// Takes a folder, and makes it if it is missing.
    pub(crate) fn open(path: &Path) -> Result<StateFolder, StateFolderError> {
        let failed = |source| StateFolderError::Io { folder: path.to_owned(), source };
        let path = std::path::absolute(path).map_err(failed)?;
        create_folder(&path).map_err(failed)?;
        let lock = private().read(true).write(true).create(true).open(path.join(Self::LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(StateFolder { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StateFolderError::InUse { folder: path }),
            Err(TryLockError::Error(source)) => Err(StateFolderError::Io { folder: path, source }),
        }
    }

    /// Where the database is, or will be.
    pub(super) fn database(&self) -> PathBuf {
        self.path.join(Self::DATABASE)
    }

    /// Makes the database. It is not there until `fill` has written it completely.
    pub(super) fn create_database(
        &self,
        fill: impl FnOnce(&Path) -> Result<(), StateFolderError>,
    ) -> Result<(), StateFolderError> {
        let unfinished = self.path.join(Self::UNFINISHED);
        for left_over in ["", "-journal", "-wal", "-shm"] {
            remove_if_there(&with_suffix(&unfinished, left_over)).map_err(|source| self.failed(source))?;
        }
        // SQLite gives its other files the same permissions.
        private().write(true).create_new(true).open(&unfinished).map_err(|source| self.failed(source))?;
        fill(&unfinished)?;
        let finish = || {
            // Windows syncs only what is open for writing.
            OpenOptions::new().write(true).open(&unfinished)?.sync_all()?;
            fs::rename(&unfinished, self.database())?;
            sync_folder(&self.path)
        };
        finish().map_err(|source| self.failed(source))
    }

    pub(super) fn failed(&self, source: io::Error) -> StateFolderError {
        StateFolderError::Io { folder: self.path.clone(), source }
    }
}

/// A path with something appended to its last segment.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn create_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Opens files that only their owner may read: the database contains keys.
fn private() -> OpenOptions {
    #[cfg_attr(not(unix), allow(unused_mut))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the names in a folder durable.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

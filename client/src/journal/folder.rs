//! The folder that holds the journals of all clients: one file each, `{owner}.journal`.

use super::line::{Foreign, HEADER};
use super::owners::{self, OwnerId};
use super::record::sort_by_number;
use crate::clock::lock;
use crate::config::is_hidden;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::is_exhaustion;
use std::fmt::Display;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
    others: Arc<Mutex<()>>,
}

const ENDING: &str = ".journal";

impl Folder {
    /// The folder at this path. It is created if missing; its parent must exist. The path is made absolute, because the
    /// process may change its working folder.
    pub(super) fn at(given: &Path) -> Result<Folder> {
        let here = Folder::unchecked(given.to_owned());
        match fs::metadata(given) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(here.error("is a file; give a folder instead")),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => match create_private(given) {
                // Another client has just created it.
                Err(_) if given.is_dir() => {}
                made => made.map_err(|cause| {
                    here.error(format!("cannot be created: {cause}; create it, or give another folder"))
                })?,
            },
            Err(cause) => return Err(here.cannot("be found", &cause)),
        }
        // A process in a Windows container may not be permitted to resolve a folder.
        let path = fs::canonicalize(given).or_else(|_| std::path::absolute(given));
        let folder = Folder::unchecked(path.map_err(|cause| here.cannot("be found", &cause))?);
        folder.try_to_write()?;
        Ok(folder)
    }

    fn unchecked(path: PathBuf) -> Folder {
        let others = owners::others_of(&path);
        Folder { path, others }
    }

    /// The right to open files here that this process does not own.
    pub(super) fn open_others(&self) -> MutexGuard<'_, ()> {
        lock(&self.others)
    }

    /// If the folder is not writable, the client should fail at once, and not at the first create.
    fn try_to_write(&self) -> Result<()> {
        // A new name, so that nothing that is there is opened, or removed.
        let probe = self.path.join(format!("{}.probe", OwnerId::new()));
        private(File::options().write(true).create_new(true))
            .open(&probe)
            .map_err(|cause| self.cannot("be written to", &cause))?;
        let _ = fs::remove_file(&probe);
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn file_of(&self, owner: OwnerId) -> PathBuf {
        self.path.join(format!("{owner}{ENDING}"))
    }

    /// The journals in the folder, in a stable order, and other files with the same extension.
    pub(super) fn list(&self) -> Result<(Vec<OwnerId>, Vec<PathBuf>)> {
        let (mut owners, mut others) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(&self.path).map_err(|cause| self.cannot("be read", &cause))? {
            let name = entry.map_err(|cause| self.cannot("be read", &cause))?.file_name();
            let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(ENDING)) else { continue };
            match OwnerId::parse(stem) {
                Some(owner) => owners.push(owner),
                None => {
                    let path = self.path.join(&name);
                    others.insert(others.partition_point(|other| *other < path), path);
                }
            }
        }
        sort_by_number(&mut owners, |owner| owner.number());
        Ok((owners, others))
    }

    /// Flushes the folder, so that a new file's name survives a power failure.
    pub(super) fn sync(&self) -> Result<()> {
        if !cfg!(unix) {
            return Ok(()); // Windows cannot open a folder this way, and its file system journals names.
        }
        match File::open(&self.path).and_then(|folder| folder.sync_all()) {
            // Some file systems, mostly network ones, do not support this.
            Err(cause) if !matches!(cause.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
                Err(self.cannot("be written to", &cause))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn cannot(&self, what: &str, cause: &io::Error) -> Error {
        let remedy = "check that it is on a local disk with free space and write permission, or give another folder";
        let storage = || self.error(format!("cannot {what}: {cause}; {remedy}"));
        exhausted(cause, || format!("`journal_folder` \"{}\" cannot {what}", shown(&self.path))).unwrap_or_else(storage)
    }

    fn error(&self, what: impl Display) -> Error {
        Error::new(ErrorKind::Storage, format!("`journal_folder` \"{}\" {what}", shown(&self.path)))
    }
}

/// The report of a file that was left alone.
pub(super) fn left_alone(path: &Path, why: Foreign) -> Error {
    let what = match why {
        Foreign::Format => format!(
            "is a journal of another version than \"{}\"; recover its sessions with that version, then delete it",
            HEADER.trim_end()
        ),
        Foreign::Other => "is not a journal; move it to another folder".to_owned(),
    };
    Error::new(ErrorKind::Storage, format!("\"{}\" {what}", shown(path)))
}

/// The report of a dead owner's file of which some lines cannot be read.
pub(super) fn damaged(path: &Path) -> Error {
    let what = "has damaged lines: sessions may be running that only they name; look for them in the account's list, \
                then delete the file";
    Error::new(ErrorKind::Storage, format!("journal \"{}\" {what}", shown(path)))
}

/// The report of a file that is open in this process, but not by this copy of the library.
pub(super) fn of_another_copy(path: &Path) -> Error {
    let what = "is open in this process, probably by another copy of this library; give each copy its own folder";
    Error::new(ErrorKind::Storage, format!("journal \"{}\" {what}", shown(path)))
}

pub(super) fn unreadable(path: &Path, cause: &io::Error) -> Error {
    let what = || format!("journal \"{}\" cannot be read", shown(path));
    exhausted(cause, what).unwrap_or_else(|| Error::new(ErrorKind::Storage, format!("{}: {cause}", what())))
}

/// The error if the process has run out of files: nothing is wrong with the disk.
fn exhausted(cause: &io::Error, what: impl FnOnce() -> String) -> Option<Error> {
    is_exhaustion(cause).then(|| Error::out_of_resources(&what(), cause))
}

/// The report of a dead owner's file whose records cannot be taken over.
pub(super) fn unclaimable(path: &Path, cause: &io::Error) -> Error {
    let what = || format!("journal \"{}\" cannot be written", shown(path));
    exhausted(cause, what).unwrap_or_else(|| {
        let message = format!("{}: {cause}; make it writable, so that its sessions can be recovered", what());
        Error::new(ErrorKind::Storage, message)
    })
}

pub(super) fn unwritable(path: &Path, cause: &io::Error) -> Error {
    Error::new(ErrorKind::Storage, format!("journal \"{}\" cannot be written: {cause}", shown(path)))
}

/// Creates a folder that only this user can access.
#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(path)
}

/// Folders of users are private on Windows.
#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Creates files that only this user can access.
#[cfg(unix)]
pub(super) fn private(options: &mut fs::OpenOptions) -> &mut fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

/// Files have their folder's permissions on Windows.
#[cfg(not(unix))]
pub(super) fn private(options: &mut fs::OpenOptions) -> &mut fs::OpenOptions {
    options
}

/// A path for a message. A long one is cut at the start, because its end is more informative.
fn shown(path: &Path) -> String {
    const LONGEST: usize = 200;
    let text = path.to_string_lossy();
    let hidden = text.chars().count().saturating_sub(LONGEST);
    let end = text.chars().skip(hidden).map(|c| if is_hidden(c) { '\u{fffd}' } else { c });
    (hidden > 0).then_some('…').into_iter().chain(end).collect()
}

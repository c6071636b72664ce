//! One owner's file. Its owner keeps it locked and appends to it; after the owner's death, the process that locks it
//! may.

use super::Own;
use super::folder::{Folder, left_alone, private, unclaimable, unreadable, unwritable};
use super::line::{self, Contents, HEADER, Why};
use super::owners::Registration;
use super::record::{Record, RecordId};
use crate::error::{ErrorKind, Result};
use crate::sys::{FileLock, is_at, without_write_signals};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Weak};
use std::time::Duration;

/// The size limit for reading: room for tens of thousands of running sessions.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The file of this journal.
pub(super) struct OwnFile {
    path: PathBuf,
    lock: FileLock,
    /// Its current and its initial length.
    length: u64,
    began_with: u64,
    unsynced: bool,
    /// If set, longer writes are cut off here, and flushing fails.
    #[cfg(test)]
    room: Option<usize>,
    // Dropped after the lock, because until then no other journal of this process may open the file.
    _registration: Registration,
}

impl OwnFile {
    /// Creates a file with these lines for a new owner, and flushes it.
    pub(super) fn create(folder: &Folder, own: &Weak<Mutex<Own>>, lines: &str) -> Result<OwnFile> {
        let file = OwnFile::create_locked(folder, own).map_err(|cause| folder.cannot("be written to", &cause))?;
        let text = HEADER.to_owned() + lines;
        let mut file = OwnFile { began_with: text.len() as u64, ..file };
        let written = file.append(&text).and_then(|()| file.sync());
        match written.map_err(|cause| folder.cannot("be written to", &cause)).and_then(|()| folder.sync()) {
            Ok(()) => Ok(file),
            Err(error) => {
                file.remove();
                Err(error)
            }
        }
    }

    fn create_locked(folder: &Folder, own: &Weak<Mutex<Own>>) -> io::Result<OwnFile> {
        // Another process may have found and removed the file just before it was locked.
        const ATTEMPTS: usize = 10;
        for _ in 0..ATTEMPTS {
            let registration = Registration::new(folder.path(), own);
            let path = folder.file_of(registration.id());
            let file = private(OpenOptions::new().write(true).create_new(true)).open(&path)?;
            if let Some(lock) = FileLock::try_on(file)?
                && is_at(lock.file(), &path)
            {
                return Ok(OwnFile {
                    path,
                    lock,
                    length: 0,
                    began_with: 0,
                    unsynced: false,
                    #[cfg(test)]
                    room: None,
                    _registration: registration,
                });
            }
        }
        Err(io::Error::new(io::ErrorKind::WouldBlock, "another program locks every new file in it"))
    }

    pub(super) fn append(&mut self, text: &str) -> io::Result<()> {
        #[cfg(test)]
        if let Some(room) = self.room.filter(|room| *room < text.len()) {
            self.lock.file().write_all(&text.as_bytes()[..room])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        without_write_signals(|| self.lock.file().write_all(text.as_bytes()))?;
        self.length += text.len() as u64;
        self.unsynced = true;
        Ok(())
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.unsynced {
            #[cfg(test)]
            if self.room.is_some() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.lock.file().sync_data()?;
            self.unsynced = false;
        }
        Ok(())
    }

    /// Whether it has grown so much that a new one should replace it. The limit is a multiple of the needed size, so
    /// the average cost of a change does not depend on the number of sessions.
    pub(super) fn is_large(&self) -> bool {
        const FREE: u64 = 1024 * 1024;
        self.length > FREE + 4 * self.began_with
    }

    /// Whether it is still in its place, unchanged, locked, and such that another process would [`open`] it. Locks it
    /// again, because the lock is lost if any part of the process has opened and closed the file.
    pub(super) fn is_in_place(&self) -> bool {
        let file = self.lock.file();
        self.lock.renew()
            && is_at(file, &self.path)
            && fs::symlink_metadata(&self.path).is_ok_and(|found| is_plain(&found) && found.len() == self.length)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes flushing fail, and longer writes fail after this many bytes.
    #[cfg(test)]
    pub(super) fn fill_the_disk(&mut self, room: usize) {
        self.room = Some(room);
    }

    /// Removes it. If that fails, its contents are obsolete to other owners anyway.
    pub(super) fn remove(self) {
        if is_at(self.lock.file(), &self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A file of another process, or of a dead owner.
pub(super) struct Seen {
    pub(super) contents: Contents,
    /// Another process has it locked.
    pub(super) lives: bool,
}

/// Reads a file without claiming it; `None` if it is gone.
pub(super) fn look(path: &Path) -> Result<Option<Seen>> {
    let look = |file: File| {
        let lives = FileLock::is_held_elsewhere(&file)?;
        Ok((lives, read(&file)?))
    };
    // On Windows a file must be open for writing to be locked.
    match open(path, cfg!(windows)).and_then(look) {
        Err(cause) if is_gone(&cause) => Ok(None),
        Err(cause) => Err(unreadable(path, &cause)),
        Ok((lives, bytes)) => {
            let contents = line::parse(&bytes).map_err(|why| left_alone(path, why))?;
            Ok(Some(Seen { contents, lives }))
        }
    }
}

/// The records in a file; none if it is not a readable journal. Fails only if the process has run out of files.
pub(super) fn records(path: &Path) -> Result<Vec<Record>> {
    match look(path) {
        Ok(seen) => Ok(seen.map(|seen| seen.contents.records).unwrap_or_default()),
        Err(error) if error.kind() == ErrorKind::OutOfResources => Err(error),
        Err(_reported) => Ok(Vec::new()),
    }
}

/// Opens a journal, but only a plain file: a pipe could block forever, and a link may lead to this process's own file,
/// which closing would unlock.
fn open(path: &Path, write: bool) -> io::Result<File> {
    if !is_plain(&fs::symlink_metadata(path)?) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a plain file, or has a second hard link"));
    }
    without_waiting(File::options().read(true).write(write)).open(path)
}

#[cfg(unix)]
fn is_plain(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    found.is_file() && found.nlink() == 1
}

#[cfg(not(unix))]
fn is_plain(found: &fs::Metadata) -> bool {
    found.is_file()
}

/// In case the path is replaced by something else after the check.
#[cfg(unix)]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW)
}

#[cfg(not(unix))]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Windows denies access to a file that is being deleted.
fn is_gone(cause: &io::Error) -> bool {
    cause.kind() == io::ErrorKind::NotFound || cfg!(windows) && cause.kind() == io::ErrorKind::PermissionDenied
}

fn read(mut file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file.metadata()?.len() > MOST_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too large for a journal"));
    }
    file.seek(SeekFrom::Start(0))?;
    file.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The file of a dead owner, locked.
pub(super) struct Dead {
    path: PathBuf,
    lock: FileLock,
    contents: Contents,
}

impl Dead {
    /// Locks a file and reads it; `None` if it is gone, its owner lives, or another process has claimed it.
    pub(super) fn claim(path: &Path) -> Result<Option<Dead>> {
        let file = match open(path, true) {
            Err(cause) if is_gone(&cause) => return Ok(None),
            opened => opened.map_err(|cause| unclaimable(path, &cause))?,
        };
        let Some(lock) = FileLock::try_on(file).map_err(|cause| unclaimable(path, &cause))? else { return Ok(None) };
        if !is_at(lock.file(), path) {
            // The file was removed before it was locked.
            return Ok(None);
        }
        let bytes = read(lock.file()).map_err(|cause| unreadable(path, &cause))?;
        let contents = line::parse(&bytes).map_err(|why| left_alone(path, why))?;
        Ok(Some(Dead { path: path.to_owned(), lock, contents }))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn records(&self) -> &[Record] {
        &self.contents.records
    }

    /// Changes or ends a record. An incomplete last line is removed first.
    pub(super) fn change(&mut self, id: RecordId, changed: Change) -> Result<()> {
        let text = changed.line(id);
        match changed {
            Change::Record(record) => {
                self.contents.records.iter_mut().filter(|it| it.id == id).for_each(|it| *it = record.clone());
            }
            Change::Over(_) => self.contents.records.retain(|record| record.id != id),
        }
        self.append(&text).map_err(|cause| unwritable(&self.path, &cause))
    }

    fn append(&mut self, text: &str) -> io::Result<()> {
        let mut file = self.lock.file();
        file.set_len(self.contents.length)?;
        file.seek(SeekFrom::End(0))?;
        without_write_signals(|| file.write_all(text.as_bytes()))?;
        self.contents.length += text.len() as u64;
        Ok(())
    }

    /// Removes the file if it has nothing left that is needed.
    pub(super) fn remove_if_spent(self, now: Duration) {
        if is_spent(&self.contents, now) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether a file has nothing left that is needed.
pub(super) fn is_spent(contents: &Contents, now: Duration) -> bool {
    !contents.later && !contents.damaged && contents.records.iter().all(|record| record.is_over(now))
}

/// A change to a record.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Record(Record),
    Over(Why),
}

impl Change {
    pub(super) fn line(&self, id: RecordId) -> String {
        match self {
            Change::Record(record) => line::of_record(record),
            Change::Over(why) => line::of_end(id, *why),
        }
    }
}

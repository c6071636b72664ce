//! The journal file: read and replaced as a whole, and only under its lock.

use super::line::{Line, parse, to_text};
use crate::error::{Error, ErrorKind, Result};
use crate::sys::FileLock;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

pub(super) struct JournalFile {
    path: PathBuf,
    /// How long to wait for the lock. Other processes hold it for milliseconds.
    pub(super) patience: Duration,
}

impl JournalFile {
    /// The limit on reads and writes: room for thousands of records.
    pub(super) const MOST_BYTES: usize = 4 * 1024 * 1024;

    /// The file at this path. It need not exist, but its folder must. The path is made absolute, because the process
    /// may change its working folder, and resolved, because all users of the file must agree on the lock.
    pub(super) fn at(given: &Path) -> Result<JournalFile> {
        let here = JournalFile { path: given.to_owned(), patience: Duration::from_secs(5) };
        let Some(name) = given.file_name() else {
            return Err(here.error("is not the path of a file; give one, such as /home/me/arr-session.journal"));
        };
        let folder = given.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(here.error("has no folder to be in; create the folder, or give another path"));
        }
        let real = fs::canonicalize(given).or_else(|_| fs::canonicalize(folder).map(|folder| folder.join(name)));
        // A process in a Windows container may not be permitted to resolve a folder.
        match real.or_else(|_| std::path::absolute(given)) {
            Ok(path) => Ok(JournalFile { path, ..here }),
            Err(cause) => Err(here.error(format!("cannot be found: {cause}; give another path"))),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of an auxiliary file next to the journal.
    pub(super) fn beside(&self, ending: &str) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(".");
        path.push(ending);
        path.into()
    }

    /// Waits for exclusive access to the journal. The lock file is never removed: removing one that another process has
    /// just opened would split it into two locks.
    pub(super) fn lock(&self) -> Result<FileLock> {
        const LONGEST_PAUSE: Duration = Duration::from_millis(20);
        let path = self.beside("lock");
        let mut waited = Duration::ZERO;
        let mut pause = Duration::from_millis(1);
        loop {
            match open_lock(&path).and_then(FileLock::try_on) {
                Ok(Some(lock)) => return Ok(lock),
                Ok(None) if waited < self.patience => {}
                Ok(None) => {
                    return Err(self.error(format!(
                        "has been locked by another program for {} s; end the one that hangs or is stopped, and try again",
                        self.patience.as_secs()
                    )));
                }
                Err(cause) => return Err(self.cannot("be locked", &cause)),
            }
            sleep(pause);
            waited += pause;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// All intact lines; none if there is no file yet.
    pub(super) fn read(&self) -> Result<Vec<Line>> {
        let mut bytes = Vec::new();
        match fs::metadata(&self.path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(cause) => return Err(self.cannot("be read", &cause)),
            Ok(found) if found.is_dir() => {
                return Err(self.error("is a folder; give the path of a file in it, such as arr-session.journal"));
            }
            // Reading from a pipe or a device could block forever.
            Ok(found) if !found.is_file() => return Err(self.error("is no file; give the path of one")),
            Ok(_) => {}
        }
        File::open(&self.path)
            .and_then(|file| file.take(JournalFile::MOST_BYTES as u64 + 1).read_to_end(&mut bytes))
            .map_err(|cause| self.cannot("be read", &cause))?;
        if bytes.len() > JournalFile::MOST_BYTES {
            return Err(self.error(format!(
                "has more than {} bytes, more than any journal; move that file away, or give another path",
                JournalFile::MOST_BYTES
            )));
        }
        parse(&bytes).ok_or_else(|| {
            self.error("holds something else, and was left as it is; move that file away, or give another path")
        })
    }

    /// Replaces the file's lines atomically: at any time the file is the complete old or the complete new version. The
    /// change is not durable until [`sync_folder`](JournalFile::sync_folder).
    pub(super) fn replace(&self, _lock: &FileLock, lines: &[Line]) -> Result<()> {
        let text = to_text(lines);
        if text.len() > JournalFile::MOST_BYTES {
            return Err(self.error(format!(
                "has no room: {} records are more than fit in {} bytes; stop sessions, or give another path",
                lines.len(),
                JournalFile::MOST_BYTES
            )));
        }
        self.replace_text(&text).map_err(|cause| self.cannot("be written", &cause))
    }

    fn replace_text(&self, text: &str) -> io::Result<()> {
        let draft = self.beside("tmp");
        // Never write to a leftover draft, or through a link.
        let _ = fs::remove_file(&draft);
        let mut file = File::create_new(&draft)?;
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        drop(file);
        let replaced = written.and_then(|()| rename(&draft, &self.path));
        if replaced.is_err() {
            let _ = fs::remove_file(&draft);
        }
        replaced
    }

    /// Makes the replacement survive a power failure.
    pub(super) fn sync_folder(&self) -> Result<()> {
        let Some(folder) = self.path.parent().filter(|_| cfg!(unix)) else {
            return Ok(()); // Windows cannot open a folder this way, and logs the rename itself.
        };
        match File::open(folder).and_then(|folder| folder.sync_all()) {
            // Some file systems, mostly network ones, do not support this.
            Err(cause) if !matches!(cause.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
                Err(self.cannot("be written", &cause))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn cannot(&self, what: &str, cause: &io::Error) -> Error {
        self.error(format!(
            "cannot {what}: {cause}; see that its folder is on a disk of this machine, has room, and may be written to, or \
             give another path"
        ))
    }

    fn error(&self, what: impl Display) -> Error {
        Error::new(ErrorKind::Storage, format!("journal \"{}\" {what}", shown(&self.path)))
    }
}

/// Opens a lock file.
pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).open(path)
}

/// On Windows an indexer or a virus scanner may briefly hold the file open.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    const PAUSE: Duration = Duration::from_millis(20);
    let tries = if cfg!(windows) { 10 } else { 1 };
    for _ in 1..tries {
        match fs::rename(from, to) {
            Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => sleep(PAUSE),
            done => return done,
        }
    }
    fs::rename(from, to)
}

/// A path for a message. A long one is cut at the start, because its end says more.
fn shown(path: &Path) -> String {
    const LONGEST: usize = 200;
    let text = path.to_string_lossy();
    let hidden = text.chars().count().saturating_sub(LONGEST);
    let end = text.chars().skip(hidden).map(|c| if c.is_control() { '\u{fffd}' } else { c });
    (hidden > 0).then_some('…').into_iter().chain(end).collect()
}

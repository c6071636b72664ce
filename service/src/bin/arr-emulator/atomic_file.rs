//! Files that are written completely or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Who may read a file, on systems with Unix permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// All users who may read the folder.
    Everyone,
    /// The user who runs the program.
    Owner,
}

/// Writes a file via a temporary one in the same folder, so that no reader sees half of it.
pub(crate) fn write(path: &Path, contents: &[u8], readers: Readers) -> io::Result<()> {
    let temporary = temporary_beside(path)?;
    remove_if_there(&temporary)?;
    let written =
        create(&temporary, readers).and_then(|file| fill(file, contents)).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Fails if the path holds anything but a regular file whose contents are `ours`: a wrong path must not overwrite the
/// user's file or a device.
pub(crate) fn check_replaceable(path: &Path, ours: impl Fn(&[u8]) -> bool) -> io::Result<()> {
    /// In bytes. No file of ours is larger, so a larger one is not read.
    const LARGEST: u64 = 64 * 1024;
    let refuse = |what: &str| Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(found) if !found.is_file() => refuse("it exists and is not a regular file; give another path"),
        Ok(found) if found.len() > LARGEST || !ours(&fs::read(path)?) => {
            refuse("it exists and was not written by an emulator; give another path")
        }
        Ok(_) => Ok(()),
    }
}

/// Removes a file if it exists.
fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn temporary_beside(path: &Path) -> io::Result<PathBuf> {
    let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "the path does not name a file");
    let mut name = OsString::from(".");
    name.push(path.file_name().ok_or_else(no_name)?);
    name.push(format!(".{}.tmp", std::process::id()));
    Ok(path.with_file_name(name))
}

fn create(path: &Path, readers: Readers) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(match readers {
            Readers::Everyone => 0o644,
            Readers::Owner => 0o600,
        });
    }
    #[cfg(not(unix))]
    let _ = readers;
    options.open(path)
}

fn fill(mut file: File, contents: &[u8]) -> io::Result<()> {
    file.write_all(contents)?;
    file.sync_all()
}

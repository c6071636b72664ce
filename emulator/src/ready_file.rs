//! The file that tells scripts that the emulator listens, and how to reach it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use arr_emulator::Emulator;
use serde::Serialize;

use crate::files::{self, Readers};

#[derive(Serialize)]
struct Contents<'a> {
    url: &'a str,
    account_id: &'a str,
    account_key: &'a str,
    /// The URL again: a client takes a full URL in place of an account domain as the token service itself.
    account_domain: &'a str,
    ca_file: Option<&'a Path>,
}

/// A ready file that was written, and is removed when it is dropped.
pub(crate) struct ReadyFile {
    path: PathBuf,
    contents: Vec<u8>,
}

impl ReadyFile {
    /// Writes the file; only its owner may read it, for it holds the account's key.
    pub(crate) fn write(path: &Path, emulator: &Emulator, ca_file: Option<&Path>) -> io::Result<ReadyFile> {
        let account = emulator.account();
        let mut contents = serde_json::to_vec_pretty(&Contents {
            url: emulator.url(),
            account_id: account.id(),
            account_key: account.key(),
            account_domain: emulator.url(),
            ca_file,
        })?;
        contents.push(b'\n');
        files::write(path, &contents, Readers::Owner)?;
        let path = path.to_owned();
        Ok(ReadyFile { path, contents })
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        // Another emulator may have put its own file in this place, which is not ours to remove.
        if fs::read(&self.path).is_ok_and(|found| found == self.contents) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes what an emulator left that was killed: it would tell a script that this one is ready.
pub(crate) fn remove_stale(path: &Path) -> io::Result<()> {
    files::remove_if_there(path)
}

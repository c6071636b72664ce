//! The file that tells scripts that the emulator listens, and how to reach it.

use std::fs;
use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use arr_emulator::Emulator;
use serde::Serialize;
use serde_json::Value;

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

/// Refuses a path at which something else than a ready file is, and removes what an emulator left there that was killed: it
/// would tell a script that this one is ready. The file of one that still listens stays until this one listens too.
pub(crate) fn remove_stale(path: &Path) -> io::Result<()> {
    files::check_replaceable(path, |contents| url_of(contents).is_some())?;
    let listens = fs::read(path).ok().and_then(|contents| url_of(&contents)).is_some_and(|url| somebody_listens(&url));
    if listens { Ok(()) } else { files::remove_if_there(path) }
}

/// The URL in a ready file; `None` if it is none.
fn url_of(contents: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(contents).ok()?;
    value.get("account_domain")?;
    Some(value.get("url")?.as_str()?.to_owned())
}

fn somebody_listens(url: &str) -> bool {
    let address = url.rsplit('/').next().and_then(|address| address.parse().ok());
    address.is_some_and(|address| TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok())
}

//! The ready file: it appears once the emulator listens, and contains the connection details for scripts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use arr_service::Emulator;
use serde::{Deserialize, Serialize};

use crate::atomic_file::{self, Readers};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    url: String,
    account_id: String,
    account_key: String,
    /// The URL again: a client accepts a full URL in place of an account domain, and uses it as the token service.
    account_domain: String,
    ca_file: Option<PathBuf>,
}

/// A ready file. Removed when this is dropped.
pub(crate) struct ReadyFile {
    path: PathBuf,
    contents: Vec<u8>,
}

impl ReadyFile {
    /// Writes the file. Only its owner may read it, because it contains the account's key.
    pub(crate) fn write(path: &Path, emulator: &Emulator, ca_file: Option<&Path>) -> io::Result<ReadyFile> {
        let account = emulator.account();
        let mut contents = serde_json::to_vec_pretty(&Contents {
            url: emulator.url().to_owned(),
            account_id: account.id().to_owned(),
            account_key: account.key().to_owned(),
            account_domain: emulator.url().to_owned(),
            ca_file: ca_file.map(Path::to_owned),
        })?;
        contents.push(b'\n');
        atomic_file::write(path, &contents, Readers::Owner)?;
        let path = path.to_owned();
        Ok(ReadyFile { path, contents })
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        // Another emulator may have replaced it with its own file, which must stay.
        if fs::read(&self.path).is_ok_and(|found| found == self.contents) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether a file is a ready file: it has these members and no others. A file left by a killed emulator is replaced
/// only once this one listens, so a failed start removes nothing.
pub(crate) fn is_ours(contents: &[u8]) -> bool {
    serde_json::from_slice::<Contents>(contents).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::is_ours;

    #[test]
    fn a_file_with_exactly_these_members_is_ours() {
        let ours = json!({"url": "u", "account_id": "i", "account_key": "k", "account_domain": "d", "ca_file": null});
        assert!(is_ours(ours.to_string().as_bytes()));
        let with = |name: &str, value: Value| {
            let mut other = ours.clone();
            other[name] = value;
            other
        };
        let fewer = json!({"url": "u", "account_domain": "d"});
        for other in [fewer, with("notes", json!("mine")), with("url", json!(1)), json!([ours]), json!("")] {
            assert!(!is_ours(other.to_string().as_bytes()), "{other}");
        }
    }
}

//! Folders for tests.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

/// A folder that is removed when its test ends.
pub(crate) struct Folder(PathBuf);

/// An empty folder for one test; `name` must be unique.
pub(crate) fn folder(name: &str) -> Folder {
    let name = format!("{name}-{}", std::process::id());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder for the test");
    Folder(folder)
}

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A failed test's files help to find the reason.
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

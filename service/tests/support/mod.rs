//! What the tests with other programs share.

mod run;

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

pub(crate) use run::run;

/// A folder that is removed when its test is over.
pub(crate) struct Folder(PathBuf);

/// An empty folder for one test; `name` is the test's own.
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
        // What a failed test has made is of use to who looks for the reason.
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

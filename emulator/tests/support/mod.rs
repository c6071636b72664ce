//! What the tests with other programs share.

mod run;

use std::fs;
use std::path::PathBuf;

pub(crate) use run::run;

/// An empty folder for one test; `name` is the test's own.
pub(crate) fn folder(name: &str) -> PathBuf {
    let name = format!("{name}-{}", std::process::id());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder for the test");
    folder
}

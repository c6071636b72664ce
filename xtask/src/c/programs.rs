//! The C test programs.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

pub(crate) const TESTS: &str = "tests/c";

/// The limit for one run of one program.
pub(crate) const RUN_LIMIT: Duration = Duration::from_secs(120);

pub(crate) const VALGRIND: &[&str] = &[
    "--quiet",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite",
    "--show-leak-kinds=definite",
    "--error-exitcode=9",
    "--num-callers=30",
];

/// For HTTPS only: valgrind wrongly reports the authentication tags of AES-GCM as undefined (`tests/c/CMakeLists.txt`).
pub(crate) const UNDEFINED_VALUES_ALLOWED: &str = "--undef-value-errors=no";

/// For programs with a frame loop, where the machine's timing means nothing.
pub(crate) const SLOW_FRAMES: [(&str, &str); 3] =
    [("ARR_FRAMES", "200"), ("ARR_FRAME_PAUSE_MS", "1"), ("ARR_SLOW", "1")];

/// The C files of a folder, each a program, by their paths from the root. There is at least one.
pub(crate) fn list(root: &Path, folder: &str) -> Result<Vec<PathBuf>> {
    let mut programs = Vec::new();
    let entries = fs::read_dir(root.join(folder)).with_context(|| format!("cannot list {folder}"))?;
    for entry in entries {
        let path = Path::new(folder).join(entry?.file_name());
        if path.extension() == Some(OsStr::new("c")) {
            programs.push(path);
        }
    }
    ensure!(!programs.is_empty(), "there is no .c file in {folder}");
    programs.sort();
    Ok(programs)
}

/// A journal folder for one run: programs run in parallel, and none may find another's journal.
pub(crate) fn new_journal(program: &Path) -> PathBuf {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let mut name = program.as_os_str().to_owned();
    name.push(format!("-{run}.journal"));
    drop(fs::remove_dir_all(&name));
    name.into()
}

//! The C test programs, and how they run.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

pub(crate) const TESTS: &str = "tests/c";

/// For one run of one program.
pub(crate) const RUN_LIMIT: Duration = Duration::from_secs(120);

pub(crate) const VALGRIND: &[&str] = &[
    "--quiet",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite",
    "--show-leak-kinds=definite",
    "--error-exitcode=9",
    "--num-callers=30",
];

/// For HTTPS only. Valgrind reports the authentication tags of AES-GCM as undefined, which is a known mistake: see
/// `tests/c/CMakeLists.txt`.
pub(crate) const UNDEFINED_VALUES_ALLOWED: &str = "--undef-value-errors=no";

/// For programs with a frame loop, on a machine whose time means nothing.
pub(crate) const SLOW_FRAMES: [(&str, &str); 3] =
    [("ARR_FRAMES", "200"), ("ARR_FRAME_PAUSE_MS", "1"), ("ARR_SLOW", "1")];

/// The C files of a folder, each of which is a program, by their paths from the root. There is at least one.
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

/// A journal for one run: programs run side by side, and none may find what another has left.
pub(crate) fn new_journal(program: &Path) -> PathBuf {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let mut name = program.as_os_str().to_owned();
    name.push(format!("-{run}.journal"));
    // An earlier test may have left one.
    drop(fs::remove_file(&name));
    name.into()
}

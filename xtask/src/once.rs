//! Work that is repeated only when its inputs have changed.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// A hash of these files and of the xtask binary, which contains the compiler options.
pub(crate) fn fingerprint(files: impl IntoIterator<Item = PathBuf>) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    fs::metadata(env::current_exe()?)?.modified()?.hash(&mut hasher);
    for file in files {
        let content = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        (file, content).hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Runs `make`, unless `marker` records that it has already succeeded for the same inputs.
pub(crate) fn once(marker: &Path, made_for: &str, make: impl FnOnce() -> Result<()>) -> Result<()> {
    if fs::read_to_string(marker).is_ok_and(|found| found == made_for) {
        return Ok(());
    }
    // Written last, so that a failed or interrupted run leaves none.
    fs::remove_file(marker).ok();
    make()?;
    fs::write(marker, made_for).with_context(|| format!("cannot write {}", marker.display()))
}

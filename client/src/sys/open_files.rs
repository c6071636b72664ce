//! Which files this process has open.

use std::path::Path;

/// The files that this process has open. Empty except on Linux and Android, where the system reports them.
#[derive(Debug, Default)]
pub(crate) struct OpenFiles {
    /// By device and number.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    files: std::collections::HashSet<(u64, u64)>,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl OpenFiles {
    pub(crate) fn now() -> OpenFiles {
        let open = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
        OpenFiles { files: open.filter_map(|entry| identity(&entry.path())).collect() }
    }

    pub(crate) fn include(&self, path: &Path) -> bool {
        identity(path).is_some_and(|file| self.files.contains(&file))
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    Some((found.dev(), found.ino()))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl OpenFiles {
    pub(crate) fn now() -> OpenFiles {
        OpenFiles::default()
    }

    pub(crate) fn include(&self, _: &Path) -> bool {
        false
    }
}

//! What goes into an archive: the files below a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::workspace::replace;

/// A folder that is to become an archive.
pub(super) struct Tree {
    pub(super) folder: PathBuf,
}

pub(super) enum Entry {
    File { source: PathBuf, program: bool },
    Link { target: PathBuf },
}

impl Tree {
    /// An empty one.
    pub(super) fn new(folder: PathBuf) -> Result<Self> {
        replace(&folder)?;
        Ok(Self { folder })
    }

    /// Puts a file there, below folders that are made if need be.
    pub(super) fn add(&self, path: &str, source: &Path) -> Result<()> {
        let target = self.place(path)?;
        fs::copy(source, &target).with_context(|| format!("cannot copy {} to {path}", source.display()))?;
        Ok(())
    }

    /// Writes a file there.
    pub(super) fn write(&self, path: &str, text: &str) -> Result<()> {
        fs::write(self.place(path)?, text).with_context(|| format!("cannot write {path}"))
    }

    fn place(&self, path: &str) -> Result<PathBuf> {
        let target = self.folder.join(path);
        let folder = target.parent().context("a file is in a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(target)
    }

    /// Everything in it, by its path with `/` between folders.
    pub(super) fn entries(&self) -> Result<BTreeMap<String, Entry>> {
        let mut entries = BTreeMap::new();
        self.collect("", &mut entries)?;
        Ok(entries)
    }

    fn collect(&self, below: &str, entries: &mut BTreeMap<String, Entry>) -> Result<()> {
        let folder = self.folder.join(below);
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let path = if below.is_empty() { name } else { format!("{below}/{name}") };
            let source = self.folder.join(&path);
            let kind = fs::symlink_metadata(&source)?.file_type();
            if kind.is_symlink() {
                entries.insert(path, Entry::Link { target: fs::read_link(&source)? });
            } else if kind.is_dir() {
                self.collect(&path, entries)?;
            } else {
                let program = is_program(&path);
                entries.insert(path, Entry::File { source, program });
            }
        }
        Ok(())
    }
}

/// Shared libraries are marked as programs, as linkers do it; whatever mode a file has here is an accident.
fn is_program(path: &str) -> bool {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    // A version may follow: libarr_session.so.1.
    let name = name.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    name.ends_with(".dll") || name.ends_with(".so")
}

#[cfg(test)]
mod tests {
    use super::is_program;

    #[test]
    fn shared_libraries_are_programs_and_what_is_told_about_them_is_not() {
        for path in ["bin/arr_session.dll", "lib/libarr_session.so", "lib/libarr_session.so.1", "so.2/x.so"] {
            assert!(is_program(path), "{path}");
        }
        for path in
            ["x.so.meta", "lib/arr_session.dll.lib", "lib/libarr_session.dll.a", "lib.so/README.md", "x.so.1.md"]
        {
            assert!(!is_program(path), "{path}");
        }
    }
}

//! Archives whose bytes depend on nothing but what is in them: sorted, with one time, one owner, two modes.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use zip::write::SimpleFileOptions;

use super::tree::{Entry, Tree};

/// For all files: 2020-01-01, a time that every format can tell.
const MODIFIED: u64 = 1_577_836_800;
const FILE: u32 = 0o644;
const PROGRAM: u32 = 0o755;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    TarGz,
    Zip,
}

impl Kind {
    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::TarGz => "tar.gz",
            Self::Zip => "zip",
        }
    }

    /// Writes `tree` below one folder named `root`.
    pub(super) fn write(self, tree: &Tree, root: &str, file: &Path) -> Result<()> {
        match self {
            Self::TarGz => tar_gz(tree, root, file),
            Self::Zip => zip(tree, root, file),
        }
    }

    /// What somebody else finds in it: the paths below that folder.
    pub(super) fn list(self, root: &str, file: &Path) -> Result<Vec<String>> {
        let archive = open(file)?;
        let paths: Vec<PathBuf> = match self {
            Self::TarGz => tar::Archive::new(GzDecoder::new(archive))
                .entries()?
                .map(|entry| Ok(entry?.path()?.into_owned()))
                .collect::<Result<_>>()?,
            Self::Zip => {
                let archive = zip::ZipArchive::new(archive)?;
                let paths =
                    archive.file_names().map(|name| Ok(PathBuf::from(name?.into_owned()))).collect::<Result<_>>();
                paths?
            }
        };
        let below = |path: PathBuf| -> Result<String> {
            let below = path.strip_prefix(root).with_context(|| format!("{} is not in {root}", path.display()))?;
            Ok(below.to_string_lossy().into_owned())
        };
        let mut paths = paths.into_iter().map(below).collect::<Result<Vec<_>>>()?;
        paths.sort();
        Ok(paths)
    }

    pub(super) fn unpack(self, file: &Path, folder: &Path) -> Result<()> {
        let archive = open(file)?;
        match self {
            Self::TarGz => tar::Archive::new(GzDecoder::new(archive)).unpack(folder)?,
            Self::Zip => zip::ZipArchive::new(archive)?.extract(folder)?,
        }
        Ok(())
    }
}

fn open(file: &Path) -> Result<File> {
    File::open(file).with_context(|| format!("there is no {}", file.display()))
}

fn tar_gz(tree: &Tree, root: &str, file: &Path) -> Result<()> {
    let writer = BufWriter::new(File::create(file).with_context(|| format!("cannot write {}", file.display()))?);
    let gzip = GzBuilder::new().mtime(0).write(writer, Compression::best());
    let mut tar = tar::Builder::new(gzip);
    for (path, entry) in tree.entries()? {
        let mut header = tar::Header::new_gnu();
        header.set_mtime(MODIFIED);
        header.set_uid(0);
        header.set_gid(0);
        let name = format!("{root}/{path}");
        match entry {
            Entry::File { source, program } => {
                let content = fs::read(&source).with_context(|| format!("cannot read {}", source.display()))?;
                header.set_mode(if program { PROGRAM } else { FILE });
                header.set_size(content.len() as u64);
                tar.append_data(&mut header, name, &*content)?;
            }
            Entry::Link { target } => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_mode(0o777);
                header.set_size(0);
                tar.append_link(&mut header, name, target)?;
            }
        }
    }
    tar.into_inner()?.finish()?.flush()?;
    Ok(())
}

/// It has no links.
fn zip(tree: &Tree, root: &str, file: &Path) -> Result<()> {
    let writer = BufWriter::new(File::create(file).with_context(|| format!("cannot write {}", file.display()))?);
    let mut zip = zip::ZipWriter::new(writer);
    for (path, entry) in tree.entries()? {
        let Entry::File { source, program } = entry else {
            anyhow::bail!("{path} is a link, which a zip file cannot have");
        };
        let content = fs::read(&source).with_context(|| format!("cannot read {}", source.display()))?;
        // Without a time of its own it has the format's first: 1980-01-01.
        let options = SimpleFileOptions::default()
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(if program { PROGRAM } else { FILE });
        zip.start_file(format!("{root}/{path}"), options)?;
        zip.write_all(&content)?;
    }
    zip.finish()?.flush()?;
    Ok(())
}

//! Archives whose bytes depend on nothing but what is in them: sorted, with one time, one owner, two modes.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use flate2::{Compression, GzBuilder};
use zip::write::SimpleFileOptions;

use super::tree::{Entry, Tree};

/// For all files: 2020-01-01, a time that every format can tell.
const MODIFIED: u64 = 1_577_836_800;
const FILE: u32 = 0o644;
const PROGRAM: u32 = 0o755;

/// Writes `tree` below one folder named `root`, as a `.tar.gz`.
pub(super) fn tar_gz(tree: &Tree, root: &str, file: &Path) -> Result<()> {
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

/// The same as a `.zip`. It has no links.
pub(super) fn zip(tree: &Tree, root: &str, file: &Path) -> Result<()> {
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

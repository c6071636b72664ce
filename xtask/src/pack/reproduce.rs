//! `cargo xtask pack --reproduce`: the same sources give the same bytes, wherever they lie and whenever they are compiled.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};

use super::{checksums, make_all};
use crate::abi;
use crate::platforms::shop::Shop;
use crate::workspace::Workspace;

/// Makes all packages from a copy of the sources in another folder, with nothing that was compiled before, and compares.
pub(super) fn again(shop: &Shop, first: &str) -> Result<String> {
    let begun = Instant::now();
    let folder = Temporary::new()?;
    println!("the same once more, from a copy of the sources in {}", folder.0.display());
    copy_sources(&shop.workspace.root, &folder.0)?;
    // Somebody's own target folder would be that of the first.
    let workspace = Workspace { target: folder.0.join("target"), ..Workspace::at(&folder.0)? };
    let shop = Shop::without_emulator(workspace)?;
    let out = shop.workspace.scratch("pack")?;
    let second = checksums(&make_all(&shop, &out)?)?;
    let different = different(first, &second);
    if !different.is_empty() {
        // To be looked at.
        let folder = folder.keep();
        bail!("the same sources gave other bytes in {}:\n  {}", folder.display(), different.join("\n  "));
    }
    let (count, seconds) = (first.lines().count(), begun.elapsed().as_secs_f64());
    Ok(format!("reproducible: {count} packages have the same bytes when they are made elsewhere, {seconds:.0} s"))
}

/// The names of the packages whose checksums are not the same.
fn different<'a>(first: &'a str, second: &'a str) -> Vec<&'a str> {
    let only_in = |one: &'a str, other: &'a str| {
        one.lines().filter(move |line| !other.lines().any(|there| there == *line)).filter_map(|line| {
            let (_, name) = line.split_once("  ")?;
            Some(name)
        })
    };
    let mut names: Vec<&str> = only_in(first, second).chain(only_in(second, first)).collect();
    names.sort();
    names.dedup();
    names
}

/// What git knows, and what it would be told of: neither what was built nor what is nobody's business.
fn copy_sources(root: &Path, folder: &Path) -> Result<()> {
    let listed = abi::git(root, &["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .context("only of a checkout of git's is known what its sources are")?;
    let mut copied = 0;
    for path in listed.split('\0').filter(|path| !path.is_empty()) {
        let (source, target) = (root.join(path), folder.join(path));
        // Removed, and git has not been told.
        if !source.exists() {
            continue;
        }
        fs::create_dir_all(target.parent().unwrap_or(folder))?;
        fs::copy(&source, &target).with_context(|| format!("cannot copy {path}"))?;
        copied += 1;
    }
    ensure!(copied > 0, "git knows no sources in {}", root.display());
    Ok(())
}

/// A folder that goes when it is no longer needed.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Result<Self> {
        let folder = env::temp_dir().join(format!("arr-session-again-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }

    fn keep(self) -> PathBuf {
        let folder = self.0.clone();
        std::mem::forget(self);
        folder
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What is left lies among the temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_with_other_bytes_are_named() {
        let first = "12  a.zip\n34  b.tar.gz\n";
        assert_eq!(different(first, first), [""; 0]);
        assert_eq!(different(first, "12  a.zip\n35  b.tar.gz\n"), ["b.tar.gz"]);
        assert_eq!(different(first, "12  a.zip\n"), ["b.tar.gz"]);
        assert_eq!(different(first, &format!("{first}56  c.tgz\n")), ["c.tgz"]);
    }
}

//! `cargo xtask pack`: what is handed out. An archive for each platform, the Unity package, and their checksums; and then a
//! stranger's test of each: unpacked into an empty folder, with nothing else of ours at hand.

mod archive;
mod contents;
mod proof;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

use crate::packages;
use crate::platforms::product::{MADE, Made};
use crate::platforms::shop::Shop;
use crate::step;
use crate::unity;
use contents::Kind;
use tree::Tree;

/// The list of files of every package: what is handed out changes on purpose, or not at all.
pub(crate) const SNAPSHOT: &str = "xtask/pack/files.txt";
const CHECKSUMS: &str = "SHA256SUMS";

pub(crate) enum Mode {
    /// Fails if the packages have other files than the snapshot says.
    Check,
    /// Writes the snapshot anew.
    Update,
}

pub(crate) fn run(mode: Mode) -> Result<ExitCode> {
    let started = Instant::now();
    if let Some(reason) = unavailable()? {
        return Ok(step::skip_all(&reason));
    }
    let shop = Shop::open()?;
    let out = shop.workspace.scratch("pack")?;
    let mut packages = Vec::new();
    for made in MADE {
        let begun = Instant::now();
        let package = pack(&shop, made, &out)?;
        println!("{}, {:.0} s", package.words()?, begun.elapsed().as_secs_f64());
        packages.push(package);
    }
    let unity = pack_unity(&shop, &packages, &out)?;
    println!("{}", unity.words()?);
    packages.push(unity);
    check_snapshot(&shop, &packages, mode)?;
    write_checksums(&packages, &out)?;
    for line in proof::all(&shop, &packages)? {
        println!("  {line}");
    }
    shop.close()?;
    println!("{} packages in {}, {:.0} s in all", packages.len(), out.display(), started.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

/// A package that was made.
pub(crate) struct Package {
    /// The platform's name, or `unity`.
    pub(crate) name: &'static str,
    pub(crate) archive: PathBuf,
    /// The one folder that all of it is in.
    pub(crate) root: String,
    kind: Kind,
    /// What is in it.
    files: Vec<String>,
    /// The library, for the Unity package to have it too.
    shared: Option<PathBuf>,
}

impl Package {
    fn words(&self) -> Result<String> {
        let bytes = fs::metadata(&self.archive)?.len();
        let name = self.archive.file_name().unwrap_or_default().to_string_lossy();
        Ok(format!("{name}: {} files, {:.2} MB", self.files.len(), bytes as f64 / 1e6))
    }
}

fn pack(shop: &Shop, made: &Made, out: &Path) -> Result<Package> {
    let product = (made.build)(shop)?;
    let root = format!("arr-session-{}-{}", shop.workspace.version, made.platform);
    let tree = Tree::new(out.join("trees").join(&root))?;
    let kind = contents::fill(shop, made.platform, &product, &tree)?;
    let archive = out.join(format!("{root}.{}", kind.ending()));
    write_twice(&tree, &root, kind, &archive)?;
    Ok(Package { name: made.platform, archive, root, kind, files: tree.paths()?, shared: Some(product.library.shared) })
}

/// Unity's own kind of package: what npm has, with everything in a folder of that name.
fn pack_unity(shop: &Shop, packages: &[Package], out: &Path) -> Result<Package> {
    let folder = out.join("trees/unity");
    let binaries: Vec<(&str, &Path)> = packages
        .iter()
        .flat_map(|package| {
            let file = package.shared.as_deref();
            contents::unity_platforms(package.name).iter().filter_map(move |name| Some((*name, file?)))
        })
        .collect();
    unity::assemble(&shop.workspace, &folder, &binaries)?;
    let tree = Tree { folder };
    let archive = out.join(format!("{}-{}.tgz", unity::NAME, shop.workspace.version));
    write_twice(&tree, "package", Kind::TarGz, &archive)?;
    let root = "package".to_owned();
    Ok(Package { name: "unity", archive, root, kind: Kind::TarGz, files: tree.paths()?, shared: None })
}

/// The same input gives the same bytes.
fn write_twice(tree: &Tree, root: &str, kind: Kind, archive: &Path) -> Result<()> {
    let second = archive.with_extension("again");
    for file in [archive, &second] {
        match kind {
            Kind::TarGz => archive::tar_gz(tree, root, file)?,
            Kind::Zip => archive::zip(tree, root, file)?,
        }
    }
    let same = fs::read(archive)? == fs::read(&second)?;
    fs::remove_file(&second)?;
    ensure!(same, "{} has other bytes each time it is written", archive.display());
    Ok(())
}

fn check_snapshot(shop: &Shop, packages: &[Package], mode: Mode) -> Result<()> {
    let text = snapshot(packages, &shop.workspace.version);
    match mode {
        Mode::Update => fs::write(shop.workspace.root.join(SNAPSHOT), text).context("cannot write the snapshot")?,
        Mode::Check => {
            let differences = differences(&shop.workspace.read(SNAPSHOT)?, &text);
            if !differences.is_empty() {
                bail!(
                    "the packages do not have the files of {SNAPSHOT}:\n  {}\nIf that is meant, run `cargo xtask pack --update`",
                    differences.join("\n  ")
                );
            }
        }
    }
    Ok(())
}

/// One line a file, behind its package's name.
fn snapshot(packages: &[Package], version: &str) -> String {
    let mut text = String::from(
        "# The files of every package. `cargo xtask pack` compares; `cargo xtask pack --update` writes.\n",
    );
    for package in packages {
        for file in &package.files {
            text.push_str(&format!("{}: {}\n", package.name, file.replace(version, "VERSION")));
        }
    }
    text
}

pub(crate) fn differences(wanted: &str, there: &str) -> Vec<String> {
    let lines = |text: &str| text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
    let (wanted, there) = (lines(wanted), lines(there));
    let missing = wanted.iter().filter(|line| !there.contains(line)).map(|line| format!("missing: {line}"));
    let extra = there.iter().filter(|line| !wanted.contains(line)).map(|line| format!("not expected: {line}"));
    missing.chain(extra).collect()
}

/// As `sha256sum --check` reads it.
fn write_checksums(packages: &[Package], out: &Path) -> Result<()> {
    let mut text = String::new();
    for package in packages {
        let digest = Sha256::digest(fs::read(&package.archive)?);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let name = package.archive.file_name().context("a package is a file")?.to_string_lossy();
        text.push_str(&format!("{hex}  {name}\n"));
    }
    fs::write(out.join(CHECKSUMS), text).context("cannot write the checksums")
}

/// Why it cannot be run on this system, if so.
fn unavailable() -> Result<Option<String>> {
    let needed = [
        packages::FOR_PLATFORMS,
        packages::FOR_PACKAGES,
        packages::FOR_LINUX_ARM64,
        packages::FOR_WINDOWS_X64,
        packages::FOR_WINDOWS_ARM64,
    ]
    .concat();
    packages::why_no_cross_compilers(&needed, "The packages need")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_missing_and_one_that_is_new_are_told_apart() {
        let wanted = "# head\nlinux-x64: a\nlinux-x64: b\n";
        assert_eq!(differences(wanted, "# other head\nlinux-x64: a\nlinux-x64: b\n"), [""; 0]);
        assert_eq!(
            differences(wanted, "linux-x64: a\nlinux-x64: c\n"),
            ["missing: linux-x64: b", "not expected: linux-x64: c"]
        );
    }

    #[test]
    fn archives_of_the_same_are_the_same_and_of_others_are_not() {
        let folder = std::env::temp_dir().join(format!("arr-pack-{}", std::process::id()));
        let tree = Tree::new(folder.join("tree")).unwrap();
        tree.write("lib/libarr_session.so.1", "library").unwrap();
        tree.write("README.md", "text").unwrap();
        for kind in [Kind::TarGz, Kind::Zip] {
            let (archive, other) = (folder.join("first"), folder.join("other"));
            write_twice(&tree, "root", kind, &archive).unwrap();
            // Whatever the files' times and modes are.
            tree.write("README.md", "text").unwrap();
            write_twice(&tree, "root", kind, &other).unwrap();
            assert_eq!(fs::read(&archive).unwrap(), fs::read(&other).unwrap());
            tree.write("README.md", "texts").unwrap();
            write_twice(&tree, "root", kind, &other).unwrap();
            assert_ne!(fs::read(&archive).unwrap(), fs::read(&other).unwrap());
            tree.write("README.md", "text").unwrap();
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}

//! `cargo xtask pack`: what is handed out. An archive for each platform, the Unity package, and their checksums; and then a
//! stranger's test of each: unpacked into an empty folder, with nothing else of ours at hand.

mod archive;
mod contents;
mod named;
mod proof;
mod reproduce;
mod tree;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::notices::Parts;
use crate::platforms;
use crate::platforms::product::{MADE, Made, Product};
use crate::platforms::shop::Shop;
use crate::step;
use crate::unity;
use archive::Kind;
use tree::Tree;

/// The list of files of every package: what is handed out changes on purpose, or not at all.
const SNAPSHOT: &str = "xtask/pack/files.txt";
const CHECKSUMS: &str = "SHA256SUMS";

pub(crate) enum Mode {
    /// Fails if the packages have other files than the snapshot says.
    Check,
    /// Writes the snapshot anew.
    Update,
    /// Checks, and makes all of them a second time, in another folder: the bytes have to be the same.
    Reproduce,
}

pub(crate) fn run(mode: Mode) -> Result<ExitCode> {
    let started = Instant::now();
    if let Some(reason) = platforms::unavailable()? {
        return Ok(step::skip_all(&reason));
    }
    let shop = Shop::open()?;
    let out = shop.workspace.scratch("pack")?;
    // What it says is of all packages, or it is not there.
    let checksum_file = out.join(CHECKSUMS);
    fs::remove_file(&checksum_file).or_else(is_not_there).context("cannot remove the checksums of before")?;
    let packages = make_all(&shop, &out)?;
    check_snapshot(&shop, &packages, &mode)?;
    let checksums = checksums(&packages)?;
    fs::write(&checksum_file, &checksums).context("cannot write the checksums")?;
    for line in proof::all(&shop, &packages, &checksum_file)? {
        println!("  {line}");
    }
    if matches!(mode, Mode::Reproduce) {
        println!("{}", reproduce::again(&shop, &checksums)?);
    }
    shop.close()?;
    println!("{} packages in {}, {:.0} s in all", packages.len(), out.display(), started.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

fn is_not_there(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn make_all(shop: &Shop, out: &Path) -> Result<Vec<Package>> {
    let mut packages = Vec::new();
    for made in MADE {
        let begun = Instant::now();
        let package = pack(shop, made, out)?;
        println!("{}, {:.0} s", package.words()?, begun.elapsed().as_secs_f64());
        packages.push(package);
    }
    let unity = pack_unity(shop, &packages, out)?;
    println!("{}", unity.words()?);
    packages.push(unity);
    Ok(packages)
}

/// A package that was made.
pub(crate) struct Package {
    /// The platform's name, or `unity`.
    pub(crate) name: &'static str,
    pub(crate) archive: PathBuf,
    /// The one folder that all of it is in.
    pub(crate) root: String,
    kind: Kind,
    /// What is in it, as somebody finds it who has nothing but the archive.
    files: Vec<String>,
    /// For the Unity package, which has the libraries too.
    product: Option<Product>,
}

impl Package {
    fn words(&self) -> Result<String> {
        let bytes = fs::metadata(&self.archive)?.len();
        let name = self.archive.file_name().unwrap_or_default().to_string_lossy();
        Ok(format!("{name}: {} files, {:.2} MB", self.files.len(), bytes as f64 / 1e6))
    }
}

fn pack(shop: &Shop, made: &Made, out: &Path) -> Result<Package> {
    pack_product(shop, made.platform, (made.build)(shop)?, out, |_| Ok(()))
}

/// `touch` is called with the folder that becomes the archive.
fn pack_product(
    shop: &Shop,
    platform: &'static str,
    product: Product,
    out: &Path,
    touch: impl FnOnce(&Path) -> Result<()>,
) -> Result<Package> {
    let root = format!("arr-session-{}-{platform}", shop.workspace.version);
    let tree = Tree::new(out.join("trees").join(&root))?;
    let kind = contents::fill(shop, platform, &product, &tree)?;
    touch(&tree.folder)?;
    let archive = out.join(format!("{root}.{}", kind.ending()));
    kind.write(&tree, &root, &archive)?;
    let files = kind.list(&root, &archive)?;
    Ok(Package { name: platform, archive, root, kind, files, product: Some(product) })
}

/// What is said of a platform's package that is made of this product, and whose files somebody has touched.
pub(crate) fn problems_of(
    shop: &Shop,
    platform: &'static str,
    product: Product,
    out: &Path,
    touch: impl FnOnce(&Path) -> Result<()>,
) -> Result<Vec<String>> {
    let package = pack_product(shop, platform, product, out, touch)?;
    let wanted = shop.workspace.read(SNAPSHOT)?;
    let of_this: String = wanted
        .lines()
        .filter(|line| line.starts_with(&format!("{platform}: ")))
        .map(|line| format!("{line}\n"))
        .collect();
    let mut problems = named::judge(&out.join("trees").join(&package.root))?.problems;
    problems.extend(differences(&of_this, &snapshot(&[package], &shop.workspace.version)));
    Ok(problems)
}

/// Unity's own kind of package: what npm has, with everything in a folder of that name.
fn pack_unity(shop: &Shop, packages: &[Package], out: &Path) -> Result<Package> {
    let folder = out.join("trees/unity");
    let binaries: Vec<(&str, &Path, &Parts)> = packages
        .iter()
        .filter_map(|package| Some((package.name, package.product.as_ref()?)))
        .flat_map(|(platform, product)| {
            let binary = |name: &&'static str| (*name, &*product.library.shared, &product.parts);
            contents::unity_platforms(platform).iter().map(binary)
        })
        .collect();
    unity::assemble(&shop.workspace, &folder, &binaries)?;
    let tree = Tree { folder };
    let archive = out.join(format!("{}-{}.tgz", unity::NAME, shop.workspace.version));
    let (kind, root) = (Kind::TarGz, "package".to_owned());
    kind.write(&tree, &root, &archive)?;
    let files = kind.list(&root, &archive)?;
    Ok(Package { name: "unity", archive, root, kind, files, product: None })
}

fn check_snapshot(shop: &Shop, packages: &[Package], mode: &Mode) -> Result<()> {
    let text = snapshot(packages, &shop.workspace.version);
    match mode {
        Mode::Update => fs::write(shop.workspace.root.join(SNAPSHOT), text).context("cannot write the snapshot")?,
        Mode::Check | Mode::Reproduce => {
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

fn differences(wanted: &str, there: &str) -> Vec<String> {
    let lines = |text: &str| text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
    let (wanted, there) = (lines(wanted), lines(there));
    let missing = wanted.iter().filter(|line| !there.contains(line)).map(|line| format!("missing: {line}"));
    let extra = there.iter().filter(|line| !wanted.contains(line)).map(|line| format!("not expected: {line}"));
    missing.chain(extra).collect()
}

/// As `sha256sum --check` reads it.
fn checksums(packages: &[Package]) -> Result<String> {
    let mut text = String::new();
    for package in packages {
        let digest = Sha256::digest(fs::read(&package.archive)?);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let name = package.archive.file_name().context("a package is a file")?.to_string_lossy();
        text.push_str(&format!("{hex}  {name}\n"));
    }
    Ok(text)
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
        for kind in [Kind::TarGz, Kind::Zip] {
            let write = |name: &str, text: &str| {
                tree.write("README.md", text).unwrap();
                let archive = folder.join(name);
                kind.write(&tree, "root", &archive).unwrap();
                assert_eq!(kind.list("root", &archive).unwrap(), ["README.md", "lib/libarr_session.so.1"]);
                fs::read(archive).unwrap()
            };
            let first = write("first", "text");
            // Written anew, so that its time is another.
            assert!(first == write("second", "text"));
            assert!(first != write("third", "texts"));
            assert!(kind.list("elsewhere", &folder.join("first")).is_err());
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}

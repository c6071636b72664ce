//! Makes and tests the archives.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::archive::Kind;
use super::proof::{PackageTest, Service};
use super::{contents, debug};
use crate::notices::Parts;
use crate::parallel;
use crate::platforms::product::{Product, Sources};
use crate::platforms::{PLATFORMS, Platform, Reached};
use crate::process;
use crate::unity;

pub(super) const CHECKSUMS: &str = "SHA256SUMS";

pub(super) struct Made {
    pub(super) out: PathBuf,
    pub(super) archives: Vec<Archive>,
}

pub(super) struct Archive {
    /// The platform's name, followed by `-debug` for debug information, or `unity`.
    pub(super) name: String,
    /// Its name in the output folder.
    file: String,
    pub(super) files: Vec<String>,
}

impl Archive {
    fn list(name: String, kind: Kind, root: &str, file: &Path) -> Result<Self> {
        let files = kind.list(root, file)?;
        let file = file.file_name().context("a file has a name")?.to_string_lossy().into_owned();
        Ok(Self { name, file, files })
    }
}

/// Makes all archives, and tests each if there is a service. In parallel: one builds while another waits for sessions.
pub(super) fn make(sources: &Sources, service: Option<&Service>) -> Result<Made> {
    let out = sources.workspace.scratch("pack")?;
    // The file exists only if it has all packages.
    let checksums = out.join(CHECKSUMS);
    if checksums.exists() {
        fs::remove_file(&checksums).context("cannot remove the old checksums")?;
    }
    let is_packed = |platform: &&Platform| matches!(platform.reached, Reached::Packed { .. });
    let platforms: Vec<&Platform> = PLATFORMS.iter().filter(is_packed).collect();
    let packages = parallel::map(&platforms, |platform| {
        let begun = Instant::now();
        let package = Package::make(sources, platform, &out, service).with_context(|| platform.name)?;
        println!("{}: {}, {:.0} s", platform.name, package.proved, begun.elapsed().as_secs_f64());
        Ok(package)
    });
    let (packages, errors): (Vec<Result<Package>>, Vec<_>) = packages.into_iter().partition(Result::is_ok);
    let errors: Vec<String> = errors.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")).collect();
    ensure!(errors.is_empty(), "{}", errors.join("\n"));
    let packages: Vec<Package> = packages.into_iter().filter_map(Result::ok).collect();

    let unity = make_unity(sources, &packages, &out, service)?;
    let archives: Vec<Archive> = packages.into_iter().flat_map(|package| package.archives).chain([unity]).collect();
    let mut sums = Command::new("sha256sum");
    sums.current_dir(&out).args(archives.iter().map(|archive| &archive.file));
    fs::write(&checksums, process::stdout(&mut sums)?).context("cannot write the checksums")?;
    Ok(Made { out, archives })
}

/// The archives for a platform.
pub(super) struct Package {
    platform: &'static str,
    product: Product,
    archives: [Archive; 2],
    /// A summary of the tests.
    pub(super) proved: String,
}

impl Package {
    pub(super) fn make(sources: &Sources, platform: &Platform, out: &Path, service: Option<&Service>) -> Result<Self> {
        let Reached::Packed { build } = platform.reached else {
            anyhow::bail!("{} has no package", platform.name);
        };
        let begun = Instant::now();
        println!("{}: building …", platform.name);
        let product = build(sources)?;
        println!("{}: built, {:.0} s; packing and testing …", platform.name, begun.elapsed().as_secs_f64());
        let (root, kind) =
            (format!("arr-session-{}-{}", sources.workspace.version, platform.name), Kind::of(platform.name));
        let trees = out.join("trees");
        contents::fill(sources, platform.name, &product, &trees.join(&root))?;
        let archive = out.join(format!("{root}.{}", kind.ending()));
        kind.write(&trees, &root, &archive)?;
        let debug = debug::pack(platform.name, &product, &root, &trees, out)?;
        let proved = match service {
            Some(service) => {
                PackageTest::unpack(sources, platform.name, &archive, &root)?.prove(service, &product, &debug)?
            }
            None => "made".to_owned(),
        };
        let archives = [
            Archive::list(platform.name.to_owned(), kind, &root, &archive)?,
            Archive::list(format!("{}-debug", platform.name), kind, &format!("{root}-debug"), &debug)?,
        ];
        Ok(Self { platform: platform.name, product, archives, proved })
    }
}

/// The Unity package: in npm's format, with everything in the folder `package`.
fn make_unity(sources: &Sources, packages: &[Package], out: &Path, service: Option<&Service>) -> Result<Archive> {
    let (parent, root) = (out.join("trees/unity"), "package");
    let parts: Vec<Parts> =
        packages.iter().map(|package| Parts { programs: false, ..package.product.parts.clone() }).collect();
    let binaries: Vec<(&str, &Path, &Parts)> = packages
        .iter()
        .zip(&parts)
        .flat_map(|(package, parts)| {
            let library = &*package.product.library.shared;
            contents::unity_platforms(package.platform).iter().map(move |place| (*place, library, parts))
        })
        .collect();
    unity::assemble(&sources.workspace, &parent.join(root), &binaries)?;
    let archive = out.join(format!("{}-{}.tgz", unity::NAME, sources.workspace.version));
    Kind::TarGz.write(&parent, root, &archive)?;
    if service.is_some() {
        println!("unity: {}", PackageTest::unpack(sources, "unity", &archive, root)?.prove_unity()?);
    }
    Archive::list("unity".to_owned(), Kind::TarGz, root, &archive)
}

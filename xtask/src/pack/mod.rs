//! `cargo xtask pack`: what is handed out. An archive for each platform, one with its debug information, the Unity package, and
//! their checksums; and then a stranger's test of each: unpacked into an empty folder, with nothing else of ours at hand.
//! `cargo xtask platforms` does it for one platform, and what else can be done for those that are not handed out.

mod archive;
mod contents;
mod debug;
mod first_session;
mod proof;
mod reproduce;
mod runner;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::EXIT_UNUSABLE;
use crate::notices::Parts;
use crate::packages::{self, Chore};
use crate::parallel;
use crate::platforms::product::{Product, Sources};
use crate::platforms::{self, PLATFORMS, Platform, Reached};
use crate::process;
use crate::step;
use crate::unity;
use crate::workspace::Workspace;
use archive::Kind;
use proof::{Service, Stranger};

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
    if let Some(reason) = unavailable()? {
        return Ok(step::skip_all(&reason));
    }
    let sources = Sources::of(Workspace::find()?)?;
    let service = Service::start(&sources, "pack/emulator")?;
    let made = make(&sources, Some(&service))?;
    check_snapshot(&sources, &made, &mode)?;
    if matches!(mode, Mode::Reproduce) {
        println!("{}", reproduce::again(&sources, &made)?);
    }
    service.stop()?;
    let (count, folder) = (made.archives.len(), made.out.display());
    println!("{count} archives in {folder}, {:.0} s in all", started.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

/// `cargo xtask platforms`: all of them, or the one of this name.
pub(crate) fn platforms(name: Option<&str>) -> Result<ExitCode> {
    let started = Instant::now();
    let wanted: Vec<&Platform> = PLATFORMS.iter().filter(|one| name.is_none_or(|name| one.name == name)).collect();
    if wanted.is_empty() {
        let names: Vec<&str> = PLATFORMS.iter().map(|platform| platform.name).collect();
        eprintln!("error: there is no platform `{}`; there are {}", name.unwrap_or_default(), names.join(", "));
        return Ok(ExitCode::from(EXIT_UNUSABLE));
    }
    if let Some(reason) = unavailable()? {
        return Ok(step::skip_all(&reason));
    }
    let sources = Sources::of(Workspace::find()?)?;
    let service = Service::start(&sources, "platforms/emulator")?;
    let out = sources.workspace.scratch("pack")?;
    let problems = parallel::work_off(&wanted, |platform| {
        let begun = Instant::now();
        let proved = one_platform(&sources, &service, platform, &out).with_context(|| platform.name)?;
        println!("{}: {proved}; {:.0} s", platform.name, begun.elapsed().as_secs_f64());
        Ok(())
    });
    service.stop()?;
    println!("{:.0} s in all", started.elapsed().as_secs_f64());
    println!("{} of {} platforms are as they should be", wanted.len() - problems.len(), wanted.len());
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(ExitCode::SUCCESS)
}

fn one_platform(sources: &Sources, service: &Service, platform: &Platform, out: &Path) -> Result<String> {
    Ok(match platform.reached {
        Reached::Packed { .. } => Package::make(sources, platform, out, Some(service))?.proved,
        Reached::Linked { build } => {
            let library = build(sources)?;
            format!("linked with stand-ins, {} bytes; exports and imports as abi/ says", fs::metadata(library)?.len())
        }
        Reached::TypeChecked { triple } => {
            platforms::check(sources, platform.name, triple)?;
            "type-checked".to_owned()
        }
    })
}

fn packed() -> impl Iterator<Item = &'static Platform> {
    PLATFORMS.iter().filter(|platform| matches!(platform.reached, Reached::Packed { .. }))
}

/// All that is handed out.
struct Made {
    out: PathBuf,
    archives: Vec<Archive>,
}

struct Archive {
    /// The platform's name, with `-debug` behind it for debug information, or `unity`.
    name: String,
    /// In the folder of all of them.
    file: String,
    /// What is in it.
    files: Vec<String>,
}

impl Archive {
    fn list(name: String, kind: Kind, root: &str, file: &Path) -> Result<Self> {
        let files = kind.list(root, file)?;
        let file = file.file_name().context("a file has a name")?.to_string_lossy().into_owned();
        Ok(Self { name, file, files })
    }
}

/// Makes all of it, and proves each if there is a service to do it with. What one platform is built by, another one waits for:
/// two at a time.
fn make(sources: &Sources, service: Option<&Service>) -> Result<Made> {
    let out = sources.workspace.scratch("pack")?;
    // What it says is of all packages, or it is not there.
    let checksums = out.join(CHECKSUMS);
    if checksums.exists() {
        fs::remove_file(&checksums).context("cannot remove the checksums of before")?;
    }
    let platforms: Vec<&Platform> = packed().collect();
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

/// What is handed out for a platform.
struct Package {
    platform: &'static str,
    product: Product,
    archives: [Archive; 2],
    /// In words.
    proved: String,
}

impl Package {
    fn make(sources: &Sources, platform: &Platform, out: &Path, service: Option<&Service>) -> Result<Self> {
        let Reached::Packed { build, runs } = platform.reached else {
            anyhow::bail!("{} is not handed out", platform.name);
        };
        let begun = Instant::now();
        println!("{}: building …", platform.name);
        let product = build(sources)?;
        println!("{}: built, {:.0} s; packing and proving …", platform.name, begun.elapsed().as_secs_f64());
        let (root, kind) =
            (format!("arr-session-{}-{}", sources.workspace.version, platform.name), Kind::of(platform.name));
        let trees = out.join("trees");
        contents::fill(sources, platform.name, runs, &product, &trees.join(&root))?;
        let archive = out.join(format!("{root}.{}", kind.ending()));
        kind.write(&trees, &root, &archive)?;
        let debug = debug::pack(platform.name, &product, &root, &trees, out)?;
        let proved = match service {
            Some(service) => {
                Stranger::unpack(sources, platform.name, &archive, &root)?.prove(service, &product.tools, &debug)?
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

/// Unity's own kind of package: what npm has, with everything in a folder of that name.
fn make_unity(sources: &Sources, packages: &[Package], out: &Path, service: Option<&Service>) -> Result<Archive> {
    let (parent, root) = (out.join("trees/unity"), "package");
    // The emulator is not in it.
    let parts = packages.iter().map(|package| Parts { emulator: false, ..package.product.parts.clone() });
    let parts: Vec<Parts> = parts.collect();
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
        println!("unity: {}", Stranger::unpack(sources, "unity", &archive, root)?.prove_unity()?);
    }
    Archive::list("unity".to_owned(), Kind::TarGz, root, &archive)
}

fn check_snapshot(sources: &Sources, made: &Made, mode: &Mode) -> Result<()> {
    let text = snapshot(made, &sources.workspace.version);
    if matches!(mode, Mode::Update) {
        return fs::write(sources.workspace.root.join(SNAPSHOT), text).context("cannot write the snapshot");
    }
    let differences = differences(&sources.workspace.read(SNAPSHOT)?, &text);
    ensure!(
        differences.is_empty(),
        "the packages do not have the files of {SNAPSHOT}:\n  {}\nIf that is meant, run `cargo xtask pack --update`",
        differences.join("\n  ")
    );
    Ok(())
}

/// One line a file, behind its package's name.
fn snapshot(made: &Made, version: &str) -> String {
    let mut text = String::from(
        "# The files of every package. `cargo xtask pack` compares; `cargo xtask pack --update` writes.\n",
    );
    for archive in &made.archives {
        for file in &archive.files {
            text.push_str(&format!("{}: {}\n", archive.name, file.replace(version, "VERSION")));
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

/// Why it cannot be run on this system, if so.
fn unavailable() -> Result<Option<String>> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Some("it takes Debian's cross compilers, as on Linux on x86_64".to_owned()));
    }
    packages::provide(Chore::Platforms)
}

#[test]
fn a_file_that_is_missing_and_one_that_is_new_are_told_apart() {
    let wanted = "# head\nlinux-x64: a\nlinux-x64: b\n";
    assert_eq!(differences(wanted, "# other head\nlinux-x64: a\nlinux-x64: b\n"), [""; 0]);
    let told = differences(wanted, "linux-x64: a\nlinux-x64: c\n");
    assert_eq!(told, ["missing: linux-x64: b", "not expected: linux-x64: c"]);
}

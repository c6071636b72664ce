//! `cargo xtask pack`: makes the release archives: for each platform one, and one with its debug information; the Unity package;
//! and their checksums. Each is tested as a user would: unpacked into an empty folder, without the checkout. `cargo xtask
//! platforms` does it for one platform, and builds or checks the platforms without a package.

mod archive;
mod contents;
mod debug;
mod first_session;
mod make;
mod proof;
mod reproduce;
mod runner;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::packages::{self, Chore};
use crate::parallel;
use crate::platforms::product::Sources;
use crate::platforms::{self, PLATFORMS, Platform, Reached};
use crate::step::{self, EXIT_UNUSABLE};
use crate::workspace::Workspace;
use make::{Made, Package, make};
use proof::Service;

/// The list of files in every package, so that no file changes by accident.
const SNAPSHOT: &str = "xtask/pack/files.txt";

pub(crate) enum Mode {
    /// Fails if the packages have other files than the snapshot.
    Check,
    /// Rewrites the snapshot.
    Update,
    /// Checks, makes all packages again in another folder, and compares the bytes.
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
        eprintln!("error: unknown platform `{}`; use one of {}", name.unwrap_or_default(), names.join(", "));
        return Ok(ExitCode::from(EXIT_UNUSABLE));
    }
    if let Some(reason) = unavailable()? {
        return Ok(step::skip_all(&reason));
    }
    let sources = Sources::of(Workspace::find()?)?;
    let service = Service::start(&sources, "platforms/emulator")?;
    // Not in the folder of `pack`, whose checksums would then be wrong.
    let out = sources.workspace.scratch("platforms/packages")?;
    let problems = parallel::work_off(&wanted, |platform| {
        let begun = Instant::now();
        let proved = one_platform(&sources, &service, platform, &out).with_context(|| platform.name)?;
        println!("{}: {proved}; {:.0} s", platform.name, begun.elapsed().as_secs_f64());
        Ok(())
    });
    service.stop()?;
    println!("{:.0} s in all", started.elapsed().as_secs_f64());
    println!("{} of {} platforms passed", wanted.len() - problems.len(), wanted.len());
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(ExitCode::SUCCESS)
}

fn one_platform(sources: &Sources, service: &Service, platform: &Platform, out: &Path) -> Result<String> {
    Ok(match platform.reached {
        Reached::Packed { .. } => Package::make(sources, platform, out, Some(service))?.proved,
        Reached::Linked { build } => {
            let library = build(sources)?;
            format!("linked with stand-ins, {} bytes; exports and imports match abi/", fs::metadata(library)?.len())
        }
        Reached::TypeChecked { triple } => {
            platforms::check(sources, platform.name, triple)?;
            "type-checked".to_owned()
        }
    })
}

fn check_snapshot(sources: &Sources, made: &Made, mode: &Mode) -> Result<()> {
    let text = snapshot(made, &sources.workspace.version);
    if matches!(mode, Mode::Update) {
        return fs::write(sources.workspace.root.join(SNAPSHOT), text).context("cannot write the snapshot");
    }
    let differences = differences(&sources.workspace.read(SNAPSHOT)?, &text);
    ensure!(
        differences.is_empty(),
        "the packages do not have the files in {SNAPSHOT}:\n  {}\nIf this is intended, run `cargo xtask pack --update`",
        differences.join("\n  ")
    );
    Ok(())
}

/// One line per file, after its package's name.
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

/// Why it cannot run on this system, if so.
fn unavailable() -> Result<Option<String>> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Some("it needs Debian's cross compilers, on Linux on x86_64".to_owned()));
    }
    packages::provide(Chore::Platforms)
}

#[test]
fn missing_and_new_files_are_distinguished() {
    let wanted = "# head\nlinux-x64: a\nlinux-x64: b\n";
    assert_eq!(differences(wanted, "# other head\nlinux-x64: a\nlinux-x64: b\n"), [""; 0]);
    let found = differences(wanted, "linux-x64: a\nlinux-x64: c\n");
    assert_eq!(found, ["missing: linux-x64: b", "not expected: linux-x64: c"]);
}

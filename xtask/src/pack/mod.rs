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
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::packages::{self, Chore};
use crate::parallel;
use crate::platforms::product::Sources;
use crate::platforms::{self, PLATFORMS, Platform, Reached};
use crate::process::{self, TOOL_LIMIT};
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
    let wanted = sources.workspace.root.join(SNAPSHOT);
    if matches!(mode, Mode::Update) {
        return fs::write(wanted, text).context("cannot write the snapshot");
    }
    let there = made.out.join("files.txt");
    fs::write(&there, text).context("cannot write the list of files")?;
    let mut diff = Command::new("diff");
    diff.arg("-U0").args([&wanted, &there]);
    let advice = "the packages have other files; if this is intended, run `cargo xtask pack --update`";
    process::run(diff, TOOL_LIMIT)?.expect_success(advice).map(drop)
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

/// Why it cannot run on this system, if so.
fn unavailable() -> Result<Option<String>> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Some("it needs Debian's cross compilers, on Linux on x86_64".to_owned()));
    }
    packages::provide(Chore::Platforms)
}

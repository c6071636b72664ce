//! `cargo xtask pack`: what is handed out. An archive for each platform, one with its debug information, the Unity package, and
//! their checksums; and then a stranger's test of each: unpacked into an empty folder, with nothing else of ours at hand.
//! `cargo xtask platforms` does it for one platform, and what else can be done for those that are not handed out.

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

/// The list of files of every package: what is handed out changes on purpose, or not at all.
const SNAPSHOT: &str = "xtask/pack/files.txt";

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
    // Not among those of `pack`, whose checksums would be wrong then.
    let out = sources.workspace.scratch("platforms/packages")?;
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

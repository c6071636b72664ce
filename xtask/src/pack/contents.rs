//! The contents of a platform's package: the files that CMake installs, and more in the layout of the checkout.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::slice;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::archive::Kind;
use super::runner::Runner;
use crate::abi::git;
use crate::cpp::install::{self, define};
use crate::notices;
use crate::platforms::product::{Product, Sources};
use crate::process;
use crate::workspace::{Workspace, replace};

/// zig compiles its C library when it first needs it.
const CONFIGURE_LIMIT: Duration = Duration::from_secs(300);

/// The notices for the binaries.
pub(super) const NOTICES: &str = "share/doc/arr_session/THIRD-PARTY-NOTICES.md";

const README: &str = "xtask/pack/README.md.in";
/// Files and folders of the checkout that are in every package, at the same path.
const COPIED: &[&str] = &[
    "CHANGELOG.md",
    "bindings/csharp",
    "docs/cli-reference.md",
    "docs/cli.md",
    "docs/cpp.md",
    "docs/csharp.md",
    "docs/emulator.md",
    "docs/frame-loop.md",
    "docs/from-official-sdks.md",
    "docs/images",
    "docs/journal.md",
    "docs/platforms.md",
    "docs/service-2021-01-01.md",
    "docs/service.md",
    "docs/unity.md",
    "examples/c",
    "examples/cpp",
    "examples/csharp",
    "examples/emulator",
    "examples/python",
];

/// Where shells look for the completions of the command line, but PowerShell, which has no such folder.
const COMPLETIONS: &[(&str, &str)] = &[
    ("bash", "share/bash-completion/completions/arr"),
    ("fish", "share/fish/vendor_completions.d/arr.fish"),
    ("powershell", "share/powershell/arr.ps1"),
    ("zsh", "share/zsh/site-functions/_arr"),
];

/// The platforms of the Unity package that use a platform's library.
pub(super) fn unity_platforms(platform: &str) -> &'static [&'static str] {
    match platform {
        "linux-x64" => &["linux-x64"],
        "windows-x64" => &["win-x64"],
        // Until there is one by Microsoft's linker, UWP uses the same.
        "windows-arm64" => &["win-arm64", "uwp-arm64"],
        _ => &[],
    }
}

/// Assembles the package in `folder`.
pub(super) fn fill(sources: &Sources, platform: &str, product: &Product, folder: &Path) -> Result<()> {
    let workspace = &sources.workspace;
    let libraries = workspace.target.join("pack/libraries").join(platform);
    replace(&libraries)?;
    for (name, file) in &product.files {
        copy(file, &libraries.join(name))?;
    }
    if Kind::of(platform) == Kind::TarGz {
        process::link(Path::new(&sources.abi.soname()), &libraries.join("libarr_session.so"))?;
    }
    replace(folder)?;
    install(workspace, platform, product, &libraries, folder)?;
    if Kind::of(platform) == Kind::Zip {
        copy(&libraries.join("arr_session.def"), &folder.join("lib/arr_session.def"))?;
    }
    if let Some(runner) = Runner::of(platform, workspace)? {
        programs(product, &runner, folder)?;
    }
    // Only files in git, no build output.
    for path in git(&workspace.root, &[&["ls-files", "--"], COPIED].concat())?.lines() {
        copy(&workspace.root.join(path), &folder.join(path))?;
    }
    let page = notices::page(workspace, Some(slice::from_ref(&product.parts)))?;
    fs::write(folder.join(NOTICES), page).context("cannot write the notices")?;
    let readme = readme(&workspace.read(README)?, workspace, platform, !product.programs.is_empty());
    fs::write(folder.join("README.md"), readme).context("cannot write README.md")
}

/// The programs, and the completions and manual pages of the command line, which it writes itself.
fn programs(product: &Product, runner: &Runner, folder: &Path) -> Result<()> {
    let bin = folder.join("bin");
    for program in &product.programs {
        copy(program, &bin.join(program.file_name().context("a program has a name")?))?;
    }
    let arr = || runner.command(&bin.join(format!("arr{}", runner.suffix())));
    for (shell, file) in COMPLETIONS {
        let file = folder.join(file);
        fs::create_dir_all(file.parent().context("a file is in a folder")?).context("cannot make a folder")?;
        fs::write(&file, process::stdout(arr().args(["completions", shell]))?).context("cannot write completions")?;
    }
    process::stdout(arr().current_dir(folder).args(["man", "--folder", "share/man/man1"])).map(drop)
}

/// The page for this platform. Lines between `@IF KIND@` and `@END@`, each on its own line, are for that kind of platform only.
fn readme(template: &str, workspace: &Workspace, platform: &str, runs: bool) -> String {
    let kind = match Kind::of(platform) {
        Kind::TarGz => "linux",
        Kind::Zip if runs => "windows",
        Kind::Zip => "not run",
    };
    let (mut text, mut shown) = (String::new(), true);
    for line in template.lines() {
        if let Some(kinds) = line.strip_prefix("@IF ") {
            shown = kinds.trim_end_matches('@').split(", ").any(|one| one == kind);
        } else if line == "@END@" {
            shown = true;
        } else if shown {
            text.push_str(line);
            text.push('\n');
        }
    }
    text.replace("@PLATFORM@", platform).replace("@VERSION@", &workspace.version)
}

/// Creates the folder if necessary.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().context("a file is in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::copy(from, to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

/// Installs with the project's own CMake.
fn install(workspace: &Workspace, platform: &str, product: &Product, libraries: &Path, prefix: &Path) -> Result<()> {
    let build = workspace.target.join("pack/cmake").join(platform);
    replace(&build)?;
    let mut cmake = install::configure(workspace, install::PROJECT, &build)?;
    cmake.arg(define("ARR_SESSION_LIBRARY_DIR", libraries)).arg(define("CMAKE_INSTALL_LIBDIR", "lib"));
    cmake.args(product.tools.cmake());
    process::run(cmake, CONFIGURE_LIMIT)?.expect_success(&format!("configure the package for {platform}"))?;
    process::stdout(Command::new("cmake").arg("--install").arg(&build).arg("--prefix").arg(prefix)).map(drop)
}

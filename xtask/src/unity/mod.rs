//! The Unity package: assembled, checked, compiled and run without Unity.

mod asmdef;
mod check;
mod code;
mod manifest;
mod meta;
mod package;
mod plugins;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, ensure};

pub(crate) use check::problems;
pub(crate) use code::{check as check_code, references};
pub(crate) use manifest::NAME;
use package::{Assembled, Binary};
use plugins::Platform;

use crate::artifacts::{Library, Progress};
use crate::context::Context;
use crate::notices::Parts;
use crate::step::Report;
use crate::workspace::Workspace;

/// `cargo xtask unity`: the package with this machine's library, and with each `PLATFORM=FILE`.
pub(crate) fn run(what: &[&str]) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let mut folder = package::default_folder(&workspace);
    let mut binaries = Vec::new();
    for word in what {
        match word.split_once('=') {
            Some((platform, file)) => {
                let platform = Platform::named(platform)?;
                // Checked before this machine's library is built, which takes a while.
                platform.check_binary(Path::new(file))?;
                binaries.push(Binary { platform, file: file.into(), parts: None });
            }
            None => {
                ensure!(!word.starts_with('-'), "`unity` has no option `{word}`");
                folder = word.into();
            }
        }
    }
    let library = Library::build(&workspace, Progress::for_this_terminal())?;
    binaries.insert(0, Binary::of_this_machine(&workspace, &library)?);
    let Assembled { files, written, removed } = package::assemble(&workspace, &folder, &binaries)?;
    println!("{}: {files} files, {written} written, {removed} removed", folder.display());
    for Binary { platform, .. } in &binaries {
        println!("  {}, {}", platform.path(), platform.targets());
    }
    println!("In Unity: Window, Package Manager, +, Add package from disk, and choose its package.json.");
    Ok(ExitCode::SUCCESS)
}

/// Assembles the package in `folder`, with these binaries: each with the name of its platform and its parts.
pub(crate) fn assemble(workspace: &Workspace, folder: &Path, binaries: &[(&str, &Path, &Parts)]) -> Result<()> {
    let binary = |&(platform, file, parts): &(&str, &Path, &Parts)| -> Result<Binary> {
        Ok(Binary { platform: Platform::named(platform)?, file: file.to_owned(), parts: Some(parts.clone()) })
    };
    let binaries = binaries.iter().map(binary).collect::<Result<Vec<_>>>()?;
    package::assemble(workspace, folder, &binaries)?;
    Ok(())
}

/// Assembles the package and checks it.
pub(crate) fn check_package(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let folder = package::default_folder(workspace);
    let make = || {
        let binary = Binary::of_this_machine(workspace, context.library()?)?;
        package::assemble(workspace, &folder, &[binary])
    };
    let assembled = make()?;
    let problems = problems(&folder, &workspace.version)?;
    let again = make()?;
    ensure!(again.written + again.removed == 0, "assembling it again changed it");
    Report::unless(problems, format!("{} files, {} written", assembled.files, assembled.written))
}

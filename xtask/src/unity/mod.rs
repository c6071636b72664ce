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

/// `cargo xtask unity`: the package with this machine's library, and those that are given as `PLATFORM=FILE`.
pub(crate) fn run(what: &[&str]) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let mut folder = package::default_folder(&workspace);
    let mut binaries = Vec::new();
    for word in what {
        match word.split_once('=') {
            Some((platform, file)) => {
                let platform = Platform::named(platform)?;
                // Before the library of this machine is built, which takes its time.
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

/// Makes `folder` the package with these binaries, by the names of their platforms, and with what they were made of.
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
    ensure!(again.written + again.removed == 0, "assembled again, it was not left as it was");
    Report::unless(problems, format!("{} files, {} written", assembled.files, assembled.written))
}

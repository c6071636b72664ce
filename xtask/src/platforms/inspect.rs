//! `cargo xtask inspect`: one binary, wherever it was built, against what `abi/` says.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::EXIT_UNUSABLE;
use crate::abi::Abi;
use crate::binary::Binary;
use crate::exports;
use crate::workspace::Workspace;

/// What a binary is for, and what it may need there.
const SYSTEMS: &[(&str, &str)] = &[
    ("linux", "abi/imports-linux.txt"),
    ("windows", "abi/imports-windows.txt"),
    ("uwp", "abi/imports-uwp.txt"),
    ("android", "abi/imports-android.txt"),
];

pub(crate) fn run(system: &str, file: &str) -> Result<ExitCode> {
    let Some((_, allowed)) = SYSTEMS.iter().find(|(name, _)| *name == system) else {
        let names: Vec<&str> = SYSTEMS.iter().map(|(name, _)| *name).collect();
        eprintln!("error: there is no system `{system}`, only {}", names.join(", "));
        return Ok(ExitCode::from(EXIT_UNUSABLE));
    };
    let workspace = Workspace::find()?;
    let binary = Binary::read(Path::new(file))?;
    let mut problems = Abi::read(&workspace)?.differences("it", &binary.exports);
    problems.extend(exports::foreign_imports(&workspace, &binary, allowed)?);
    for problem in &problems {
        eprintln!("error: {file}: {problem}");
    }
    if problems.is_empty() {
        println!(
            "{file}: {:?}, {} exports and {} imported libraries, as abi/ says",
            binary.architecture,
            binary.exports.len(),
            binary.imports.len()
        );
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

//! One binary, wherever it was built, against what `abi/` says. `cargo xtask inspect` does it for a file.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::EXIT_UNUSABLE;
use crate::abi::Abi;
use crate::abi::binary::Binary;
use crate::abi::exports;
use crate::workspace::Workspace;

/// What a binary is for.
#[derive(Clone, Copy)]
pub(crate) enum System {
    Linux,
    Windows,
    Uwp,
    Android,
}

impl System {
    const ALL: [(&'static str, System); 4] =
        [("linux", System::Linux), ("windows", System::Windows), ("uwp", System::Uwp), ("android", System::Android)];

    /// The list of what it may need there.
    fn imports(self) -> &'static str {
        match self {
            System::Linux => "abi/imports-linux.txt",
            System::Windows => "abi/imports-windows.txt",
            System::Uwp => "abi/imports-uwp.txt",
            System::Android => "abi/imports-android.txt",
        }
    }
}

/// Where what it shows and what it needs are not as they must be.
pub(crate) fn problems(workspace: &Workspace, abi: &Abi, system: System, binary: &Binary) -> Result<Vec<String>> {
    let mut problems = abi.differences("the shared library", &binary.exports);
    problems.extend(exports::foreign_imports(workspace, binary, system.imports())?);
    Ok(problems)
}

pub(crate) fn run(system: &str, file: &str) -> Result<ExitCode> {
    let Some((_, system)) = System::ALL.iter().find(|(name, _)| *name == system) else {
        let names: Vec<&str> = System::ALL.iter().map(|(name, _)| *name).collect();
        eprintln!("error: there is no system `{system}`, only {}", names.join(", "));
        return Ok(ExitCode::from(EXIT_UNUSABLE));
    };
    let workspace = Workspace::find()?;
    let binary = Binary::read(Path::new(file))?;
    let problems = problems(&workspace, &Abi::read(&workspace)?, *system, &binary)?;
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

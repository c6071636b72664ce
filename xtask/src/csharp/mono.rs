//! Mono: its compiler, its JIT, and the way in which it runs code that was compiled ahead of time, all of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::once::once;
use crate::parallel;
use crate::process;
use crate::workspace::Workspace;

/// Where Debian has its assemblies.
const FRAMEWORK: &str = "/usr/lib/mono/4.5";

/// The assemblies that programs need when no code may be made while they run: each needs an image of its own. The
/// largest first, as they are made side by side.
const AHEAD_OF_TIME: [&str; 8] = [
    "mscorlib",
    "System.Xml",
    "System",
    "System.Core",
    "System.Security",
    "System.Configuration",
    "Mono.Security",
    "System.Numerics",
];

/// For one assembly; mscorlib takes half a minute where others are at work too.
const IMAGE_LIMIT: Duration = Duration::from_secs(5 * 60);

/// One of the framework's assemblies, by its name.
pub(crate) fn assembly(name: &str) -> PathBuf {
    Path::new(FRAMEWORK).join(format!("{name}.dll"))
}

/// What `mono --version` begins with.
pub(crate) fn version() -> Result<String> {
    let said = process::stdout(Command::new("mono").arg("--version"))?;
    Ok(said.lines().next().unwrap_or_default().to_owned())
}

/// Compiles with mcs, at the language level of the C# sources; warnings are errors.
pub(crate) fn mcs(sources: &[PathBuf], output: &Path, options: &[String]) -> Result<()> {
    let mut mcs = Command::new("mcs");
    mcs.args(["-langversion:7.2", "-warn:4", "-warnaserror+", "-debug"]).args(options);
    mcs.arg(format!("-out:{}", output.display())).args(sources);
    process::run(mcs, process::TOOL_LIMIT)?.expect_success(&format!("mcs, {}", output.display()))?;
    Ok(())
}

/// A call of a program that is compiled while it runs.
pub(crate) fn jit(program: &Path) -> Command {
    mono("mono", &["--debug"], program)
}

/// The same with the collector of Boehm and others.
pub(crate) fn jit_with_boehm(program: &Path) -> Command {
    mono("mono-boehm", &["--debug"], program)
}

fn mono(name: &str, options: &[&str], assembly: &Path) -> Command {
    let mut mono = Command::new(name);
    // The caller's own settings would change what is tested.
    for name in ["MONO_PATH", "MONO_ENV_OPTIONS", "MONO_GC_PARAMS", "MONO_THREADS_SUSPEND"] {
        mono.env_remove(name);
    }
    mono.args(options).arg(assembly);
    mono
}

/// The framework, compiled ahead of time.
pub(crate) struct FullAot {
    folder: PathBuf,
}

impl FullAot {
    /// That of an earlier run if it was made by the same Mono, and a new one otherwise, which takes half a minute.
    pub(crate) fn provide(workspace: &Workspace) -> Result<Self> {
        let framework = Self { folder: workspace.scratch("xtask/mono-full-aot")? };
        let made_for = format!("{}\n{}", version()?, AHEAD_OF_TIME.join(" "));
        once(&framework.folder.join("made-for.txt"), &made_for, || {
            let problems = parallel::work_off(&AHEAD_OF_TIME, |name| {
                let copy = framework.folder.join(format!("{name}.dll"));
                fs::copy(assembly(name), &copy).with_context(|| format!("cannot copy {name}"))?;
                framework.compile(&copy)
            });
            ensure!(problems.is_empty(), "{}", problems.join("\n"));
            Ok(())
        })?;
        Ok(framework)
    }

    /// Makes the image of one assembly, beside it.
    pub(crate) fn compile(&self, assembly: &Path) -> Result<()> {
        process::run(self.mono(&["--aot=full"], assembly), IMAGE_LIMIT)?
            .expect_success(&format!("cannot compile {} ahead of time", assembly.display()))?;
        Ok(())
    }

    /// A call of a program whose assemblies have all been compiled: no code is made while it runs, or it fails.
    pub(crate) fn command(&self, program: &Path) -> Command {
        self.mono(&["--debug", "--full-aot"], program)
    }

    /// Images name the assemblies that they were made with: those in the folder are the ones to be found again.
    fn mono(&self, options: &[&str], assembly: &Path) -> Command {
        let mut mono = mono("mono", options, assembly);
        mono.env("MONO_PATH", &self.folder);
        mono
    }
}

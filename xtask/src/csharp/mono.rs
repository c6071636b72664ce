//! Mono: its compiler, its JIT, and full ahead-of-time compilation.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::once::once;
use crate::parallel;
use crate::process;
use crate::workspace::Workspace;

/// The folder of Debian's assemblies.
const FRAMEWORK: &str = "/usr/lib/mono/4.5";

/// The assemblies that programs without a JIT need, each as an image. The largest come first, because they are compiled in
/// parallel.
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

/// For one assembly. mscorlib takes half a minute on a busy machine.
const IMAGE_LIMIT: Duration = Duration::from_secs(5 * 60);

pub(crate) fn assembly(name: &str) -> PathBuf {
    Path::new(FRAMEWORK).join(format!("{name}.dll"))
}

/// The first line of `mono --version`.
pub(crate) fn version() -> Result<String> {
    let output = process::stdout(Command::new("mono").arg("--version"))?;
    Ok(output.lines().next().unwrap_or_default().to_owned())
}

/// Compiles with mcs, at the language version of the C# sources, with warnings as errors.
pub(crate) fn mcs(sources: &[PathBuf], output: &Path, options: &[String]) -> Result<()> {
    let mut mcs = Command::new("mcs");
    mcs.args(["-langversion:7.2", "-warn:4", "-warnaserror+", "-debug"]).args(options);
    process::stdout(mcs.arg(format!("-out:{}", output.display())).args(sources)).map(drop)
}

/// A call of a program with the JIT.
pub(crate) fn jit(program: &Path) -> Command {
    mono("mono", &["--debug"], program)
}

/// The same, with the Boehm collector.
pub(crate) fn jit_with_boehm(program: &Path) -> Command {
    mono("mono-boehm", &["--debug"], program)
}

fn mono(name: &str, options: &[&str], assembly: &Path) -> Command {
    let mut mono = Command::new(name);
    // Without the caller's settings.
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
    /// From an earlier run with the same Mono, otherwise new, which takes half a minute.
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

    /// Compiles an assembly to an image beside it.
    pub(crate) fn compile(&self, assembly: &Path) -> Result<()> {
        process::run(self.mono(&["--aot=full"], assembly), IMAGE_LIMIT)?
            .expect_success(&format!("cannot compile {} ahead of time", assembly.display()))?;
        Ok(())
    }

    /// A call of a program whose assemblies are all compiled. It fails if it needs the JIT.
    pub(crate) fn command(&self, program: &Path) -> Command {
        self.mono(&["--debug", "--full-aot"], program)
    }

    /// Images refer to the assemblies that they were compiled with, so Mono must find those in the folder.
    fn mono(&self, options: &[&str], assembly: &Path) -> Command {
        let mut mono = mono("mono", options, assembly);
        mono.env("MONO_PATH", &self.folder);
        mono
    }
}

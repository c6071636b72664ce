//! The C# sources: compiled by both compilers, and run on every available runtime.

pub(crate) mod documented;
pub(crate) mod dotnet;
pub(crate) mod mono;
pub(crate) mod suite;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::context::Context;
use crate::csharp::dotnet::{Compilation, Dotnet};
use crate::csharp::mono::FullAot;
use crate::once::{fingerprint, once};
use crate::parallel;
use crate::step::Report;
use crate::workspace::{Workspace, replace};

/// The sources for applications and for the Unity package.
pub(crate) const LIBRARY: &str = "bindings/csharp";
const TESTS: &str = "tests/csharp";
const QUICKSTART: &str = "examples/csharp/Quickstart.cs";

/// The C# of Unity 2019.4, which limits the sources, and of Unity 6.
const LANGUAGE_VERSIONS: [&str; 2] = ["7.3", "9"];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    MonoJit,
    /// With Unity's garbage collector, also used under IL2CPP: it runs finalizers in a different order.
    MonoBoehm,
    /// Without a JIT: the closest to Unity's IL2CPP.
    MonoFullAot,
    Dotnet,
}

impl Runtime {
    /// The ones that execute code differently.
    pub(crate) const ALL: [Runtime; 3] = [Runtime::MonoJit, Runtime::MonoFullAot, Runtime::Dotnet];

    /// The name in ARR_RUNTIME, for the tests.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Runtime::MonoJit => "mono-jit",
            Runtime::MonoBoehm => "mono-boehm",
            Runtime::MonoFullAot => "mono-full-aot",
            Runtime::Dotnet => "dotnet",
        }
    }
}

impl std::fmt::Display for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Runtime::MonoJit => "Mono with its JIT",
            Runtime::MonoBoehm => "Mono with Unity's collector",
            Runtime::MonoFullAot => "Mono fully ahead of time",
            Runtime::Dotnet => ".NET 8",
        })
    }
}

/// Mono and .NET 8, ready to run something.
pub(crate) struct Runtimes {
    full_aot: FullAot,
    dotnet: Dotnet,
}

impl Runtimes {
    pub(crate) fn provide(workspace: &Workspace) -> Result<Self> {
        Ok(Self { dotnet: Dotnet::provide(workspace)?, full_aot: FullAot::provide(workspace)? })
    }

    pub(crate) fn command(&self, runtime: Runtime, program: &Path) -> Result<Command> {
        match runtime {
            Runtime::MonoJit => Ok(mono::jit(program)),
            Runtime::MonoBoehm => Ok(mono::jit_with_boehm(program)),
            Runtime::MonoFullAot => Ok(self.full_aot.command(program)),
            Runtime::Dotnet => self.dotnet.command(program),
        }
    }
}

pub(crate) struct Programs {
    folder: PathBuf,
}

impl Programs {
    pub(crate) fn of(workspace: &Workspace) -> Result<Self> {
        Ok(Self { folder: workspace.scratch("xtask/csharp")? })
    }

    /// The programs for one runtime. Mono uses ahead-of-time images wherever it finds them, so its JIT has a separate folder. .NET
    /// runs Roslyn's output.
    fn folder(&self, runtime: Runtime) -> PathBuf {
        self.folder.join(match runtime {
            Runtime::MonoJit | Runtime::MonoBoehm => "mcs",
            Runtime::MonoFullAot => "mcs-full-aot",
            Runtime::Dotnet => "roslyn",
        })
    }

    /// The library that other code is compiled against.
    pub(crate) fn library(&self) -> PathBuf {
        self.folder(Runtime::Dotnet).join("ArrSession.dll")
    }

    pub(crate) fn tests(&self, runtime: Runtime) -> PathBuf {
        self.folder(runtime).join("Tests.exe")
    }

    pub(crate) fn quickstart(&self, runtime: Runtime) -> PathBuf {
        self.folder(runtime).join("Quickstart.exe")
    }
}

/// Makes the system's loader look for the native library here first.
pub(crate) fn let_find(program: &mut Command, folder: &Path) {
    program.env("LD_LIBRARY_PATH", folder);
}

/// The C# files directly in a folder.
pub(crate) fn list(workspace: &Workspace, folder: &str) -> Result<Vec<PathBuf>> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(workspace.root.join(folder)).with_context(|| format!("cannot list {folder}"))? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("cs")) {
            sources.push(path);
        }
    }
    ensure!(!sources.is_empty(), "there is no C# source in {folder}");
    sources.sort();
    Ok(sources)
}

/// Compiles everything by both compilers, with warnings as errors and documentation required, unless nothing has changed.
pub(crate) fn compile(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let programs = Programs::of(workspace)?;
    let runtimes = Runtimes::provide(workspace)?;
    let library = list(workspace, LIBRARY)?;
    let sources = Sources {
        tests: [library.clone(), list(workspace, TESTS)?].concat(),
        quickstart: vec![workspace.root.join(QUICKSTART)],
        library,
    };
    let page = workspace.root.join(documented::PAGE);
    let all = sources.tests.iter().chain(&sources.quickstart).cloned().chain([page]);
    let made_for = format!("{}{}", mono::version()?, fingerprint(all)?);
    once(&programs.folder.join("made-for.txt"), &made_for, || {
        // Mono would use images that an earlier version of this code left there.
        for runtime in Runtime::ALL {
            replace(&programs.folder(runtime))?;
        }
        let by_mcs = || compile_with_mcs(workspace, &runtimes.full_aot, &programs, &sources);
        let by_roslyn = || compile_with_roslyn(&runtimes.dotnet, &programs, &sources);
        let compilers: [&(dyn Fn() -> Result<()> + Sync); 2] = [&by_mcs, &by_roslyn];
        let problems = parallel::work_off(&compilers, |compile| compile());
        ensure!(problems.is_empty(), "{}", problems.join("\n"));
        Ok(())
    })?;
    let versions = LANGUAGE_VERSIONS.join(" and ");
    Ok(Report(format!("{} sources, by mcs at C# 7.2 and by Roslyn at C# {versions}", sources.tests.len() + 1)))
}

/// The sources. The tests include the library's, so that they see its internals.
struct Sources {
    library: Vec<PathBuf>,
    tests: Vec<PathBuf>,
    quickstart: Vec<PathBuf>,
}

/// The tests, and the quickstart by the command in the page.
fn compile_with_mcs(workspace: &Workspace, full_aot: &FullAot, programs: &Programs, sources: &Sources) -> Result<()> {
    let (tests, quickstart) = (programs.tests(Runtime::MonoJit), programs.quickstart(Runtime::MonoJit));
    mono::mcs(&sources.tests, &tests, &["-unsafe".to_owned()])?;
    copy(&documented::check(workspace)?, &quickstart)?;
    for program in [tests, quickstart] {
        let copied = programs.folder(Runtime::MonoFullAot).join(program.file_name().unwrap_or_default());
        copy(&program, &copied)?;
        full_aot.compile(&copied)?;
    }
    Ok(())
}

fn copy(file: &Path, to: &Path) -> Result<()> {
    fs::copy(file, to).with_context(|| format!("cannot write {}", to.display()))?;
    Ok(())
}

/// All in one process: the library, the quickstart against it, and the tests.
fn compile_with_roslyn(dotnet: &Dotnet, programs: &Programs, sources: &Sources) -> Result<()> {
    let compilation = |output: PathBuf, sources: &[PathBuf], references: &[PathBuf], options: &[&str]| Compilation {
        output,
        sources: sources.to_vec(),
        references: references.to_vec(),
        options: options.iter().map(|option| (*option).to_owned()).collect(),
    };
    let [older, newer] = LANGUAGE_VERSIONS.map(|version| format!("-langversion:{version}"));
    let (library, tests) = (programs.library(), programs.tests(Runtime::Dotnet));
    let quickstart = programs.quickstart(Runtime::Dotnet);
    // With `-doc`, a public item without documentation is a warning, and so an error.
    let documented = ["-unsafe", "-target:library", "-doc:ArrSession.xml", &newer];
    let all = [
        compilation(library.clone(), &sources.library, &[], &documented),
        compilation(quickstart, &sources.quickstart, &[library], &[&newer]),
        compilation(tests.with_file_name("Tests-older.exe"), &sources.tests, &[], &["-unsafe", &older]),
        compilation(tests, &sources.tests, &[], &["-unsafe", &newer]),
    ];
    dotnet.compile(&all)?.expect_success("Roslyn")?;
    Ok(())
}

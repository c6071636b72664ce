//! The Unity package's C#: compiled against stand-ins for the engine as different Unitys would, and its tests run against an
//! emulator on Mono, which the Editor is built upon, and with everything compiled ahead of time, as near to IL2CPP as can be had.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::csharp::dotnet::{Compilation, Dotnet};
use crate::csharp::mono::{self, FullAot};
use crate::csharp::once::{fingerprint, once};
use crate::csharp::{self, Runtime};
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::parallel;
use crate::process;
use crate::step::Report;
use crate::unity::asmdef::{self, Assembly};
use crate::unity::package::{self, list};
use crate::unity::plugins::Platform;
use crate::workspace::Workspace;

/// Where it is all compiled to, below the target folder.
const FOLDER: &str = "xtask/unity";

const TESTS: &str = "tests/unity";
const PROGRAM: &str = "UnityTests";

/// The stand-ins: each assembly's name, its sources in `tests/unity/engine`, and what it refers to.
const STAND_INS: [(&str, &[&str], &[&str]); 3] = [
    ("UnityEngine", &["UnityEngine.cs", "Engine.cs"], &[]),
    ("UnityEditor", &["UnityEditor.cs"], &["UnityEngine"]),
    ("nunit.framework", &["NUnit.cs"], &[]),
];

/// A Unity that the sources are compiled as.
struct Variant {
    name: &'static str,
    /// Its C#.
    language: &'static str,
    symbols: &'static str,
    /// Whether the Editor's sources and the tests belong to it.
    editor: bool,
}

const fn editor(name: &'static str, language: &'static str, symbols: &'static str) -> Variant {
    Variant { name, language, symbols, editor: true }
}

const fn player(name: &'static str, language: &'static str, symbols: &'static str) -> Variant {
    Variant { name, language, symbols, editor: false }
}

/// What every Unity defines, and what Unity 6 does besides.
const ALWAYS: &str = "UNITY_5_3_OR_NEWER;UNITY_2019_4_OR_NEWER";
const UNITY_6: &str = "UNITY_6000_0_OR_NEWER";

const VARIANTS: [Variant; 5] = [
    editor("2019-editor", "7.3", "UNITY_EDITOR;UNITY_INCLUDE_TESTS;UNITY_STANDALONE_WIN"),
    player("2019-uwp", "7.3", "UNITY_WSA;ENABLE_WINMD_SUPPORT;ENABLE_IL2CPP"),
    editor("6-editor", "9", "UNITY_EDITOR;UNITY_INCLUDE_TESTS;UNITY_STANDALONE_LINUX"),
    player("6-android", "9", "UNITY_ANDROID;ENABLE_IL2CPP"),
    player("6-windows", "9", "UNITY_STANDALONE_WIN"),
];

impl Variant {
    fn define(&self) -> String {
        let newer = if self.language == "9" { UNITY_6 } else { "" };
        format!("-define:{ALWAYS};{};{newer}", self.symbols).trim_end_matches(';').to_owned()
    }
}

/// How long sessions take to start, and how often they are read: short, as almost every test waits for one.
const STARTUP: &str = "100ms";
const POLL_INTERVAL_MS: u32 = 20;

/// For all tests; they take some seconds.
const LIMIT: Duration = Duration::from_secs(120);

const RUNS: [(Runtime, ApiVersion); 3] = [
    (Runtime::MonoJit, ApiVersion::V1),
    (Runtime::MonoJit, ApiVersion::V2021_01_01),
    (Runtime::MonoFullAot, ApiVersion::V1),
];

/// What code in Unity is compiled against, once the check has compiled it: the stand-ins, and the package's assemblies.
pub(crate) fn references(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let folder = workspace.scratch(FOLDER)?;
    let names = ["UnityEngine.dll", "UnityEditor.dll", "ArrSession.dll", "ArrSession.Editor.dll"];
    Ok(names.map(|name| folder.join(name)).into())
}

/// Compiles everything, then runs the tests.
pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let sources = Sources::find(workspace)?;
    let full_aot = FullAot::provide(workspace)?;
    let made_for = format!("{}{}", mono::version()?, fingerprint(sources.all())?);
    once(&sources.folder.join("made-for.txt"), &made_for, || sources.compile(&full_aot))?;

    // They wait most of the time.
    let outcomes = parallel::map_at_once(&RUNS, |(runtime, version)| {
        let tests = match runtime {
            Runtime::MonoFullAot => full_aot.command(&sources.ahead_of_time(&sources.output(PROGRAM, "exe"))),
            _ => mono::jit(&sources.output(PROGRAM, "exe")),
        };
        let folder = workspace.scratch(&format!("{FOLDER}/{}-{version}", runtime.word()))?;
        run(context, tests, *runtime, *version, &folder).with_context(|| format!("{runtime}, REST {version}"))
    });
    let mut problems = Vec::new();
    let mut summary = format!("{} assemblies by mcs, {} Unitys by Roslyn", sources.assemblies.len(), VARIANTS.len());
    for outcome in outcomes {
        match outcome {
            Ok(said) => summary.push_str(&format!("\n{said}")),
            Err(error) => problems.push(format!("{error:#}")),
        }
    }
    Report::unless(problems, summary)
}

/// Runs the tests with an emulator of their own, and returns what they said last.
fn run(context: &Context, mut tests: Command, runtime: Runtime, version: ApiVersion, folder: &Path) -> Result<String> {
    let platform = Platform::for_target(&context.workspace.host).context("no plugin for this machine")?;
    let plugin = package::default_folder(&context.workspace).join(platform.path());
    let options = &["--startup", STARTUP];
    let emulator = Emulator::start(&context.emulators()?.program, folder, Scheme::Https, options)?;
    csharp::let_find(&mut tests, plugin.parent().unwrap_or(Path::new(".")));
    emulator.introduce_to(&mut tests, version, POLL_INTERVAL_MS);
    tests.env("ARR_RUNTIME", runtime.word()).env("ARR_DATA_PATH", folder);
    let said = process::run(tests, LIMIT)?.expect_success("the tests")?;
    emulator.stop()?;
    Ok(format!("{runtime}, REST {version}: {}", said.trim_end().lines().last().unwrap_or_default()))
}

/// What there is to compile.
struct Sources<'a> {
    workspace: &'a Workspace,
    /// Where to.
    folder: PathBuf,
    stand_ins: Vec<(&'static str, Vec<PathBuf>)>,
    assemblies: Vec<Assembly>,
    /// Each by itself: the user imports one at a time.
    samples: Vec<(String, Vec<PathBuf>)>,
    tests: Vec<PathBuf>,
}

impl<'a> Sources<'a> {
    fn find(workspace: &'a Workspace) -> Result<Self> {
        let package = package::default_folder(workspace);
        let files = list(&package)?;
        let imported: Vec<String> = files.iter().filter(|path| package::is_imported(path)).cloned().collect();
        let mut samples: Vec<(String, Vec<PathBuf>)> = Vec::new();
        for path in files.iter().filter(|path| path.ends_with(".cs")) {
            let Some((name, _)) = path.strip_prefix("Samples~/").and_then(|path| path.split_once('/')) else {
                continue;
            };
            match samples.last_mut().filter(|(last, _)| last == name) {
                Some((_, sources)) => sources.push(package.join(path)),
                None => samples.push((name.to_owned(), vec![package.join(path)])),
            }
        }
        let engine = workspace.root.join(TESTS).join("engine");
        let stand_in = |(name, sources, _): (&'static str, &[&str], _)| {
            (name, sources.iter().map(|source| engine.join(source)).collect())
        };
        Ok(Self {
            workspace,
            folder: workspace.scratch(FOLDER)?,
            stand_ins: STAND_INS.map(stand_in).into(),
            assemblies: asmdef::in_order(asmdef::read(&package, &imported)?)?,
            samples,
            tests: csharp::list(workspace, TESTS)?,
        })
    }

    /// All that is compiled, and what says how.
    fn all(&self) -> Vec<PathBuf> {
        let mut all = self.tests.clone();
        all.extend(self.stand_ins.iter().flat_map(|(_, sources)| sources.clone()));
        all.extend(
            self.assemblies
                .iter()
                .flat_map(|assembly| [vec![assembly.file.clone()], assembly.sources.clone()].concat()),
        );
        all.extend(self.samples.iter().flat_map(|(_, sources)| sources.clone()));
        all
    }

    fn output(&self, name: &str, extension: &str) -> PathBuf {
        self.folder.join(format!("{name}.{extension}"))
    }

    /// Where its copy for the other way of running is: Mono takes images that were made ahead of time wherever it finds them.
    fn ahead_of_time(&self, output: &Path) -> PathBuf {
        self.folder.join("full-aot").join(output.file_name().unwrap_or_default())
    }

    fn compile(&self, full_aot: &FullAot) -> Result<()> {
        for (stand_in, (_, _, references)) in self.stand_ins.iter().zip(STAND_INS) {
            self.mcs(stand_in.0, &stand_in.1, references, &[])?;
        }
        let compilers: [&(dyn Fn() -> Result<()> + Sync); 2] = [&|| self.by_mcs(full_aot), &|| self.by_roslyn()];
        let problems = parallel::work_off(&compilers, |compile| compile());
        anyhow::ensure!(problems.is_empty(), "{}", problems.join("\n"));
        Ok(())
    }

    /// As Unity does it: each assembly by its definition, and nothing in it that the definition does not refer to.
    fn by_mcs(&self, full_aot: &FullAot) -> Result<()> {
        let mut all = STAND_INS.map(|(name, ..)| name).to_vec();
        for assembly in &self.assemblies {
            let mut references = vec!["UnityEngine"];
            references.extend(assembly.is_for_editor().then_some("UnityEditor"));
            references.extend(assembly.is_test().then_some("nunit.framework"));
            references.extend(assembly.references().map(String::as_str));
            let symbols = VARIANTS[0].define();
            let options: &[&str] = if assembly.is_unsafe() { &[&symbols, "-unsafe"] } else { &[&symbols] };
            self.mcs(assembly.name(), &assembly.sources, &references, options)?;
            all.push(assembly.name());
        }
        for (name, sources) in &self.samples {
            self.mcs(name, sources, &["UnityEngine", "ArrSession"], &[])?;
            all.push(name);
        }
        self.mcs(PROGRAM, &self.tests, &all, &["-target:exe"])?;

        // What they refer to must be there before.
        let mut outputs: Vec<PathBuf> = all.iter().map(|name| self.output(name, "dll")).collect();
        outputs.push(self.output(PROGRAM, "exe"));
        self.workspace.scratch(&format!("{FOLDER}/full-aot"))?;
        for output in &outputs {
            let copy = self.ahead_of_time(output);
            fs::copy(output, &copy).with_context(|| format!("cannot copy {}", output.display()))?;
        }
        let problems = parallel::work_off(&outputs, |output| full_aot.compile(&self.ahead_of_time(output)));
        anyhow::ensure!(problems.is_empty(), "{}", problems.join("\n"));
        Ok(())
    }

    fn mcs(&self, name: &str, sources: &[PathBuf], references: &[&str], options: &[&str]) -> Result<()> {
        let is_program = options.contains(&"-target:exe");
        let mut all: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        all.extend(references.iter().map(|name| format!("-r:{}", self.output(name, "dll").display())));
        all.extend((!is_program).then(|| "-target:library".to_owned()));
        mono::mcs(sources, &self.output(name, if is_program { "exe" } else { "dll" }), &all)
    }

    /// All that a Unity would compile, in one piece, with that Unity's C# and symbols.
    fn by_roslyn(&self) -> Result<()> {
        let compilation = |variant: &Variant| {
            let chosen = self.assemblies.iter().filter(|it| variant.editor || !(it.is_for_editor() || it.is_test()));
            let samples = self.samples.iter().flat_map(|(_, sources)| sources);
            let stand_ins = if variant.editor { &STAND_INS[..] } else { &STAND_INS[..1] };
            Compilation {
                output: self.output(&format!("All-{}", variant.name), "dll"),
                sources: chosen.flat_map(|it| &it.sources).chain(samples).cloned().collect(),
                references: stand_ins.iter().map(|(name, ..)| self.output(name, "dll")).collect(),
                options: vec![
                    "-unsafe".to_owned(),
                    "-target:library".to_owned(),
                    format!("-langversion:{}", variant.language),
                    variant.define(),
                ],
            }
        };
        let compilations: Vec<Compilation> = VARIANTS.iter().map(compilation).collect();
        Dotnet::provide(self.workspace)?.compile(&compilations)?.expect_success("Roslyn")?;
        Ok(())
    }
}

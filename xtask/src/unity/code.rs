//! The Unity package's C#: compiled against stand-ins for the engine, as different Unity versions would, and tested against an
//! emulator: on Mono, like the Editor, and fully ahead of time, the closest to IL2CPP.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::context::Context;
use crate::csharp::dotnet::{Compilation, Dotnet};
use crate::csharp::mono::{self, FullAot};
use crate::csharp::{self, Runtime};
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::once::{fingerprint, once};
use crate::parallel;
use crate::process;
use crate::step::Report;
use crate::unity::asmdef::{self, Assembly};
use crate::unity::package::{self, list};
use crate::unity::plugins::Platform;
use crate::workspace::Workspace;

/// The output folder, below the target folder.
const FOLDER: &str = "xtask/unity";

const TESTS: &str = "tests/unity";
const PROGRAM: &str = "UnityTests";
/// The folder of copies with ahead-of-time images.
const FULL_AOT: &str = "full-aot";

/// The stand-ins: each assembly's name, its sources in `tests/unity/engine`, and its references.
const STAND_INS: [(&str, &[&str], &[&str]); 3] = [
    ("UnityEngine", &["UnityEngine.cs", "Engine.cs"], &[]),
    ("UnityEditor", &["UnityEditor.cs"], &["UnityEngine"]),
    ("nunit.framework", &["NUnit.cs"], &[]),
];

/// A version and target of Unity that the sources are compiled for.
struct Variant {
    name: &'static str,
    /// Its version of C#.
    language: &'static str,
    symbols: &'static str,
    /// Whether it includes the Editor's sources and the tests.
    editor: bool,
}

const fn editor(name: &'static str, language: &'static str, symbols: &'static str) -> Variant {
    Variant { name, language, symbols, editor: true }
}

const fn player(name: &'static str, language: &'static str, symbols: &'static str) -> Variant {
    Variant { name, language, symbols, editor: false }
}

/// Symbols that every Unity defines, and one more of Unity 6.
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

/// The startup time of sessions, and how often they are polled: short, because almost every test waits for one.
const STARTUP: &str = "100ms";
const POLL_INTERVAL_MS: u32 = 20;

/// For all tests, which take some seconds.
const LIMIT: Duration = Duration::from_secs(120);

const RUNS: [(Runtime, ApiVersion); 3] = [
    (Runtime::MonoJit, ApiVersion::V1),
    (Runtime::MonoJit, ApiVersion::V2021_01_01),
    (Runtime::MonoFullAot, ApiVersion::V1),
];

/// The references of code for Unity, once the check has compiled them: the stand-ins and the package's assemblies.
pub(crate) fn references(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let folder = workspace.scratch(FOLDER)?;
    let names = ["UnityEngine.dll", "UnityEditor.dll", "ArrSession.dll", "ArrSession.Editor.dll"];
    Ok(names.map(|name| folder.join(name)).into())
}

/// Compiles everything, then runs the tests.
pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let folder = workspace.scratch(FOLDER)?;
    fs::create_dir_all(folder.join(FULL_AOT))?;
    let package = package::default_folder(workspace);
    let imported: Vec<String> = list(&package)?.into_iter().filter(|path| package::is_imported(path)).collect();
    let assemblies = asmdef::in_order(asmdef::read(&package, &imported)?)?;
    let units = units(workspace, &assemblies)?;
    let full_aot = FullAot::provide(workspace)?;

    let sources = units.iter().flat_map(|unit| unit.sources.clone());
    let made_from = fingerprint(sources.chain(assemblies.iter().map(|assembly| assembly.file.clone())))?;
    let made_for = format!("{}{made_from}", mono::version()?);
    once(&folder.join("made-for.txt"), &made_for, || compile(workspace, &full_aot, &units, &folder))?;

    // The tests mostly wait.
    let tests = units.last().context("there are tests")?;
    let outcomes = parallel::map_at_once(&RUNS, |(runtime, version)| {
        let program = match runtime {
            Runtime::MonoFullAot => full_aot.command(&tests.file(&folder.join(FULL_AOT))),
            _ => mono::jit(&tests.file(&folder)),
        };
        let folder = workspace.scratch(&format!("{FOLDER}/{}-{version}", runtime.word()))?;
        run(context, program, *runtime, *version, &folder).with_context(|| format!("{runtime}, REST {version}"))
    });
    let mut problems = Vec::new();
    let mut summary = format!("{} assemblies by mcs, {} Unity variants by Roslyn", assemblies.len(), VARIANTS.len());
    for outcome in outcomes {
        match outcome {
            Ok(counts) => summary.push_str(&format!("\n{counts}")),
            Err(error) => problems.push(format!("{error:#}")),
        }
    }
    Report::unless(problems, summary)
}

/// Runs the tests with their own emulator, and returns their last line.
fn run(context: &Context, mut tests: Command, runtime: Runtime, version: ApiVersion, folder: &Path) -> Result<String> {
    let platform = Platform::for_target(&context.workspace.host).context("no plugin for this machine")?;
    let plugin = package::default_folder(&context.workspace).join(platform.path());
    let options = &["--startup", STARTUP];
    let emulator = Emulator::start(&context.emulators()?.program, folder, Scheme::Https, options)?;
    csharp::let_find(&mut tests, plugin.parent().unwrap_or(Path::new(".")));
    emulator.introduce_to(&mut tests, version, POLL_INTERVAL_MS);
    tests.env("ARR_RUNTIME", runtime.word()).env("ARR_DATA_PATH", folder);
    let output = process::run(tests, LIMIT)?.expect_success("the tests")?;
    emulator.stop()?;
    Ok(format!("{runtime}, REST {version}: {}", output.trim_end().lines().last().unwrap_or_default()))
}

/// Where code belongs.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// In place of the engine.
    StandIn,
    /// In the package, and in every build.
    Everywhere,
    /// In the package, but in the Editor only.
    Editor,
    Program,
}

/// A compilation by mcs, as in Unity: an assembly definition, or a sample as if it were imported.
struct Unit {
    name: String,
    place: Place,
    sources: Vec<PathBuf>,
    references: Vec<String>,
    options: Vec<String>,
}

impl Unit {
    fn new(name: &str, place: Place, sources: Vec<PathBuf>, references: &[&str]) -> Self {
        let references = references.iter().map(|name| (*name).to_owned()).collect();
        Self { name: name.to_owned(), place, sources, references, options: Vec::new() }
    }

    fn of_assembly(assembly: &Assembly) -> Self {
        let is_for_editor = assembly.is_for_editor() || assembly.is_test();
        let place = if is_for_editor { Place::Editor } else { Place::Everywhere };
        let mut references = vec!["UnityEngine"];
        references.extend(assembly.is_for_editor().then_some("UnityEditor"));
        references.extend(assembly.is_test().then_some("nunit.framework"));
        references.extend(assembly.references().map(String::as_str));
        let mut unit = Self::new(assembly.name(), place, assembly.sources.clone(), &references);
        unit.options.push(VARIANTS[0].define());
        unit.options.extend(assembly.is_unsafe().then(|| "-unsafe".to_owned()));
        unit
    }

    fn file(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.{}", self.name, if self.place == Place::Program { "exe" } else { "dll" }))
    }

    fn compile(&self, folder: &Path) -> Result<()> {
        let mut options = self.options.clone();
        options.extend(self.references.iter().map(|name| format!("-r:{}", dll(folder, name).display())));
        options.extend((self.place != Place::Program).then(|| "-target:library".to_owned()));
        mono::mcs(&self.sources, &self.file(folder), &options)
    }
}

fn dll(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.dll"))
}

/// All compilations, each after its references.
fn units(workspace: &Workspace, assemblies: &[Assembly]) -> Result<Vec<Unit>> {
    let package = package::default_folder(workspace);
    let engine = workspace.root.join(TESTS).join("engine");
    let mut units = Vec::new();
    for (name, sources, references) in STAND_INS {
        let sources = sources.iter().map(|source| engine.join(source)).collect();
        units.push(Unit::new(name, Place::StandIn, sources, references));
    }
    units.extend(assemblies.iter().map(Unit::of_assembly));
    for path in list(&package)?.iter().filter(|path| path.ends_with(".cs")) {
        let Some((name, _)) = path.strip_prefix("Samples~/").and_then(|path| path.split_once('/')) else { continue };
        match units.last_mut().filter(|last| last.name == name) {
            Some(sample) => sample.sources.push(package.join(path)),
            None => {
                let sources = vec![package.join(path)];
                units.push(Unit::new(name, Place::Everywhere, sources, &["UnityEngine", "ArrSession"]));
            }
        }
    }
    let all: Vec<&str> = units.iter().map(|unit| unit.name.as_str()).collect();
    let tests = Unit::new(PROGRAM, Place::Program, csharp::list(workspace, TESTS)?, &all);
    units.push(tests);
    Ok(units)
}

fn compile(workspace: &Workspace, full_aot: &FullAot, units: &[Unit], folder: &Path) -> Result<()> {
    let (stand_ins, others) = units.split_at(STAND_INS.len());
    for unit in stand_ins {
        unit.compile(folder)?;
    }
    let by_mcs = || others.iter().try_for_each(|unit| unit.compile(folder));
    let compilers: [&(dyn Fn() -> Result<()> + Sync); 2] = [&by_mcs, &|| compile_with_roslyn(workspace, units, folder)];
    let mut problems = parallel::work_off(&compilers, |compile| compile());
    if problems.is_empty() {
        // Together, but not in the JIT's folder: Mono uses images wherever it finds them.
        let copies = folder.join(FULL_AOT);
        for unit in units {
            fs::copy(unit.file(folder), unit.file(&copies)).with_context(|| format!("cannot copy {}", unit.name))?;
        }
        problems = parallel::work_off(units, |unit| full_aot.compile(&unit.file(&copies)));
    }
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

/// Compiles everything in one assembly for each variant, with its C# and symbols.
fn compile_with_roslyn(workspace: &Workspace, units: &[Unit], folder: &Path) -> Result<()> {
    let compilation = |variant: &Variant| {
        let chosen = units
            .iter()
            .filter(|unit| unit.place == Place::Everywhere || (variant.editor && unit.place == Place::Editor));
        let stand_ins = if variant.editor { &STAND_INS[..] } else { &STAND_INS[..1] };
        let language = format!("-langversion:{}", variant.language);
        Compilation {
            output: dll(folder, &format!("All-{}", variant.name)),
            sources: chosen.flat_map(|unit| unit.sources.clone()).collect(),
            references: stand_ins.iter().map(|(name, ..)| dll(folder, name)).collect(),
            options: vec!["-unsafe".to_owned(), "-target:library".to_owned(), language, variant.define()],
        }
    };
    let compilations: Vec<Compilation> = VARIANTS.iter().map(compilation).collect();
    Dotnet::provide(workspace)?.compile(&compilations)?.expect_success("Roslyn")?;
    Ok(())
}

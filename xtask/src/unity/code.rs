//! The Unity package's C#: compiled against stand-ins for the engine as different Unitys would, and run on Mono.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::context::Context;
use crate::csharp;
use crate::csharp::dotnet::{Compilation, Dotnet};
use crate::parallel;
use crate::step::Report;
use crate::unity::asmdef::{self, Compilable};
use crate::unity::package::{self, list};
use crate::unity::runs::Tests;
use crate::workspace::Workspace;

/// Where it is all compiled to, below the target folder.
const FOLDER: &str = "xtask/unity";

const ENGINE: &str = "tests/unity/engine";
const TESTS: &str = "tests/unity";
const SAMPLES: &str = "Samples~";
const PROGRAM: &str = "UnityTests.exe";

/// The stand-ins: each assembly's name, its sources, and what it refers to.
const STAND_INS: [(&str, &[&str], &[&str]); 3] = [
    ("UnityEngine", &["UnityEngine.cs", "Engine.cs"], &[]),
    ("UnityEditor", &["UnityEditor.cs"], &["UnityEngine"]),
    ("nunit.framework", &["NUnit.cs"], &[]),
];

/// What every Unity that is meant defines.
const ALWAYS: &[&str] = &["UNITY_5_3_OR_NEWER", "UNITY_2019_4_OR_NEWER"];

/// A Unity that the sources are compiled as.
struct Variant {
    name: &'static str,
    /// Its C#.
    language: &'static str,
    /// Besides those of [`ALWAYS`].
    symbols: &'static [&'static str],
    /// Whether the Editor's sources and the tests belong to it.
    editor: bool,
}

const VARIANTS: [Variant; 5] = [
    Variant {
        name: "2019-editor",
        language: "7.3",
        symbols: &["UNITY_EDITOR", "UNITY_INCLUDE_TESTS", "UNITY_STANDALONE_WIN"],
        editor: true,
    },
    Variant {
        name: "2019-uwp",
        language: "7.3",
        symbols: &["UNITY_WSA", "ENABLE_WINMD_SUPPORT", "ENABLE_IL2CPP"],
        editor: false,
    },
    Variant {
        name: "6-editor",
        language: "9",
        symbols: &["UNITY_EDITOR", "UNITY_INCLUDE_TESTS", "UNITY_STANDALONE_LINUX", UNITY_6],
        editor: true,
    },
    Variant { name: "6-android", language: "9", symbols: &["UNITY_ANDROID", "ENABLE_IL2CPP", UNITY_6], editor: false },
    Variant { name: "6-windows", language: "9", symbols: &["UNITY_STANDALONE_WIN", UNITY_6], editor: false },
];

const UNITY_6: &str = "UNITY_6000_0_OR_NEWER";

/// What code in Unity is compiled against, once the check has compiled it: the stand-ins, and the package's assemblies.
pub(crate) fn references(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let folder = workspace.scratch(FOLDER)?;
    let names = ["UnityEngine.dll", "UnityEditor.dll", "ArrSession.dll", "ArrSession.Editor.dll"];
    Ok(names.map(|name| folder.join(name)).into())
}

/// Where it all is.
struct Build<'a> {
    workspace: &'a Workspace,
    package: PathBuf,
    folder: PathBuf,
}

/// Compiles everything, then runs the tests.
pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let folder = workspace.scratch(FOLDER)?;
    let build = Build { workspace, package: package::default_folder(workspace), folder };
    let files: Vec<String> = list(&build.package)?;
    let imported: Vec<String> = files.iter().filter(|path| package::is_imported(path)).cloned().collect();
    let assemblies = asmdef::in_order(&build.package, &imported)?;
    let samples: Vec<PathBuf> = sources_below(&build.package, &files, &format!("{SAMPLES}/"));

    build.stand_ins()?;
    let by_mcs = || build.with_mcs(&assemblies, &samples);
    let by_roslyn = || build.with_roslyn(&assemblies, &samples);
    let compilers: [&(dyn Fn() -> Result<()> + Sync); 2] = [&by_mcs, &by_roslyn];
    let problems = parallel::work_off(&compilers, |compile| compile());
    if !problems.is_empty() {
        return Report::unless(problems, String::new());
    }

    let tests = Tests {
        workspace,
        program: &build.output(PROGRAM),
        assemblies: &build.assemblies(&assemblies, &samples),
        package: &build.package,
        emulator: &context.emulators()?.program,
    };
    let mut summary = format!(
        "{} assemblies and {} samples by mcs, {} Unitys by Roslyn",
        assemblies.len(),
        sample_folders(&samples, &build.package).len(),
        VARIANTS.len()
    );
    let mut problems = Vec::new();
    for outcome in tests.run()? {
        match outcome {
            Ok(said) => summary.push_str(&format!("\n{said}")),
            Err(error) => problems.push(format!("{error:#}")),
        }
    }
    Report::unless(problems, summary)
}

fn sources_below(package: &Path, files: &[String], folder: &str) -> Vec<PathBuf> {
    let sources = files.iter().filter(|path| path.starts_with(folder) && path.ends_with(".cs"));
    sources.map(|path| package.join(path)).collect()
}

/// The samples, each with its sources: the user imports one at a time.
fn sample_folders(samples: &[PathBuf], package: &Path) -> Vec<(String, Vec<PathBuf>)> {
    let mut folders: Vec<(String, Vec<PathBuf>)> = Vec::new();
    for source in samples {
        let below = source.strip_prefix(package.join(SAMPLES)).unwrap_or(source);
        let name = below.components().next().map(|name| name.as_os_str().to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        match folders.iter_mut().find(|(folder, _)| *folder == name) {
            Some((_, sources)) => sources.push(source.clone()),
            None => folders.push((name, vec![source.clone()])),
        }
    }
    folders
}

impl Build<'_> {
    fn output(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn reference(&self, name: &str) -> String {
        format!("-r:{}", self.output(&format!("{name}.dll")).display())
    }

    /// All that the test program refers to.
    fn assemblies(&self, assemblies: &[Compilable], samples: &[PathBuf]) -> Vec<PathBuf> {
        let stand_ins = STAND_INS.iter().map(|(name, ..)| (*name).to_owned());
        let ours = assemblies.iter().map(|it| it.assembly.definition.name.clone());
        let samples = sample_folders(samples, &self.package).into_iter().map(|(name, _)| name);
        stand_ins.chain(ours).chain(samples).map(|name| self.output(&format!("{name}.dll"))).collect()
    }

    fn stand_ins(&self) -> Result<()> {
        for (name, sources, references) in STAND_INS {
            let sources: Vec<PathBuf> =
                sources.iter().map(|source| self.workspace.root.join(ENGINE).join(source)).collect();
            let references = references.iter().map(|name| self.reference(name)).collect();
            self.mcs(&format!("{name}.dll"), &sources, "library", references)?;
        }
        Ok(())
    }

    /// As Unity does it: each assembly by its definition, and nothing in it that the definition does not refer to.
    fn with_mcs(&self, assemblies: &[Compilable], samples: &[PathBuf]) -> Result<()> {
        let mut all =
            vec![self.reference("UnityEngine"), self.reference("UnityEditor"), self.reference("nunit.framework")];
        for Compilable { assembly, sources } in assemblies {
            let name = &assembly.definition.name;
            let mut references = vec![self.reference("UnityEngine")];
            if assembly.is_for_editor() {
                references.push(self.reference("UnityEditor"));
            }
            if assembly.is_test() {
                references.push(self.reference("nunit.framework"));
            }
            let ours = assembly.definition.references.iter().filter(|name| name.starts_with("ArrSession"));
            references.extend(ours.map(|name| self.reference(name)));
            references.push(symbols(VARIANTS[0].symbols));
            self.mcs(&format!("{name}.dll"), sources, "library", references)?;
            all.push(self.reference(name));
        }
        for (name, sources) in sample_folders(samples, &self.package) {
            let references = vec![self.reference("UnityEngine"), self.reference("ArrSession")];
            self.mcs(&format!("{name}.dll"), &sources, "library", references)?;
            all.push(self.reference(&name));
        }
        self.mcs(PROGRAM, &csharp::list(self.workspace, TESTS)?, "exe", all)
    }

    fn mcs(&self, output: &str, sources: &[PathBuf], target: &str, mut options: Vec<String>) -> Result<()> {
        options.push(format!("-target:{target}"));
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        csharp::mcs(sources, &self.output(output), &options)?.expect_success(&format!("mcs, {output}"))?;
        Ok(())
    }

    /// All that a Unity would compile, in one piece, with that Unity's C# and symbols.
    fn with_roslyn(&self, assemblies: &[Compilable], samples: &[PathBuf]) -> Result<()> {
        let dotnet = Dotnet::provide(self.workspace)?;
        let compilations: Vec<Compilation> = VARIANTS
            .iter()
            .map(|variant| {
                let chosen = assemblies
                    .iter()
                    .filter(|it| variant.editor || !(it.assembly.is_for_editor() || it.assembly.is_test()));
                let sources = chosen.flat_map(|it| it.sources.clone()).chain(samples.to_vec()).collect();
                let stand_ins: &[&str] =
                    if variant.editor { &["UnityEngine", "UnityEditor", "nunit.framework"] } else { &["UnityEngine"] };
                Compilation {
                    output: self.output(&format!("All-{}.dll", variant.name)),
                    sources,
                    references: stand_ins.iter().map(|name| self.output(&format!("{name}.dll"))).collect(),
                    options: vec![
                        "-unsafe".to_owned(),
                        "-target:library".to_owned(),
                        format!("-langversion:{}", variant.language),
                        symbols(variant.symbols),
                    ],
                }
            })
            .collect();
        dotnet.compile(&compilations)?.expect_success("Roslyn")?;
        Ok(())
    }
}

fn symbols(more: &[&str]) -> String {
    format!("-define:{}", ALWAYS.iter().chain(more).copied().collect::<Vec<_>>().join(";"))
}

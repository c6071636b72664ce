//! The assembly definitions of the Unity package.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// What Unity's own packages bring, as far as this package refers to it.
const GIVEN: &[&str] = &["UnityEngine.TestRunner", "UnityEditor.TestRunner"];

/// Unity's names for what an assembly can be for.
const PLATFORMS: &[&str] =
    &["Android", "Editor", "LinuxStandalone64", "WSA", "WebGL", "WindowsStandalone64", "iOS", "macOSStandalone"];

/// The file, as Unity 2019.4 and later read it. A member that Unity does not know is a mistake that it would not tell.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Definition {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) references: Vec<String>,
    #[serde(default)]
    include_platforms: Vec<String>,
    #[serde(default)]
    exclude_platforms: Vec<String>,
    #[serde(default)]
    allow_unsafe_code: bool,
    #[serde(default)]
    override_references: bool,
    #[serde(default)]
    precompiled_references: Vec<String>,
    #[serde(default = "yes")]
    auto_referenced: bool,
    #[serde(default)]
    define_constraints: Vec<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "it is a member that may be there")]
    version_defines: Vec<serde_json::Value>,
    #[serde(default)]
    no_engine_references: bool,
    #[serde(default)]
    #[expect(dead_code, reason = "it is a member that may be there")]
    root_namespace: String,
}

fn yes() -> bool {
    true
}

/// An assembly of the package.
#[derive(Clone)]
pub(crate) struct Assembly {
    /// Its folder's path in the package.
    pub(crate) folder: String,
    file: String,
    pub(crate) definition: Definition,
}

/// What an assembly is for, by the folder that it lies in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Runtime,
    Editor,
    Test { in_editor: bool },
}

impl Assembly {
    /// The assembly definition at this path of the package.
    pub(crate) fn read(package: &Path, path: &str) -> Result<Self> {
        let text = fs::read_to_string(package.join(path)).with_context(|| format!("cannot read {path}"))?;
        Self::parse(path, &text)
    }

    fn parse(path: &str, text: &str) -> Result<Self> {
        let definition = serde_json::from_str(text).with_context(|| format!("{path} is no assembly definition"))?;
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        Ok(Self { folder: folder.to_owned(), file: file.to_owned(), definition })
    }

    /// Whether it is compiled for the Editor only.
    pub(crate) fn is_for_editor(&self) -> bool {
        self.definition.include_platforms == ["Editor"]
    }

    pub(crate) fn is_test(&self) -> bool {
        matches!(self.purpose(), Purpose::Test { .. })
    }

    fn purpose(&self) -> Purpose {
        match self.folder.as_str() {
            "Editor" => Purpose::Editor,
            "Tests/Editor" => Purpose::Test { in_editor: true },
            folder if folder.starts_with("Tests/") => Purpose::Test { in_editor: false },
            _ => Purpose::Runtime,
        }
    }

    fn problems(&self) -> Vec<String> {
        let it = &self.definition;
        let purpose = self.purpose();
        let mut problems = Vec::new();
        let mut must = |good: bool, what: &str| {
            if !good {
                problems.push(what.to_owned());
            }
        };
        must(self.file == format!("{}.asmdef", it.name), "the file must be named as the assembly");
        must(!it.no_engine_references, "it needs the engine: `noEngineReferences` must be false");
        let for_editor = matches!(purpose, Purpose::Editor | Purpose::Test { in_editor: true });
        must(
            self.is_for_editor() == for_editor,
            if for_editor {
                "it must have `includePlatforms` [\"Editor\"]: its folder is the Editor's"
            } else {
                "it must not be for the Editor only"
            },
        );
        must(
            it.include_platforms.is_empty() || it.exclude_platforms.is_empty(),
            "it includes and excludes platforms, which Unity refuses",
        );
        let known =
            it.include_platforms.iter().chain(&it.exclude_platforms).all(|name| PLATFORMS.contains(&name.as_str()));
        must(known, "it names a platform that Unity does not have");
        must(
            purpose != Purpose::Runtime || it.allow_unsafe_code,
            "it must have `allowUnsafeCode`: the core calls native code",
        );
        let constrained = it.define_constraints == ["UNITY_INCLUDE_TESTS"];
        let nunit = it.override_references && it.precompiled_references == ["nunit.framework.dll"];
        if matches!(purpose, Purpose::Test { .. }) {
            must(constrained, "tests must have `defineConstraints` [\"UNITY_INCLUDE_TESTS\"], or they get into builds");
            must(nunit, "tests must override references with nunit.framework.dll");
            must(!it.auto_referenced, "tests must not be referred to by themselves: `autoReferenced` must be false");
        } else {
            must(it.define_constraints.is_empty(), "it must have no `defineConstraints`");
            must(
                !it.override_references && it.precompiled_references.is_empty(),
                "it must take no assembly but the engine's",
            );
            must(
                !it.references.iter().any(|name| GIVEN.contains(&name.as_str())),
                "only tests refer to the test runner",
            );
        }
        problems
    }
}

/// What is wrong with the package's assemblies, given the paths of all its files.
pub(crate) fn problems(package: &Path, paths: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut assemblies = Vec::new();
    for path in paths.iter().filter(|path| path.ends_with(".asmdef")) {
        match Assembly::read(package, path) {
            Ok(assembly) => assemblies.push(assembly),
            Err(error) => problems.push(format!("{error:#}")),
        }
    }
    for assembly in &assemblies {
        let own = assembly.problems().into_iter().chain(reference_problems(assembly, &assemblies));
        problems.extend(own.map(|problem| format!("{}/{}: {problem}", assembly.folder, assembly.file)));
    }
    let mut names = BTreeMap::new();
    for assembly in &assemblies {
        if let Some(other) = names.insert(&assembly.definition.name, assembly) {
            problems
                .push(format!("{} and {}: both are named {}", other.folder, assembly.folder, assembly.definition.name));
        }
    }
    for path in paths.iter().filter(|path| path.ends_with(".cs")) {
        if home(&assemblies, path).is_none() {
            problems.push(format!("{path}: it is in no assembly, so Unity would not compile it"));
        }
    }
    problems
}

fn reference_problems(assembly: &Assembly, assemblies: &[Assembly]) -> Vec<String> {
    let mut problems = Vec::new();
    for name in &assembly.definition.references {
        if GIVEN.contains(&name.as_str()) {
            continue;
        }
        match assemblies.iter().find(|other| other.definition.name == *name) {
            None => problems.push(format!("it refers to `{name}`, which is not there")),
            Some(other) if other.is_for_editor() && !assembly.is_for_editor() => {
                problems.push(format!("it refers to `{name}`, which is not in builds"));
            }
            Some(other) if other.is_test() && !assembly.is_test() => {
                problems.push(format!("it refers to the tests `{name}`"))
            }
            Some(_) => {}
        }
    }
    problems
}

/// The assembly that a source belongs to: that of the nearest folder that has one.
fn home<'a>(assemblies: &'a [Assembly], path: &str) -> Option<&'a Assembly> {
    assemblies
        .iter()
        .filter(|assembly| path.starts_with(&format!("{}/", assembly.folder)))
        .max_by_key(|assembly| assembly.folder.len())
}

/// An assembly with all of its sources.
pub(crate) struct Compilable {
    pub(crate) assembly: Assembly,
    pub(crate) sources: Vec<PathBuf>,
}

/// The package's assemblies with their sources, each after what it refers to.
pub(crate) fn in_order(package: &Path, paths: &[String]) -> Result<Vec<Compilable>> {
    let assemblies: Vec<Assembly> = paths
        .iter()
        .filter(|path| path.ends_with(".asmdef"))
        .map(|path| Assembly::read(package, path))
        .collect::<Result<_>>()?;
    let mut ordered: Vec<Compilable> = Vec::new();
    while ordered.len() < assemblies.len() {
        let is_done = |name: &String| {
            GIVEN.contains(&name.as_str()) || ordered.iter().any(|done| done.assembly.definition.name == *name)
        };
        let next = assemblies
            .iter()
            .find(|assembly| !is_done(&assembly.definition.name) && assembly.definition.references.iter().all(is_done))
            .context("the assemblies refer to each other in a circle, or to what is not there")?;
        let mine = |path: &&String| {
            path.ends_with(".cs")
                && home(&assemblies, path).is_some_and(|home| home.definition.name == next.definition.name)
        };
        let sources = paths.iter().filter(mine).map(|path| package.join(path)).collect();
        ordered.push(Compilable { assembly: next.clone(), sources });
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNTIME: &str = r#"{"name": "A", "allowUnsafeCode": true}"#;
    const TESTS: &str = r#"{"name": "A.Tests", "references": ["A", "UnityEngine.TestRunner"], "overrideReferences": true,
        "precompiledReferences": ["nunit.framework.dll"], "autoReferenced": false,
        "defineConstraints": ["UNITY_INCLUDE_TESTS"]}"#;

    fn found(path: &str, text: &str) -> String {
        match Assembly::parse(path, text) {
            Ok(assembly) => assembly.problems().join("\n"),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn good_ones_are_good() {
        assert_eq!(found("Runtime/A.asmdef", RUNTIME), "");
        assert_eq!(found("Tests/Runtime/A.Tests.asmdef", TESTS), "");
        assert_eq!(
            found("Editor/B.asmdef", r#"{"name": "B", "references": ["A"], "includePlatforms": ["Editor"]}"#),
            ""
        );
    }

    #[test]
    fn each_defect_is_found() {
        for (path, text, wanted) in [
            ("Runtime/A.asmdef", "{\"name\": \"A\",}".to_owned(), "no assembly definition"),
            ("Runtime/A.asmdef", RUNTIME.replace("allowUnsafeCode", "allowUnsafe"), "unknown field"),
            ("Runtime/B.asmdef", RUNTIME.to_owned(), "named as the assembly"),
            ("Runtime/A.asmdef", RUNTIME.replace("true", "false"), "allowUnsafeCode"),
            (
                "Runtime/A.asmdef",
                RUNTIME.replace('}', ", \"includePlatforms\": [\"Editor\"]}"),
                "not be for the Editor only",
            ),
            ("Runtime/A.asmdef", RUNTIME.replace('}', ", \"excludePlatforms\": [\"Amiga\"]}"), "Unity does not have"),
            ("Runtime/A.asmdef", RUNTIME.replace('}', ", \"references\": [\"UnityEditor.TestRunner\"]}"), "only tests"),
            ("Runtime/A.asmdef", RUNTIME.replace('}', ", \"noEngineReferences\": true}"), "needs the engine"),
            ("Editor/A.asmdef", RUNTIME.to_owned(), "its folder is the Editor's"),
            ("Tests/Runtime/A.Tests.asmdef", TESTS.replace("UNITY_INCLUDE_TESTS", "DEBUG"), "get into builds"),
            ("Tests/Runtime/A.Tests.asmdef", TESTS.replace("nunit.framework", "nunit"), "nunit.framework.dll"),
            ("Tests/Runtime/A.Tests.asmdef", TESTS.replace("false", "true"), "autoReferenced"),
            ("Tests/Editor/A.Tests.asmdef", TESTS.to_owned(), "its folder is the Editor's"),
        ] {
            let found = found(path, &text);
            assert!(found.contains(wanted), "{path}: {wanted}: {found}");
        }
    }

    #[test]
    fn references_are_to_what_is_there_and_is_built_with() {
        let all = [
            Assembly::parse("Runtime/A.asmdef", r#"{"name": "A", "references": ["B", "C", "A.Tests"]}"#).unwrap(),
            Assembly::parse("Editor/B.asmdef", r#"{"name": "B", "includePlatforms": ["Editor"]}"#).unwrap(),
            Assembly::parse("Tests/Runtime/A.Tests.asmdef", TESTS).unwrap(),
        ];
        let found = reference_problems(&all[0], &all).join("\n");
        for wanted in ["`B`, which is not in builds", "`C`, which is not there", "the tests `A.Tests`"] {
            assert!(found.contains(wanted), "{wanted}: {found}");
        }
    }
}

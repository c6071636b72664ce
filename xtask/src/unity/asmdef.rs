//! The assembly definitions of the Unity package.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// Assemblies of Unity's own packages that this package refers to.
const GIVEN: &[&str] = &["UnityEngine.TestRunner", "UnityEditor.TestRunner"];

/// Keeps an assembly out of builds, except test builds.
const TESTS_ONLY: &str = "UNITY_INCLUDE_TESTS";

/// The file, as Unity 2019.4 and later read it. Unity ignores unknown members, so a misspelt one would go unnoticed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "some members only have to be present")]
struct Definition {
    name: String,
    references: Vec<String>,
    include_platforms: Vec<String>,
    exclude_platforms: Vec<String>,
    allow_unsafe_code: bool,
    override_references: bool,
    precompiled_references: Vec<String>,
    auto_referenced: bool,
    define_constraints: Vec<String>,
    version_defines: Vec<serde_json::Value>,
    no_engine_references: bool,
}

/// An assembly of the package, with its sources.
pub(crate) struct Assembly {
    /// Its folder's path in the package.
    folder: String,
    pub(crate) file: PathBuf,
    definition: Definition,
    pub(crate) sources: Vec<PathBuf>,
}

impl Assembly {
    fn read(package: &Path, path: &str) -> Result<Self> {
        let file = package.join(path);
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {path}"))?;
        let definition =
            serde_json::from_str(&text).with_context(|| format!("{path} is not an assembly definition"))?;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        Ok(Self { folder, file, definition, sources: Vec::new() })
    }

    pub(crate) fn name(&self) -> &str {
        &self.definition.name
    }

    /// The references within the package.
    pub(crate) fn references(&self) -> impl Iterator<Item = &String> {
        self.definition.references.iter().filter(|name| !GIVEN.contains(&name.as_str()))
    }

    /// Whether it is compiled for the Editor only.
    pub(crate) fn is_for_editor(&self) -> bool {
        self.definition.include_platforms == ["Editor"]
    }

    pub(crate) fn is_test(&self) -> bool {
        self.definition.define_constraints == [TESTS_ONLY]
    }

    pub(crate) fn is_unsafe(&self) -> bool {
        self.definition.allow_unsafe_code
    }

    /// Mistakes that would wrongly include it in builds, or exclude it.
    fn problems(&self, all: &[Assembly]) -> Vec<String> {
        let mut problems = Vec::new();
        if self.is_for_editor() != self.folder.split('/').any(|name| name == "Editor") {
            problems.push("`includePlatforms` must be [\"Editor\"] in a folder `Editor`, and nowhere else".to_owned());
        }
        if self.is_test() != self.folder.starts_with("Tests/") || self.is_test() == self.definition.auto_referenced {
            problems.push(format!(
                "`defineConstraints` must be [\"{TESTS_ONLY}\"] without `autoReferenced` in `Tests`, and nowhere else, or \
                 tests get into builds"
            ));
        }
        for name in self.references() {
            let other = all.iter().find(|other| other.name() == name);
            let is_there = |other: &Assembly| {
                (self.is_for_editor() || !other.is_for_editor()) && (self.is_test() || !other.is_test())
            };
            if !other.is_some_and(is_there) {
                problems.push(format!("it refers to `{name}`, which does not exist when it is compiled"));
            }
        }
        problems.into_iter().map(|problem| format!("{}: {problem}", self.name())).collect()
    }
}

/// The package's assemblies, from the paths of everything that Unity imports. Each source is in one of them.
pub(crate) fn read(package: &Path, paths: &[String]) -> Result<Vec<Assembly>> {
    let definitions = paths.iter().filter(|path| path.ends_with(".asmdef"));
    let mut assemblies: Vec<Assembly> = definitions.map(|path| Assembly::read(package, path)).collect::<Result<_>>()?;
    for path in paths.iter().filter(|path| path.ends_with(".cs")) {
        // Unity uses the definition in the nearest folder.
        let around = assemblies.iter_mut().filter(|assembly| path.starts_with(&format!("{}/", assembly.folder)));
        let home = around.max_by_key(|assembly| assembly.folder.len());
        let home = home.with_context(|| format!("{path} is in no assembly, so Unity would not compile it"))?;
        home.sources.push(package.join(path));
    }
    Ok(assemblies)
}

pub(crate) fn problems(package: &Path, paths: &[String]) -> Result<Vec<String>> {
    let all = read(package, paths)?;
    Ok(all.iter().flat_map(|assembly| assembly.problems(&all)).collect())
}

/// The assemblies, each after its references.
pub(crate) fn in_order(mut waiting: Vec<Assembly>) -> Result<Vec<Assembly>> {
    let mut ordered: Vec<Assembly> = Vec::new();
    while !waiting.is_empty() {
        let is_done = |name: &String| ordered.iter().any(|done| done.name() == name);
        let next = waiting
            .iter()
            .position(|assembly| assembly.references().all(is_done))
            .context("the assemblies refer to each other in a circle, or to one that does not exist")?;
        ordered.push(waiting.remove(next));
    }
    Ok(ordered)
}

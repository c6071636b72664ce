//! What must be right about an assembled Unity package for Unity to take it as it is meant.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::unity::asmdef;
use crate::unity::guid;
use crate::unity::manifest;
use crate::unity::meta::{Importer, Meta};
use crate::unity::package::{has_meta, is_imported, list};
use crate::unity::plugins::{self, PLATFORMS, Plugin};

/// Files that a package has at its root.
const EXPECTED: &[&str] = &[
    "package.json",
    "README.md",
    "CHANGELOG.md",
    "LICENSE.md",
    "Third Party Notices.md",
    "Documentation~/unity.md",
    "Runtime/Core/ArrClient.cs",
];

/// Everything that is wrong with the package in this folder. `version` is the library's.
pub(crate) fn problems(package: &Path, version: &str) -> Result<Vec<String>> {
    let all = list(package)?;
    let imported: Vec<String> = all.iter().filter(|path| is_imported(path)).cloned().collect();
    let mut problems = Vec::new();
    for expected in EXPECTED.iter().filter(|path| !all.iter().any(|there| there == *path)) {
        problems.push(format!("{expected} is not there"));
    }
    let with_meta: Vec<String> = all.iter().filter(|path| has_meta(path)).cloned().collect();
    problems.extend(meta_problems(package, &with_meta));
    problems.extend(asmdef::problems(package, &imported));
    problems.extend(manifest::problems(package, version));
    problems.extend(changelog_problem(package, version));
    problems.extend(plugin_problems(package, &imported));
    Ok(problems)
}

/// Each file and each folder has its `.meta` file with a GUID that is its own, and no `.meta` file stands alone.
fn meta_problems(package: &Path, with_meta: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for path in with_meta {
        if let Some(owner) = path.strip_suffix(".meta") {
            if !with_meta.iter().any(|there| there == owner) {
                problems.push(format!("{path}: there is no {owner}"));
            }
            continue;
        }
        let meta = format!("{path}.meta");
        if !with_meta.contains(&meta) {
            problems.push(format!(
                "{path} has no .meta file, so Unity would leave it out, or make one up: write it by `cargo xtask unity --metas`"
            ));
            continue;
        }
        match read_meta(package, path, &meta) {
            Ok(guid) => {
                if guid != guid::of(path) {
                    problems.push(format!("{meta}: the GUID must be {}, which is made from the path", guid::of(path)));
                }
                if let Some(other) = owners.insert(guid, path) {
                    problems.push(format!("{path} and {other} have one GUID"));
                }
            }
            Err(error) => problems.push(format!("{meta}: {error:#}")),
        }
    }
    problems
}

fn read_meta(package: &Path, path: &str, meta: &str) -> Result<String> {
    let importer = Importer::of(path, package.join(path).is_dir())
        .ok_or_else(|| anyhow::anyhow!("no kind of file that the package has"))?;
    let meta = Meta::read(&package.join(meta))?;
    meta.importer(importer)?;
    Ok(meta.guid)
}

fn changelog_problem(package: &Path, version: &str) -> Option<String> {
    let text = fs::read_to_string(package.join("CHANGELOG.md")).unwrap_or_default();
    let heading = format!("## {version}");
    let told = text.lines().any(|line| line == heading || line.starts_with(&format!("{heading} ")));
    (!told).then(|| format!("CHANGELOG.md has no heading for {version}"))
}

/// Each binary is where its platform's is, of that platform, and with settings for it and nothing else.
fn plugin_problems(package: &Path, imported: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut found = Vec::new();
    for path in imported.iter().filter(|path| Importer::of(path, false) == Some(Importer::Plugin)) {
        let Some(platform) = PLATFORMS.iter().find(|platform| platform.path() == *path) else {
            problems.push(format!("{path}: there is no platform whose binary is there"));
            continue;
        };
        if let Err(error) = platform.check_binary(&package.join(path)) {
            problems.push(format!("{path}: {error:#}"));
        }
        match Meta::read(&package.join(format!("{path}.meta"))) {
            Ok(meta) => {
                problems.extend(platform.problems(&meta).into_iter().map(|problem| format!("{path}.meta: {problem}")));
                found.push(Plugin { path: path.clone(), meta });
            }
            Err(error) => problems.push(format!("{path}.meta: {error:#}")),
        }
    }
    if found.is_empty() {
        problems.push("there is no binary in it".to_owned());
    }
    problems.extend(plugins::collisions(&found));
    problems
}

#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::unity::package::{Binary, Contents, assemble, contents, lay_out};
    use crate::unity::plugins::Platform;
    use crate::workspace::Workspace;

    /// The package of this checkout, with a program of this machine in place of the library, and how to repair it.
    struct Planted {
        workspace: Workspace,
        folder: std::path::PathBuf,
        contents: Contents,
    }

    impl Planted {
        fn new(name: &str) -> Self {
            let workspace = Workspace::find().unwrap();
            let folder = workspace.scratch("xtask/unity-defects").unwrap().join(name);
            // In place of the library something small that is surely there.
            let file = Path::new("/bin/true").to_owned();
            let binary = Binary { platform: Platform::named("linux-x64").unwrap(), file, parts: None };
            let contents = contents(&workspace, &[binary]).unwrap();
            let planted = Self { workspace, folder, contents };
            planted.repair();
            planted
        }

        fn repair(&self) -> usize {
            lay_out(&self.folder, &self.contents).unwrap().written
        }

        fn found(&self) -> String {
            problems(&self.folder, &self.workspace.version).unwrap().join("\n")
        }

        fn change(&self, path: &str, from: &str, to: &str) {
            let file = self.folder.join(path);
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains(from), "{path} has no {from}");
            fs::write(file, text.replace(from, to)).unwrap();
        }

        /// Changes one thing, and expects the check to find it.
        fn expect(&self, wanted: &str, plant: impl FnOnce(&Self)) {
            plant(self);
            let found = self.found();
            assert!(found.contains(wanted), "`{wanted}` was not found, but: {found}");
            self.repair();
        }
    }

    #[test]
    fn the_package_is_right_and_each_defect_is_found() {
        let it = Planted::new("all");
        assert_eq!(it.found(), "");
        assert_eq!(it.repair(), 0, "nothing is written twice");

        let at = |path: &str| it.folder.join(path);
        it.expect("Editor/BuildCheck.cs has no .meta file", |_| {
            fs::remove_file(at("Editor/BuildCheck.cs.meta")).unwrap()
        });
        it.expect("Runtime has no .meta file", |_| fs::remove_file(at("Runtime.meta")).unwrap());
        it.expect("Samples~/FirstSession/FirstSession.cs has no .meta file", |_| {
            fs::remove_file(at("Samples~/FirstSession/FirstSession.cs.meta")).unwrap();
        });
        it.expect("there is no Editor/BuildCheck.cs", |_| fs::remove_file(at("Editor/BuildCheck.cs")).unwrap());
        it.expect("have one GUID", |_| {
            fs::copy(at("Editor/BuildCheck.cs.meta"), at("Editor/EditorLifetime.cs.meta")).unwrap();
        });
        let guid = guid::of("Editor/BuildCheck.cs");
        it.expect("made from the path", |it| {
            it.change("Editor/BuildCheck.cs.meta", &guid, "0123456789abcdef0123456789abcdef");
        });
        it.expect("is no GUID", |it| it.change("Editor/BuildCheck.cs.meta", &guid, &guid.to_uppercase()));
        it.expect("it has no `MonoImporter`", |it| {
            it.change("Editor/BuildCheck.cs.meta", "MonoImporter", "DefaultImporter");
        });
        it.expect("no kind of file", |_| {
            fs::write(at("Runtime/notes.txt"), "").unwrap();
            fs::copy(at("Runtime/Core.meta"), at("Runtime/notes.txt.meta")).unwrap();
        });
        it.expect("it is in no assembly", |_| fs::rename(at("Runtime/ArrSession.asmdef"), at("Runtime/A.md")).unwrap());
        it.expect("`ArrSession`, which is not there", |it| {
            it.change("Runtime/ArrSession.asmdef", "\"ArrSession\"", "\"Arr\"")
        });
        it.expect("allowUnsafeCode", |it| {
            it.change("Runtime/ArrSession.asmdef", "\"allowUnsafeCode\": true", "\"allowUnsafeCode\": false")
        });
        let version = it.workspace.version.clone();
        it.expect("and Cargo.toml's is", |it| it.change("package.json", &version, "9.9.9"));
        it.expect("CHANGELOG.md has no heading", |it| it.change("CHANGELOG.md", &format!("## {version}"), "## 9.9.9"));
        it.expect("the sample Samples~/FirstSession is not there", |_| {
            fs::rename(at("Samples~/FirstSession"), at("Samples~/Other")).unwrap();
        });
        it.expect("it does not list the sample Samples~/Extra", |_| fs::create_dir(at("Samples~/Extra")).unwrap());
        it.expect("`unity` must be 2019.4", |it| it.change("package.json", "2019.4", "2018.1"));
        it.expect("unknown field", |it| it.change("package.json", "\"keywords\"", "\"dependencys\": {}, \"keywords\""));
        it.expect("Third Party Notices.md is not there", |_| fs::remove_file(at("Third Party Notices.md")).unwrap());
        it.expect("`Linux64` must be enabled", |_| {
            let meta = at("Plugins/linux-x64/libarr_session.so.meta");
            let text = fs::read_to_string(&meta).unwrap();
            fs::write(
                &meta,
                text.replace("Linux64\n    second:\n      enabled: 1", "Linux64\n    second:\n      enabled: 0"),
            )
            .unwrap();
        });
        it.expect("no platform whose binary is there", |_| {
            fs::rename(at("Plugins/linux-x64/libarr_session.so"), at("Plugins/libarr_session.so")).unwrap();
        });
        it.expect("is no library", |_| fs::write(at("Plugins/linux-x64/libarr_session.so"), "text").unwrap());
        it.expect("there is no binary in it", |_| fs::remove_file(at("Plugins/linux-x64/libarr_session.so")).unwrap());
        assert_eq!(it.found(), "", "everything was repaired");
    }

    #[test]
    fn a_folder_of_somebody_is_left_alone() {
        let workspace = Workspace::find().unwrap();
        let folder = workspace.scratch("xtask/unity-defects/somebodys").unwrap();
        fs::write(folder.join("letter.txt"), "Dear").unwrap();
        let error = assemble(&workspace, &folder, &[]).err().unwrap().to_string();
        assert!(error.contains("neither empty nor"), "{error}");
        assert!(folder.join("letter.txt").exists());
    }
}

//! Checks an assembled Unity package for mistakes that Unity would not report, or that users would run into.

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::unity::package::{has_meta, is_imported, list};
use crate::unity::plugins::PLATFORMS;
use crate::unity::{asmdef, manifest, meta};

/// Files for users, which Unity does not need.
const EXPECTED: &[&str] =
    &["README.md", "CHANGELOG.md", "LICENSE.md", "Third Party Notices.md", "Documentation~/unity.md"];

/// All problems of the package in this folder. `version` is the library's.
pub(crate) fn problems(package: &Path, version: &str) -> Result<Vec<String>> {
    let all = list(package)?;
    let files: Vec<String> = all.iter().filter(|path| !path.ends_with(".meta")).cloned().collect();
    let imported: Vec<String> = files.iter().filter(|path| is_imported(path)).cloned().collect();
    let mut problems = Vec::new();
    for expected in EXPECTED.iter().filter(|path| !all.iter().any(|there| there == *path)) {
        problems.push(format!("{expected} is missing"));
    }
    for path in files.iter().filter(|path| has_meta(path)) {
        let wanted = meta::of(path, package.join(path).is_dir())?;
        if fs::read_to_string(package.join(format!("{path}.meta"))).ok() != Some(wanted) {
            problems.push(format!("{path}.meta is missing or does not match its path"));
        }
    }
    let plugins: Vec<_> = PLATFORMS.iter().filter(|platform| imported.contains(&platform.path())).collect();
    for platform in &plugins {
        let good = platform.check_binary(&package.join(platform.path()));
        problems.extend(good.err().map(|error| format!("{error:#}")));
    }
    if plugins.is_empty() {
        problems.push("it contains no binary".to_owned());
    }
    for found in [asmdef::problems(package, &imported), manifest::problems(package, version)] {
        problems.extend(found.unwrap_or_else(|error| vec![format!("{error:#}")]));
    }
    Ok(problems)
}

#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::unity::package::{Binary, Contents, assemble, contents, lay_out};
    use crate::unity::plugins::Platform;
    use crate::workspace::Workspace;

    /// This checkout's package, with a program of this machine in place of the library.
    struct Planted {
        workspace: Workspace,
        folder: std::path::PathBuf,
        contents: Contents,
    }

    impl Planted {
        fn new() -> Self {
            let workspace = Workspace::find().unwrap();
            let folder = workspace.scratch("xtask/unity-defects").unwrap().join("all");
            let file = Path::new("/bin/true").to_owned();
            let binary = Binary { platform: Platform::named("linux-x64").unwrap(), file, parts: None };
            let contents = contents(&workspace, &[binary]).unwrap();
            Self { workspace, folder, contents }
        }

        fn repair(&self) -> usize {
            lay_out(&self.folder, &self.contents).unwrap().written
        }

        fn found(&self) -> String {
            problems(&self.folder, &self.workspace.version).unwrap().join("\n")
        }

        /// Changes a text, and expects the check to notice.
        fn expect(&self, wanted: &str, path: &str, from: &str, to: &str) {
            let file = self.folder.join(path);
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains(from), "{path} has no {from}");
            fs::write(file, text.replace(from, to)).unwrap();
            self.expect_found(wanted);
        }

        fn expect_found(&self, wanted: &str) {
            let found = self.found();
            assert!(found.contains(wanted), "`{wanted}` was not found, but: {found}");
            self.repair();
        }
    }

    #[test]
    fn the_package_is_correct_and_each_defect_is_found() {
        let it = Planted::new();
        it.repair();
        assert_eq!(it.found(), "");
        assert_eq!(it.repair(), 0, "nothing is written twice");

        let runtime = "Runtime/ArrSession.asmdef";
        it.expect("`ArrSession`, which does not exist", runtime, "\"ArrSession\"", "\"Arr\"");
        it.expect("unknown field", runtime, "allowUnsafeCode", "allowUnsafe");
        it.expect("tests get into builds", "Tests/Runtime/ArrSession.Tests.asmdef", "UNITY_INCLUDE_TESTS", "DEBUG");
        it.expect("in a folder `Editor`", "Editor/ArrSession.Editor.asmdef", "[\"Editor\"]", "[]");
        it.expect(
            "which does not exist when",
            runtime,
            "\"references\": []",
            "\"references\": [\"ArrSession.Editor\"]",
        );
        it.expect("not com.arr-session", "package.json", &it.workspace.version, "9.9.9");
        it.expect("samples listed are", "package.json", "Samples~/FirstSession", "Samples~/Other");
        it.expect("its members are", "package.json", "\"keywords\"", "\"keyword\"");
        it.expect("BuildCheck.cs.meta is missing or does not", "Editor/BuildCheck.cs.meta", "guid: ", "guid: 0");

        let gone = |path: &str| fs::remove_file(it.folder.join(path)).unwrap();
        gone("Samples~/FirstSession/FirstSession.cs.meta");
        it.expect_found("FirstSession.cs.meta is missing");
        gone("Third Party Notices.md");
        it.expect_found("Third Party Notices.md is missing");
        gone(runtime);
        it.expect_found("is in no assembly");
        gone("Plugins/linux-x64/libarr_session.so");
        it.expect_found("it contains no binary");
        assert_eq!(it.found(), "", "everything was repaired");
    }

    #[test]
    fn another_folder_is_left_alone() {
        let workspace = Workspace::find().unwrap();
        let folder = workspace.scratch("xtask/unity-defects/somebodys").unwrap();
        fs::write(folder.join("letter.txt"), "Dear").unwrap();
        let error = assemble(&workspace, &folder, &[]).err().unwrap().to_string();
        assert!(error.contains("neither empty nor"), "{error}");
        assert!(folder.join("letter.txt").exists());
    }
}

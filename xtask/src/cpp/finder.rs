//! Which of several installed packages CMake takes: the first that is for the project's system and processor.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::cpp::install::{BUILD_LIMIT, configure, define, install_and_move};
use crate::process;
use crate::workspace::Workspace;

const FINDER: &str = "tests/cpp/finder";

/// A processor that this is not, in CMake's word, and as others spell both.
const OTHER: &str = if cfg!(target_arch = "aarch64") { "x86_64" } else { "aarch64" };
const OTHER_SPELT: &str = if cfg!(target_arch = "aarch64") { "AMD64" } else { "ARM64" };
const THIS_SPELT: &str = if cfg!(target_arch = "aarch64") { "ARM64" } else { "x64" };

#[derive(Clone, Copy, PartialEq, Debug)]
enum Package {
    Here,
    /// The same, said to be for the other processor.
    Foreign,
    /// What is here, with the folder in which CMake looks a link that stands beside no headers.
    Linked,
}
use Package::{Foreign, Here, Linked};

/// What a project says, where it looks, and what it finds, if anything.
struct Case {
    said: String,
    prefixes: &'static [Package],
    found: Option<Package>,
}

fn cases() -> Vec<Case> {
    let case = |said: &str, word: &str, prefixes, found| Case { said: format!("{said}{word}"), prefixes, found };
    vec![
        case("", "", &[Foreign, Here], Some(Here)),
        case("", "", &[Foreign], None),
        case("", "", &[Linked], Some(Linked)),
        case("CMAKE_SYSTEM_PROCESSOR=", THIS_SPELT, &[Foreign, Here], Some(Here)),
        case("CMAKE_SYSTEM_PROCESSOR=", OTHER_SPELT, &[Here, Foreign], Some(Foreign)),
        case("CMAKE_SYSTEM_PROCESSOR=", "riscv64", &[Here, Foreign], None),
        case("CMAKE_SYSTEM_PROCESSOR=", "", &[Foreign, Here], Some(Foreign)),
        // Visual Studio's.
        case("CMAKE_C_COMPILER_ARCHITECTURE_ID=", OTHER_SPELT, &[Here, Foreign], Some(Foreign)),
        case("CMAKE_VS_PLATFORM_NAME=", OTHER_SPELT, &[Here, Foreign], Some(Foreign)),
        // One file for two processors may be meant.
        case("CMAKE_OSX_ARCHITECTURES=", "arm64;x86_64", &[Foreign, Here], Some(Foreign)),
        case("CMAKE_SYSTEM_NAME=", "Android", &[Here], None),
    ]
}

/// With a package that was installed from these libraries.
pub(super) fn check(workspace: &Workspace, libraries: &Path, here: &Path, folder: &Path) -> Result<()> {
    // The last goes before what the compiler says, which is not the other's.
    let system = [
        define("CMAKE_SYSTEM_NAME", "Linux"),
        define("CMAKE_SYSTEM_PROCESSOR", OTHER),
        define("CMAKE_OSX_ARCHITECTURES", OTHER),
    ];
    let foreign = install_and_move(workspace, libraries, &folder.join("foreign"), &system)?;
    let linked = folder.join("linked");
    fs::create_dir_all(&linked).with_context(|| format!("cannot make {}", linked.display()))?;
    drop(fs::remove_file(linked.join("lib")));
    process::link(&here.join("lib"), &linked.join("lib"))?;

    let finder = Finder { workspace, here, foreign: &foreign, linked: &linked, folder };
    for case in cases() {
        finder.expect("C", &case).with_context(|| case.to_string())?;
    }
    // Who compiles nothing may take any.
    let case = Case { said: String::new(), prefixes: &[Foreign, Here], found: Some(Foreign) };
    finder.expect("NONE", &case).context("without a language")
}

struct Finder<'a> {
    workspace: &'a Workspace,
    here: &'a Path,
    foreign: &'a Path,
    linked: &'a Path,
    folder: &'a Path,
}

impl Finder<'_> {
    fn prefix(&self, package: Package) -> &Path {
        match package {
            Here => self.here,
            Foreign => self.foreign,
            Linked => self.linked,
        }
    }

    fn expect(&self, language: &str, case: &Case) -> Result<()> {
        let prefixes: Vec<_> = case.prefixes.iter().map(|package| self.prefix(*package).to_string_lossy()).collect();
        let build: PathBuf = self.folder.join(language);
        let mut cmake = configure(self.workspace, FINDER, &build)?;
        cmake.arg("-Uarr_session_DIR").arg(define("LANGUAGES", language)).arg(define("SAID", &case.said));
        cmake.arg(define("CMAKE_PREFIX_PATH", prefixes.join(";")));
        let configured = process::run(cmake, BUILD_LIMIT)?;
        let Some(package) = case.found else {
            let refused = !configured.succeeded() && configured.output().contains("not accepted");
            ensure!(refused, "not refused: {configured}");
            return Ok(());
        };
        let wanted = format!("found in {}/lib/cmake/arr_session.", self.prefix(package).display());
        if !configured.succeeded() || !configured.output().contains(&wanted) {
            bail!("not {wanted}: {configured}");
        }
        Ok(())
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CMake, `{}`, among {:?}", self.said, self.prefixes)
    }
}

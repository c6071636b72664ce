//! The installed package for C and C++: it can be moved, and others build with it, by CMake and by pkg-config.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::artifacts::Library;
use crate::c::programs::{STATIC_LIBRARY_NEEDS, run};
use crate::context::Context;
use crate::cpp::finder;
use crate::cpp::programs::check_viewer;
use crate::emulator::ApiVersion;
use crate::parallel::work_off_by_name;
use crate::process;
use crate::step::Report;
use crate::versions;
use crate::workspace::{Workspace, replace};

pub(crate) const PROJECT: &str = "bindings/cpp";
const CONSUMER: &str = "tests/cpp/consumer";
const EXAMPLES: &str = "examples/cpp";

/// For a small CMake project on a busy machine.
pub(super) const BUILD_LIMIT: Duration = Duration::from_secs(240);

/// Installs, moves, and builds with what was moved: shared and static, C and C++. Then the programs run.
pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let library = context.library()?;
    let folder = workspace.scratch("xtask/cpp/install")?;
    let plain = install_and_move(workspace, library.folder(), &folder.join("plain"), &[])?;
    let packed = name_library(workspace, library, &folder.join("library"))?;
    let named = install_and_move(workspace, &packed, &folder.join("named"), &[])?;
    for package in [&plain, &named] {
        expect_no_traces(workspace, package)?;
    }
    expect_fixed_folders_refused(workspace, library, &folder)?;
    finder::check(workspace, &packed, &named, &folder.join("finder"))?;

    let users = [User::Consumer(&plain, "plain"), User::Consumer(&named, "named"), User::Examples, User::PkgConfig];
    let problems = work_off_by_name(&users, |user| user.build(workspace, &named, &folder));
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    let by = |folder: &Path, names: &[&str]| names.iter().map(|name| Program(folder.join(name))).collect::<Vec<_>>();
    let mut programs = by(&folder.join("pkg-config"), &BUILT);
    for name in ["consumer-plain", "consumer-named"] {
        programs.extend(by(&folder.join(name), &[&BUILT[..], &BUILT_BY_CMAKE].concat()));
    }
    let emulator = &context.emulators()?.https;
    let problems = work_off_by_name(&programs, |program| run(program.command(), emulator, ApiVersion::V2021_01_01));
    let viewer = check_viewer(context, &folder.join("examples/viewer"))?;
    Report::unless(problems, format!("moved; {} quickstarts by CMake and pkg-config; {viewer}", programs.len()))
}

/// The library as the packages have it: with a name that programs remember, which has the ABI's version.
fn name_library(workspace: &Workspace, library: &Library, folder: &Path) -> Result<PathBuf> {
    replace(folder)?;
    let name = format!("libarr_session.so.{}", versions::abi_version(workspace)?);
    let mut cc = Command::new("cc");
    cc.current_dir(folder).args(["-shared", "-o", &name]).arg(format!("-Wl,-soname,{name},--whole-archive"));
    cc.arg(&library.archive).arg("-Wl,--no-whole-archive").args(STATIC_LIBRARY_NEEDS);
    process::run(cc, BUILD_LIMIT)?.expect_success("give the library a name")?;
    process::link(Path::new(&name), &folder.join("libarr_session.so"))?;
    fs::copy(&library.archive, folder.join("libarr_session.a")).context("cannot copy the static library")?;
    Ok(folder.to_owned())
}

/// The package in a place where nobody has put it. There is a blank in its path, as there is in many.
pub(super) fn install_and_move(
    workspace: &Workspace,
    libraries: &Path,
    folder: &Path,
    system: &[String],
) -> Result<PathBuf> {
    let (build, first, moved) = (folder.join("build"), folder.join("first"), folder.join("moved here"));
    replace(folder)?;
    let mut cmake = configure(workspace, PROJECT, &build)?;
    cmake.arg(define("ARR_SESSION_LIBRARY_DIR", libraries)).args(system);
    process::run(cmake, BUILD_LIMIT)?.expect_success("configure the package")?;
    let mut cmake = Command::new("cmake");
    cmake.arg("--install").arg(&build).arg("--prefix").arg(&first);
    process::run(cmake, BUILD_LIMIT)?.expect_success("install the package")?;
    fs::rename(&first, &moved).context("cannot move the installed package")?;
    Ok(moved)
}

/// What would be found in one place only is not installed.
fn expect_fixed_folders_refused(workspace: &Workspace, library: &Library, folder: &Path) -> Result<()> {
    let mut cmake = configure(workspace, PROJECT, &folder.join("fixed"))?;
    cmake.arg(define("ARR_SESSION_LIBRARY_DIR", library.folder())).arg(define("CMAKE_INSTALL_INCLUDEDIR", "/fixed"));
    let configured = process::run(cmake, BUILD_LIMIT)?;
    let refused = !configured.succeeded() && configured.output().contains("CMAKE_INSTALL_INCLUDEDIR must be relative");
    ensure!(refused, "headers in a fixed folder are not refused: {configured}");
    Ok(())
}

/// No file says where it was built or first installed, and the static library's needs are those that are tested.
fn expect_no_traces(workspace: &Workspace, package: &Path) -> Result<()> {
    let mut texts = 0;
    let mut folders = vec![package.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                texts += 1;
                for place in [&workspace.root, &workspace.target] {
                    ensure!(!text.contains(&*place.to_string_lossy()), "{} names {}", path.display(), place.display());
                }
            }
        }
    }
    ensure!(texts > 20, "only {texts} texts are installed");
    let needs = libraries(package, "arr_session-static")?;
    let tested = STATIC_LIBRARY_NEEDS.join(" ");
    ensure!(needs.ends_with(&tested), "the static library is said to need {needs}, but {tested} is what is tested");
    Ok(())
}

/// What somebody links with, as pkg-config says it.
fn libraries(package: &Path, name: &str) -> Result<String> {
    let mut command = pkg_config(package);
    Ok(process::stdout(command.args(["--libs", name]))?.trim().to_owned())
}

fn pkg_config(package: &Path) -> Command {
    let mut command = Command::new("pkg-config");
    command.env("PKG_CONFIG_PATH", package.join("lib/pkgconfig"));
    command
}

/// Somebody who has the package and nothing else of us.
enum User<'a> {
    /// With this one.
    Consumer(&'a Path, &'static str),
    Examples,
    PkgConfig,
}

impl User<'_> {
    fn build(&self, workspace: &Workspace, package: &Path, folder: &Path) -> Result<()> {
        match self {
            Self::Consumer(package, name) => {
                consume(workspace, package, &workspace.root, &folder.join(format!("consumer-{name}")), &[])
            }
            Self::Examples => by_cmake(workspace, EXAMPLES, package, &folder.join("examples"), &[]),
            Self::PkgConfig => {
                by_pkg_config(workspace, package, &workspace.root, &folder.join("pkg-config"), ["cc", "c++"])
            }
        }
    }
}

/// The programs that the two below build: the quickstarts.
pub(crate) const BUILT: [&str; 4] = ["c_shared", "c_static", "cpp_shared", "cpp_static"];
/// What `consume` makes besides: with what CMake has from pkg-config, and with the library beside the program, or installed.
pub(crate) const BUILT_BY_CMAKE: [&str; 4] =
    ["module_shared", "module_static", "beside/beside", "installed/bin/cpp_shared"];

/// A project that uses all of an installed package, with the examples that are below `root`. CMake is told these words, too.
pub(crate) fn consume(
    workspace: &Workspace,
    package: &Path,
    root: &Path,
    build: &Path,
    toolchain: &[String],
) -> Result<()> {
    let mut words = vec![
        define("EXAMPLES", root.join("examples")),
        define("EXPECTED_VERSION", &workspace.version),
        define("EXPECTED_ABI_VERSION", versions::abi_version(workspace)?.to_string()),
    ];
    words.extend_from_slice(toolchain);
    // CMake remembers what it has found.
    replace(build)?;
    by_cmake(workspace, CONSUMER, package, build, &words)?;
    let mut cmake = Command::new("cmake");
    cmake.arg("--install").arg(build).arg("--prefix").arg(build.join("installed"));
    process::run(cmake, BUILD_LIMIT)?.expect_success("install")?;
    Ok(())
}

/// A project in the checkout, or anywhere, with an installed package.
pub(crate) fn by_cmake(
    workspace: &Workspace,
    project: impl AsRef<Path>,
    package: &Path,
    build: &Path,
    more: &[String],
) -> Result<()> {
    let mut cmake = configure(workspace, project, build)?;
    cmake.arg(define("CMAKE_PREFIX_PATH", package)).args(more);
    process::run(cmake, BUILD_LIMIT)?.expect_success("configure")?;
    let mut cmake = Command::new("cmake");
    cmake.arg("--build").arg(build);
    process::run(cmake, BUILD_LIMIT)?.expect_success("build")?;
    Ok(())
}

/// CMake, to be completed by the caller. What is left of a checkout that stood elsewhere it would not take.
pub(crate) fn configure(workspace: &Workspace, project: impl AsRef<Path>, build: &Path) -> Result<Command> {
    let cache = fs::read_to_string(build.join("CMakeCache.txt")).unwrap_or_default();
    if !cache.is_empty() && !cache.lines().any(|line| line == place_in_cache(build)) {
        fs::remove_dir_all(build).with_context(|| format!("cannot remove {}", build.display()))?;
    }
    let mut cmake = Command::new("cmake");
    cmake.args(["-G", "Ninja", "--no-warn-unused-cli", "-S"]).arg(workspace.root.join(project)).arg("-B").arg(build);
    Ok(cmake)
}

/// How CMake notes where it builds.
fn place_in_cache(build: &Path) -> String {
    format!("CMAKE_CACHEFILE_DIR:INTERNAL={}", build.display())
}

pub(crate) fn define(name: &str, value: impl AsRef<OsStr>) -> String {
    format!("-D{name}={}", value.as_ref().to_string_lossy())
}

/// As people do it in a shell: `eval`, since the package's path has a blank, which pkg-config has marked.
const SHELL: &str = r#"
set -eu
flags() { pkg-config --cflags --libs "$1"; }
# Windows looks beside the program.
found_at() { case "$CC" in *mingw*) ;; *) echo "-Wl,-rpath,$(pkg-config --variable=libdir "$1")" ;; esac; }
eval $CC -std=c99 examples/c/quickstart.c -o '"$0/c_shared"' $(flags arr_session) $(found_at arr_session)
eval $CC -std=c99 examples/c/quickstart.c -o '"$0/c_static"' $(flags arr_session-static)
eval $CXX -std=c++17 examples/cpp/quickstart.cpp -o '"$0/cpp_shared"' $(flags arr_session) $(found_at arr_session)
eval $CXX -std=c++17 examples/cpp/quickstart.cpp -o '"$0/cpp_static"' $(flags arr_session-static)
test "$(pkg-config --modversion arr_session)" = "$1"
"#;

pub(crate) fn by_pkg_config(
    workspace: &Workspace,
    package: &Path,
    root: &Path,
    folder: &Path,
    [cc, cxx]: [&str; 2],
) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut sh = Command::new("sh");
    sh.current_dir(root).env("PKG_CONFIG_PATH", package.join("lib/pkgconfig")).env("CC", cc).env("CXX", cxx);
    sh.args(["-c", SHELL]).arg(folder).arg(&workspace.version);
    process::run(sh, BUILD_LIMIT)?.expect_success("build in a shell")?;
    Ok(())
}

/// A program that was built with the package.
struct Program(PathBuf);

impl Program {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.0);
        // What it was linked with is to be found without help.
        command.env_remove("LD_LIBRARY_PATH");
        command
    }
}

impl fmt::Display for User<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consumer(_, name) => write!(f, "{CONSUMER}, {name}"),
            Self::Examples => f.write_str(EXAMPLES),
            Self::PkgConfig => f.write_str("pkg-config"),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.display())
    }
}

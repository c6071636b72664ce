//! The installed package for C and C++, used with CMake and with pkg-config.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::abi::Abi;
use crate::context::{Context, POLL_INTERVAL_MS};
use crate::emulator::ApiVersion;
use crate::parallel;
use crate::process;
use crate::step::Report;
use crate::workspace::{Workspace, replace};

pub(crate) const PROJECT: &str = "bindings/cpp";

/// For a small CMake project on a busy machine.
const BUILD_LIMIT: Duration = Duration::from_secs(240);

/// Builds with the package in this folder.
type Build<'a> = &'a (dyn Fn(&Path) -> Result<()> + Sync);

/// Installs the package, moves it, builds with it (shared and static, C and C++), and runs the programs.
pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let root = &workspace.root;
    let folder = workspace.scratch("xtask/cpp/package")?;
    let mut cmake = Command::new("cmake");
    cmake.arg(define("LIBRARIES", context.library()?.folder())).arg(define("FOLDER", &folder));
    cmake.arg("-P").arg(root.join("tests/cpp/package.cmake"));
    process::run(cmake, BUILD_LIMIT)?.expect_success("install the package")?;

    let (plain, named) = (folder.join("plain/moved here"), folder.join("named/moved here"));
    let all = [&BUILT[..], &BUILT_BY_CMAKE].concat();
    let users: [(&str, Build<'_>, &[&str]); 4] = [
        ("CMake", &|build| consume(workspace, &named, root, build, &[]), &all),
        ("CMake, library without SONAME", &|build| consume(workspace, &plain, root, build, &[]), &all),
        ("examples", &|build| by_cmake(workspace, "examples/cpp", &named, build, &[]), &["quickstart"]),
        ("pkg-config", &|build| by_pkg_config(workspace, &named, root, build, ["cc", "c++"]), &BUILT),
    ];
    let emulator = &context.emulators()?.https;
    // All at once, because programs wait for the service.
    let outcomes = parallel::map_at_once(&users, |(name, build, programs)| -> Result<()> {
        let place = folder.join(name);
        build(&place).context(*name)?;
        for program in programs.iter().map(|name| place.join(name)) {
            let mut quickstart = Command::new(&program);
            // It must find the library without help.
            quickstart.env_remove("LD_LIBRARY_PATH");
            emulator.introduce_to(&mut quickstart, ApiVersion::V2021_01_01, POLL_INTERVAL_MS);
            process::run(quickstart, BUILD_LIMIT)?.expect_success(&program.display().to_string())?;
        }
        Ok(())
    });
    let problems = outcomes.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")).collect();
    let summary = "installed, moved, found; quickstarts built with it by CMake and pkg-config run";
    Report::unless(problems, summary.to_owned())
}

/// The quickstarts that both ways build.
pub(crate) const BUILT: [&str; 4] = ["c_shared", "c_static", "cpp_shared", "cpp_static"];
/// More programs of `consume`: with CMake's pkg-config module, with the library beside the program, and installed.
pub(crate) const BUILT_BY_CMAKE: [&str; 4] =
    ["module_shared", "module_static", "beside/beside", "installed/bin/cpp_shared"];

/// Builds a project that uses all of an installed package, with the examples below `root`, configured with these arguments.
pub(crate) fn consume(
    workspace: &Workspace,
    package: &Path,
    root: &Path,
    build: &Path,
    arguments: &[String],
) -> Result<()> {
    let mut words = vec![
        define("EXAMPLES", root.join("examples")),
        define("EXPECTED_VERSION", &workspace.version),
        define("EXPECTED_ABI_VERSION", Abi::read(workspace)?.version().to_string()),
    ];
    words.extend_from_slice(arguments);
    // Forget what CMake found in another package, but not what it compiled.
    words.extend(["arr_session*", "shared_*", "static_*", "__pkg_config_*"].map(|found| format!("-U{found}")));
    by_cmake(workspace, "tests/cpp/consumer", package, build, &words)?;
    let mut cmake = Command::new("cmake");
    process::stdout(cmake.arg("--install").arg(build).arg("--prefix").arg(build.join("installed"))).map(drop)
}

/// Builds a project, in the checkout or elsewhere, with an installed package.
pub(crate) fn by_cmake(
    workspace: &Workspace,
    project: impl AsRef<Path>,
    package: &Path,
    build: &Path,
    arguments: &[String],
) -> Result<()> {
    let mut cmake = configure(workspace, project, build)?;
    cmake.arg(define("CMAKE_PREFIX_PATH", package)).args(arguments);
    process::run(cmake, BUILD_LIMIT)?.expect_success("configure")?;
    let mut cmake = Command::new("cmake");
    cmake.arg("--build").arg(build);
    process::run(cmake, BUILD_LIMIT)?.expect_success("build")?;
    Ok(())
}

/// A call of CMake that configures, for the caller to complete. Removes a build folder from before the checkout was moved, which
/// CMake would refuse.
pub(crate) fn configure(workspace: &Workspace, project: impl AsRef<Path>, build: &Path) -> Result<Command> {
    let cache = fs::read_to_string(build.join("CMakeCache.txt")).unwrap_or_default();
    let place = format!("CMAKE_CACHEFILE_DIR:INTERNAL={}", build.display());
    if !cache.is_empty() && !cache.lines().any(|line| line == place) {
        replace(build)?;
    }
    let mut cmake = Command::new("cmake");
    cmake.args(["-G", "Ninja", "--no-warn-unused-cli", "-S"]).arg(workspace.root.join(project)).arg("-B").arg(build);
    Ok(cmake)
}

pub(crate) fn define(name: &str, value: impl AsRef<OsStr>) -> String {
    format!("-D{name}={}", value.as_ref().to_string_lossy())
}

pub(crate) fn by_pkg_config(
    workspace: &Workspace,
    package: &Path,
    root: &Path,
    folder: &Path,
    [cc, cxx]: [&str; 2],
) -> Result<()> {
    replace(folder)?;
    let mut sh = Command::new("sh");
    sh.current_dir(root).env("PKG_CONFIG_PATH", package.join("lib/pkgconfig")).env("CC", cc).env("CXX", cxx);
    sh.arg(workspace.root.join("tests/cpp/consumer/pkg-config.sh")).arg(folder).arg(&workspace.version);
    process::run(sh, BUILD_LIMIT)?.expect_success("build in a shell")?;
    Ok(())
}

//! The system's own C compiler, as a user of the library has it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use cc::Tool;

use crate::artifacts::Library;
use crate::process;
use crate::workspace::Workspace;

/// Compiles one C file into a program that uses the shared library, and returns the program's path.
pub(crate) fn compile(workspace: &Workspace, source: &Path, library: &Library, folder: &Path) -> Result<PathBuf> {
    let tool = find(workspace)?;
    let stem = source.file_stem().context("a C file has a name")?;
    let program = folder.join(stem).with_extension(std::env::consts::EXE_EXTENSION);
    let include = workspace.root.join("include");

    let mut command = tool.to_command();
    // Some compilers leave object files in the current folder.
    command.current_dir(folder);
    if tool.is_like_msvc() {
        command.arg(joined("/I", &include)).arg(source).arg(joined("/Fe:", &program));
        command.arg("/link").arg(&library.link);
    } else {
        command.args(["-std=c99", "-Wpedantic"]).arg(joined("-I", &include)).arg(source);
        command.arg("-o").arg(&program).args(link_arguments(library));
    }
    process::run(command, process::TOOL_LIMIT)
        .with_context(|| format!("the system's C compiler is {}", tool.path().display()))?
        .expect_success(&format!("{} could not compile {}", tool.path().display(), source.display()))?;
    Ok(program)
}

/// Asks the `cc` crate, which knows where each system has its compiler, and reads `CC` and `CFLAGS`.
fn find(workspace: &Workspace) -> Result<Tool> {
    cc::Build::new()
        .target(&workspace.host)
        .host(&workspace.host)
        .opt_level(0)
        .debug(true)
        .warnings(true)
        .extra_warnings(true)
        // Its output is for build scripts.
        .cargo_metadata(false)
        .cargo_warnings(false)
        .try_get_compiler()
        .context(if cfg!(windows) {
            "no C compiler found: install Visual Studio's build tools with the C++ workload"
        } else {
            "no C compiler found: install gcc or clang"
        })
}

/// Arguments for GCC and similar compilers to link against the shared library, and to let the program find it.
pub(crate) fn link_arguments(library: &Library) -> Vec<OsString> {
    if cfg!(windows) {
        return vec![library.link.clone().into()];
    }
    let folder = library.folder();
    let mut arguments = vec![joined("-L", folder), "-larr_session".into(), joined("-Wl,-rpath,", folder)];
    if cfg!(target_os = "linux") {
        // Gives the path above precedence over LD_LIBRARY_PATH, where `cargo run` puts its own folders: a debug build of the
        // library there must not be tested in place of the release build.
        arguments.push("-Wl,--disable-new-dtags".into());
    }
    arguments
}

/// A flag and its path in one word.
pub(crate) fn joined(flag: &str, path: &Path) -> OsString {
    let mut word = OsString::from(flag);
    word.push(path);
    word
}

/// One compiler at one standard, for single files. The CMake project in `tests` covers the others.
#[derive(Clone, Copy)]
pub(crate) struct Dialect {
    compiler: &'static str,
    flags: &'static [&'static str],
}

/// The oldest C and the oldest C++ with the wrappers that are supported.
pub(crate) const GCC_C99: Dialect =
    Dialect { compiler: "gcc", flags: &["-std=c99", "-Wstrict-prototypes", "-Wc++-compat", "-xc"] };
pub(crate) const GCC_CXX17: Dialect =
    Dialect { compiler: "g++", flags: &["-std=c++17", "-Ibindings/cpp/include", "-xc++"] };

impl Dialect {
    /// A compiler command at the workspace's root, with warnings as errors, for the caller to complete.
    pub(crate) fn compiler(self, root: &Path, source: &Path) -> Command {
        let mut command = Command::new(self.compiler);
        command.current_dir(root).args(["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]);
        // The caller's files are not sources in this language.
        command.args(self.flags).arg("-Iinclude").arg(source).arg("-xnone");
        command
    }
}

//! Cargo builds: the library that ships, and what only tests and the demo run.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process::{self, CARGO_LIMIT};
use crate::workspace::Workspace;

/// The library's files.
#[derive(Clone)]
pub(crate) struct Library {
    /// `libarr_session.so`, `libarr_session.dylib` or `arr_session.dll`.
    pub(crate) shared: PathBuf,
    /// `libarr_session.a` or `arr_session.lib`.
    pub(crate) archive: PathBuf,
    /// The file that programs link against: the shared library itself, or on Windows its import library.
    pub(crate) link: PathBuf,
}

impl Library {
    /// For this machine, as it ships.
    pub(crate) fn build(workspace: &Workspace, progress: Progress) -> Result<Self> {
        let mut cargo = workspace.cargo();
        cargo.arg("rustc");
        Self::build_by(cargo, &[], progress)
    }

    /// By a call of `cargo rustc`, with more code generation options (`link-arg=…`). Built alone, so that other members do not add
    /// features to its dependencies.
    pub(crate) fn build_by(mut cargo: Command, options: &[OsString], progress: Progress) -> Result<Self> {
        cargo.args(["--release", "--package", "arr-session", "--lib"]);
        Self::of(build(cargo, options, progress)?)
    }

    fn of(artifacts: Vec<Artifact>) -> Result<Self> {
        let library = artifacts.into_iter().filter(|artifact| artifact.is_target("arr_session"));
        Self::among(&library.flat_map(|artifact| artifact.filenames).collect::<Vec<PathBuf>>())
    }

    /// The library in a folder, such as a package's.
    pub(crate) fn find(folder: &Path) -> Result<Self> {
        let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        Self::among(&entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?)
    }

    /// Finds the library among cargo's files by their names, which differ by platform.
    fn among(files: &[PathBuf]) -> Result<Self> {
        let find = |wanted: &dyn Fn(&Path) -> bool| files.iter().find(|file| wanted(file)).cloned();
        let shared =
            find(&|file| ends_with(file, &[".so", ".dylib", ".dll"])).context("cargo built no shared library")?;
        let archive = find(&|file| ends_with(file, &[".a", ".lib"]) && !is_import_library(file))
            .context("cargo built no static library")?;
        let link = find(&is_import_library).unwrap_or_else(|| shared.clone());
        Ok(Self { shared, archive, link })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.shared.parent().unwrap_or(Path::new("."))
    }

    /// Lets a program find the shared library that it was linked against. Windows has no run path, and searches `PATH`.
    pub(crate) fn let_find(&self, program: &mut Command) -> Result<()> {
        if cfg!(windows) {
            let before = env::var_os("PATH").unwrap_or_default();
            let folders = std::iter::once(self.folder().to_owned()).chain(env::split_paths(&before));
            let path = env::join_paths(folders).context("cannot put the library's folder on the PATH")?;
            program.env("PATH", path);
        }
        Ok(())
    }
}

/// Everything that is run, without optimisation.
pub(crate) struct Development {
    pub(crate) library: Library,
    pub(crate) emulator: PathBuf,
    /// `arr-client`, for Rust programs.
    pub(crate) rlib: PathBuf,
    /// The quickstart in Rust.
    pub(crate) quickstart: PathBuf,
    pub(crate) stress: PathBuf,
}

impl Development {
    /// The features of a crate depend on what is built with it. So all of this is built at once, from the whole workspace and with
    /// an example, which adds the features that tests need: `cargo test` then compiles no crate again.
    pub(crate) fn build(workspace: &Workspace, progress: Progress) -> Result<Self> {
        let mut cargo = workspace.cargo();
        cargo.args(["build", "--workspace", "--lib", "--bin", "arr-emulator", "--bin", "arr-stress"]);
        cargo.args(["--example", "quickstart"]);
        let built = build(cargo, &[], progress)?;
        let program = |name| executable(&built, name);
        let (emulator, quickstart, stress) = (program("arr-emulator")?, program("quickstart")?, program("arr-stress")?);
        let mut files = built.iter().filter(|one| one.is_target("arr_client")).flat_map(|one| &one.filenames);
        let rlib = files.find(|file| ends_with(file, &[".rlib"])).context("cargo built no rlib")?.clone();
        Ok(Self { library: Library::of(built)?, emulator, rlib, quickstart, stress })
    }
}

/// Runs a cargo build of this program, and returns its path.
pub(crate) fn build_program(cargo: Command, name: &str) -> Result<PathBuf> {
    executable(&build(cargo, &[], Progress::Hidden)?, name)
}

/// The same for several programs.
pub(crate) fn build_programs(cargo: Command, names: &[&str]) -> Result<Vec<PathBuf>> {
    let built = build(cargo, &[], Progress::Hidden)?;
    names.iter().map(|name| executable(&built, name)).collect()
}

fn executable(built: &[Artifact], name: &str) -> Result<PathBuf> {
    let mut programs = built.iter().filter(|artifact| artifact.is_target(name));
    programs.find_map(|artifact| artifact.executable.clone()).with_context(|| format!("cargo built no program {name}"))
}

/// Whether to show cargo's progress.
#[derive(Clone, Copy)]
pub(crate) enum Progress {
    Shown,
    Hidden,
}

impl Progress {
    /// Shown on a terminal, hidden in a log.
    pub(crate) fn for_this_terminal() -> Self {
        if std::io::stderr().is_terminal() { Self::Shown } else { Self::Hidden }
    }
}

/// The part of cargo's `compiler-artifact` message with the files. Other messages have other fields.
#[derive(Deserialize)]
struct Artifact {
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

impl Artifact {
    fn is_target(&self, name: &str) -> bool {
        self.target.as_ref().is_some_and(|target| target.name == name)
    }
}

/// Runs a cargo build and returns its results. Only `cargo rustc` takes code generation options.
fn build(mut cargo: Command, options: &[OsString], progress: Progress) -> Result<Vec<Artifact>> {
    cargo.args(["--locked", "--message-format", "json-render-diagnostics"]);
    if !options.is_empty() {
        cargo.arg("--").args(options.iter().flat_map(|option| [OsStr::new("-C"), option]));
    }
    let stderr = match progress {
        Progress::Shown => Stdio::inherit(),
        Progress::Hidden => Stdio::piped(),
    };
    if matches!(progress, Progress::Hidden) {
        cargo.env("CARGO_TERM_QUIET", "true");
    }
    process::stdout_within(&mut cargo, CARGO_LIMIT, stderr)?
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("cannot read cargo's message: {line}")))
        .collect()
}

/// `arr_session.dll.lib` with MSVC, `libarr_session.dll.a` with GNU.
fn is_import_library(file: &Path) -> bool {
    ends_with(file, &[".dll.lib", ".dll.a"])
}

fn ends_with(file: &Path, endings: &[&str]) -> bool {
    let name = file.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
    endings.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_found_by_its_names_on_every_platform() {
        for files in [
            ["libarr_session.so", "libarr_session.a", "libarr_session.so"],
            ["libarr_session.dylib", "libarr_session.a", "libarr_session.dylib"],
            ["arr_session.dll", "arr_session.lib", "arr_session.dll.lib"],
            ["arr_session.dll", "libarr_session.a", "libarr_session.dll.a"],
        ] {
            let library = Library::among(&files.map(PathBuf::from)).unwrap();
            assert_eq!([library.shared, library.archive, library.link], files.map(PathBuf::from));
        }
    }
}

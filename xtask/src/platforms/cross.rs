//! Building the library for another platform than this one.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::artifacts::{self, Library, Progress};
use crate::packages::RUSTC;
use crate::process::{self, CARGO_LIMIT};
use crate::workspace::Workspace;

/// A target of rustc's, and the C tools for it.
pub(crate) struct Cross {
    pub(crate) triple: &'static str,
    /// Compiles the C that is in ring.
    pub(crate) cc: PathBuf,
    pub(crate) ar: Option<PathBuf>,
    /// Further arguments of the linker.
    pub(crate) link: Vec<OsString>,
    /// Whether rustup's standard library is used, rather than one that is built from Debian's sources.
    pub(crate) prebuilt_std: bool,
}

impl Cross {
    /// The library as it ships, alone: see [`Library::build`].
    pub(crate) fn build(&self, workspace: &Workspace) -> Result<Library> {
        let options: Vec<OsString> = self.link.iter().map(|argument| option("link-arg=", argument)).collect();
        Library::build_by(self.cargo(workspace, "rustc")?, &options, Progress::Hidden)
    }

    /// An example in Rust, quickly.
    pub(crate) fn build_example(&self, workspace: &Workspace, name: &str) -> Result<PathBuf> {
        let mut cargo = self.cargo(workspace, "build")?;
        cargo.args(["--package", "arr-session", "--example", name]);
        artifacts::build_program(cargo, name, Progress::Hidden)
    }

    /// Only looks whether all of it is right.
    pub(crate) fn check(&self, workspace: &Workspace) -> Result<()> {
        let mut cargo = self.cargo(workspace, "check")?;
        cargo.args(["--locked", "--quiet", "--package", "arr-session", "--lib"]);
        process::run(cargo, CARGO_LIMIT)?.expect_success(&format!("check for {}", self.triple))?;
        Ok(())
    }

    fn cargo(&self, workspace: &Workspace, command: &str) -> Result<Command> {
        let mut cargo = workspace.cargo();
        cargo.args([command, "--target", self.triple]);
        if !self.prebuilt_std {
            cargo.arg("-Zbuild-std=std,panic_unwind");
            // The switches beginning with -Z are for nightly compilers, unless this is set.
            cargo.env("RUSTC", RUSTC).env("RUSTC_BOOTSTRAP", "1");
        }
        cargo.arg("--target-dir").arg(target_folder(workspace)?);
        let name = self.triple.replace('-', "_");
        cargo.env(format!("CARGO_TARGET_{}_LINKER", name.to_uppercase()), &self.cc);
        cargo.env(format!("CC_{name}"), &self.cc);
        if let Some(ar) = &self.ar {
            cargo.env(format!("AR_{name}"), ar);
        }
        for inherited in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CFLAGS"] {
            cargo.env_remove(inherited);
        }
        Ok(cargo)
    }
}

/// Apart from everything else, so that neither is built anew for the other.
fn target_folder(workspace: &Workspace) -> Result<PathBuf> {
    workspace.scratch("platforms/cargo")
}

fn option(name: &str, value: &OsStr) -> OsString {
    let mut option = OsString::from(name);
    option.push(value);
    option
}

//! Building the library for another platform than this one.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::artifacts::{self, Library, Progress};
use crate::packages::RUSTC;
use crate::process::{self, CARGO_LIMIT};
use crate::workspace::Workspace;

/// What the libraries call the folder of the crates that cargo has fetched.
pub(crate) const FETCHED: &str = "crates";

/// A target of rustc's, and the C tools for it.
pub(crate) struct Cross {
    pub(crate) triple: &'static str,
    /// Compiles the C that is in ring.
    pub(crate) cc: PathBuf,
    pub(crate) ar: Option<PathBuf>,
    /// A folder of programs that go before others of their names.
    pub(crate) tools: Option<PathBuf>,
    /// Further arguments of the linker.
    pub(crate) link: Vec<OsString>,
}

impl Cross {
    /// The library as it ships, alone: see [`Library::build`].
    pub(crate) fn build(&self, workspace: &Workspace) -> Result<Library> {
        let options: Vec<OsString> = self.link.iter().map(|argument| option("link-arg=", argument)).collect();
        let library = Library::build_by(self.cargo(workspace, "rustc")?, &options, Progress::Hidden)?;
        for file in [&library.shared, &library.archive] {
            tells_no_path(file, &[workspace.root.clone(), workspace.target.clone(), cargo_home()?])?;
        }
        Ok(library)
    }

    /// An example in Rust, quickly.
    pub(crate) fn build_example(&self, workspace: &Workspace, name: &str) -> Result<PathBuf> {
        let mut cargo = self.cargo(workspace, "build")?;
        cargo.args(["--package", "arr-client", "--example", name]);
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
        cargo.args([command, "--target", self.triple, "-Zbuild-std=std,panic_unwind"]);
        // The switches beginning with -Z are for nightly compilers, unless this is set.
        cargo.env("RUSTC", RUSTC).env("RUSTC_BOOTSTRAP", "1");
        cargo.arg("--target-dir").arg(target_folder(workspace, self.triple)?);
        let name = self.triple.replace('-', "_");
        cargo.env(format!("CARGO_TARGET_{}_LINKER", name.to_uppercase()), &self.cc);
        cargo.env(format!("CC_{name}"), &self.cc);
        if let Some(ar) = &self.ar {
            cargo.env(format!("AR_{name}"), ar);
        }
        if let Some(tools) = &self.tools {
            let before = env::var_os("PATH").unwrap_or_default();
            let path = env::join_paths([tools.clone()].into_iter().chain(env::split_paths(&before)));
            cargo.env("PATH", path.context("cannot put a folder on the PATH")?);
        }
        for inherited in ["RUSTFLAGS", "CFLAGS"] {
            cargo.env_remove(inherited);
        }
        let renamed = renamed_folders(workspace)?;
        let flags = |switch: &str| -> Vec<String> {
            renamed.iter().map(|(from, to)| format!("{switch}={}={to}", from.display())).collect()
        };
        cargo.env("CARGO_ENCODED_RUSTFLAGS", flags("--remap-path-prefix").join("\u{1f}"));
        // For the C that is in ring, whose debug information names its sources. In quotes, as a checkout's path may have blanks.
        let quoted: Vec<String> = flags("-ffile-prefix-map").iter().map(|flag| format!("'{flag}'")).collect();
        cargo.env(format!("CFLAGS_{name}"), quoted.join(" ")).env("CC_SHELL_ESCAPED_FLAGS", "1");
        Ok(cargo)
    }
}

/// Apart from everything else, so that neither is built anew for the other; and where the platform has this machine's triple,
/// apart from the other platforms too: there the linker is that of the build scripts as well, which all share.
fn target_folder(workspace: &Workspace, triple: &str) -> Result<PathBuf> {
    workspace.scratch(if triple == workspace.host { "platforms/cargo-here" } else { "platforms/cargo" })
}

/// What the compilers write for the folders of this machine, into messages and debug information: where sources lie is
/// nobody's business, and the same sources give the same bytes wherever they lie.
fn renamed_folders(workspace: &Workspace) -> Result<Vec<(PathBuf, &'static str)>> {
    let mut renamed =
        vec![(workspace.root.clone(), "arr-session"), (workspace.target.clone(), "target"), (cargo_home()?, "cargo")];
    // Named after the address that the crates came from, which may be that of a mirror. The last that fits counts.
    renamed.extend(crate_sources()?.into_iter().map(|folder| (folder, FETCHED)));
    Ok(renamed)
}

/// Where cargo puts the sources of the crates that it fetches, in folders called `NAME-VERSION`.
pub(crate) fn crate_sources() -> Result<Vec<PathBuf>> {
    let sources = cargo_home()?.join("registry/src");
    if !sources.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(&sources).with_context(|| format!("cannot list {}", sources.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

fn cargo_home() -> Result<PathBuf> {
    let home = || env::home_dir().map(|home| home.join(".cargo"));
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home).context("there is neither CARGO_HOME nor HOME")
}

/// Fails if one of these folders is named in the file, as it is or in a symbol.
fn tells_no_path(file: &Path, folders: &[PathBuf]) -> Result<()> {
    let data = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    for folder in folders {
        let path = folder.as_os_str().as_encoded_bytes();
        let in_symbol: Vec<u8> =
            path.iter().map(|&byte| if byte.is_ascii_alphanumeric() { byte } else { b'_' }).collect();
        // In a symbol, a folder of one word could be any word.
        let told =
            has_folder(&data, path, b"/\\") || (folder.iter().count() > 2 && has_folder(&data, &in_symbol, b"_"));
        ensure!(!told, "{} tells of {}, a folder of this machine", file.display(), folder.display());
    }
    Ok(())
}

/// Whether this path is there, from its beginning, and then something below it: `/src` is not in `crates/ring/src/lib.rs`.
fn has_folder(data: &[u8], path: &[u8], separators: &[u8]) -> bool {
    let part_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
    data.windows(path.len() + 1).enumerate().any(|(at, window)| {
        window.starts_with(path)
            && separators.contains(&window[path.len()])
            && !at.checked_sub(1).is_some_and(|before| part_of_name(&data[before]))
    })
}

fn option(name: &str, value: &OsStr) -> OsString {
    let mut option = OsString::from(name);
    option.push(value);
    option
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_this_machine_in_a_file_is_seen() {
        let file = env::temp_dir().join(format!("arr-cross-{}", std::process::id()));
        fs::write(&file, b"\0crates/ring-0.17/src/lib.rs\0/home/me/.cargo/x\0_head__srv_of_mine_target\0").unwrap();
        let judge = |folder: &str| tells_no_path(&file, &[PathBuf::from(folder)]);
        let (elsewhere, here) = (judge("/home/you/.cargo"), judge("/home/me/.cargo"));
        let in_symbol = judge("/srv/of mine");
        let parts = ["/src", "/head", "/home/m", "/crates", "/target"].map(judge);
        fs::remove_file(&file).unwrap();
        elsewhere.unwrap();
        assert!(here.unwrap_err().to_string().contains("tells of /home/me/.cargo"));
        assert!(in_symbol.is_err());
        for part in parts {
            part.unwrap();
        }
    }
}

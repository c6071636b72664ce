//! The workspace's folders, and cargo calls in it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process;

/// The name, in binaries, of the folder with the crates that cargo has fetched.
pub(crate) const FETCHED: &str = "crates";

/// The checkout that `cargo xtask` was called in.
pub(crate) struct Workspace {
    /// The folder of the workspace's Cargo.toml.
    pub(crate) root: PathBuf,
    /// Cargo's target folder. All output goes below it.
    pub(crate) target: PathBuf,
    /// The oldest supported compiler, from Cargo.toml.
    pub(crate) rust_version: String,
    pub(crate) version: String,
    /// The target triple of this machine.
    pub(crate) host: String,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    rust_version: Option<String>,
}

impl Workspace {
    /// Asks cargo instead of compiling the path into xtask: a checkout can be moved.
    pub(crate) fn find() -> Result<Self> {
        Self::by(&cargo)
    }

    /// The checkout with its Cargo.toml in this folder.
    pub(crate) fn at(root: &Path) -> Result<Self> {
        Self::by(&|| {
            let mut cargo = cargo();
            cargo.current_dir(root);
            cargo
        })
    }

    fn by(cargo: &dyn Fn() -> Command) -> Result<Self> {
        let json = process::stdout(cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
        let metadata: Metadata = serde_json::from_str(&json).context("cannot read the output of `cargo metadata`")?;
        let library = metadata
            .packages
            .into_iter()
            .find(|package| package.name == "arr-session")
            .context("this workspace has no package arr-session")?;
        let rust_version = library.rust_version.context("Cargo.toml states no rust-version")?;

        let about_cargo = process::stdout(cargo().arg("-vV"))?;
        let host =
            about_cargo.lines().find_map(|line| line.strip_prefix("host: ")).context("`cargo -vV` names no host")?;

        Ok(Self {
            root: metadata.workspace_root,
            target: metadata.target_directory,
            rust_version,
            version: library.version,
            host: host.to_owned(),
        })
    }

    /// A cargo call in this workspace.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root);
        command
    }

    /// Reads a text file of the checkout, by its path from the root with `/` between folders.
    pub(crate) fn read(&self, path: &str) -> Result<String> {
        std::fs::read_to_string(self.root.join(path)).with_context(|| format!("cannot read {path}"))
    }

    /// A folder below the target folder, created if necessary.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf> {
        let folder = self.target.join(name);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        Ok(folder)
    }
}

/// Creates an empty folder, replacing an existing one.
pub(crate) fn replace(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// The cargo that runs this task, without its variables about the xtask package: ring's build script reads them, so each change
/// between `cargo build` and `cargo xtask` would recompile ring.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    for (name, _) in env::vars_os() {
        let about_xtask =
            name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"));
        if about_xtask {
            command.env_remove(name);
        }
    }
    command
}

/// The folders where cargo puts the sources of fetched crates, as `NAME-VERSION`.
pub(crate) fn crate_sources() -> Result<Vec<PathBuf>> {
    let sources = cargo_home()?.join("registry/src");
    if !sources.exists() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(&sources).with_context(|| format!("cannot list {}", sources.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

pub(crate) fn cargo_home() -> Result<PathBuf> {
    let home = || env::home_dir().map(|home| home.join(".cargo"));
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home).context("there is neither CARGO_HOME nor HOME")
}

//! Windows, as far as wine is one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::windows::MINGW_CC;
use crate::process;
use crate::workspace::Workspace;

/// Debian puts it where no PATH looks.
const WINE: &str = "/usr/lib/wine/wine64";
/// A function of newer Windows that this wine does not have, and Rust's standard library needs.
const SHIM: &str = "xtask/wine/bcryptprimitives.c";
/// Runs a program and tells how it ended, which wine itself does not always.
const WAIT: &str = "xtask/wine/wait.c";
/// Making a Windows takes a while.
const BOOT_LIMIT: Duration = Duration::from_secs(300);

#[derive(Clone)]
pub(crate) struct Wine {
    /// The folder that is a whole Windows.
    prefix: PathBuf,
}

impl Wine {
    /// The one of an earlier run, or a new one.
    pub(crate) fn provide(workspace: &Workspace) -> Result<Self> {
        let wine = Self { prefix: workspace.target.join("platforms/wine") };
        // What is made last.
        if !wine.wait().exists() {
            wine.make(workspace)?;
        }
        wine.expect_to_be_told()?;
        Ok(wine)
    }

    fn make(&self, workspace: &Workspace) -> Result<()> {
        if self.prefix.exists() {
            fs::remove_dir_all(&self.prefix).context("cannot remove what an interrupted run has left")?;
        }
        fs::create_dir_all(&self.prefix)?;
        let version = ["reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f"];
        for call in [&["wineboot", "-i"][..], &version] {
            let mut wine = self.bare();
            wine.args(call);
            process::run(wine, BOOT_LIMIT)?.expect_success(&format!("wine {}", call[0]))?;
        }
        let compile = |source: &str, output: &Path, options: &[&str]| {
            let mut compiler = Command::new(MINGW_CC);
            compiler.arg("-O2").arg("-o").arg(output).arg(workspace.root.join(source)).args(options);
            process::run(compiler, process::TOOL_LIMIT)?.expect_success(&format!("compile {source}"))
        };
        let system = self.prefix.join("drive_c/windows/system32");
        compile(SHIM, &system.join("bcryptprimitives.dll"), &["-shared", "-ladvapi32"])?;
        compile(WAIT, &self.wait(), &[])?;
        Ok(())
    }

    /// Were the exit code lost, no program could fail.
    fn expect_to_be_told(&self) -> Result<()> {
        let mut failing = self.bare();
        failing.arg(self.wait()).args(["cmd", "/c", "exit 42"]);
        let told = process::run(failing, BOOT_LIMIT)?;
        ensure!(told.exit_code() == Some(42), "wine does not tell exit codes, which should be 42: {told}");
        Ok(())
    }

    fn wait(&self) -> PathBuf {
        self.prefix.join("wait.exe")
    }

    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut wine = self.bare();
        wine.arg(self.wait()).arg(windows_path(program));
        wine
    }

    fn bare(&self) -> Command {
        let mut wine = Command::new(WINE);
        wine.env("WINEPREFIX", &self.prefix).env("WINEDEBUG", "-all").env_remove("DISPLAY");
        wine
    }
}

/// The name that wine gives to a path from the root.
fn windows_path(path: &Path) -> String {
    format!("Z:{}", path.to_string_lossy().replace('/', "\\"))
}

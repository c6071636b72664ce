//! Windows, as far as wine is one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::process;
use crate::workspace::Workspace;

/// Debian puts it where no PATH looks.
const WINE: &str = "/usr/lib/wine/wine64";
/// A function of newer Windows that this wine does not have, and Rust's standard library needs.
const SHIM: &str = "xtask/wine/bcryptprimitives.c";
/// Runs a program and tells how it ended, which wine itself does not always.
const WAIT: &str = "xtask/wine/wait.c";
/// Compiles the two.
const CC: &str = "x86_64-w64-mingw32-gcc";
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
            let mut compiler = Command::new(CC);
            compiler.arg("-O2").arg("-o").arg(output).arg(workspace.root.join(source)).args(options);
            process::run(compiler, process::TOOL_LIMIT)?.expect_success(&format!("compile {source}"))
        };
        let system = self.prefix.join("drive_c/windows/system32");
        compile(SHIM, &system.join("bcryptprimitives.dll"), &["-shared", "-ladvapi32"])?;
        compile(WAIT, &self.wait(), &[])?;
        Ok(())
    }

    fn wait(&self) -> PathBuf {
        self.prefix.join("wait.exe")
    }

    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut wine = self.bare();
        // By the name that wine gives to a path from the root.
        wine.arg(self.wait()).arg(format!("Z:{}", program.to_string_lossy().replace('/', "\\")));
        wine
    }

    /// The same in a shell's words, for a program that is to be named there. Without the program that waits, the process that
    /// the shell knows is the program itself, and can be ended.
    pub(crate) fn in_shell(&self, waits: bool) -> String {
        let wait = if waits { format!(" '{}'", self.wait().display()) } else { String::new() };
        format!("env -u DISPLAY WINEDEBUG=-all 'WINEPREFIX={}' {WINE}{wait}", self.prefix.display())
    }

    fn bare(&self) -> Command {
        let mut wine = Command::new(WINE);
        wine.env("WINEPREFIX", &self.prefix).env("WINEDEBUG", "-all").env_remove("DISPLAY");
        wine
    }
}

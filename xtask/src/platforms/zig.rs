//! zig as a C compiler and linker: it has the C libraries of many systems, and of each age.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::process;
use crate::python::{Environment, Packages};
use crate::workspace::Workspace;

const PACKAGES: Packages =
    Packages { folder: "zig", requirements: "xtask/zig/requirements.txt", complete: true, what: "zig" };
const PACKAGE_FOLDER: &str = "import sysconfig; print(sysconfig.get_path('purelib'))";
/// Takes out of a call what rustc says for another linker.
const WRAPPER: &str = "xtask/zig/cc.sh";

/// A compiler for one target, as two programs without arguments of their own.
pub(crate) struct Zig {
    pub(crate) cc: PathBuf,
    pub(crate) ar: PathBuf,
}

impl Zig {
    /// `target` is zig's word for it, such as `x86_64-linux-gnu.2.17`.
    pub(crate) fn provide(workspace: &Workspace, target: &str) -> Result<Self> {
        let environment = Environment::provide(workspace, &PACKAGES)?;
        let folder = process::stdout(environment.command().args(["-c", PACKAGE_FOLDER]))?;
        let zig = Path::new(folder.trim_end()).join("ziglang/zig");
        executable(&zig)?;
        let scripts = workspace.scratch("platforms/zig")?;
        let wrapper = workspace.root.join(WRAPPER);
        let script = |name: &str, call: String| -> Result<PathBuf> {
            let path = scripts.join(format!("{target}-{name}.sh"));
            fs::write(&path, format!("#!/bin/sh\n{call} \"$@\"\n"))
                .with_context(|| format!("cannot write {}", path.display()))?;
            executable(&path)?;
            Ok(path)
        };
        let cc = script("cc", format!("exec bash '{}' '{}' {target}", wrapper.display(), zig.display()))?;
        let ar = script("ar", format!("exec '{}' ar", zig.display()))?;
        Ok(Self { cc, ar })
    }
}

fn executable(path: &Path) -> Result<()> {
    let metadata = fs::metadata(path).with_context(|| format!("there is no {}", path.display()))?;
    let mut permissions = metadata.permissions();
    permissions.set_mode(permissions.mode() | 0o111);
    fs::set_permissions(path, permissions).with_context(|| format!("cannot make {} a program", path.display()))
}

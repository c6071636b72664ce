//! zig as a C compiler and linker: it has the C libraries of many systems, and of each age.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use anyhow::Result;

use crate::process;
use crate::python::{Environment, Packages};
use crate::workspace::Workspace;

const PACKAGES: Packages =
    Packages { folder: "zig", requirements: "xtask/zig/requirements.txt", complete: true, what: "zig" };
const PROGRAM: &str = "ziglang/zig";
/// Takes out of a call what rustc says for another linker.
const WRAPPER: &str = "xtask/zig/cc.sh";

/// A compiler for one target, as two programs without arguments of their own.
pub(crate) struct Zig {
    pub(crate) cc: PathBuf,
    pub(crate) ar: PathBuf,
    program: PathBuf,
}

impl Zig {
    /// `target` is zig's word for it, such as `x86_64-linux-gnu.2.17`.
    pub(crate) fn provide(workspace: &Workspace, target: &str) -> Result<Self> {
        // Two platforms may ask for it at once.
        static PROVIDING: Mutex<()> = Mutex::new(());
        let providing = PROVIDING.lock();
        let zig = Environment::provide(workspace, &PACKAGES)?.program(PROGRAM)?;
        drop(providing);
        let scripts = workspace.scratch("platforms/zig")?;
        let wrapper = workspace.root.join(WRAPPER);
        // It compiles C libraries when they are first asked for, and without a HOME it would not know where to keep them.
        let cache = workspace.target.join("platforms/zig/cache");
        let script = |name: &str, call: &str| process::script(scripts.join(format!("{target}-{name}.sh")), call);
        let set = format!("env 'ZIG_GLOBAL_CACHE_DIR={}'", cache.display());
        let cc = script("cc", &format!("{set} bash '{}' '{}' {target}", wrapper.display(), zig.display()))?;
        let ar = script("ar", &format!("'{}' ar", zig.display()))?;
        Ok(Self { cc, ar, program: zig })
    }

    /// What it came with lies there.
    pub(crate) fn folder(&self) -> &Path {
        self.program.parent().unwrap_or(Path::new("."))
    }

    pub(crate) fn version(&self) -> Result<String> {
        Ok(process::stdout(Command::new(&self.program).arg("version"))?.trim().to_owned())
    }
}

//! zig as a C compiler and linker: it has the C libraries of many systems, in old and new versions.

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
/// Removes arguments that rustc means for another linker.
const WRAPPER: &str = "xtask/zig/cc.sh";

/// A compiler for one target, as two programs that need no arguments.
pub(crate) struct Zig {
    pub(crate) cc: PathBuf,
    pub(crate) ar: PathBuf,
    program: PathBuf,
}

impl Zig {
    /// `target` is zig's name, such as `x86_64-linux-gnu.2.17`.
    pub(crate) fn provide(workspace: &Workspace, target: &str) -> Result<Self> {
        // Two platforms may need it at once.
        static PROVIDING: Mutex<()> = Mutex::new(());
        let providing = PROVIDING.lock();
        let zig = Environment::provide(workspace, &PACKAGES)?.program(PROGRAM)?;
        drop(providing);
        let scripts = workspace.scratch("platforms/zig")?;
        let wrapper = workspace.root.join(WRAPPER);
        // zig compiles C libraries when first needed. The cache works without a HOME too.
        let cache = workspace.target.join("platforms/zig/cache");
        let script = |name: &str, call: &str| process::script(scripts.join(format!("{target}-{name}.sh")), call);
        let set = format!("env 'ZIG_GLOBAL_CACHE_DIR={}'", cache.display());
        let cc = script("cc", &format!("{set} bash '{}' '{}' {target}", wrapper.display(), zig.display()))?;
        let ar = script("ar", &format!("'{}' ar", zig.display()))?;
        Ok(Self { cc, ar, program: zig })
    }

    /// Its folder, with its libraries.
    pub(crate) fn folder(&self) -> &Path {
        self.program.parent().unwrap_or(Path::new("."))
    }

    pub(crate) fn version(&self) -> Result<String> {
        Ok(process::stdout(Command::new(&self.program).arg("version"))?.trim().to_owned())
    }
}

//! One compiler at one standard, for single files. The CMake project in `tests` has them all.

use std::path::Path;
use std::process::Command;

#[derive(Clone, Copy)]
pub(crate) struct Dialect {
    compiler: &'static str,
    flags: &'static [&'static str],
}

/// The oldest C and the oldest C++ with the wrappers that are supported.
pub(crate) const GCC_C99: Dialect =
    Dialect { compiler: "gcc", flags: &["-std=c99", "-Wstrict-prototypes", "-Wc++-compat", "-xc"] };
pub(crate) const GCC_CXX17: Dialect =
    Dialect { compiler: "g++", flags: &["-std=c++17", "-Ibindings/cpp/include", "-xc++"] };

impl Dialect {
    /// A compiler command at the workspace's root, with warnings as errors, for the caller to complete.
    pub(crate) fn compiler(self, root: &Path, source: &Path) -> Command {
        let mut command = Command::new(self.compiler);
        command.current_dir(root).args(["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]);
        // Whatever the caller adds is not a source in this language.
        command.args(self.flags).arg("-Iinclude").arg(source).arg("-xnone");
        command
    }
}

//! The compilers and language standards that the headers and the programs in C and C++ are held to.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::abi::header;
use crate::context::Context;
use crate::process::{self, Finished};
use crate::step::Report;

/// What a careful user turns on, and then some. The header must stay silent in their builds.
const WARNINGS: &[&str] = &["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"];
/// These exist for C only.
const C_WARNINGS: &[&str] = &["-Wstrict-prototypes", "-Wc++-compat"];

/// How engines and embedded programs compile C++: the wrappers must do without both.
const BARE: &[&str] = &["-fno-exceptions", "-fno-rtti"];

/// One compiler at one standard.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    compiler: &'static str,
    standard: &'static str,
    /// C++ without exceptions and run-time type information.
    bare: bool,
}

const fn dialect(compiler: &'static str, standard: &'static str) -> Dialect {
    Dialect { compiler, standard, bare: false }
}

const fn bare(dialect: Dialect) -> Dialect {
    Dialect { bare: true, ..dialect }
}

pub(crate) const GCC_C99: Dialect = dialect("gcc", "c99");
const CLANG_CXX11: Dialect = dialect("clang++", "c++11");

/// The oldest C and the oldest C++ that are supported: what the C programs are written in.
pub(crate) const PROGRAMS: &[Dialect] = &[GCC_C99, dialect("clang", "c99"), dialect("g++", "c++11"), CLANG_CXX11];

/// Those whose programs run under valgrind too: one by each compiler, as C and as C++, each in one of the two ways to the service.
/// All four make the same calls of the same library.
pub(crate) const VALGRIND_HTTPS: Dialect = GCC_C99;
pub(crate) const VALGRIND_HTTP: Dialect = CLANG_CXX11;

/// What the header is compiled as.
const HEADER: &[Dialect] = &[
    GCC_C99,
    dialect("gcc", "c11"),
    dialect("g++", "c++11"),
    dialect("g++", "c++17"),
    dialect("clang", "c99"),
    dialect("clang", "c11"),
    dialect("clang++", "c++11"),
    dialect("clang++", "c++17"),
];

/// The oldest C++ that the wrappers are for.
pub(crate) const GCC_CXX17: Dialect = dialect("g++", "c++17");
const GCC_CXX20: Dialect = dialect("g++", "c++20");
const CLANG_CXX17: Dialect = dialect("clang++", "c++17");
const CLANG_CXX20: Dialect = dialect("clang++", "c++20");
pub(crate) const GCC_CXX17_BARE: Dialect = bare(GCC_CXX17);
pub(crate) const CLANG_CXX20_BARE: Dialect = bare(CLANG_CXX20);

/// A C++ that is too old for the wrappers, by the compiler that says what is wrong in the order of the text.
pub(crate) const TOO_OLD: Dialect = dialect("clang++", "c++14");

/// What the wrappers, and what is written with them, are compiled as.
pub(crate) const WRAPPERS: &[Dialect] = &[
    GCC_CXX17,
    GCC_CXX17_BARE,
    GCC_CXX20,
    bare(GCC_CXX20),
    CLANG_CXX17,
    bare(CLANG_CXX17),
    CLANG_CXX20,
    CLANG_CXX20_BARE,
];

impl Dialect {
    /// A call of the compiler at the workspace's root, with the warnings and the headers' folders, to be completed by the
    /// caller.
    pub(crate) fn compiler(self, root: &Path, source: &Path) -> Command {
        let mut command = Command::new(self.compiler);
        command.current_dir(root);
        command.args(WARNINGS).arg(format!("-std={}", self.standard));
        if self.bare {
            command.args(BARE);
        }
        if self.is_cpp() {
            command.args(["-Ibindings/cpp/include", "-x", "c++"]);
        } else {
            command.args(["-x", "c"]).args(C_WARNINGS);
        }
        command.arg("-Iinclude").arg(source);
        // A library named after this point is not a C source.
        command.args(["-x", "none"]);
        command
    }

    /// Compiles without making anything.
    pub(crate) fn check(self, root: &Path, source: &Path) -> Result<Finished> {
        let mut command = self.compiler(root, source);
        command.arg("-fsyntax-only");
        process::run(command, process::TOOL_LIMIT)
    }

    /// For file names: `quickstart` becomes `quickstart-g++-c++11`.
    pub(crate) fn name_for(self, stem: &OsStr) -> PathBuf {
        let bare = if self.bare { "-bare" } else { "" };
        PathBuf::from(format!("{}-{}-{}{bare}", stem.to_string_lossy(), self.compiler, self.standard))
    }

    /// The compiler's name.
    pub(crate) fn program(self) -> &'static str {
        self.compiler
    }

    fn is_cpp(self) -> bool {
        self.standard.starts_with("c++")
    }
}

impl std::fmt::Display for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bare = if self.bare { ", no exceptions" } else { "" };
        write!(f, "{} as {}{bare}", self.compiler, self.standard.to_uppercase())
    }
}

/// The header needs nothing before it, and may be included twice.
pub(crate) fn check_header(context: &Context) -> Result<Report> {
    let folder = context.workspace.scratch("xtask/header")?;
    let include = format!("#include \"{}\"\n", header::PATH.trim_start_matches("include/"));
    let mut problems = Vec::new();
    for (name, source) in [("once.c", include.clone()), ("twice.c", include.repeat(2))] {
        let file = folder.join(name);
        std::fs::write(&file, source)?;
        for dialect in HEADER {
            let checked = dialect.check(&context.workspace.root, &file)?;
            if !checked.succeeded() {
                problems.push(format!("{dialect}, {name}:\n{}", checked.output().trim_end()));
            }
        }
    }
    Report::unless(problems, format!("{} dialects, once and twice", HEADER.len()))
}

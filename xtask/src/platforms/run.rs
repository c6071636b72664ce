//! Running what was built for another machine: under qemu, or under wine.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::shop::Shop;
use super::wine::Wine;
use crate::artifacts::Library;
use crate::c::compiler::joined;
use crate::c::programs::{self, RUN_LIMIT, SLOW_FRAMES};
use crate::context::POLL_INTERVAL_MS;
use crate::emulator::ApiVersion;
use crate::parallel;
use crate::process;
use crate::story;
use crate::story::tellers::Teller;

/// Where Debian keeps the C library of that machine.
const ARM64_ROOT: &str = "/usr/aarch64-linux-gnu";

/// GCC's own libraries become part of a program in C++: on Windows their DLLs lie where nothing looks for them.
pub(crate) const STATIC_CXX: [&str; 2] = ["-static-libstdc++", "-static-libgcc"];

/// What runs a program.
#[derive(Clone)]
pub(crate) enum Runner {
    Here,
    Qemu,
    Wine(Wine),
}

impl Runner {
    pub(crate) fn command(&self, program: &Path) -> Command {
        match self {
            Self::Here => Command::new(program),
            Self::Qemu => {
                let mut qemu = Command::new("qemu-aarch64-static");
                qemu.args(["-L", ARM64_ROOT]).arg(program);
                qemu
            }
            Self::Wine(wine) => wine.command(program),
        }
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

/// A machine that C and C++ programs are made for.
pub(crate) struct Machine {
    pub(crate) cc: &'static str,
    pub(crate) cxx: &'static str,
    pub(crate) runner: Runner,
    /// How a program is linked with the shared library.
    pub(crate) link: Vec<OsString>,
    /// The programs' folder, which has the library beside them where it is looked for there.
    pub(crate) folder: PathBuf,
}

impl Machine {
    /// One whose programs find the library beside them, as it is installed: a file by the name that they remember, and one
    /// by the name that the linker looks for.
    pub(crate) fn linux(
        (cc, cxx): (&'static str, &'static str),
        runner: Runner,
        library: &Library,
        soname: &str,
        folder: PathBuf,
    ) -> Result<Self> {
        for name in [soname, "libarr_session.so"] {
            let file = folder.join(name);
            fs::copy(&library.shared, &file).with_context(|| format!("cannot write {}", file.display()))?;
        }
        let link = vec![joined("-L", &folder), "-larr_session".into(), joined("-Wl,-rpath,", &folder)];
        Ok(Self { cc, cxx, runner, link, folder })
    }

    pub(crate) fn compile_c(&self, root: &Path, source: &Path) -> Result<PathBuf> {
        self.compile(self.cc, &["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"], root, source, "c")
    }

    pub(crate) fn compile_cpp(&self, root: &Path, source: &Path) -> Result<PathBuf> {
        let flags = ["-std=c++17", "-fno-exceptions", "-fno-rtti", "-Ibindings/cpp/include"];
        self.compile(self.cxx, &[&flags[..], &STATIC_CXX].concat(), root, source, "cpp")
    }

    fn compile(&self, compiler: &str, flags: &[&str], root: &Path, source: &Path, suffix: &str) -> Result<PathBuf> {
        let stem = source.file_stem().context("a program has a name")?.to_string_lossy();
        // Windows runs nothing else; other systems do not care.
        let program = self.folder.join(format!("{stem}-{suffix}.exe"));
        let mut command = Command::new(compiler);
        command.current_dir(root).args(flags).args(["-O1", "-Iinclude"]).arg(source).arg("-o").arg(&program);
        command.args(&self.link);
        process::run(command, process::TOOL_LIMIT)?.expect_success(&format!("{compiler} {}", source.display()))?;
        Ok(program)
    }

    /// Every contract test in C, with both versions of the REST API, over HTTPS. Returns how many there are.
    pub(crate) fn contract_tests(&self, shop: &Shop) -> Result<usize> {
        let root = &shop.workspace.root;
        let emulator = shop.emulator()?;
        let tests = programs::list(root, programs::TESTS)?;
        let problems = parallel::work_off(&tests, |source| {
            let program = self.compile_c(root, source)?;
            for version in ApiVersion::BOTH {
                let mut test = self.runner.command(&program);
                // Neither of them is as fast as the machine that it stands for.
                test.envs(SLOW_FRAMES).env("ARR_JOURNAL", programs::new_journal(&program));
                emulator.introduce_to(&mut test, version, POLL_INTERVAL_MS);
                let finished = process::run(test, RUN_LIMIT)?;
                finished.expect_success(&format!("{}, REST {version}", source.display()))?;
            }
            Ok(())
        });
        if !problems.is_empty() {
            anyhow::bail!("{}", problems.join("\n"));
        }
        Ok(tests.len())
    }

    /// A teller of the story: the quickstart that this source is.
    pub(crate) fn teller(&self, name: &str, program: PathBuf) -> Teller {
        let runner = self.runner.clone();
        Teller::new(format!("{name} {runner}"), move || Ok(runner.command(&program)))
    }
}

/// Has them tell the story, each with both versions of the REST API, over HTTPS: all must tell the same.
pub(crate) fn story(shop: &Shop, tellers: &[Teller]) -> Result<()> {
    let problems = story::compare(&shop.workspace, shop.emulator_program()?, tellers);
    if !problems.is_empty() {
        anyhow::bail!("{}", problems.join("\n"));
    }
    Ok(())
}

/// Puts a file beside programs.
pub(crate) fn put_beside(file: &Path, folder: &Path) -> Result<()> {
    let name = file.file_name().context("a file has a name")?;
    fs::copy(file, folder.join(name)).with_context(|| format!("cannot copy {}", file.display()))?;
    Ok(())
}

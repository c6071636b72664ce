//! The C examples and C tests: every program by every compiler, run plain and under valgrind against an emulator.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::c::compiler;
use crate::c::dialect::{self, Dialect};
use crate::context::{Context, POLL_INTERVAL_MS};
use crate::emulator::{ApiVersion, Emulator};
use crate::parallel::work_off_by_name;
use crate::process;
use crate::step::Report;

const EXAMPLES: &str = "examples/c";
pub(crate) const TESTS: &str = "tests/c";

/// For one run of one program.
pub(crate) const RUN_LIMIT: Duration = Duration::from_secs(120);

pub(crate) const VALGRIND: &[&str] = &[
    "--quiet",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite",
    "--show-leak-kinds=definite",
    "--error-exitcode=9",
    "--num-callers=30",
];

/// For programs with a frame loop: that many frames, one after the other.
const FRAMES: [(&str, &str); 2] = [("ARR_FRAMES", "10000"), ("ARR_FRAME_PAUSE_MS", "0")];
/// Under valgrind, where one thread runs at a time and a budget of time means nothing.
pub(crate) const SLOW_FRAMES: [(&str, &str); 3] =
    [("ARR_FRAMES", "200"), ("ARR_FRAME_PAUSE_MS", "1"), ("ARR_SLOW", "1")];

/// Over HTTPS only. Valgrind takes the authentication tags of AES-GCM for uninitialised: a known mistake about this very
/// assembly, which OpenSSL shares (openssl/openssl issue 19719); were it true, no peer would accept a record. Such
/// values are looked for over HTTP, where all else is the same.
pub(crate) const UNDEFINED_VALUES_ALLOWED: &str = "--undef-value-errors=no";

/// What Rust's standard library asks of the system when it is linked into a C program.
pub(crate) const STATIC_LIBRARY_NEEDS: &[&str] = &["-lgcc_s", "-lpthread", "-ldl", "-lm"];

/// Each example and each test, in each dialect, against the shared library and with each version of the REST API; run
/// plain and under valgrind.
pub(crate) fn check_all(context: &Context) -> Result<Report> {
    let folder = context.workspace.scratch("xtask/c")?;
    let (library, emulators) = (context.library()?, context.emulators()?);
    let root = &context.workspace.root;

    let programs = [list(root, EXAMPLES)?, list(root, TESTS)?].concat();
    let builds = builds(&programs, dialect::PROGRAMS);
    let problems = work_off_by_name(&builds, |build| {
        let program = build.compile(root, &folder, &compiler::link_arguments(library))?;
        for version in ApiVersion::BOTH {
            run(plain(&program), &emulators.https, version).context("run plain")?;
        }
        if build.dialect == dialect::VALGRIND_HTTPS {
            let watched = valgrind(&[UNDEFINED_VALUES_ALLOWED], &program);
            run(watched, &emulators.https, ApiVersion::V2021_01_01).context("run under valgrind, HTTPS, 2021-01-01")?;
        }
        if build.dialect == dialect::VALGRIND_HTTP {
            run(valgrind(&[], &program), &emulators.http, ApiVersion::V1).context("run under valgrind, HTTP, v1")?;
        }
        Ok(())
    });
    let summary = format!(
        "{} programs, {} builds of each, run plain with both REST versions, 2 of them under valgrind too",
        programs.len(),
        dialect::PROGRAMS.len(),
    );
    Report::unless(problems, summary)
}

/// Each example once more, with the library inside.
pub(crate) fn check_static(context: &Context) -> Result<Report> {
    let folder = context.workspace.scratch("xtask/static")?;
    let (library, emulator) = (context.library()?, &context.emulators()?.https);
    let root = &context.workspace.root;

    let mut link = vec![library.archive.clone().into_os_string()];
    link.extend(STATIC_LIBRARY_NEEDS.iter().map(OsString::from));
    let programs = list(root, EXAMPLES)?;
    let problems = work_off_by_name(&builds(&programs, &[dialect::GCC_C99]), |build| {
        let program = build.compile(root, &folder, &link)?;
        run(plain(&program), emulator, ApiVersion::V1)
    });
    Report::unless(problems, format!("{} with the library inside", programs.len()))
}

/// The C files of a folder, each of which is a program.
pub(crate) fn list(root: &Path, folder: &str) -> Result<Vec<PathBuf>> {
    files(root, folder, "c")
}

/// The files of a folder that end so, by their paths from the root. There is at least one.
pub(crate) fn files(root: &Path, folder: &str, ending: &str) -> Result<Vec<PathBuf>> {
    let mut programs = Vec::new();
    let entries = fs::read_dir(root.join(folder)).with_context(|| format!("cannot list {folder}"))?;
    for entry in entries {
        let path = Path::new(folder).join(entry?.file_name());
        if path.extension() == Some(OsStr::new(ending)) {
            programs.push(path);
        }
    }
    ensure!(!programs.is_empty(), "there is no .{ending} file in {folder}");
    programs.sort();
    Ok(programs)
}

/// One program in one dialect.
struct Build<'a> {
    source: &'a Path,
    dialect: Dialect,
}

fn builds<'a>(programs: &'a [PathBuf], dialects: &[Dialect]) -> Vec<Build<'a>> {
    programs.iter().flat_map(|source| dialects.iter().map(move |&dialect| Build { source, dialect })).collect()
}

impl std::fmt::Display for Build<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.source.display(), self.dialect)
    }
}

impl Build<'_> {
    fn compile(&self, root: &Path, folder: &Path, link: &[OsString]) -> Result<PathBuf> {
        let stem = self.source.file_stem().context("a C file has a name")?;
        let program = folder.join(self.dialect.name_for(stem));
        let mut command = self.dialect.compiler(root, self.source);
        // Line numbers for valgrind's stacks, in the one format that older valgrinds read from every compiler.
        command.args(["-gdwarf-4", "-O1", "-o"]).arg(&program).args(link);
        process::run(command, process::TOOL_LIMIT)?.expect_success("compile")?;
        Ok(program)
    }
}

fn plain(program: &Path) -> Command {
    let mut plain = Command::new(program);
    plain.envs(FRAMES).env("ARR_JOURNAL", new_journal(program));
    plain
}

/// A journal for one run: programs run side by side, and none must find what another has left.
pub(crate) fn new_journal(program: &Path) -> PathBuf {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let mut name = program.as_os_str().to_owned();
    name.push(format!("-{run}.journal"));
    // An earlier test may have left one.
    drop(fs::remove_file(&name));
    name.into()
}

fn valgrind(more: &[&str], program: &Path) -> Command {
    let mut valgrind = Command::new("valgrind");
    valgrind.envs(SLOW_FRAMES).env("ARR_JOURNAL", new_journal(program));
    valgrind.args(VALGRIND).args(more).arg(program);
    valgrind
}

/// Runs a program against an emulator; it has to succeed.
pub(crate) fn run(mut program: Command, emulator: &Emulator, version: ApiVersion) -> Result<()> {
    emulator.introduce_to(&mut program, version, POLL_INTERVAL_MS);
    let finished = process::run(program, RUN_LIMIT)?;
    if !finished.succeeded() {
        bail!("{finished}");
    }
    Ok(())
}

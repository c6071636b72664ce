//! The C++ tests and the viewer, compiled and run against an emulator.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::c::compiler;
use crate::c::dialect::{CLANG_CXX20_BARE, Dialect, GCC_CXX17};
use crate::c::programs::{new_journal, run};
use crate::context::{Context, POLL_INTERVAL_MS};
use crate::cpp::headers::{OTHER_VERSION, suite};
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::parallel::work_off_by_name;
use crate::process;
use crate::step::Report;

/// A way to compile, and to run. Both compilers, both standards, with exceptions and without, and the sanitizers.
struct Build {
    dialect: Dialect,
    flags: &'static [&'static str],
}

const BUILDS: &[Build] = &[
    Build { dialect: GCC_CXX17, flags: &["-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"] },
    Build { dialect: CLANG_CXX20_BARE, flags: &[] },
];

/// Whether the tests are compiled in this dialect anyway, to be run.
pub(crate) fn compiles_tests(dialect: Dialect) -> bool {
    BUILDS.iter().any(|build| build.dialect == dialect)
}

/// For the sanitizers' programs: whatever they find ends the program.
const SANITIZERS: [(&str, &str); 2] = [
    ("ASAN_OPTIONS", "detect_stack_use_after_return=1:strict_string_checks=1"),
    ("UBSAN_OPTIONS", "print_stacktrace=1"),
];

/// For compiling one file with a sanitizer on a busy machine.
const COMPILE_LIMIT: Duration = Duration::from_secs(180);
const RUN_LIMIT: Duration = Duration::from_secs(120);

/// The tests, linked from several files, and the one with another version; each with both versions of the REST API.
pub(crate) fn check_tests(context: &Context) -> Result<Report> {
    let folder = context.workspace.scratch("xtask/cpp/tests")?;
    let (root, link) = (&context.workspace.root, compiler::link_arguments(context.library()?));
    let parts = suite(root)?;

    let sources = [parts.clone(), vec![PathBuf::from(OTHER_VERSION)]].concat();
    let objects: Vec<Object> = BUILDS
        .iter()
        .flat_map(|build| sources.iter().map(|source| Object { build, source, folder: &folder }))
        .collect();
    let problems = work_off_by_name(&objects, |object| object.compile(root));
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    let programs: Vec<Program> = BUILDS
        .iter()
        .flat_map(|build| [("tests", &parts[..]), ("other_version", &sources[parts.len()..])].map(|all| (build, all)))
        .map(|(build, (name, sources))| Program { build, name, sources, folder: &folder })
        .collect();
    let emulators = context.emulators()?;
    let problems = work_off_by_name(&programs, |program| {
        let path = program.link(&link)?;
        for (emulator, version) in [(&emulators.https, ApiVersion::V1), (&emulators.http, ApiVersion::V2021_01_01)] {
            let mut command = Command::new(&path);
            command.env("ARR_JOURNAL", new_journal(&path)).envs(SANITIZERS);
            run(command, emulator, version).with_context(|| format!("REST {version}"))?;
        }
        Ok(())
    });
    Report::unless(
        problems,
        format!("{} files, {} and {} with both REST versions", sources.len(), BUILDS[0], BUILDS[1]),
    )
}

struct Object<'a> {
    build: &'static Build,
    source: &'a Path,
    folder: &'a Path,
}

impl Object<'_> {
    fn path(&self) -> Result<PathBuf> {
        let stem = self.source.file_stem().context("a C++ file has a name")?;
        Ok(self.folder.join(self.build.dialect.name_for(stem)).with_extension("o"))
    }

    fn compile(&self, root: &Path) -> Result<()> {
        let mut command = self.build.dialect.compiler(root, self.source);
        command.args(self.build.flags).arg("-c").arg("-o").arg(self.path()?);
        process::run(command, COMPILE_LIMIT)?.expect_success("compile")?;
        Ok(())
    }
}

struct Program<'a> {
    build: &'static Build,
    name: &'static str,
    sources: &'a [PathBuf],
    folder: &'a Path,
}

impl Program<'_> {
    fn link(&self, library: &[OsString]) -> Result<PathBuf> {
        let program = self.folder.join(self.build.dialect.name_for(self.name.as_ref()));
        let mut command = Command::new(self.build.dialect.program());
        command.args(self.build.flags);
        for source in self.sources {
            command.arg(Object { build: self.build, source, folder: self.folder }.path()?);
        }
        command.arg("-o").arg(&program).args(library);
        process::run(command, COMPILE_LIMIT)?.expect_success("link")?;
        Ok(program)
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sanitized = self.flags.iter().any(|flag| flag.starts_with("-fsanitize"));
        write!(f, "{}{}", self.dialect, if sanitized { " under ASan and UBSan" } else { "" })
    }
}

impl fmt::Display for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.source.display(), self.build)
    }
}

impl fmt::Display for Program<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.build)
    }
}

/// What the viewer has to show and to say on its tour, in this order.
const TOUR: &[&str] = &[
    "shows: no session",
    "shows: asking",
    "shows: starting, host -, lease 15:00",
    "says: The session is ready.",
    "lease 30:00",
    "says: The lease was extended by a quarter of an hour.",
    "shows: stopping",
    "shows: stopped",
    "at the end: stopped",
    "the library's part",
];

/// To a create and to a stop.
const LATE_ANSWERS: &str = r#"{"rules": [
    {"method": "POST", "action": {"type": "delay", "ms": 1000}},
    {"method": "DELETE", "action": {"type": "delay", "ms": 1000}}
]}"#;

/// The same for somebody who quits while a session is ready: it is stopped, since that was promised.
/// Nobody reads it any more, so what was told last may be that it is stopping.
const HASTY_TOUR: &[&str] = &["shows: ready", "at the end: stop"];

/// The viewer without a screen: it takes its tour, its picture has something in it, and failures are told.
pub(crate) fn check_viewer(context: &Context, viewer: &Path) -> Result<String> {
    let folder = context.workspace.scratch("xtask/cpp/viewer")?;
    let emulators = context.emulators()?;
    let picture = folder.join("viewer.bmp");
    drop(fs::remove_file(&picture));

    // What does not last is to be seen, too: a busy machine may draw no frame for as long as it takes with the others.
    let unhurried = Emulator::start(&emulators.program, &folder, Scheme::Http, &["--startup", "2s"])?;
    unhurried.control("POST", "faults", LATE_ANSWERS)?;
    let whole = ["--tour".as_ref(), picture.as_os_str()];
    let toured = tour(viewer, &whole, &unhurried, ApiVersion::V1, &[])?.expect_success("the viewer's tour")?;
    unhurried.stop()?;
    expect_in_order(&toured, TOUR)?;
    let hasty = ["--hasty-tour".as_ref()];
    let toured = tour(viewer, &hasty, &emulators.https, ApiVersion::V2021_01_01, &[])?;
    expect_in_order(&toured.expect_success("quitting while a session is ready")?, HASTY_TOUR)?;
    let colours = colours(&fs::read(&picture).context("the viewer has saved no picture")?)?;
    ensure!(colours > 1000, "the viewer's picture has {colours} colours: that is no picture of a session");

    // `wrong`, in base64.
    let wrong_key = [("ARR_ACCOUNT_KEY", "d3Jvbmc=")];
    let refused = tour(viewer, &hasty, &emulators.http, ApiVersion::V2021_01_01, &wrong_key)?;
    let told = refused.output().contains("error: No session. ") && refused.output().contains("HTTP 401");
    ensure!(refused.exit_code() == Some(1) && told, "with a wrong key: {refused}");
    let no_account = tour(viewer, &hasty, &emulators.http, ApiVersion::V1, &[("ARR_ACCOUNT_ID", "nobody")])?;
    let told = no_account.output().contains("error: No client. arr_client_new: ");
    ensure!(no_account.exit_code() == Some(1) && told, "without an account: {no_account}");
    let wrong_version = tour(viewer, &hasty, &emulators.http, ApiVersion::V1, &[("ARR_API_VERSION", "v3")])?;
    let told = wrong_version.output().contains("api_version");
    ensure!(wrong_version.exit_code() == Some(1) && told, "as v3: {wrong_version}");
    Ok(format!("the viewer's tour, with a picture of {colours} colours"))
}

fn tour(
    viewer: &Path,
    words: &[&OsStr],
    emulator: &Emulator,
    version: ApiVersion,
    changed: &[(&str, &str)],
) -> Result<process::Finished> {
    let mut command = Command::new(viewer);
    command.args(words);
    emulator.introduce_to(&mut command, version, POLL_INTERVAL_MS);
    command.env("SDL_VIDEODRIVER", "dummy").env("ARR_FRAME_PAUSE_MS", "0").env_remove("LD_LIBRARY_PATH");
    command.envs(changed.iter().copied());
    process::run(command, RUN_LIMIT)
}

fn expect_in_order(text: &str, parts: &[&str]) -> Result<()> {
    let mut rest = text;
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            bail!("the viewer did not get to `{part}`:\n{text}");
        };
        rest = after;
    }
    Ok(())
}

/// How many colours a BMP file with three bytes for each of its pixels has.
fn colours(bmp: &[u8]) -> Result<usize> {
    let start = bmp.get(10..14).context("no BMP file")?;
    let start = u32::from_le_bytes(start.try_into()?) as usize;
    let pixels = bmp.get(start..).context("the picture has no pixels")?;
    Ok(pixels.chunks_exact(3).collect::<BTreeSet<_>>().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_too_early_is_missed() {
        assert!(expect_in_order("a b c", &["a", "c"]).is_ok());
        let error = expect_in_order("c a b", &["a", "c"]).unwrap_err().to_string();
        assert!(error.starts_with("the viewer did not get to `c`"), "{error}");
    }

    #[test]
    fn colours_are_counted_once() {
        let mut bmp = vec![0; 10];
        bmp.extend([14, 0, 0, 0]);
        bmp.extend([1, 2, 3, 4, 5, 6, 1, 2, 3]);
        assert_eq!(colours(&bmp).unwrap(), 2);
        assert!(colours(b"BM").is_err());
    }
}

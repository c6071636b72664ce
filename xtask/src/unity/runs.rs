//! The tests of the Unity package, run against an emulator: on Mono as it is, which the Editor is built upon, and with
//! everything compiled ahead of time, as near to IL2CPP as can be had.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::csharp::mono::{self, FullAot};
use crate::csharp::{self, Runtime};
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::parallel;
use crate::process;
use crate::unity::plugins::Platform;
use crate::workspace::Workspace;

/// How long sessions take to start, and how often they are read: short, as almost every test waits for one.
const STARTUP: &str = "100ms";
const POLL_INTERVAL_MS: u32 = 20;

/// For all tests; they take some seconds.
const LIMIT: Duration = Duration::from_secs(120);

/// What is different from run to run.
struct Run {
    runtime: Runtime,
    version: ApiVersion,
}

const RUNS: [Run; 3] = [
    Run { runtime: Runtime::MonoJit, version: ApiVersion::V1 },
    Run { runtime: Runtime::MonoJit, version: ApiVersion::V2021_01_01 },
    Run { runtime: Runtime::MonoFullAot, version: ApiVersion::V1 },
];

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, REST {}", self.runtime, self.version)
    }
}

/// The compiled tests, with all that they refer to, and the package whose plugin they load.
pub(super) struct Tests<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) program: &'a Path,
    pub(super) assemblies: &'a [PathBuf],
    pub(super) package: &'a Path,
    /// The emulator's program.
    pub(super) emulator: &'a Path,
}

impl Tests<'_> {
    /// Runs them all, each with an emulator of its own. Returns what each run said last, or what is wrong.
    pub(super) fn run(&self) -> Result<Vec<Result<String>>> {
        let full_aot = FullAot::provide(self.workspace)?;
        let program = self.ahead_of_time(&full_aot)?;
        // They wait most of the time.
        Ok(parallel::map_at_once(&RUNS, |run| {
            let tests = match run.runtime {
                Runtime::MonoFullAot => full_aot.command(&program),
                _ => mono::jit(self.program),
            };
            self.run_one(run, tests, self.emulator).with_context(|| run.to_string())
        }))
    }

    /// Compiles everything ahead of time, in a folder of its own: Mono takes such images wherever it finds them.
    fn ahead_of_time(&self, full_aot: &FullAot) -> Result<PathBuf> {
        let folder = self.workspace.scratch("xtask/unity/full-aot")?;
        let copy = |file: &Path| folder.join(file.file_name().unwrap_or(OsStr::new("")));
        let all: Vec<PathBuf> = self.assemblies.iter().cloned().chain([self.program.to_owned()]).collect();
        for file in &all {
            fs::copy(file, copy(file)).with_context(|| format!("cannot copy {}", file.display()))?;
        }
        // What they refer to must be there before.
        let problems = parallel::work_off(&all, |file| full_aot.compile(&copy(file)));
        anyhow::ensure!(problems.is_empty(), "{}", problems.join("\n"));
        Ok(copy(self.program))
    }

    fn run_one(&self, run: &Run, mut tests: Command, emulator: &Path) -> Result<String> {
        let folder = self.workspace.scratch(&format!("xtask/unity/{}-{}", run.runtime.word(), run.version))?;
        let emulator = Emulator::start(emulator, &folder, Scheme::Https, &["--startup", STARTUP])?;
        let platform = Platform::for_target(&self.workspace.host).context("no plugin for this machine")?;
        let plugin = self.package.join(platform.path());
        csharp::let_find(&mut tests, plugin.parent().unwrap_or(Path::new(".")));
        emulator.introduce_to(&mut tests, run.version, POLL_INTERVAL_MS);
        tests.env("ARR_RUNTIME", run.runtime.word()).env("ARR_DATA_PATH", &folder);
        let said = process::run(tests, LIMIT)?.expect_success("the tests")?;
        emulator.stop()?;
        Ok(format!("{run}: {}", said.trim_end().lines().last().unwrap_or_default()))
    }
}

//! The quickstart in each language. All of them print the same story.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::artifacts::{Development, Progress};
use crate::c::compiler;
use crate::c::compiler::GCC_CXX17;
use crate::context::{Context, POLL_INTERVAL_MS};
use crate::csharp::{self, Programs, Runtime, Runtimes};
use crate::emulator::{ApiVersion, Emulator};
use crate::process::{self, Finished};
use crate::step::{self, Unavailable};
use crate::workspace::Workspace;

pub(crate) const C: &str = "examples/c/quickstart.c";
pub(crate) const CPP: &str = "examples/cpp/quickstart.cpp";

/// The story's line right before the create.
pub(crate) const FIRST_WORDS: &str = "Creating a rendering session";

const RUN_LIMIT: Duration = Duration::from_secs(120);

/// A program that prints the story.
pub(crate) struct Quickstart {
    /// Its language and runtime.
    pub(crate) name: String,
    call: Box<dyn Fn() -> Result<Command> + Send + Sync>,
}

impl Quickstart {
    pub(crate) fn new(name: impl Into<String>, call: impl Fn() -> Result<Command> + Send + Sync + 'static) -> Self {
        Self { name: name.into(), call: Box::new(call) }
    }

    /// Runs it with this emulator, with some variables changed.
    pub(crate) fn run(&self, emulator: &Emulator, version: ApiVersion, changed: &[(&str, &str)]) -> Result<Finished> {
        let mut program = self.call(emulator, version)?;
        program.envs(changed.iter().copied());
        self.finished(process::run(program, RUN_LIMIT))
    }

    /// Runs it, but closes its standard output once the story has begun: its writes fail while it has a session.
    pub(crate) fn run_and_leave(&self, emulator: &Emulator, version: ApiVersion) -> Result<Finished> {
        self.finished(process::run_and_leave(self.call(emulator, version)?, FIRST_WORDS, RUN_LIMIT))
    }

    fn call(&self, emulator: &Emulator, version: ApiVersion) -> Result<Command> {
        let mut program = (self.call)()?;
        emulator.introduce_to(&mut program, version, POLL_INTERVAL_MS);
        Ok(program)
    }

    fn finished(&self, run: Result<Finished>) -> Result<Finished> {
        let run = run.with_context(|| format!("{} cannot be run", self.name))?;
        // Windows ends lines with CR LF.
        let [stdout, stderr] = [run.stdout, run.stderr].map(|text| text.replace("\r\n", "\n"));
        Ok(Finished { end: run.end, stdout, stderr })
    }
}

/// At the end of a process, one of its threads may find wine's socket to its server closed, which wine reports on the process's
/// standard error. The program itself has succeeded.
pub(super) fn without_errors_of_wine(stderr: &str) -> String {
    stderr.split_inclusive('\n').filter(|line| !line.starts_with("wine client error:")).collect()
}

/// Compiles them all: C and Rust everywhere, C++ and C# on Linux.
pub(super) fn compile(context: &Context) -> Result<Vec<Quickstart>> {
    let mut all = vec![c(context)?, rust(&context.workspace)?];
    if cfg!(target_os = "linux") {
        all.push(cpp(context)?);
        match csharp_quickstarts(context) {
            Err(error) if error.is::<Unavailable>() && !step::skips_are_forbidden() => println!("{error:#}"),
            quickstarts => all.extend(quickstarts?),
        }
    }
    Ok(all)
}

fn c(context: &Context) -> Result<Quickstart> {
    let workspace = &context.workspace;
    let folder = workspace.scratch("xtask/quickstart")?;
    let library = context.library()?;
    let program = compiler::compile(workspace, &workspace.root.join(C), library, &folder)?;
    let library = library.clone();
    Ok(Quickstart::new("C", move || {
        let mut quickstart = Command::new(&program);
        library.let_find(&mut quickstart)?;
        Ok(quickstart)
    }))
}

fn rust(workspace: &Workspace) -> Result<Quickstart> {
    let program = Development::build(workspace, Progress::Hidden)?.quickstart;
    Ok(Quickstart::new("Rust", move || Ok(Command::new(&program))))
}

fn cpp(context: &Context) -> Result<Quickstart> {
    let program = context.workspace.scratch("xtask/quickstart")?.join("quickstart-cpp");
    let mut compile = GCC_CXX17.compiler(&context.workspace.root, Path::new(CPP));
    compile.arg("-o").arg(&program).args(compiler::link_arguments(context.library()?));
    process::run(compile, process::TOOL_LIMIT)?.expect_success(&format!("g++ could not compile {CPP}"))?;
    Ok(Quickstart::new("C++", move || Ok(Command::new(&program))))
}

fn csharp_quickstarts(context: &Context) -> Result<Vec<Quickstart>> {
    // No effect if an earlier check has compiled them.
    csharp::compile(context)?;
    let programs = Programs::of(&context.workspace)?;
    let runtimes = Arc::new(Runtimes::provide(&context.workspace)?);
    let folder = context.library()?.folder();
    let quickstart = |runtime: Runtime| {
        let (runtimes, program, folder) = (Arc::clone(&runtimes), programs.quickstart(runtime), folder.to_owned());
        Quickstart::new(format!("C# on {runtime}"), move || {
            let mut quickstart = runtimes.command(runtime, &program)?;
            csharp::let_find(&mut quickstart, &folder);
            Ok(quickstart)
        })
    };
    Ok(Runtime::ALL.map(quickstart).into())
}

//! The quickstart in each language: one story, told by programs that print the same.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::artifacts;
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

/// What the story tells right before it asks for a session.
pub(crate) const FIRST_WORDS: &str = "Creating a rendering session";

const RUN_LIMIT: Duration = Duration::from_secs(120);

/// A program that tells the story.
pub(crate) struct Teller {
    /// Its language, and what runs it.
    pub(crate) name: String,
    call: Box<dyn Fn() -> Result<Command> + Send + Sync>,
}

impl Teller {
    pub(crate) fn new(name: impl Into<String>, call: impl Fn() -> Result<Command> + Send + Sync + 'static) -> Self {
        Self { name: name.into(), call: Box::new(call) }
    }

    /// Has it tell the story to this emulator, with some variables changed.
    pub(crate) fn tell(&self, emulator: &Emulator, version: ApiVersion, changed: &[(&str, &str)]) -> Result<Finished> {
        let mut program = self.call(emulator, version)?;
        program.envs(changed.iter().copied());
        self.telling(process::run(program, RUN_LIMIT))
    }

    /// Has it tell the story to somebody who goes away once it has begun: what it writes while it has a session fails.
    pub(crate) fn tell_to_one_who_leaves(&self, emulator: &Emulator, version: ApiVersion) -> Result<Finished> {
        self.telling(process::run_and_leave(self.call(emulator, version)?, FIRST_WORDS, RUN_LIMIT))
    }

    fn call(&self, emulator: &Emulator, version: ApiVersion) -> Result<Command> {
        let mut program = (self.call)()?;
        emulator.introduce_to(&mut program, version, POLL_INTERVAL_MS);
        Ok(program)
    }

    fn telling(&self, told: Result<Finished>) -> Result<Finished> {
        let told = told.with_context(|| format!("{} cannot be run", self.name))?;
        // Windows ends lines in its own way.
        let [stdout, stderr] = [told.stdout, told.stderr].map(|text| text.replace("\r\n", "\n"));
        Ok(Finished { end: told.end, stdout, stderr: without_words_of_wine(&stderr) })
    }
}

/// When a process ends, wine may find the socket to its server closed under one of the threads, and says so on the process's standard
/// error. The program has ended well.
fn without_words_of_wine(stderr: &str) -> String {
    stderr.split_inclusive('\n').filter(|line| !line.starts_with("wine client error:")).collect()
}

/// Compiles them all. C comes first: the others are compared with it. Where there is neither g++ nor Mono, C and Rust are all.
pub(super) fn compile(context: &Context) -> Result<Vec<Teller>> {
    let mut all = vec![c(context)?, rust(&context.workspace)?];
    if cfg!(target_os = "linux") {
        all.push(cpp(context)?);
        match csharp_tellers(context) {
            Err(error) if error.is::<Unavailable>() && !step::skips_are_forbidden() => println!("{error:#}"),
            tellers => all.extend(tellers?),
        }
    }
    Ok(all)
}

fn c(context: &Context) -> Result<Teller> {
    let workspace = &context.workspace;
    let folder = workspace.scratch("xtask/quickstart")?;
    let library = context.library()?;
    let program = compiler::compile(workspace, &workspace.root.join(C), library, &folder)?;
    let library = library.clone();
    Ok(Teller::new("C", move || {
        let mut quickstart = Command::new(&program);
        library.let_find(&mut quickstart)?;
        Ok(quickstart)
    }))
}

fn rust(workspace: &Workspace) -> Result<Teller> {
    let program = artifacts::build_rust_quickstart(workspace)?;
    Ok(Teller::new("Rust", move || Ok(Command::new(&program))))
}

fn cpp(context: &Context) -> Result<Teller> {
    let program = context.workspace.scratch("xtask/quickstart")?.join("quickstart-cpp");
    let mut compile = GCC_CXX17.compiler(&context.workspace.root, Path::new(CPP));
    compile.arg("-o").arg(&program).args(compiler::link_arguments(context.library()?));
    process::run(compile, process::TOOL_LIMIT)?.expect_success(&format!("g++ could not compile {CPP}"))?;
    Ok(Teller::new("C++", move || Ok(Command::new(&program))))
}

fn csharp_tellers(context: &Context) -> Result<Vec<Teller>> {
    // A part of the checks may be run alone; otherwise they are compiled already.
    csharp::compile(context)?;
    let programs = Programs::of(&context.workspace)?;
    let runtimes = Arc::new(Runtimes::provide(&context.workspace)?);
    let folder = context.library()?.folder();
    let teller = |runtime: Runtime| {
        let (runtimes, program, folder) = (Arc::clone(&runtimes), programs.quickstart(runtime), folder.to_owned());
        Teller::new(format!("C# on {runtime}"), move || {
            let mut quickstart = runtimes.command(runtime, &program)?;
            csharp::let_find(&mut quickstart, &folder);
            Ok(quickstart)
        })
    };
    Ok(Runtime::ALL.map(teller).into())
}

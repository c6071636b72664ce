//! The quickstart in each language: one story, told by programs that print the same.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::artifacts::{self, Progress};
use crate::compiler;
use crate::context::{Context, POLL_INTERVAL_MS};
use crate::csharp::{self, Runtime, Runtimes};
use crate::emulator::{ApiVersion, Emulator};
use crate::parallel;
use crate::process::{self, End};
use crate::step::{Report, Unavailable};
use crate::workspace::Workspace;

const C: &str = "examples/c/quickstart.c";
const RUST: &str = "quickstart";

const RUN_LIMIT: Duration = Duration::from_secs(120);

/// A program that tells the story.
pub(crate) struct Teller {
    /// Its language, and what runs it.
    pub(crate) name: String,
    call: Box<dyn Fn() -> Result<Command> + Send + Sync>,
}

/// The programs, and why some are not among them.
pub(crate) struct Tellers {
    pub(crate) all: Vec<Teller>,
    pub(crate) missing: Vec<String>,
}

/// What a program has told, and how it ended.
pub(crate) struct Telling {
    pub(crate) end: End,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Teller {
    fn new(name: impl Into<String>, call: impl Fn() -> Result<Command> + Send + Sync + 'static) -> Self {
        Self { name: name.into(), call: Box::new(call) }
    }

    /// Has it tell the story to this emulator, with some variables changed.
    pub(crate) fn tell(&self, emulator: &Emulator, version: ApiVersion, changed: &[(&str, &str)]) -> Result<Telling> {
        let mut program = (self.call)()?;
        emulator.introduce_to(&mut program, version, POLL_INTERVAL_MS);
        program.envs(changed.iter().copied());
        let told = process::run_apart(program, RUN_LIMIT).with_context(|| format!("{} cannot be run", self.name))?;
        Ok(Telling { end: told.end, stdout: told.stdout, stderr: told.stderr })
    }
}

impl Telling {
    /// How it ended, and what it said, for a person.
    pub(crate) fn in_words(&self) -> String {
        format!("{}\n{}\n{}", self.end, self.stdout.trim_end(), self.stderr.trim_end())
    }
}

/// Compiles them all. C goes first: the others are compared with it.
pub(crate) fn compile(context: &mut Context) -> Result<Report> {
    let mut tellers = Tellers { all: vec![c(context)?, rust(&context.workspace)?], missing: Vec::new() };
    match csharp_tellers(context) {
        Ok(more) => tellers.all.extend(more),
        Err(error) if error.is::<Unavailable>() => tellers.missing.push(format!("C# is not among them: {error:#}")),
        Err(error) => return Err(error),
    }
    let mut lines: Vec<&str> = tellers.all.iter().map(|teller| &*teller.name).collect();
    lines.extend(tellers.missing.iter().map(String::as_str));
    let report = Report(lines.join(", "));
    context.tellers = Some(tellers);
    Ok(report)
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
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--package", "arr-session", "--example", RUST]);
    let program = artifacts::build_program(cargo, RUST, Progress::Hidden)?;
    Ok(Teller::new("Rust", move || Ok(Command::new(&program))))
}

fn csharp_tellers(context: &mut Context) -> Result<Vec<Teller>> {
    if !cfg!(target_os = "linux") {
        return Err(Unavailable("its runtimes are looked for on Linux only".to_owned()).into());
    }
    if context.csharp.is_none() {
        csharp::compile(context)?;
    }
    let programs = context.csharp()?;
    let folder = context.library()?.folder().to_owned();
    let teller = |runtime: Runtime| -> Result<Teller> {
        let runtimes = Runtimes::provide(&context.workspace)?;
        let (program, folder): (PathBuf, PathBuf) = (programs.quickstart(runtime), folder.clone());
        Ok(Teller::new(format!("C# on {runtime}"), move || csharp_call(&runtimes, runtime, &program, &folder)))
    };
    Runtime::ALL.into_iter().map(teller).collect()
}

fn csharp_call(runtimes: &Runtimes, runtime: Runtime, program: &Path, library: &Path) -> Result<Command> {
    let mut quickstart = runtimes.command(runtime, program)?;
    csharp::let_find(&mut quickstart, library);
    Ok(quickstart)
}

impl Tellers {
    /// Has each of them do something, and returns what came of it in their order.
    pub(crate) fn each<R: Send>(&self, work: impl Fn(&Teller) -> R + Sync) -> Vec<R> {
        parallel::map(&self.all, work)
    }

    /// A summary, with who is missing below it.
    pub(crate) fn report(&self, summary: String) -> String {
        std::iter::once(summary).chain(self.missing.iter().cloned()).collect::<Vec<_>>().join("\n")
    }
}

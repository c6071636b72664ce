//! The quickstart in each language: one story, told by programs that print the same.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::artifacts::{self, Progress};
use crate::c::compiler;
use crate::c::dialect::GCC_CXX17;
use crate::context::{Context, POLL_INTERVAL_MS};
use crate::csharp::{self, Programs, Runtime, Runtimes};
use crate::emulator::{ApiVersion, Emulator};
use crate::platforms::wine;
use crate::process::{self, Apart, End};
use crate::workspace::Workspace;

pub(crate) const C: &str = "examples/c/quickstart.c";
pub(crate) const CPP: &str = "examples/cpp/quickstart.cpp";
const RUST: &str = "quickstart";

/// What the story tells right before it asks for a session.
pub(crate) const FIRST_WORDS: &str = "Creating a rendering session";

const RUN_LIMIT: Duration = Duration::from_secs(120);

/// A program that tells the story.
pub(crate) struct Teller {
    /// Its language, and what runs it.
    pub(crate) name: String,
    call: Box<dyn Fn() -> Result<Command> + Send + Sync>,
}

/// What a program has told, and how it ended.
pub(crate) struct Telling {
    pub(crate) end: End,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Teller {
    pub(crate) fn new(name: impl Into<String>, call: impl Fn() -> Result<Command> + Send + Sync + 'static) -> Self {
        Self { name: name.into(), call: Box::new(call) }
    }

    /// Has it tell the story to this emulator, with some variables changed.
    pub(crate) fn tell(&self, emulator: &Emulator, version: ApiVersion, changed: &[(&str, &str)]) -> Result<Telling> {
        let mut program = self.call(emulator, version)?;
        program.envs(changed.iter().copied());
        self.telling(process::run_apart(program, RUN_LIMIT))
    }

    /// Has it tell the story to somebody who goes away once it has begun: what it writes while it has a session fails.
    pub(crate) fn tell_to_one_who_leaves(&self, emulator: &Emulator, version: ApiVersion) -> Result<Telling> {
        self.telling(process::run_and_leave(self.call(emulator, version)?, FIRST_WORDS, RUN_LIMIT))
    }

    fn call(&self, emulator: &Emulator, version: ApiVersion) -> Result<Command> {
        let mut program = (self.call)()?;
        emulator.introduce_to(&mut program, version, POLL_INTERVAL_MS);
        Ok(program)
    }

    fn telling(&self, told: Result<Apart>) -> Result<Telling> {
        let told = told.with_context(|| format!("{} cannot be run", self.name))?;
        // Windows ends lines in its own way.
        let [stdout, stderr] = [told.stdout, told.stderr].map(|text| text.replace("\r\n", "\n"));
        Ok(Telling { end: told.end, stdout, stderr: wine::without_its_own_words(&stderr) })
    }
}

impl Telling {
    /// How it ended, and what it said, for a person.
    pub(crate) fn in_words(&self) -> String {
        format!("{}\n{}\n{}", self.end, self.stdout.trim_end(), self.stderr.trim_end())
    }
}

/// Compiles them all. C comes first: the others are compared with it. Where there is neither g++ nor Mono, C and Rust are all.
pub(super) fn compile(context: &Context) -> Result<Vec<Teller>> {
    let mut all = vec![c(context)?, rust(&context.workspace)?];
    if cfg!(target_os = "linux") {
        all.push(cpp(context)?);
        all.extend(csharp_tellers(context)?);
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
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--package", "arr-client", "--example", RUST]);
    let program = artifacts::build_program(cargo, RUST, Progress::Hidden)?;
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

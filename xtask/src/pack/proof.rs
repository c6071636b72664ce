//! Tests the packages as a user would: unpacks them into an empty folder, and builds and runs the quickstarts from there.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::archive::Kind;
use super::debug;
use super::first_session;
use super::runner::Runner;
use crate::artifacts::{Development, Progress};
use crate::c::programs;
use crate::context::{POLL_INTERVAL_MS, STARTUP};
use crate::cpp::install;
use crate::csharp;
use crate::csharp::dotnet::{self, Compilation, Dotnet};
use crate::csharp::{documented, mono};
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::links;
use crate::parallel;
use crate::platforms::Cross;
use crate::platforms::product::{Product, Sources, Tools};
use crate::platforms::windows;
use crate::process::{self, TOOL_LIMIT};
use crate::story::{self, quickstarts::Quickstart};
use crate::unity;
use crate::workspace::replace;

const BESIDE_RUST: &str = "tests/neighbour/check.sh";

/// The service that the packages are tested against.
pub(super) struct Service {
    /// For tests that start their own.
    program: PathBuf,
    /// Over HTTPS.
    running: Emulator,
}

impl Service {
    pub(super) fn start(sources: &Sources, folder: &str) -> Result<Self> {
        let program = Development::build(&sources.workspace, Progress::Hidden)?.emulator;
        let folder = sources.workspace.scratch(folder)?;
        let running = Emulator::start(&program, &folder, Scheme::Https, &["--startup", STARTUP])?;
        Ok(Self { program, running })
    }

    pub(super) fn stop(self) -> Result<()> {
        self.running.stop()
    }
}

/// An unpacked package, tested without the rest of the checkout.
pub(super) struct PackageTest<'a> {
    sources: &'a Sources,
    platform: &'a str,
    /// The package's root.
    root: PathBuf,
    /// The folder around it, for builds.
    folder: PathBuf,
}

impl<'a> PackageTest<'a> {
    pub(super) fn unpack(sources: &'a Sources, platform: &'a str, archive: &Path, root: &str) -> Result<Self> {
        // With a blank, as in many users' paths.
        let folder = sources.workspace.target.join("pack/unpacked here").join(platform);
        replace(&folder)?;
        Kind::of(platform).unpack(archive, &folder)?;
        Ok(Self { sources, platform, root: folder.join(root), folder })
    }

    /// Tests the package, and returns a summary.
    pub(super) fn prove(&self, service: &Service, product: &Product, debug_archive: &Path) -> Result<String> {
        self.links_lead_somewhere()?;
        let line = debug::prove(self.platform, debug_archive, &self.root, &self.folder)?;
        let runner = Runner::of(self.platform, &self.sources.workspace)?;
        self.beside_rust(product, runner.as_ref())?;
        let proved = match &runner {
            Some(runner) => self.run(service, product, runner)?,
            None => self.link(&product.tools)?,
        };
        Ok(format!("{proved}; {line}"))
    }

    fn run(&self, service: &Service, product: &Product, runner: &Runner) -> Result<String> {
        let tools = &product.tools;
        let tests = self.contract_tests(service, tools, runner)?;
        first_session::follow(&self.root, &self.sources.workspace, tools, runner)?;
        let mut quickstarts = self.in_c_and_cpp(tools, runner)?;
        match self.platform {
            "linux-x64" => quickstarts.extend(self.on_this_machine()?),
            "windows-x64" => quickstarts.extend(self.on_windows(tools, runner)?),
            _ => {}
        }
        let problems = story::compare(&self.sources.workspace, &service.program, &quickstarts);
        ensure!(problems.is_empty(), "{}", problems.join("\n"));
        Ok(format!(
            "{runner}: static beside other Rust, {tests} C tests, README.md's first session with the emulator in bin, {} quickstarts",
            quickstarts.len()
        ))
    }

    /// Runs every test in C, with both versions of the REST API, over HTTPS. Returns how many there are.
    fn contract_tests(&self, service: &Service, tools: &Tools, runner: &Runner) -> Result<usize> {
        let folder = self.folder.join("tests");
        replace(&folder)?;
        runner.put_library_beside(&self.root, &folder)?;
        let root = &self.sources.workspace.root;
        let tests = programs::list(root, programs::TESTS)?;
        let problems = parallel::work_off(&tests, |source| {
            let program = folder.join(source.file_stem().unwrap_or_default()).with_extension("exe");
            self.compile(&tools.cc, &root.join(source), &program, &runner.link(&self.root))?;
            for version in ApiVersion::BOTH {
                let mut test = runner.command(&program);
                // qemu and wine are slower than real machines.
                test.envs(programs::SLOW_FRAMES).env("ARR_JOURNAL", programs::new_journal(&program));
                service.running.introduce_to(&mut test, version, POLL_INTERVAL_MS);
                let finished = process::run(test, programs::RUN_LIMIT)?;
                finished.expect_success(&format!("{}, REST {version}", source.display()))?;
            }
            Ok(())
        });
        ensure!(problems.is_empty(), "{}", problems.join("\n"));
        Ok(tests.len())
    }

    /// Links the static library beside another Rust library, and into a Rust program, and runs them if possible.
    fn beside_rust(&self, product: &Product, runner: Option<&Runner>) -> Result<()> {
        let workspace = &self.sources.workspace;
        let folder = self.folder.join("neighbour");
        replace(&folder)?;
        let Cross { platform, triple, .. } = product.cross;
        let mut sh = Command::new("sh");
        sh.current_dir(&workspace.root).arg(BESIDE_RUST).args([&self.root, &folder]);
        sh.arg(workspace.target.join(format!("platforms/{platform}/cargo/{triple}/release")));
        sh.arg(workspace.cargo().get_program()).arg("rustc");
        let mut sh = product.cross.set_up(sh, workspace)?;
        let run = runner.map_or("true ".to_owned(), |runner| runner.in_shell(true));
        sh.env("CC", &product.tools.cc).env("RUN", run);
        process::run(sh, 10 * TOOL_LIMIT)?.expect_success(BESIDE_RUST).map(drop)
    }

    /// Compiles a C program in the package's folder.
    fn compile(&self, compiler: &str, source: &Path, program: &Path, link: &[impl AsRef<OsStr>]) -> Result<()> {
        let mut command = Command::new(compiler);
        command.current_dir(&self.root).args("-std=c99 -Wall -Wextra -Wpedantic -Werror -O1 -Iinclude".split(' '));
        process::stdout(command.arg(source).arg("-o").arg(program).args(link)).map(drop)
    }

    /// The quickstarts, built from the package with these compilers.
    fn in_c_and_cpp(&self, tools: &Tools, runner: &Runner) -> Result<Vec<Quickstart>> {
        let workspace = &self.sources.workspace;
        let by_cmake = self.folder.join("by-cmake");
        install::consume(workspace, &self.root, &self.root, &by_cmake, &tools.cmake())?;
        let by_pkg_config = self.folder.join("by-pkg-config");
        let cxx = tools.cxx.as_deref().context("there is no C++ compiler")?;
        install::by_pkg_config(workspace, &self.root, &self.root, &by_pkg_config, [&tools.cc, cxx])?;
        let mut quickstarts = Vec::new();
        for (folder, by) in [(&by_cmake, "CMake"), (&by_pkg_config, "pkg-config")] {
            runner.put_library_beside(&self.root, folder)?;
            let more: &[&str] = if by == "CMake" { &install::BUILT_BY_CMAKE } else { &[] };
            for name in install::BUILT.iter().chain(more) {
                let program = folder.join(format!("{name}{}", runner.suffix()));
                quickstarts.push(self.quickstart(format!("{name} by {by}"), runner, program));
            }
        }
        Ok(quickstarts)
    }

    fn quickstart(&self, name: String, runner: &Runner, program: PathBuf) -> Quickstart {
        let runs = runner.clone();
        Quickstart::new(format!("{name} {runner}"), move || Ok(runs.command(&program)))
    }

    /// In C#, by the command in the package's page, and in C++, by the project among the examples.
    fn on_this_machine(&self) -> Result<[Quickstart; 2]> {
        let examples = self.folder.join("examples");
        install::by_cmake(&self.sources.workspace, self.root.join("examples/cpp"), &self.root, &examples, &[])?;
        let page = fs::read_to_string(self.root.join(documented::PAGE)).context("the package has no page on C#")?;
        let program = documented::compile(&page, csharp::LIBRARY, &self.root)?;
        let libraries = self.root.join("lib");
        let mono = Quickstart::new("C# on Mono", move || {
            let mut command = mono::jit(&program);
            csharp::let_find(&mut command, &libraries);
            Ok(command)
        });
        Ok([self.quickstart("examples/cpp".to_owned(), &Runner::Here, examples.join("quickstart")), mono])
    }

    /// In C, with the import library for Microsoft's linker, and in C#, on .NET for Windows.
    fn on_windows(&self, tools: &Tools, runner: &Runner) -> Result<[Quickstart; 2]> {
        runner.put_library_beside(&self.root, &self.folder)?;
        let program = self.folder.join("quickstart-msvc.exe");
        self.compile(&tools.cc, Path::new(story::quickstarts::C), &program, &["lib/arr_session.dll.lib"])?;
        let c = self.quickstart("C by arr_session.dll.lib".to_owned(), runner, program);

        let sources = fs::read_dir(self.root.join(csharp::LIBRARY)).context("the package has no C#")?;
        let mut sources: Vec<PathBuf> = sources.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        sources.push(self.root.join("examples/csharp/Quickstart.cs"));
        sources.sort();
        let output = self.folder.join("Quickstart.exe");
        let options = ["-unsafe", "-target:exe", "-langversion:9"].map(str::to_owned).to_vec();
        let compilation = Compilation { output: output.clone(), sources, references: Vec::new(), options };
        let workspace = &self.sources.workspace;
        Dotnet::provide(workspace)?.compile(&[compilation])?.expect_success("Roslyn")?;
        dotnet::configure(&output)?;
        let dotnet = dotnet::provide_for_windows(workspace)?;
        let runs = runner.clone();
        let csharp = Quickstart::new("C# on .NET 8 under wine", move || {
            let mut command = runs.command(&dotnet);
            command.arg(&output);
            Ok(command)
        });
        Ok([c, csharp])
    }

    /// Links a program in each way that the package supports, if nothing here can run it.
    fn link(&self, tools: &Tools) -> Result<String> {
        self.says_that_it_was_not_run()?;
        let needs: Vec<String> = windows::NEEDS.split(';').map(|library| format!("-l{library}")).collect();
        let inside: Vec<&str> = ["-DARR_STATIC", "lib/static/libarr_session.a"]
            .into_iter()
            .chain(needs.iter().map(String::as_str))
            .collect();
        for (kind, link) in
            [("mingw", &["lib/libarr_session.dll.a"][..]), ("msvc", &["lib/arr_session.dll.lib"]), ("static", &inside)]
        {
            let program = self.folder.join(format!("quickstart-{kind}.exe"));
            self.compile(&tools.cc, Path::new(story::quickstarts::C), &program, link)?;
        }
        Ok("quickstart in C with each import library and static, static beside other Rust: linked, not run".to_owned())
    }

    /// Checks the unpacked Unity package.
    pub(super) fn prove_unity(&self) -> Result<String> {
        self.links_lead_somewhere()?;
        self.says_that_it_was_not_run()?;
        let problems = unity::problems(&self.root, &self.sources.workspace.version)?;
        ensure!(problems.is_empty(), "{}", problems.join("\n"));
        Ok("its files, settings and assemblies are correct".to_owned())
    }

    fn links_lead_somewhere(&self) -> Result<()> {
        let mut problems = Vec::new();
        for path in process::stdout(Command::new("find").arg(&self.root).args(["-name", "*.md"]))?.lines() {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
            let dead = links::dead_links(&text, Path::new(path).parent().unwrap_or(&self.root));
            problems.extend(dead.into_iter().map(|target| format!("{path}: dead link to {target}")));
        }
        ensure!(problems.is_empty(), "{}", problems.join("\n"));
        Ok(())
    }

    /// A package whose library was never run must say so.
    fn says_that_it_was_not_run(&self) -> Result<()> {
        let readme = fs::read_to_string(self.root.join("README.md")).context("the package has no README.md")?;
        ensure!(
            readme.contains("**Not run on a device**"),
            "its README.md does not say that the library was never run"
        );
        Ok(())
    }
}

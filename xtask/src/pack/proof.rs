//! A stranger's test of the packages: unpacked into an empty folder, and the quickstarts built and run from what is there.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use super::contents::{WINDOWS_NEEDS, toolchain};
use super::tree::Tree;
use super::{Package, named};
use crate::c::compiler::joined;
use crate::cpp::install::{self, define};
use crate::csharp;
use crate::csharp::dotnet::{self, Compilation, Dotnet};
use crate::csharp::{documented, mono};
use crate::links;
use crate::platforms::linux::{ARM64_CC, ARM64_CXX};
use crate::platforms::run::{self, Runner, STATIC_CXX};
use crate::platforms::shop::Shop;
use crate::platforms::windows::{MINGW_CC, MINGW_CXX, ZIG_TARGET};
use crate::platforms::wine::Wine;
use crate::platforms::zig::Zig;
use crate::process::{self, TOOL_LIMIT};
use crate::story::tellers::Teller;
use crate::workspace::replace;

/// What was proved of each package, in words.
pub(super) fn all(shop: &Shop, packages: &[Package], checksums: &Path) -> Result<Vec<String>> {
    let mut lines = vec![checked(checksums)?];
    for package in packages {
        // A blank, as in many people's paths.
        let folder = shop.workspace.target.join("pack/unpacked here").join(package.name);
        let root = unpack(package, &folder)?;
        let named = named::expect(&root).with_context(|| format!("the notices of the package {}", package.name))?;
        let stranger = Stranger { shop, root, folder };
        stranger.links_lead_somewhere()?;
        let proved = match package.name {
            "linux-x64" => stranger.linux_x64(),
            "linux-arm64" => stranger.linux_arm64(),
            "windows-x64" => stranger.windows_x64(),
            "windows-arm64" => stranger.windows_arm64(),
            "unity" => stranger.unity(),
            other => bail!("nobody has said how {other} is to be proved"),
        };
        let proved = proved.with_context(|| format!("the package {} by itself", package.name))?;
        lines.push(format!("{}: {proved}; {named} crates are named", package.name));
    }
    Ok(lines)
}

/// As somebody does it who has downloaded all of them.
fn checked(checksums: &Path) -> Result<String> {
    let mut command = Command::new("sha256sum");
    command.current_dir(checksums.parent().unwrap_or(Path::new("."))).arg("--check").arg(checksums);
    process::run(command, TOOL_LIMIT)?.expect_success("the checksums")?;
    Ok("checksums: as sha256sum --check has them".to_owned())
}

fn unpack(package: &Package, folder: &Path) -> Result<PathBuf> {
    replace(folder)?;
    package.kind.unpack(&package.archive, folder)?;
    Ok(folder.join(&package.root))
}

const IN_C_AND_CPP: &str = "quickstarts in C and C++ by CMake and by pkg-config, shared and static";

/// Somebody with a package, and nothing else of ours.
struct Stranger<'a> {
    shop: &'a Shop,
    /// What was unpacked.
    root: PathBuf,
    /// Where it builds.
    folder: PathBuf,
}

impl Stranger<'_> {
    fn linux_x64(&self) -> Result<String> {
        let mut tellers = self.in_c_and_cpp(["cc", "c++"], &[], &Runner::Here)?;
        let examples = self.folder.join("examples");
        install::by_cmake(&self.shop.workspace, self.root.join("examples/cpp"), &self.root, &examples, &[])?;
        tellers.push(Teller::new("C++ by the package's examples/cpp", move || {
            Ok(Runner::Here.command(&examples.join("quickstart")))
        }));
        let csharp = self.csharp_by_mcs()?;
        let libraries = self.root.join("lib");
        tellers.push(Teller::new("C# on Mono", move || {
            let mut command = mono::jit(&csharp);
            csharp::let_find(&mut command, &libraries);
            Ok(command)
        }));
        run::story(self.shop, &tellers)?;
        Ok(format!("{IN_C_AND_CPP}, and in C# on Mono: run"))
    }

    fn linux_arm64(&self) -> Result<String> {
        let tellers = self.in_c_and_cpp([ARM64_CC, ARM64_CXX], &toolchain(self.shop, "linux-arm64")?, &Runner::Qemu)?;
        run::story(self.shop, &tellers)?;
        Ok(format!("{IN_C_AND_CPP}: run under qemu"))
    }

    fn windows_x64(&self) -> Result<String> {
        let workspace = &self.shop.workspace;
        let wine = Wine::provide(workspace)?;
        let flags = STATIC_CXX.join(" ");
        let mut words = toolchain(self.shop, "windows-x64")?;
        words.push(define("CMAKE_CXX_STANDARD_LIBRARIES", &flags));
        let cxx = format!("{MINGW_CXX} {flags}");
        let mut tellers = self.in_c_and_cpp([MINGW_CC, &cxx], &words, &Runner::Wine(wine.clone()))?;
        let (kind, link) = self.for_microsofts_linker();
        let program = self.compile_c(MINGW_CC, kind, &[link])?;
        run::put_beside(&self.root.join("bin/arr_session.dll"), &self.folder)?;
        tellers.push(Teller::new(format!("C, {kind}, under wine"), {
            let wine = wine.clone();
            move || Ok(wine.command(&program))
        }));
        let program = self.csharp_by_roslyn()?;
        let dotnet = dotnet::provide_for_windows(workspace)?;
        tellers.push(Teller::new("C# on .NET 8 under wine", move || {
            let mut command = wine.command(&dotnet);
            command.arg(&program);
            Ok(command)
        }));
        run::story(self.shop, &tellers)?;
        Ok(format!(
            "{IN_C_AND_CPP}, in C with the import library for Microsoft's linker, and in C# on .NET 8: run under wine"
        ))
    }

    /// The quickstarts, as people build them who have this package and these compilers.
    fn in_c_and_cpp(&self, compilers: [&str; 2], toolchain: &[String], runner: &Runner) -> Result<Vec<Teller>> {
        let workspace = &self.shop.workspace;
        let by_cmake = self.folder.join("by-cmake");
        install::consume(workspace, &self.root, &self.root, &by_cmake, toolchain)?;
        let by_pkg_config = self.folder.join("by-pkg-config");
        install::by_pkg_config(workspace, &self.root, &self.root, &by_pkg_config, compilers)?;
        let mut tellers = Vec::new();
        for (folder, by) in [(&by_cmake, "CMake"), (&by_pkg_config, "pkg-config")] {
            if matches!(runner, Runner::Wine(_)) {
                run::put_beside(&self.root.join("bin/arr_session.dll"), folder)?;
            }
            let more: &[&str] = if by == "CMake" { &install::BUILT_BY_CMAKE } else { &[] };
            for name in install::BUILT.iter().chain(more) {
                let suffix = if matches!(runner, Runner::Wine(_)) { ".exe" } else { "" };
                let program = folder.join(format!("{name}{suffix}"));
                let runs = runner.clone();
                tellers.push(Teller::new(format!("{name} by {by} {runner}"), move || Ok(runs.command(&program))));
            }
        }
        Ok(tellers)
    }

    fn windows_arm64(&self) -> Result<String> {
        self.says_that_it_was_not_run()?;
        let zig = Zig::provide(&self.shop.workspace, ZIG_TARGET)?;
        let compiler = zig.cc.to_string_lossy().into_owned();
        for (kind, link) in self.windows_links() {
            self.compile_c(&compiler, kind, &link)?;
        }
        Ok("quickstart in C with each import library and static: linked, not run".to_owned())
    }

    /// Each way to link a program for Windows.
    fn windows_links(&self) -> [(&'static str, Vec<OsString>); 3] {
        let library = |name: &str| self.root.join("lib").join(name).into_os_string();
        let needs = WINDOWS_NEEDS.split(';').map(|library| OsString::from(format!("-l{library}")));
        let with_it_inside =
            vec!["-DARR_STATIC".into(), library("static/libarr_session.a")].into_iter().chain(needs).collect();
        let (msvc, import_library) = self.for_microsofts_linker();
        [("shared", vec![library("libarr_session.dll.a")]), (msvc, vec![import_library]), ("static", with_it_inside)]
    }

    fn for_microsofts_linker(&self) -> (&'static str, OsString) {
        ("shared-msvc", self.root.join("lib/arr_session.dll.lib").into_os_string())
    }

    fn links_lead_somewhere(&self) -> Result<()> {
        let pages = Tree { folder: self.root.clone() };
        let mut problems = Vec::new();
        for path in pages.entries()?.into_keys().filter(|path| path.ends_with(".md")) {
            let page = self.root.join(&path);
            let text = fs::read_to_string(&page).with_context(|| format!("cannot read {path}"))?;
            let dead = links::dead_links(&text, page.parent().unwrap_or(&self.root));
            problems.extend(dead.into_iter().map(|target| format!("{path}: there is no {target}")));
        }
        ensure!(problems.is_empty(), "{}", problems.join("\n"));
        Ok(())
    }

    /// What nobody has run is not handed out without saying so.
    fn says_that_it_was_not_run(&self) -> Result<()> {
        let readme = fs::read_to_string(self.root.join("README.md")).context("the package has no README.md")?;
        ensure!(
            readme.contains("**Not run on a device**"),
            "its README.md does not say that nobody has run the library"
        );
        Ok(())
    }

    /// The package that Unity gets is the one that is checked otherwise, unpacked.
    fn unity(&self) -> Result<String> {
        self.says_that_it_was_not_run()?;
        let problems = crate::unity::problems(&self.root, &self.shop.workspace.version)?;
        if !problems.is_empty() {
            bail!("{}", problems.join("\n"));
        }
        Ok("its files, settings and assemblies are as they must be".to_owned())
    }

    fn compile_c(&self, compiler: &str, kind: &str, link: &[OsString]) -> Result<PathBuf> {
        let program = self.folder.join(format!("quickstart-{kind}.exe"));
        let mut command = Command::new(compiler);
        command.current_dir(&self.folder).args(["-std=c99", "-Wall", "-Wextra"]);
        // Defines first; libraries after what needs them.
        let (defines, link): (Vec<_>, Vec<_>) = link.iter().partition(|word| word.to_string_lossy().starts_with("-D"));
        command.args(defines).arg(joined("-I", &self.root.join("include")));
        command.arg(self.root.join("examples/c/quickstart.c")).arg("-o").arg(&program).args(link);
        process::run(command, TOOL_LIMIT)?.expect_success(&format!("{compiler}, {kind}"))?;
        Ok(program)
    }

    fn csharp_sources(&self) -> Result<Vec<PathBuf>> {
        let mut sources: Vec<PathBuf> = fs::read_dir(self.root.join("csharp"))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        ensure!(!sources.is_empty(), "the package has no C#");
        sources.push(self.root.join("examples/csharp/Quickstart.cs"));
        sources.sort();
        Ok(sources)
    }

    /// As the page in the package tells.
    fn csharp_by_mcs(&self) -> Result<PathBuf> {
        let page = self.root.join("share/doc/arr_session/csharp.md");
        let page = fs::read_to_string(&page).with_context(|| format!("there is no {}", page.display()))?;
        documented::compile(&page, "csharp", &self.root)
    }

    fn csharp_by_roslyn(&self) -> Result<PathBuf> {
        let output = self.folder.join("Quickstart.exe");
        let options = ["-unsafe", "-target:exe", "-langversion:9"].map(str::to_owned).to_vec();
        let compilation =
            Compilation { output: output.clone(), sources: self.csharp_sources()?, references: Vec::new(), options };
        Dotnet::provide(&self.shop.workspace)?.compile(&[compilation])?.expect_success("Roslyn")?;
        dotnet::configure(&output)?;
        Ok(output)
    }
}

//! Windows: on x86_64, run under wine; on ARM64, linked. Both are what MinGW makes: a DLL is a DLL, whoever has linked it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use super::cross::Cross;
use super::inspect::{self, Target, UWP_ARM64, WINDOWS_ARM64, WINDOWS_X64};
use super::linked;
use super::product::Product;
use super::row::{self, Row};
use super::run::{self, Machine, Runner};
use super::shop::Shop;
use super::wine::Wine;
use super::zig::Zig;
use crate::artifacts::Library;
use crate::c::compiler::joined;
use crate::context::Context;
use crate::csharp::dotnet;
use crate::csharp::{self, Runtime};
use crate::notices::Parts;
use crate::process;
use crate::story::tellers::{self, Teller};
use crate::workspace::Workspace;

/// Makes binutils' dlltool write the same bytes each time.
const DLLTOOL: &str = "xtask/windows/dlltool.sh";
const RESOURCE: &str = "xtask/windows/version.rc.in";
const DLL: &str = "arr_session.dll";
const DEFINITION: &str = "arr_session.def";
/// For Microsoft's linker, by the name that cargo has for it: `arr_session.lib` would be the static library.
const IMPORT_LIBRARY: &str = "arr_session.dll.lib";

pub(crate) const MINGW_CC: &str = "x86_64-w64-mingw32-gcc";
pub(crate) const MINGW_CXX: &str = "x86_64-w64-mingw32-g++";
/// The targets in rustc's words.
pub(super) const X64_TARGET: &str = "x86_64-pc-windows-gnu";
const ARM64_TARGET: &str = "aarch64-pc-windows-gnullvm";

const MINGW_DLLTOOL: &str = "x86_64-w64-mingw32-dlltool";
/// As zig calls ARM64's Windows.
pub(crate) const ZIG_TARGET: &str = "aarch64-windows-gnu";

/// How one of the two is told to the tools.
struct Processor {
    platform: &'static str,
    /// As `llvm-dlltool` calls it.
    dlltool: &'static str,
    /// As `llvm-cvtres` does.
    cvtres: &'static str,
    /// What its DLL is handed out for.
    targets: &'static [Target],
}

const X64: Processor =
    Processor { platform: "windows-x64", dlltool: "i386:x86-64", cvtres: "/machine:x64", targets: &[WINDOWS_X64] };
const ARM64: Processor = Processor {
    platform: "windows-arm64",
    dlltool: "arm64",
    cvtres: "/machine:arm64",
    // Until Microsoft's linker has made one for UWP, the Unity package has this one there.
    targets: &[WINDOWS_ARM64, UWP_ARM64],
};

pub(crate) fn x64(shop: &mut Shop) -> Result<Row> {
    let Product { library, .. } = build_x64(shop)?;
    let folder = folder(shop, &X64)?;
    run::put_beside(&library.shared, &folder)?;

    let wine = Wine::provide(&shop.workspace)?;
    let machine = |link: PathBuf| Machine {
        cc: MINGW_CC,
        cxx: MINGW_CXX,
        runner: Runner::Wine(wine.clone()),
        link: vec![link.into()],
        folder: folder.clone(),
    };
    // Each of the import libraries has programs to prove itself.
    let tests = machine(library.link.clone()).contract_tests(shop)?;
    let machine = machine(folder.join(IMPORT_LIBRARY));
    let c = machine.compile_c(&shop.workspace.root, Path::new(tellers::C))?;
    let cpp = machine.compile_cpp(&shop.workspace.root, Path::new(tellers::CPP))?;
    run::story(shop, &[machine.teller("C", c), machine.teller("C++", cpp), csharp_teller(&wine, &folder)?])?;
    Ok(Row {
        platform: X64.platform,
        built: "linked".to_owned(),
        exports: format!("{}, equal", shop.abi.functions.len()),
        imports: "allowed".to_owned(),
        run: format!("under wine: {tests} C tests; quickstarts in C, C++, and in C# on .NET 8"),
        size: Some(row::size_of(&library.shared)?),
    })
}

pub(crate) fn arm64(shop: &mut Shop) -> Result<Row> {
    let Product { library, .. } = build_arm64(shop)?;
    Ok(Row {
        platform: ARM64.platform,
        built: "linked".to_owned(),
        exports: format!("{}, equal", shop.abi.functions.len()),
        imports: "allowed, no VC++ runtime".to_owned(),
        run: "-".to_owned(),
        size: Some(row::size_of(&library.shared)?),
    })
}

pub(crate) fn build_x64(shop: &Shop) -> Result<Product> {
    let (tools, link) = mingw(&shop.workspace)?;
    let cross = Cross { triple: X64_TARGET, cc: PathBuf::from(MINGW_CC), ar: None, tools: Some(tools), link };
    let made = build(shop, cross, &X64)?;
    Ok(product(made, Parts { target: X64_TARGET, linked: linked::for_windows(MINGW_CC)? }))
}

pub(crate) fn build_arm64(shop: &Shop) -> Result<Product> {
    let zig = Zig::provide(&shop.workspace, ZIG_TARGET)?;
    let linked = linked::for_windows_by_zig(&zig)?;
    let cross =
        Cross { triple: ARM64_TARGET, cc: zig.cc, ar: Some(zig.ar), tools: None, link: vec!["-Wl,-Brepro".into()] };
    Ok(product(build(shop, cross, &ARM64)?, Parts { target: ARM64_TARGET, linked }))
}

/// The tools and the linker's arguments with which MinGW writes the same bytes wherever the checkout lies. Its linker writes no
/// time of day if asked; but it puts what it imports in the order of the libraries' paths, some of which would be the
/// checkout's, and some MinGW's: so these are to be found below the target folder too.
fn mingw(workspace: &Workspace) -> Result<(PathBuf, Vec<OsString>)> {
    let folder = workspace.scratch("platforms/mingw")?;
    let own = process::stdout(Command::new(MINGW_CC).arg("-print-file-name=libkernel32.a"))?;
    let own = Path::new(own.trim_end()).parent().context("MinGW has no libraries of its own")?;
    let libraries = folder.join("lib");
    process::link(own, &libraries)?;

    let tools = workspace.scratch("platforms/mingw/bin")?;
    let wrapper = workspace.root.join(DLLTOOL);
    process::script(tools.join(MINGW_DLLTOOL), &format!("bash '{}' /usr/bin/{MINGW_DLLTOOL}", wrapper.display()))?;
    Ok((tools, vec!["-Wl,--no-insert-timestamp".into(), joined("-L", &libraries)]))
}

fn folder(shop: &Shop, processor: &Processor) -> Result<PathBuf> {
    shop.workspace.scratch(&format!("platforms/{}", processor.platform))
}

/// A library, and what is made for those who link with it.
pub(super) struct Build {
    pub(super) library: Library,
    /// The list of exports.
    pub(super) definition: PathBuf,
    /// For Microsoft's linker.
    pub(super) import_library: PathBuf,
}

fn build(shop: &Shop, mut cross: Cross, processor: &Processor) -> Result<Build> {
    let folder = folder(shop, processor)?;
    cross.link.push(resource(&shop.workspace, &folder, processor)?);
    let library = cross.build(&shop.workspace)?;
    let (definition, import_library) = import_library(shop, &folder, processor)?;
    expect(shop, &library, &import_library, processor)?;
    Ok(Build { library, definition, import_library })
}

/// What is handed out of a build, and under which names.
pub(super) fn product(made: Build, parts: Parts) -> Product {
    let Build { library, definition, import_library } = made;
    let files = vec![
        (DLL.to_owned(), library.shared.clone()),
        (DEFINITION.to_owned(), definition),
        (IMPORT_LIBRARY.to_owned(), import_library),
        ("libarr_session.dll.a".to_owned(), library.link.clone()),
        ("libarr_session.a".to_owned(), library.archive.clone()),
    ];
    Product { library, files, parts }
}

/// What Windows shows of the file, and installers compare: its version.
fn resource(workspace: &Workspace, folder: &Path, processor: &Processor) -> Result<OsString> {
    let version = &workspace.version;
    let numbers: Vec<&str> = version.split('.').collect();
    ensure!(numbers.len() == 3, "the version {version} has no three numbers");
    let text = workspace.read(RESOURCE)?.replace("@NUMBERS@", &numbers.join(",")).replace("@VERSION@", version);
    let source = folder.join("version.rc");
    fs::write(&source, text).with_context(|| format!("cannot write {}", source.display()))?;
    // Both take `/` for the beginning of an option, and so /data/version.rc for `/d ata/version.rc`: they are called where the
    // files are, and get names instead of paths.
    let here = |tool: &str| {
        let mut tool = Command::new(tool);
        tool.current_dir(folder);
        tool
    };
    let mut rc = here("llvm-rc-14");
    // It would ask a C preprocessor, for which there is nothing to do.
    rc.args(["/no-preprocess", "/fo", "version.res", "version.rc"]);
    process::run(rc, process::TOOL_LIMIT)?.expect_success("compile the version resource")?;
    let mut cvtres = here("llvm-cvtres-14");
    cvtres.args([processor.cvtres, "/out:version.o", "version.res"]);
    process::run(cvtres, process::TOOL_LIMIT)?.expect_success("convert the version resource")?;
    Ok(folder.join("version.o").into_os_string())
}

/// The list of exports, and the import library that Microsoft's linker takes.
fn import_library(shop: &Shop, folder: &Path, processor: &Processor) -> Result<(PathBuf, PathBuf)> {
    let (definition, library) = (folder.join(DEFINITION), folder.join(IMPORT_LIBRARY));
    let mut text = format!("LIBRARY {DLL}\nEXPORTS\n");
    for name in shop.abi.functions.keys() {
        text.push_str(&format!("    {name}\n"));
    }
    fs::write(&definition, text).with_context(|| format!("cannot write {}", definition.display()))?;
    let mut dlltool = Command::new("llvm-dlltool-14");
    dlltool.args(["-m", processor.dlltool, "-D", DLL, "-d"]).arg(&definition).arg("-l").arg(&library);
    process::run(dlltool, process::TOOL_LIMIT)?.expect_success("make the import library")?;
    Ok((definition, library))
}

fn expect(shop: &Shop, library: &Library, import_library: &Path, processor: &Processor) -> Result<()> {
    let files = [&*library.shared, &*library.archive, &*library.link, import_library];
    let mut problems = Vec::new();
    for target in processor.targets {
        problems.extend(inspect::problems_of_all(shop, *target, &files)?);
    }
    let data = fs::read(&library.shared).with_context(|| format!("cannot read {}", library.shared.display()))?;
    if !has_version(&data, &shop.workspace.version) {
        problems.push(format!("its version resource does not say {}", shop.workspace.version));
    }
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(())
}

/// Whether the file's version resource names this version. Resources are in UTF-16.
fn has_version(data: &[u8], version: &str) -> bool {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let wanted = [utf16("FileVersion"), utf16(version)];
    let Some(at) = find(data, &wanted[0]) else { return false };
    // The value follows its name, aligned.
    find(&data[at..data.len().min(at + 64)], &wanted[1]).is_some()
}

fn find(data: &[u8], wanted: &[u8]) -> Option<usize> {
    data.windows(wanted.len()).position(|window| window == wanted)
}

/// The C# quickstart, as it is on Linux, on the .NET of Windows.
fn csharp_teller(wine: &Wine, folder: &Path) -> Result<Teller> {
    let context = Context::new(Workspace::find()?);
    csharp::compile(&context)?;
    let dotnet = dotnet::provide_for_windows(&context.workspace)?;
    let programs = csharp::Programs::of(&context.workspace)?;
    for file in [programs.quickstart(Runtime::Dotnet), programs.library()] {
        run::put_beside(&file, folder)?;
    }
    let program = folder.join(programs.quickstart(Runtime::Dotnet).file_name().context("a program has a name")?);
    dotnet::configure(&program)?;
    let wine = wine.clone();
    Ok(Teller::new("C# on .NET 8 under wine", move || {
        let mut command = wine.command(&dotnet);
        command.arg(&program);
        Ok(command)
    }))
}

#[cfg(test)]
mod tests {
    use super::has_version;

    #[test]
    fn the_version_is_read_where_it_stands() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let data = [utf16("xxFileVersion\0\0"), utf16("0.1.0\0")].concat();
        assert!(has_version(&data, "0.1.0"));
        assert!(!has_version(&data, "0.2.0"));
        assert!(!has_version(&utf16("0.1.0"), "0.1.0"));
    }
}

//! Windows, on x86_64 with MinGW and on ARM64 with zig.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::cross::{Cross, OBJCOPY, Stripped};
use super::inspect::{self, Target, UWP_ARM64, WINDOWS_ARM64, WINDOWS_X64};
use super::linked;
use super::product::{Product, Sources, Tools};
use super::zig::Zig;
use crate::cpp::install::define;
use crate::notices::{Linked, Parts};
use crate::process;
use crate::workspace::Workspace;

/// Makes binutils' dlltool write the same bytes each time.
const DLLTOOL: &str = "xtask/windows/dlltool.sh";
const RESOURCE: &str = "xtask/windows/version.rc.in";
const DLL: &str = "arr_session.dll";
const DEFINITION: &str = "arr_session.def";
/// For Microsoft's linker, with cargo's name: `arr_session.lib` would be the static library.
const IMPORT_LIBRARY: &str = "arr_session.dll.lib";

const MINGW_CC: &str = "x86_64-w64-mingw32-gcc";
const MINGW_CXX: &str = "x86_64-w64-mingw32-g++";
const MINGW_OBJCOPY: &str = "x86_64-w64-mingw32-objcopy";
const MINGW_DLLTOOL: &str = "x86_64-w64-mingw32-dlltool";
/// Links GCC's libraries statically into C++ programs, which would not find their DLLs on Windows.
const STATIC_CXX: &str = "-static-libstdc++ -static-libgcc";

/// The system libraries that the static library needs with MinGW.
pub(crate) const NEEDS: &str = "ws2_32;crypt32;bcrypt;ntdll;userenv;advapi32";

pub(super) fn x64(sources: &Sources) -> Result<Product> {
    let (tools, link) = mingw(&sources.workspace)?;
    let cross = Cross {
        platform: WINDOWS_X64.name,
        triple: "x86_64-pc-windows-gnu",
        cc: MINGW_CC.into(),
        ar: None,
        objcopy: OBJCOPY,
        objects: MINGW_OBJCOPY,
        tools: Some(tools),
        link,
    };
    let more = vec![define("ARR_SESSION_NATIVE_LIBRARIES", NEEDS), define("CMAKE_CXX_STANDARD_LIBRARIES", STATIC_CXX)];
    let tools = Tools {
        cc: MINGW_CC.to_owned(),
        cxx: Some(format!("{MINGW_CXX} {STATIC_CXX}")),
        system: Some(("Windows", "AMD64")),
        more,
    };
    let programs = cross.build_programs(&sources.workspace)?;
    let linked = linked::for_windows(MINGW_CC)?;
    build(sources, cross, ["i386:x86-64", "/machine:x64"], &[WINDOWS_X64], programs, linked, tools)
}

pub(super) fn arm64(sources: &Sources) -> Result<Product> {
    let zig = Zig::provide(&sources.workspace, "aarch64-windows-gnu")?;
    let linked = linked::for_windows_by_zig(&zig)?;
    let more = vec![define("CMAKE_C_COMPILER_WORKS", "1"), define("ARR_SESSION_NATIVE_LIBRARIES", NEEDS)];
    let cc = zig.cc.to_string_lossy().into_owned();
    let tools = Tools { cc, cxx: None, system: Some(("Windows", "ARM64")), more };
    let cross = Cross {
        platform: WINDOWS_ARM64.name,
        triple: "aarch64-pc-windows-gnullvm",
        cc: zig.cc,
        ar: Some(zig.ar),
        objcopy: OBJCOPY,
        objects: OBJCOPY,
        tools: None,
        link: vec!["-Wl,-Brepro".into()],
    };
    // Until there is one by Microsoft's linker, the Unity package uses this DLL for UWP.
    build(sources, cross, ["arm64", "/machine:arm64"], &[WINDOWS_ARM64, UWP_ARM64], Vec::new(), linked, tools)
}

/// The tools and linker arguments with which MinGW writes the same bytes in any checkout. Its linker can omit the time, but sorts
/// imports by the paths of their libraries, some in the checkout and some in MinGW's folder. So MinGW's libraries are linked into
/// the target folder too.
fn mingw(workspace: &Workspace) -> Result<(PathBuf, Vec<OsString>)> {
    let folder = workspace.scratch("platforms/mingw")?;
    let own = process::stdout(Command::new(MINGW_CC).arg("-print-file-name=libkernel32.a"))?;
    let own = Path::new(own.trim_end()).parent().context("cannot find MinGW's libraries")?;
    let libraries = folder.join("lib");
    process::link(own, &libraries)?;

    let tools = workspace.scratch("platforms/mingw/bin")?;
    let wrapper = workspace.root.join(DLLTOOL);
    process::script(tools.join(MINGW_DLLTOOL), &format!("bash '{}' /usr/bin/{MINGW_DLLTOOL}", wrapper.display()))?;
    Ok((tools, vec!["-Wl,--no-insert-timestamp".into(), format!("-L{}", libraries.display()).into()]))
}

/// `machine` is the processor's name for `llvm-dlltool` and `llvm-cvtres`; `targets` are those that the DLL ships for.
fn build(
    sources: &Sources,
    mut cross: Cross,
    machine: [&str; 2],
    targets: &[Target],
    programs: Vec<PathBuf>,
    linked: Vec<Linked>,
    tools: Tools,
) -> Result<Product> {
    let folder = sources.workspace.scratch(&format!("platforms/{}", cross.platform))?;
    let [dlltool, cvtres] = machine;
    cross.link.push(resource(&sources.workspace, &folder, cvtres)?);
    let Stripped { library, debug } = cross.build(&sources.workspace, DLL)?;
    let (definition, import_library) = import_library(sources, &folder, dlltool)?;
    for target in targets {
        inspect::expect(sources, *target, &[&library.shared, &library.archive, &library.link, &import_library])?;
    }
    // Resources are in UTF-16.
    let texts = process::stdout(Command::new("strings").arg("-el").arg(&library.shared))?;
    let version = &sources.workspace.version;
    ensure!(texts.contains(&format!("FileVersion\n{version}\n")), "its version resource does not say {version}");
    let files = vec![
        (DLL.to_owned(), library.shared.clone()),
        (DEFINITION.to_owned(), definition),
        (IMPORT_LIBRARY.to_owned(), import_library),
        ("libarr_session.dll.a".to_owned(), library.link.clone()),
        ("libarr_session.a".to_owned(), library.archive.clone()),
    ];
    let parts = Parts { target: cross.triple, programs: !programs.is_empty(), linked };
    Ok(Product { library, debug, files, programs, parts, tools, cross })
}

/// The version resource, which Windows shows and installers compare.
fn resource(workspace: &Workspace, folder: &Path, machine: &str) -> Result<OsString> {
    let version = &workspace.version;
    let numbers: Vec<&str> = version.split('.').collect();
    ensure!(numbers.len() == 3, "the version {version} has no three numbers");
    let text = workspace.read(RESOURCE)?.replace("@NUMBERS@", &numbers.join(",")).replace("@VERSION@", version);
    let source = folder.join("version.rc");
    fs::write(&source, text).with_context(|| format!("cannot write {}", source.display()))?;
    // Both tools take `/` for an option, and /data/version.rc for `/d ata/version.rc`. So they run in the files' folder, with names
    // instead of paths.
    let call = |tool: &str, arguments: &[&str]| process::stdout(Command::new(tool).current_dir(folder).args(arguments));
    // There is nothing for a C preprocessor.
    call("llvm-rc-14", &["/no-preprocess", "/fo", "version.res", "version.rc"])?;
    call("llvm-cvtres-14", &[machine, "/out:version.o", "version.res"])?;
    Ok(folder.join("version.o").into_os_string())
}

/// The list of exports, and the import library for Microsoft's linker.
fn import_library(sources: &Sources, folder: &Path, machine: &str) -> Result<(PathBuf, PathBuf)> {
    let (definition, library) = (folder.join(DEFINITION), folder.join(IMPORT_LIBRARY));
    let functions: String = sources.abi.functions.keys().map(|name| format!("    {name}\n")).collect();
    fs::write(&definition, format!("LIBRARY {DLL}\nEXPORTS\n{functions}"))
        .with_context(|| format!("cannot write {}", definition.display()))?;
    let mut dlltool = Command::new("llvm-dlltool-14");
    process::stdout(dlltool.args(["-m", machine, "-D", DLL, "-d"]).arg(&definition).arg("-l").arg(&library))?;
    Ok((definition, library))
}

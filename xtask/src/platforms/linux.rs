//! Linux on x86_64, for ten-year-old systems too, and on ARM64; and Android.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::cross::{Cross, OBJCOPY, Stripped};
use super::inspect::{self, ANDROID_ARM64, LINUX_ARM64, LINUX_X64, OLDEST_GLIBC, Target};
use super::linked;
use super::product::{Product, Sources, Tools};
use super::zig::Zig;
use crate::abi::binary::Binary;
use crate::notices::{Linked, Parts};
use crate::process;

const ARM64_CC: &str = "aarch64-linux-gnu-gcc";
const ARM64_CXX: &str = "aarch64-linux-gnu-g++";
const ARM64_OBJCOPY: &str = "aarch64-linux-gnu-objcopy";

const ANDROID_CC: &str = "xtask/checked/android-cc.sh";
const AR: &str = "llvm-ar-14";
/// The libraries that rustc links on Android.
const ANDROID_SHARED: [&str; 4] = ["c", "m", "dl", "log"];

pub(crate) fn x64(sources: &Sources) -> Result<Product> {
    let (major, minor) = OLDEST_GLIBC;
    let zig = Zig::provide(&sources.workspace, &format!("x86_64-linux-gnu.{major}.{minor}"))?;
    let linked = linked::for_linux_by_zig(&zig)?;
    let tools = Tools { cc: "cc".to_owned(), cxx: Some("c++".to_owned()), system: None, more: Vec::new() };
    let product = build(
        sources,
        LINUX_X64,
        "x86_64-unknown-linux-gnu",
        (zig.cc, Some(zig.ar), [OBJCOPY, "objcopy"]),
        linked,
        tools,
    )?;
    for program in &product.programs {
        let too_new = inspect::too_new(&Binary::read(program)?.elf.context("a program is an ELF file")?.versions);
        ensure!(too_new.is_empty(), "{}: {}", program.display(), too_new.join(", "));
    }
    Ok(product)
}

pub(super) fn arm64(sources: &Sources) -> Result<Product> {
    let system = Some(("Linux", "aarch64"));
    let tools = Tools { cc: ARM64_CC.to_owned(), cxx: Some(ARM64_CXX.to_owned()), system, more: Vec::new() };
    let linked = linked::for_linux(ARM64_CC)?;
    build(sources, LINUX_ARM64, "aarch64-unknown-linux-gnu", (ARM64_CC.into(), None, [ARM64_OBJCOPY; 2]), linked, tools)
}

fn build(
    sources: &Sources,
    target: Target,
    triple: &'static str,
    (cc, ar, [objcopy, objects]): (PathBuf, Option<PathBuf>, [&'static str; 2]),
    linked: Vec<Linked>,
    tools: Tools,
) -> Result<Product> {
    let soname = sources.abi.soname();
    let link = vec![format!("-Wl,-soname,{soname}").into()];
    let cross = Cross { platform: target.name, triple, cc, ar, objcopy, objects, tools: None, link };
    let Stripped { library, debug } = cross.build(&sources.workspace, &soname)?;
    inspect::expect(sources, target, &[&library.shared, &library.archive])?;
    let programs = cross.build_programs(&sources.workspace)?;
    let files = vec![(soname, library.shared.clone()), ("libarr_session.a".to_owned(), library.archive.clone())];
    let parts = Parts { target: triple, programs: true, linked };
    Ok(Product { library, debug, files, programs, parts, tools, cross })
}

/// Android's C library comes with Google's NDK, which is not available here. Libraries without code replace it: the result has the
/// right exports and imports, but is never run.
pub(super) fn android(sources: &Sources) -> Result<PathBuf> {
    let folder = sources.workspace.scratch("platforms/android-arm64")?;
    stand_ins(&folder)?;
    let name = "libarr_session.so";
    let flags = ["-fuse-ld=lld-14", "-nostdlib", "-nostartfiles", "-Wl,-z,undefs"].map(str::to_owned);
    let more = [
        format!("-Wl,-soname,{name}"),
        format!("-Wl,-z,max-page-size={}", ANDROID_ARM64.page),
        format!("-L{}", folder.display()),
    ];
    let cross = Cross {
        platform: ANDROID_ARM64.name,
        triple: "aarch64-linux-android",
        cc: sources.workspace.root.join(ANDROID_CC),
        ar: Some(AR.into()),
        objcopy: OBJCOPY,
        objects: OBJCOPY,
        tools: None,
        link: flags.into_iter().chain(more).map(OsString::from).collect(),
    };
    let library = cross.build(&sources.workspace, name)?.library;
    inspect::expect(sources, ANDROID_ARM64, &[&library.shared, &library.archive])?;
    Ok(library.shared)
}

/// Empty libraries with the right names.
fn stand_ins(folder: &Path) -> Result<()> {
    let (empty, object) = (folder.join("empty.c"), folder.join("empty.o"));
    fs::write(&empty, "").with_context(|| format!("cannot write {}", empty.display()))?;
    let call = |program: &str, arguments: &[&str], output: &Path, input: &Path| {
        process::stdout(Command::new(program).args(arguments).args([output, input]))
    };
    let clang = ["--target=aarch64-linux-android24", "-nostdlib"];
    for name in ANDROID_SHARED {
        let soname = format!("-Wl,-soname,lib{name}.so");
        let arguments = [&clang[..], &["-shared", "-fuse-ld=lld-14", &soname, "-o"]].concat();
        call("clang-14", &arguments, &folder.join(format!("lib{name}.so")), &empty)?;
    }
    call("clang-14", &[&clang[..], &["-c", "-o"]].concat(), &object, &empty)?;
    call(AR, &["rcs"], &folder.join("libunwind.a"), &object)?;
    Ok(())
}

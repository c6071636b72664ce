//! Android on ARM64. Its C library comes with Google's NDK, which cannot be had here: stand-ins without any code take its
//! place, so that what comes of it has the shape of the real thing, and is never run.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::cross::Cross;
use super::inspect::ANDROID_ARM64;
use super::linux;
use super::row::{self, Row};
use super::shop::Shop;
use crate::process;

const CC: &str = "xtask/checked/android-cc.sh";
const AR: &str = "llvm-ar-14";
/// What rustc asks the linker for.
const SHARED: [&str; 4] = ["c", "m", "dl", "log"];

pub(crate) fn arm64(shop: &mut Shop) -> Result<Row> {
    let folder = shop.workspace.scratch("platforms/android-arm64")?;
    stand_ins(&folder)?;
    let mut search = OsString::from("-L");
    search.push(&folder);
    let mut link: Vec<OsString> =
        ["-fuse-ld=lld-14", "-nostdlib", "-nostartfiles", "-Wl,-z,undefs", "-Wl,-soname,libarr_session.so"]
            .map(OsString::from)
            .to_vec();
    link.push(format!("-Wl,-z,max-page-size={}", ANDROID_ARM64.page).into());
    link.push(search);
    let cross = Cross {
        triple: "aarch64-linux-android",
        cc: shop.workspace.root.join(CC),
        ar: Some(PathBuf::from(AR)),
        link,
        tools: None,
    };
    let library = cross.build(&shop.workspace)?;
    linux::expect(shop, &library, ANDROID_ARM64)?;
    Ok(Row {
        platform: "android-arm64",
        built: "linked with stand-ins".to_owned(),
        exports: format!("{}, equal", shop.abi.functions.len()),
        imports: "allowed, 16 KiB pages".to_owned(),
        run: "-".to_owned(),
        size: Some(row::size_of(&library.shared)?),
    })
}

/// Libraries with the right names, and nothing in them.
fn stand_ins(folder: &Path) -> Result<()> {
    let empty = folder.join("empty.c");
    fs::write(&empty, "").with_context(|| format!("cannot write {}", empty.display()))?;
    let clang = || {
        let mut clang = Command::new("clang-14");
        clang.args(["--target=aarch64-linux-android24", "-nostdlib"]);
        clang
    };
    for name in SHARED {
        let mut link = clang();
        link.args(["-shared", "-fuse-ld=lld-14"]).arg(format!("-Wl,-soname,lib{name}.so"));
        link.arg("-o").arg(folder.join(format!("lib{name}.so"))).arg(&empty);
        process::run(link, process::TOOL_LIMIT)?.expect_success(&format!("make a stand-in for lib{name}.so"))?;
    }
    let object = folder.join("empty.o");
    let mut compile = clang();
    compile.arg("-c").arg(&empty).arg("-o").arg(&object);
    process::run(compile, process::TOOL_LIMIT)?.expect_success("compile a stand-in")?;
    let mut archive = Command::new(AR);
    archive.arg("rcs").arg(folder.join("libunwind.a")).arg(&object);
    process::run(archive, process::TOOL_LIMIT)?.expect_success("make a stand-in for libunwind.a")?;
    Ok(())
}

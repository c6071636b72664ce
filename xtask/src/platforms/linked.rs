//! The parts that linkers add to a library, for the packages' notices.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::zig::Zig;
use crate::notices::Linked;
use crate::process;

const GLIBC: &str = "GNU C library: start files and libc_nonshared";
/// Each of these files gives "unlimited permission to link".
const GLIBC_LICENSE: &str = "LGPL-2.1-or-later, with an exception for what is linked";
const GCC: &str = "GCC: libgcc and start files";
/// The exception allows any terms for programs compiled with GCC.
const GCC_LICENSE: &str = "GPL-3.0-or-later WITH GCC-exception-3.1";
const MINGW: &str = "mingw-w64: run-time library";
const MINGW_LICENSE: &str = "ZPL-2.1, and others";
const MINGW_PACKAGE: &str = "mingw-w64-x86-64-dev";

/// By Debian's cross compiler for Linux.
pub(super) fn for_linux(cc: &str) -> Result<Vec<Linked>> {
    let glibc = part(GLIBC, of_package("libc6-dev-arm64-cross")?, GLIBC_LICENSE, None);
    Ok(vec![part(GCC, of_gcc(cc)?, GCC_LICENSE, None), glibc])
}

/// By zig for Linux.
pub(super) fn for_linux_by_zig(zig: &Zig) -> Result<Vec<Linked>> {
    let glibc = part(GLIBC, format!("as shipped with zig {}", zig.version()?), GLIBC_LICENSE, None);
    Ok([glibc].into_iter().chain(of_zig(zig)?).collect())
}

/// By Debian's MinGW.
pub(super) fn for_windows(cc: &str) -> Result<Vec<Linked>> {
    let text = format!("/usr/share/doc/{MINGW_PACKAGE}/copyright").into();
    let mingw = part(MINGW, of_package(MINGW_PACKAGE)?, MINGW_LICENSE, Some(text));
    Ok(vec![part(GCC, of_gcc(cc)?, GCC_LICENSE, None), mingw])
}

/// By zig for Windows.
pub(super) fn for_windows_by_zig(zig: &Zig) -> Result<Vec<Linked>> {
    let text = zig.folder().join("lib/libc/mingw/COPYING");
    let mingw = part(MINGW, format!("as shipped with zig {}", zig.version()?), MINGW_LICENSE, Some(text));
    Ok([mingw].into_iter().chain(of_zig(zig)?).collect())
}

fn of_zig(zig: &Zig) -> Result<[Linked; 2]> {
    let (version, folder) = (zig.version()?, zig.folder());
    let unwinder = "LLVM: libunwind, from zig";
    let (license, text) = ("Apache-2.0 WITH LLVM-exception", folder.join("lib/libunwind/LICENSE.TXT"));
    Ok([
        part("zig: compiler-rt and libzigc", version.clone(), "MIT", Some(folder.join("LICENSE"))),
        part(unwinder, version, license, Some(text)),
    ])
}

fn part(name: &'static str, version: String, license: &'static str, text: Option<PathBuf>) -> Linked {
    Linked { name, version, license, text }
}

fn of_gcc(cc: &str) -> Result<String> {
    Ok(process::stdout(Command::new(cc).arg("-dumpfullversion"))?.trim().to_owned())
}

/// The version of a Debian package.
fn of_package(name: &str) -> Result<String> {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat", "${Version}", name]);
    process::stdout(&mut query).with_context(|| format!("Debian's {name} is not installed"))
}

//! What the linkers add to a library that was not asked for, and is handed out in it: for the packages' notices.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::zig::Zig;
use crate::notices::Linked;
use crate::process;

/// What is compiled with GCC may be handed out under any terms.
const GCC_LICENSE: &str = "GPL-3.0-or-later WITH GCC-exception-3.1";
/// "Unlimited permission to link", as each of these files says.
const GLIBC_LICENSE: &str = "LGPL-2.1-or-later, with an exception for what is linked";
const MINGW: &str = "mingw-w64: run-time library";
const MINGW_LICENSE: &str = "ZPL-2.1, and others";

/// By Debian's cross compiler for Linux.
pub(super) fn for_linux(cc: &str) -> Result<Vec<Linked>> {
    Ok(vec![libgcc(cc)?, glibc(of_package("libc6-dev-arm64-cross")?)])
}

/// By zig for Linux.
pub(super) fn for_linux_by_zig(zig: &Zig) -> Result<Vec<Linked>> {
    let mut linked = vec![glibc(format!("as zig {} has it", zig.version()?))];
    linked.extend(of_zig(zig)?);
    Ok(linked)
}

/// By Debian's MinGW.
pub(super) fn for_windows(cc: &str) -> Result<Vec<Linked>> {
    let package = "mingw-w64-x86-64-dev";
    let text = Path::new("/usr/share/doc").join(package).join("copyright");
    let mingw = Linked { name: MINGW, version: of_package(package)?, license: MINGW_LICENSE, text: Some(text) };
    Ok(vec![libgcc(cc)?, mingw])
}

/// By zig for Windows.
pub(super) fn for_windows_by_zig(zig: &Zig) -> Result<Vec<Linked>> {
    let text = Some(zig.folder().join("lib/libc/mingw/COPYING"));
    let version = format!("as zig {} has it", zig.version()?);
    let mut linked = vec![Linked { name: MINGW, version, license: MINGW_LICENSE, text }];
    linked.extend(of_zig(zig)?);
    Ok(linked)
}

fn of_zig(zig: &Zig) -> Result<[Linked; 2]> {
    let part = |name, license, text: &str| -> Result<Linked> {
        Ok(Linked { name, version: zig.version()?, license, text: Some(zig.folder().join(text)) })
    };
    Ok([
        part("zig: compiler-rt and libzigc", "MIT", "LICENSE")?,
        part("LLVM: libunwind, from zig", "Apache-2.0 WITH LLVM-exception", "lib/libunwind/LICENSE.TXT")?,
    ])
}

fn libgcc(cc: &str) -> Result<Linked> {
    let version = process::stdout(Command::new(cc).arg("-dumpfullversion"))?.trim().to_owned();
    Ok(Linked { name: "GCC: libgcc and start files", version, license: GCC_LICENSE, text: None })
}

fn glibc(version: String) -> Linked {
    Linked { name: "GNU C library: start files and libc_nonshared", version, license: GLIBC_LICENSE, text: None }
}

/// The version of a package of Debian's.
fn of_package(name: &str) -> Result<String> {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat", "${Version}", name]);
    process::stdout(&mut query).with_context(|| format!("Debian's {name} is not installed"))
}

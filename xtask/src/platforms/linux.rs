//! Linux: on this machine's processor, for systems of ten years ago; and on ARM64, under qemu.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::abidiff;
use super::cross::Cross;
use super::inspect::{self, LINUX_ARM64, LINUX_X64, Target};
use super::linked;
use super::product::Product;
use super::row::{self, Row};
use super::run::{self, Machine, Runner};
use super::shop::Shop;
use super::zig::Zig;
use crate::artifacts::Library;
use crate::notices::Parts;
use crate::story::tellers;

/// The C library of CentOS 7 and of everything since.
const OLDEST_GLIBC: (u32, u32) = (2, 17);

pub(super) const X64: &str = "x86_64-unknown-linux-gnu";
pub(super) const ARM64: &str = "aarch64-unknown-linux-gnu";

pub(crate) const ARM64_CC: &str = "aarch64-linux-gnu-gcc";
pub(crate) const ARM64_CXX: &str = "aarch64-linux-gnu-g++";

const RUST_QUICKSTART: &str = "quickstart";

pub(crate) fn x64(shop: &mut Shop) -> Result<Row> {
    let Product { library, .. } = build_x64(shop)?;
    let folder = shop.workspace.scratch("platforms/linux-x64")?;
    let machine = Machine::linux(("gcc", "g++"), Runner::Here, &library, &shop.abi.soname(), folder)?;
    let rust = cross_x64(shop, zig(shop)?).build_example(&shop.workspace, RUST_QUICKSTART)?;
    let row = row(shop, "linux-x64", &library, &machine, rust)?;
    let exports = format!("{}; {}", row.exports, abidiff::check(shop)?);
    Ok(Row { exports, ..row })
}

pub(crate) fn arm64(shop: &mut Shop) -> Result<Row> {
    let Product { library, .. } = build_arm64(shop)?;
    let folder = shop.workspace.scratch("platforms/linux-arm64")?;
    let machine = Machine::linux((ARM64_CC, ARM64_CXX), Runner::Qemu, &library, &shop.abi.soname(), folder)?;
    let rust = cross_arm64(shop).build_example(&shop.workspace, RUST_QUICKSTART)?;
    row(shop, "linux-arm64", &library, &machine, rust)
}

pub(crate) fn build_x64(shop: &Shop) -> Result<Product> {
    let zig = zig(shop)?;
    let linked = linked::for_linux_by_zig(&zig)?;
    let library = cross_x64(shop, zig).build(&shop.workspace)?;
    expect(shop, &library, LINUX_X64)?;
    Ok(product(shop, library, Parts { target: X64, linked }))
}

pub(crate) fn build_arm64(shop: &Shop) -> Result<Product> {
    let library = cross_arm64(shop).build(&shop.workspace)?;
    expect(shop, &library, LINUX_ARM64)?;
    Ok(product(shop, library, Parts { target: ARM64, linked: linked::for_linux(ARM64_CC)? }))
}

fn zig(shop: &Shop) -> Result<Zig> {
    let (major, minor) = OLDEST_GLIBC;
    Zig::provide(&shop.workspace, &format!("x86_64-linux-gnu.{major}.{minor}"))
}

fn cross_x64(shop: &Shop, zig: Zig) -> Cross {
    Cross { triple: X64, cc: zig.cc, ar: Some(zig.ar), link: name_to_remember(shop), tools: None }
}

fn cross_arm64(shop: &Shop) -> Cross {
    Cross { triple: ARM64, cc: PathBuf::from(ARM64_CC), ar: None, link: name_to_remember(shop), tools: None }
}

/// What is handed out of a library, and under which names.
pub(super) fn product(shop: &Shop, library: Library, parts: Parts) -> Product {
    let files =
        vec![(shop.abi.soname(), library.shared.clone()), ("libarr_session.a".to_owned(), library.archive.clone())];
    Product { library, files, parts }
}

/// Runs all that there is for it, and tells.
fn row(shop: &Shop, platform: &'static str, library: &Library, machine: &Machine, rust: PathBuf) -> Result<Row> {
    let root = &shop.workspace.root;
    let tests = machine.contract_tests(shop)?;
    let tellers = [
        machine.teller("C", machine.compile_c(root, Path::new(tellers::C))?),
        machine.teller("C++", machine.compile_cpp(root, Path::new(tellers::CPP))?),
        machine.teller("Rust", rust),
    ];
    run::story(shop, &tellers)?;
    Ok(Row {
        platform,
        built: "linked".to_owned(),
        exports: format!("{}, equal", shop.abi.functions.len()),
        imports: "allowed".to_owned(),
        run: format!("{}: {tests} C tests; quickstarts in C, C++, Rust", machine.runner),
        size: Some(row::size_of(&library.shared)?),
    })
}

fn name_to_remember(shop: &Shop) -> Vec<OsString> {
    vec![format!("-Wl,-soname,{}", shop.abi.soname()).into()]
}

/// Android's are of this kind, too.
pub(super) fn expect(shop: &Shop, library: &Library, target: Target) -> Result<()> {
    let problems = inspect::problems_of_all(shop, target, &[&library.shared, &library.archive])?;
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(())
}

/// The versions of the C library that older systems do not have.
pub(super) fn too_new<'a>(versions: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let (major, minor) = OLDEST_GLIBC;
    let newer = versions.into_iter().filter(|version| {
        version.strip_prefix("GLIBC_").is_some_and(|number| {
            let mut parts = number.split('.').map(|part| part.parse().unwrap_or(u32::MAX));
            (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) > OLDEST_GLIBC
        })
    });
    newer.map(|version| format!("it needs {version}, newer than {major}.{minor}")).collect()
}

#[cfg(test)]
mod tests {
    use super::too_new;

    #[test]
    fn a_c_library_that_is_too_new_is_named() {
        let versions = ["GLIBC_2.2.5", "GLIBC_2.17", "GCC_3.0"].map(str::to_owned);
        assert_eq!(too_new(&versions), [""; 0]);
        let versions = ["GLIBC_2.18", "GLIBC_2.34", "GLIBC_3"].map(str::to_owned);
        assert_eq!(too_new(&versions).len(), 3);
    }
}

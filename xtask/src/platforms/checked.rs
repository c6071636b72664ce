//! Platforms whose linker or C library cannot be had here: all of the code is type-checked for them, and no more.

use std::path::PathBuf;

use anyhow::Result;

use super::cross::Cross;
use super::row::Row;
use super::shop::Shop;

/// Compiles ring's C with the headers that are at hand: what it makes is never linked.
const CC: &str = "xtask/checked/windows-cc.sh";
/// Of the clang that these compilations take.
const AR: &str = "llvm-ar-14";

pub(crate) fn windows_msvc_x64(shop: &mut Shop) -> Result<Row> {
    checked(shop, "windows-msvc-x64", "x86_64-pc-windows-msvc")
}

pub(crate) fn windows_msvc_arm64(shop: &mut Shop) -> Result<Row> {
    checked(shop, "windows-msvc-arm64", "aarch64-pc-windows-msvc")
}

pub(crate) fn uwp_x64(shop: &mut Shop) -> Result<Row> {
    checked(shop, "uwp-x64", "x86_64-uwp-windows-msvc")
}

pub(crate) fn uwp_arm64(shop: &mut Shop) -> Result<Row> {
    checked(shop, "uwp-arm64", "aarch64-uwp-windows-msvc")
}

fn checked(shop: &Shop, platform: &'static str, triple: &'static str) -> Result<Row> {
    let cc = shop.workspace.root.join(CC);
    let cross = Cross { triple, cc, ar: Some(PathBuf::from(AR)), tools: None, link: Vec::new() };
    cross.check(&shop.workspace)?;
    Ok(Row {
        platform,
        built: "type-checked".to_owned(),
        exports: "-".to_owned(),
        imports: "-".to_owned(),
        run: "-".to_owned(),
        size: None,
    })
}

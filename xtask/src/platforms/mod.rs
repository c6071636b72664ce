//! Every platform that the users ship to, and how its library is built here.

mod cross;
mod inspect;
mod linked;
mod linux;
pub(crate) mod product;
pub(crate) mod windows;
mod zig;

use std::path::PathBuf;

use anyhow::Result;

use cross::{Cross, OBJCOPY};
pub(crate) use inspect::{list as inspected, run as inspect};
use product::{Product, Sources};

/// A platform, by the name that the command line and the pages have for it.
pub(crate) struct Platform {
    pub(crate) name: &'static str,
    pub(crate) reached: Reached,
}

/// How far a platform can be proved here.
#[derive(Clone, Copy)]
pub(crate) enum Reached {
    /// It is handed out, and its package is run or, where nothing here runs its programs, linked with.
    Packed { build: fn(&Sources) -> Result<Product>, runs: bool },
    /// With stand-ins for what its system would have.
    Linked { build: fn(&Sources) -> Result<PathBuf> },
    /// For this target of rustc's: its linker or C library cannot be had here.
    TypeChecked { triple: &'static str },
}

pub(crate) const PLATFORMS: &[Platform] = &[
    packed("linux-x64", linux::x64, true),
    packed("linux-arm64", linux::arm64, true),
    packed("windows-x64", windows::x64, true),
    packed("windows-arm64", windows::arm64, false),
    checked("windows-msvc-x64", "x86_64-pc-windows-msvc"),
    checked("windows-msvc-arm64", "aarch64-pc-windows-msvc"),
    checked("uwp-x64", "x86_64-uwp-windows-msvc"),
    checked("uwp-arm64", "aarch64-uwp-windows-msvc"),
    Platform { name: "android-arm64", reached: Reached::Linked { build: linux::android } },
];

const fn packed(name: &'static str, build: fn(&Sources) -> Result<Product>, runs: bool) -> Platform {
    Platform { name, reached: Reached::Packed { build, runs } }
}

const fn checked(name: &'static str, triple: &'static str) -> Platform {
    Platform { name, reached: Reached::TypeChecked { triple } }
}

/// Compiles ring's C with the headers that are at hand: what it makes is never linked.
const CHECKED_CC: &str = "xtask/checked/windows-cc.sh";

/// Type-checks all of the library's code.
pub(crate) fn check(sources: &Sources, platform: &'static str, triple: &'static str) -> Result<()> {
    let (cc, ar) = (sources.workspace.root.join(CHECKED_CC), Some("llvm-ar-14".into()));
    Cross { platform, triple, cc, ar, objcopy: OBJCOPY, tools: None, link: Vec::new() }.check(&sources.workspace)
}

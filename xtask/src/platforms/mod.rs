//! The supported platforms, and how the library is built for each.

mod cross;
mod inspect;
mod linked;
mod linux;
pub(crate) mod product;
pub(crate) mod windows;
mod zig;

use std::path::PathBuf;

use anyhow::Result;

pub(crate) use cross::Cross;
use cross::OBJCOPY;
pub(crate) use inspect::{list as inspected, run as inspect};
pub(crate) use linux::x64 as linux_x64;
use product::{Product, Sources};

/// A platform, by its name on the command line and in the pages.
pub(crate) struct Platform {
    pub(crate) name: &'static str,
    pub(crate) reached: Reached,
}

/// How far a platform can be tested here.
#[derive(Clone, Copy)]
pub(crate) enum Reached {
    /// It has a package, whose programs are run or, if nothing here can run them, linked.
    Packed { build: fn(&Sources) -> Result<Product> },
    /// Linked with stand-ins for the system's libraries.
    Linked { build: fn(&Sources) -> Result<PathBuf> },
    /// Type-checked for this target of rustc: its linker or C library is not available here.
    TypeChecked { triple: &'static str },
}

pub(crate) const PLATFORMS: &[Platform] = &[
    packed("linux-x64", linux::x64),
    packed("linux-arm64", linux::arm64),
    packed("windows-x64", windows::x64),
    packed("windows-arm64", windows::arm64),
    checked("windows-msvc-x64", "x86_64-pc-windows-msvc"),
    checked("windows-msvc-arm64", "aarch64-pc-windows-msvc"),
    checked("uwp-x64", "x86_64-uwp-windows-msvc"),
    checked("uwp-arm64", "aarch64-uwp-windows-msvc"),
    Platform { name: "android-arm64", reached: Reached::Linked { build: linux::android } },
];

const fn packed(name: &'static str, build: fn(&Sources) -> Result<Product>) -> Platform {
    Platform { name, reached: Reached::Packed { build } }
}

const fn checked(name: &'static str, triple: &'static str) -> Platform {
    Platform { name, reached: Reached::TypeChecked { triple } }
}

/// Compiles ring's C with MinGW's headers. The result is never linked.
const CHECKED_CC: &str = "xtask/checked/windows-cc.sh";

/// Type-checks all of the library's code.
pub(crate) fn check(sources: &Sources, platform: &'static str, triple: &'static str) -> Result<()> {
    let (cc, ar) = (sources.workspace.root.join(CHECKED_CC), Some("llvm-ar-14".into()));
    Cross { platform, triple, cc, ar, objcopy: OBJCOPY, objects: OBJCOPY, tools: None, link: Vec::new() }
        .check(&sources.workspace)
}

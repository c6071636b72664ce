//! The library against the last release's, by what the compiler wrote down about their functions: `abidiff` reads the debug
//! information of both, and so sees what the header, and the lock that is made from it, could both have wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::product::Sources;
use crate::abi::{Abi, advice, git, last_release};
use crate::artifacts;
use crate::process;
use crate::workspace::{Workspace, replace};

/// Bits of abidiff's exit code: it could not do its work.
const TROUBLE: i32 = 1 | 2;

/// What can be said of the library beside the last release's, in a few words.
pub(crate) fn check(Sources { workspace, abi }: &Sources) -> Result<String> {
    let Some(release) = last_release(workspace)? else {
        return Ok("no release yet".to_owned());
    };
    let Some(promised) = Abi::at(workspace, &release)? else {
        return Ok(format!("{release} promised nothing"));
    };
    if promised.version() != abi.version() {
        return Ok(format!("another ABI than {release}"));
    }
    let folder = workspace.scratch("platforms/abidiff")?;
    let (sources, archive, allowed) = (folder.join("release"), folder.join("release.tar"), folder.join("allowed.ini"));
    replace(&sources)?;
    git(&workspace.root, &["archive", "--format=tar", "--output", &archive.to_string_lossy(), &release])?;
    process::stdout(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&sources))?;
    let before = build(workspace, &sources, &folder.join("before.so"))?;
    let after = build(workspace, &workspace.root, &folder.join("after.so"))?;
    fs::write(&allowed, suppressions(&promised.grown(abi))).context("cannot write what abidiff need not tell")?;

    // New functions break nobody.
    let mut abidiff = Command::new("abidiff");
    abidiff.arg("--no-added-syms").arg("--suppressions").arg(&allowed).args([before, after]);
    let finished = process::run(abidiff, process::CARGO_LIMIT)?;
    match finished.exit_code() {
        Some(0) => Ok(format!("as {release} by abidiff")),
        Some(code) if code & TROUBLE == 0 => {
            bail!("since the release {release}, {}", advice(&[finished.output().trim().to_owned()]))
        }
        _ => bail!("abidiff could not compare: {finished}"),
    }
}

/// The shared library of these sources with all that is known of its types. Its name is the same for both: it is put aside.
fn build(workspace: &Workspace, sources: &Path, file: &Path) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo.current_dir(sources).args(["rustc", "--package", "arr-session", "--lib", "--crate-type", "cdylib"]);
    cargo
        .env("CARGO_PROFILE_DEV_DEBUG", "full")
        .arg("--target-dir")
        .arg(workspace.target.join("platforms/abidiff/cargo"));
    let library = artifacts::build_shared(cargo)?;
    fs::copy(&library, file).with_context(|| format!("cannot copy {}", library.display()))?;
    Ok(file.to_owned())
}

/// What abidiff need not tell: structs that have grown at their end. Each begins with its size, so that the library knows
/// which fields its caller has. Only those that have grown are named: of a struct named here, abidiff 2.2 would not even tell
/// that two fields have changed places. For these, `abi/layout.txt` is what tells.
fn suppressions(grown: &[&str]) -> String {
    let section = |name: &&str| {
        format!("[suppress_type]\ntype_kind = struct\nname_regexp = (^|::){name}$\nhas_data_member_inserted_at = end\n")
    };
    grown.iter().map(section).collect()
}

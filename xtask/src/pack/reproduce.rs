//! `cargo xtask pack --reproduce`: the same sources give the same bytes, wherever they lie and whenever they are compiled.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use super::make::{CHECKSUMS, Made, make};
use crate::platforms::product::Sources;
use crate::process;
use crate::workspace::{Workspace, replace};

/// Copies what git knows, and what it would be told of, but for what was removed without telling it.
const COPY: &str = r#"set -eu
git -c safe.directory="$PWD" ls-files -z --cached --others --exclude-standard --deduplicate |
    xargs -0 sh -c 'for file; do if [ -e "$file" ]; then printf "%s\0" "$file"; fi; done' sh |
    tar --create --null --files-from=- | tar --extract --directory "$1"
"#;

/// Makes all packages from a copy of the sources in another folder, with nothing that was compiled before, and compares.
pub(super) fn again(sources: &Sources, first: &Made) -> Result<String> {
    let begun = Instant::now();
    let folder = env::temp_dir().join(format!("arr-session-again-{}", std::process::id()));
    println!("the same once more, from a copy of the sources in {}", folder.display());
    replace(&folder)?;
    copy_sources(&sources.workspace.root, &folder)?;
    // Somebody's own target folder would be that of the first.
    let workspace = Workspace { target: folder.join("target"), ..Workspace::at(&folder)? };
    let second = make(&Sources::of(workspace)?, None)?;
    let mut check = Command::new("sha256sum");
    check.current_dir(&second.out).args(["--check", "--quiet"]).arg(first.out.join(CHECKSUMS));
    let checked = process::run(check, process::TOOL_LIMIT)?;
    if !checked.succeeded() || first.archives.len() != second.archives.len() {
        // What was made stays, to be looked at.
        bail!("the same sources gave other bytes in {}:\n{}", second.out.display(), checked.output());
    }
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    let (count, seconds) = (first.archives.len(), begun.elapsed().as_secs_f64());
    Ok(format!("reproducible: {count} archives have the same bytes when they are made elsewhere, {seconds:.0} s"))
}

fn copy_sources(root: &Path, folder: &Path) -> Result<()> {
    let mut sh = Command::new("sh");
    sh.current_dir(root).args(["-c", COPY, "sh"]).arg(folder);
    process::run(sh, process::TOOL_LIMIT)?.expect_success("copy the sources")?;
    Ok(())
}

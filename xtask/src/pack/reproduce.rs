//! `cargo xtask pack --reproduce`: the same sources give the same bytes, in any folder and at any time.

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

/// Copies the files in git and new ones that are not ignored, except deleted ones.
const COPY: &str = r#"set -eu
git -c safe.directory="$PWD" ls-files -z --cached --others --exclude-standard --deduplicate |
    xargs -0 sh -c 'for file; do if [ -e "$file" ]; then printf "%s\0" "$file"; fi; done' sh |
    tar --create --null --files-from=- | tar --extract --directory "$1"
"#;

/// Makes all packages from a copy of the sources in another folder, without earlier builds, and compares.
pub(super) fn again(sources: &Sources, first: &Made) -> Result<String> {
    let begun = Instant::now();
    let folder = env::temp_dir().join(format!("arr-session-again-{}", std::process::id()));
    println!("making all packages again, from a copy of the sources in {}", folder.display());
    replace(&folder)?;
    copy_sources(&sources.workspace.root, &folder)?;
    // A configured target folder would be shared with the first run.
    let workspace = Workspace { target: folder.join("target"), ..Workspace::at(&folder)? };
    let second = make(&Sources::of(workspace)?, None)?;
    let mut check = Command::new("sha256sum");
    check.current_dir(&second.out).args(["--check", "--quiet"]).arg(first.out.join(CHECKSUMS));
    let checked = process::run(check, process::TOOL_LIMIT)?;
    if !checked.succeeded() || first.archives.len() != second.archives.len() {
        // The folder stays for inspection.
        bail!("the same sources gave other bytes in {}:\n{}", second.out.display(), checked.output());
    }
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    let (count, seconds) = (first.archives.len(), begun.elapsed().as_secs_f64());
    Ok(format!("reproducible: {count} archives have the same bytes when they are made elsewhere, {seconds:.0} s"))
}

fn copy_sources(root: &Path, folder: &Path) -> Result<()> {
    process::stdout(Command::new("sh").current_dir(root).args(["-c", COPY, "sh"]).arg(folder)).map(drop)
}

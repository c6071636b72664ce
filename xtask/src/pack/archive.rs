//! Reproducible archives: their bytes depend only on their contents, which are sorted and have one time, one owner and two modes.
//! GNU tar, gzip and Info-ZIP write and read them.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    TarGz,
    Zip,
}

/// Sets the time of all files to 2020-01-01, which every format can represent; zip has no time zone.
const PREPARE: &str = r#"set -eu
export LC_ALL=C TZ=UTC
cd "$1"
rm -f "$3"
chmod -R u+rwX,go+rX,go-w "$2"
find "$2" -exec touch --no-dereference --date=@1577836800 {} +
"#;
const TAR: &str = r#"tar --create --sort=name --format=gnu --owner=0 --group=0 --numeric-owner "$2" | gzip -n9 >"$3""#;
const ZIP: &str = r#"find "$2" -type f | sort | zip -q -X -9 -@ "$3""#;

impl Kind {
    pub(super) fn of(platform: &str) -> Self {
        if platform.starts_with("windows") { Self::Zip } else { Self::TarGz }
    }

    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::TarGz => "tar.gz",
            Self::Zip => "zip",
        }
    }

    /// Writes the folder `root` in `parent`, and everything below it.
    pub(super) fn write(self, parent: &Path, root: &str, file: &Path) -> Result<()> {
        let write = if self == Self::Zip { ZIP } else { TAR };
        let mut sh = Command::new("sh");
        sh.args(["-c", &format!("{PREPARE}{write}"), "sh"]).arg(parent).arg(root).arg(file);
        process::run(sh, process::CARGO_LIMIT)?.expect_success(&format!("write {}", file.display()))?;
        Ok(())
    }

    /// The paths of the files in it, below the folder `root` that contains all of them.
    pub(super) fn list(self, root: &str, file: &Path) -> Result<Vec<String>> {
        let (program, option) = if self == Self::Zip { ("unzip", "-Z1") } else { ("tar", "-tzf") };
        let listed = process::stdout(Command::new(program).arg(option).arg(file))?;
        let below = |path: &str| {
            let below = path.strip_prefix(root).and_then(|path| path.strip_prefix('/'));
            Ok(below.with_context(|| format!("{path} is not in {root}"))?.to_owned())
        };
        let mut paths = listed.lines().filter(|path| !path.ends_with('/')).map(below).collect::<Result<Vec<_>>>()?;
        paths.sort();
        Ok(paths)
    }

    pub(super) fn unpack(self, file: &Path, folder: &Path) -> Result<()> {
        let folder = folder.as_os_str();
        let words: &[&OsStr] = match self {
            Self::TarGz => &["tar".as_ref(), "-xzf".as_ref(), file.as_os_str(), "-C".as_ref(), folder],
            Self::Zip => &["unzip".as_ref(), "-q".as_ref(), file.as_os_str(), "-d".as_ref(), folder],
        };
        process::stdout(Command::new(words[0]).args(&words[1..]))?;
        Ok(())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn archives_of_equal_files_are_equal() {
        let folder = std::env::temp_dir().join(format!("arr-archive-{}", std::process::id()));
        fs::create_dir_all(folder.join("root/lib")).unwrap();
        for kind in [Kind::TarGz, Kind::Zip] {
            let write = |name: &str, text: &str| {
                fs::write(folder.join("root/lib/x"), "library").unwrap();
                fs::write(folder.join("root/README.md"), text).unwrap();
                let archive = folder.join(format!("{name}.{}", kind.ending()));
                kind.write(&folder, "root", &archive).unwrap();
                assert_eq!(kind.list("root", &archive).unwrap(), ["README.md", "lib/x"]);
                fs::read(archive).unwrap()
            };
            let first = write("first", "text");
            // Written again, with another time.
            assert!(first == write("second", "text"));
            assert!(first != write("third", "texts"));
            assert!(kind.list("elsewhere", &folder.join(format!("first.{}", kind.ending()))).is_err());
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}

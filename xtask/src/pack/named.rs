//! Whether the notices of a package name the crates that its libraries speak of: messages of panics and debug information
//! have the paths of sources, those of the standard library too.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::contents;
use super::tree::{Entry, Tree};
use crate::notices;
use crate::platforms::FETCHED;
use crate::unity;

/// Fails unless the libraries speak of crates, and the notices name each of them; tells how many.
pub(super) fn expect(package: &Path) -> Result<usize> {
    let Judged { spoken_of, problems } = judge(package)?;
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    ensure!(spoken_of > 0, "its libraries speak of no crates, so that the notices cannot be held to them");
    Ok(spoken_of)
}

pub(super) struct Judged {
    /// How many crates the libraries speak of.
    spoken_of: usize,
    /// Those that are not named, and which file speaks of them.
    pub(super) problems: Vec<String>,
}

pub(super) fn judge(package: &Path) -> Result<Judged> {
    let notices = [contents::NOTICES, unity::NOTICES].map(|path| package.join(path));
    let notices = notices.iter().find(|file| file.is_file()).context("the package has no notices")?;
    let notices = fs::read_to_string(notices).with_context(|| format!("cannot read {}", notices.display()))?;
    let (mut all, mut problems) = (BTreeSet::new(), Vec::new());
    for (path, entry) in (Tree { folder: package.to_owned() }).entries()? {
        let Entry::File { source, .. } = entry else { continue };
        let data = fs::read(&source).with_context(|| format!("cannot read {}", source.display()))?;
        for (name, version) in crates(&data) {
            if !notices::names(&notices, &name, &version) {
                problems.push(format!("{path} has {name} {version} in it, which the notices do not name"));
            }
            all.insert((name, version));
        }
    }
    Ok(Judged { spoken_of: all.len(), problems })
}

/// All `crates/NAME-VERSION/` in a file.
fn crates(data: &[u8]) -> BTreeSet<(String, String)> {
    let start = format!("{FETCHED}/").into_bytes();
    let ends = data.windows(start.len()).enumerate().filter(|(_, window)| *window == start);
    ends.filter_map(|(at, _)| name_and_version(&data[at + start.len()..])).collect()
}

fn name_and_version(data: &[u8]) -> Option<(String, String)> {
    let length = data.iter().position(|&byte| !(byte.is_ascii_alphanumeric() || b"_-.+".contains(&byte)))?;
    let folder = std::str::from_utf8(&data[..length]).ok().filter(|_| data[length] == b'/')?;
    let (at, _) = folder.match_indices('-').find(|(at, _)| is_version(&folder[at + 1..]))?;
    Some((folder[..at].to_owned(), folder[at + 1..].to_owned()))
}

/// `1.2.3`, with anything behind it that begins with `-` or `+`.
fn is_version(text: &str) -> bool {
    let numbers: Vec<&str> = text.split(['-', '+']).next().unwrap_or_default().split('.').collect();
    numbers.len() == 3
        && numbers.iter().all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_are_read_from_paths_of_their_sources() {
        let data = b"\0crates/ring-0.17.14/src/a.rscrates/sha-1-0.10.1/src/lib.rs\xffcrates/wasi-0.11.1+wasi-p1/x\
            crates/core_arch/src crates/half-1.2 crates/cut-1.0.0\0crates/short-1.2/src crates/toml-1.0.0-rc.1/src crates/";
        let found: Vec<(String, String)> = crates(data).into_iter().collect();
        let wanted = [("ring", "0.17.14"), ("sha-1", "0.10.1"), ("toml", "1.0.0-rc.1"), ("wasi", "0.11.1+wasi-p1")];
        assert_eq!(found, wanted.map(|(name, version)| (name.to_owned(), version.to_owned())));
    }

    #[test]
    fn a_crate_that_no_notice_names_is_a_problem() {
        let tree = Tree::new(std::env::temp_dir().join(format!("arr-named-{}", std::process::id()))).unwrap();
        tree.write("lib/libarr_session.a", "crates/gimli-0.32.3/src/lib.rs crates/ring-0.17.14/src/lib.rs").unwrap();
        let notices = |notices: &str| tree.write(contents::NOTICES, notices).unwrap();
        let judged = |text: &str| {
            notices(text);
            judge(&tree.folder).unwrap().problems
        };
        let (ring, gimli) = ("| ring | 0.17.14 | ISC |\n", "| gimli | 0.32.3 | MIT |\n");
        let (one, other) = (judged(ring), judged("| gimli | 0.32.2 | MIT |\n"));
        let refused = expect(&tree.folder);
        notices(&format!("{ring}{gimli}"));
        let named = expect(&tree.folder);
        tree.write("lib/libarr_session.a", "nothing").unwrap();
        let silent = expect(&tree.folder);
        fs::remove_dir_all(&tree.folder).unwrap();
        assert_eq!(one, ["lib/libarr_session.a has gimli 0.32.3 in it, which the notices do not name"]);
        assert_eq!(other.len(), 2);
        assert!(refused.is_err() && silent.is_err());
        assert_eq!(named.unwrap(), 2);
    }
}

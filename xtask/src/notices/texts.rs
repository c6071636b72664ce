//! The texts of licences among sources.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// How deep below a crate's folder to look for texts.
const DEEPEST: usize = 4;

/// Beginnings of the names of files with texts.
const BEGINNINGS: &[&str] = &["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];
/// Endings of sources, which can have such names too.
const SOURCES: &[&str] = &[".RS", ".C", ".H", ".PY"];
/// Folders with code that is not linked.
const NOT_LINKED: &[&str] = &["tests", "test", "testdata", "data", "target", "benches", "examples", "fuzz"];

pub(super) struct Text {
    /// The folder below the crate's that it covers; empty if it covers the crate.
    pub(super) part: String,
    pub(super) text: String,
}

impl Text {
    pub(super) fn of_all(text: String) -> Self {
        Self { part: String::new(), text }
    }
}

/// The texts for a crate, and for third-party code in it, sorted by path.
pub(super) fn below(folder: &Path) -> Result<Vec<Text>> {
    let mut texts = Vec::new();
    collect(folder, "", DEEPEST, &mut texts)?;
    Ok(texts)
}

fn collect(root: &Path, part: &str, deeper: usize, texts: &mut Vec<Text>) -> Result<()> {
    let folder = root.join(part);
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let (folders, files): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| folder.join(name).is_dir());
    for name in files.iter().filter(|name| is_text(name)) {
        texts.push(Text { part: part.to_owned(), text: read(&folder.join(name))? });
    }
    let is_linked = |name: &&String| !name.starts_with('.') && !NOT_LINKED.contains(&name.as_str());
    for name in folders.iter().filter(is_linked).filter(|_| deeper > 0) {
        let part = if part.is_empty() { name.clone() } else { format!("{part}/{name}") };
        collect(root, &part, deeper - 1, texts)?;
    }
    Ok(())
}

fn is_text(name: &str) -> bool {
    let name = name.to_uppercase();
    BEGINNINGS.iter().any(|start| name.starts_with(start)) && !SOURCES.iter().any(|end| name.ends_with(end))
}

/// Without trailing white space, so that equal texts compare equal.
pub(super) fn read(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(tidy(&text))
}

pub(super) fn tidy(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_by_their_file_names() {
        let folder = std::env::temp_dir().join(format!("arr-notices-{}", std::process::id()));
        let files = [
            ("LICENSE-MIT", "mit  \n\n"),
            ("copying.txt", "copying"),
            ("README.md", "no"),
            ("src/license.rs", "no"),
            ("tests/LICENSE", "no"),
            (".git/LICENSE", "no"),
            ("third_party/fiat/LICENSE", "fiat"),
            ("a/b/c/d/e/LICENSE", "no"),
        ];
        for (path, text) in files {
            let file = folder.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let texts = below(&folder);
        fs::remove_dir_all(&folder).unwrap();
        let texts: Vec<(String, String)> = texts.unwrap().into_iter().map(|found| (found.part, found.text)).collect();
        let wanted = [("", "mit"), ("", "copying"), ("third_party/fiat", "fiat")];
        let wanted = wanted.map(|(part, text)| (part.to_owned(), text.to_owned()));
        assert_eq!(texts, wanted);
    }
}

//! The pages keep their promises: their C and C++ compile, and README.md's commands and compiler version are the real ones.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use crate::c::dialect::{Dialect, GCC_C99, GCC_CXX17};
use crate::context::Context;
use crate::parallel::work_off_by_name;
use crate::process;
use crate::step::Report;
use crate::workspace::Workspace;

const PATH: &str = "README.md";

/// Where the pages are, besides README.md.
const FOLDERS: &[&str] = &["docs", "bindings/csharp", "bindings/unity", "bindings/unity/Documentation~"];

/// The languages of blocks that are whole files, by the word behind the fence, which is also their files' ending.
const LANGUAGES: [(&str, Dialect); 2] = [("c", GCC_C99), ("cpp", GCC_CXX17)];

/// What a block may be besides: C#, which another check compiles, and what is no program in a language of the wrappers.
const OTHERS: [&str; 7] = ["csharp", "rust", "sh", "cmake", "json", "text", ""];

pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let readme = workspace.read(PATH)?;
    let mut problems = Vec::new();
    for path in paths(workspace)? {
        problems.extend(unread_fences(&workspace.read(&path)?).into_iter().map(|fence| format!("{path}, {fence}")));
    }
    for promise in ["cargo xtask demo", "cargo xtask test", &workspace.rust_version] {
        if !readme.contains(promise) {
            problems.push(format!("{PATH} does not mention {promise}"));
        }
    }

    let mut snippets = Vec::new();
    for (language, dialect) in LANGUAGES {
        let shown = snippets_in(workspace, language, dialect)?;
        if !shown.iter().any(|snippet| snippet.page == PATH) {
            problems.push(format!("{PATH} has no ```{language} block"));
        }
        snippets.extend(shown);
    }
    problems.extend(work_off_by_name(&snippets, |snippet| snippet.check(workspace)));
    Report::unless(problems, format!("{} blocks of C and C++, Rust {}", snippets.len(), workspace.rust_version))
}

/// A block in a file of its own.
struct Snippet {
    page: String,
    line: usize,
    file: PathBuf,
    dialect: Dialect,
}

fn snippets_in(workspace: &Workspace, language: &str, dialect: Dialect) -> Result<Vec<Snippet>> {
    let folder = workspace.scratch("xtask/pages")?;
    let mut snippets = Vec::new();
    for Page { path, blocks } in pages(workspace, language)? {
        for Block { line, code } in blocks {
            let file = folder.join(format!("{}-line-{line}.{language}", file_name(&path)));
            fs::write(&file, code)?;
            snippets.push(Snippet { page: path.clone(), line, file, dialect });
        }
    }
    Ok(snippets)
}

impl Snippet {
    fn check(&self, workspace: &Workspace) -> Result<()> {
        let mut command = self.dialect.compiler(&workspace.root, &self.file);
        command.arg("-fsyntax-only");
        process::run(command, process::TOOL_LIMIT)?.expect_success("it does not compile")?;
        Ok(())
    }
}

impl fmt::Display for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the block at line {} of {}", self.line, self.page)
    }
}

/// A page of the documentation: its path from the root, and its blocks of a language.
pub(crate) struct Page {
    pub(crate) path: String,
    pub(crate) blocks: Vec<Block>,
}

/// README.md and the other pages.
fn paths(workspace: &Workspace) -> Result<Vec<String>> {
    let mut paths = vec![PATH.to_owned()];
    for folder in FOLDERS {
        // Not each of them has to be there.
        for entry in fs::read_dir(workspace.root.join(folder)).into_iter().flatten() {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".md") {
                paths.push(format!("{folder}/{name}"));
            }
        }
    }
    paths.sort();
    Ok(paths)
}

/// The pages that show a language.
pub(crate) fn pages(workspace: &Workspace, language: &str) -> Result<Vec<Page>> {
    let read = |path: String| Ok(Page { blocks: blocks(&workspace.read(&path)?, language), path });
    let pages: Vec<Page> = paths(workspace)?.into_iter().map(read).collect::<Result<_>>()?;
    Ok(pages.into_iter().filter(|page| !page.blocks.is_empty()).collect())
}

/// A page's path as a part of a file's name.
pub(crate) fn file_name(page: &str) -> String {
    page.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

#[derive(Debug, PartialEq)]
pub(crate) struct Block {
    /// The line of its opening fence, counted from 1.
    pub(crate) line: usize,
    pub(crate) code: String,
}

/// The fenced blocks of a language.
pub(crate) fn blocks(markdown: &str, wanted: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        // Blocks of other languages are read too: the fence that ends one must not be taken for one that begins.
        let mut code = String::new();
        for (_, line) in lines.by_ref().take_while(|(_, line)| line.trim_end() != "```") {
            code.push_str(line);
            code.push('\n');
        }
        if language.trim() == wanted {
            blocks.push(Block { line: index + 1, code });
        }
    }
    blocks
}

/// Fences that would keep their block from being compiled: with a word that nobody knows, or not at the line's beginning.
fn unread_fences(markdown: &str) -> Vec<String> {
    let known = |word: &str| OTHERS.contains(&word) || LANGUAGES.iter().any(|(language, _)| *language == word);
    let unread = |line: &str| match line.strip_prefix("```") {
        Some(word) => !known(word.trim()),
        None => line.trim_start().starts_with("```"),
    };
    let lines = markdown.lines().enumerate().filter(|(_, line)| unread(line));
    lines.map(|(index, line)| format!("line {}: no check reads `{line}`", index + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(line: usize, code: &str) -> Block {
        Block { line, code: code.to_owned() }
    }

    #[test]
    fn finds_blocks_of_c_and_of_nothing_else() {
        let markdown =
            "# A\n```c\nint a;\n```\n```sh\ncargo\n```\n```cpp\nint b;\n```\ntext\n```c\nint c;\nint d;\n```\n";
        assert_eq!(blocks(markdown, "c"), [block(2, "int a;\n"), block(12, "int c;\nint d;\n")]);
    }

    #[test]
    fn a_block_that_no_check_would_read_is_found() {
        assert_eq!(unread_fences("```c\nint a;\n```\n```sh\n```\n"), [""; 0]);
        let unread = unread_fences("```c++\n```\n* a\n  ```cpp\n```\n```cpp title\n```\n");
        assert_eq!(unread.len(), 3, "{unread:?}");
        assert_eq!(unread[0], "line 1: no check reads ````c++`");
    }

    #[test]
    fn takes_the_end_of_an_unnamed_block_for_an_end() {
        assert_eq!(blocks("```\nplain\n```\nc\n```c\nint a;\n```\n", "c"), [block(5, "int a;\n")]);
    }

    #[test]
    fn reads_an_unclosed_block_to_the_end() {
        assert_eq!(blocks("```c\nint a;", "c"), [block(1, "int a;\n")]);
    }
}

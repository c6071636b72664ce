//! README.md keeps its promises: its C compiles, its commands and its compiler version are the real ones.

use std::fs;

use anyhow::Result;

use crate::context::Context;
use crate::dialect::GCC_C99;
use crate::step::Report;

const PATH: &str = "README.md";

pub(crate) fn check(context: &mut Context) -> Result<Report> {
    let workspace = &context.workspace;
    let readme = workspace.read(PATH)?;
    let mut problems = Vec::new();

    let folder = workspace.scratch("xtask/readme")?;
    let blocks = blocks(&readme, "c");
    if blocks.is_empty() {
        problems.push(format!("{PATH} shows no C: it has no ```c block"));
    }
    for Block { line, code } in &blocks {
        let file = folder.join(format!("line-{line}.c"));
        fs::write(&file, code)?;
        let checked = GCC_C99.check(&workspace.root, &file)?;
        if !checked.succeeded() {
            problems.push(format!("the C block at line {line} of {PATH} does not compile:\n{}", checked.output));
        }
    }

    for promise in ["cargo xtask demo", "cargo xtask test", &workspace.rust_version] {
        if !readme.contains(promise) {
            problems.push(format!("{PATH} does not mention {promise}"));
        }
    }
    Report::unless(problems, format!("{} C block(s), Rust {}", blocks.len(), workspace.rust_version))
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
    fn takes_the_end_of_an_unnamed_block_for_an_end() {
        assert_eq!(blocks("```\nplain\n```\nc\n```c\nint a;\n```\n", "c"), [block(5, "int a;\n")]);
    }

    #[test]
    fn reads_an_unclosed_block_to_the_end() {
        assert_eq!(blocks("```c\nint a;", "c"), [block(1, "int a;\n")]);
    }
}

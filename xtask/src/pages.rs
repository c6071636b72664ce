//! The C and C++ in the pages compile, and the commands and versions in README.md and the changelogs are right.

use std::fs;

use anyhow::{Context as _, Result, ensure};

use crate::c::compiler::{Dialect, GCC_C99, GCC_CXX17};
use crate::context::Context;
use crate::parallel;
use crate::process;
use crate::step::Report;
use crate::workspace::Workspace;

const README: &str = "README.md";
/// The pages with the version in their first heading.
const CHANGELOGS: [&str; 2] = ["CHANGELOG.md", "bindings/unity/CHANGELOG.md"];

/// The languages whose blocks are compiled as whole files here, by the word after the fence.
const LANGUAGES: [(&str, Dialect); 2] = [("c", GCC_C99), ("cpp", GCC_CXX17)];

/// Other blocks: C#, which another check compiles, and languages that are not checked.
const OTHERS: [&str; 8] = ["csharp", "rust", "rust,no_run", "sh", "cmake", "json", "text", ""];

pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let (readme, version) = (workspace.read(README)?, &workspace.version);
    let mut problems = Vec::new();
    for promise in ["cargo xtask demo", "cargo xtask test", &workspace.rust_version] {
        if !readme.contains(promise) {
            problems.push(format!("{README} does not mention {promise}"));
        }
    }
    for path in CHANGELOGS {
        let text = workspace.read(path)?;
        let heading = text.lines().find_map(|line| line.strip_prefix("## ")).unwrap_or_default();
        if heading.split(' ').next() != Some(version) {
            problems.push(format!("{path} begins with `{heading}`, but the version is {version}"));
        }
    }
    let blocks = blocks(workspace)?;
    let folder = workspace.scratch("xtask/pages")?;
    let outcomes = parallel::map(&blocks, |block| -> Result<()> {
        let Block { language, code, .. } = block;
        let Some((_, dialect)) = LANGUAGES.iter().find(|(name, _)| name == language) else {
            ensure!(OTHERS.contains(&&**language), "{block}: unknown language `{language}`");
            return Ok(());
        };
        let file = folder.join(block.file_name());
        fs::write(&file, code)?;
        let mut compiler = dialect.compiler(&workspace.root, &file);
        compiler.arg("-fsyntax-only");
        process::run(compiler, process::TOOL_LIMIT)?.expect_success(&format!("{block} does not compile"))?;
        Ok(())
    });
    problems.extend(outcomes.into_iter().filter_map(|outcome| outcome.err()).map(|error| format!("{error:#}")));
    Report::unless(problems, format!("{} blocks; Rust {}", blocks.len(), workspace.rust_version))
}

/// A fenced block of a page.
#[derive(Debug, PartialEq)]
pub(crate) struct Block {
    /// The page's path from the root.
    pub(crate) page: String,
    /// The line of its opening fence, counted from 1.
    pub(crate) line: usize,
    pub(crate) language: String,
    pub(crate) code: String,
}

impl Block {
    pub(crate) fn file_name(&self) -> String {
        let page: String = self.page.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        format!("{page}-line-{}.{}", self.line, self.language)
    }
}

impl std::fmt::Display for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the block at line {} of {}", self.line, self.page)
    }
}

pub(crate) fn blocks(workspace: &Workspace) -> Result<Vec<Block>> {
    let pages = crate::abi::git(&workspace.root, &["ls-files", "--cached", "--others", "--exclude-standard", "*.md"]);
    let pages = pages.context("cannot list the pages; run this in a git checkout")?;
    let mut all = Vec::new();
    for page in pages.lines().filter(|page| workspace.root.join(page).exists()) {
        all.extend(blocks_of(page, &workspace.read(page)?));
    }
    Ok(all)
}

fn blocks_of(page: &str, markdown: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else { continue };
        let code = lines.by_ref().take_while(|(_, line)| line.trim() != "```").map(|(_, line)| format!("{line}\n"));
        let (page, language) = (page.to_owned(), language.trim().to_owned());
        blocks.push(Block { page, line: index + 1, language, code: code.collect() });
    }
    blocks
}

#[test]
fn every_block_is_found_with_its_language() {
    let markdown = "# A\n```c\nint a;\n```\n```\nplain\n```\n* text\n  ```c++\n  int b;\n  ```\n```c\nint c;";
    let block = |line, language: &str, code: &str| Block {
        page: "docs/a.md".to_owned(),
        line,
        language: language.to_owned(),
        code: code.to_owned(),
    };
    let wanted =
        [block(2, "c", "int a;\n"), block(5, "", "plain\n"), block(9, "c++", "  int b;\n"), block(12, "c", "int c;\n")];
    assert_eq!(blocks_of("docs/a.md", markdown), wanted);
    assert_eq!(wanted[0].file_name(), "docs-a-md-line-2.c");
}

//! The C# that README.md and the other pages show compiles.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::abi::tokens::tokens;
use crate::context::Context;
use crate::csharp::Programs;
use crate::csharp::dotnet::{Compilation, Dotnet};
use crate::readme::{self, Block, Page};
use crate::step::Report;
use crate::unity;

/// What a reader of a snippet has, as the text around it says: names for what was made before, and a method to stand in.
/// Fields, so that a snippet may make its own of the same name.
const BEFORE: &str = "\
#pragma warning disable 0169, 0219, 0414, 0649, 1998
using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using ArrSession;
";
const BEFORE_IN_UNITY: &str = "\
using ArrSession.Unity;
using UnityEngine;
";
const AROUND: [&str; 2] = [
    "\
static class Snippet
{
    static ArrClient client;
    static RenderingSession session;
    static ArrClientOptions options;
    static CancellationToken cancellation;

    static async Task Run()
    {
",
    "
    }
}
",
];

/// Compiles each block, as Unity 2019.4 does, against the library, or, if it is for Unity, against the package: a block
/// with a type in it is a whole file, and any other the inside of a method, with `client`, `session`, `options` and
/// `cancellation` at hand. The compiler's complaints name the pages' own lines.
pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let folder = workspace.scratch("xtask/csharp/blocks")?;
    let library = [Programs::of(workspace)?.library()];
    let package = unity::references(workspace)?;
    let mut compilations = Vec::new();
    let mut shown = Vec::new();
    for Page { path, blocks } in readme::pages(workspace, "csharp")? {
        for block in &blocks {
            let source = write(&folder, &path, block)?;
            compilations.push(Compilation {
                output: source.with_extension("dll"),
                sources: vec![source],
                references: if is_for_unity(&path, block) { package.clone() } else { library.to_vec() },
                options: ["-target:library", "-unsafe", "-langversion:7.3"].map(str::to_owned).into(),
            });
        }
        shown.push(format!("{} in {path}", blocks.len()));
    }
    Dotnet::provide(workspace)?.compile(&compilations)?.expect_success("what the pages show does not compile")?;
    Ok(Report(if shown.is_empty() { "no page shows any".to_owned() } else { shown.join(", ") }))
}

fn write(folder: &Path, page: &str, block: &Block) -> Result<PathBuf> {
    let source = folder.join(format!("{}-line-{}.cs", readme::file_name(page), block.line));
    fs::write(&source, whole_file(page, block)).with_context(|| format!("cannot write {}", source.display()))?;
    Ok(source)
}

/// Blocks on the package's pages, and others that speak of the engine.
fn is_for_unity(page: &str, block: &Block) -> bool {
    let speaks_of_it = |token: &String| {
        ["UnityEngine", "UnityEditor", "ArrSession.Unity"].iter().any(|beginning| token.starts_with(beginning))
    };
    page.starts_with("bindings/unity/") || tokens(&block.code).iter().any(speaks_of_it)
}

/// The block as a file. Complaints are about the page, at the line where the reader finds it.
fn whole_file(page: &str, block: &Block) -> String {
    let is_type = |token: &String| matches!(&**token, "class" | "struct" | "enum" | "interface" | "namespace");
    let place = |line: usize| format!("#line {line} \"{page}\"\n");
    let first = block.line + 1;
    if tokens(&block.code).iter().any(is_type) {
        return place(first) + &block.code;
    }
    // What stands at the top of a file stays there.
    let lines: Vec<&str> = block.code.lines().collect();
    // `using (var client …)` is a statement.
    let is_using = |line: &str| line.starts_with("using ") && line.ends_with(';') && !line.contains(['(', '=']);
    let is_top = |line: &&str| is_using(line) || line.trim().is_empty();
    let count = lines.iter().take_while(|line| is_top(line)).count();
    let before = BEFORE.to_owned() + if is_for_unity(page, block) { BEFORE_IN_UNITY } else { "" };
    let is_new = |line: &&&str| !line.trim().is_empty() && before.lines().all(|known| known != **line);
    let new = lines[..count].iter().filter(is_new);
    let new: String = new.map(|line| format!("{line}\n")).collect();
    let body = lines[count..].join("\n");
    let [head, tail] = AROUND;
    format!("{before}{new}{head}{}{body}{tail}", place(first + count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str) -> String {
        whole_file("docs/a.md", &Block { line: 7, code: code.to_owned() })
    }

    #[test]
    fn a_block_with_a_type_is_a_whole_file() {
        let code = "using ArrSession;\nclass A { }\n";
        assert_eq!(of(code), format!("#line 8 \"docs/a.md\"\n{code}"));
    }

    #[test]
    fn any_other_is_the_inside_of_a_method() {
        let file = of("// a class of its own\nclient.Pump();\n");
        assert!(file.starts_with(BEFORE), "{file}");
        let inside = "{\n#line 8 \"docs/a.md\"\n// a class of its own\nclient.Pump();\n    }";
        assert!(file.contains(inside), "{file}");
        assert!(of("using (client) { }\n").contains("{\n#line 8 \"docs/a.md\"\nusing (client)"));
    }

    #[test]
    fn what_is_for_unity_is_known_by_its_page_and_by_its_words() {
        let block = |code: &str| Block { line: 1, code: code.to_owned() };
        assert!(is_for_unity("bindings/unity/README.md", &block("client.Pump();")));
        assert!(is_for_unity("docs/unity.md", &block("UnityEngine.Debug.Log(1);")));
        assert!(!is_for_unity("docs/csharp.md", &block("client.Pump(); // in UnityEngine's loop")));
        assert!(whole_file("bindings/unity/README.md", &block("client.Pump();")).contains(BEFORE_IN_UNITY));
    }

    #[test]
    fn what_it_uses_stays_at_the_top_and_lines_keep_their_numbers() {
        let file = of("using System.IO;\n\nusing ArrSession;\nclient.Pump();\n");
        assert!(file.contains("using ArrSession;\nusing System.IO;\nstatic class"), "{file}");
        assert!(file.contains("#line 11 \"docs/a.md\"\nclient.Pump();\n"), "{file}");
    }
}

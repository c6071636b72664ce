//! The C# in README.md and the other pages compiles.

use std::fs;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::csharp::Programs;
use crate::csharp::dotnet::{Compilation, Dotnet};
use crate::pages::{self, Block};
use crate::step::Report;
use crate::unity;

/// The context of a snippet: names for objects that already exist, and a method around it. The names are fields, so that a snippet
/// may declare its own.
const BEFORE: &str = "\
#pragma warning disable 0169, 0219, 0414, 0649, 1998
using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using ArrSession;
static class Snippet
{
    static ArrClient client;
    static RenderingSession session;
    static ArrClientOptions options;
    static CancellationToken cancellation;

    static async Task Run()
    {
";
const AFTER: &str = "\n    }\n}\n";

/// Compiles each block as Unity 2019.4 does, against the library or, if it is for Unity, against the package. A block with a type
/// is a whole file; any other is the body of a method with `client`, `session`, `options` and `cancellation`. Compiler errors have
/// the page and its line.
pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let folder = workspace.scratch("xtask/csharp/blocks")?;
    let mut compilations = Vec::new();
    for block in pages::blocks(workspace)?.iter().filter(|block| block.language == "csharp") {
        let source = folder.join(block.file_name()).with_extension("cs");
        fs::write(&source, whole_file(block)).with_context(|| format!("cannot write {}", source.display()))?;
        let is_for_unity = block.code.contains("using UnityEngine;");
        let library = [Programs::of(workspace)?.library()];
        compilations.push(Compilation {
            output: source.with_extension("dll"),
            sources: vec![source],
            references: if is_for_unity { unity::references(workspace)? } else { library.into() },
            options: ["-target:library", "-unsafe", "-langversion:7.3"].map(str::to_owned).into(),
        });
    }
    Dotnet::provide(workspace)?.compile(&compilations)?.expect_success("a block of a page does not compile")?;
    Ok(Report(format!("{} blocks", compilations.len())))
}

/// The block as a file, with a directive for the page and line.
fn whole_file(Block { page, line, code, .. }: &Block) -> String {
    let place = format!("#line {} \"{page}\"\n", line + 1);
    let is_type = |line: &str| ["public ", "internal "].iter().any(|word| line.starts_with(word));
    if code.lines().any(is_type) { place + code } else { format!("{BEFORE}{place}{code}{AFTER}") }
}

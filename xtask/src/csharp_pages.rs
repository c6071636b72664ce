//! The C# that README.md and the other pages show compiles.

use std::fs;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::csharp::Programs;
use crate::csharp::dotnet::{Compilation, Dotnet};
use crate::pages::{self, Block};
use crate::step::Report;
use crate::unity;

/// What a reader of a snippet has, as the text around it says: names for what was made before, and a method to stand
/// in. Fields, so that a snippet may make its own of the same name.
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

/// Compiles each block, as Unity 2019.4 does, against the library, or, if it is for Unity, against the package: a
/// block with a type in it is a whole file, and any other the inside of a method, with `client`, `session`, `options`
/// and `cancellation` at hand. The compiler's complaints name the pages' own lines.
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
    Dotnet::provide(workspace)?.compile(&compilations)?.expect_success("what the pages show does not compile")?;
    Ok(Report(format!("{} blocks", compilations.len())))
}

/// The block as a file. Complaints are about the page, at the line where the reader finds it.
fn whole_file(Block { page, line, code, .. }: &Block) -> String {
    let place = format!("#line {} \"{page}\"\n", line + 1);
    let is_type = |line: &str| ["public ", "internal "].iter().any(|word| line.starts_with(word));
    if code.lines().any(is_type) { place + code } else { format!("{BEFORE}{place}{code}{AFTER}") }
}

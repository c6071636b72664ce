//! The C++ headers: each stands alone, all of the C header is within reach, and all that is C++ compiles in every dialect.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::abi::c_header::{Header, called_functions};
use crate::abi::header;
use crate::abi::tokens::tokens;
use crate::c::dialect::{Dialect, GCC_CXX17_BARE, TOO_OLD, WRAPPERS};
use crate::c::programs::files;
use crate::context::Context;
use crate::cpp::programs::compiles_tests;
use crate::parallel::work_off_by_name;
use crate::process;
use crate::step::Report;
use crate::workspace::Workspace;

pub(crate) const INCLUDE: &str = "bindings/cpp/include";
const PARTS: &str = "bindings/cpp/include/arr_session";
pub(crate) const EXAMPLES: &str = "examples/cpp";
pub(crate) const TESTS: &str = "tests/cpp";
/// A program of its own among the tests.
pub(crate) const OTHER_VERSION: &str = "tests/cpp/other_version.cpp";

/// Constants of the C header that have no place in C++: how large structs were once.
const ONLY_FOR_C: &str = "_SIZE_V1";

/// Each header compiles alone and twice, and each function and constant of the C header is used by one of them.
pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let folder = workspace.scratch("xtask/cpp/headers")?;
    let headers = [files(&workspace.root, INCLUDE, "hpp")?, files(&workspace.root, PARTS, "hpp")?].concat();

    let mut problems = out_of_reach(workspace, &headers)?;
    let mut sources = Vec::new();
    for header in &headers {
        let include = format!("#include <{}>\n", header.strip_prefix(INCLUDE)?.display());
        let file = folder.join(header.file_name().context("a header has a name")?).with_extension("cpp");
        fs::write(&file, include.repeat(2))?;
        sources.push(Source { file, dialect: GCC_CXX17_BARE });
    }
    problems.extend(work_off_by_name(&sources, |source| source.check(&workspace.root)));
    problems.extend(unclear_refusal(workspace, &folder.join("arr_session.cpp"))?);
    Report::unless(
        problems,
        format!("{} headers, each alone and twice; every function and constant of C is used", headers.len()),
    )
}

/// What a compiler says first in a standard that is too old, if that is not what to do.
fn unclear_refusal(workspace: &Workspace, all_headers: &Path) -> Result<Option<String>> {
    let refused = TOO_OLD.check(&workspace.root, all_headers)?;
    let said = refused.output();
    let first = said.lines().find(|line| line.contains("error")).unwrap_or_default();
    let clear = !refused.succeeded() && first.contains("needs C++17 or later: compile with -std=c++17");
    Ok((!clear).then(|| format!("{TOO_OLD} does not say first that C++17 is needed, but: {first}")))
}

/// The functions that no header calls, and the constants that none names.
fn out_of_reach(workspace: &Workspace, headers: &[PathBuf]) -> Result<Vec<String>> {
    let mut code = String::new();
    for header in headers {
        code.push_str(&fs::read_to_string(workspace.root.join(header))?);
    }
    Ok(missing(&workspace.read(header::PATH)?, &code)?
        .into_iter()
        .map(|name| format!("{INCLUDE} does not use {name}"))
        .collect())
}

fn missing(c_header: &str, code: &str) -> Result<Vec<String>> {
    let called = called_functions(code);
    let words: BTreeSet<String> = tokens(code).into_iter().collect();
    let Header { functions, constants, .. } = Header::read(c_header)?;
    let functions = functions.into_iter().map(|function| function.name).filter(|name| !called.contains(name));
    let constants = constants.into_iter().map(|(name, _)| name);
    let constants = constants.filter(|name| !name.ends_with(ONLY_FOR_C) && !words.contains(name));
    Ok(functions.chain(constants).collect())
}

/// All that is written in C++ compiles in every dialect, with every warning an error.
pub(crate) fn check_dialects(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let tests = all_tests(workspace)?;
    let mut sources = Vec::new();
    for &dialect in WRAPPERS {
        let examples = files(&workspace.root, EXAMPLES, "cpp")?;
        sources.extend(examples.into_iter().map(|file| Source { file, dialect }));
        if !compiles_tests(dialect) {
            sources.push(Source { file: tests.clone(), dialect });
        }
    }
    let problems = work_off_by_name(&sources, |source| source.check(&workspace.root));
    Report::unless(problems, format!("{} dialects, examples and tests", WRAPPERS.len()))
}

/// The tests in one file, so that compilers read the headers once.
fn all_tests(workspace: &Workspace) -> Result<PathBuf> {
    let file = workspace.scratch("xtask/cpp/dialects")?.join("all_tests.cpp");
    let include = |part: &Path| format!("#include \"{}\"\n", workspace.root.join(part).display());
    let mut includes: String = suite(&workspace.root)?.iter().map(|part| include(part)).collect();
    // It has a main of its own.
    includes.push_str(&format!("#define main main_of_other_version\n{}", include(Path::new(OTHER_VERSION))));
    fs::write(&file, includes)?;
    Ok(file)
}

/// The files that are one test program together.
pub(crate) fn suite(root: &Path) -> Result<Vec<PathBuf>> {
    let mut parts = files(root, TESTS, "cpp")?;
    parts.retain(|part| part != Path::new(OTHER_VERSION));
    Ok(parts)
}

struct Source {
    file: PathBuf,
    dialect: Dialect,
}

impl Source {
    fn check(&self, root: &Path) -> Result<()> {
        let mut command = self.dialect.compiler(root, &self.file);
        // SDL's headers are the system's: what they are warned of is not ours.
        command.args(["-fsyntax-only", "-isystem", SDL_HEADERS]);
        process::run(command, process::TOOL_LIMIT)?.expect_success("compile")?;
        Ok(())
    }
}

const SDL_HEADERS: &str = "/usr/include/SDL2";

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.file.display(), self.dialect)
    }
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn what_is_named_but_not_called_is_out_of_reach() {
        let header = "#define ARR_A 1\n#define ARR_B (-2)\n#define ARR_X_SIZE_V1 8\n\
                      ARR_API arr_status arr_one(void);\nARR_API arr_status arr_two(void);\n";
        let code = "// arr_two(), ARR_B\nint a = arr_one() + ARR_A; auto two = arr_two;";
        assert_eq!(missing(header, code).unwrap(), ["arr_two", "ARR_B"]);
    }
}

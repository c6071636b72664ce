//! `abi/layout.txt`, how the structs lie in memory, is true in C and C++. Rust is held to it by the library's own tests, and C# by
//! the C# tests.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::abi::c_header::Header;
use crate::abi::header;
use crate::c::dialect::{Dialect, GCC_C99, GCC_CXX17};
use crate::context::Context;
use crate::process;
use crate::step::Report;

/// A struct, with its fields in their order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Laid {
    name: String,
    size: usize,
    alignment: usize,
    fields: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq)]
struct Field {
    name: String,
    offset: usize,
    size: usize,
}

pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let laid = parse(&workspace.read(header::LAYOUT)?)?;
    let header = Header::read(&workspace.read(header::PATH)?)?;
    let mut problems = names_problems(&laid, &header);
    // What is not there cannot be probed, and would tell the same in each compiler's words.
    if problems.is_empty() {
        let folder = workspace.scratch("xtask/layout")?;
        for (language, said) in native(&workspace.root, &folder, &laid)? {
            problems.extend(differences(&laid, &parse(&said)?, language));
        }
    }
    let fields: usize = laid.iter().map(|laid| laid.fields.len()).sum();
    let summary = format!("{} structs, {fields} fields, in C and C++ as in Rust", laid.len());
    Report::unless(problems, summary)
}

/// Reads what `abi/layout.txt` has, and what the probes say.
pub(crate) fn parse(text: &str) -> Result<Vec<Laid>> {
    let mut all: Vec<Laid> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["struct", name, size, alignment] => {
                ensure!(all.iter().all(|laid| laid.name != name), "{name} is there twice");
                all.push(Laid {
                    name: name.to_owned(),
                    size: size.parse()?,
                    alignment: alignment.parse()?,
                    fields: Vec::new(),
                });
            }
            [name, offset, size] => {
                let last = all.last_mut().context("a field stands before every struct")?;
                last.fields.push(Field { name: name.to_owned(), offset: offset.parse()?, size: size.parse()? });
            }
            _ => anyhow::bail!("cannot read the line `{line}`"),
        }
    }
    ensure!(!all.is_empty(), "there is no struct");
    Ok(all)
}

/// The layout has the header's structs and fields, all of them, in the header's order.
pub(crate) fn names_problems(laid: &[Laid], header: &Header) -> Vec<String> {
    let described: BTreeMap<&str, Vec<&str>> =
        laid.iter().map(|laid| (&*laid.name, laid.fields.iter().map(|field| &*field.name).collect())).collect();
    let declared: BTreeMap<&str, Vec<&str>> =
        header.structs.iter().map(|it| (&*it.name, it.fields.iter().map(|field| &*field.name).collect())).collect();
    let mut problems = Vec::new();
    for name in declared.keys().filter(|name| !described.contains_key(*name)) {
        problems.push(format!("{name} is in {} but not in {}: add it to src/layout.rs", header::PATH, header::LAYOUT));
    }
    for (name, fields) in described {
        match declared.get(name) {
            None => problems.push(format!("{name} is in {} but not in {}", header::LAYOUT, header::PATH)),
            Some(declared) if *declared != fields => problems.push(format!(
                "{name} has the fields\n  {}\nin {}, and\n  {}\nin {}",
                fields.join(", "),
                header::LAYOUT,
                declared.join(", "),
                header::PATH
            )),
            Some(_) => {}
        }
    }
    problems
}

/// What is otherwise in a language, each thing by its name.
fn differences(laid: &[Laid], said: &[Laid], language: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for laid in laid {
        let Some(said) = said.iter().find(|said| said.name == laid.name) else {
            problems.push(format!("{} is missing in {language}", laid.name));
            continue;
        };
        if (said.size, said.alignment) != (laid.size, laid.alignment) {
            problems.push(format!(
                "{} has size {} and alignment {} in {language}, not {} and {}",
                laid.name, said.size, said.alignment, laid.size, laid.alignment
            ));
        }
        for field in &laid.fields {
            match said.fields.iter().find(|said| said.name == field.name) {
                None => problems.push(format!("{}.{} is missing in {language}", laid.name, field.name)),
                Some(said) if said != field => problems.push(format!(
                    "{}.{} is at {} with size {} in {language}, not at {} with size {}",
                    laid.name, field.name, said.offset, said.size, field.offset, field.size
                )),
                Some(_) => {}
            }
        }
        for said in said.fields.iter().filter(|said| laid.fields.iter().all(|field| field.name != said.name)) {
            problems.push(format!("{}.{} is in {language} only", laid.name, said.name));
        }
    }
    problems
}

/// What C and C++ say, by their compilers.
fn native(root: &Path, folder: &Path, laid: &[Laid]) -> Result<Vec<(&'static str, String)>> {
    let source = folder.join("layout.c");
    fs::write(&source, c_probe(laid)).with_context(|| format!("cannot write {}", source.display()))?;
    let probe = |(language, dialect): (&'static str, Dialect)| {
        let program = folder.join(dialect.name_for(OsStr::new("layout")));
        let mut compile = dialect.compiler(root, &source);
        compile.arg("-o").arg(&program);
        process::run(compile, process::TOOL_LIMIT)?
            .expect_success(&format!("the layout cannot be asked for in {language}"))?;
        Ok((language, process::stdout(&mut Command::new(&program))?))
    };
    [("C", GCC_C99), ("C++", GCC_CXX17)].into_iter().map(probe).collect()
}

/// A program in C, and in C++, that writes how the structs lie there.
fn c_probe(laid: &[Laid]) -> String {
    let mut lines = String::new();
    for Laid { name, fields, .. } in laid {
        writeln!(lines, "    STRUCT({name});").expect("a text grows");
        for field in fields {
            writeln!(lines, "    FIELD({name}, {});", field.name).expect("a text grows");
        }
    }
    format!(
        "#include <arr_session.h>\n#include <stddef.h>\n#include <stdio.h>\n\
         #define STRUCT(name) do {{ struct behind {{ char byte; name it; }}; \
         printf(\"struct \" #name \" %u %u\\n\", (unsigned)sizeof(name), (unsigned)offsetof(struct behind, it)); }} while (0)\n\
         #define FIELD(name, field) printf(\"  \" #field \" %u %u\\n\", (unsigned)offsetof(name, field), \
         (unsigned)sizeof(((name *)0)->field))\n\
         int main(void)\n{{\n{lines}    return 0;\n}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: &str = "# A remark.\n\nstruct arr_info 16 8\n  struct_size 0 4\n  status 4 4\n  text 8 8\n\nstruct arr_b 4 4\n  a 0 4\n";

    fn told(changed: &str) -> Vec<String> {
        differences(&parse(LAYOUT).unwrap(), &parse(changed).unwrap(), "C#")
    }

    #[test]
    fn each_kind_of_difference_is_told_with_struct_field_and_language() {
        assert_eq!(told(LAYOUT), [""; 0]);
        for (from, to, expected) in [
            ("info 16 8", "info 24 8", "arr_info has size 24 and alignment 8 in C#, not 16 and 8"),
            ("info 16 8", "info 16 4", "arr_info has size 16 and alignment 4 in C#, not 16 and 8"),
            ("status 4 4", "status 8 4", "arr_info.status is at 8 with size 4 in C#, not at 4 with size 4"),
            ("text 8 8", "text 8 7", "arr_info.text is at 8 with size 7 in C#, not at 8 with size 8"),
            ("  status 4 4\n", "", "arr_info.status is missing in C#"),
            ("  text", "  more 0 4\n  text", "arr_info.more is in C# only"),
            ("struct arr_b 4 4\n  a 0 4\n", "", "arr_b is missing in C#"),
        ] {
            assert_eq!(told(&LAYOUT.replace(from, to)), [expected]);
        }
    }

    #[test]
    fn the_headers_structs_and_fields_are_described_all_in_their_order() {
        let told = |header: &str| names_problems(&parse(LAYOUT).unwrap(), &Header::read(header).unwrap());
        let info = "typedef struct arr_info { uint32_t struct_size; int32_t status; double text; } arr_info;";
        let b = "typedef struct arr_b { int32_t a; } arr_b;";
        assert_eq!(told(&format!("{info}{b}")), [""; 0]);
        assert!(told(b)[0].starts_with("arr_info is in abi/layout.txt but not in"));
        assert!(
            told(&format!("{info}{b}typedef struct arr_c {{ int32_t a; }} arr_c;"))[0]
                .starts_with("arr_c is in include")
        );
        let swapped = info.replace("uint32_t struct_size; int32_t status", "int32_t status; uint32_t struct_size");
        assert!(told(&format!("{swapped}{b}"))[0].starts_with("arr_info has the fields"));
    }
}

//! `abi/layout.txt`, how the structs lie in memory, is true in C#. The library's own tests hold Rust to it, and
//! `tests/c/layout.cmake` C and C++.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::abi::c_header::{self, Header};
use crate::abi::header;
use crate::context::Context;
use crate::csharp::{self, Runtimes};
use crate::process;
use crate::step::Report;

/// The structs in C#.
const STRUCTS: &str = "bindings/csharp/NativeStructs.cs";

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
        for (language, said) in managed(context, &folder, &header)? {
            problems.extend(differences(&laid, &parse(&said)?, language));
        }
    }
    let fields: usize = laid.iter().map(|laid| laid.fields.len()).sum();
    let summary = format!("{} structs, {fields} fields, in C# (Mono and .NET 8) as in Rust", laid.len());
    Report::unless(problems, summary)
}

/// What is different `after`, and whether a program that was built before would break: a struct may only grow at its end.
pub(crate) fn changes(before: &[Laid], after: &[Laid]) -> Vec<(String, bool)> {
    let mut changes = Vec::new();
    for was in before {
        let Some(is) = after.iter().find(|is| is.name == was.name) else {
            changes.push((format!("the struct {} is gone", was.name), true));
            continue;
        };
        for field in &was.fields {
            match is.fields.iter().find(|now| now.name == field.name) {
                None => changes.push((format!("{}.{} is gone", was.name, field.name), true)),
                Some(now) if now != field => changes.push((
                    format!(
                        "{}.{} was at {} with {} bytes, and is at {} with {}",
                        was.name, field.name, field.offset, field.size, now.offset, now.size
                    ),
                    true,
                )),
                Some(_) => {}
            }
        }
        for field in is.fields.iter().filter(|now| was.fields.iter().all(|field| field.name != now.name)) {
            // One in between would be read by an old program as what it knows there, or in its padding.
            changes.push((format!("{}.{} is new", was.name, field.name), field.offset < was.size));
        }
        if is.alignment != was.alignment {
            changes.push((
                format!("{} was aligned to {} bytes, and is to {}", was.name, was.alignment, is.alignment),
                true,
            ));
        }
        if is.size < was.size {
            changes.push((format!("{} has become shorter", was.name), true));
        }
    }
    let new = after.iter().filter(|is| before.iter().all(|was| was.name != is.name));
    changes.extend(new.map(|is| (format!("the struct {} is new", is.name), false)));
    changes
}

/// The structs that have become longer.
pub(crate) fn grown<'a>(before: &[Laid], after: &'a [Laid]) -> Vec<&'a str> {
    let longer = |is: &&Laid| before.iter().any(|was| was.name == is.name && was.size < is.size);
    after.iter().filter(longer).map(|is| &*is.name).collect()
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

/// What C# says, on each runtime that compiles as it runs.
fn managed(context: &Context, folder: &Path, header: &Header) -> Result<Vec<(&'static str, String)>> {
    let workspace = &context.workspace;
    let source = folder.join("Layout.cs");
    fs::write(&source, csharp_probe(&header.structs)).with_context(|| format!("cannot write {}", source.display()))?;
    // Alone, so that a field of another type is told by its size and not by what uses it.
    let sources = [workspace.root.join(STRUCTS), source];
    let program = folder.join("Layout.exe");
    csharp::mcs(&sources, &program, &["-target:exe"])?.expect_success("the layout cannot be asked for in C#")?;
    let runtimes = Runtimes::provide(workspace)?;
    let run = |(language, runtime): (&'static str, csharp::Runtime)| {
        let mut probe = runtimes.command(runtime, &program)?;
        Ok((language, process::stdout(&mut probe)?))
    };
    [("C# on Mono", csharp::Runtime::MonoJit), ("C# on .NET 8", csharp::Runtime::Dotnet)].into_iter().map(run).collect()
}

/// A program in C# that writes how the structs lie there: which fields there are by reflection, where they are by pointers.
fn csharp_probe(structs: &[c_header::Struct]) -> String {
    let mut behind = String::new();
    let mut body = String::new();
    for c_header::Struct { name, fields } in structs {
        write!(
            behind,
            "    struct Behind_{name} {{ internal byte one; internal {name} it; }}\n\
             \x20   static void {name}()\n    {{\n\
             \x20       var behind = new Behind_{name}();\n        var at = new Dictionary<string, long>();\n        {name}* it = &behind.it;\n"
        )
        .expect("a text grows");
        for field in fields {
            let address = if field.kind.length.is_some() { "" } else { "&" };
            writeln!(behind, "        at[\"{0}\"] = (byte*){address}it->@{0} - (byte*)it;", field.name)
                .expect("a text grows");
        }
        write!(behind, "        Write(typeof({name}), sizeof({name}), (byte*)it - &behind.one, at);\n    }}\n")
            .expect("a text grows");
        writeln!(body, "        {name}();").expect("a text grows");
    }
    format!(
        "using System;\nusing System.Collections.Generic;\nusing System.Reflection;\nusing System.Runtime.InteropServices;\n\
         using ArrSession;\n\n#pragma warning disable 0649\n\nstatic unsafe class Layout\n{{\n{behind}\n\
         \x20   static void Write(Type type, int size, long alignment, Dictionary<string, long> at)\n    {{\n\
         \x20       Console.WriteLine(\"struct {{0}} {{1}} {{2}}\", type.Name, size, alignment);\n\
         \x20       const BindingFlags all = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;\n\
         \x20       foreach (FieldInfo field in type.GetFields(all)) {{\n\
         \x20           Type kind = field.FieldType;\n\
         \x20           int length = kind.IsPointer ? sizeof(byte*) : Marshal.SizeOf(kind);\n\
         \x20           Console.WriteLine(\"  {{0}} {{1}} {{2}}\", field.Name, at[field.Name], length);\n\
         \x20       }}\n    }}\n\n\
         \x20   static void Main()\n    {{\n{body}    }}\n}}\n"
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

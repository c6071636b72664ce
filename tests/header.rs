//! `include/arr_session.h` is generated from `src`. `cargo xtask header` regenerates it.

mod common;

use common::root;
use std::fs;

/// The files of the C ABI in the header's order.
const FILES: [&str; 18] = [
    "version.rs",
    "status.rs",
    "error_info.rs",
    "log.rs",
    "client_options.rs",
    "client.rs",
    "session_properties.rs",
    "session.rs",
    "session_list.rs",
    "operation.rs",
    "operation_kind.rs",
    "client_start.rs",
    "session_start.rs",
    "event.rs",
    "snapshot.rs",
    "care.rs",
    "reuse.rs",
    "client_end.rs",
];

fn generated() -> String {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml is readable");
    let mut builder = cbindgen::Builder::new().with_config(config);
    for file in FILES {
        builder = builder.with_src(root().join("src").join(file));
    }
    let mut header = Vec::new();
    builder.generate().expect("cbindgen can read src").write(&mut header);
    let header = String::from_utf8(header).expect("the header is UTF-8");
    with_attributes(&header).lines().map(|line| literal(line) + "\n").collect()
}

/// Puts the attributes where all compilers accept them: `[[nodiscard]]` first, the calling convention between type and name.
fn with_attributes(header: &str) -> String {
    let mut declarations = header.split("\nARR_API");
    let mut text = declarations.next().unwrap_or_default().to_owned();
    for declaration in declarations {
        let (function, rest) = declaration.split_once(");").expect("a declaration ends");
        let function = function.split_whitespace().collect::<Vec<_>>().join(" ");
        let (nodiscard, function) = match function.strip_prefix("ARR_NODISCARD ") {
            Some(function) => ("ARR_NODISCARD ", function),
            None => ("", function.as_str()),
        };
        let (head, parameters) = function.split_once('(').expect("a function has parameters");
        let name = head.rfind([' ', '*']).expect("a function has a type") + 1;
        let head = format!("\n{nodiscard}ARR_API {}ARR_CALL {}(", &head[..name], &head[name..]);
        text += &head;
        text += &match head.len() + parameters.len() {
            ..=118 => parameters.to_owned(),
            _ => format!("\n    {}", parameters.replace(", ", ",\n    ")),
        };
        text += ");";
        text += rest;
    }
    text
}

/// Puts negative numbers in parentheses, and marks those beyond `int` as unsigned.
fn literal(line: &str) -> String {
    let Some((name, number)) = line.strip_prefix("#define ").and_then(|rest| rest.split_once(' ')) else {
        return line.to_owned();
    };
    match number.parse::<i64>() {
        Ok(negative) if negative < 0 => format!("#define {name} ({number})"),
        Ok(large) if large > i32::MAX.into() => format!("#define {name} {number}u"),
        _ => line.to_owned(),
    }
}

#[test]
fn the_committed_header_is_up_to_date() {
    let generated = generated();
    // `cargo xtask header` checks the text before it replaces the file.
    if let Some(elsewhere) = std::env::var_os("ARR_HEADER_TO") {
        return fs::write(elsewhere, generated).unwrap();
    }
    // A checkout on Windows may have changed the line ends.
    let committed = fs::read_to_string(root().join("include/arr_session.h")).unwrap_or_default().replace("\r\n", "\n");
    assert!(committed == generated, "include/arr_session.h differs from src: run `cargo xtask header` and commit it");
}

#[test]
fn every_exported_function_is_in_the_header() {
    let header = generated();
    for function in common::exported_functions() {
        let name = function.sig.ident.to_string();
        assert!(header.contains(&format!("ARR_CALL {name}(")), "{name}");
    }
}

#[test]
fn binding_generators_find_literals_and_removable_attributes() {
    let header = generated();
    for attribute in ["ARR_API", "ARR_CALL", "ARR_NODISCARD"] {
        assert!(header.contains(&format!("\n#ifndef {attribute}\n")), "{attribute}");
    }
    let text = |line: &str| line.split_whitespace().nth(2).unwrap_or_default().to_owned();
    for line in header.lines().filter(|line| line.starts_with("#define ARR_") && !line.contains("ARR_SESSION_H")) {
        let value = text(line);
        let number = value.trim_matches(['(', ')']).trim_end_matches('u').parse::<i64>().is_ok();
        assert!(
            number || ["ARR_API", "ARR_CALL", "ARR_NODISCARD"].contains(&line.split(' ').nth(1).unwrap()),
            "{line}"
        );
    }
}

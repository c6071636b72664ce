//! `include/arr_session.h` is what `src` says. `cargo xtask header` writes it anew.

mod common;

use common::root;
use std::fs;

/// The files of the C ABI in the order in which the header tells the story.
const FILES: [&str; 17] = [
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
    "client_start.rs",
    "session_start.rs",
    "event.rs",
    "snapshot.rs",
    "care.rs",
    "resume.rs",
    "client_end.rs",
];

fn generated() -> String {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml is readable");
    let mut builder = cbindgen::Builder::new().with_config(config);
    for file in FILES {
        builder = builder.with_src(root().join("src").join(file));
    }
    let mut header = Vec::new();
    builder.generate().expect("src can be told in C").write(&mut header);
    let header = String::from_utf8(header).expect("the header is UTF-8");
    header.lines().map(|line| in_parentheses(line) + "\n").collect()
}

/// A macro for a negative number, in parentheses: it may be put behind another minus.
fn in_parentheses(line: &str) -> String {
    match line.strip_prefix("#define ").and_then(|rest| rest.split_once(" -")) {
        Some((name, number)) => format!("#define {name} (-{number})"),
        None => line.to_owned(),
    }
}

#[test]
fn the_committed_header_is_up_to_date() {
    let generated = generated();
    // `cargo xtask header` judges it before it writes it to its place.
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
        assert!(header.contains(&format!(" {name}(")) || header.contains(&format!("*{name}(")), "{name}");
    }
}

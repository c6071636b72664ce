//! `docs/promises.md` names tests that exist.

mod common;

use common::root;
use std::fs;

/// With fewer rows than this, the page was not parsed correctly.
const LEAST_ROWS: usize = 100;

#[test]
fn every_promise_names_a_test_that_exists() {
    let page = fs::read_to_string(root().join("docs/promises.md")).unwrap();
    let mut problems = Vec::new();
    let mut rows = 0;
    for row in page.lines().filter(|line| line.starts_with("| ") && *line != "| promise | verified by |") {
        rows += 1;
        let cells: Vec<&str> = row.split(" | ").collect();
        let tests: Vec<&str> = cells.last().unwrap().split('`').skip(1).step_by(2).collect();
        if cells.len() != 2 || tests.is_empty() {
            problems.push(format!("a row is a promise and its tests: {row}"));
        }
        problems.extend(tests.into_iter().filter_map(missing));
    }
    assert!(rows >= LEAST_ROWS, "only {rows} rows were found");
    assert!(problems.is_empty(), "docs/promises.md:\n{}", problems.join("\n"));
}

/// What a reference names that does not exist.
fn missing(reference: &str) -> Option<String> {
    let text = |path: &str| fs::read_to_string(root().join(path)).unwrap_or_default();
    if let Some(step) = reference.strip_prefix("cargo xtask test ") {
        let there = text("xtask/src/test.rs").contains(step);
        return (!there).then(|| format!("`cargo xtask test list` has no {step}"));
    }
    if let Some(command) = reference.strip_prefix("cargo xtask ") {
        let there = text("xtask/src/main.rs").contains(&format!("[\"{command}\"]"));
        return (!there).then(|| format!("there is no `{reference}`"));
    }
    let (path, names) = reference.split_once(": ").unwrap_or((reference, ""));
    let code = text(path);
    if code.is_empty() {
        return Some(format!("there is no {path}"));
    }
    let gone = names.split(", ").filter(|name| !name.is_empty()).find(|name| !declares(path, &code, name))?;
    Some(format!("{path} has no {gone}"))
}

fn declares(path: &str, code: &str, name: &str) -> bool {
    match path.rsplit('.').next() {
        Some("rs") => code.contains(&format!("fn {name}(")),
        Some("py") => code.contains(&format!("def {name}(")),
        Some("cpp") => code.contains(&format!("TEST({name})")),
        _ => code.lines().any(|line| line.contains("static ") && line.contains(&format!(" {name}("))),
    }
}

//! The parts of the Rust toolchain that the tests call. A minimal toolchain has neither.

use std::process::Command;

use anyhow::{Context, Result};

use crate::packages::{Readiness, succeeds};
use crate::process;
use crate::workspace;

/// By rustup's names, which are also what cargo is asked for, but for one.
const COMPONENTS: &[Component] = &[
    Component { name: "rustfmt", subcommand: "fmt", purpose: "judges the formatting" },
    Component { name: "clippy", subcommand: "clippy", purpose: "looks for mistakes" },
];

struct Component {
    name: &'static str,
    subcommand: &'static str,
    purpose: &'static str,
}

/// Looks for the components, and lets rustup add the missing ones where it is there.
pub(crate) fn provide() -> Result<Readiness> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(Readiness::Ready);
    }
    if !succeeds(&["rustup", "--version"]) {
        return Ok(Readiness::Missing(advice(&missing)));
    }
    let names = names(&missing);
    println!("Rust toolchain: adding {names}");
    let mut rustup = Command::new("rustup");
    rustup.args(["component", "add"]).args(names.split(' '));
    let what = format!("rustup component add {names}");
    process::run(rustup, process::CARGO_LIMIT).and_then(|done| done.expect_success("it failed")).context(what)?;
    let missing = self::missing();
    Ok(if missing.is_empty() { Readiness::Ready } else { Readiness::Missing(advice(&missing)) })
}

fn missing() -> Vec<&'static Component> {
    let is_missing = |component: &&Component| {
        let mut probe = workspace::cargo();
        probe.args([component.subcommand, "--version"]);
        !process::run(probe, process::TOOL_LIMIT).is_ok_and(|finished| finished.succeeded())
    };
    COMPONENTS.iter().filter(is_missing).collect()
}

fn names(components: &[&Component]) -> String {
    components.iter().map(|component| component.name).collect::<Vec<_>>().join(" ")
}

fn advice(missing: &[&Component]) -> String {
    let lines = missing.iter().map(|Component { name, subcommand, purpose }| {
        format!("  {name:<12} {purpose}; `cargo {subcommand} --version` does not work\n")
    });
    format!(
        "The tests need parts of the Rust toolchain that are missing here:\n{}Install them: with rustup by\n  \
         rustup component add {}\nand elsewhere from where cargo came, on Debian and Ubuntu as rustfmt and rust-clippy",
        lines.collect::<String>(),
        names(missing)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_names_what_is_missing_and_how_to_get_it() {
        let [rustfmt, clippy] = COMPONENTS else { panic!("two components") };
        let text = advice(&[rustfmt, clippy]);
        assert!(text.contains("rustup component add rustfmt clippy\n"), "{text}");
        assert!(
            text.contains("\n  clippy       looks for mistakes; `cargo clippy --version` does not work\n"),
            "{text}"
        );
        assert!(!advice(&[rustfmt]).contains("cargo clippy"));
    }
}

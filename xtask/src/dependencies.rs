//! What the shipped library is made of: nothing enters, directly or from below, without a decision.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::process;
use crate::step::Report;

/// The library's own dependencies. When they change, this list changes in the same commit.
const DIRECT: &[&str] = &[
    "base64",
    "httpdate",
    "libc",
    "once_cell",
    "reqwest",
    "rustls",
    "rustls-platform-verifier",
    "serde",
    "serde_json",
    "thiserror",
    "time",
    "url",
    "uuid",
    "webpki-roots",
    "zeroize",
];

/// The packages of this workspace.
const OWN: &str = "arr-";

/// Tools of the emulator and the tests, and cryptography other than ring: nowhere in what ships.
const FORBIDDEN: &[&str] =
    &["aws-lc-rs", "aws-lc-sys", "axum", "cbindgen", "clap", "indicatif", "native-tls", "openssl", "rcgen"];

/// The asynchronous machinery is reqwest's affair.
const ONLY_BENEATH_REQWEST: &[&str] = &["hyper", "hyper-util", "tokio"];

pub(crate) fn check(context: &Context) -> Result<Report> {
    let mut cargo = context.workspace.cargo();
    // Without --no-dedupe a crate's second appearance would hide on which path it came.
    cargo.args(["tree", "--locked", "--package", "arr-session", "--edges", "normal", "--target", "all"]);
    cargo.args(["--no-dedupe", "--prefix", "depth", "--format", " {p}"]);
    let tree = process::stdout(&mut cargo)?;
    let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    let problems = problems_of(&tree, DIRECT)?;
    Report::unless(problems, format!("{} direct, {} in all, on all platforms", DIRECT.len(), crates.len() - 1))
}

/// Reads lines such as `2 tokio v1.0.0`: the depth below the library, and the crate.
fn problems_of(tree: &str, expected: &[&str]) -> Result<Vec<String>> {
    let mut direct = BTreeSet::new();
    let mut path: Vec<&str> = Vec::new();
    let mut problems = BTreeSet::new();
    for line in tree.lines() {
        let mut words = line.split(' ');
        let depth = words.next().and_then(|depth| depth.parse::<usize>().ok());
        let (depth, name) = depth.zip(words.next()).with_context(|| format!("cannot read `cargo tree`: {line}"))?;
        path.truncate(depth);
        path.push(name);

        if !name.starts_with(OWN) && depth.checked_sub(1).is_some_and(|above| path[above].starts_with(OWN)) {
            direct.insert(name);
        }
        let forbidden = FORBIDDEN.contains(&name);
        let astray = ONLY_BENEATH_REQWEST.contains(&name) && !path.contains(&"reqwest");
        if forbidden {
            problems.insert(format!("{name} must not be in the library: {}", path.join(" → ")));
        } else if astray {
            problems.insert(format!("{name} may come through reqwest only: {}", path.join(" → ")));
        }
    }

    let expected: BTreeSet<&str> = expected.iter().copied().collect();
    for name in direct.difference(&expected) {
        problems
            .insert(format!("{name} is a new direct dependency: if it earns its place, add it to the list in xtask"));
    }
    for name in expected.difference(&direct) {
        problems.insert(format!("{name} is no direct dependency any more: take it off the list in xtask"));
    }
    Ok(problems.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_tokio_beneath_reqwest() {
        let tree = "0 arr-session v0.1.0 (/src)\n1 arr-client v0.1.0\n2 reqwest v0.13.0\n3 hyper-util v0.1.0\n4 tokio v1.0.0\n1 url v2.0.0\n";
        assert_eq!(problems_of(tree, &["reqwest", "url"]).unwrap(), [""; 0]);
    }

    #[test]
    fn finds_tokio_on_another_path() {
        let tree = "0 arr-session v0.1.0\n1 reqwest v0.13.0\n2 tokio v1.0.0\n1 url v2.0.0\n2 tokio v1.0.0\n";
        let problems = problems_of(tree, &["reqwest", "url"]).unwrap();
        assert_eq!(problems, ["tokio may come through reqwest only: arr-session → url → tokio"]);
    }

    #[test]
    fn finds_forbidden_new_and_departed_crates() {
        let tree = "0 arr-session v0.1.0\n1 surprise v1.0.0\n2 openssl v0.10.0\n";
        let problems = problems_of(tree, &["url"]).unwrap();
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].starts_with("openssl must not be in the library: arr-session → surprise → openssl"));
        assert!(problems[1].starts_with("surprise is a new direct dependency"));
        assert!(problems[2].starts_with("url is no direct dependency any more"));
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        assert!(problems_of("arr-session v0.1.0\n", &[]).is_err());
    }
}

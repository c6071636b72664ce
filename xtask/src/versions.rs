//! One version everywhere: what Cargo.toml says, everybody else repeats.

use anyhow::{Context as _, Result};

use crate::abi::c_header::Header;
use crate::abi::header;
use crate::context::Context;
use crate::step::Report;
use crate::workspace::Workspace;

/// A place that states the library's version, and how it is read there: `None` if it says nothing.
///
/// Places that read it from another one by themselves are not among them: CMake and pkg-config take it from the header, and
/// the test of the installed package compares what they made of it; C# is generated from the header.
struct Place {
    path: &'static str,
    find: fn(&str) -> Option<String>,
}

const PLACES: &[Place] = &[
    Place { path: header::PATH, find: in_header },
    Place { path: "CHANGELOG.md", find: in_changelog },
    Place { path: "bindings/unity/package.json", find: in_package },
    Place { path: "bindings/unity/CHANGELOG.md", find: in_changelog },
];

pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let expected = &workspace.version;
    let mut problems = Vec::new();
    for place in PLACES {
        match (place.find)(&workspace.read(place.path)?) {
            Some(version) if version == *expected => {}
            Some(version) => problems.push(format!("{} says {version}, but Cargo.toml {expected}", place.path)),
            None => problems.push(format!("{} says no version", place.path)),
        }
    }
    Report::unless(problems, format!("{expected} in Cargo.toml and {} more places", PLACES.len()))
}

/// The version of the binary interface, as the header says it.
pub(crate) fn abi_version(workspace: &Workspace) -> Result<i64> {
    let header = Header::read(&workspace.read(header::PATH)?)?;
    constant(&header, "ARR_ABI_VERSION").with_context(|| format!("{} says no ARR_ABI_VERSION", header::PATH))
}

fn constant(header: &Header, wanted: &str) -> Option<i64> {
    header.constants.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value)
}

fn in_header(text: &str) -> Option<String> {
    let header = Header::read(text).ok()?;
    let [major, minor, patch] =
        ["MAJOR", "MINOR", "PATCH"].map(|part| constant(&header, &format!("ARR_VERSION_{part}")));
    Some(format!("{}.{}.{}", major?, minor?, patch?))
}

fn in_package(text: &str) -> Option<String> {
    let package: serde_json::Value = serde_json::from_str(text).ok()?;
    package.get("version")?.as_str().map(str::to_owned)
}

/// `## 0.1.0 (not yet released)`: the topmost.
fn in_changelog(text: &str) -> Option<String> {
    let title = text.lines().find_map(|line| line.strip_prefix("## "))?;
    title.split(' ').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_where_they_stand() {
        let header = "#define ARR_VERSION_MAJOR 1\n#define ARR_VERSION_MINOR 2\n#define ARR_VERSION_PATCH 3\n";
        assert_eq!(in_header(header).as_deref(), Some("1.2.3"));
        assert_eq!(in_header("#define ARR_VERSION_MAJOR 1\n"), None);
        assert_eq!(in_changelog("# Changelog\n\n## 0.2.0 (2027-01-01)\n\n## 0.1.0\n").as_deref(), Some("0.2.0"));
        assert_eq!(in_changelog("# Changelog\n"), None);
        assert_eq!(in_package("{\"version\": \"1.2.3\"}").as_deref(), Some("1.2.3"));
        assert_eq!(in_package("{}"), None);
    }
}

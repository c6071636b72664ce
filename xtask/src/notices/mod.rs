//! The third-party notices for the packages: a table of what is in the native library besides our own code, and the text of every
//! licence, which distributors of binaries must include.

mod crates;
mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::packages::RUSTC;
use crate::process;
use crate::workspace::Workspace;
use crates::Crate;
use texts::Text;

const HEAD: &str = "\
# Third-party notices

The binaries here contain the parts below. Each part is under its named licence, or one of its named licences, whose texts follow.

";

/// The limits of a page about a library that was built elsewhere.
const NOT_NAMED: &str = "\
The library was built elsewhere. The table has the crates for all systems; those in Rust's standard library are in
COPYRIGHT-library.html. Parts that the system's linker added are not listed.

";
/// The notices of the standard library, in rustup's compilers.
const STANDARD_NOTICES: &str = "COPYRIGHT-library.html";
/// For the crates of all systems, over a slow network.
const FETCH_LIMIT: Duration = Duration::from_secs(600);

/// Part of every Rust library, but not listed by cargo.
const STANDARD_LIBRARY: &str = "Rust's standard library";
/// A part of it with its own licence. The text is from Rust's COPYRIGHT-library.html.
const UNICODE_TABLES: &str = "Rust's standard library: tables of Unicode";
const UNICODE_TEXT: &str = "xtask/notices/unicode.txt";

/// Crates without licence texts in Debian's sources, and the texts from their crates.io packages, in the checkout.
const TEXTS_ELSEWHERE: &[(&str, &[&str])] =
    &[("compiler_builtins", &["xtask/notices/compiler_builtins.txt", "xtask/notices/libm.txt"])];

/// The parts of a library.
#[derive(Clone)]
pub(crate) struct Parts {
    /// The target of the library and the standard library.
    pub(crate) target: &'static str,
    /// Whether the emulator and the command line are distributed with it.
    pub(crate) programs: bool,
    /// What the linker added.
    pub(crate) linked: Vec<Linked>,
}

/// A part that the linker adds to a library: start files, helpers for missing processor instructions, the unwinder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Linked {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    pub(crate) license: &'static str,
    /// The file with its licence; `None` if the licence requires no notice for linked code.
    pub(crate) text: Option<PathBuf>,
}

/// `cargo xtask notices FILE`: the page for a library that was built elsewhere, and beside it the notices of the compiler's
/// standard library.
pub(crate) fn run(file: &Path) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let rustc = crates::sysroot(Command::new("rustc").current_dir(&workspace.root))?;
    let standard = rustc.join("share/doc/rust").join(STANDARD_NOTICES);
    // Crates of other systems, which no build here has fetched.
    let mut fetch = workspace.cargo();
    fetch.args(["fetch", "--locked"]);
    process::run(fetch, FETCH_LIMIT)?.expect_success("fetch the crates")?;
    let page = page(&workspace, None)?;
    fs::write(file, page).with_context(|| format!("cannot write {}", file.display()))?;
    let beside = file.with_file_name(STANDARD_NOTICES);
    fs::copy(&standard, &beside).with_context(|| {
        format!("cannot copy {} to {}; rustup's compilers have it", standard.display(), beside.display())
    })?;
    println!("wrote {} and {}", file.display(), beside.display());
    Ok(ExitCode::SUCCESS)
}

/// The page for these libraries, or for one that was built elsewhere.
pub(crate) fn page(workspace: &Workspace, libraries: Option<&[Parts]>) -> Result<String> {
    let more = if libraries.is_some() { "" } else { NOT_NAMED };
    Ok(format!("{HEAD}{more}{}", of_libraries(workspace, libraries)?))
}

/// The parts of these libraries: a table, then each text once, under the names of its parts. If the parts are unknown, the crates
/// of all targets.
pub(crate) fn of_libraries(workspace: &Workspace, libraries: Option<&[Parts]>) -> Result<String> {
    let apache = texts::tidy(&workspace.read("LICENSE-APACHE")?);
    let mut notices = of_standard_library(workspace, libraries.is_some(), &apache)?;
    let linked: BTreeSet<&Linked> = libraries.iter().flat_map(|all| all.iter()).flat_map(|one| &one.linked).collect();
    for part in linked {
        notices.push(of_linked(part)?);
    }
    for part in all_crates(workspace, libraries)? {
        notices.push(of_crate(workspace, part, &apache)?);
    }
    Ok(written(&notices))
}

fn of_standard_library(workspace: &Workspace, known: bool, apache: &str) -> Result<Vec<Notice>> {
    let version = if known {
        let output = process::stdout(Command::new(RUSTC).arg("--version"))?;
        output.split(' ').nth(1).context("rustc prints no version")?.to_owned()
    } else {
        format!("of the compiler: see its {STANDARD_NOTICES}")
    };
    let notice = |name: &str, license: &str, text: String| Notice {
        name: name.to_owned(),
        version: version.clone(),
        license: license.to_owned(),
        texts: vec![Text::of_all(text)],
    };
    let unicode = texts::tidy(&workspace.read(UNICODE_TEXT)?);
    Ok(vec![
        notice(STANDARD_LIBRARY, "MIT OR Apache-2.0", apache.to_owned()),
        notice(UNICODE_TABLES, "Unicode-3.0", unicode),
    ])
}

fn of_linked(Linked { name, version, license, text }: &Linked) -> Result<Notice> {
    let texts = text.iter().map(|file| Ok(Text::of_all(texts::read(file)?))).collect::<Result<_>>()?;
    Ok(Notice { name: (*name).to_owned(), version: version.clone(), license: (*license).to_owned(), texts })
}

fn of_crate(workspace: &Workspace, part: Crate, apache: &str) -> Result<Notice> {
    let Crate { name, version, license, folder } = part;
    let mut texts = texts::below(&folder)?;
    let elsewhere = TEXTS_ELSEWHERE.iter().filter(|(whose, _)| *whose == name);
    for file in elsewhere.flat_map(|(_, files)| *files) {
        texts.push(Text::of_all(texts::tidy(&workspace.read(file)?)));
    }
    if !texts.iter().any(|text| text.part.is_empty()) {
        ensure!(apache_suffices(&license), "{name} {version} has no text of its licence");
        texts.push(Text::of_all(apache.to_owned()));
    }
    Ok(Notice { name, version, license, texts })
}

/// The crates of the library, the programs and the standard library, sorted by name.
fn all_crates(workspace: &Workspace, libraries: Option<&[Parts]>) -> Result<Vec<Crate>> {
    let mut found = Vec::new();
    match libraries {
        Some(libraries) => {
            for Parts { target, programs, .. } in libraries {
                found.extend(crates::of_package(workspace, "arr-session", target)?);
                found.extend(crates::of_standard_library(workspace, target)?);
                for program in ["arr-service", "arr-cli"].into_iter().filter(|_| *programs) {
                    found.extend(crates::of_package(workspace, program, target)?);
                }
            }
        }
        None => found = crates::of_package(workspace, "arr-session", "all")?,
    }
    let each: BTreeMap<(String, String), Crate> =
        found.into_iter().map(|found| ((found.name.clone(), found.version.clone()), found)).collect();
    Ok(each.into_values().collect())
}

/// The notice of a crate or another part.
struct Notice {
    name: String,
    version: String,
    license: String,
    texts: Vec<Text>,
}

fn written(notices: &[Notice]) -> String {
    let mut text = String::from("| part | version | licence |\n|---|---|---|\n");
    let mut owners: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for Notice { name, version, license, texts } in notices {
        text.push_str(&format!("| {name} | {version} | {license} |\n"));
        for Text { part, text } in texts {
            let part = if part.is_empty() { String::new() } else { format!(": {part}") };
            owners.entry(text).or_default().push(format!("{name} {version}{part}"));
        }
    }
    let mut texts: Vec<(Vec<String>, &str)> = owners.into_iter().map(|(text, owners)| (owners, text)).collect();
    texts.sort();
    for (owners, license) in texts {
        text.push_str(&format!("\n---\n\n**{}**\n\n```text\n{license}\n```\n", owners.join(", ")));
    }
    text
}

/// Whether the Apache licence alone, whose text is always the same, may be chosen.
fn apache_suffices(license: &str) -> bool {
    license.replace('/', " OR ").split(" OR ").any(|choice| choice.trim() == "Apache-2.0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_in_the_table_and_each_text_appears_once() {
        let notice = |name: &str, texts: &[(&str, &str)]| {
            let text = |(part, text): &(&str, &str)| Text { part: (*part).to_owned(), text: (*text).to_owned() };
            let texts = texts.iter().map(text).collect();
            Notice { name: name.to_owned(), version: "1.0.0".to_owned(), license: "MIT".to_owned(), texts }
        };
        let ring = notice("ring", &[("", "common"), ("third_party/fiat", "of fiat")]);
        let text = written(&[ring, notice("two", &[("", "common")]), notice("start files", &[])]);
        for part in [
            "| ring | 1.0.0 | MIT |\n| two | 1.0.0 | MIT |\n| start files | 1.0.0 | MIT |\n",
            "**ring 1.0.0, two 1.0.0**\n\n```text\ncommon\n```",
            "**ring 1.0.0: third_party/fiat**\n\n```text\nof fiat\n```",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(text.matches("common").count(), 1, "{text}");
    }

    #[test]
    fn the_apache_licence_suffices_only_if_it_may_be_chosen() {
        for license in ["Apache-2.0", "MIT OR Apache-2.0", "Apache-2.0/MIT", "Apache-2.0 OR ISC OR MIT"] {
            assert!(apache_suffices(license), "{license}");
        }
        for license in ["MIT", "Apache-2.0 AND ISC", "MIT AND Apache-2.0", "ISC OR (Apache-2.0 AND MIT)"] {
            assert!(!apache_suffices(license), "{license}");
        }
    }

    #[test]
    fn all_crates_of_this_library_have_their_texts() {
        let text = page(&Workspace::find().unwrap(), None).unwrap();
        for part in ["| ring | ", STANDARD_LIBRARY, "Permission is hereby granted", ": third_party/fiat**"] {
            assert!(text.contains(part), "{part}");
        }
    }
}

//! What is in the native library besides our own code, and its licences, for the packages' notices: a table, and every text,
//! as the licences ask of those who hand out binaries.

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

What is handed out here in binary form is built from the parts below, each under the licence, or one of the licences, that are
named. Their texts follow.

";

/// What the page cannot know of a library that was built elsewhere.
const NOT_NAMED: &str = "\
It was built elsewhere: the crates of all systems are named, those in Rust's standard library are in COPYRIGHT-library.html,
and what the linker of its system has added is not named.

";
/// What a compiler of rustup's says of its own standard library.
const STANDARD_NOTICES: &str = "COPYRIGHT-library.html";
/// For the crates of all systems, over a slow network.
const FETCH_LIMIT: Duration = Duration::from_secs(600);

/// What every library of Rust's has in it, and cargo does not list.
const STANDARD_LIBRARY: &str = "Rust's standard library";
/// A part of it with a licence of its own. Rust's COPYRIGHT-library.html tells of it, and has this text.
const UNICODE_TABLES: &str = "Rust's standard library: tables of Unicode";
const UNICODE_TEXT: &str = "xtask/notices/unicode.txt";

/// Crates that Debian's sources have without their texts, and where the checkout has those, as crates.io's packages bring them.
const TEXTS_ELSEWHERE: &[(&str, &[&str])] =
    &[("compiler_builtins", &["xtask/notices/compiler_builtins.txt", "xtask/notices/libm.txt"])];

/// What a library was made of.
#[derive(Clone)]
pub(crate) struct Parts {
    /// The target that it and the standard library were compiled for.
    pub(crate) target: &'static str,
    /// Whether the emulator is handed out with it.
    pub(crate) emulator: bool,
    /// What the linker has put into it.
    pub(crate) linked: Vec<Linked>,
}

/// What a linker adds to a library of its own: start files, what the processor cannot do, the unwinder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Linked {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    pub(crate) license: &'static str,
    /// The file with its text; `None` where the licence excepts what is linked, so that nobody has to be told.
    pub(crate) text: Option<PathBuf>,
}

/// `cargo xtask notices FILE`: the page for a library that was built elsewhere, and beside it what the compiler says of its
/// standard library.
pub(crate) fn run(file: &Path) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let rustc = crates::sysroot(Command::new("rustc").current_dir(&workspace.root))?;
    let standard = rustc.join("share/doc/rust").join(STANDARD_NOTICES);
    // Those of other systems, which no build here has asked for.
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

/// The page that lies beside these libraries.
pub(crate) fn page(workspace: &Workspace, libraries: Option<&[Parts]>) -> Result<String> {
    let more = if libraries.is_some() { "" } else { NOT_NAMED };
    Ok(format!("{HEAD}{more}{}", of_libraries(workspace, libraries)?))
}

/// All that these libraries have in them: first a table, then each text once, with those whose it is. If it is not known what
/// they were made of, the crates of all targets are told.
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
        let said = process::stdout(Command::new(RUSTC).arg("--version"))?;
        said.split(' ').nth(1).context("rustc tells no version")?.to_owned()
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
        ensure!(apache_suffices(&license), "{name} {version} comes without the text of its licence");
        texts.push(Text::of_all(apache.to_owned()));
    }
    Ok(Notice { name, version, license, texts })
}

/// Those of the library, of the emulator and of the standard library, by their names.
fn all_crates(workspace: &Workspace, libraries: Option<&[Parts]>) -> Result<Vec<Crate>> {
    let mut found = Vec::new();
    match libraries {
        Some(libraries) => {
            for Parts { target, emulator, .. } in libraries {
                found.extend(crates::of_package(workspace, "arr-session", target)?);
                found.extend(crates::of_standard_library(workspace, target)?);
                if *emulator {
                    found.extend(crates::of_package(workspace, "arr-service", target)?);
                }
            }
        }
        None => found = crates::of_package(workspace, "arr-session", "all")?,
    }
    let each: BTreeMap<(String, String), Crate> =
        found.into_iter().map(|found| ((found.name.clone(), found.version.clone()), found)).collect();
    Ok(each.into_values().collect())
}

/// What is said about a crate, or another part.
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

/// Whether the Apache licence alone, whose text is the same for everybody, may be chosen.
fn apache_suffices(license: &str) -> bool {
    license.replace('/', " OR ").split(" OR ").any(|choice| choice.trim() == "Apache-2.0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_in_the_table_and_each_text_stands_once_below_all_whose_it_is() {
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
    fn the_apache_licence_stands_for_others_only_where_it_may_be_chosen() {
        for license in ["Apache-2.0", "MIT OR Apache-2.0", "Apache-2.0/MIT", "Apache-2.0 OR ISC OR MIT"] {
            assert!(apache_suffices(license), "{license}");
        }
        for license in ["MIT", "Apache-2.0 AND ISC", "MIT AND Apache-2.0", "ISC OR (Apache-2.0 AND MIT)"] {
            assert!(!apache_suffices(license), "{license}");
        }
    }

    #[test]
    fn the_crates_of_this_library_all_have_their_texts() {
        let text = page(&Workspace::find().unwrap(), None).unwrap();
        for part in ["| ring | ", STANDARD_LIBRARY, "Permission is hereby granted", ": third_party/fiat**"] {
            assert!(text.contains(part), "{part}");
        }
    }
}

//! `abi/`: what was promised to programs that are built already. Functions, constants and structs may be added; what is there
//! stays as it is, or `ARR_ABI_VERSION` has to be another.

pub(crate) mod binary;
pub(crate) mod c_header;
pub(crate) mod exports;
pub(crate) mod header;
pub(crate) mod layout;
pub(crate) mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::abi::c_header::{Function, Header, Type};
use crate::context::Context;
use crate::process;
use crate::step::Report;
use crate::workspace::Workspace;
use layout::Laid;

/// One line a function: its name, what it takes, what it returns.
pub(crate) const SYMBOLS: &str = "abi/symbols.txt";
/// One line a constant: its name and its value. The statuses are among them.
pub(crate) const CONSTANTS: &str = "abi/constants.txt";

const VERSION: &str = "ARR_ABI_VERSION";
/// These change with every release.
const RELEASE: &str = "ARR_VERSION_";

/// What a program can depend on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Abi {
    /// By their names: `(const arr_client_options *, arr_client **) -> arr_status`.
    pub(crate) functions: BTreeMap<String, String>,
    constants: BTreeMap<String, i64>,
    structs: Vec<Laid>,
}

/// What has become different.
#[derive(Debug, PartialEq)]
pub(crate) struct Change {
    what: String,
    /// Whether a program that was built before would no longer work.
    breaks: bool,
}

impl Abi {
    /// What the header and the layout say now.
    pub(crate) fn now(workspace: &Workspace) -> Result<Self> {
        Self::of(&workspace.read(header::PATH)?, &workspace.read(header::LAYOUT)?)
    }

    fn of(header: &str, layout: &str) -> Result<Self> {
        let header = Header::read(header)?;
        let functions = header.functions.iter().map(|function| (function.name.clone(), prototype(function))).collect();
        let constants = header.constants.into_iter().filter(|(name, _)| !name.starts_with(RELEASE)).collect();
        Ok(Self { functions, constants, structs: layout::parse(layout)? })
    }

    /// What was locked, from the texts of the three files.
    fn locked(symbols: &str, constants: &str, layout: &str) -> Result<Self> {
        let functions = lines(symbols)
            .map(|line| {
                let (name, rest) = line.split_once('(').with_context(|| format!("`{line}` is no function"))?;
                Ok((name.to_owned(), format!("({rest}")))
            })
            .collect::<Result<_>>()?;
        let constants = lines(constants)
            .map(|line| {
                let (name, value) = line.split_once(' ').with_context(|| format!("`{line}` is no constant"))?;
                Ok((name.to_owned(), value.parse().with_context(|| format!("`{line}` is no constant"))?))
            })
            .collect::<Result<_>>()?;
        Ok(Self { functions, constants, structs: layout::parse(layout)? })
    }

    /// What the checkout has locked.
    pub(crate) fn read(workspace: &Workspace) -> Result<Self> {
        Self::locked(&workspace.read(SYMBOLS)?, &workspace.read(CONSTANTS)?, &workspace.read(header::LAYOUT)?)
    }

    /// The same with another layout.
    pub(crate) fn with_layout(&self, layout: &str) -> Result<Self> {
        Ok(Self { structs: layout::parse(layout)?, ..self.clone() })
    }

    /// What a commit had locked; `None` if it had nothing of the kind.
    pub(crate) fn at(workspace: &Workspace, commit: &str) -> Result<Option<Self>> {
        let read = |path: &str| git(&workspace.root, &["show", &format!("{commit}:{path}")]).ok();
        match (read(SYMBOLS), read(CONSTANTS), read(header::LAYOUT)) {
            (Some(symbols), Some(constants), Some(layout)) => Self::locked(&symbols, &constants, &layout).map(Some),
            _ => Ok(None),
        }
    }

    /// Where the names that something has are not those of the functions.
    pub(crate) fn differences(&self, what: &str, names: &BTreeSet<String>) -> Vec<String> {
        let missing = self.functions.keys().filter(|name| !names.contains(*name));
        let missing = missing.map(|name| format!("{what} lacks {name}"));
        let extra = names.iter().filter(|name| !self.functions.contains_key(*name));
        missing.chain(extra.map(|name| format!("{what} also has {name}, which the header does not declare"))).collect()
    }

    /// `ARR_ABI_VERSION`; 0 if there is none.
    pub(crate) fn version(&self) -> i64 {
        self.constants.get(VERSION).copied().unwrap_or_default()
    }

    /// What is different `after` from this, which came before.
    fn changes(&self, after: &Self) -> Vec<Change> {
        let mut changes = map_changes("the function", &self.functions, &after.functions);
        changes.extend(map_changes("the constant", &self.constants, &after.constants));
        changes.retain(|change| !change.what.contains(VERSION));
        changes.extend(
            layout::changes(&self.structs, &after.structs).into_iter().map(|(what, breaks)| Change { what, breaks }),
        );
        changes
    }

    /// The changes that programs do not survive although the version says that they do.
    pub(crate) fn broken_promises(&self, after: &Self) -> Vec<String> {
        if self.version() != after.version() {
            return Vec::new();
        }
        let breaking = self.changes(after).into_iter().filter(|change| change.breaks);
        breaking.map(|change| change.what).collect()
    }

    /// The structs that are longer `after` than in this, which came before.
    pub(crate) fn grown<'a>(&self, after: &'a Self) -> Vec<&'a str> {
        layout::grown(&self.structs, &after.structs)
    }

    fn symbols_text(&self) -> String {
        let mut text = String::from(
            "# The functions of include/arr_session.h: what they take, and what they return. Every library that is built has\n\
             # these and no others. Written by `cargo xtask header`.\n",
        );
        for (name, prototype) in &self.functions {
            let _ = writeln!(text, "{name}{prototype}");
        }
        text
    }

    fn constants_text(&self) -> String {
        let mut text = String::from(
            "# The constants of include/arr_session.h, the statuses among them. Written by `cargo xtask header`.\n",
        );
        for (name, value) in &self.constants {
            let _ = writeln!(text, "{name} {value}");
        }
        text
    }

    /// Locks it.
    pub(crate) fn write(&self, workspace: &Workspace) -> Result<()> {
        for (path, text) in [(SYMBOLS, self.symbols_text()), (CONSTANTS, self.constants_text())] {
            fs::write(workspace.root.join(path), text).with_context(|| format!("cannot write {path}"))?;
        }
        Ok(())
    }
}

/// What to do about promises that would be broken.
pub(crate) fn advice(broken: &[String]) -> String {
    format!(
        "programs that were built before would break:\n  {}\nEither leave that as it was, or raise {VERSION} in \
         src/ffi/version.rs, run `cargo xtask header`, and tell it in CHANGELOG.md",
        broken.join("\n  ")
    )
}

/// Lines that say something.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn prototype(function: &Function) -> String {
    let parameters: Vec<String> = function.parameters.iter().map(|parameter| in_c(&parameter.kind)).collect();
    format!("({}) -> {}", parameters.join(", "), in_c(&function.result))
}

fn in_c(kind: &Type) -> String {
    format!("{}{}", kind.base, "*".repeat(kind.pointers))
}

fn map_changes<V: PartialEq + std::fmt::Display>(
    kind: &str,
    before: &BTreeMap<String, V>,
    after: &BTreeMap<String, V>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, was) in before {
        match after.get(name) {
            None => changes.push(Change { what: format!("{kind} {name} is gone"), breaks: true }),
            Some(is) if is != was => {
                changes.push(Change { what: format!("{kind} {name} was {was} and is {is}"), breaks: true });
            }
            Some(_) => {}
        }
    }
    let new = after.keys().filter(|name| !before.contains_key(*name));
    changes.extend(new.map(|name| Change { what: format!("{kind} {name} is new"), breaks: false }));
    changes
}

/// The lock is what the header says, and keeps what the last release promised.
pub(crate) fn check(context: &mut Context) -> Result<Report> {
    let workspace = &context.workspace;
    let (locked, now) = (Abi::read(workspace)?, Abi::now(workspace)?);
    ensure!(!now.functions.is_empty(), "{} declares no function", header::PATH);
    let mut problems = Vec::new();
    let broken = locked.broken_promises(&now);
    if !broken.is_empty() {
        problems.push(advice(&broken));
    } else if locked != now {
        let changes: Vec<String> = locked.changes(&now).into_iter().map(|change| change.what).collect();
        problems.push(format!("abi/ is not up to date: run `cargo xtask header`\n  {}", changes.join("\n  ")));
    }
    let release = last_release(workspace)?;
    if let Some(release) = &release
        && let Some(promised) = Abi::at(workspace, release)?
    {
        let broken = promised.broken_promises(&now);
        if !broken.is_empty() {
            problems.push(format!("since the release {release}, {}", advice(&broken)));
        }
    }
    let summary = format!(
        "version {}: {} functions, {} constants, {} structs; {}",
        now.version(),
        now.functions.len(),
        now.constants.len(),
        now.structs.len(),
        release.map_or("there is no release yet to compare with".to_owned(), |tag| format!("as {tag} promised")),
    );
    Report::unless(problems, summary)
}

/// The newest tag that names a version, such as `v1.2.3`; `None` if there is none, or the sources are no checkout of git's.
pub(crate) fn last_release(workspace: &Workspace) -> Result<Option<String>> {
    if !workspace.root.join(".git").exists() {
        return Ok(None);
    }
    newest_release(&workspace.root).context("cannot ask git for the last release")
}

fn newest_release(root: &Path) -> Result<Option<String>> {
    // A candidate such as `v1.2.3-rc.1` comes before its release, which git does not know by itself.
    let tags = ["tag", "--list", "v[0-9]*", "--sort=-version:refname", "--merged"];
    let tags = git(root, &[&["-c", "versionsort.suffix=-"][..], &tags].concat())?;
    Ok(tags.lines().next().map(str::to_owned))
}

/// Whoever owns the checkout: on a build server it may be another than who builds.
pub(crate) fn git(root: &Path, arguments: &[&str]) -> Result<String> {
    let trusted = format!("safe.directory={}", root.display());
    process::stdout(Command::new("git").current_dir(root).args(["-c", &*trusted]).args(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "\
        #define ARR_VERSION_MINOR 1\n#define ARR_ABI_VERSION 1\n#define ARR_OK 0\n\
        typedef int32_t arr_status;\ntypedef struct arr_info { uint32_t struct_size; int32_t status; } arr_info;\n\
        ARR_API arr_status arr_call(struct arr_info *info, uint32_t flags);\n";
    const LAYOUT: &str = "struct arr_info 8 4\n  struct_size 0 4\n  status 4 4\n";

    fn abi(header: &str, layout: &str) -> Abi {
        Abi::of(header, layout).unwrap()
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let now = abi(HEADER, LAYOUT);
        assert_eq!(Abi::locked(&now.symbols_text(), &now.constants_text(), LAYOUT).unwrap(), now);
        assert_eq!(now.functions["arr_call"], "(arr_info*, uint32_t) -> arr_status");
        assert!(!now.constants_text().contains("ARR_VERSION_MINOR"));
    }

    #[test]
    fn what_is_added_breaks_nothing() {
        let longer = HEADER.replace("int32_t status; }", "int32_t status; uint64_t more; }")
            + "ARR_API void arr_more(void);\n#define ARR_MORE 1\n";
        let layout = "struct arr_info 16 8\n  struct_size 0 4\n  status 4 4\n  more 8 8\nstruct arr_new 4 4\n  a 0 4\n";
        let (before, after) = (abi(HEADER, LAYOUT), abi(&longer, layout));
        assert_eq!(before.broken_promises(&after), [""; 0]);
        assert_eq!(before.changes(&after).len(), 4, "{:?}", before.changes(&after));
        assert_eq!((before.grown(&after), after.grown(&before)), (vec!["arr_info"], Vec::new()));
    }

    #[test]
    fn each_way_to_break_a_program_is_named_unless_the_version_says_so() {
        let before = abi(HEADER, LAYOUT);
        let cases = [
            (HEADER.replace("arr_call", "arr_cell"), LAYOUT.to_owned(), "the function arr_call is gone"),
            (HEADER.replace("uint32_t flags", "uint64_t flags"), LAYOUT.to_owned(), "the function arr_call was"),
            (HEADER.replace("ARR_OK 0", "ARR_OK 7"), LAYOUT.to_owned(), "the constant ARR_OK was 0 and is 7"),
            (HEADER.to_owned(), LAYOUT.replace("status 4 4", "status 8 4"), "arr_info.status"),
            (HEADER.to_owned(), LAYOUT.replace("  status 4 4\n", ""), "arr_info.status"),
            (HEADER.to_owned(), LAYOUT.replace("arr_info", "arr_infos"), "arr_info is gone"),
        ];
        for (header, layout, expected) in cases {
            let broken = before.broken_promises(&abi(&header, &layout));
            assert!(broken.iter().any(|what| what.contains(expected)), "{expected}: {broken:?}");
            let bumped = abi(&header.replace("ARR_ABI_VERSION 1", "ARR_ABI_VERSION 2"), &layout);
            assert_eq!(before.broken_promises(&bumped), [""; 0], "{expected}");
        }
    }

    #[test]
    fn the_last_release_is_the_newest_that_this_state_comes_from() {
        let folder = std::env::temp_dir().join(format!("arr-releases-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let call = |arguments: &[&str]| git(&folder, arguments).unwrap();
        let commit =
            || call(&["-c", "user.name=A", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty", "-m", "x"]);
        call(&["init", "--quiet"]);
        commit();
        assert_eq!(newest_release(&folder).unwrap(), None);
        for tag in ["v0.9.0", "v0.10.0", "v0.10.0-rc.1", "viewer"] {
            call(&["tag", tag]);
        }
        commit();
        call(&["tag", "v1.0.0"]);
        let newest = newest_release(&folder).unwrap();
        call(&["checkout", "--quiet", "HEAD~1"]);
        let before = newest_release(&folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!((newest.as_deref(), before.as_deref()), (Some("v1.0.0"), Some("v0.10.0")));
        assert!(newest_release(&folder).is_err(), "that git cannot be asked is not that there is no release");
    }
}

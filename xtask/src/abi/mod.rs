//! `abi/`: what was promised to programs that are built already. Functions, constants and structs may be added; what is there
//! stays as it is, or `ARR_ABI_VERSION` has to be raised.

pub(crate) mod binary;
pub(crate) mod c_header;
pub(crate) mod csharp;
pub(crate) mod exports;
pub(crate) mod header;
pub(crate) mod layout;
pub(crate) mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
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
/// One line a name that stands for another type, and one a field of a struct: what it is in C.
pub(crate) const TYPES: &str = "abi/types.txt";

const VERSION: &str = "ARR_ABI_VERSION";
/// These change with every release.
const RELEASE: &str = "ARR_VERSION_";

/// What a program can depend on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Abi {
    /// By their names: `(arr_client_options*, arr_client**) -> arr_status`. Programs do not depend on `const`.
    pub(crate) functions: BTreeMap<String, String>,
    constants: BTreeMap<String, i64>,
    /// `arr_status` is `int32_t`, and so is `arr_error_info.http_status`.
    types: BTreeMap<String, String>,
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
    /// What a header and a layout say.
    pub(crate) fn of(header: &str, layout: &str) -> Result<Self> {
        let header = Header::read(header)?;
        let functions = header.functions.iter().map(|function| (function.name.clone(), prototype(function))).collect();
        let types = types(&header);
        let constants = header.constants.into_iter().filter(|(name, _)| !name.starts_with(RELEASE)).collect();
        Ok(Self { functions, constants, types, structs: layout::parse(layout)? })
    }

    /// What was locked, from the texts of the files.
    fn locked(read: &dyn Fn(&str) -> Result<String>) -> Result<Self> {
        Ok(Self {
            functions: part(read, SYMBOLS, |text| {
                entries(text, |line| line.find('(').map(|end| (&line[..end], line[end..].to_owned())))
            })?,
            constants: part(read, CONSTANTS, |text| {
                entries(text, |line| line.split_once(' ').and_then(|(name, value)| Some((name, value.parse().ok()?))))
            })?,
            types: part(read, TYPES, |text| {
                entries(text, |line| line.split_once(' ').map(|(name, kind)| (name, kind.to_owned())))
            })?,
            structs: part(read, header::LAYOUT, layout::parse)?,
        })
    }

    /// What the checkout has locked.
    pub(crate) fn read(workspace: &Workspace) -> Result<Self> {
        Self::locked(&|path| workspace.read(path))
    }

    /// What a commit had locked; `None` if it had nothing of the kind.
    pub(crate) fn at(workspace: &Workspace, commit: &str) -> Result<Option<Self>> {
        if git(&workspace.root, &["ls-tree", commit, "abi/"])?.is_empty() {
            return Ok(None);
        }
        let locked = Self::locked(&|path| git(&workspace.root, &["show", &format!("{commit}:{path}")]));
        locked.with_context(|| format!("what {commit} had locked")).map(Some)
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

    /// The name that programs on Linux remember: it has the version, so that those that need another find none.
    pub(crate) fn soname(&self) -> String {
        format!("libarr_session.so.{}", self.version())
    }

    /// What is different `after` from this, which came before.
    fn changes(&self, after: &Self) -> Vec<Change> {
        let mut changes = map_changes("the function", &self.functions, &after.functions);
        changes.extend(map_changes("the constant", &self.constants, &after.constants));
        changes.retain(|change| !change.what.contains(VERSION));
        let (was, is) = (self.version(), after.version());
        if was != is {
            changes.push(Change { what: format!("{VERSION} was {was} and is {is}"), breaks: is < was });
        }
        changes.extend(map_changes("the type of", &self.types, &after.types));
        changes.extend(
            layout::changes(&self.structs, &after.structs).into_iter().map(|(what, breaks)| Change { what, breaks }),
        );
        changes
    }

    /// The changes that programs do not survive although the version says that they do. It can only rise: an older one has
    /// been promised already.
    pub(crate) fn broken_promises(&self, after: &Self) -> Vec<String> {
        if after.version() > self.version() {
            return Vec::new();
        }
        let breaking = self.changes(after).into_iter().filter(|change| change.breaks);
        breaking.map(|change| change.what).collect()
    }

    /// What is to be said of a release that had locked this, if nothing of it is broken `after`.
    fn kept(&self, after: &Self, release: &str) -> String {
        if after.version() == self.version() {
            format!("as {release} promised")
        } else {
            format!("another ABI than {release}")
        }
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

    fn types_text(&self) -> String {
        let mut text = String::from(
            "# What the names of types in include/arr_session.h stand for, and of which type the fields of its structs are.\n\
             # Written by `cargo xtask header`.\n",
        );
        for (name, kind) in &self.types {
            let _ = writeln!(text, "{name} {kind}");
        }
        text
    }

    /// The files that lock it, besides the layout, from which it comes.
    fn texts(&self) -> [(&'static str, String); 3] {
        [(SYMBOLS, self.symbols_text()), (CONSTANTS, self.constants_text()), (TYPES, self.types_text())]
    }
}

/// What to do about promises that would be broken.
pub(crate) fn advice(broken: &[String]) -> String {
    format!(
        "programs that were built before would break:\n  {}\nEither leave that as it was, or raise {VERSION} in \
         src/version.rs, run `cargo xtask header`, and tell it in CHANGELOG.md",
        broken.join("\n  ")
    )
}

/// What one file has locked. If it counted for nothing when it cannot be read, all would be new, and nothing broken.
fn part<T>(read: &dyn Fn(&str) -> Result<String>, path: &str, parse: impl FnOnce(&str) -> Result<T>) -> Result<T> {
    let part = read(path).and_then(|text| parse(&text));
    part.with_context(|| format!("{path} cannot be read: take it from git"))
}

/// The lines that say something, each by a name of its own.
fn entries<V>(text: &str, entry: impl Fn(&str) -> Option<(&str, V)>) -> Result<BTreeMap<String, V>> {
    let mut entries = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let entry = entry(line).filter(|(name, _)| name.to_ascii_lowercase().starts_with(binary::PREFIX));
        let (name, value) = entry.with_context(|| format!("cannot read the line `{line}`"))?;
        ensure!(entries.insert(name.to_owned(), value).is_none(), "{name} is there twice");
    }
    ensure!(!entries.is_empty(), "nothing is in it");
    Ok(entries)
}

fn prototype(function: &Function) -> String {
    let parameters: Vec<String> = function.parameters.iter().map(|parameter| in_c(&parameter.kind)).collect();
    format!("({}) -> {}", parameters.join(", "), in_c(&function.result))
}

/// What stands behind the names, and in the structs.
fn types(header: &Header) -> BTreeMap<String, String> {
    let fields = header
        .structs
        .iter()
        .flat_map(|it| it.fields.iter().map(|field| (format!("{}.{}", it.name, field.name), in_c(&field.kind))));
    header.aliases.clone().into_iter().chain(fields).collect()
}

fn in_c(kind: &Type) -> String {
    let length = kind.length.map_or(String::new(), |length| format!("[{length}]"));
    format!("{}{}{length}", kind.base, "*".repeat(kind.pointers))
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
pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let (header, layout) = (workspace.read(header::PATH)?, workspace.read(header::LAYOUT)?);
    let (locked, now) = (Abi::read(workspace)?, Abi::of(&header, &layout)?);
    let mut problems = lock_problems(&locked, &header, &now)?;
    let release = last_release(workspace)?;
    let mut compared = "there is no release yet to compare with".to_owned();
    if let Some(release) = &release {
        compared = format!("{release} promised nothing");
        if let Some(promised) = Abi::at(workspace, release)? {
            let broken = promised.broken_promises(&now);
            if !broken.is_empty() {
                problems.push(format!("since the release {release}, {}", advice(&broken)));
            }
            compared = promised.kept(&now, release);
        }
    }
    let summary = format!(
        "version {}: {} functions, {} constants, {} structs; {compared}",
        now.version(),
        now.functions.len(),
        now.constants.len(),
        now.structs.len(),
    );
    Report::unless(problems, summary)
}

/// Where the lock is not what the header says `now`.
fn lock_problems(locked: &Abi, header: &str, now: &Abi) -> Result<Vec<String>> {
    let header = Header::read(header)?;
    ensure!(!header.functions.is_empty(), "{} declares no function", header::PATH);
    // The layout is a part of both: that it is the header's, no comparison of the two would tell.
    let mut problems = layout::names_problems(&now.structs, &header);
    let broken = locked.broken_promises(now);
    if !broken.is_empty() {
        problems.push(advice(&broken));
    } else if locked != now {
        let changes: Vec<String> = locked.changes(now).into_iter().map(|change| change.what).collect();
        problems.push(format!("abi/ is not up to date: run `cargo xtask header`\n  {}", changes.join("\n  ")));
    }
    Ok(problems)
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
        #define ARR_VERSION_MINOR 1\n#define ARR_ABI_VERSION 2\n#define ARR_OK 0\n\
        typedef int32_t arr_status;\ntypedef struct arr_info { uint32_t struct_size; arr_status status; char text[8]; } arr_info;\n\
        ARR_API arr_status arr_call(const struct arr_info *info, uint32_t flags);\n";
    const LAYOUT: &str = "struct arr_info 16 4\n  struct_size 0 4\n  status 4 4\n  text 8 8\n";

    fn abi(header: &str, layout: &str) -> Abi {
        Abi::of(header, layout).unwrap()
    }

    /// What is read if one of the files has another text.
    fn read_with(path: &str, text: Option<&str>) -> Result<Abi> {
        let mut texts = BTreeMap::from(abi(HEADER, LAYOUT).texts());
        texts.insert(header::LAYOUT, LAYOUT.to_owned());
        match text {
            Some(text) => texts.insert(path, text.to_owned()),
            None => texts.remove(path),
        };
        Abi::locked(&|path| texts.get(path).cloned().context("it is not there"))
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let now = abi(HEADER, LAYOUT);
        assert_eq!(read_with(header::LAYOUT, Some(LAYOUT)).unwrap(), now);
        assert_eq!(now.functions["arr_call"], "(arr_info*, uint32_t) -> arr_status");
        assert_eq!(now.types["arr_status"], "int32_t");
        assert_eq!(now.types["arr_info.text"], "char[8]");
        assert!(!now.constants_text().contains("ARR_VERSION_MINOR"));
    }

    #[test]
    fn a_lock_that_cannot_be_read_is_an_error_that_names_it() {
        let conflict = "<<<<<<< HEAD\n=======\n>>>>>>> other (work)\n";
        for path in [SYMBOLS, CONSTANTS, TYPES, header::LAYOUT] {
            let good = BTreeMap::from(abi(HEADER, LAYOUT).texts()).get(path).cloned().unwrap_or(LAYOUT.to_owned());
            assert!(read_with(path, Some(&good)).is_ok());
            let twice = format!("{good}{good}");
            for text in [None, Some(""), Some("# Only a remark.\n"), Some(&*(good.clone() + conflict)), Some(&*twice)] {
                let error = format!("{:#}", read_with(path, text).unwrap_err());
                assert!(error.starts_with(&format!("{path} cannot be read: take it from git")), "{text:?}: {error}");
            }
        }
    }

    #[test]
    fn what_is_added_breaks_nothing() {
        let longer = HEADER.replace("char text[8]; }", "char text[8]; uint32_t more; }")
            + "ARR_API void arr_more(void);\n#define ARR_MORE 1\ntypedef int32_t arr_kind;\n";
        let layout = LAYOUT.replace("info 16", "info 20") + "  more 16 4\nstruct arr_new 4 4\n  a 0 4\n";
        let (before, after) = (abi(HEADER, LAYOUT), abi(&longer, &layout));
        assert_eq!(before.broken_promises(&after), [""; 0]);
        assert_eq!(before.changes(&after).len(), 6, "{:?}", before.changes(&after));
        assert_eq!((before.grown(&after), after.grown(&before)), (vec!["arr_info"], Vec::new()));
    }

    #[test]
    fn each_way_to_break_a_program_is_named_unless_the_version_says_so() {
        let before = abi(HEADER, LAYOUT);
        let in_header = |from: &str, to: &str| (HEADER.replace(from, to), LAYOUT.to_owned());
        let in_layout = |from: &str, to: &str| (HEADER.to_owned(), LAYOUT.replace(from, to));
        let cases = [
            (in_header("arr_call", "arr_cell"), "the function arr_call is gone"),
            (in_header("uint32_t flags", "uint64_t flags"), "the function arr_call was"),
            (in_header("ARR_OK 0", "ARR_OK 7"), "the constant ARR_OK was 0 and is 7"),
            (in_header("typedef int32_t", "typedef int64_t"), "the type of arr_status was int32_t and is int64_t"),
            (in_header("uint32_t struct_size", "float struct_size"), "the type of arr_info.struct_size was uint32_t"),
            (in_header("char text[8]", "char *text"), "the type of arr_info.text was char[8] and is char*"),
            (in_layout("status 4 4", "status 8 4"), "arr_info.status"),
            (in_layout("  status 4 4\n", ""), "arr_info.status"),
            (in_layout("arr_info", "arr_infos"), "arr_info is gone"),
            (in_layout("info 16 4", "info 24 8"), "arr_info was aligned to 4 bytes, and is to 8"),
            (in_layout("info 16 4", "info 12 4"), "arr_info has become shorter"),
        ];
        for ((header, layout), expected) in cases {
            let broken = before.broken_promises(&abi(&header, &layout));
            assert!(broken.iter().any(|what| what.contains(expected)), "{expected}: {broken:?}");
            let bumped = abi(&header.replace("ARR_ABI_VERSION 2", "ARR_ABI_VERSION 3"), &layout);
            assert_eq!(before.broken_promises(&bumped), [""; 0], "{expected}");
            let lowered = abi(&header.replace("ARR_ABI_VERSION 2", "ARR_ABI_VERSION 1"), &layout);
            assert_eq!(before.broken_promises(&lowered).len(), broken.len() + 1, "{expected}");
        }
    }

    #[test]
    fn the_version_only_rises() {
        let version = |version| abi(&HEADER.replace("ARR_ABI_VERSION 2", version), LAYOUT);
        let (before, lower, higher) = (abi(HEADER, LAYOUT), version("ARR_ABI_VERSION 1"), version("ARR_ABI_VERSION 3"));
        assert_eq!(before.broken_promises(&lower), ["ARR_ABI_VERSION was 2 and is 1"]);
        assert_eq!(before.broken_promises(&version("ARR_ABI 2")), ["ARR_ABI_VERSION was 2 and is 0"]);
        assert_eq!(before.broken_promises(&higher), [""; 0]);
        assert_eq!(before.kept(&before, "v1.0.0"), "as v1.0.0 promised");
        assert_eq!(before.kept(&higher, "v1.0.0"), "another ABI than v1.0.0");
    }

    #[test]
    fn fields_in_another_order_than_the_layouts_are_seen() {
        let told = |header: &str| {
            let now = abi(header, LAYOUT);
            lock_problems(&now, header, &now).unwrap()
        };
        assert_eq!(told(HEADER), [""; 0]);
        let (first, second) = ("uint32_t struct_size;", "arr_status status;");
        let swapped = HEADER.replace(&format!("{first} {second}"), &format!("{second} {first}"));
        assert!(told(&swapped)[0].starts_with("arr_info has the fields"), "{:?}", told(&swapped));
    }

    #[test]
    fn the_last_release_is_the_newest_that_this_state_comes_from() {
        let folder = std::env::temp_dir().join(format!("arr-releases-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
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
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!((newest.as_deref(), before.as_deref()), (Some("v1.0.0"), Some("v0.10.0")));
        assert!(newest_release(&folder).is_err(), "that git cannot be asked is not that there is no release");
    }
}

//! `abi/`: the lock of what existing programs depend on. Functions, constants and structs may be added; any other change raises
//! `ARR_ABI_VERSION`.

pub(crate) mod binary;
pub(crate) mod c_header;
pub(crate) mod csharp;
pub(crate) mod exports;
pub(crate) mod header;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::abi::c_header::{Function, Header, Type};
use crate::context::Context;
use crate::process;
use crate::step::Report;
use crate::workspace::Workspace;

/// The memory layout of the structs.
pub(crate) const LAYOUT: &str = "abi/layout.txt";

/// The other files, each with its first line. The layout comes from the library's own tests, the others from the header.
const FUNCTIONS: (&str, &str) = (
    "abi/symbols.txt",
    "# The functions of include/arr_session.h. Every library has these and no others. Written by `cargo xtask header`.\n",
);
const CONSTANTS: (&str, &str) =
    ("abi/constants.txt", "# The constants of include/arr_session.h. Written by `cargo xtask header`.\n");
const TYPES: (&str, &str) = (
    "abi/types.txt",
    "# What the type names of include/arr_session.h stand for, and the types of its fields. Written by `cargo xtask header`.\n",
);

const VERSION: &str = "ARR_ABI_VERSION";
/// Constants that change with every release.
const RELEASE: &str = "ARR_VERSION_";

/// Names, each with the rest of its line.
type Entries = BTreeMap<String, String>;

/// The ABI that a program can depend on.
#[derive(Clone, PartialEq)]
pub(crate) struct Abi {
    /// `(arr_client_options*, arr_client**) -> arr_status`. Programs do not depend on `const`.
    pub(crate) functions: Entries,
    constants: Entries,
    /// `arr_status` is `int32_t`, and so is `arr_error_info.http_status`.
    types: Entries,
    /// `arr_error_info` has a size and an alignment, `arr_error_info.http_status` an offset and a size.
    layout: Entries,
}

impl Abi {
    pub(crate) fn of(header: &str, layout: &str) -> Result<Self> {
        let header = Header::read(header)?;
        let functions = header.functions.iter().map(|function| (function.name.clone(), prototype(function))).collect();
        let constants = header.constants.iter().filter(|(name, _)| !name.starts_with(RELEASE));
        let constants = constants.map(|(name, value)| (name.clone(), format!(" {value}"))).collect();
        let fields = header.structs.iter().flat_map(|it| it.fields.iter().map(move |field| (it, field)));
        let fields =
            fields.map(|(it, field)| (format!("{}.{}", it.name, field.name), format!(" {}", in_c(&field.kind))));
        let aliases = header.aliases.iter().map(|(name, kind)| (name.clone(), format!(" {kind}")));
        Ok(Self { functions, constants, types: aliases.chain(fields).collect(), layout: laid(layout)? })
    }

    fn locked(read: &dyn Fn(&str) -> Result<String>) -> Result<Self> {
        // If an unreadable file counted as empty, everything would be new and nothing broken.
        let part = |path: &str, parse: fn(&str) -> Result<Entries>| {
            let part = read(path).and_then(|text| parse(&text));
            part.with_context(|| format!("{path} cannot be read: restore it with `git checkout`"))
        };
        Ok(Self {
            functions: part(FUNCTIONS.0, entries)?,
            constants: part(CONSTANTS.0, entries)?,
            types: part(TYPES.0, entries)?,
            layout: part(LAYOUT, laid)?,
        })
    }

    pub(crate) fn read(workspace: &Workspace) -> Result<Self> {
        Self::locked(&|path| workspace.read(path))
    }

    /// The lock of a commit, if it had one.
    pub(crate) fn at(workspace: &Workspace, commit: &str) -> Result<Option<Self>> {
        if git(&workspace.root, &["ls-tree", commit, "abi/"])?.is_empty() {
            return Ok(None);
        }
        let locked = Self::locked(&|path| git(&workspace.root, &["show", &format!("{commit}:{path}")]));
        locked.with_context(|| format!("the lock of {commit}")).map(Some)
    }

    /// The differences between a binary's exports and the functions.
    pub(crate) fn differences(&self, what: &str, names: &BTreeSet<String>) -> Vec<String> {
        let missing = self.functions.keys().filter(|name| !names.contains(*name));
        let missing = missing.map(|name| format!("{what} lacks {name}"));
        let extra = names.iter().filter(|name| !self.functions.contains_key(*name));
        missing.chain(extra.map(|name| format!("{what} also has {name}, which the header does not declare"))).collect()
    }

    /// `ARR_ABI_VERSION`; 0 if there is none.
    pub(crate) fn version(&self) -> i64 {
        self.constants.get(VERSION).and_then(|value| value.trim().parse().ok()).unwrap_or_default()
    }

    /// The soname that programs on Linux record. It has the version, so that a program does not load another version.
    pub(crate) fn soname(&self) -> String {
        format!("libarr_session.so.{}", self.version())
    }

    /// Changes that break programs without a new version.
    pub(crate) fn broken_promises(&self, after: &Self) -> Vec<String> {
        if after.version() > self.version() {
            return Vec::new();
        }
        let mut broken = Vec::new();
        for (before, now) in self.parts().into_iter().zip(after.parts()) {
            for (name, was) in before {
                match now.get(name) {
                    None => broken.push(format!("{name} is gone")),
                    Some(is) if is == was || self.grown(after).contains(&&**name) => {}
                    Some(is) => broken.push(format!("{name} was{was} and is{is}")),
                }
            }
        }
        // An old program would take a field in between for the one that it knows at this offset.
        for (name, place) in after.layout.iter().filter(|(name, _)| !self.layout.contains_key(*name)) {
            let size = name.split_once('.').and_then(|(structure, _)| self.layout.get(structure));
            if size.is_some_and(|size| numbers(place)[0] < numbers(size)[0]) {
                broken.push(format!("{name} is new, and not at the end"));
            }
        }
        broken
    }

    /// The structs that are larger in `after` and have the same alignment.
    pub(crate) fn grown<'a>(&self, after: &'a Self) -> Vec<&'a str> {
        let longer = |(name, is): &(&String, &String)| {
            let was = self.layout.get(*name).filter(|_| !name.contains('.'));
            was.is_some_and(|was| numbers(was)[0] < numbers(is)[0] && numbers(was)[1] == numbers(is)[1])
        };
        after.layout.iter().filter(longer).map(|(name, _)| &**name).collect()
    }

    fn parts(&self) -> [&Entries; 4] {
        [&self.functions, &self.constants, &self.types, &self.layout]
    }

    /// The lock files except the layout.
    fn texts(&self) -> [(&'static str, String); 3] {
        [(FUNCTIONS, &self.functions), (CONSTANTS, &self.constants), (TYPES, &self.types)].map(
            |((path, head), entries)| {
                let lines: String = entries.iter().map(|(name, rest)| format!("{name}{rest}\n")).collect();
                (path, format!("{head}{lines}"))
            },
        )
    }
}

/// What to do about a change that breaks programs.
pub(crate) fn advice(broken: &[String]) -> String {
    format!(
        "existing programs would break:\n  {}\nEither undo the change, or raise {VERSION} in src/version.rs, run \
         `cargo xtask header`, and describe the change in CHANGELOG.md",
        broken.join("\n  ")
    )
}

fn meaningful(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The lines of a lock file, by the name at their beginning.
fn entries(text: &str) -> Result<Entries> {
    let mut entries = Entries::new();
    for line in meaningful(text) {
        let end = line.find([' ', '(']).filter(|_| line.to_ascii_lowercase().starts_with(binary::PREFIX));
        let (name, rest) = line.split_at(end.with_context(|| format!("cannot read the line `{line}`"))?);
        ensure!(entries.insert(name.to_owned(), rest.to_owned()).is_none(), "{name} appears twice");
    }
    ensure!(!entries.is_empty(), "it is empty");
    Ok(entries)
}

/// The structs and fields of `abi/layout.txt`.
fn laid(text: &str) -> Result<Entries> {
    let mut entries = Entries::new();
    let mut structure = "";
    for line in meaningful(text) {
        let words: Vec<&str> = line.split(' ').collect();
        let (name, place) = match words[..] {
            ["struct", name, size, alignment] => {
                structure = name;
                (name.to_owned(), [size, alignment])
            }
            ["", "", field, offset, size] if !structure.is_empty() => (format!("{structure}.{field}"), [offset, size]),
            _ => anyhow::bail!("cannot read the line `{line}`"),
        };
        ensure!(place.iter().all(|number| number.parse::<u32>().is_ok()), "cannot read the line `{line}`");
        let place = format!(" {}", place.join(" "));
        ensure!(entries.insert(name, place).is_none(), "`{line}` appears twice");
    }
    ensure!(!entries.is_empty(), "it is empty");
    Ok(entries)
}

/// The two numbers in a line of the layout.
fn numbers(place: &str) -> [u32; 2] {
    let mut numbers = place.split_whitespace().map(|number| number.parse().unwrap_or(0));
    [(); 2].map(|()| numbers.next().unwrap_or(0))
}

fn prototype(function: &Function) -> String {
    let parameters: Vec<String> = function.parameters.iter().map(|parameter| in_c(&parameter.kind)).collect();
    format!("({}) -> {}", parameters.join(", "), in_c(&function.result))
}

fn in_c(kind: &Type) -> String {
    let length = kind.length.map_or(String::new(), |length| format!("[{length}]"));
    format!("{}{}{length}", kind.base, "*".repeat(kind.pointers))
}

/// Checks that the lock matches the header, and breaks no program built for the last release.
pub(crate) fn check(context: &Context) -> Result<Report> {
    let workspace = &context.workspace;
    let (header, layout) = (workspace.read(c_header::PATH)?, workspace.read(LAYOUT)?);
    let (locked, now) = (Abi::read(workspace)?, Abi::of(&header, &layout)?);
    let mut problems = lock_problems(&locked, &now, &header)?;
    for (path, text) in csharp::texts(&Header::read(&header)?) {
        if workspace.read(path)?.replace("\r\n", "\n") != text {
            problems.push(format!("{path} does not match {}: run `cargo xtask header`", c_header::PATH));
        }
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
    let since = release.map_or("no release yet".to_owned(), |release| format!("compared with {release}"));
    let [functions, constants, ..] = now.parts().map(BTreeMap::len);
    let version = now.version();
    Report::unless(
        problems,
        format!("version {version}: {functions} functions, {constants} constants, in C and C#; {since}"),
    )
}

/// The differences between the lock and the header.
fn lock_problems(locked: &Abi, now: &Abi, header: &str) -> Result<Vec<String>> {
    let header = Header::read(header)?;
    ensure!(!header.functions.is_empty(), "{} declares no function", c_header::PATH);
    // The C and C++ compilers check the fields.
    let declared: BTreeSet<&str> = header.structs.iter().map(|it| &*it.name).collect();
    let laid: BTreeSet<&str> = now.layout.keys().map(String::as_str).filter(|name| !name.contains('.')).collect();
    let only_one_has = declared.symmetric_difference(&laid);
    let mut problems: Vec<String> = only_one_has
        .map(|name| format!("only one of {} and {LAYOUT} has {name}: update src/layout.rs", c_header::PATH))
        .collect();
    let broken = locked.broken_promises(now);
    if !broken.is_empty() {
        problems.push(advice(&broken));
    } else if locked != now {
        problems.push("abi/ is not up to date: run `cargo xtask header`".to_owned());
    }
    Ok(problems)
}

/// The newest tag with a version, such as `v1.2.3`; `None` if there is none, or this is not a git checkout.
pub(crate) fn last_release(workspace: &Workspace) -> Result<Option<String>> {
    if !workspace.root.join(".git").exists() {
        return Ok(None);
    }
    // A candidate such as `v1.2.3-rc.1` comes before its release; git needs the option to sort it so.
    let tags = ["-c", "versionsort.suffix=-", "tag", "--list", "v[0-9]*", "--sort=-version:refname", "--merged"];
    let tags = git(&workspace.root, &tags).context("cannot ask git for the last release")?;
    Ok(tags.lines().next().map(str::to_owned))
}

/// Calls git even if another user owns the checkout, as on some build servers.
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
    const LAID: &str = "struct arr_info 16 4\n  struct_size 0 4\n  status 4 4\n  text 8 8\n";

    fn abi(header: &str, layout: &str) -> Abi {
        Abi::of(header, layout).unwrap()
    }

    #[test]
    fn written_locks_are_read_back_and_unreadable_ones_named() {
        let now = abi(HEADER, LAID);
        let mut texts = BTreeMap::from(now.texts());
        texts.insert(LAYOUT, LAID.to_owned());
        let read = |texts: &BTreeMap<&str, String>| Abi::locked(&|path| texts.get(path).cloned().context("not there"));
        assert!(read(&texts).unwrap() == now);
        assert_eq!(now.functions["arr_call"], "(arr_info*, uint32_t) -> arr_status");
        assert_eq!(now.types["arr_info.text"], " char[8]");
        assert!(!now.constants.contains_key("ARR_VERSION_MINOR"));

        for path in texts.keys() {
            let good = &texts[path];
            for bad in ["", "# Only a comment.\n", &format!("{good}<<<<<<< HEAD\n"), &good.repeat(2)] {
                let mut texts = texts.clone();
                texts.insert(*path, bad.to_owned());
                let error = format!("{:#}", read(&texts).err().unwrap());
                assert!(
                    error.starts_with(&format!("{path} cannot be read: restore it with `git checkout`")),
                    "{bad}: {error}"
                );
            }
        }
    }

    #[test]
    fn additions_break_nothing() {
        let longer = HEADER.replace("char text[8]; }", "char text[8]; uint32_t more; }")
            + "ARR_API void arr_more(void);\n#define ARR_MORE 1\ntypedef int32_t arr_kind;\n";
        let layout = LAID.replace("info 16", "info 20") + "  more 16 4\nstruct arr_new 4 4\n  a 0 4\n";
        let (before, after) = (abi(HEADER, LAID), abi(&longer, &layout));
        assert_eq!(before.broken_promises(&after), [""; 0]);
        assert_eq!((before.grown(&after), after.grown(&before)), (vec!["arr_info"], Vec::new()));
    }

    #[test]
    fn every_breaking_change_is_named_unless_the_version_is_raised() {
        let before = abi(HEADER, LAID);
        let in_header = |from: &str, to: &str| (HEADER.replace(from, to), LAID.to_owned());
        let in_layout = |from: &str, to: &str| (HEADER.to_owned(), LAID.replace(from, to));
        let cases = [
            (in_header("arr_call", "arr_cell"), "arr_call is gone"),
            (in_header("uint32_t flags", "uint64_t flags"), "arr_call was(arr_info*, uint32_t)"),
            (in_header("ARR_OK 0", "ARR_OK 7"), "ARR_OK was 0 and is 7"),
            (in_header("typedef int32_t", "typedef int64_t"), "arr_status was int32_t and is int64_t"),
            (in_header("char text[8]", "char *text"), "arr_info.text was char[8] and is char*"),
            (in_layout("status 4 4", "status 8 4"), "arr_info.status was 4 4 and is 8 4"),
            (in_layout("  status 4 4\n", ""), "arr_info.status is gone"),
            (in_layout("  text", "  more 4 0\n  text"), "arr_info.more is new, and not at the end"),
            (in_layout("info 16 4", "info 24 8"), "arr_info was 16 4 and is 24 8"),
            (in_layout("info 16 4", "info 12 4"), "arr_info was 16 4 and is 12 4"),
        ];
        for ((header, layout), expected) in cases {
            let broken = before.broken_promises(&abi(&header, &layout));
            assert!(broken.iter().any(|what| what.contains(expected)), "{expected}: {broken:?}");
            let raised = abi(&header.replace("ARR_ABI_VERSION 2", "ARR_ABI_VERSION 3"), &layout);
            assert_eq!(before.broken_promises(&raised), [""; 0], "{expected}");
        }
        let lowered = abi(&HEADER.replace("ARR_ABI_VERSION 2", "ARR_ABI_VERSION 1"), LAID);
        assert_eq!(before.broken_promises(&lowered), ["ARR_ABI_VERSION was 2 and is 1"]);
    }

    #[test]
    fn a_struct_without_a_layout_is_reported() {
        let more = format!("{HEADER}typedef struct arr_more {{ int32_t a; }} arr_more;\n");
        let problems = |header: &str| lock_problems(&abi(header, LAID), &abi(header, LAID), header).unwrap();
        assert_eq!(problems(HEADER), [""; 0]);
        assert!(problems(&more)[0].contains("has arr_more"));
    }
}

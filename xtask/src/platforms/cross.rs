//! Builds for other platforms, and for older systems: with Debian's Rust compiler, which comes with the sources of its standard
//! library, and a C compiler that links for the target.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::abi::binary::PRIVATE;
use crate::artifacts::{self, Library, Progress};
use crate::packages::RUSTC;
use crate::process::{self, CARGO_LIMIT};
use crate::workspace::{FETCHED, Workspace, cargo_home, crate_sources};

/// For every format, except objects by GCC for ARM64, which it corrupts.
pub(super) const OBJCOPY: &str = "llvm-objcopy-14";

/// Makes a static library linkable beside other Rust libraries: symbols outside the ABI get private names. Also removes debug
/// information, and bitcode, with which binutils refuse a file if they have LLVM's plugin. All in one call, because LLVM's objcopy
/// cannot read all of its own output. Imports keep their names, which are the system's: short imports, and dlltool's objects
/// (`NAME.dllh.o`, `NAME.dlls00001.o`, `NAME.dllt.o`), several of which share a name and would overwrite each other. Arguments:
/// both files, and the prefix of the private names.
const MAKE_PRIVATE: &str = r#"set -eu
cp "$1" "$2"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
members=$(llvm-ar-14 t "$1" | grep '\.o$' | grep -vE '\.[a-z]+(h|t|s[0-9]+)\.o$')
if echo "$members" | sort | uniq -d | grep .; then exit 1; fi
llvm-ar-14 x "$1" $members
for object in *.o; do "$0" -R .llvmbc -R .llvmcmd "$object" "$object.bare"; done
llvm-nm-14 --defined-only --extern-only *.bare >defined
awk -v new="$3" 'NF == 3 && $3 !~ /^arr_/ { print $3, new $3 }' defined | sort -u >names
for object in *.o; do "$0" -R .llvmbc -R .llvmcmd -R .llvm_addrsig --strip-debug --redefine-syms=names "$object"; done
llvm-ar-14 rD "$2" *.o
"#;

/// A target of rustc, and the C tools for it.
pub(crate) struct Cross {
    pub(crate) platform: &'static str,
    pub(crate) triple: &'static str,
    /// Links, and compiles ring's C.
    pub(crate) cc: PathBuf,
    pub(crate) ar: Option<PathBuf>,
    /// The objcopy for linked files, and the one for objects.
    pub(crate) objcopy: &'static str,
    pub(crate) objects: &'static str,
    /// A folder of programs that take precedence on the PATH.
    pub(crate) tools: Option<PathBuf>,
    /// More linker arguments for the library.
    pub(crate) link: Vec<OsString>,
}

/// A library as it ships, and its separate debug information.
pub(crate) struct Stripped {
    pub(crate) library: Library,
    pub(crate) debug: PathBuf,
}

impl Cross {
    /// Builds the library, with this name for the shared one: debuggers look for `NAME.debug` beside it.
    pub(crate) fn build(&self, workspace: &Workspace, name: &str) -> Result<Stripped> {
        let option = |argument: &OsString| {
            let mut option = OsString::from("link-arg=");
            option.push(argument);
            option
        };
        let options: Vec<OsString> = self.link.iter().map(option).collect();
        let built = Library::build_by(self.cargo(workspace, "rustc")?, &options, Progress::Hidden)?;
        let folder = workspace.scratch(&format!("platforms/{}/built", self.platform))?;
        let (shared, archive) = (folder.join(name), folder.join("libarr_session.a"));
        let debug = folder.join(format!("{name}.debug"));
        self.objcopy(&["--only-keep-debug"], &built.shared, &debug)?;
        let link = format!("--add-gnu-debuglink={}", debug.display());
        self.objcopy(&["--strip-all", &link], &built.shared, &shared)?;
        let private = format!("{PRIVATE}{}_", workspace.version.replace('.', "_"));
        let mut sh = Command::new("sh");
        sh.args(["-c", MAKE_PRIVATE, self.objects]).args([&built.archive, &archive]).arg(private);
        process::run(sh, 5 * process::TOOL_LIMIT)?.expect_success("make the static library's other names private")?;
        let link = if built.link == built.shared { shared.clone() } else { built.link };
        for file in [&shared, &archive, &debug] {
            names_no_folder(file, workspace)?;
        }
        Ok(Stripped { library: Library { shared, archive, link }, debug })
    }

    /// Builds the emulator and the command line. They have the library's profile, so that all share the standard library and
    /// crates.
    pub(crate) fn build_programs(&self, workspace: &Workspace) -> Result<Vec<PathBuf>> {
        let folder = workspace.scratch(&format!("platforms/{}/built", self.platform))?;
        let mut cargo = self.cargo(workspace, "build")?;
        cargo.args(["--release", "--package", "arr-service", "--package", "arr-cli", "--bins"]);
        let strip = |built: PathBuf| {
            let program = folder.join(built.file_name().context("a program has a name")?);
            self.objcopy(&["--strip-all"], &built, &program)?;
            names_no_folder(&program, workspace)?;
            Ok(program)
        };
        artifacts::build_programs(cargo, &["arr-emulator", "arr"])?.into_iter().map(strip).collect()
    }

    /// Only type-checks the library.
    pub(crate) fn check(&self, workspace: &Workspace) -> Result<()> {
        let mut cargo = self.cargo(workspace, "check")?;
        cargo.args(["--locked", "--quiet", "--package", "arr-session", "--lib"]);
        process::run(cargo, CARGO_LIMIT)?.expect_success(&format!("check for {}", self.triple))?;
        Ok(())
    }

    fn objcopy(&self, options: &[&str], from: &Path, to: &Path) -> Result<()> {
        process::stdout(Command::new(self.objcopy).args(options).args([from, to])).map(drop)
    }

    fn cargo(&self, workspace: &Workspace, command: &str) -> Result<Command> {
        let mut cargo = workspace.cargo();
        cargo.arg(command);
        self.set_up(cargo, workspace)
    }

    /// Completes a call of cargo, or of a script whose last arguments are such a call.
    pub(crate) fn set_up(&self, mut cargo: Command, workspace: &Workspace) -> Result<Command> {
        cargo.args(["--target", self.triple]);
        if self.triple != workspace.host {
            cargo.arg("-Zbuild-std=std,panic_unwind");
        }
        // RUSTC_BOOTSTRAP allows -Z switches, which are otherwise for nightly compilers.
        cargo.env("RUSTC", RUSTC).env("RUSTC_BOOTSTRAP", "1");
        cargo.env("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only").env("CARGO_PROFILE_RELEASE_STRIP", "none");
        // One for each platform, so that two can be built in parallel.
        cargo.arg("--target-dir").arg(workspace.scratch(&format!("platforms/{}/cargo", self.platform))?);
        let name = self.triple.replace('-', "_");
        cargo.env(format!("CARGO_TARGET_{}_LINKER", name.to_uppercase()), &self.cc);
        cargo.env(format!("CC_{name}"), &self.cc);
        if let Some(ar) = &self.ar {
            cargo.env(format!("AR_{name}"), ar);
        }
        if let Some(tools) = &self.tools {
            let before = env::var_os("PATH").unwrap_or_default();
            let path = env::join_paths([tools.clone()].into_iter().chain(env::split_paths(&before)));
            cargo.env("PATH", path.context("cannot put a folder on the PATH")?);
        }
        for inherited in ["RUSTFLAGS", "CFLAGS"] {
            cargo.env_remove(inherited);
        }
        let renamed = renamed_folders(workspace)?;
        let flags = |switch: &str| -> Vec<String> {
            renamed.iter().map(|(from, to)| format!("{switch}={}={to}", from.display())).collect()
        };
        cargo.env("CARGO_ENCODED_RUSTFLAGS", flags("--remap-path-prefix").join("\u{1f}"));
        // For ring's C, whose debug information names its sources. In quotes, because a checkout's path may have blanks.
        let quoted: Vec<String> = flags("-ffile-prefix-map").iter().map(|flag| format!("'{flag}'")).collect();
        cargo.env(format!("CFLAGS_{name}"), quoted.join(" ")).env("CC_SHELL_ESCAPED_FLAGS", "1");
        Ok(cargo)
    }
}

/// Replacements for this machine's folders in messages and debug information: for privacy, and so that the same sources give the
/// same bytes in any folder.
fn renamed_folders(workspace: &Workspace) -> Result<Vec<(PathBuf, &'static str)>> {
    let mut renamed =
        vec![(workspace.root.clone(), "arr-session"), (workspace.target.clone(), "target"), (cargo_home()?, "cargo")];
    // These folders are named after the registry's address, which may be a mirror's. The last match counts.
    renamed.extend(crate_sources()?.into_iter().map(|folder| (folder, FETCHED)));
    Ok(renamed)
}

/// Fails if the file contains the path of the checkout, its target folder or cargo's home.
fn names_no_folder(file: &Path, workspace: &Workspace) -> Result<()> {
    for folder in [&workspace.root, &workspace.target, &cargo_home()?] {
        ensure!(!names(file, folder)?, "{} names {}, a folder of this machine", file.display(), folder.display());
    }
    Ok(())
}

/// Whether the file contains a path below this folder, or a symbol made from one. `crates/ring/src/lib.rs` is not below `/src`.
fn names(file: &Path, folder: &Path) -> Result<bool> {
    let path = folder.to_string_lossy();
    let mut pattern = format!(r"(?<![A-Za-z0-9.-])(\Q{path}\E[/\\]");
    // In a symbol, a folder of one word could be anything.
    if folder.iter().count() > 2 {
        pattern.push_str(&format!("|{}_", path.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_")));
    }
    let mut grep = Command::new("grep");
    grep.env("LC_ALL", "C").args(["-aqP", "-e", &format!("{pattern})")]).arg(file);
    match process::run(grep, process::TOOL_LIMIT)?.exit_code() {
        Some(code @ (0 | 1)) => Ok(code == 0),
        _ => bail!("grep cannot read {}", file.display()),
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_of_this_machine_is_found_in_a_file() {
    let file = env::temp_dir().join(format!("arr-cross-{}", std::process::id()));
    std::fs::write(&file, b"\0crates/ring-0.17/src/lib.rs\0/home/me/.cargo/x\0_head__srv_of_mine_target\0\xff")
        .unwrap();
    let named = |folder: &str| names(&file, Path::new(folder)).unwrap();
    let here = ["/home/me/.cargo", "/srv/of mine"].map(named);
    let elsewhere = ["/home/you/.cargo", "/src", "/head", "/home/m", "/crates", "/target"].map(named);
    std::fs::remove_file(&file).unwrap();
    assert_eq!((here, elsewhere), ([true; 2], [false; 6]));
}

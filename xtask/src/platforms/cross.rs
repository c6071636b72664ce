//! Builds for other platforms than this one, and for older ones: by Debian's Rust compiler, which comes with the sources of its
//! standard library, and a C compiler that links for the target.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::artifacts::{self, Library, Progress};
use crate::packages::RUSTC;
use crate::process::{self, CARGO_LIMIT};
use crate::workspace::{FETCHED, Workspace, cargo_home, crate_sources};

/// For the files of every format, but for objects of GCC for ARM64, which it spoils.
pub(super) const OBJCOPY: &str = "llvm-objcopy-14";

/// For an archive that has short imports among its objects, of which objcopy knows nothing.
const STRIP_OBJECTS: &str = r#"set -eu
cp "$1" "$2"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
llvm-ar-14 x "$1" $(llvm-ar-14 t "$1" | grep '\.o$')
for object in *.o; do "$0" --strip-debug "$object"; done
llvm-ar-14 rD "$2" *.o
"#;

/// A target of rustc's, and the C tools for it.
pub(crate) struct Cross {
    pub(crate) platform: &'static str,
    pub(crate) triple: &'static str,
    /// Links, and compiles the C that is in ring.
    pub(crate) cc: PathBuf,
    pub(crate) ar: Option<PathBuf>,
    /// Takes debug information out.
    pub(crate) objcopy: &'static str,
    /// A folder of programs that go before others of their names.
    pub(crate) tools: Option<PathBuf>,
    /// Further arguments of the linker for the library.
    pub(crate) link: Vec<OsString>,
}

/// A library as it ships, and the debug information that was taken out of it.
pub(crate) struct Stripped {
    pub(crate) library: Library,
    pub(crate) debug: PathBuf,
}

impl Cross {
    /// The library, whose shared part gets this name: debuggers look for `NAME.debug` beside it.
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
        if self.triple.ends_with("-gnullvm") {
            let mut sh = Command::new("sh");
            sh.args(["-c", STRIP_OBJECTS, self.objcopy]).args([&built.archive, &archive]);
            process::run(sh, process::TOOL_LIMIT)?.expect_success("strip the static library")?;
        } else {
            self.objcopy(&["--strip-debug"], &built.archive, &archive)?;
        }
        let link = if built.link == built.shared { shared.clone() } else { built.link };
        for file in [&shared, &archive, &debug] {
            names_no_folder(file, workspace)?;
        }
        Ok(Stripped { library: Library { shared, archive, link }, debug })
    }

    /// The emulator. It shares the library's profile, and so the standard library and most crates that both have: to compile
    /// those once more would take longer than link-time optimisation does.
    pub(crate) fn build_emulator(&self, workspace: &Workspace) -> Result<PathBuf> {
        let mut cargo = self.cargo(workspace, "build")?;
        cargo.args(["--release", "--package", "arr-service", "--bin", "arr-emulator"]);
        let built = artifacts::build_program(cargo, "arr-emulator", Progress::Hidden)?;
        let folder = workspace.scratch(&format!("platforms/{}/built", self.platform))?;
        let program = folder.join(built.file_name().context("a program has a name")?);
        self.objcopy(&["--strip-all"], &built, &program)?;
        names_no_folder(&program, workspace)?;
        Ok(program)
    }

    /// Only looks whether all of the library is right.
    pub(crate) fn check(&self, workspace: &Workspace) -> Result<()> {
        let mut cargo = self.cargo(workspace, "check")?;
        cargo.args(["--locked", "--quiet", "--package", "arr-session", "--lib"]);
        process::run(cargo, CARGO_LIMIT)?.expect_success(&format!("check for {}", self.triple))?;
        Ok(())
    }

    fn objcopy(&self, options: &[&str], from: &Path, to: &Path) -> Result<()> {
        let mut objcopy = Command::new(self.objcopy);
        objcopy.args(options).args([from, to]);
        process::run(objcopy, process::TOOL_LIMIT)?.expect_success(&format!(
            "{} {}",
            self.objcopy,
            options.join(" ")
        ))?;
        Ok(())
    }

    fn cargo(&self, workspace: &Workspace, command: &str) -> Result<Command> {
        let mut cargo = workspace.cargo();
        cargo.args([command, "--target", self.triple]);
        if self.triple != workspace.host {
            cargo.arg("-Zbuild-std=std,panic_unwind");
        }
        // The switches beginning with -Z are for nightly compilers, unless this is set.
        cargo.env("RUSTC", RUSTC).env("RUSTC_BOOTSTRAP", "1");
        cargo.env("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only").env("CARGO_PROFILE_RELEASE_STRIP", "none");
        // One for each platform, so that two can be built side by side.
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
        // For the C that is in ring, whose debug information names its sources. In quotes, as a checkout's path may have blanks.
        let quoted: Vec<String> = flags("-ffile-prefix-map").iter().map(|flag| format!("'{flag}'")).collect();
        cargo.env(format!("CFLAGS_{name}"), quoted.join(" ")).env("CC_SHELL_ESCAPED_FLAGS", "1");
        Ok(cargo)
    }
}

/// What the compilers write for the folders of this machine, into messages and debug information: where sources lie is
/// nobody's business, and the same sources give the same bytes wherever they lie.
fn renamed_folders(workspace: &Workspace) -> Result<Vec<(PathBuf, &'static str)>> {
    let mut renamed =
        vec![(workspace.root.clone(), "arr-session"), (workspace.target.clone(), "target"), (cargo_home()?, "cargo")];
    // Named after the address that the crates came from, which may be that of a mirror. The last that fits counts.
    renamed.extend(crate_sources()?.into_iter().map(|folder| (folder, FETCHED)));
    Ok(renamed)
}

/// Fails if the checkout, its target folder or cargo's is named in the file.
fn names_no_folder(file: &Path, workspace: &Workspace) -> Result<()> {
    for folder in [&workspace.root, &workspace.target, &cargo_home()?] {
        ensure!(!names(file, folder)?, "{} names {}, a folder of this machine", file.display(), folder.display());
    }
    Ok(())
}

/// Whether something below this folder is named, as it is or in a symbol: `/src` is not in `crates/ring/src/lib.rs`.
fn names(file: &Path, folder: &Path) -> Result<bool> {
    let path = folder.to_string_lossy();
    let mut pattern = format!(r"(?<![A-Za-z0-9.-])(\Q{path}\E[/\\]");
    // In a symbol, a folder of one word could be any word.
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
fn a_folder_of_this_machine_is_seen_in_a_file() {
    let file = env::temp_dir().join(format!("arr-cross-{}", std::process::id()));
    std::fs::write(&file, b"\0crates/ring-0.17/src/lib.rs\0/home/me/.cargo/x\0_head__srv_of_mine_target\0\xff")
        .unwrap();
    let named = |folder: &str| names(&file, Path::new(folder)).unwrap();
    let here = ["/home/me/.cargo", "/srv/of mine"].map(named);
    let elsewhere = ["/home/you/.cargo", "/src", "/head", "/home/m", "/crates", "/target"].map(named);
    std::fs::remove_file(&file).unwrap();
    assert_eq!((here, elsewhere), ([true; 2], [false; 6]));
}

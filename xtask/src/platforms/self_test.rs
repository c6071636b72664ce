//! `cargo xtask platforms --self-test`: what the checks are for. A defect of each kind is planted, and has to be caught; what has
//! none has to pass.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};

use super::abidiff;
use super::inspect::{System, problems};
use super::shop::Shop;
use super::windows::{Build, MINGW_CC};
use super::{linked, linux, windows};
use crate::abi::Abi;
use crate::abi::binary::{Binary, archive_symbols};
use crate::abi::header;
use crate::artifacts::Library;
use crate::pack;
use crate::packages;
use crate::process;
use crate::step;
use crate::unity;
use crate::workspace::Workspace;

/// A defect, how it is planted, and what must be said about it.
struct Case {
    what: &'static str,
    /// What the check says of it.
    said: fn(&Workbench) -> Result<Vec<String>>,
    /// A part of that; empty if nothing may be said.
    expected: &'static str,
}

const CASES: &[Case] = &[
    Case { what: "ELF without a defect", said: |bench| bench.elf(&[]), expected: "" },
    Case {
        what: "ELF, an export removed",
        said: |bench| bench.elf(&[Defect::Removed]),
        expected: "lacks arr_shutdown",
    },
    Case { what: "ELF, an export too many", said: |bench| bench.elf(&[Defect::Extra]), expected: "also has helper" },
    Case {
        what: "ELF, a forbidden import",
        said: |bench| bench.elf(&[Defect::Import]),
        expected: "needs libforbidden.so",
    },
    Case { what: "PE without a defect", said: |bench| bench.pe(&[]), expected: "" },
    Case { what: "PE, an export removed", said: |bench| bench.pe(&[Defect::Removed]), expected: "lacks arr_shutdown" },
    Case { what: "PE, an export too many", said: |bench| bench.pe(&[Defect::Extra]), expected: "also has helper" },
    Case { what: "PE, a forbidden import", said: |bench| bench.pe(&[Defect::Import]), expected: "needs forbidden.dll" },
    Case { what: "static library without a defect", said: |bench| bench.archive(&[]), expected: "" },
    Case {
        what: "static library, a function removed",
        said: |bench| bench.archive(&[Defect::Removed]),
        expected: "the static library lacks arr_shutdown",
    },
    Case { what: "struct without a change", said: |bench| bench.layout("", ""), expected: "" },
    Case {
        what: "struct, another alignment",
        said: |bench| bench.layout("struct arr_error_info 736 4", "struct arr_error_info 744 8"),
        expected: "arr_error_info was aligned to 4 bytes",
    },
    Case {
        what: "struct, a field of another type",
        said: |bench| bench.header("uint32_t failed;", "float failed;"),
        expected: "arr_stop_all_result.failed was uint32_t and is float",
    },
    Case { what: "header without a change", said: |bench| bench.header("", ""), expected: "" },
    Case {
        what: "header, a name for another type",
        said: |bench| bench.header("typedef int32_t arr_stop_scope;", "typedef int64_t arr_stop_scope;"),
        expected: "arr_stop_scope was int32_t and is int64_t",
    },
    Case {
        what: "header, a lower ARR_ABI_VERSION",
        said: |bench| bench.header("#define ARR_ABI_VERSION 1", "#define ARR_ABI_VERSION 0"),
        expected: "ARR_ABI_VERSION was 1 and is 0",
    },
    Case {
        what: "struct, a field moved",
        said: |bench| bench.layout("  status 4 4", "  status 8 4"),
        expected: "arr_error_info.status was at 4",
    },
    Case {
        what: "struct, a field removed",
        said: |bench| bench.layout("  http_status 12 4\n", ""),
        expected: "arr_error_info.http_status is gone",
    },
    Case { what: "abidiff without a change", said: |bench| bench.abidiff(RELEASED, &[]), expected: "" },
    Case {
        what: "abidiff, a function more",
        said: |bench| bench.abidiff(&format!("{RELEASED}int arr_more(void) {{ return 0; }}\n"), &[]),
        expected: "",
    },
    Case {
        what: "abidiff, a struct that has grown",
        said: |bench| bench.abidiff(&RELEASED.replace("int flags; }", "int flags; long more; }"), &["arr_options"]),
        expected: "",
    },
    Case {
        what: "abidiff, fields exchanged",
        said: |bench| bench.abidiff(&RELEASED.replace("unsigned size; int flags;", "int flags; unsigned size;"), &[]),
        expected: "offset changed",
    },
    Case {
        what: "abidiff, a parameter of another type",
        said: |bench| bench.abidiff(&RELEASED.replace("int how)", "long how)"), &[]),
        expected: "'int' to 'long int'",
    },
    Case {
        what: "abidiff, a function removed",
        said: |bench| bench.abidiff(&RELEASED.replace("int arr_stop", "static int arr_stop"), &[]),
        expected: "1 Removed",
    },
    Case { what: "Unity package without a defect", said: |bench| bench.unity("", ""), expected: "" },
    Case {
        what: "Unity package, a wrong .meta",
        said: |bench| bench.unity("CPU: x86_64", "CPU: ARM64"),
        expected: "must say `CPU: x86_64`",
    },
    Case { what: "tar.gz without a defect", said: |bench| bench.tar_gz(|_| Ok(())), expected: "" },
    Case {
        what: "tar.gz, a file missing",
        said: |bench| bench.tar_gz(|folder| Ok(fs::remove_file(folder.join("include/arr_session.h"))?)),
        expected: "missing: linux-arm64: include/arr_session.h",
    },
    Case {
        what: "tar.gz, a file too many",
        said: |bench| bench.tar_gz(|folder| Ok(fs::write(folder.join("core"), "dumped")?)),
        expected: "not expected: linux-arm64: core",
    },
    Case { what: "zip without a defect", said: |bench| bench.zip(|_| Ok(())), expected: "" },
    Case {
        what: "zip, a file missing",
        said: |bench| bench.zip(|folder| Ok(fs::remove_file(folder.join("lib/arr_session.dll.lib"))?)),
        expected: "missing: windows-x64: lib/arr_session.dll.lib",
    },
];

/// What a release had.
const RELEASED: &str = "\
    struct arr_options { unsigned size; int flags; };\n\
    int arr_start(struct arr_options *options, int how) { return options->flags + (int)how; }\n\
    int arr_stop(void) { return 0; }\n";

pub(crate) fn run() -> Result<ExitCode> {
    if let Some(reason) = unavailable()? {
        return Ok(step::skip_all(&reason));
    }
    let bench = Workbench::new()?;
    let mut failed = 0;
    for Case { what, said, expected } in CASES {
        let said = said(&bench).with_context(|| what.to_string())?;
        let good = if expected.is_empty() { said.is_empty() } else { said.iter().any(|line| line.contains(expected)) };
        let verdict = match (good, expected.is_empty()) {
            (true, true) => "passes",
            (true, false) => "caught",
            (false, _) => "NOT as it should be",
        };
        println!(
            "  {verdict:<7} {what}{}",
            said.iter().find_map(|said| Some(format!(": {}", said.lines().next()?))).unwrap_or_default()
        );
        failed += usize::from(!good);
    }
    println!("{} of {} cases are as they should be", CASES.len() - failed, CASES.len());
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn unavailable() -> Result<Option<String>> {
    let needed = [
        packages::FOR_PLATFORMS,
        packages::FOR_LINUX_X64,
        packages::FOR_LINUX_ARM64,
        packages::FOR_WINDOWS_X64,
        packages::FOR_PACKAGES,
    ];
    packages::why_no_cross_compilers(&needed.concat(), "The self-test needs")
}

#[derive(Clone, Copy, PartialEq)]
enum Defect {
    Removed,
    Extra,
    Import,
}

/// Where defects are made.
struct Workbench {
    shop: Shop,
    folder: PathBuf,
}

impl Workbench {
    fn new() -> Result<Self> {
        let shop = Shop::without_emulator(Workspace::find()?)?;
        let folder = shop.workspace.scratch("platforms/self-test")?;
        Ok(Self { shop, folder })
    }

    /// A shared library for this machine with the functions of the ABI, which do nothing.
    fn elf(&self, defects: &[Defect]) -> Result<Vec<String>> {
        let other = self.folder.join("libforbidden.so");
        let flags = ["-shared", "-fPIC", "-Wl,-soname,libforbidden.so"];
        self.compile("gcc", &flags, "int forbidden(void) { return 0; }\n", &other, &[])?;
        let library = self.folder.join("libarr_session.so");
        self.compile("gcc", &["-shared", "-fPIC", "-s"], &self.source(defects, ""), &library, &[&other])?;
        problems(&self.shop.workspace, &self.shop.abi, System::Linux, &Binary::read(&library)?)
    }

    /// The same for Windows.
    fn pe(&self, defects: &[Defect]) -> Result<Vec<String>> {
        let other = self.folder.join("forbidden.dll");
        let export = "__declspec(dllexport) ";
        self.compile(MINGW_CC, &["-shared"], &format!("{export}int forbidden(void) {{ return 0; }}\n"), &other, &[])?;
        let library = self.folder.join("arr_session.dll");
        self.compile(MINGW_CC, &["-shared", "-s"], &self.source(defects, export), &library, &[&other])?;
        problems(&self.shop.workspace, &self.shop.abi, System::Windows, &Binary::read(&library)?)
    }

    /// The same as a static library.
    fn archive(&self, defects: &[Defect]) -> Result<Vec<String>> {
        let (object, library) = (self.folder.join("arr_session.o"), self.folder.join("libfunctions.a"));
        self.compile("gcc", &["-c"], &self.source(defects, ""), &object, &[])?;
        let mut ar = Command::new("ar");
        ar.arg("rcsD").arg(&library).arg(&object);
        process::run(ar, process::TOOL_LIMIT)?.expect_success("make a static library")?;
        Ok(self.shop.abi.differences("the static library", &archive_symbols(&library)?))
    }

    fn source(&self, defects: &[Defect], export: &str) -> String {
        let mut source = String::from("int forbidden(void);\n");
        for name in self.shop.abi.functions.keys() {
            if defects.contains(&Defect::Removed) && name == "arr_shutdown" {
                continue;
            }
            let value = if defects.contains(&Defect::Import) { "forbidden()" } else { "0" };
            source.push_str(&format!("{export}int {name}(void) {{ return {value}; }}\n"));
        }
        if defects.contains(&Defect::Extra) {
            source.push_str(&format!("{export}int helper(void) {{ return 0; }}\n"));
        }
        source
    }

    fn compile(&self, compiler: &str, flags: &[&str], source: &str, output: &Path, link: &[&Path]) -> Result<()> {
        let file = output.with_extension("c");
        fs::write(&file, source).with_context(|| format!("cannot write {}", file.display()))?;
        let mut command = Command::new(compiler);
        command.args(flags).arg(&file).arg("-o").arg(output).arg("-Wl,--as-needed").args(link);
        process::run(command, process::TOOL_LIMIT)?.expect_success(&format!("{compiler}, {}", file.display()))?;
        Ok(())
    }

    /// What is said of a library that follows a release, and in which these structs are known to be longer.
    fn abidiff(&self, source: &str, grown: &[&str]) -> Result<Vec<String>> {
        let build = |name: &str, source: &str| -> Result<PathBuf> {
            let library = self.folder.join(name);
            self.compile("gcc", &["-shared", "-fPIC", "-g"], source, &library, &[])?;
            Ok(library)
        };
        let (before, after) = (build("before.so", RELEASED)?, build("after.so", source)?);
        let allowed = self.folder.join("allowed.ini");
        Ok(abidiff::differences(&allowed, grown, &before, &after)?.into_iter().collect())
    }

    /// What is said of a layout in which something is different.
    fn layout(&self, before: &str, after: &str) -> Result<Vec<String>> {
        let [header, layout] = self.locked()?;
        Ok(self.shop.abi.broken_promises(&Abi::of(&header, &changed(&layout, before, after)?)?))
    }

    /// The same of a header.
    fn header(&self, before: &str, after: &str) -> Result<Vec<String>> {
        let [header, layout] = self.locked()?;
        Ok(self.shop.abi.broken_promises(&Abi::of(&changed(&header, before, after)?, &layout)?))
    }

    fn locked(&self) -> Result<[String; 2]> {
        Ok([self.shop.workspace.read(header::PATH)?, self.shop.workspace.read(header::LAYOUT)?])
    }

    /// What is said of the Unity package if a library's settings are different.
    fn unity(&self, before: &str, after: &str) -> Result<Vec<String>> {
        let library = self.folder.join("libarr_session.so");
        let package = self.folder.join("unity");
        unity::assemble(&self.shop.workspace, &package, &[("linux-x64", &library, &[])])?;
        let meta = package.join("Plugins/linux-x64/libarr_session.so.meta");
        let text = fs::read_to_string(&meta).with_context(|| format!("cannot read {}", meta.display()))?;
        fs::write(&meta, changed(&text, before, after)?)?;
        unity::problems(&package, &self.shop.workspace.version)
    }

    /// What is said of a package for Linux whose files somebody has touched.
    fn tar_gz(&self, touch: impl FnOnce(&Path) -> Result<()>) -> Result<Vec<String>> {
        let product =
            linux::product(&self.shop, self.library("libarr_session.so")?, linked::for_linux(linux::ARM64_CC)?);
        pack::problems_of(&self.shop, "linux-arm64", product, &self.folder, touch)
    }

    /// The same for Windows.
    fn zip(&self, touch: impl FnOnce(&Path) -> Result<()>) -> Result<Vec<String>> {
        let [definition, import_library] =
            ["arr_session.def", "arr_session.dll.lib"].map(|name| self.folder.join(name));
        for file in [&definition, &import_library] {
            fs::write(file, "").with_context(|| format!("cannot write {}", file.display()))?;
        }
        let build = Build { library: self.library("arr_session.dll")?, definition, import_library };
        let product = windows::product(build, linked::for_windows(MINGW_CC)?);
        pack::problems_of(&self.shop, "windows-x64", product, &self.folder, touch)
    }

    /// Stand-ins: what is in them is not asked for.
    fn library(&self, name: &str) -> Result<Library> {
        let [shared, archive, link] =
            [name, "libarr_session.a", "libarr_session.dll.a"].map(|name| self.folder.join(name));
        for file in [&shared, &archive, &link] {
            fs::write(file, "").with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(Library { shared, archive, link })
    }
}

/// A text with a defect; the text itself if none is given.
fn changed(text: &str, before: &str, after: &str) -> Result<String> {
    if before.is_empty() {
        return Ok(text.to_owned());
    }
    ensure!(text.contains(before), "there is no `{before}` to change");
    Ok(text.replacen(before, after, 1))
}

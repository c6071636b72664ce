//! `cargo xtask platforms --self-test`: what the checks are for. A defect of each kind is planted, and has to be caught; what has
//! none has to pass.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};

use super::abidiff;
use super::inspect::{
    self, ANDROID_ARM64, IOS_ARM64, LINUX_ARM64, LINUX_X64, MACOS_UNIVERSAL, Target, UWP_X64, WINDOWS_ARM64,
    WINDOWS_X64,
};
use super::shop::Shop;
use super::windows::{Build, MINGW_CC};
use super::{linked, linux, windows};
use crate::abi::Abi;
use crate::abi::header;
use crate::artifacts::Library;
use crate::notices::Parts;
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
    Case { what: "ELF without a defect", said: |bench| bench.elf(LINUX_X64, &[]), expected: "" },
    Case {
        what: "ELF, an export removed",
        said: |bench| bench.elf(LINUX_X64, &[Defect::Removed]),
        expected: "lacks arr_shutdown",
    },
    Case {
        what: "ELF, an export too many",
        said: |bench| bench.elf(LINUX_X64, &[Defect::Extra]),
        expected: "also has helper",
    },
    Case {
        what: "ELF, a forbidden import",
        said: |bench| bench.elf(LINUX_X64, &[Defect::Import]),
        expected: "needs libforbidden.so",
    },
    Case {
        what: "ELF, no SONAME",
        said: |bench| bench.elf(LINUX_X64, &[Defect::Nameless]),
        expected: "would remember libarr_session.so as nothing",
    },
    Case {
        what: "ELF, another processor",
        said: |bench| bench.elf(LINUX_ARM64, &[]),
        expected: "is for [X86_64], not for [Aarch64]",
    },
    Case { what: "ELF, taken for Windows", said: |bench| bench.elf(WINDOWS_X64, &[]), expected: "is Elf, not Pe" },
    Case { what: "ELF for Android without a defect", said: |bench| bench.android(&[]), expected: "" },
    Case {
        what: "ELF for Android, a forbidden import",
        said: |bench| bench.android(&[Defect::Import]),
        expected: "needs libforbidden.so, which abi/imports-android.txt",
    },
    Case {
        what: "ELF for Android, no SONAME",
        said: |bench| bench.android(&[Defect::Nameless]),
        expected: "would remember libarr_session.so as nothing",
    },
    Case {
        what: "ELF for Android, pages of 4 KiB",
        said: |bench| bench.android(&[Defect::Page]),
        expected: "aligned to 4096 bytes",
    },
    Case { what: "PE without a defect", said: |bench| bench.pe(WINDOWS_X64, &[]), expected: "" },
    Case {
        what: "PE, an export removed",
        said: |bench| bench.pe(WINDOWS_X64, &[Defect::Removed]),
        expected: "lacks arr_shutdown",
    },
    Case {
        what: "PE, an export too many",
        said: |bench| bench.pe(WINDOWS_X64, &[Defect::Extra]),
        expected: "also has helper",
    },
    Case {
        what: "PE, a forbidden import",
        said: |bench| bench.pe(WINDOWS_X64, &[Defect::Import]),
        expected: "needs forbidden.dll",
    },
    Case {
        what: "PE, another processor",
        said: |bench| bench.pe(WINDOWS_ARM64, &[]),
        expected: "is for [X86_64], not for [Aarch64]",
    },
    Case { what: "PE for UWP without a defect", said: |bench| bench.pe(UWP_X64, &[]), expected: "" },
    Case {
        what: "PE for UWP, a forbidden import",
        said: |bench| bench.pe(UWP_X64, &[Defect::Import]),
        expected: "needs forbidden.dll, which abi/imports-uwp.txt",
    },
    Case { what: "Mach-O without a defect", said: |bench| bench.macho(&[]), expected: "" },
    Case {
        what: "Mach-O, an export removed",
        said: |bench| bench.macho(&[Defect::Removed]),
        expected: "lacks arr_shutdown",
    },
    Case {
        what: "Mach-O, a forbidden import",
        said: |bench| bench.macho(&[Defect::Import]),
        expected: "needs libforbidden.dylib",
    },
    Case {
        what: "Mach-O, no install name",
        said: |bench| bench.macho(&[Defect::Nameless]),
        expected: "would remember libarr_session.dylib as",
    },
    Case {
        what: "Mach-O, one processor only",
        said: |bench| bench.macho(&[Defect::Processor]),
        expected: "is for [Aarch64], not for [Aarch64, X86_64]",
    },
    Case {
        what: "Mach-O, another system",
        said: |bench| bench.macho(&[Defect::System]),
        expected: "iOS, not for macOS",
    },
    Case { what: "static library for iOS without a defect", said: |bench| bench.ios(&[]), expected: "" },
    Case {
        what: "static library for iOS, a function removed",
        said: |bench| bench.ios(&[Defect::Removed]),
        expected: "libarr_session.a lacks arr_shutdown",
    },
    Case {
        what: "static library for iOS, made for macOS",
        said: |bench| bench.ios(&[Defect::System]),
        expected: "is for macOS, not for iOS",
    },
    Case { what: "static library without a defect", said: |bench| bench.archive(LINUX_X64, &[]), expected: "" },
    Case {
        what: "static library, a function removed",
        said: |bench| bench.archive(LINUX_X64, &[Defect::Removed]),
        expected: "libfunctions.a lacks arr_shutdown",
    },
    Case {
        what: "static library, another processor",
        said: |bench| bench.archive(LINUX_ARM64, &[]),
        expected: "is for [X86_64], not for [Aarch64]",
    },
    Case {
        what: "static library, taken for Windows",
        said: |bench| bench.archive(WINDOWS_X64, &[]),
        expected: "an archive of Elf, not of Coff",
    },
    Case { what: "import library without a defect", said: |bench| bench.import_library(&[]), expected: "" },
    Case {
        what: "import library, a function removed",
        said: |bench| bench.import_library(&[Defect::Removed]),
        expected: "libarr_session.dll.a lacks arr_shutdown",
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
    Case {
        what: "tar.gz, a crate that the notices do not name",
        said: |bench| bench.tar_gz(|folder| Ok(fs::write(folder.join("lib/libarr_session.a"), PLANTED)?)),
        expected: "has planted 1.0.0 in it, which the notices do not name",
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

/// What a message of a panic names.
const PLANTED: &str = "crates/planted-1.0.0/src/lib.rs";

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
        packages::FOR_ANDROID,
        packages::FOR_PACKAGES,
    ];
    packages::why_no_cross_compilers(&needed.concat(), "The self-test needs")
}

#[derive(Clone, Copy, PartialEq)]
enum Defect {
    Removed,
    Extra,
    Import,
    /// Programs would not know by which name to look for it.
    Nameless,
    /// Smaller ones than there are.
    Page,
    /// One of two is missing.
    Processor,
    /// It is for another one of Apple's.
    System,
}

const FORBIDDEN: &str = "int forbidden(void) { return 0; }\n";

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
    fn elf(&self, target: Target, defects: &[Defect]) -> Result<Vec<String>> {
        let name = format!("-Wl,-soname,{}", self.shop.abi.soname());
        self.elf_by("gcc", &["-shared", "-fPIC", "-s"], &name, &self.folder, target, defects)
    }

    /// The same for Android.
    fn android(&self, defects: &[Defect]) -> Result<Vec<String>> {
        let page = if defects.contains(&Defect::Page) { 4096 } else { 16384 };
        let page = format!("-Wl,-z,max-page-size={page}");
        let flags = ["--target=aarch64-linux-android24", "-nostdlib", "-fuse-ld=lld-14", "-shared", "-fPIC", &page];
        let folder = self.shop.workspace.scratch("platforms/self-test/android")?;
        self.elf_by("clang-14", &flags, "-Wl,-soname,libarr_session.so", &folder, ANDROID_ARM64, defects)
    }

    fn elf_by(
        &self,
        compiler: &str,
        flags: &[&str],
        name: &str,
        folder: &Path,
        target: Target,
        defects: &[Defect],
    ) -> Result<Vec<String>> {
        let other = folder.join("libforbidden.so");
        self.compile(compiler, &[flags, &["-Wl,-soname,libforbidden.so"]].concat(), FORBIDDEN, &other, &[])?;
        let library = folder.join("libarr_session.so");
        let name = if defects.contains(&Defect::Nameless) { &[][..] } else { &[name] };
        let link = ["-Wl,--as-needed".as_ref(), other.as_os_str()];
        self.compile(compiler, &[flags, name].concat(), &self.source(defects, ""), &library, &link)?;
        self.problems(target, &library)
    }

    /// The same for Windows.
    fn pe(&self, target: Target, defects: &[Defect]) -> Result<Vec<String>> {
        let library = self.dll(target.name == UWP_X64.name, defects)?;
        self.problems(target, &library)
    }

    /// What MinGW makes for its linker beside a DLL.
    fn import_library(&self, defects: &[Defect]) -> Result<Vec<String>> {
        self.dll(false, defects)?;
        self.problems(WINDOWS_X64, &self.folder.join("libarr_session.dll.a"))
    }

    /// MinGW's own C library is not one for UWP.
    fn dll(&self, bare: bool, defects: &[Defect]) -> Result<PathBuf> {
        let other = self.folder.join("forbidden.dll");
        let export = "__declspec(dllexport) ";
        self.compile(MINGW_CC, &["-shared"], &format!("{export}{FORBIDDEN}"), &other, &[])?;
        let library = self.folder.join("arr_session.dll");
        let mut import_library = OsString::from("-Wl,--out-implib,");
        import_library.push(self.folder.join("libarr_session.dll.a"));
        let flags: &[&str] = if bare { &["-shared", "-s", "-nostdlib", "-Wl,-e,0"] } else { &["-shared", "-s"] };
        let link = [other.as_os_str(), &import_library];
        self.compile(MINGW_CC, flags, &self.source(defects, export), &library, &link)?;
        Ok(library)
    }

    /// The same for macOS, for two processors in one file.
    fn macho(&self, defects: &[Defect]) -> Result<Vec<String>> {
        let processors: &[&str] = if defects.contains(&Defect::Processor) { &["arm64"] } else { &["arm64", "x86_64"] };
        let mut thin = Vec::new();
        for processor in processors {
            let system = if defects.contains(&Defect::System) { "ios13" } else { "macos11" };
            let target = format!("--target={processor}-apple-{system}");
            let shared = [&*target, "--ld-path=ld64.lld-14", "-mlinker-version=609", "-nostdlib", "-shared"];
            let named = |name: &str| format!("-Wl,-install_name,{name}");
            let other = self.folder.join("libforbidden.dylib");
            // The linker wants it of the system's library, which is not here.
            let source =
                format!("{FORBIDDEN}void binder(void) __asm__(\"dyld_stub_binder\");\nvoid binder(void) {{}}\n");
            self.compile("clang-14", &[&shared[..], &[&named("libforbidden.dylib")]].concat(), &source, &other, &[])?;
            let library = self.folder.join(format!("{processor}.dylib"));
            let name =
                named(if defects.contains(&Defect::Nameless) { "elsewhere" } else { "@rpath/libarr_session.dylib" });
            // Apple's linkers take what they are given, needed or not.
            let link = if defects.contains(&Defect::Import) { &[other.as_os_str()][..] } else { &[] };
            self.compile("clang-14", &[&shared[..], &[&name]].concat(), &self.source(defects, ""), &library, link)?;
            thin.push(library);
        }
        let library = self.folder.join("libarr_session.dylib");
        let mut lipo = Command::new("llvm-lipo-14");
        lipo.args(["-create", "-output"]).arg(&library).args(thin);
        process::run(lipo, process::TOOL_LIMIT)?.expect_success("make a library for two processors")?;
        self.problems(MACOS_UNIVERSAL, &library)
    }

    /// The same for iOS, as a static library.
    fn ios(&self, defects: &[Defect]) -> Result<Vec<String>> {
        let system = if defects.contains(&Defect::System) { "macos11" } else { "ios13" };
        let target = format!("--target=arm64-apple-{system}");
        let (object, library) = (self.folder.join("ios.o"), self.folder.join("libarr_session.a"));
        self.compile("clang-14", &[&target, "-c"], &self.source(defects, ""), &object, &[])?;
        self.pack_archive("llvm-ar-14", &["--format=darwin"], &object, &library)?;
        self.problems(IOS_ARM64, &library)
    }

    fn pack_archive(&self, archiver: &str, flags: &[&str], object: &Path, library: &Path) -> Result<()> {
        // It would add to one that is there.
        fs::remove_file(library).ok();
        let mut pack = Command::new(archiver);
        pack.args(flags).arg("rcsD").arg(library).arg(object);
        process::run(pack, process::TOOL_LIMIT)?.expect_success("make a static library")?;
        Ok(())
    }

    /// The same as a static library.
    fn archive(&self, target: Target, defects: &[Defect]) -> Result<Vec<String>> {
        let (object, library) = (self.folder.join("arr_session.o"), self.folder.join("libfunctions.a"));
        self.compile("gcc", &["-c"], &self.source(defects, ""), &object, &[])?;
        self.pack_archive("ar", &[], &object, &library)?;
        self.problems(target, &library)
    }

    fn problems(&self, target: Target, file: &Path) -> Result<Vec<String>> {
        inspect::problems(&self.shop.workspace, &self.shop.abi, target, file)
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

    fn compile(&self, compiler: &str, flags: &[&str], source: &str, output: &Path, link: &[&OsStr]) -> Result<()> {
        let file = output.with_extension("c");
        fs::write(&file, source).with_context(|| format!("cannot write {}", file.display()))?;
        let mut command = Command::new(compiler);
        command.args(flags).arg(&file).arg("-o").arg(output).args(link);
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
        let parts = Parts { target: linux::X64, linked: Vec::new() };
        unity::assemble(&self.shop.workspace, &package, &[("linux-x64", &library, &parts)])?;
        let meta = package.join("Plugins/linux-x64/libarr_session.so.meta");
        let text = fs::read_to_string(&meta).with_context(|| format!("cannot read {}", meta.display()))?;
        fs::write(&meta, changed(&text, before, after)?)?;
        unity::problems(&package, &self.shop.workspace.version)
    }

    /// What is said of a package for Linux whose files somebody has touched.
    fn tar_gz(&self, touch: impl FnOnce(&Path) -> Result<()>) -> Result<Vec<String>> {
        let parts = Parts { target: linux::ARM64, linked: linked::for_linux(linux::ARM64_CC)? };
        let product = linux::product(&self.shop, self.library("libarr_session.so")?, parts);
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
        let parts = Parts { target: windows::X64_TARGET, linked: linked::for_windows(MINGW_CC)? };
        let product = windows::product(build, parts);
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

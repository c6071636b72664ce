//! Compares a file, built here or elsewhere, with the requirements of its platform. `cargo xtask inspect` does the same.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use object::macho::{PLATFORM_IOS, PLATFORM_MACOS, Platform};
use object::{Architecture, BinaryFormat};

use super::product::Sources;
use crate::abi::Abi;
use crate::abi::binary::{self, Archive, Binary, Machine, Part};
use crate::abi::exports;
use crate::step::EXIT_UNUSABLE;
use crate::workspace::Workspace;

/// The requirements of a platform.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(super) name: &'static str,
    /// Of libraries, and of the files in archives.
    formats: [BinaryFormat; 2],
    processors: &'static [Architecture],
    /// Which of Apple's systems, if any.
    system: Option<Platform>,
    /// The file with the allowed imports.
    imports: &'static str,
    /// The name that programs record, if the format has one.
    recorded_name: Option<fn(&Abi) -> String>,
    /// The largest page size, in bytes.
    pub(super) page: u64,
    /// Whether it is for systems with an old C library.
    old_glibc: bool,
}

const X64: &[Architecture] = &[Architecture::X86_64];
const ARM64: &[Architecture] = &[Architecture::Aarch64];

pub(crate) const LINUX_X64: Target = Target {
    name: "linux-x64",
    formats: [BinaryFormat::Elf; 2],
    processors: X64,
    system: None,
    imports: "abi/imports-linux.txt",
    recorded_name: Some(Abi::soname),
    page: 4 * 1024,
    old_glibc: true,
};
pub(crate) const LINUX_ARM64: Target = Target { name: "linux-arm64", processors: ARM64, old_glibc: false, ..LINUX_X64 };

pub(crate) const WINDOWS_X64: Target = Target {
    name: "windows-x64",
    formats: [BinaryFormat::Pe, BinaryFormat::Coff],
    imports: "abi/imports-windows.txt",
    recorded_name: None,
    old_glibc: false,
    ..LINUX_X64
};
pub(crate) const WINDOWS_ARM64: Target = Target { name: "windows-arm64", processors: ARM64, ..WINDOWS_X64 };
const WINDOWS_MSVC_X64: Target = Target { name: "windows-msvc-x64", ..WINDOWS_X64 };
const WINDOWS_MSVC_ARM64: Target = Target { name: "windows-msvc-arm64", ..WINDOWS_ARM64 };

pub(crate) const UWP_X64: Target = Target { name: "uwp-x64", imports: "abi/imports-uwp.txt", ..WINDOWS_X64 };
pub(crate) const UWP_ARM64: Target = Target { name: "uwp-arm64", processors: ARM64, ..UWP_X64 };

pub(crate) const ANDROID_ARM64: Target = Target {
    name: "android-arm64",
    imports: "abi/imports-android.txt",
    recorded_name: Some(|_| "libarr_session.so".to_owned()),
    // Possible since Android 15.
    page: 16 * 1024,
    ..LINUX_ARM64
};

/// One file for both processors.
pub(crate) const MACOS_UNIVERSAL: Target = Target {
    name: "macos-universal",
    formats: [BinaryFormat::MachO; 2],
    processors: &[Architecture::Aarch64, Architecture::X86_64],
    system: Some(PLATFORM_MACOS),
    imports: "abi/imports-macos.txt",
    recorded_name: Some(|_| "@rpath/libarr_session.dylib".to_owned()),
    ..WINDOWS_X64
};

/// Programs for iOS are linked with the static library.
pub(crate) const IOS_ARM64: Target =
    Target { name: "ios-arm64", processors: ARM64, system: Some(PLATFORM_IOS), ..MACOS_UNIVERSAL };

const ALL: &[Target] = &[
    LINUX_X64,
    LINUX_ARM64,
    WINDOWS_X64,
    WINDOWS_ARM64,
    WINDOWS_MSVC_X64,
    WINDOWS_MSVC_ARM64,
    UWP_X64,
    UWP_ARM64,
    ANDROID_ARM64,
    MACOS_UNIVERSAL,
    IOS_ARM64,
];

/// A further symbol of MinGW's import library: the DLL's name.
const MINGW_OWN: &str = "arr_session_dll_iname";

/// The C library of CentOS 7 and of everything since.
pub(super) const OLDEST_GLIBC: (u32, u32) = (2, 17);

/// Fails unless each file meets the requirements of its platform.
pub(super) fn expect(sources: &Sources, target: Target, files: &[&Path]) -> Result<()> {
    let mut problems = Vec::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        problems.extend(problems_of(sources, target, &binary::parts(file)?, &name)?);
    }
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

fn problems_of(sources: &Sources, target: Target, parts: &[Part], file: &str) -> Result<Vec<String>> {
    let machines: Vec<Machine> = parts.iter().map(machine).collect();
    let processors: Vec<Architecture> = machines.iter().map(|machine| machine.architecture).collect();
    let mut problems = Vec::new();
    let as_wanted = processors.len() == target.processors.len()
        && target.processors.iter().all(|processor| processors.contains(processor));
    if !as_wanted {
        problems.push(format!("{file} is for {processors:?}, not for {:?}", target.processors));
    }
    if let Some(machine) = machines.iter().find(|machine| machine.system != target.system) {
        let name = |system: Option<_>| system.map_or("none of Apple's systems".to_owned(), binary::system_name);
        let [is, wanted] = [machine.system, target.system].map(name);
        problems.push(format!("{file} is for {is}, not for {wanted}"));
    }
    for part in parts {
        match part {
            Part::Library(binary) => problems.extend(library_problems(sources, target, binary, file)?),
            Part::Archive(archive) => problems.extend(archive_problems(&sources.abi, target, archive, file)),
        }
    }
    Ok(problems)
}

fn machine(part: &Part) -> Machine {
    match part {
        Part::Library(binary) => binary.machine,
        Part::Archive(archive) => archive.machine,
    }
}

fn library_problems(sources: &Sources, target: Target, binary: &Binary, file: &str) -> Result<Vec<String>> {
    let mut problems = sources.abi.differences(file, &binary.exports);
    problems.extend(exports::foreign_imports(&sources.workspace, binary, target.imports)?);
    if binary.machine.format != target.formats[0] {
        problems.push(format!("{file} is {:?}, not {:?}", binary.machine.format, target.formats[0]));
    }
    if let Some(recorded_name) = target.recorded_name {
        let wanted = recorded_name(&sources.abi);
        if binary.name.as_deref() != Some(&*wanted) {
            let name = binary.name.as_deref().unwrap_or("nothing");
            problems.push(format!("programs would record {file} as {name}, not as {wanted}"));
        }
    }
    if let Some(elf) = &binary.elf {
        if elf.alignment < target.page {
            problems.push(format!("{file} is aligned to {} bytes, not to pages of {}", elf.alignment, target.page));
        }
        if target.old_glibc {
            problems.extend(too_new(&elf.versions));
        }
    }
    Ok(problems)
}

/// The versions of the C library that older systems lack.
pub(super) fn too_new<'a>(versions: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let (major, minor) = OLDEST_GLIBC;
    let newer = versions.into_iter().filter(|version| {
        version.strip_prefix("GLIBC_").is_some_and(|number| {
            let mut parts = number.split('.').map(|part| part.parse().unwrap_or(u32::MAX));
            (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) > OLDEST_GLIBC
        })
    });
    newer.map(|version| format!("it needs {version}, newer than {major}.{minor}")).collect()
}

fn archive_problems(abi: &Abi, target: Target, archive: &Archive, file: &str) -> Vec<String> {
    let mut names = archive.names.clone();
    names.remove(MINGW_OWN);
    let mut problems = abi.differences(file, &names);
    if archive.machine.format != target.formats[1] {
        problems.push(format!("{file} is an archive of {:?}, not of {:?}", archive.machine.format, target.formats[1]));
    }
    problems
}

pub(crate) fn list() -> String {
    ALL.iter().map(|target| target.name).collect::<Vec<_>>().join(", ")
}

pub(crate) fn run(platform: &str, file: &str) -> Result<ExitCode> {
    let Some(target) = ALL.iter().find(|target| target.name == platform) else {
        eprintln!("error: unknown platform `{platform}`; use one of {}", list());
        return Ok(ExitCode::from(EXIT_UNUSABLE));
    };
    let parts = binary::parts(Path::new(file))?;
    let problems = problems_of(&Sources::of(Workspace::find()?)?, *target, &parts, file)?;
    for problem in &problems {
        eprintln!("error: {problem}");
    }
    if problems.is_empty() {
        println!("{file} meets the requirements of {platform}");
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::binary::Elf;

    fn sources() -> Sources {
        Sources::of(Workspace::find().unwrap()).unwrap()
    }

    /// A correct library for Linux on x86_64.
    fn good(sources: &Sources) -> Binary {
        Binary {
            machine: Machine { format: BinaryFormat::Elf, architecture: Architecture::X86_64, system: None },
            name: Some(sources.abi.soname()),
            exports: sources.abi.functions.keys().cloned().collect(),
            imports: [("libc.so.6".to_owned(), Default::default())].into(),
            elf: Some(Elf {
                position_independent: true,
                stripped: true,
                alignment: 4096,
                versions: ["GLIBC_2.2.5", "GLIBC_2.17"].map(str::to_owned).into(),
            }),
        }
    }

    /// A change to a binary, and the expected problem.
    type Change = (&'static str, fn(&mut Binary));

    fn elf(binary: &mut Binary) -> &mut Elf {
        binary.elf.as_mut().unwrap()
    }

    #[test]
    fn a_library_is_refused_for_every_unmet_requirement() {
        let sources = sources();
        let judged = |target, change: fn(&mut Binary)| {
            let mut binary = good(&sources);
            change(&mut binary);
            problems_of(&sources, target, &[Part::Library(binary)], "the file").unwrap()
        };
        assert_eq!(judged(LINUX_X64, |_| ()), [""; 0]);
        let changes: [Change; 10] = [
            ("also has arr_extra", |binary| binary.exports.extend(["arr_extra".to_owned()])),
            ("also has malloc", |binary| binary.exports.extend(["malloc".to_owned()])),
            ("lacks arr_", |binary| drop(binary.exports.pop_first())),
            ("needs libssl.so.3", |binary| drop(binary.imports.insert("libssl.so.3".to_owned(), Default::default()))),
            ("is for [Aarch64]", |binary| binary.machine.architecture = Architecture::Aarch64),
            ("is for macOS", |binary| binary.machine.system = Some(PLATFORM_MACOS)),
            ("is Coff, not Elf", |binary| binary.machine.format = BinaryFormat::Coff),
            ("as nothing, not as libarr_session.so.", |binary| binary.name = None),
            ("pages of 4096", |binary| elf(binary).alignment = 2048),
            ("newer than 2.17", |binary| elf(binary).versions.extend(["GLIBC_2.18", "GCC_3.0"].map(str::to_owned))),
        ];
        for (wanted, change) in changes {
            let problems = judged(LINUX_X64, change);
            assert!(problems.len() == 1 && problems[0].contains(wanted), "{wanted}: {problems:?}");
        }
        let android = judged(ANDROID_ARM64, |binary| binary.machine.architecture = Architecture::Aarch64);
        assert!(android.iter().any(|problem| problem.contains("pages of 16384")), "{android:?}");
    }

    #[test]
    fn an_archive_is_refused_for_other_names_or_formats() {
        let sources = sources();
        let machine = Machine { format: BinaryFormat::Coff, architecture: Architecture::X86_64, system: None };
        let judged = |more: &[&str], machine: Machine| {
            let names =
                sources.abi.functions.keys().cloned().chain(more.iter().map(|name| (*name).to_owned())).collect();
            problems_of(&sources, WINDOWS_X64, &[Part::Archive(Archive { machine, names })], "x.a").unwrap()
        };
        assert_eq!(judged(&[MINGW_OWN], machine), [""; 0]);
        assert_eq!(judged(&["arr_extra"], machine), ["x.a also has arr_extra, which the header does not declare"]);
        assert_eq!(
            judged(&[], Machine { format: BinaryFormat::Elf, ..machine }),
            ["x.a is an archive of Elf, not of Coff"]
        );
    }
}

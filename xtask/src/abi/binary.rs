//! The exports, imports and machine of a binary: ELF, PE, Mach-O and archives, for any machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use object::macho::{self, Platform};
use object::read::NameOrOrdinal;
use object::read::archive::{ArchiveFile, ArchiveKind};
use object::read::coff::ImportFile;
use object::read::elf::{ElfFile64, ProgramHeader as _};
use object::read::macho::{FatArch as _, LoadCommandVariant, MachOFatFile32, MachOFile64};
use object::{Architecture, BinaryFormat, Endianness, File, FileKind, Object, ObjectSymbol, elf};

/// The prefix of all names in the ABI.
pub(crate) const PREFIX: &str = "arr_";
/// The prefix of the other names in a packaged static library.
pub(crate) const PRIVATE: &str = "arr_private_";

/// The machine that a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) format: BinaryFormat,
    pub(crate) architecture: Architecture,
    /// Which of Apple's systems. Other formats do not contain it.
    pub(crate) system: Option<Platform>,
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} for {:?}", self.format, self.architecture)?;
        match self.system {
            Some(system) => write!(f, " and {}", system_name(system)),
            None => Ok(()),
        }
    }
}

pub(crate) fn system_name(system: Platform) -> String {
    match system {
        macho::PLATFORM_MACOS => "macOS".to_owned(),
        macho::PLATFORM_IOS => "iOS".to_owned(),
        macho::PLATFORM_IOSSIMULATOR => "the iOS simulator".to_owned(),
        Platform(number) => format!("Apple's system {number}"),
    }
}

/// A shared library, or a program.
#[derive(Debug)]
pub(crate) struct Binary {
    pub(crate) machine: Machine,
    /// The name that programs record: ELF's SONAME, Mach-O's install name.
    pub(crate) name: Option<String>,
    pub(crate) exports: BTreeSet<String>,
    /// The libraries that it needs, in lower case on Windows, where case does not matter. With the functions from each, if the
    /// format contains them.
    pub(crate) imports: BTreeMap<String, BTreeSet<String>>,
    /// Only in ELF.
    pub(crate) elf: Option<Elf>,
}

#[derive(Debug)]
pub(crate) struct Elf {
    /// Whether it can be loaded anywhere without text relocations.
    pub(crate) position_independent: bool,
    pub(crate) stripped: bool,
    /// The smallest alignment of its segments: the largest page size that it works with.
    pub(crate) alignment: u64,
    /// The versions of the C library's symbols that it needs, such as `GLIBC_2.17`.
    pub(crate) versions: BTreeSet<String>,
}

impl Binary {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let data = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&data).with_context(|| format!("cannot parse {}", path.display()))
    }

    fn parse(data: &[u8]) -> Result<Self> {
        let file = File::parse(data)?;
        let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let (mut name, mut system) = (None, None);
        let elf = match &file {
            File::Elf64(elf) => {
                let (needed, soname, facts) = read_elf(elf)?;
                imports.extend(needed.into_iter().map(|library| (library, BTreeSet::new())));
                name = soname;
                Some(facts)
            }
            File::MachO64(macho) => {
                let commands = read_macho(macho)?;
                imports.extend(commands.needed.into_iter().map(|library| (library, BTreeSet::new())));
                (name, system) = (commands.name, commands.system);
                None
            }
            _ => {
                for import in file.imports()? {
                    let import = import?;
                    let library = text(import.library()).to_ascii_lowercase();
                    imports.entry(library).or_default().insert(named(import.name()));
                }
                None
            }
        };
        let exports = match &file {
            // A dynamic symbol is not always an export.
            File::Elf64(elf) => elf
                .dynamic_symbols()
                // Of any kind: thread-local variables, resolvers and labels are exported too.
                .filter(|symbol| !symbol.is_undefined() && symbol.is_global())
                .map(|symbol| Ok(symbol.name()?.to_owned()))
                .collect::<Result<_>>()?,
            _ => {
                let macho = file.format() == BinaryFormat::MachO;
                file.exports()?.map(|export| Ok(in_c(named(export?.name()), macho))).collect::<Result<_>>()?
            }
        };
        let machine = Machine { format: file.format(), architecture: file.architecture(), system };
        Ok(Self { machine, name, exports, imports, elf })
    }
}

/// A static archive, or an import library.
#[derive(Debug)]
pub(crate) struct Archive {
    /// The machine of all files in it.
    pub(crate) machine: Machine,
    /// The names in the ABI among its symbols.
    pub(crate) names: BTreeSet<String>,
}

impl Archive {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let data = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&data).with_context(|| format!("cannot parse {}", path.display()))
    }

    fn parse(data: &[u8]) -> Result<Self> {
        let archive = ArchiveFile::parse(data).context("it is not an archive")?;
        let symbols = archive.symbols()?.context("it has no list of symbols")?;
        // Only Apple's archives have lists of this kind.
        let macho = matches!(archive.kind(), ArchiveKind::Bsd | ArchiveKind::Bsd64);
        let mut names = BTreeSet::new();
        for symbol in symbols {
            let name = in_c(text(symbol?.name()), macho);
            if name.starts_with(PREFIX) && !name.starts_with(PRIVATE) {
                names.insert(name);
            }
        }
        let mut all: Option<Machine> = None;
        for member in archive.members() {
            let member = member?;
            let made_for = made_for(member.data(data)?);
            let Some(one) = made_for.with_context(|| format!("its part {}", text(member.name())))? else { continue };
            // Files from an assembler may have no system.
            let one = Machine { system: one.system.or(all.and_then(|all| all.system)), ..one };
            let before = Machine { system: all.and_then(|all| all.system).or(one.system), ..all.unwrap_or(one) };
            let name = text(member.name());
            ensure!(one == before, "its parts are for different machines: {name} is {one}, others are {before}");
            all = Some(one);
        }
        Ok(Self { machine: all.context("it contains no object file")?, names })
    }
}

/// The machine of an archive's member; `None` if it is not for a linker.
fn made_for(member: &[u8]) -> Result<Option<Machine>> {
    let Ok(kind) = FileKind::parse(member) else { return Ok(None) };
    if kind == FileKind::CoffImport {
        let architecture = ImportFile::parse(member)?.architecture();
        return Ok(Some(Machine { format: BinaryFormat::Coff, architecture, system: None }));
    }
    let file = File::parse(member)?;
    let system = match &file {
        File::MachO64(macho) => read_macho(macho)?.system,
        _ => None,
    };
    Ok(Some(Machine { format: file.format(), architecture: file.architecture(), system }))
}

/// The part of a file for one processor.
pub(crate) enum Part {
    Library(Binary),
    Archive(Archive),
}

/// The parts of a file: several in a universal binary of Apple's.
pub(crate) fn parts(path: &Path) -> Result<Vec<Part>> {
    let data = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let parts = slices(&data).and_then(|slices| slices.into_iter().map(part).collect());
    parts.with_context(|| format!("cannot parse {}", path.display()))
}

fn slices(data: &[u8]) -> Result<Vec<&[u8]>> {
    if FileKind::parse(data)? != FileKind::MachOFat32 {
        return Ok(vec![data]);
    }
    MachOFatFile32::parse(data)?.arches().iter().map(|slice| Ok(slice.data(data)?)).collect()
}

fn part(data: &[u8]) -> Result<Part> {
    match FileKind::parse(data)? {
        FileKind::Archive => Archive::parse(data).map(Part::Archive),
        _ => Binary::parse(data).map(Part::Library),
    }
}

/// The name in C: Apple's compilers add an underscore.
fn in_c(name: String, macho: bool) -> String {
    match name.strip_prefix('_') {
        Some(rest) if macho => rest.to_owned(),
        _ => name,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Windows can also identify functions by number.
fn named(name: NameOrOrdinal<&[u8]>) -> String {
    match name {
        NameOrOrdinal::Name(name) => text(name),
        NameOrOrdinal::Ordinal(number) => format!("#{number}"),
    }
}

/// The libraries that it needs, its SONAME, and the rest.
fn read_elf(file: &ElfFile64<'_, Endianness>) -> Result<(Vec<String>, Option<String>, Elf)> {
    let mut needed = Vec::new();
    let mut soname = None;
    let mut position_independent = true;
    let table = file.elf_dynamic_table()?;
    for entry in table.iter() {
        if entry.tag == elf::DT_NEEDED {
            needed.push(text(table.string(entry)?));
        }
        if entry.tag == elf::DT_SONAME {
            soname = Some(text(table.string(entry)?));
        }
        // The old and the new flag for text relocations.
        let text_relocations =
            entry.tag == elf::DT_TEXTREL || (entry.tag == elf::DT_FLAGS && entry.val & elf::DF_TEXTREL.0 != 0);
        position_independent &= !text_relocations;
    }
    let endian = file.endian();
    let loaded = file.elf_program_headers().iter().filter(|header| header.p_type(endian) == elf::PT_LOAD);
    let alignment = loaded.map(|header| header.p_align(endian)).min().unwrap_or(0);
    let stripped = file.section_by_name(".symtab").is_none();
    Ok((needed, soname, Elf { position_independent, stripped, alignment, versions: versions(file)? }))
}

/// The information in Mach-O's load commands.
#[derive(Default)]
struct LoadCommands {
    /// The libraries that it needs.
    needed: Vec<String>,
    name: Option<String>,
    system: Option<Platform>,
}

fn read_macho(file: &MachOFile64<'_, Endianness>) -> Result<LoadCommands> {
    let mut found = LoadCommands::default();
    let mut commands = file.macho_load_commands()?;
    while let Some(command) = commands.next()? {
        let path = |at| Ok::<_, object::Error>(text(command.string(file.endian(), at)?));
        match command.variant()? {
            LoadCommandVariant::Dylib(library) => found.needed.push(path(library.dylib.name)?),
            LoadCommandVariant::IdDylib(own) => found.name = Some(path(own.dylib.name)?),
            LoadCommandVariant::BuildVersion(build, _) => found.system = Some(build.platform.get(file.endian())),
            // In files for older systems.
            LoadCommandVariant::VersionMin(least) => {
                found.system = match least.cmd.get(file.endian()) {
                    macho::LC_VERSION_MIN_MACOSX => Some(macho::PLATFORM_MACOS),
                    macho::LC_VERSION_MIN_IPHONEOS => Some(macho::PLATFORM_IOS),
                    _ => None,
                };
            }
            _ => {}
        }
    }
    Ok(found)
}

fn versions(file: &ElfFile64<'_, Endianness>) -> Result<BTreeSet<String>> {
    let endian = file.endian();
    let sections = file.elf_section_table();
    let mut versions = BTreeSet::new();
    if let Some((mut needs, strings)) = sections.gnu_verneed(endian, file.data())? {
        let strings = sections.strings(endian, file.data(), strings)?;
        while let Some((_, mut names)) = needs.next()? {
            while let Some(name) = names.next()? {
                versions.insert(text(name.name(endian, strings)?));
            }
        }
    }
    Ok(versions)
}

/// With ELF, from this machine's compiler. Builds for Windows and for Apple's systems test the other formats.
#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;
    use crate::workspace::Workspace;

    /// Compiles a source.
    fn compile(source: &str, output: &str, flags: &[&str]) -> PathBuf {
        let folder = Workspace::find().unwrap().scratch("xtask/binary").unwrap();
        let (file, output) = (folder.join(output).with_extension("c"), folder.join(output));
        fs::write(&file, source).unwrap();
        call(Command::new("cc").args(["-fPIC", "-o"]).arg(&output).arg(&file).args(flags));
        output
    }

    fn shared(source: &str, output: &str, flags: &[&str]) -> Binary {
        Binary::read(&compile(source, output, &[&["-shared"], flags].concat())).unwrap()
    }

    fn call(command: &mut Command) {
        assert!(command.status().unwrap().success(), "{command:?}");
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn exactly_the_exported_symbols_are_found() {
        let source = r#"
            int function(void) { return 0; }
            int data = 1;
            __thread int thread_local_data = 1;
            __attribute__((weak)) int weak(void) { return 0; }
            __attribute__((visibility("protected"))) int protected_function(void) { return 0; }
            __asm__(".globl label\nlabel:\n");
            __attribute__((visibility("hidden"))) int hidden(void) { return 0; }
            static int local(void) { return 0; }
            int elsewhere(void);
            int caller(void) { return local() + hidden() + elsewhere(); }
        "#;
        let offered = ["caller", "data", "function", "label", "protected_function", "thread_local_data", "weak"];
        assert_eq!(shared(source, "exports.so", &[]).exports, set(&offered));
    }

    #[test]
    fn name_imports_and_page_size_are_read() {
        let flags = ["-Wl,-soname,libname.so.1", "-Wl,-z,max-page-size=16384", "-s", "-Wl,--no-as-needed", "-lm"];
        let binary = shared("#include <stdio.h>\nint call(void) { return puts(\"\"); }\n", "facts.so", &flags);
        let elf = binary.elf.unwrap();
        assert_eq!(binary.name.as_deref(), Some("libname.so.1"));
        assert!(["libc.so.6", "libm.so.6"].iter().all(|name| binary.imports.contains_key(*name)));
        assert!(elf.versions.iter().any(|version| version.starts_with("GLIBC_2.")), "{:?}", elf.versions);
        assert_eq!((elf.alignment, elf.stripped, elf.position_independent), (16384, true, true));

        let source = "__asm__(\".text\\n.quad elsewhere\\n\");\nint call(void) { return 0; }\n";
        let other = shared(source, "other.so", &["-nostdlib", "-Wl,-z,notext", "-Wl,-z,max-page-size=65536"]);
        let elf = other.elf.unwrap();
        assert_eq!((elf.alignment, elf.stripped, elf.position_independent), (65536, false, false));
        assert!(other.name.is_none() && other.imports.is_empty() && elf.versions.is_empty());
    }

    #[test]
    fn an_archive_has_names_of_the_abi_and_one_machine() {
        let source = "int arr_one(void) { return 0; }\nint arr_two = 1;\nint other(void);\nint arr_private_one;\n\
                      static int arr_local(void) { return 0; }\nint mine(void) { return arr_local() + other(); }\n\
                      int arr_elsewhere(void);\nint arr_three(void) { return arr_elsewhere(); }\n";
        let object = compile(source, "object.o", &["-c"]);
        let archive = object.with_extension("a");
        fs::remove_file(&archive).ok();
        call(Command::new("ar").arg("rcs").arg(&archive).arg(&object));
        assert_eq!(Archive::read(&archive).unwrap().names, set(&["arr_one", "arr_three", "arr_two"]));

        let mut foreign = fs::read(&object).unwrap();
        // The header's processor, set to one that does not exist.
        foreign[18..20].copy_from_slice(&[0xfe, 0xfe]);
        let file = object.with_file_name("foreign.o");
        fs::write(&file, foreign).unwrap();
        call(Command::new("ar").arg("rcs").arg(&archive).arg(&file));
        let error = format!("{:#}", Archive::read(&archive).unwrap_err());
        assert!(error.contains("object.a") && error.contains("for different machines"), "{error}");
        assert!(Archive::read(&object).is_err());
    }
}

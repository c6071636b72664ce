//! What a built binary shows to the world, and what it asks of it: ELF, PE and static archives, of whatever machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use object::elf;
use object::read::NameOrOrdinal;
use object::read::archive::ArchiveFile;
use object::read::elf::{ElfFile64, ProgramHeader as _};
use object::{Architecture, Endianness, File, Object, ObjectSymbol};

/// What all names of the library begin with.
pub(crate) const PREFIX: &str = "arr_";

/// A shared library, or a program.
#[derive(Debug)]
pub(crate) struct Binary {
    pub(crate) architecture: Architecture,
    pub(crate) exports: BTreeSet<String>,
    /// The libraries that it needs, in lower case for Windows, where case means nothing; with the functions that are taken
    /// from each, where the format tells.
    pub(crate) imports: BTreeMap<String, BTreeSet<String>>,
    /// ELF's own.
    pub(crate) elf: Option<Elf>,
}

#[derive(Debug)]
pub(crate) struct Elf {
    pub(crate) soname: Option<String>,
    /// Whether it can be loaded anywhere without being changed.
    pub(crate) position_independent: bool,
    pub(crate) stripped: bool,
    /// The smallest alignment of what is loaded: the largest page size that it can live with.
    pub(crate) alignment: u64,
    /// The versions of the C library's symbols that it needs, such as `GLIBC_2.17`.
    pub(crate) versions: BTreeSet<String>,
}

impl Binary {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let data = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&data).with_context(|| format!("cannot make sense of {}", path.display()))
    }

    fn parse(data: &[u8]) -> Result<Self> {
        let file = File::parse(data)?;
        let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let elf = match &file {
            File::Elf64(elf) => {
                let (needed, facts) = read_elf(elf)?;
                imports.extend(needed.into_iter().map(|library| (library, BTreeSet::new())));
                Some(facts)
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
            // Not all that is defined there is offered: a file that is linked with needs its own names too.
            File::Elf64(elf) => elf
                .dynamic_symbols()
                .filter(|symbol| symbol.is_definition() && symbol.is_global())
                .map(|symbol| Ok(symbol.name()?.to_owned()))
                .collect::<Result<_>>()?,
            _ => file.exports()?.map(|export| Ok(named(export?.name()))).collect::<Result<_>>()?,
        };
        Ok(Self { architecture: file.architecture(), exports, imports, elf })
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Windows also knows functions by numbers.
fn named(name: NameOrOrdinal<&[u8]>) -> String {
    match name {
        NameOrOrdinal::Name(name) => text(name),
        NameOrOrdinal::Ordinal(number) => format!("#{number}"),
    }
}

fn read_elf(file: &ElfFile64<'_, Endianness>) -> Result<(Vec<String>, Elf)> {
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
        // The older and the newer way to say that addresses stand in the code itself.
        let text_relocations =
            entry.tag == elf::DT_TEXTREL || (entry.tag == elf::DT_FLAGS && entry.val & elf::DF_TEXTREL.0 != 0);
        position_independent &= !text_relocations;
    }
    let endian = file.endian();
    let loaded = file.elf_program_headers().iter().filter(|header| header.p_type(endian) == elf::PT_LOAD);
    let alignment = loaded.map(|header| header.p_align(endian)).min().unwrap_or(0);
    let stripped = file.section_by_name(".symtab").is_none();
    Ok((needed, Elf { soname, position_independent, stripped, alignment, versions: versions(file)? }))
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

/// The names of the library's own among all that a static archive, or an import library, offers to a linker.
pub(crate) fn archive_symbols(path: &Path) -> Result<BTreeSet<String>> {
    let data = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let archive = ArchiveFile::parse(&*data).with_context(|| format!("{} is no archive", path.display()))?;
    let symbols = archive.symbols()?.with_context(|| format!("{} has no list of symbols", path.display()))?;
    let mut names = BTreeSet::new();
    for symbol in symbols {
        let name = text(symbol?.name());
        if name.starts_with(PREFIX) {
            names.insert(name);
        }
    }
    Ok(names)
}

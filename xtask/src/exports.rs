//! What the shared library shows to the world, and what it asks of it.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result};
use object::elf;
use object::read::elf::ElfFile64;
use object::{Endianness, Object, ObjectSymbol};

use crate::c_header::declared_functions;
use crate::context::Context;
use crate::header;
use crate::step::Report;

/// What every Linux system with glibc has; more may not be needed.
const SYSTEM_LIBRARIES: &[&str] = &["libc", "libm", "libgcc_s", "libpthread", "libdl", "ld-linux"];

/// The exported symbols are the header's functions, no more and no fewer, and nothing but the system is needed.
pub(crate) fn check(context: &mut Context) -> Result<Report> {
    let path = &context.library()?.shared;
    let data = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file: ElfFile64<'_, Endianness> =
        ElfFile64::parse(&*data).with_context(|| format!("{} is not a 64-bit ELF file", path.display()))?;

    let declared = declared_functions(&context.workspace.read(header::PATH)?);
    let exported: BTreeSet<String> = exported_symbols(&file)?;
    let mut problems = Vec::new();
    if declared.is_empty() {
        problems.push(format!("{} declares no function", header::PATH));
    }
    for name in declared.difference(&exported) {
        problems.push(format!("declared in the header, missing in the library: {name}"));
    }
    for name in exported.difference(&declared) {
        problems.push(format!("exported by the library, not declared in the header: {name}"));
    }
    problems.extend(dynamic_problems(&file)?);
    if file.section_by_name(".symtab").is_some() {
        problems.push("the library is not stripped".to_owned());
    }
    Report::unless(problems, format!("{} functions, exactly those of the header", declared.len()))
}

fn exported_symbols(file: &ElfFile64<'_, Endianness>) -> Result<BTreeSet<String>> {
    file.dynamic_symbols()
        .filter(|symbol| symbol.is_definition() && symbol.is_global())
        .map(|symbol| Ok(symbol.name()?.to_owned()))
        .collect()
}

fn dynamic_problems(file: &ElfFile64<'_, Endianness>) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let table = file.elf_dynamic_table()?;
    for entry in table.iter() {
        if entry.tag == elf::DT_NEEDED {
            let name = String::from_utf8_lossy(table.string(entry)?).into_owned();
            if !is_system_library(&name) {
                problems.push(format!("the library needs {name}, which not every system has"));
            }
        }
        // The older and the newer way to say the same.
        let text_relocations =
            entry.tag == elf::DT_TEXTREL || (entry.tag == elf::DT_FLAGS && entry.val & elf::DF_TEXTREL.0 != 0);
        if text_relocations {
            problems.push("the library has text relocations: it is not position independent".to_owned());
        }
    }
    Ok(problems)
}

/// `libc.so.6` and `ld-linux-x86-64.so.2` are; `libcurl.so.4` is not.
fn is_system_library(name: &str) -> bool {
    let stem = name.split(".so").next().unwrap_or(name);
    SYSTEM_LIBRARIES.contains(&stem) || stem.starts_with("ld-linux-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_systems_own_libraries() {
        for name in ["libc.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"] {
            assert!(is_system_library(name), "{name}");
        }
        for name in ["libcurl.so.4", "libssl.so.3", "libcrypto.so.3", "libstdc++.so.6"] {
            assert!(!is_system_library(name), "{name}");
        }
    }
}

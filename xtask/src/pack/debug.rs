//! The debug information of the libraries that ship: in a separate archive, and found by debuggers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use object::{ExportTarget, Object as _};

use super::archive::Kind;
use super::contents;
use crate::platforms::product::Product;
use crate::process;
use crate::workspace::replace;

/// The function whose line is looked up, and its source.
const FUNCTION: &str = "arr_client_new";
const SOURCE: &str = "client.rs";

/// Writes the archive beside the package's, whose root this is.
pub(super) fn pack(platform: &str, product: &Product, root: &str, trees: &Path, out: &Path) -> Result<PathBuf> {
    let root = format!("{root}-debug");
    replace(&trees.join(&root))?;
    let name = product.debug.file_name().context("a file has a name")?;
    contents::copy(&product.debug, &trees.join(&root).join(name))?;
    let kind = Kind::of(platform);
    let archive = out.join(format!("{root}.{}", kind.ending()));
    kind.write(trees, &root, &archive)?;
    Ok(archive)
}

/// With the file beside the library, the address of an exported function has a line.
pub(super) fn prove(platform: &str, archive: &Path, package: &Path, folder: &Path) -> Result<String> {
    Kind::of(platform).unpack(archive, folder)?;
    let file = process::stdout(Command::new("find").arg(folder).args(["-path", "*-debug/*.debug"]))?;
    let file = Path::new(file.trim_end());
    let debug = file.file_name().context("the archive has no debug information")?.to_string_lossy().into_owned();
    let library = debug.trim_end_matches(".debug");
    let place = package.join(if library.ends_with(".dll") { "bin" } else { "lib" });
    fs::copy(file, place.join(&debug)).context("cannot put the debug information beside the library")?;
    let line = line_of(&place.join(library), FUNCTION)?;
    ensure!(line.contains(SOURCE), "{FUNCTION} in {library} should be in {SOURCE}, not in {line}");
    Ok(format!("{FUNCTION} is in {line}"))
}

/// The file and line of an exported function.
fn line_of(library: &Path, function: &str) -> Result<String> {
    let data = fs::read(library).with_context(|| format!("cannot read {}", library.display()))?;
    let file = object::File::parse(&*data)?;
    let exports = file.exports()?;
    let mut addresses = exports.into_iter().filter_map(|export| match export.ok()? {
        export if export.name().name() != Some(function.as_bytes()) => None,
        export => Some(export.target()).and_then(|target| match target {
            ExportTarget::Address { address } => Some(address),
            _ => None,
        }),
    });
    let address = addresses.next().with_context(|| format!("there is no {function}"))?;
    let mut symbolizer = Command::new("llvm-symbolizer-14");
    symbolizer.args(["--functions=none", "--no-inlines", "--obj"]).arg(library).arg(format!("{address:#x}"));
    let line = process::stdout(&mut symbolizer)?.trim().to_owned();
    if !line.starts_with("??") {
        return Ok(line);
    }
    // zig's linker also refers to a PDB file that does not exist, and llvm-symbolizer looks no further.
    let debug = format!("{}.debug", library.display());
    let mut dwarfdump = Command::new("llvm-dwarfdump-14");
    let found = process::stdout(dwarfdump.arg(format!("--lookup={address:#x}")).arg(debug))?;
    Ok(found.lines().find(|line| line.starts_with("Line info")).unwrap_or(&line).to_owned())
}

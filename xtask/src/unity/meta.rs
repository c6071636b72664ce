//! The `.meta` files beside a package's files and folders: the importer for each, and the GUID by which scenes and assets refer to
//! it. They are generated from the paths, so they are the same in every release, and none can be missing or have another's GUID.

use anyhow::{Result, bail};

use crate::unity::plugins::{PLATFORMS, Platform};

/// Files that were moved after a release: the current path, and the path that the GUID was made from.
const MOVED: &[(&str, &str)] = &[];

const SCRIPT: &str = "  serializedVersion: 2\n  defaultReferences: []\n  executionOrder: 0\n  icon: {instanceID: 0}\n";

/// The `.meta` file for a path in the package, with `/` between folders.
pub(crate) fn of(path: &str, is_folder: bool) -> Result<String> {
    let guid = guid(path);
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    let (before, importer, settings) = match extension {
        _ if is_folder => ("folderAsset: yes\n", "DefaultImporter", String::new()),
        _ if path == "package.json" => ("", "PackageManifestImporter", String::new()),
        "cs" => ("", "MonoImporter", SCRIPT.to_owned()),
        "asmdef" => ("", "AssemblyDefinitionImporter", String::new()),
        "md" => ("", "TextScriptImporter", String::new()),
        _ => match PLATFORMS.iter().find(|platform| platform.path() == path) {
            Some(platform) => ("", "PluginImporter", Platform::import_settings(platform)),
            None => bail!("{path}: the package has no importer for this kind of file"),
        },
    };
    Ok(format!(
        "fileFormatVersion: 2\nguid: {guid}\n{before}{importer}:\n  externalObjects: {{}}\n{settings}  userData: \n  \
         assetBundleName: \n  assetBundleVariant: \n"
    ))
}

/// The 128-bit FNV-1a hash: short, and the same everywhere.
fn guid(path: &str) -> String {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let named = MOVED.iter().find(|(now, _)| *now == path).map_or(path, |(_, then)| then);
    let hashed = format!("com.arr-session/{named}");
    let hash = hashed.bytes().fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
    format!("{hash:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guid_of_a_path_never_changes() {
        // A released GUID must not change: scenes would lose their components.
        assert_eq!(guid("Runtime/RemoteRenderingSession.cs"), "b236104a990c1cb60df04232af3faff0");
        assert_ne!(guid("Runtime"), guid("Editor"));
    }

    #[test]
    fn an_unknown_kind_of_file_is_refused() {
        assert!(of("Runtime", true).unwrap().contains("folderAsset: yes\nDefaultImporter:\n"));
        assert!(of("Runtime/notes.txt", false).is_err());
        assert!(of("Plugins/os2/arr_session.dll", false).is_err());
    }
}

//! The `.meta` files beside a package's files and folders.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::unity::guid;
use crate::unity::yaml::Value;

/// What Unity takes a file for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Importer {
    Folder,
    Script,
    Assembly,
    Manifest,
    Text,
    Plugin,
}

impl Importer {
    /// By the file's name. `None` for what a package of ours does not have.
    pub(crate) fn of(path: &str, is_folder: bool) -> Option<Self> {
        let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
        match extension {
            _ if is_folder => Some(Self::Folder),
            _ if path == "package.json" => Some(Self::Manifest),
            "cs" => Some(Self::Script),
            "asmdef" => Some(Self::Assembly),
            "md" => Some(Self::Text),
            "so" | "dll" => Some(Self::Plugin),
            _ => None,
        }
    }

    /// The name of its block in the `.meta` file.
    pub(crate) const fn block(self) -> &'static str {
        match self {
            Self::Folder => "DefaultImporter",
            Self::Script => "MonoImporter",
            Self::Assembly => "AssemblyDefinitionImporter",
            Self::Manifest => "PackageManifestImporter",
            Self::Text => "TextScriptImporter",
            Self::Plugin => "PluginImporter",
        }
    }
}

/// The `.meta` file of anything but a plugin, whose settings are kept as a template.
pub(crate) fn write(path: &str, importer: Importer) -> String {
    let guid = guid::of(path);
    let block = importer.block();
    let (before, settings) = match importer {
        Importer::Folder => ("folderAsset: yes\n", ""),
        Importer::Script => {
            ("", "  serializedVersion: 2\n  defaultReferences: []\n  executionOrder: 0\n  icon: {instanceID: 0}\n")
        }
        _ => ("", ""),
    };
    format!(
        "fileFormatVersion: 2\nguid: {guid}\n{before}{block}:\n  externalObjects: {{}}\n{settings}  userData: \n  \
         assetBundleName: \n  assetBundleVariant: \n"
    )
}

/// A `.meta` file that is there.
pub(crate) struct Meta {
    pub(crate) guid: String,
    pub(crate) content: Value,
}

impl Meta {
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Self::parse(&text)
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        let content = Value::parse(text)?;
        ensure!(content.text("fileFormatVersion") == Some("2"), "it does not begin with `fileFormatVersion: 2`");
        let guid = content.text("guid").context("it has no guid")?.to_owned();
        guid::check_form(&guid)?;
        Ok(Self { guid, content })
    }

    /// The importer's block.
    pub(crate) fn importer(&self, importer: Importer) -> Result<&Value> {
        let block = importer.block();
        if importer == Importer::Folder {
            ensure!(self.content.text("folderAsset") == Some("yes"), "it is a folder's, and lacks `folderAsset: yes`");
        }
        self.content.get(block).with_context(|| format!("it has no `{block}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        for (path, is_folder, importer) in [
            ("Runtime", true, Importer::Folder),
            ("Runtime/Core/ArrClient.cs", false, Importer::Script),
            ("Editor/ArrSession.Editor.asmdef", false, Importer::Assembly),
            ("package.json", false, Importer::Manifest),
            ("Third Party Notices.md", false, Importer::Text),
        ] {
            assert_eq!(Importer::of(path, is_folder), Some(importer));
            let meta = Meta::parse(&write(path, importer)).unwrap();
            assert_eq!(meta.guid, guid::of(path));
            meta.importer(importer).unwrap();
        }
    }

    #[test]
    fn a_script_is_no_folder() {
        let meta = Meta::parse(&write("a.cs", Importer::Script)).unwrap();
        assert!(meta.importer(Importer::Folder).is_err());
    }
}

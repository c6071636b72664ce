//! The native plugins of the Unity package: each platform's folder, binary format and import settings.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use object::{Architecture, BinaryFormat, Object as _};

/// The notes that go with each platform's binary. Unity ignores folders with such names.
pub(crate) const NOTES: &str = "bindings/unity/Plugins~";

/// A platform for which the package can have a binary.
#[derive(Debug)]
pub(crate) struct Platform {
    /// The folder's name below `Plugins`.
    pub(crate) name: &'static str,
    /// The binary's name there.
    file: &'static str,
    format: BinaryFormat,
    architecture: Architecture,
    /// The target triples of such binaries.
    triples: &'static [&'static str],
    /// The targets that it is enabled for.
    enabled: &'static [(&'static str, Settings)],
}

/// A target's settings, in the order in which Unity writes them.
type Settings = &'static [(&'static str, &'static str)];

const ON_WINDOWS_X64: Settings = &[("CPU", "x86_64"), ("DefaultValueInitialized", "true"), ("OS", "Windows")];
const ON_WINDOWS_ARM64: Settings = &[("CPU", "ARM64"), ("DefaultValueInitialized", "true"), ("OS", "Windows")];
const ON_LINUX_X64: Settings = &[("CPU", "x86_64"), ("DefaultValueInitialized", "true"), ("OS", "Linux")];
const ON_UWP: Settings = &[
    ("CPU", "ARM64"),
    ("DontProcess", "false"),
    ("PlaceholderPath", ""),
    ("SDK", "AnySDK"),
    ("ScriptingBackend", "AnyScriptingBackend"),
];

/// Every platform of the package.
pub(crate) const PLATFORMS: &[Platform] = &[
    Platform {
        name: "linux-x64",
        file: "libarr_session.so",
        format: BinaryFormat::Elf,
        architecture: Architecture::X86_64,
        triples: &["x86_64-unknown-linux-gnu"],
        enabled: &[("Editor", ON_LINUX_X64), ("Linux64", &[("CPU", "x86_64")])],
    },
    Platform {
        name: "win-x64",
        file: "arr_session.dll",
        format: BinaryFormat::Pe,
        architecture: Architecture::X86_64,
        triples: &["x86_64-pc-windows-msvc", "x86_64-pc-windows-gnu", "x86_64-pc-windows-gnullvm"],
        enabled: &[("Editor", ON_WINDOWS_X64), ("Win64", &[("CPU", "x86_64")])],
    },
    Platform {
        name: "win-arm64",
        file: "arr_session.dll",
        format: BinaryFormat::Pe,
        architecture: Architecture::Aarch64,
        triples: &["aarch64-pc-windows-msvc", "aarch64-pc-windows-gnullvm"],
        enabled: &[("Editor", ON_WINDOWS_ARM64), ("Win64", &[("CPU", "ARM64")])],
    },
    Platform {
        name: "uwp-arm64",
        file: "arr_session.dll",
        format: BinaryFormat::Pe,
        architecture: Architecture::Aarch64,
        triples: &["aarch64-uwp-windows-msvc"],
        enabled: &[("WindowsStoreApps", ON_UWP)],
    },
    Platform {
        name: "android-arm64",
        file: "libarr_session.so",
        format: BinaryFormat::Elf,
        architecture: Architecture::Aarch64,
        triples: &["aarch64-linux-android"],
        // Newer Android devices have memory pages of 16 KiB.
        enabled: &[("Android", &[("CPU", "ARM64"), ("Is16KbAligned", "true")])],
    },
];

/// Unity's targets, each with its group and its settings when disabled. All are written, because an omitted one may get a default.
const TARGETS: &[(&str, &str, Settings)] = &[
    ("Android", "Android", &[("CPU", "ARMv7")]),
    ("Editor", "Editor", &[("CPU", "AnyCPU"), ("DefaultValueInitialized", "true"), ("OS", "AnyOS")]),
    ("Standalone", "Linux64", &[("CPU", "None")]),
    ("Standalone", "OSXUniversal", &[("CPU", "None")]),
    ("WebGL", "WebGL", &[]),
    ("Standalone", "Win", &[("CPU", "None")]),
    ("Standalone", "Win64", &[("CPU", "None")]),
    ("Windows Store Apps", "WindowsStoreApps", &[("CPU", "AnyCPU")]),
    ("iPhone", "iOS", &[("CPU", "AnyCPU")]),
];

impl Platform {
    pub(crate) fn named(name: &str) -> Result<&'static Platform> {
        PLATFORMS.iter().find(|platform| platform.name == name).with_context(|| {
            let names: Vec<&str> = PLATFORMS.iter().map(|platform| platform.name).collect();
            format!("there is no platform `{name}`, only {}", names.join(", "))
        })
    }

    /// The platform of binaries for a target triple, if the package has it.
    pub(crate) fn for_target(triple: &str) -> Option<&'static Platform> {
        PLATFORMS.iter().find(|platform| platform.triples.contains(&triple))
    }

    /// The targets of its binary, by Unity's names.
    pub(crate) fn targets(&self) -> String {
        let names: Vec<&str> = self.enabled.iter().map(|(target, _)| *target).collect();
        format!("for {}", names.join(" and "))
    }

    /// The binary's path in the package.
    pub(crate) fn path(&self) -> String {
        format!("Plugins/{}/{}", self.name, self.file)
    }

    /// The folder with the notes that go beside its binary.
    pub(crate) fn notes(&self) -> String {
        format!("{NOTES}/{}", self.name)
    }

    /// Fails unless the file is a binary for this platform.
    pub(crate) fn check_binary(&self, file: &Path) -> Result<()> {
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let binary = object::File::parse(&*bytes).with_context(|| format!("{} is not a library", file.display()))?;
        let (format, architecture) = (binary.format(), binary.architecture());
        if format != self.format || architecture != self.architecture {
            bail!(
                "{} is {format:?} for {architecture:?}, but {} needs {:?} for {:?}",
                file.display(),
                self.name,
                self.format,
                self.architecture
            );
        }
        Ok(())
    }

    /// The plugin part of its binary's `.meta` file, as every Unity since 2019.4 reads it.
    pub(crate) fn import_settings(&self) -> String {
        let enabled =
            |target: &str| self.enabled.iter().find(|(name, _)| *name == target).map(|(_, settings)| settings);
        let excludes = TARGETS.iter().map(|(_, target, _)| (format!("Exclude {target}"), enabled(target).is_none()));
        let excludes: Vec<(String, &str)> = excludes.map(|(key, out)| (key, if out { "1" } else { "0" })).collect();
        let excludes: Vec<(&str, &str)> = excludes.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        let mut text = "  serializedVersion: 2\n  iconMap: {}\n  executionOrder: {}\n  defineConstraints: []\n  \
                        isPreloaded: 0\n  isOverridable: 0\n  isExplicitlyReferenced: 0\n  validateReferences: 1\n  \
                        platformData:\n"
            .to_owned();
        text += &target("", "Any", false, &excludes);
        text += &target("Any", "", false, &[]);
        for (group, name, disabled) in TARGETS {
            text += &target(group, name, enabled(name).is_some(), enabled(name).unwrap_or(disabled));
        }
        text
    }
}

fn target(group: &str, name: &str, enabled: bool, settings: &[(&str, &str)]) -> String {
    let list = settings.iter().map(|(key, value)| format!("\n        {key}: {value}")).collect::<String>();
    let list = if list.is_empty() { " {}".to_owned() } else { list };
    let enabled = u8::from(enabled);
    format!("  - first:\n      {group}: {name}\n    second:\n      enabled: {enabled}\n      settings:{list}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unity::meta;
    use crate::workspace::Workspace;

    /// A copy to change only by hand, after considering the effect in Unity.
    const SNAPSHOT: &str = "bindings/unity/Plugins~/import-settings.txt";

    #[test]
    fn the_import_settings_have_not_changed() {
        let workspace = Workspace::find().unwrap();
        let meta = |platform: &Platform| {
            let path = platform.path();
            format!("# {path}.meta\n{}", meta::of(&path, false).unwrap())
        };
        let now: String = PLATFORMS.iter().map(meta).collect();
        let is = workspace.scratch("xtask/unity").unwrap().join("import-settings.txt");
        std::fs::write(&is, &now).unwrap();
        let then = workspace.read(SNAPSHOT).unwrap().replace("\r\n", "\n");
        assert!(now == then, "the import settings differ from {SNAPSHOT}: compare it with {}", is.display());
    }

    /// Each combination of file, target, CPU and system with more than one plugin: Unity would refuse to build.
    fn collisions(platforms: &[Platform]) -> Vec<String> {
        let of = |platform: &Platform| -> Vec<String> {
            let value =
                |settings: Settings, key| settings.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
            let place = |(target, settings): &(&str, Settings)| {
                format!("{} {target} {:?} {:?}", platform.file, value(settings, "CPU"), value(settings, "OS"))
            };
            platform.enabled.iter().map(place).collect()
        };
        let mut places: Vec<String> = platforms.iter().flat_map(of).collect();
        places.sort();
        places.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone()).collect()
    }

    #[test]
    fn no_two_plugins_collide() {
        assert_eq!(collisions(PLATFORMS), [""; 0]);
        let [first, second] = ["win-x64", "uwp-arm64"].map(|name| Platform { ..*Platform::named(name).unwrap() });
        let same = Platform { enabled: first.enabled, ..second };
        assert_eq!(collisions(&[first, same])[1], "arr_session.dll Win64 Some(\"x86_64\") None");
    }
}

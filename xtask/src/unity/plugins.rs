//! The native plugins of the Unity package: for each platform its place, its import settings, and what they must say.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use object::{Architecture, BinaryFormat, Object as _};

use crate::unity::guid;
use crate::unity::meta::{Importer, Meta};
use crate::unity::yaml::Value;
use crate::workspace::Workspace;

/// Where the import settings are kept, by platform. Unity does not look into folders of such names.
pub(crate) const TEMPLATES: &str = "bindings/unity/Plugins~";

/// A platform for which a binary can be put into the package.
#[derive(Debug)]
pub(crate) struct Platform {
    /// The folder's name below `Plugins`.
    pub(crate) name: &'static str,
    /// The binary's name there.
    pub(crate) file: &'static str,
    format: BinaryFormat,
    architecture: Architecture,
    /// What the settings must enable, and nothing else.
    enabled: &'static [Enabled],
}

/// One of Unity's targets, and all that the settings must say about it.
#[derive(Debug)]
struct Enabled {
    target: &'static str,
    settings: &'static [(&'static str, &'static str)],
}

const fn enabled(target: &'static str, settings: &'static [(&'static str, &'static str)]) -> Enabled {
    Enabled { target, settings }
}

/// Every platform of the package.
pub(crate) const PLATFORMS: &[Platform] = &[
    Platform {
        name: "linux-x64",
        file: "libarr_session.so",
        format: BinaryFormat::Elf,
        architecture: Architecture::X86_64,
        enabled: &[
            enabled("Editor", &[("CPU", "x86_64"), ("DefaultValueInitialized", "true"), ("OS", "Linux")]),
            enabled("Linux64", &[("CPU", "x86_64")]),
        ],
    },
    Platform {
        name: "win-x64",
        file: "arr_session.dll",
        format: BinaryFormat::Pe,
        architecture: Architecture::X86_64,
        enabled: &[
            enabled("Editor", &[("CPU", "x86_64"), ("DefaultValueInitialized", "true"), ("OS", "Windows")]),
            enabled("Win64", &[("CPU", "x86_64")]),
        ],
    },
    Platform {
        name: "win-arm64",
        file: "arr_session.dll",
        format: BinaryFormat::Pe,
        architecture: Architecture::Aarch64,
        enabled: &[
            enabled("Editor", &[("CPU", "ARM64"), ("DefaultValueInitialized", "true"), ("OS", "Windows")]),
            enabled("Win64", &[("CPU", "ARM64")]),
        ],
    },
    Platform {
        name: "uwp-arm64",
        file: "arr_session.dll",
        format: BinaryFormat::Pe,
        architecture: Architecture::Aarch64,
        enabled: &[enabled(
            "WindowsStoreApps",
            &[
                ("CPU", "ARM64"),
                ("DontProcess", "false"),
                ("PlaceholderPath", ""),
                ("SDK", "AnySDK"),
                ("ScriptingBackend", "AnyScriptingBackend"),
            ],
        )],
    },
    Platform {
        name: "android-arm64",
        file: "libarr_session.so",
        format: BinaryFormat::Elf,
        architecture: Architecture::Aarch64,
        // Android's newer devices have memory pages of 16 KiB.
        enabled: &[enabled("Android", &[("CPU", "ARM64"), ("Is16KbAligned", "true")])],
    },
];

/// The targets that each of the settings must speak of, enabled or not: what is not named may get a default.
const TARGETS: &[&str] =
    &["Android", "Editor", "Linux64", "OSXUniversal", "WebGL", "Win", "Win64", "WindowsStoreApps", "iOS"];

impl Platform {
    pub(crate) fn named(name: &str) -> Result<&'static Platform> {
        PLATFORMS.iter().find(|platform| platform.name == name).with_context(|| {
            let names: Vec<&str> = PLATFORMS.iter().map(|platform| platform.name).collect();
            format!("there is no platform `{name}`, only {}", names.join(", "))
        })
    }

    /// The platform of binaries for a target triple, if the package has it.
    pub(crate) fn for_target(triple: &str) -> Option<&'static Platform> {
        let name = match triple {
            "x86_64-unknown-linux-gnu" => "linux-x64",
            "x86_64-pc-windows-msvc" | "x86_64-pc-windows-gnu" | "x86_64-pc-windows-gnullvm" => "win-x64",
            "aarch64-pc-windows-msvc" | "aarch64-pc-windows-gnullvm" => "win-arm64",
            "aarch64-uwp-windows-msvc" => "uwp-arm64",
            "aarch64-linux-android" => "android-arm64",
            _ => return None,
        };
        PLATFORMS.iter().find(|platform| platform.name == name)
    }

    /// What its binary is for, in Unity's words.
    pub(crate) fn targets(&self) -> String {
        let names: Vec<&str> = self.enabled.iter().map(|enabled| enabled.target).collect();
        format!("for {}", names.join(" and "))
    }

    /// The binary's path in the package.
    pub(crate) fn path(&self) -> String {
        format!("Plugins/{}/{}", self.name, self.file)
    }

    /// Where the checkout has what goes with its binary.
    pub(crate) fn templates(&self) -> String {
        format!("{TEMPLATES}/{}", self.name)
    }

    /// Its import settings' path in the checkout.
    pub(crate) fn template(&self) -> String {
        format!("{}/{}.meta", self.templates(), self.file)
    }

    /// Whether a binary is one for this platform.
    pub(crate) fn check_binary(&self, file: &Path) -> Result<()> {
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let binary = object::File::parse(&*bytes).with_context(|| format!("{} is no library", file.display()))?;
        let (format, architecture) = (binary.format(), binary.architecture());
        if format != self.format || architecture != self.architecture {
            bail!(
                "{} is {format:?} for {architecture:?}, and {} takes {:?} for {:?}",
                file.display(),
                self.name,
                self.format,
                self.architecture
            );
        }
        Ok(())
    }

    /// What is wrong with its import settings.
    pub(crate) fn problems(&self, meta: &Meta) -> Vec<String> {
        let settings = match Settings::of(meta) {
            Ok(settings) => settings,
            Err(error) => return vec![format!("{error:#}")],
        };
        let mut problems = Vec::new();
        for (name, value) in [("isPreloaded", "0"), ("isExplicitlyReferenced", "0"), ("defineConstraints", "[]")] {
            if settings.importer.text(name) != Some(value) {
                problems.push(format!("`{name}` must be {value}"));
            }
        }
        if settings.any.as_deref() != Some("0") {
            problems.push("`Any` must be there and disabled: the plugin is for this platform alone".to_owned());
        }
        for target in TARGETS {
            problems.extend(self.target_problems(&settings, target));
        }
        for target in &settings.targets {
            if !TARGETS.contains(&target.name.as_str()) {
                problems.push(format!("`{}` is no target of these packages", target.name));
            }
        }
        problems
    }

    fn target_problems(&self, settings: &Settings, name: &str) -> Vec<String> {
        let wanted = self.enabled.iter().find(|enabled| enabled.target == name);
        let mut problems = Vec::new();
        let excluded = if wanted.is_some() { "0" } else { "1" };
        if settings.exclude(name) != Some(excluded) {
            problems.push(format!("`Exclude {name}` must be {excluded}"));
        }
        let Some(target) = settings.targets.iter().find(|target| target.name == name) else {
            problems.push(format!("`{name}` is not spoken of"));
            return problems;
        };
        if target.enabled != wanted.is_some() {
            let must = if wanted.is_some() { "enabled" } else { "disabled" };
            problems.push(format!("`{name}` must be {must}"));
        }
        if let Some(wanted) = wanted {
            let missing = wanted.settings.iter().filter(|setting| !target.settings_have(setting));
            problems.extend(missing.map(|(key, value)| format!("`{name}` must say `{key}: {value}`")));
            let unwanted =
                target.settings.iter().filter(|(key, _)| wanted.settings.iter().all(|(name, _)| name != key));
            problems.extend(unwanted.map(|(key, _)| format!("`{name}` must not say `{key}`")));
        }
        problems
    }
}

/// A plugin's import settings as Unity reads them.
pub(crate) struct Settings<'a> {
    importer: &'a Value,
    any: Option<String>,
    excludes: Vec<(String, String)>,
    pub(crate) targets: Vec<Target>,
}

/// What they say about one target.
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) enabled: bool,
    settings: Vec<(String, String)>,
}

impl Target {
    fn settings_have(&self, (key, value): &(&str, &str)) -> bool {
        self.setting(key) == Some(value)
    }

    fn setting(&self, key: &str) -> Option<&str> {
        self.settings.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

impl<'a> Settings<'a> {
    pub(crate) fn of(meta: &'a Meta) -> Result<Self> {
        let importer = meta.importer(Importer::Plugin)?;
        ensure!(
            importer.text("serializedVersion") == Some("2"),
            "`serializedVersion` must be 2, which every Unity reads"
        );
        let Some(Value::List(items)) = importer.get("platformData") else { bail!("it has no list `platformData`") };
        let mut settings = Self { importer, any: None, excludes: Vec::new(), targets: Vec::new() };
        for item in items {
            settings.add(item)?;
        }
        Ok(settings)
    }

    fn add(&mut self, item: &Value) -> Result<()> {
        let first = item.get("first").map(Value::texts).unwrap_or_default();
        let [(group, name)] = first[..] else { bail!("`first` names no target") };
        let second = item.get("second").with_context(|| format!("`{name}` has no `second`"))?;
        let enabled = second.text("enabled").with_context(|| format!("`{name}` does not say `enabled`"))?;
        ensure!(matches!(enabled, "0" | "1"), "`{name}`: `enabled` is 0 or 1, not {enabled}");
        let texts = second.get("settings").map(Value::texts).unwrap_or_default();
        let texts = texts.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
        match (group, name) {
            ("", "Any") => self.excludes = texts.collect(),
            ("Any", "") => self.any = Some(enabled.to_owned()),
            _ => {
                ensure!(self.targets.iter().all(|target| target.name != name), "`{name}` for the second time");
                self.targets.push(Target { name: name.to_owned(), enabled: enabled == "1", settings: texts.collect() });
            }
        }
        Ok(())
    }

    fn exclude(&self, target: &str) -> Option<&str> {
        let key = format!("Exclude {target}");
        self.excludes.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str())
    }
}

/// A plugin of a package: its path, and its settings.
pub(crate) struct Plugin {
    pub(crate) path: String,
    pub(crate) meta: Meta,
}

/// The pairs of plugins with one file name of which Unity would take both for one target: it refuses to build then.
pub(crate) fn collisions(plugins: &[Plugin]) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, one) in plugins.iter().enumerate() {
        for other in &plugins[index + 1..] {
            if file_name(&one.path) != file_name(&other.path) {
                continue;
            }
            let (Ok(these), Ok(those)) = (Settings::of(&one.meta), Settings::of(&other.meta)) else { continue };
            if is_for_any(&these) || is_for_any(&those) {
                problems.push(format!("{} and {}: one of them is enabled for any target", one.path, other.path));
            }
            for target in these.targets.iter().filter(|target| target.enabled) {
                let same = those.targets.iter().find(|that| that.enabled && that.name == target.name);
                if same.is_some_and(|that| overlap(target, that)) {
                    problems.push(format!("{} and {}: both are enabled for {}", one.path, other.path, target.name));
                }
            }
        }
    }
    problems
}

/// What is wrong with the import settings that are kept for all platforms, each for itself and all of them together, as in
/// a package that has every binary.
pub(crate) fn template_problems(workspace: &Workspace) -> Vec<String> {
    let mut problems = Vec::new();
    let mut all = Vec::new();
    for platform in PLATFORMS {
        let template = platform.template();
        match Meta::read(&workspace.root.join(&template)) {
            Ok(meta) => {
                problems.extend(platform.problems(&meta).into_iter().map(|problem| format!("{template}: {problem}")));
                if meta.guid != guid::of(&platform.path()) {
                    problems.push(format!("{template}: the GUID must be {}", guid::of(&platform.path())));
                }
                all.push(Plugin { path: platform.path(), meta });
            }
            Err(error) => problems.push(format!("{template}: {error:#}")),
        }
    }
    problems.extend(collisions(&all));
    problems
}

fn is_for_any(settings: &Settings) -> bool {
    settings.any.as_deref() == Some("1")
}

fn overlap(one: &Target, other: &Target) -> bool {
    let meets = |key: &str, any: &str| {
        let (one, other) = (one.setting(key).unwrap_or(any), other.setting(key).unwrap_or(any));
        one == other || one == any || other == any
    };
    meets("CPU", "AnyCPU") && meets("OS", "AnyOS")
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Right settings for a platform, as text.
    fn settings(platform: &Platform) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        std::fs::read_to_string(root.join(platform.template())).unwrap()
    }

    fn problems(name: &str, change: impl FnOnce(String) -> String) -> String {
        let platform = Platform::named(name).unwrap();
        let before = settings(platform);
        let after = change(before.clone());
        assert_ne!(before, after, "nothing was changed");
        platform.problems(&Meta::parse(&after).unwrap()).join("\n")
    }

    /// Turns one target on or off.
    fn switch(text: String, target: &str, enabled: &str, settings: &str) -> String {
        let start = text.find(target).unwrap_or_else(|| panic!("no {target}"));
        let (before, after) = text.split_at(start);
        let end = after.find("  - first:").unwrap_or_else(|| after.find("  userData").unwrap());
        let block = format!("{target}\n    second:\n      enabled: {enabled}\n      settings:{settings}\n");
        format!("{before}{block}{}", &after[end..])
    }

    #[test]
    fn the_templates_are_right_each_for_itself_and_together() {
        assert_eq!(template_problems(&Workspace::find().unwrap()), [""; 0]);
    }

    #[test]
    fn each_defect_of_the_settings_is_found() {
        let found = problems("uwp-arm64", |text| switch(text, "Editor: Editor", "1", " {}"));
        assert!(found.contains("`Editor` must be disabled"), "{found}");
        let found = problems("uwp-arm64", |text| text.replace("CPU: ARM64", "CPU: X64"));
        assert!(found.contains("`WindowsStoreApps` must say `CPU: ARM64`"), "{found}");
        let found = problems("uwp-arm64", |text| text.replace("SDK: AnySDK", "SDK: UWP"));
        assert!(found.contains("`SDK: AnySDK`"), "{found}");
        let found =
            problems("win-x64", |text| text.replace("Exclude WindowsStoreApps: 1", "Exclude WindowsStoreApps: 0"));
        assert!(found.contains("`Exclude WindowsStoreApps` must be 1"), "{found}");
        let found = problems("win-x64", |text| text.replace("OS: Windows", "OS: AnyOS"));
        assert!(found.contains("`Editor` must say `OS: Windows`"), "{found}");
        let found = problems("win-arm64", |text| switch(text, "Standalone: Win64", "0", " {}"));
        assert!(found.contains("`Win64` must be enabled"), "{found}");
        let found = problems("android-arm64", |text| text.replace("        Is16KbAligned: true\n", ""));
        assert!(found.contains("`Android` must say `Is16KbAligned: true`"), "{found}");
        let found = problems("linux-x64", |text| switch(text, "Any: ", "1", " {}"));
        assert!(found.contains("`Any` must be there and disabled"), "{found}");
        let found = problems("linux-x64", |text| text.replace("isPreloaded: 0", "isPreloaded: 1"));
        assert!(found.contains("`isPreloaded` must be 0"), "{found}");
        let found = problems("linux-x64", |text| text.replace("Standalone: Win64", "Standalone: Win128"));
        assert!(found.contains("`Win64` is not spoken of") && found.contains("`Win128` is no target"), "{found}");
        let found = problems("linux-x64", |text| text.replace("serializedVersion: 2", "serializedVersion: 3"));
        assert!(found.contains("`serializedVersion` must be 2"), "{found}");
        let found =
            problems("linux-x64", |text| text.replace("        OS: Linux\n", "        OS: Linux\n        Foo: 1\n"));
        assert!(found.contains("`Editor` must not say `Foo`"), "{found}");
    }

    #[test]
    fn two_of_one_name_for_one_target_are_found() {
        let plugin = |name: &str, change: fn(String) -> String| {
            let platform = Platform::named(name).unwrap();
            Plugin { path: platform.path(), meta: Meta::parse(&change(settings(platform))).unwrap() }
        };
        let same = |text: String| text;
        // The Editor of an x64 machine would take the ARM64 one too.
        let wide = |text: String| text.replace("CPU: ARM64\n        DefaultValue", "CPU: AnyCPU\n        DefaultValue");
        let found = collisions(&[plugin("win-x64", same), plugin("win-arm64", wide)]).join("\n");
        assert!(found.contains("win-x64") && found.contains("both are enabled for Editor"), "{found}");
        let any = |text: String| switch(text, "Any: ", "1", " {}");
        let found = collisions(&[plugin("win-x64", any), plugin("uwp-arm64", same)]).join("\n");
        assert!(found.contains("enabled for any target"), "{found}");
        // Other names may be for the same target.
        let android = |text: String| switch(text, "Standalone: Win64", "1", "\n        CPU: x86_64");
        assert_eq!(collisions(&[plugin("win-x64", same), plugin("android-arm64", android)]), [""; 0]);
    }

    #[test]
    fn a_binary_of_another_platform_is_refused() {
        let own = std::env::current_exe().unwrap();
        if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            Platform::named("linux-x64").unwrap().check_binary(&own).unwrap();
        }
        let error = Platform::named("uwp-arm64").unwrap().check_binary(&own).unwrap_err().to_string();
        assert!(error.contains("uwp-arm64 takes Pe for Aarch64"), "{error}");
        assert!(Platform::named("linux-x64").unwrap().check_binary(Path::new(file!())).is_err());
    }

    #[test]
    fn triples_have_their_platforms() {
        assert_eq!(
            Platform::for_target("aarch64-uwp-windows-msvc").unwrap().path(),
            "Plugins/uwp-arm64/arr_session.dll"
        );
        assert!(Platform::for_target("riscv64gc-unknown-linux-gnu").is_none());
        assert!(Platform::named("os2").unwrap_err().to_string().contains("linux-x64"));
    }
}

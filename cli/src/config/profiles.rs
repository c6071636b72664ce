//! `config.toml`: the user's profiles.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use toml::{Table, Value};

use super::files;
use super::layer::{Layer, warning_if_exposed};
use super::setting::Setting;
use crate::failure::{Exit, Failure};
use crate::paths;

/// The profile that is used if no other source is named or found.
pub(crate) const DEFAULT: &str = "default";

/// The profile of this name.
pub(crate) fn read(name: &str) -> Result<Layer, Failure> {
    let path = paths::config_file()?;
    let profiles = table(&path)?;
    let Some(profile) = profiles.get(name) else {
        let names: Vec<&str> = profiles.keys().map(String::as_str).collect();
        let known = if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
        return Err(Failure::usage(format!("{} has no profile \"{name}\": {known}", path.display()))
            .hint(format!("make it with: arr config import FILE --profile {name}")));
    };
    layer(&path, name, profile)
}

/// The profile "default", if there is one.
pub(crate) fn default() -> Result<Option<Layer>, Failure> {
    let Ok(path) = paths::config_file() else { return Ok(None) };
    match table(&path)?.get(DEFAULT) {
        Some(profile) => layer(&path, DEFAULT, profile).map(Some),
        None => Ok(None),
    }
}

/// Keeps the account of a file as a profile. If the file has several accounts, `name` also selects one of them.
pub(crate) fn import(file: &Path, name: Option<&str>, force: bool) -> Result<(Layer, String), Failure> {
    let layer = match files::read_one(file, None) {
        Err(_) if name.is_some() => files::read_one(file, name)?,
        read => read?,
    };
    let name = name.unwrap_or(DEFAULT);
    if !force && table(&paths::config_file()?)?.contains_key(name) {
        return Err(Failure::usage(format!("there is a profile {name} already"))
            .hint("to replace it, add --force; to keep both, add --profile NAME"));
    }
    if !layer.values().any(|(setting, _)| setting.is_of_account()) {
        return Err(Failure::usage(format!("{} has no account", file.display())));
    }
    write(name, &layer)?;
    Ok((layer, name.to_owned()))
}

/// Adds or replaces a profile. The file can have keys, so only its owner may read it.
fn write(name: &str, values: &Layer) -> Result<(), Failure> {
    let path = paths::config_file()?;
    let mut profiles = table(&path)?;
    let text = |value: &str| Value::String(value.to_owned());
    let profile: Table =
        values.values().map(|(setting, it)| (setting.name().to_owned(), text(it.value.expose()))).collect();
    profiles.insert(name.to_owned(), Value::Table(profile));
    if let Some(folder) = path.parent() {
        paths::make_private(folder)?;
    }
    replace(&path, &profiles.to_string())
        .map_err(|cause| Failure::new(Exit::Failed, format!("cannot write {}: {cause}", path.display())))
}

fn table(path: &Path) -> Result<Table, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => text.parse().map_err(|cause: toml::de::Error| {
            Failure::usage(format!("{} is not valid TOML: {}", path.display(), cause.message()))
                .hint("a profile looks like this: [default], then lines such as account_id = \"…\"")
        }),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Table::new()),
        Err(cause) => Err(Failure::usage(format!("cannot read {}: {cause}", path.display()))),
    }
}

fn layer(path: &Path, name: &str, profile: &Value) -> Result<Layer, Failure> {
    let mut layer = Layer::named(format!("profile {name}"));
    let Value::Table(profile) = profile else {
        return Err(Failure::usage(format!("\"{name}\" in {} is not a profile: write [{name}]", path.display())));
    };
    let beside = |file: &str| path.parent().unwrap_or(Path::new("")).join(file);
    for (member, value) in profile {
        let Value::String(value) = value else {
            return Err(Failure::usage(format!("{member} of profile {name} in {} is not a text", path.display())));
        };
        let from = format!("profile {name}");
        let of_file =
            |setting: &Setting| setting.is_credential() && member.strip_suffix("_file") == Some(setting.name());
        if let Some(setting) = Setting::ALL.into_iter().find(|setting| setting.name() == member) {
            layer.notes.extend(setting.is_credential().then(|| warning_if_exposed(path)).flatten());
            let value =
                if setting == Setting::CaFile { beside(value).to_string_lossy().into_owned() } else { value.clone() };
            layer.add(setting, &value, from);
        } else if let Some(setting) = Setting::ALL.into_iter().find(of_file) {
            layer.add_secret(setting, &beside(value), format!("{from} ({member})"))?;
        } else {
            layer.notes.push(format!("profile {name} has an unknown member {member}; it is ignored"));
        }
    }
    Ok(layer)
}

/// Writes the file by way of another in the same folder, so that it is never half written.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&temporary).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

//! Which source's values count.

use std::mem;
use std::path::{Path, PathBuf};

use super::files;
use super::layer::Layer;
use super::profiles;
use super::setting::Setting;
use crate::args::Account;
use crate::failure::Failure;

/// The file of the PowerShell scripts.
pub(crate) const ARRCONFIG: &str = "arrconfig.json";

/// Finds the values that count; the name is that of the account's source. Reads files, and standard input if an option says so; sends nothing.
pub(crate) fn resolve(options: &Account) -> Result<Layer, Failure> {
    let mut given = Layer::of_options(options)?;
    let mut environment = Layer::of_environment()?;
    let named = named(options)?;
    let is_named = named.is_some();
    let mut notes = mem::take(&mut given.notes);
    notes.append(&mut environment.notes);
    let base = match named {
        Some(layer) => layer,
        None => found(&given, &environment, &mut notes)?,
    };
    notes.extend(base.notes.iter().cloned());
    // A source that was named explicitly may be completed by the environment's credential.
    let lacks = base.credential().is_none() && is_named;
    let mut values = Vec::new();
    for setting in Setting::ALL {
        let found = match () {
            () if setting.is_credential() && given.credential().is_some() => given.get(setting),
            () if setting.is_credential() && lacks => environment.get(setting),
            () if setting.is_of_account() => given.get(setting).or_else(|| base.get(setting)),
            () => given.get(setting).or_else(|| environment.get(setting)).or_else(|| base.get(setting)),
        };
        if let Some(found) = found {
            values.push((setting, found.clone()));
        }
    }
    let only_options = base.name.is_empty() && given.values().any(|(setting, _)| setting.is_of_account());
    Ok(Layer { name: if only_options { given.name } else { base.name }, values, notes })
}

/// The source that an option names.
fn named(options: &Account) -> Result<Option<Layer>, Failure> {
    Ok(match (&options.emulator, &options.config, &options.profile) {
        (Some(url), ..) => Some(Layer::of_emulator(url)),
        (_, Some(path), profile) => Some(files::read_one(path, profile.as_deref())?),
        (_, _, Some(name)) => Some(profiles::read(name)?),
        _ => None,
    })
}

/// The first source with a credential: the environment, the profile "default", a file in the working directory. With a
/// credential from an option, the file in the working directory does not count, as it would direct that to its hosts.
fn found(given: &Layer, environment: &Layer, notes: &mut Vec<String>) -> Result<Layer, Failure> {
    let own_credential = given.credential().is_some();
    let places = [Setting::AccountDomain, Setting::ServiceEndpoint];
    if environment.credential().is_some() || own_credential && places.iter().all(|setting| environment.has(*setting)) {
        return Ok(environment.clone());
    }
    let profile = profiles::default()?;
    let base = match profile {
        Some(profile) if own_credential || profile.credential().is_some() => {
            if !own_credential && is_another(&profile) {
                notes.push(not_used(&format!("it differs from {}, which comes first", profile.name)));
            }
            profile
        }
        other => in_working_directory(own_credential, notes).or(other).unwrap_or_default(),
    };
    for (_, unused) in environment.values().filter(|(setting, _)| setting.is_of_account()) {
        if !base.name.is_empty() {
            notes.push(format!(
                "{} is ignored: a credential and its endpoints come from one source, here {}",
                unused.from, base.name
            ));
        }
    }
    Ok(base)
}

/// Whether the working directory has a file with other values. One that was imported has the same.
fn is_another(profile: &Layer) -> bool {
    let value = |layer: &Layer, setting| layer.get(setting).map(|found| found.value.expose().to_owned());
    let path = Path::new(ARRCONFIG);
    let file = if path.is_file() { files::read_one(path, None).ok() } else { None };
    file.is_some_and(|file| file.values().any(|(setting, _)| value(&file, setting) != value(profile, setting)))
}

fn in_working_directory(own_credential: bool, notes: &mut Vec<String>) -> Option<Layer> {
    let path = Path::new(ARRCONFIG);
    if !path.is_file() {
        return None;
    }
    let why = match files::read_one(path, None) {
        Err(failure) => failure.cause().to_owned(),
        Ok(_) if own_credential => "the credential comes from an option".to_owned(),
        Ok(file) if file.credential().is_none() => {
            notes.extend(file.notes);
            "it has no credential".to_owned()
        }
        Ok(file) => {
            let shown = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
            notes.push(format!("the account comes from {}", shown.display()));
            return Some(file);
        }
    };
    notes.push(not_used(&why));
    None
}

fn not_used(why: &str) -> String {
    format!("{ARRCONFIG} in this folder is not used: {why}. To use it, give --config {ARRCONFIG}")
}

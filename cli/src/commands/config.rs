//! `arr config`.

use std::path::Path;

use serde_json::{Map, json};

use crate::args::Format;
use crate::config::{self, DEFAULT, Setting};
use crate::context::Context;
use crate::failure::{Failure, note, printable};
use crate::output::{self, pairs};
use crate::paths;

pub(crate) fn path() -> Result<(), Failure> {
    output::print(&format!("{}\n", paths::config_file()?.display()))
}

/// Each value with its source. Of a secret only that it is there.
pub(crate) fn show(context: &Context) -> Result<(), Failure> {
    let resolved = &context.settings.resolved;
    resolved.notes.iter().for_each(|text| note(text));
    let shown = |setting: Setting| {
        let found = resolved.get(setting)?;
        // A URL may have a password.
        let value = match found.value.expose().rsplit_once('@') {
            _ if setting.is_credential() => "(set)".to_owned(),
            Some((_, host)) => format!("(not shown)@{}", printable(host)),
            None => printable(found.value.expose()),
        };
        Some((setting.name(), value, found.from.clone()))
    };
    let values: Vec<_> = Setting::ALL.into_iter().filter_map(shown).collect();
    if context.format() != Format::Table {
        let members = values
            .into_iter()
            .map(|(setting, value, from)| (setting.to_owned(), json!({ "value": value, "source": from })));
        let document = serde_json::Value::Object(members.collect::<Map<_, _>>());
        let pretty = context.format() == Format::Json;
        return output::print(&if pretty { output::json(&document) } else { output::line(&document) });
    }
    let width = values.iter().map(|(_, value, _)| value.len()).max().unwrap_or_default();
    let lines =
        values.into_iter().map(|(setting, value, from)| (setting.to_owned(), format!("{value:<width$}  {from}")));
    output::print(&pairs(lines))?;
    // After the values, what is missing.
    context.settings.client_config().map(drop)
}

pub(crate) fn import(file: &Path, name: Option<&str>, force: bool) -> Result<(), Failure> {
    let (layer, name) = config::import(file, name, force)?;
    layer.notes.iter().for_each(|text| note(text));
    let option = if name == DEFAULT { String::new() } else { format!(" --profile {name}") };
    eprintln!("profile {name} is now in {}", paths::config_file()?.display());
    if layer.has(Setting::AccountKey) {
        eprintln!("it has the account key, so only you may read it; {} may be deleted", file.display());
    }
    eprintln!("to try it: arr{option} list");
    Ok(())
}

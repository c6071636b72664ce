//! `arr config`.

use std::path::Path;

use serde_json::{Map, json};

use crate::args::Format;
use crate::config::{self, DEFAULT, Layer, Setting};
use crate::context::Context;
use crate::failure::{Failure, note, printable, say};
use crate::output;
use crate::paths;

pub(crate) fn path(format: Format) -> Result<(), Failure> {
    let path = paths::config_file()?.display().to_string();
    output::one(format, &json!({ "path": path }), || format!("{path}\n"), &path)
}

/// The name of each value, the value, and its source. Of a secret only that it is there.
pub(crate) fn values(resolved: &Layer) -> impl Iterator<Item = [String; 3]> {
    let shown = |setting: Setting| {
        let found = resolved.get(setting)?;
        // A URL may have a password.
        let value = match found.value.expose().rsplit_once('@') {
            _ if setting.is_credential() => "(set)".to_owned(),
            Some((_, host)) => format!("(not shown)@{}", printable(host)),
            None => printable(found.value.expose()),
        };
        Some([setting.name().to_owned(), value, printable(&found.from)])
    };
    Setting::ALL.into_iter().filter_map(shown)
}

pub(crate) fn show(context: &Context) -> Result<(), Failure> {
    let resolved = &context.settings.resolved;
    resolved.notes.iter().for_each(|text| note(text));
    let members = values(resolved).map(|[name, value, from]| (name, json!({ "value": value, "source": from })));
    let name = &resolved.name;
    output::one(context.format(), &members.collect::<Map<_, _>>(), || output::columns(values(resolved)), name)?;
    if context.format() != Format::Table {
        return Ok(());
    }
    // After the values, what is missing.
    context.settings.client_config().map(drop)
}

pub(crate) fn import(file: &Path, name: Option<&str>, force: bool) -> Result<(), Failure> {
    let (layer, name) = config::import(file, name, force)?;
    layer.notes.iter().for_each(|text| note(text));
    let option = if name == DEFAULT { String::new() } else { format!(" --profile {name}") };
    say(format_args!("profile {name} is now in {}", paths::config_file()?.display()));
    if layer.has(Setting::AccountKey) {
        say(format_args!("it has the account key, so only you may read it; {} may be deleted", file.display()));
    }
    say(format_args!("to try it: arr{option} list"));
    Ok(())
}

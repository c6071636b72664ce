//! The configuration files that users of the service have, recognised by their content.

mod arrconfig;
mod arrt;
mod showcase;
mod unity;

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use super::layer::Layer;
use super::setting::Setting;
use crate::duration;
use crate::failure::Failure;

/// The account in a file. If the file has several, `name` selects one.
pub(crate) fn read_one(path: &Path, name: Option<&str>) -> Result<Layer, Failure> {
    /// Scenes of Unity can be large.
    const LARGEST: u64 = 64 * 1024 * 1024;
    let shown = path.display();
    let bytes = fs::File::open(path).and_then(|file| read_up_to(LARGEST, file)).map_err(|cause| {
        Failure::usage(format!("cannot read {shown}: {cause}"))
            .hint("give the path of an arrconfig.json or similar file")
    })?;
    let mut accounts =
        parse(&decoded(&bytes), &shown.to_string()).map_err(|failure| failure.about(&shown.to_string()))?;
    let names = accounts.iter().map(|layer| layer.name.clone()).collect::<Vec<_>>().join(", ");
    let place = match name {
        Some(name) => accounts.iter().position(|layer| layer.name == name),
        None if accounts.len() == 1 => Some(0),
        None => None,
    };
    let Some(place) = place else {
        let cause = match name {
            Some(name) => format!("{shown} has no account \"{name}\", but {names}"),
            None => format!("{shown} has several accounts: {names}"),
        };
        return Err(Failure::usage(cause).hint("choose one with --profile NAME"));
    };
    let mut layer = accounts.swap_remove(place);
    layer.name = shown.to_string();
    Ok(layer)
}

/// Reads all, if that is not more than this many bytes.
pub(super) fn read_up_to(limit: u64, source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = source.take(limit + 1).read_to_end(&mut bytes)?;
    if read as u64 > limit { Err(io::Error::other("it is too large")) } else { Ok(bytes) }
}

/// PowerShell writes UTF-8 with a byte order mark, or UTF-16.
fn decoded(bytes: &[u8]) -> String {
    match bytes {
        [0xff, 0xfe, rest @ ..] => {
            let units = rest.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        _ => String::from_utf8_lossy(bytes).trim_start_matches('\u{feff}').to_owned(),
    }
}

fn parse(text: &str, file: &str) -> Result<Vec<Layer>, Failure> {
    match text.trim_start().as_bytes().first() {
        Some(b'{') => {
            let json = serde_json::from_str(text).map_err(|cause| {
                Failure::usage(format!("it is not valid JSON: {cause}"))
                    .hint("a backslash in a path must be doubled, and the last member has no comma")
            })?;
            arrconfig::read(&json, file).or_else(|| arrt::read(&json, file)).unwrap_or_else(|| Err(unknown()))
        }
        Some(b'<') => showcase::read(text, file).map(|layer| vec![layer]),
        Some(b'%') => unity::read(text, file).map(|layer| vec![layer]),
        _ => Err(unknown()),
    }
}

fn unknown() -> Failure {
    Failure::usage("it is of no known kind").hint(
        "known are arrconfig.json, arr.account.xml of Showcase, ARR-profiles.json of ARRT, and Unity's scenes and assets",
    )
}

/// Adds a lease in seconds.
fn add_seconds(layer: &mut Layer, seconds: u64, from: String) {
    if seconds > 0 {
        let length = humantime::format_duration(Duration::from_secs(seconds)).to_string();
        layer.add(Setting::Lease, &length, from);
    }
}

/// Adds a lease that is a .NET TimeSpan.
fn add_time_span(layer: &mut Layer, text: &str, from: String) {
    if text.contains('<') {
        return layer.add(Setting::Lease, text, from);
    }
    match duration::time_span(text.trim()) {
        Ok(length) => {
            if !text.contains(':') {
                let days = if text.trim() == "1" { "a day".to_owned() } else { format!("{} days", text.trim()) };
                layer
                    .notes
                    .push(format!("{from} is \"{}\", which .NET reads as {days}; did you mean hours?", text.trim()));
            }
            add_seconds(layer, length.as_secs(), from);
        }
        Err(why) => layer.notes.push(format!("{from} is ignored: {why}")),
    }
}

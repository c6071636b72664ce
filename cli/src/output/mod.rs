//! The result of a command, on standard output. Everything else goes to standard error.

mod document;
mod progress;
mod table;

pub(crate) use document::{Row, document};
pub(crate) use progress::Progress;
pub(crate) use table::{columns, table};

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use table::details;

use crate::args::Format;
use crate::failure::{Exit, Failure, controls, say};

static READER_LEFT: AtomicBool = AtomicBool::new(false);

/// Prints text to standard output.
///
/// # Errors
/// It could not be written. A reader that has gone is not an error: it has read what it wanted.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Failed, format!("cannot write the result: {cause}")))
        }
        Err(_) => {
            READER_LEFT.store(true, Ordering::Relaxed);
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Whether nothing that is printed will be read.
pub(crate) fn reader_left() -> bool {
    READER_LEFT.load(Ordering::Relaxed)
}

/// One line of JSON.
pub(crate) fn line(value: &impl Serialize) -> String {
    harmless(&serde_json::to_string(value).unwrap_or_default())
}

/// Prints a result: for people, as JSON, or only what identifies it.
pub(crate) fn one(
    format: Format,
    value: &impl Serialize,
    table: impl FnOnce() -> String,
    id: &str,
) -> Result<(), Failure> {
    print(&match format {
        Format::Table => table(),
        Format::Json => harmless(&serde_json::to_string_pretty(value).unwrap_or_default()),
        Format::Ndjson => line(value),
        Format::Id => format!("{id}\n"),
    })
}

/// Prints a list of results.
pub(crate) fn many<'a, T: Serialize>(
    format: Format,
    values: &[T],
    table: impl FnOnce() -> String,
    ids: impl Iterator<Item = &'a str>,
) -> Result<(), Failure> {
    match format {
        Format::Table | Format::Json => one(format, &values, table, ""),
        Format::Ndjson => print(&values.iter().map(line).collect::<String>()),
        Format::Id => print(&ids.map(|id| format!("{id}\n")).collect::<String>()),
    }
}

/// Escapes what JSON allows but a terminal obeys. Such characters occur only within texts.
fn harmless(json: &str) -> String {
    let escaped = |c: char| if c != '\n' && controls(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    json.chars().map(escaped).chain(["\n".to_owned()]).collect()
}

/// Prints one session.
pub(crate) fn session(format: Format, row: &Row) -> Result<(), Failure> {
    one(format, &document(row), || details(row), row.properties.id.as_str())
}

/// Prints a list of sessions. If there is none, standard error says so to people.
pub(crate) fn sessions(format: Format, rows: &[Row], none: &str) -> Result<(), Failure> {
    if format == Format::Table && rows.is_empty() {
        say(none);
        return Ok(());
    }
    let documents: Vec<_> = rows.iter().map(document).collect();
    many(format, &documents, || table(rows), rows.iter().map(|row| row.properties.id.as_str()))
}

/// What became of a session, for a command that acts on several.
#[derive(Serialize)]
pub(crate) struct Outcome<'a> {
    pub(crate) id: String,
    /// A word: stopped, already_gone, failed.
    pub(crate) outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<&'a Failure>,
}

/// Prints what became of sessions.
pub(crate) fn outcomes(format: Format, outcomes: &[Outcome<'_>]) -> Result<(), Failure> {
    let table = || columns(outcomes.iter().map(|it| [it.id.clone(), it.outcome.replace('_', " ")]));
    many(format, outcomes, table, outcomes.iter().filter(|it| it.outcome != "failed").map(|it| it.id.as_str()))
}

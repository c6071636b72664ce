//! The result of a command, on standard output. Everything else goes to standard error.

mod document;
mod progress;
mod table;

pub(crate) use document::{Row, document};
pub(crate) use progress::Progress;
pub(crate) use table::pairs;

use std::io::{self, Write as _};

use serde::Serialize;
use table::details;
pub(crate) use table::table;

use crate::args::Format;
use crate::failure::{Exit, Failure};

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
        _ => Ok(()),
    }
}

/// One line of JSON.
pub(crate) fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default() + "\n"
}

/// A JSON document for people and programs.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// Prints one session.
pub(crate) fn session(format: Format, row: &Row) -> Result<(), Failure> {
    print(&match format {
        Format::Table => details(row),
        Format::Json => json(&document(row)),
        Format::Ndjson => line(&document(row)),
        Format::Id => format!("{}\n", row.properties.id),
    })
}

/// Prints a list of sessions. If there is none, standard error says so to people.
pub(crate) fn sessions(format: Format, rows: &[Row], none: &str) -> Result<(), Failure> {
    let documents = || rows.iter().map(document);
    print(&match format {
        Format::Table if rows.is_empty() => {
            eprintln!("{none}");
            return Ok(());
        }
        Format::Table => table(rows),
        Format::Json => json(&documents().collect::<Vec<_>>()),
        Format::Ndjson => documents().map(|it| line(&it)).collect(),
        Format::Id => rows.iter().map(|row| format!("{}\n", row.properties.id)).collect(),
    })
}

/// What became of a session, for a command that acts on several.
#[derive(Serialize)]
pub(crate) struct Outcome {
    pub(crate) id: String,
    /// A word: stopped, already_gone, failed.
    pub(crate) outcome: &'static str,
}

/// Prints what became of sessions.
pub(crate) fn outcomes(format: Format, outcomes: &[Outcome]) -> Result<(), Failure> {
    let width = outcomes.iter().map(|it| it.id.len()).max().unwrap_or_default();
    print(&match format {
        Format::Table => {
            outcomes.iter().map(|it| format!("{:<width$}  {}\n", it.id, it.outcome.replace('_', " "))).collect()
        }
        Format::Json => json(&outcomes),
        Format::Ndjson => outcomes.iter().map(line).collect(),
        Format::Id => outcomes.iter().filter(|it| it.outcome != "failed").map(|it| format!("{}\n", it.id)).collect(),
    })
}

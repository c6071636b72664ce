//! `arr watch`.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use arr_client::{Client, SessionId, SessionStatus};
use console::{Term, measure_text_width};

use super::list;
use crate::args::{Format, Watch};
use crate::config::Journal;
use crate::context::{Context, ask};
use crate::failure::{Failure, note, printable};
use crate::output::{self, Row, document};

/// Shows the sessions until Ctrl+C, or until all those that were named have ended.
pub(crate) fn watch(context: &Context, args: &Watch) -> Result<(), Failure> {
    let client = context.connect(Journal::IfThere)?;
    let terminal = Term::stdout();
    let live = terminal.is_term() && context.format() == Format::Table;
    let mut shown = Shown { terminal, lines: 0 };
    let mut seen: HashMap<SessionId, SessionStatus> = HashMap::new();
    loop {
        let mut rows = match read(&client, args, &seen) {
            Ok(rows) => rows,
            Err(Reading::Again(failure)) => {
                note(failure.cause());
                thread::sleep(args.interval);
                continue;
            }
            Err(Reading::Over(failure)) => return Err(failure),
        };
        let over = !args.ids.is_empty() && rows.iter().all(|row| row.properties.status.is_final());
        if live {
            shown.live(&mut rows, if over { Duration::ZERO } else { args.interval })?;
        } else {
            let changed = |row: &&Row| seen.get(&row.properties.id) != Some(&row.properties.status);
            rows.iter().filter(changed).try_for_each(|row| change(context.format(), row))?;
        }
        seen = rows.into_iter().map(|row| (row.properties.id, row.properties.status)).collect();
        if over || output::reader_left() {
            return Ok(());
        }
        if !live {
            thread::sleep(args.interval);
        }
    }
}

/// Why the sessions could not be read.
enum Reading {
    Again(Failure),
    Over(Failure),
}

impl From<arr_client::Error> for Reading {
    fn from(error: arr_client::Error) -> Reading {
        let again = error.is_retryable();
        let failure = error.into();
        if again { Reading::Again(failure) } else { Reading::Over(failure) }
    }
}

/// The sessions to show. Those that a list no longer has are read once more.
fn read(client: &Client, args: &Watch, seen: &HashMap<SessionId, SessionStatus>) -> Result<Vec<Row>, Reading> {
    let mut rows = list::rows(client)?;
    if !args.ids.is_empty() {
        rows.retain(|row| args.ids.contains(&row.properties.id));
    }
    let listed = |rows: &[Row], id: &SessionId| rows.iter().any(|row| row.properties.id == *id);
    let running = seen.iter().filter(|(_, status)| args.ids.is_empty() && !status.is_final()).map(|(id, _)| id);
    for id in args.ids.iter().chain(running) {
        if !listed(&rows, id) {
            rows.push(Row::of(ask(client.open_session(id))?.known_properties()));
        }
    }
    Ok(rows)
}

/// A line for a session that has changed.
fn change(format: Format, row: &Row) -> Result<(), Failure> {
    let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now());
    output::print(&match format {
        Format::Table => format!("{now}  {}  {}\n", row.properties.id, printable(row.properties.status.as_str())),
        Format::Id => format!("{}\n", row.properties.id),
        Format::Json | Format::Ndjson => output::line(&document(row)),
    })
}

/// What is on the terminal.
struct Shown {
    terminal: Term,
    lines: usize,
}

impl Shown {
    /// Shows the sessions for this time, while their leases run down.
    fn live(&mut self, rows: &mut [Row], time: Duration) -> Result<(), Failure> {
        const TICK: Duration = Duration::from_secs(1);
        let begun = Instant::now();
        loop {
            self.draw(rows)?;
            let left = time.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            let pause = left.min(TICK);
            thread::sleep(pause);
            for row in rows.iter_mut().filter(|row| row.properties.status == SessionStatus::Ready) {
                row.properties.elapsed = row.properties.elapsed.map(|elapsed| elapsed + pause);
            }
        }
    }

    fn draw(&mut self, rows: &[Row]) -> Result<(), Failure> {
        let (height, width) = self.terminal.size();
        let (height, width) = (usize::from(height).max(4), usize::from(width).max(1));
        let text = if rows.is_empty() { "no sessions\n".to_owned() } else { output::table(rows) };
        let mut lines: Vec<&str> = text.lines().collect();
        let more = lines.len().saturating_sub(height - 2);
        let rest = format!("… and {more} more");
        if more > 0 {
            lines.truncate(height - 2);
            lines.push(&rest);
        }
        // A terminal that cannot be cleared gets table after table.
        let _ = self.terminal.clear_last_lines(self.lines);
        self.lines = lines.iter().map(|line| measure_text_width(line).div_ceil(width).max(1)).sum();
        output::print(&(lines.join("\n") + "\n"))
    }
}

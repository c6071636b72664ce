//! Sessions for people.

use arr_client::{SessionProperties, SessionStatus};
use console::{Style, Term};
use tabled::Table;
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Modify, Padding, Style as Lines, Width};

use super::document::{Row, claim_word};
use crate::duration::short;
use crate::failure::printable;

const SHORTEST_HOST: usize = 8;

/// A table of sessions, as wide as the terminal at most.
pub(crate) fn table(rows: &[Row]) -> String {
    let any = |has: fn(&Row) -> bool| rows.iter().any(has);
    let (mine, claim) = (any(|row| row.mine.is_some()), any(|row| row.claim.is_some()));
    let mut builder = Builder::default();
    let heads = ["ID", "STATUS", "SIZE", "LEASE", "LEFT"].into_iter();
    let heads = heads.chain(mine.then_some("MINE")).chain(claim.then_some("CLAIM")).chain(["HOST"]);
    builder.push_record(heads.map(|head| Style::new().bold().apply_to(head).to_string()));
    for row in rows {
        let it = &row.properties;
        let mut cells = vec![
            it.id.to_string(),
            status(&it.status),
            it.size.as_ref().map_or("-".to_owned(), |size| printable(size.as_str())),
            it.max_lease.map_or("-".to_owned(), short),
            left(it),
        ];
        cells.extend(mine.then(|| if row.mine == Some(true) { "yes" } else { "no" }.to_owned()));
        cells.extend(claim.then(|| row.claim.map(claim_word).unwrap_or("-").replace('_', " ")));
        cells.push(it.hostname.as_deref().map_or("-".to_owned(), printable));
        builder.push_record(cells);
    }
    let mut table = aligned(builder);
    // The host is the only text that is useful in part.
    let host = rows.iter().filter_map(|row| row.properties.hostname.as_deref()).map(str::len).max().unwrap_or_default();
    let columns = Term::stdout().size_checked().map_or(usize::MAX, |(_, columns)| columns.into());
    let excess = table.total_width().saturating_sub(columns);
    if excess > 0 {
        let room = host.saturating_sub(excess).max(SHORTEST_HOST);
        table.with(Modify::new(Columns::last()).with(Width::truncate(room).suffix("…")));
    }
    lines(&table)
}

/// Rows of texts, aligned.
pub(crate) fn columns<const COUNT: usize>(rows: impl Iterator<Item = [String; COUNT]>) -> String {
    let mut builder = Builder::default();
    rows.for_each(|row| builder.push_record(row));
    lines(&aligned(builder))
}

fn aligned(builder: Builder) -> Table {
    let mut table = builder.build();
    table.with(Lines::empty()).with(Padding::new(0, 2, 0, 0));
    table.with(Modify::new(Columns::last()).with(Padding::zero()));
    table
}

fn lines(table: &Table) -> String {
    table.to_string().lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// One session: a line for each known property.
pub(crate) fn details(row: &Row) -> String {
    let it = &row.properties;
    let ports = match (it.handshake_port, it.arr_inspector_port) {
        (None, None) => None,
        (handshake, inspector) => Some(
            [handshake.map(|port| format!("{port} handshake")), inspector.map(|port| format!("{port} inspector"))]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(", "),
        ),
    };
    let lease = it.max_lease.map(|lease| format!("{}, {} left", short(lease), left(it)));
    let created = it.creation_time.map(|time| humantime::format_rfc3339_seconds(time).to_string());
    let lines = [
        ("Session", Some(it.id.to_string())),
        ("Status", Some(status(&it.status))),
        ("Size", it.size.as_ref().map(|size| printable(size.as_str()))),
        ("Host", it.hostname.as_deref().map(printable)),
        ("Ports", ports),
        ("Lease", lease),
        ("Created", created),
        ("Error", it.error_code.as_deref().map(printable)),
        ("Message", it.message.as_deref().map(printable)),
    ];
    let name = |name| Style::new().bold().apply_to(name).to_string();
    columns(lines.into_iter().filter_map(|(it, value)| Some([name(it), value?])))
}

/// A status in its colour.
pub(crate) fn status(status: &SessionStatus) -> String {
    let style = match status {
        SessionStatus::Ready => Style::new().green(),
        SessionStatus::Starting | SessionStatus::Stopping => Style::new().yellow(),
        SessionStatus::Error => Style::new().red(),
        _ => Style::new().dim(),
    };
    style.apply_to(printable(status.as_str())).to_string()
}

fn left(properties: &SessionProperties) -> String {
    match (&properties.status, properties.remaining()) {
        (SessionStatus::Starting | SessionStatus::Ready, Some(left)) => short(left),
        _ => "-".to_owned(),
    }
}

//! `arr list`.

use std::collections::HashSet;

use arr_client::{Client, Error, SessionId};

use crate::args::List;
use crate::config::{Journal, Setting};
use crate::context::{Context, ask};
use crate::failure::Failure;
use crate::output::{self, Row};

pub(crate) fn list(context: &Context, args: &List) -> Result<(), Failure> {
    let client = context.connect(Journal::IfThere)?;
    let mut rows = rows(&client)?;
    rows.retain(|row| !args.mine || row.mine == Some(true));
    let wanted = |row: &Row| args.status.iter().any(|it| it.eq_ignore_ascii_case(row.properties.status.as_str()));
    rows.retain(|row| args.status.is_empty() || wanted(row));
    let which = if args.mine || !args.status.is_empty() { "such sessions" } else { "sessions" };
    let at = context.settings.text(Setting::ServiceEndpoint);
    output::sessions(context.format(), &rows, &format!("no {which} at {at}"))
}

/// The account's sessions, each with whether this command line created it.
pub(crate) fn rows(client: &Client) -> Result<Vec<Row>, Error> {
    let mine = mine(client);
    let sessions = ask(client.list_sessions())?.into_iter().map(|it| it.properties);
    Ok(sessions.map(|it| Row { mine: Some(mine.contains(&it.id)), ..Row::of(it) }).collect())
}

/// The sessions that the journal has.
pub(crate) fn mine(client: &Client) -> HashSet<SessionId> {
    // Without a journal there are none.
    client.recorded_sessions().unwrap_or_default().into_iter().map(|recorded| recorded.id).collect()
}

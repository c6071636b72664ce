//! `arr token`.

use serde::Serialize;

use crate::config::Journal;
use crate::context::{Context, ask};
use crate::failure::Failure;
use crate::output;

#[derive(Serialize)]
struct Document<'a> {
    access_token: &'a str,
    expires_in_seconds: Option<u64>,
}

/// Prints a token, for example for curl.
pub(crate) fn token(context: &Context) -> Result<(), Failure> {
    let client = context.connect(Journal::None)?;
    let token = ask(client.access_token())?;
    let access_token = token.token.expose();
    let document = Document { access_token, expires_in_seconds: token.remaining.map(|it| it.as_secs()) };
    output::one(context.format(), &document, || format!("{access_token}\n"), access_token)
}

//! `arr show`.

use arr_client::SessionId;

use crate::config::Journal;
use crate::context::{Context, ask};
use crate::failure::Failure;
use crate::output::{self, Row};

pub(crate) fn show(context: &Context, id: &SessionId) -> Result<(), Failure> {
    let client = context.connect(Journal::None)?;
    let session = ask(client.open_session(id))?;
    output::session(context.format(), &Row::of(session.known_properties()))
}

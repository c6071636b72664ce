//! `arr show`.

use arr_client::SessionId;

use crate::config::Journal;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Row};

pub(crate) fn show(context: &Context, id: &SessionId) -> Result<(), Failure> {
    let client = context.connect(Journal::None)?;
    let session = client.open_session(id).run()?;
    output::session(context.format(), &Row::of(session.known_properties()))
}

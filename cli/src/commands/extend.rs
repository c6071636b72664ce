//! `arr extend`.

use std::time::Duration;

use arr_client::{Lease, SessionStatus};

use crate::args::Extend;
use crate::config::Journal;
use crate::context::{Context, run};
use crate::failure::{Exit, Failure};
use crate::interrupt;
use crate::output::{self, Row};

pub(crate) fn extend(context: &Context, args: &Extend) -> Result<(), Failure> {
    let client = context.connect(Journal::IfThere)?;
    let _held = interrupt::hold();
    let taken = client.take(&args.id)?;
    let known = taken.session.known_properties();
    if known.status.is_final() || known.status == SessionStatus::Stopping {
        let is = known.status.as_str();
        return Err(Failure::new(
            Exit::Conflict,
            format!("session {} is {is}, so its lease cannot be extended", known.id),
        )
        .hint(format!("for another session: {}", context.command("create"))));
    }
    let lease = match (args.amount.lease, args.amount.by) {
        (Some(whole), _) => whole,
        (None, by) => known.max_lease.unwrap_or_default() + by.unwrap_or(Duration::ZERO),
    };
    let extended = run(taken.session.update_lease(Lease::new(lease)?))??;
    output::session(context.format(), &Row::of(extended))
}

//! `arr recover`.

use arr_client::{Claim, Error, ErrorKind, Recovered};

use super::hold::keep;
use super::stop::{StopOf, report, stop_known};
use crate::args::{Format, OnExit, Recover};
use crate::config::Journal;
use crate::context::{Context, Taken, release, run};
use crate::failure::{Failure, note, say};
use crate::interrupt;
use crate::output::{self, Row};

/// Finds what earlier runs left behind. What is neither stopped, kept nor held is left behind again.
pub(crate) fn recover(context: &Context, args: &Recover) -> Result<(), Failure> {
    let client = context.connect(Journal::Kept)?;
    let _held = interrupt::hold();
    let found = match run(client.recover_sessions())? {
        Err(error) if is_elsewhere(&error) => {
            note(&format!("{}; to recover that one, select its account and service", Failure::from(error).cause()));
            Vec::new()
        }
        found => found?,
    };
    let (ours, others): (Vec<_>, Vec<_>) = found.iter().partition(|it| it.claim == Claim::Ours);
    if args.stop && !found.is_empty() {
        let results =
            ours.into_iter().map(|it| (it.session.id().clone(), stop_known(&it.session))).collect::<Vec<StopOf>>();
        left_alone(context, &others, "stopped");
        return report(context, results);
    }
    let row = |it: &Recovered| Row { claim: Some(it.claim), ..Row::of(it.session.known_properties()) };
    let rows: Vec<Row> = found.iter().map(row).collect();
    output::sessions(context.format(), &rows, "nothing was left behind")?;
    if let Some(cap) = args.holding.cap {
        left_alone(context, &others, "held");
        if ours.is_empty() {
            return Ok(());
        }
        let held: Vec<Taken> = ours.into_iter().map(|it| Taken { session: it.session.clone(), mine: true }).collect();
        let sessions = held.iter().map(|taken| taken.session.clone()).collect();
        return keep(context, &client, sessions, cap, args.holding.on_exit.unwrap_or(OnExit::Leave));
    }
    if args.keep {
        ours.iter().for_each(|it| release(&it.session));
    } else if context.format() == Format::Table {
        left_alone(context, &others, "counted as ours");
        if !ours.is_empty() {
            say(format_args!("\nto stop what is ours: {}", context.command("recover --stop")));
            say(format_args!("to keep it running:   {}", context.command("recover --keep")));
            say(format_args!("to hold it:           {}", context.command("recover --hold --cap 4h")));
        }
    }
    Ok(())
}

/// Whether all that is left behind is at services other than this one.
fn is_elsewhere(error: &Error) -> bool {
    error.kind() == ErrorKind::Storage && error.message().contains("`trusted_endpoints`")
}

/// Names the sessions that may be another's.
fn left_alone(context: &Context, others: &[&Recovered], what: &str) {
    for it in others {
        let id = it.session.id();
        say(format_args!("session {id} may be another's, so it was not {what}; {}", context.to_stop(id)));
    }
}

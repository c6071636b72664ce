//! `arr recover`.

use arr_client::{Claim, Recovered};

use super::stop::{StopOf, report, stop_session};
use crate::args::{Format, Recover};
use crate::config::Journal;
use crate::context::{Context, release, run};
use crate::failure::{Exit, Failure};
use crate::interrupt;
use crate::output::{self, Row};

/// Finds what earlier runs left behind. What is neither stopped nor kept is left behind again.
pub(crate) fn recover(context: &Context, args: &Recover) -> Result<(), Failure> {
    let client = context.connect(Journal::Kept)?;
    let _held = interrupt::hold();
    let found = run(client.recover_sessions())??;
    let (ours, others): (Vec<_>, Vec<_>) = found.iter().partition(|it| it.claim == Claim::Ours);
    if args.stop && !found.is_empty() {
        let results = ours.into_iter().map(|it| (it.session.id().clone(), stop(it))).collect::<Vec<StopOf>>();
        for it in others {
            let stop = context.command(&format!("stop {}", it.session.id()));
            eprintln!("session {} may be another's, so it was not stopped; to stop it: {stop}", it.session.id());
        }
        return report(context, results);
    }
    if args.keep {
        ours.iter().for_each(|it| release(&it.session));
    }
    let row = |it: &Recovered| Row { claim: Some(it.claim), ..Row::of(it.session.known_properties()) };
    let rows: Vec<Row> = found.iter().map(row).collect();
    output::sessions(context.format(), &rows, "nothing was left behind")?;
    if !rows.is_empty() && !args.keep && context.format() == Format::Table {
        eprintln!("\nto stop what is ours: {}", context.command("recover --stop"));
        eprintln!("to keep it running:   {}", context.command("recover --keep"));
        eprintln!("to hold one of them:  {}", context.command("hold ID --cap 4h"));
    }
    Ok(())
}

fn stop(recovered: &Recovered) -> Result<bool, Failure> {
    let id = recovered.session.id();
    match stop_session(&recovered.session, 2) {
        Some(stopped) => Ok(stopped?.already_gone),
        None => Err(Failure::new(Exit::Unknown, format!("interrupted; session {id} may still be running"))),
    }
}

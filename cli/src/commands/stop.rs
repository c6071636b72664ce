//! `arr stop`.

use std::io::{self, IsTerminal as _, Write as _};

use arr_client::{Error, ErrorKind, Session, SessionId, StopScope, Stopped};

use super::list;
use crate::args::{Format, Stop};
use crate::config::Journal;
use crate::context::{Connection, Context, finish};
use crate::failure::{Exit, Failure, say};
use crate::interrupt;
use crate::output::{self, Outcome, Progress};

/// What became of a session.
pub(super) type StopOf = (SessionId, Result<AlreadyGone, Failure>);

/// Whether it had ended before.
pub(super) type AlreadyGone = bool;

pub(crate) fn stop(context: &Context, args: &Stop) -> Result<(), Failure> {
    if args.which.ids.is_empty() && !args.which.mine && !args.which.account {
        return Err(Failure::usage("stop which session?")
            .hint(format!("one by its id, which `arr list` shows: {}", context.command("stop ID")))
            .hint(format!("all that this command line created here: {}", context.command("stop --mine")))
            .hint(format!("all of the account: {}", context.command("stop --account"))));
    }
    let client = context.connect(Journal::IfThere)?;
    let results = if args.which.account {
        stop_account(&client, args.yes)?
    } else if args.which.mine {
        let mut ids: Vec<SessionId> = list::mine(&client).into_iter().collect();
        ids.sort();
        let mut results = stop_each(&client, &ids);
        // The journal may have sessions that ended long ago.
        results.retain(|(_, result)| match result {
            Ok(already_gone) => !already_gone,
            Err(failure) => failure.exit != Exit::NotFound,
        });
        results
    } else {
        stop_each(&client, &args.which.ids)
    };
    if results.is_empty() {
        say("no sessions to stop");
    }
    report(context, results)
}

/// Stops sessions one after the other. After Ctrl+C the stop in flight is finished; a second one leaves at once.
fn stop_each(client: &Connection, ids: &[SessionId]) -> Vec<StopOf> {
    let _held = interrupt::hold();
    let mut progress = (!ids.is_empty()).then(|| Progress::begin(format!("stopping {}", ids[0])));
    let stop_next = |id: &SessionId| {
        if interrupt::count() > 0 {
            return Err(interrupt::interrupted(format!("session {id} was not stopped")));
        }
        progress.iter_mut().for_each(|progress| progress.state(format!("stopping {id}")));
        stop_one(client, id)
    };
    let results: Vec<_> = ids.iter().map(stop_next).collect();
    ids.iter().cloned().zip(results).collect()
}

fn stop_one(client: &Connection, id: &SessionId) -> Result<AlreadyGone, Failure> {
    let taken = client.take(id)?;
    let gone = taken.session.known_properties().status.is_final();
    Ok(stop_known(&taken.session)? || gone)
}

pub(super) fn stop_known(session: &Session) -> Result<AlreadyGone, Failure> {
    let unknown = || Failure::new(Exit::Unknown, format!("interrupted; session {} may still be running", session.id()));
    Ok(stop_session(session, 2).ok_or_else(unknown)??.already_gone)
}

/// Stops a session after so many times Ctrl+C, and reports what became of it. One more leaves at once.
pub(super) fn stop_interrupted(context: &Context, session: &Session, interrupts: u32) -> Failure {
    let id = session.id();
    let unknown = Failure::new(Exit::Unknown, format!("interrupted; session {id} may be running"));
    match stop_session(session, interrupts + 1) {
        Some(Ok(_)) => interrupt::interrupted(format!("interrupted; session {id} was stopped")),
        Some(Err(error)) if error.kind() == ErrorKind::NotFound => interrupt::interrupted("interrupted"),
        Some(Err(error)) => unknown.hint(format!("the stop failed: {error}")).hint(context.to_stop(id)),
        None => unknown.hint(context.to_stop(id)),
    }
}

/// Stops a session. `None`: it was interrupted so often before the reply.
fn stop_session(session: &Session, interrupts: u32) -> Option<Result<Stopped, Error>> {
    match session.stop().start() {
        Ok(operation) => finish(&operation, interrupts, || ()),
        Err(error) => Some(Err(error)),
    }
}

/// Stops all sessions of the account, if the user agrees.
fn stop_account(client: &Connection, yes: bool) -> Result<Vec<StopOf>, Failure> {
    let rows = list::rows(client)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let others = rows.iter().filter(|row| row.mine != Some(true)).count();
    if !yes {
        let what =
            format!("{} of the account, {others} of which this command line did not create", sessions(rows.len()));
        confirm(&what)?;
    }
    let _held = interrupt::hold();
    let stopping = client.stop_all(StopScope::Account).start()?;
    let ended = finish(&stopping, 2, || ())
        .ok_or_else(|| Failure::new(Exit::Unknown, "interrupted; some sessions may still be running"))??;
    let failed = |id: &SessionId| ended.failed.iter().find(|(it, _)| it == id).map(|(_, error)| error.clone());
    let ids = rows.into_iter().map(|row| row.properties.id);
    Ok(ids
        .map(|id| match failed(&id) {
            Some(error) => (id, Err(error.into())),
            None => (id, Ok(false)),
        })
        .collect())
}

fn sessions(count: usize) -> String {
    if count == 1 { "1 session".to_owned() } else { format!("{count} sessions") }
}

fn confirm(what: &str) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(format!("this would stop {what}")).hint("if that is intended, add --yes"));
    }
    // If the question cannot be shown, the answer is no.
    let unasked = |_| Failure::new(Exit::Failed, "nothing was stopped, as the question could not be shown");
    write!(io::stderr(), "Stop {what}? [y/N] ").map_err(unasked)?;
    let mut answer = String::new();
    let _ = io::stdin().read_line(&mut answer);
    if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Failure::new(Exit::Failed, "nothing was stopped"))
}

/// Prints what became of each session.
pub(super) fn report(context: &Context, results: Vec<StopOf>) -> Result<(), Failure> {
    let outcomes: Vec<Outcome<'_>> = results
        .iter()
        .map(|(id, result)| Outcome {
            id: id.to_string(),
            outcome: match result {
                Ok(true) => "already_gone",
                Ok(false) => "stopped",
                Err(_) => "failed",
            },
            error: result.as_ref().err(),
        })
        .collect();
    output::outcomes(context.format(), &outcomes)?;
    worst(context.format(), results.into_iter().filter_map(|(_, result)| result.err()).collect())
}

/// Prints all failures but the one that decides about the exit code: the first, but an unknown outcome counts more.
pub(super) fn worst(format: Format, mut failures: Vec<Failure>) -> Result<(), Failure> {
    failures.sort_by_key(|failure| failure.exit != Exit::Unknown);
    let mut failures = failures.into_iter();
    let worst = failures.next();
    failures.for_each(|failure| failure.print(format));
    worst.map_or(Ok(()), Err)
}

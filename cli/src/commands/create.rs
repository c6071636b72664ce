//! `arr create`.

use std::time::{Duration, Instant};

use arr_client::{EventKind, Lease, NewSession, Reused, StartedOperation};

use super::hold::{check_cap, keep};
use super::stop::stop_interrupted;
use super::wait::{NotReady, until_ready};
use crate::args::{Create, Format, OnExit};
use crate::config::Journal;
use crate::context::{Connection, Context, Taken, finish, run};
use crate::duration::short;
use crate::failure::{Exit, Failure, say};
use crate::interrupt;
use crate::output::{self, Progress, Row};

pub(crate) fn create(context: &Context, args: &Create) -> Result<(), Failure> {
    let size = context.settings.size(args.size.as_deref())?;
    let lease = Lease::new(context.settings.lease(args.lease)?)?;
    args.holding.cap.map_or(Ok(()), |cap| check_cap(cap, Some(lease.duration())))?;
    let what = format!("creating a {} session with a lease of {}", size.as_str(), short(lease.duration()));
    let mut new = NewSession::new(size, lease).with_models(args.models.clone())?;
    if let Some(extra) = &args.extra {
        new = new.with_extra_json(extra)?;
    }
    if let Some(id) = &args.id {
        new = new.with_id(id.clone());
    }
    let client = context.connect(Journal::Kept)?;
    let _held = interrupt::hold();
    let operation = client.create_or_open(&new).prepare()?;
    let mut progress = Progress::begin(what);
    // First the token, so that Ctrl+C ends the command while nothing is created.
    run(client.access_token())??;
    operation.begin()?;
    let Reused { session, reused, .. } = created(context, &client, &operation, &progress)?;
    if reused {
        progress.say(&format!("session {} exists already; it is opened, not created", session.id()));
    }
    // However this ends, it runs on purpose from then on; if this program is killed before that, it is left behind.
    let mut taken = Taken { session: session.clone(), mine: !reused };
    let mut interrupted = || match reused {
        // It may be another's.
        true => NotReady::Interrupted.report(context, &session),
        false => give_up(context, &mut taken),
    };
    if interrupt::count() > 0 {
        return Err(interrupted());
    }
    let properties = if args.wait || args.holding.hold {
        match until_ready(&session, args.patience.timeout, &mut progress) {
            Ok(properties) => properties,
            Err(NotReady::Interrupted) => return Err(interrupted()),
            Err(why) => return Err(why.report(context, &session)),
        }
    } else {
        progress.state(format!("session {} is starting", session.id()));
        session.known_properties()
    };
    drop(progress);
    let to_stop = context.to_stop(session.id());
    let printed = output::session(context.format(), &Row::of(properties));
    if let Some(cap) = args.holding.cap {
        let default = if reused { OnExit::Leave } else { OnExit::Stop };
        return keep(context, &client, vec![session], cap, args.holding.on_exit.unwrap_or(default));
    }
    printed.map_err(|failure| failure.about(&format!("session {} is running", session.id())).hint(&to_stop))?;
    if context.format() == Format::Table {
        say(to_stop);
    }
    Ok(())
}

/// Waits for the reply to the create. The first Ctrl+C goes on waiting, because without the reply the session could not be
/// stopped.
fn created(
    context: &Context,
    client: &Connection,
    operation: &StartedOperation<Reused>,
    progress: &Progress,
) -> Result<Reused, Failure> {
    let mut said = false;
    let outcome = finish(operation, 2, || {
        if interrupt::count() > 0 && !said {
            progress.say("interrupted; waiting for the service's reply, to stop the session (Ctrl+C leaves at once)");
            said = true;
        }
    });
    match outcome {
        Some(Ok(created)) => Ok(created),
        Some(Err(error)) => {
            let is_lost = error.is_outcome_unknown();
            let failure = Failure::from(error);
            Err(if is_lost { lost(context, client, failure) } else { failure })
        }
        None => Err(Failure::new(Exit::Unknown, "interrupted before the service replied: a session may be running")
            .hint(format!("to find it: {}", context.command("recover")))),
    }
}

/// Adds the sessions that a lost create may have made.
fn lost(context: &Context, client: &Connection, mut failure: Failure) -> Failure {
    /// For the list of the account's sessions.
    const PATIENCE: Duration = Duration::from_secs(5);
    let deadline = Instant::now() + PATIENCE;
    let mut left = None;
    while left != Some(0) {
        let remaining = deadline.saturating_duration_since(Instant::now());
        let Ok(Some(event)) = client.next_event(remaining) else { break };
        if event.kind == EventKind::CreateLost {
            left = Some(event.count.saturating_sub(event.index + 1));
            if let Some(id) = event.session {
                failure = failure.hint(format!("it may be {id}; {}", context.to_stop(&id)));
            }
        }
    }
    failure.hint(format!("to find what was left behind: {}", context.command("recover")))
}

/// Stops a session that was interrupted while it started.
fn give_up(context: &Context, taken: &mut Taken) -> Failure {
    let failure = stop_interrupted(context, &taken.session, interrupt::count());
    // So that `arr recover` finds it.
    taken.mine = failure.exit != Exit::Unknown;
    failure
}

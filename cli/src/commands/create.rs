//! `arr create`.

use std::time::{Duration, Instant};

use arr_client::{ErrorKind, EventKind, Lease, NewSession, Session, SessionProperties};

use super::stop::stop_session;
use super::wait::{NotReady, until_ready};
use crate::args::Create;
use crate::config::Journal;
use crate::context::{Connection, Context, finish, release};
use crate::duration::short;
use crate::failure::{Exit, Failure};
use crate::interrupt;
use crate::output::{self, Progress, Row, size_word};

pub(crate) fn create(context: &Context, args: &Create) -> Result<(), Failure> {
    let size = context.settings.size(args.size.as_deref())?;
    let lease = Lease::new(context.settings.lease(args.lease)?)?;
    let what = format!("creating a {} session with a lease of {}", size_word(&size), short(lease.duration()));
    let mut new = NewSession::new(size, lease).with_models(args.models.clone())?;
    if let Some(extra) = &args.extra {
        new = new.with_extra_json(extra)?;
    }
    if let Some(id) = &args.id {
        new = new.with_id(id.clone());
    }
    let client = context.connect(Journal::Kept)?;
    let held = interrupt::hold();
    let mut progress = Progress::begin(what);
    let session = created(context, &client, &new, &progress)?;
    let outcome = after(context, args, &session, &mut progress);
    drop(progress);
    drop(held);
    output::session(context.format(), &Row::of(outcome?))
}

/// What follows the create. In any case the session is stopped, or released and named.
fn after(
    context: &Context,
    args: &Create,
    session: &Session,
    progress: &mut Progress,
) -> Result<SessionProperties, Failure> {
    if interrupt::count() > 0 {
        return Err(give_up(context, session, progress));
    }
    progress.state(format!("session {} is starting", session.id()));
    if !args.wait {
        release(session);
        return Ok(session.known_properties());
    }
    match until_ready(session, args.patience.timeout, progress) {
        Ok(properties) => {
            release(session);
            Ok(properties)
        }
        Err(NotReady::Interrupted) => Err(give_up(context, session, progress)),
        Err(why) => {
            release(session);
            Err(why.failure(context, session))
        }
    }
}

/// Sends the create. The first Ctrl+C waits for the reply, without which the session could not be stopped.
fn created(context: &Context, client: &Connection, new: &NewSession, progress: &Progress) -> Result<Session, Failure> {
    let operation = client.create_session(new).start()?;
    let mut told = false;
    let outcome = finish(&operation, 2, || {
        if interrupt::count() > 0 && !told {
            progress.say("interrupted; waiting for the service's reply, to stop the session (Ctrl+C leaves at once)");
            told = true;
        }
    });
    match outcome {
        Some(Ok(session)) => Ok(session),
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
                failure =
                    failure.hint(format!("it may be {id}; to stop it: {}", context.command(&format!("stop {id}"))));
            }
        }
    }
    failure.hint(format!("to find what was left behind: {}", context.command("recover")))
}

/// Stops a session that was interrupted while it started.
fn give_up(context: &Context, session: &Session, progress: &mut Progress) -> Failure {
    let id = session.id();
    progress.state(format!("stopping session {id}"));
    match stop_session(session, interrupt::count() + 1) {
        Some(Ok(_)) => interrupt::interrupted(format!("interrupted; session {id} was stopped")),
        Some(Err(error)) if error.kind() == ErrorKind::NotFound => interrupt::interrupted("interrupted"),
        outcome => {
            let cause = format!("interrupted; session {id} may be running");
            let failure = Failure::new(Exit::Unknown, cause);
            let failure = match outcome {
                Some(Err(error)) => failure.hint(format!("the stop failed: {error}")),
                _ => failure,
            };
            failure.hint(format!("to stop it: {}", context.command(&format!("stop {id}"))))
        }
    }
}

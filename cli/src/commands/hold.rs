//! `arr hold`, and `arr create --hold`.

use std::time::Duration;

use arr_client::{Event, EventKind, KeepAlive, Session, SessionStatus, WatchOptions};

use super::stop::stop_session;
use crate::args::{Hold, OnExit};
use crate::config::Journal;
use crate::context::{Connection, Context};
use crate::duration::short;
use crate::failure::{Exit, Failure};
use crate::interrupt;
use crate::output::{self, Progress, Row};

pub(crate) fn hold(context: &Context, args: &Hold) -> Result<(), Failure> {
    let client = context.connect(Journal::Kept)?;
    let _held = interrupt::hold();
    let taken = client.take(&args.id)?;
    let known = taken.session.known_properties();
    if known.status.is_final() {
        let cause = format!("session {} is {}, so it cannot be held", known.id, known.status.as_str());
        return Err(Failure::new(Exit::Conflict, cause));
    }
    output::session(context.format(), &Row::of(known))?;
    keep(context, &client, &taken.session, args.cap, args.on_exit)
}

/// Keeps a session's lease alive until Ctrl+C, or until it has ended.
pub(super) fn keep(
    context: &Context,
    client: &Connection,
    session: &Session,
    cap: Duration,
    on_exit: OnExit,
) -> Result<(), Failure> {
    const LOOK_EVERY: Duration = Duration::from_millis(100);
    session.watch(WatchOptions::default(), 0)?;
    session.keep_alive(Some(KeepAlive::until(cap)))?;
    let id = session.id();
    let mut progress = Progress::begin(format!("holding session {id}"));
    let mut capped = false;
    loop {
        if let Some(event) = client.next_event(LOOK_EVERY)? {
            capped |= event.kind == EventKind::LeaseCapReached;
            happened(&event, session, cap).iter().for_each(|line| progress.say(line));
        }
        let now = session.snapshot();
        if now.status.is_final() {
            drop(progress);
            return ended(session, capped);
        }
        if interrupt::count() > 0 {
            drop(progress);
            return Err(let_go(context, session, on_exit));
        }
        let left = format!("{} left of {}", short(now.remaining), short(now.max_lease.unwrap_or_default()));
        progress.state_with(format!("holding session {id}"), &left);
    }
}

/// What to say about an event.
fn happened(event: &Event, session: &Session, cap: Duration) -> Option<String> {
    let now = session.snapshot();
    let (lease, left) = (short(now.max_lease.unwrap_or_default()), short(now.remaining));
    Some(match event.kind {
        EventKind::LeaseExtended => format!("lease extended to {lease}, {left} left"),
        EventKind::LeaseNotExtended => format!("the lease could not be extended, trying again; {left} left"),
        EventKind::LeaseCapReached => format!("the lease has reached the cap of {}; {left} left", short(cap)),
        EventKind::LeaseExpiring => format!("the lease ends in {left}"),
        EventKind::ReadsFailing => "the service does not answer; the lease is extended nevertheless".to_owned(),
        EventKind::ReadsRecovered => "the service answers again".to_owned(),
        EventKind::StartingLong => format!("the session is still starting after {}", short(now.starting_for)),
        EventKind::Resumed => "this machine slept, or its clock jumped".to_owned(),
        _ => return None,
    })
}

fn ended(session: &Session, capped: bool) -> Result<(), Failure> {
    let known = session.known_properties();
    let (id, is) = (&known.id, known.status.as_str());
    if capped && known.status == SessionStatus::Expired {
        eprintln!("session {id} has expired at its cap");
        return Ok(());
    }
    let why = known.message.map(|message| format!(": {message}")).unwrap_or_default();
    Err(Failure::new(Exit::Failed, format!("session {id} is {is}{why}")))
}

fn let_go(context: &Context, session: &Session, on_exit: OnExit) -> Failure {
    let id = session.id();
    let to_stop = format!("to stop it: {}", context.command(&format!("stop {id}")));
    if on_exit == OnExit::Leave {
        let left = short(session.snapshot().remaining);
        return interrupt::interrupted(format!("interrupted; session {id} keeps running, its lease ends in {left}"))
            .hint(to_stop);
    }
    eprintln!("stopping session {id}");
    match stop_session(session, interrupt::count() + 1) {
        Some(Ok(_)) => interrupt::interrupted(format!("interrupted; session {id} was stopped")),
        Some(Err(error)) => Failure::from(error).about("interrupted").hint(to_stop),
        None => Failure::new(Exit::Unknown, format!("interrupted; session {id} may be running")).hint(to_stop),
    }
}

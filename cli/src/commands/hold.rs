//! `arr hold`, and `arr create --hold`.

use std::collections::HashSet;
use std::time::Duration;

use arr_client::{EventKind, KeepAlive, Session, SessionId, SessionStatus, Snapshot, WatchOptions};

use super::stop::{stop_interrupted, worst};
use crate::args::{Hold, OnExit};
use crate::config::Journal;
use crate::context::{Connection, Context};
use crate::duration::short;
use crate::failure::{Exit, Failure, say};
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
    check_cap(args.cap, known.max_lease)?;
    output::session(context.format(), &Row::of(known))?;
    keep(context, &client, vec![taken.session.clone()], args.cap, args.on_exit)
}

/// A cap below the lease cannot shorten it. Who gives one expects something else.
pub(super) fn check_cap(cap: Duration, lease: Option<Duration>) -> Result<(), Failure> {
    match lease.filter(|lease| cap < *lease) {
        Some(lease) => {
            Err(Failure::usage(format!("the lease is already {}, more than --cap {}", short(lease), short(cap)))
                .hint("--cap limits the total lease; a session is held until Ctrl+C"))
        }
        None => Ok(()),
    }
}

/// Keeps the leases of sessions alive until Ctrl+C, or until all have ended.
pub(super) fn keep(
    context: &Context,
    client: &Connection,
    mut held: Vec<Session>,
    cap: Duration,
    on_exit: OnExit,
) -> Result<(), Failure> {
    const LOOK_EVERY: Duration = Duration::from_millis(100);
    for session in &held {
        session.watch(WatchOptions::default(), 0)?;
        session.keep_alive(Some(KeepAlive::until(cap)))?;
    }
    let what = match &held[..] {
        [session] => format!("holding session {}", session.id()),
        all => format!("holding {} sessions", all.len()),
    };
    let several = held.len() > 1;
    let mut progress = Progress::begin(&what);
    let mut capped: HashSet<SessionId> = HashSet::new();
    let mut failures: Vec<Failure> = Vec::new();
    while !held.is_empty() {
        if let Some(event) = client.next_event(LOOK_EVERY)? {
            if event.kind == EventKind::Resumed {
                progress.say("this machine slept, or its clock jumped");
            }
            if let Some(session) = held.iter().find(|session| event.session.as_ref() == Some(session.id())) {
                if event.kind == EventKind::LeaseCapReached {
                    capped.insert(session.id().clone());
                }
                let whose = if several { format!("session {}: ", session.id()) } else { String::new() };
                let line = happened(event.kind, &session.snapshot(), cap);
                line.iter().for_each(|line| progress.say(&format!("{whose}{line}")));
            }
        }
        for session in held.extract_if(.., |session| session.snapshot().status.is_final()) {
            failures.extend(ended(&session, capped.contains(session.id()), &progress).err());
        }
        if interrupt::count() > 0 {
            break;
        }
        if let Some(next) = held.iter().map(Session::snapshot).min_by_key(|it| it.remaining) {
            let left = format!("{} left of {}", short(next.remaining), short(next.max_lease.unwrap_or_default()));
            progress.state_with(&what, &left);
        }
    }
    drop(progress);
    failures.extend(held.iter().map(|session| let_go(context, session, on_exit)));
    worst(context.format(), failures)
}

/// What to say about an event.
fn happened(kind: EventKind, now: &Snapshot, cap: Duration) -> Option<String> {
    let (lease, left) = (short(now.max_lease.unwrap_or_default()), short(now.remaining));
    Some(match kind {
        EventKind::LeaseExtended => format!("lease extended to {lease}, {left} left"),
        EventKind::LeaseNotExtended => format!("the lease could not be extended, trying again; {left} left"),
        EventKind::LeaseCapReached => format!("the lease has reached the cap of {}; {left} left", short(cap)),
        EventKind::LeaseExpiring => format!("the lease ends in {left}"),
        EventKind::ReadsFailing => "the service does not answer; the lease is extended nevertheless".to_owned(),
        EventKind::ReadsRecovered => "the service answers again".to_owned(),
        EventKind::StartingLong => format!("the session is still starting after {}", short(now.starting_for)),
        _ => return None,
    })
}

fn ended(session: &Session, capped: bool, progress: &Progress) -> Result<(), Failure> {
    let known = session.known_properties();
    let (id, is) = (&known.id, known.status.as_str());
    if capped && known.status == SessionStatus::Expired {
        progress.say(&format!("session {id} has expired at its cap"));
        return Ok(());
    }
    let why = known.message.map(|message| format!(": {message}")).unwrap_or_default();
    Err(Failure::new(Exit::Failed, format!("session {id} is {is}{why}")))
}

/// Stops a session or leaves it. Always a failure, if only because it was interrupted.
fn let_go(context: &Context, session: &Session, on_exit: OnExit) -> Failure {
    let id = session.id();
    if on_exit == OnExit::Stop {
        // Before the message, which may be answered with another Ctrl+C.
        let interrupts = interrupt::count();
        say(format_args!("stopping session {id}"));
        return stop_interrupted(context, session, interrupts);
    }
    let left = short(session.snapshot().remaining);
    interrupt::interrupted(format!("interrupted; session {id} keeps running, its lease ends in {left}"))
        .hint(context.to_stop(id))
}

//! `arr wait`, and waiting in other commands.

use std::time::{Duration, Instant};

use arr_client::{Error, ErrorKind, Session, SessionId, SessionProperties};

use crate::args::{Format, Patience};
use crate::config::Journal;
use crate::context::{Context, SLICE, ask};
use crate::duration::short;
use crate::failure::{Exit, Failure};
use crate::interrupt;
use crate::output::{self, Progress, Row};

pub(crate) fn wait(context: &Context, id: &SessionId, patience: &Patience) -> Result<(), Failure> {
    let client = context.connect(Journal::None)?;
    let session = ask(client.open_session(id))?;
    let held = interrupt::hold();
    let ready = {
        let mut progress = Progress::begin(format!("session {id} is {}", session.known_properties().status.as_str()));
        until_ready(&session, patience.timeout, &mut progress)
    };
    drop(held);
    match ready {
        Ok(properties) => output::session(context.format(), &Row::of(properties)),
        Err(why) => Err(why.report(context, &session)),
    }
}

/// Why a wait ended without a ready session.
pub(crate) enum NotReady {
    Interrupted,
    OutOfTime(Duration),
    Failed(Error),
}

/// Waits until a session is ready.
pub(crate) fn until_ready(
    session: &Session,
    limit: Duration,
    progress: &mut Progress,
) -> Result<SessionProperties, NotReady> {
    let begun = Instant::now();
    loop {
        let known = session.known_properties();
        let lease = known.max_lease.map(|lease| format!("lease {}", short(lease))).unwrap_or_default();
        progress.state_with(format!("session {} is {}", known.id, known.status.as_str()), &lease);
        match session.wait_until_ready().timeout(SLICE).run() {
            Ok(properties) => return Ok(properties),
            Err(error) if error.kind() != ErrorKind::Timeout => return Err(NotReady::Failed(error)),
            Err(_) if interrupt::count() > 0 => return Err(NotReady::Interrupted),
            Err(_) if begun.elapsed() >= limit => return Err(NotReady::OutOfTime(limit)),
            Err(_) => {}
        }
    }
}

impl NotReady {
    /// Gives a script what is known of the session. The failure says whether it runs, and how to stop it.
    pub(crate) fn report(self, context: &Context, session: &Session) -> Failure {
        let known = session.known_properties();
        if context.format() != Format::Table {
            let _ = output::session(context.format(), &Row::of(known.clone()));
        }
        let (id, is) = (&known.id, known.status.as_str());
        let stop = context.to_stop(id);
        match self {
            NotReady::Interrupted => {
                interrupt::interrupted(format!("interrupted; session {id} is still {is} and keeps running")).hint(stop)
            }
            NotReady::OutOfTime(limit) => {
                let cause = format!("session {id} is still {is} after {}; it keeps running", short(limit));
                let go_on = format!("to wait longer: {}", context.command(&format!("wait {id}")));
                Failure::new(Exit::Timeout, cause).hint(go_on).hint(stop)
            }
            NotReady::Failed(error) if error.kind() == ErrorKind::SessionFailed => {
                let why = [known.error_code, known.message].into_iter().flatten().collect::<Vec<_>>().join(", ");
                let why = if why.is_empty() { "the service gives no reason".to_owned() } else { why };
                Failure::new(Exit::Failed, format!("session {id} failed: {why}"))
                    .hint("create another, perhaps of another size or in another region")
            }
            NotReady::Failed(error) if error.kind() == ErrorKind::SessionEnded => error.into(),
            NotReady::Failed(error) => Failure::from(error).about(&format!("session {id} may be running")).hint(stop),
        }
    }
}

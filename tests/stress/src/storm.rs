//! Operations of every kind, started, cancelled, awaited and dropped at random by eight threads until the client is shut
//! down; and what must hold afterwards.

use arr_client::{
    AnyOperation, Client, ClientConfig, Error, ErrorKind, EventKind, KeepAlive, Lease, NewSession, OperationState,
    Session, SessionId, SessionSize, StartedOperation, StopScope, WatchOptions,
};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

const THREADS: usize = 8;
const SECOND: Duration = Duration::from_secs(1);
/// The limits of what one thread holds.
const MOST_OPERATIONS: usize = 16;
const MOST_SESSIONS: usize = 4;

/// The result, for the output.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) started: usize,
    pub(crate) succeeded: usize,
    pub(crate) failed: usize,
    pub(crate) cancelled: usize,
    pub(crate) events: usize,
    /// Sessions that were alive at the end and were recovered.
    pub(crate) found: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { started, succeeded, failed, cancelled, events, found } = self;
        write!(
            f,
            "{started} operations: {succeeded} succeeded, {failed} failed, {cancelled} cancelled; {events} reported by events; \
             {found} sessions recovered"
        )
    }
}

/// Pseudo-random numbers, determined by the seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// Shared by all threads.
struct Storm {
    client: Client,
    together: Barrier,
    /// The limit for anything that takes long only if it hangs.
    patience: Duration,
    /// How many operations were started, and after how many the client is shut down.
    started: AtomicUsize,
    shut_down_at: usize,
    last_label: AtomicU64,
    /// How each operation ended, as seen by the thread that started it.
    ends: Mutex<HashMap<u64, OperationState>>,
}

/// An operation that a thread holds.
struct Held {
    label: u64,
    operation: Started,
    end: Option<OperationState>,
}

/// A started operation, with a session as its result, or another.
enum Started {
    Session(StartedOperation<Session>),
    Other(Box<dyn AnyOperation>),
}

impl Started {
    fn other<T: Clone + Send + Sync + 'static>(operation: StartedOperation<T>) -> Started {
        Started::Other(Box::new(operation))
    }

    fn operation(&self) -> &dyn AnyOperation {
        match self {
            Started::Session(operation) => operation,
            Started::Other(operation) => &**operation,
        }
    }

    /// The resulting session.
    fn session(&self) -> Option<Session> {
        match self {
            Started::Session(operation) => operation.outcome().ok(),
            Started::Other(_) => None,
        }
    }
}

/// What the events have reported.
#[derive(Default)]
struct Reported {
    ended: HashMap<u64, usize>,
    named: HashSet<SessionId>,
}

/// Starts this many operations, and a few more. `config` is for a service without other users, and its `call_timeout` is
/// the limit for anything that takes long only if it hangs. `journal` is a folder that does not exist yet.
pub(crate) fn run(config: &ClientConfig, journal: &Path, operations: usize, seed: u64) -> Result<Report, String> {
    let with_journal = || ClientConfig { journal_folder: Some(journal.to_owned()), ..config.clone() };
    let bystander = Client::new(config.clone()).map_err(of("a bystander's client"))?;
    let theirs = (0..3).map(|_| bystander.create_session(&an_hour()).run()).collect::<Result<Vec<_>, _>>();
    let theirs = theirs.map_err(of("a bystander's create"))?;

    let mut dice = Dice(seed);
    let storm = Storm {
        client: Client::new(with_journal()).map_err(of("the client"))?,
        together: Barrier::new(THREADS),
        patience: config.call_timeout,
        started: AtomicUsize::new(0),
        shut_down_at: operations + usize::try_from(dice.roll(1 + operations as u64 / 10)).unwrap_or_default(),
        last_label: AtomicU64::new(0),
        ends: Mutex::default(),
    };
    let events = thread::scope(|scope| {
        let events = scope.spawn(|| pull(&storm.client));
        let threads: Vec<_> = (0..THREADS as u64)
            .map(|number| Dice(seed ^ (number + 1)))
            .map(|dice| scope.spawn(|| rage(&storm, dice)))
            .collect();
        for thread in threads {
            thread.join().map_err(|_| "a thread has panicked".to_owned())??;
        }
        storm.client.shut_down_within(storm.patience).map_err(|error| format!("the client did not end: {error}"))?;
        events.join().map_err(|_| "the thread that pulls events has panicked".to_owned())?
    })?;
    let Storm { client, ends, .. } = storm;
    drop(client);

    let ends = ends.into_inner().unwrap_or_else(PoisonError::into_inner);
    let count = |state: OperationState| ends.values().filter(|it| **it == state).count();
    let mut report = Report {
        started: ends.len(),
        succeeded: count(OperationState::Succeeded),
        failed: count(OperationState::Failed),
        cancelled: count(OperationState::Cancelled),
        events: events.ended.len(),
        found: 0,
    };
    if events.ended.contains_key(&0) {
        return Err("an operation was started without a label, so its end cannot be identified".to_owned());
    }
    if let Some((label, times)) = events.ended.iter().find(|(_, times)| **times > 1) {
        return Err(format!("operation {label} has ended {times} times"));
    }

    // Every live session is in the journal, was named by an event, or belongs to another client.
    let after = Client::new(with_journal()).map_err(of("the next client"))?;
    let recovered = after.recover_sessions().run().map_err(of("recovery"))?;
    let mut known: HashSet<SessionId> = recovered.iter().map(|it| it.session.id().clone()).collect();
    report.found = known.len();
    known.extend(events.named);
    known.extend(theirs.iter().map(|session| session.id().clone()));
    let alive = after.list_sessions().run().map_err(of("the list afterwards"))?;
    let alive: HashSet<SessionId> = alive.into_iter().map(|listed| listed.properties.id).collect();
    if let Some(lost) = alive.iter().find(|id| !known.contains(*id)) {
        return Err(format!("session {lost} is alive, and neither the journal nor an event has it"));
    }
    if let Some(gone) = theirs.iter().find(|session| !alive.contains(session.id())) {
        return Err(format!("session {} of another client was stopped", gone.id()));
    }
    for client in [&after, &bystander] {
        client.stop_all(StopScope::Own).run().and_then(|all| all.into_result()).map_err(of("stopping all"))?;
        client.shut_down_within(config.call_timeout).map_err(of("the last shutdown"))?;
    }
    Ok(report)
}

/// Names the call that failed.
fn of(call: &str) -> impl Fn(Error) -> String + '_ {
    move |error| format!("{call}: {error}")
}

fn an_hour() -> NewSession {
    NewSession::new(SessionSize::Standard, Lease::new(Duration::from_secs(3600)).expect("an hour is a valid lease"))
}

/// Pulls events until the client has ended.
fn pull(client: &Client) -> Result<Reported, String> {
    let mut reported = Reported::default();
    loop {
        match client.next_event(SECOND) {
            Ok(None) => {}
            Ok(Some(event)) => match event.kind {
                EventKind::OperationEnded => *reported.ended.entry(event.label.user_data).or_default() += 1,
                EventKind::CreateLost | EventKind::LeftRunning => reported.named.extend(event.session),
                _ => {}
            },
            Err(error) if error.kind() == ErrorKind::ShutDown => return Ok(reported),
            Err(error) => return Err(of("the next event")(error)),
        }
    }
}

/// Runs one thread until the client is shut down.
fn rage(storm: &Storm, mut dice: Dice) -> Result<(), String> {
    let mut held: Vec<Held> = Vec::new();
    let mut sessions: Vec<Session> = Vec::new();
    // Threads out of step hide races.
    storm.together.wait();
    loop {
        match start(storm, &sessions, &mut dice) {
            Ok(started) => held.extend(started),
            Err(error) if error.kind() == ErrorKind::ShutDown => break,
            Err(error) => return Err(of("a start")(error)),
        }
        if storm.started.load(Ordering::Relaxed) >= storm.shut_down_at && dice.roll(2) == 0 {
            // One is enough; several at once must be harmless.
            let within =
                [Duration::ZERO, SECOND / 100, storm.patience][usize::try_from(dice.roll(3)).unwrap_or_default()];
            match storm.client.shut_down_within(within) {
                Err(error) if error.kind() != ErrorKind::Timeout => return Err(of("a shutdown")(error)),
                _ => {}
            }
        }
        while !held.is_empty() && (held.len() > MOST_OPERATIONS || dice.roll(3) == 0) {
            let place = usize::try_from(dice.roll(held.len() as u64)).unwrap_or_default();
            let one = held.swap_remove(place);
            sessions.extend(end(storm, one, &mut dice)?);
        }
        while sessions.len() > MOST_SESSIONS {
            let session = sessions.swap_remove(0);
            // A stop continues when its operation is dropped.
            drop(session.stop().label(storm.label()).start());
        }
    }
    for one in held {
        end(storm, one, &mut dice)?;
    }
    Ok(())
}

impl Storm {
    /// A unique label, so that each operation can be identified.
    fn label(&self) -> u64 {
        self.last_label.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Starts a random operation.
fn start(storm: &Storm, sessions: &[Session], dice: &mut Dice) -> arr_client::Result<Option<Held>> {
    let client = &storm.client;
    let label = storm.label();
    let session = (!sessions.is_empty())
        .then(|| &sessions[usize::try_from(dice.roll(sessions.len() as u64)).unwrap_or_default()]);
    let operation = match (dice.roll(12), session) {
        (0..=2, _) | (_, None) => Started::Session(client.create_session(&an_hour()).label(label).start()?),
        (3, _) => Started::other(client.list_sessions().label(label).start()?),
        (4, _) => Started::other(client.access_token().label(label).start()?),
        (5, Some(session)) => Started::Session(client.open_session(session.id()).label(label).start()?),
        (6 | 7, Some(session)) => Started::other(session.properties().label(label).start()?),
        (8, Some(session)) => Started::other(session.wait_until_ready().timeout(storm.patience).label(label).start()?),
        (9, Some(session)) => {
            let lease = Lease::new(Duration::from_secs(3600 + 60 * dice.roll(600)))?;
            Started::other(session.update_lease(lease).label(label).start()?)
        }
        (10, Some(session)) => {
            look_after(session, dice)?;
            return Ok(None);
        }
        (_, Some(session)) => Started::other(session.stop().label(label).start()?),
    };
    storm.started.fetch_add(1, Ordering::Relaxed);
    Ok(Some(Held { label, operation, end: None }))
}

fn look_after(session: &Session, dice: &mut Dice) -> arr_client::Result<()> {
    let options = WatchOptions::default().stop_on_shutdown(dice.roll(2) == 0);
    session.watch(options, 0)?;
    match dice.roll(3) {
        0 => session.unwatch(),
        1 => session.touch(),
        _ => {
            // Extended immediately, never beyond its cap.
            let keep = KeepAlive::until(Duration::from_secs(4 * 3600)).threshold(Duration::from_secs(7200));
            match session.keep_alive(Some(keep)) {
                // Another thread may hold another handle of the same session, and watch it.
                Err(error) if error.kind() != ErrorKind::InvalidArgument => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Uses and drops an operation. Returns the resulting session.
fn end(storm: &Storm, mut held: Held, dice: &mut Dice) -> Result<Option<Session>, String> {
    match dice.roll(4) {
        0 => held.operation.operation().cancel(),
        1 => drop(held.operation.operation().wait(Duration::from_millis(dice.roll(20)))),
        2 => {
            let state = held.operation.operation().wait(2 * storm.patience);
            if state == OperationState::Running {
                return Err(format!("operation {} has not ended in twice its time", held.label));
            }
        }
        _ => {}
    }
    held.look()?;
    let session = held.operation.session();
    held.look()?;
    // Dropping a running operation cancels it.
    let end = held.end.unwrap_or(OperationState::Cancelled);
    storm.ends.lock().unwrap_or_else(PoisonError::into_inner).insert(held.label, end);
    Ok(session)
}

impl Held {
    /// Fails if an ended operation has changed its state.
    fn look(&mut self) -> Result<(), String> {
        let state = self.operation.operation().state();
        match self.end {
            Some(end) if end != state => {
                Err(format!("operation {} had ended as {end:?}, and is {state:?}", self.label))
            }
            None if state != OperationState::Running => {
                self.end = Some(state);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

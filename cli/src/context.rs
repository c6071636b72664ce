//! What every command has: the configuration, and how to reach the service.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arr_client::{Call, Client, ErrorKind, Session, SessionId, StartedOperation};
use console::{style, user_attended_stderr};

use crate::args::{EMULATOR, Format, Global};
use crate::config::{Journal, Settings};
use crate::failure::{Failure, note, printable, say};
use crate::interrupt;

pub(crate) struct Context<'a> {
    pub(crate) settings: Settings<'a>,
    pub(crate) global: &'a Global,
}

impl Context<'_> {
    pub(crate) fn format(&self) -> Format {
        self.global.output
    }

    /// Makes a client. Sends nothing.
    pub(crate) fn connect(&self, journal: Journal) -> Result<Connection, Failure> {
        Ok(self.open(self.settings.client(journal)?))
    }

    pub(crate) fn open(&self, client: Client) -> Connection {
        let client = Arc::new(client);
        let log = self.global.verbose.then(|| {
            let client = Arc::clone(&client);
            thread::spawn(move || print_log(&client))
        });
        Connection { client, log }
    }

    /// A command line for the user to paste, with the options that were given.
    pub(crate) fn command(&self, command: &str) -> String {
        let plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,".contains(c);
        let quoted = |value: &str| match value.chars().all(plain) {
            true => value.to_owned(),
            false => format!("'{}'", value.replace('\'', r"'\''")),
        };
        let options = self.global.account.given.iter().map(|(name, value)| match (name.as_str(), value.as_str()) {
            ("--emulator", EMULATOR) => "--emulator ".to_owned(),
            (name, value) => format!("{name}={} ", quoted(value)),
        });
        format!("arr {}{command}", options.collect::<String>())
    }

    /// How to stop a session.
    pub(crate) fn to_stop(&self, id: &SessionId) -> String {
        format!("to stop it: {}", self.command(&format!("stop {id}")))
    }
}

static READ_INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A client, which is shut down at the end.
pub(crate) struct Connection {
    client: Arc<Client>,
    log: Option<JoinHandle<()>>,
}

impl Deref for Connection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Stops that were started are finished; a read that was interrupted is not.
        let patience = if READ_INTERRUPTED.load(Ordering::Relaxed) { Duration::ZERO } else { Duration::from_secs(2) };
        let _ = self.client.shut_down_within(patience);
        self.log.take().map(JoinHandle::join);
    }
}

impl Connection {
    /// The session with this id. If the journal has it, it belongs to this client from now on.
    pub(crate) fn take(&self, id: &SessionId) -> Result<Taken, Failure> {
        match run(self.recover_session(id))? {
            Ok(session) => Ok(Taken { session, mine: true }),
            // The journal does not have it, or there is none.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidArgument) => {
                Ok(Taken { session: run(self.open_session(id))??, mine: false })
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A session, which goes back to the journal at the end.
pub(crate) struct Taken {
    pub(crate) session: Session,
    pub(crate) mine: bool,
}

impl Drop for Taken {
    fn drop(&mut self) {
        if self.mine {
            release(&self.session);
        }
    }
}

/// Leaves a session running on purpose, so that the journal does not count it as lost.
pub(crate) fn release(session: &Session) {
    if let Err(error) = session.release() {
        note(&format!("`arr recover` will show the session as left behind: {error}"));
    }
}

/// How often a command that waits looks whether it was interrupted.
pub(crate) const SLICE: Duration = Duration::from_millis(50);

/// Waits until an operation ends. `None`: it was interrupted so often before that.
pub(crate) fn finish<T: Clone + Send + Sync + 'static>(
    operation: &StartedOperation<T>,
    interrupts: u32,
    mut tick: impl FnMut(),
) -> Option<Result<T, arr_client::Error>> {
    while operation.wait(SLICE) == arr_client::OperationState::Running {
        if interrupt::count() >= interrupts {
            return None;
        }
        tick();
    }
    Some(operation.outcome())
}

/// Runs a call that only reads, during which Ctrl+C ends the program. If the reply is late, a terminal shows that.
pub(crate) fn ask<T: Clone + Send + Sync + 'static>(call: Call<T>) -> Result<T, arr_client::Error> {
    const LATE: Duration = Duration::from_secs(3);
    let operation = call.start()?;
    if operation.wait(LATE) == arr_client::OperationState::Running && user_attended_stderr() {
        say("waiting for the service (--verbose shows the requests, --request-timeout limits the time)");
    }
    while operation.wait(LATE) == arr_client::OperationState::Running {}
    operation.outcome()
}

/// Runs a call that Ctrl+C ends, while that does not end the program.
pub(crate) fn run<T: Clone + Send + Sync + 'static>(call: Call<T>) -> Result<Result<T, arr_client::Error>, Failure> {
    match call.start() {
        Ok(operation) => finish(&operation, 1, || ()).ok_or_else(|| {
            READ_INTERRUPTED.store(true, Ordering::Relaxed);
            interrupt::interrupted("interrupted")
        }),
        Err(error) => Ok(Err(error)),
    }
}

/// Prints the client's log until the client ends.
fn print_log(client: &Client) {
    while let Ok(entry) = client.next_log(Duration::from_secs(3_600)) {
        let Some(entry) = entry else { continue };
        let vector = entry.correlation_vector.map(|vector| format!(" (MS-CV {vector})")).unwrap_or_default();
        let line = printable(&format!("* {}{vector}", entry.message));
        say(style(line).for_stderr().dim());
    }
}

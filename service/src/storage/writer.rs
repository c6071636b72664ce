//! The thread that writes to the database.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::database::Database;
use super::error::StateFolderError;
use crate::clock::AdjustableClock;
use crate::log::Log;
use crate::session::SessionStore;
use crate::sync::lock;

/// Writes the changes of a store to its database, on its own thread: a flush to the disk blocks.
#[derive(Debug)]
pub(crate) struct Writer {
    sessions: Arc<Mutex<SessionStore>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Fills the store from the database, and writes its changes from now on. The inner error is the system's, if it
    /// cannot start a thread.
    pub(crate) fn start(
        database: Database,
        sessions: &Arc<Mutex<SessionStore>>,
        clock: Arc<AdjustableClock>,
        log: Arc<Log>,
    ) -> Result<io::Result<Writer>, StateFolderError> {
        let (created, kept) = database.sessions()?;
        let (wake, woken) = sync_channel(1);
        lock(sessions).keep(created, kept, wake);
        let mut thread =
            WriterThread { database, sessions: sessions.clone(), clock, failures: Failures { log, warned: None } };
        let started = thread::Builder::new().name("arr-emulator-db".to_owned()).spawn(move || thread.run(&woken));
        Ok(started.map(|thread| Writer { sessions: sessions.clone(), thread: Some(thread) }))
    }
}

impl Drop for Writer {
    /// Writes what is left, closes the database and unlocks the folder.
    fn drop(&mut self) {
        lock(&self.sessions).end_keeping();
        if let Some(thread) = self.thread.take() {
            // A panic has been reported.
            let _ = thread.join();
        }
    }
}

struct WriterThread {
    database: Database,
    sessions: Arc<Mutex<SessionStore>>,
    clock: Arc<AdjustableClock>,
    failures: Failures,
}

impl WriterThread {
    /// Runs until the store drops its end of the channel.
    fn run(&mut self, woken: &Receiver<()>) {
        loop {
            let end = woken.recv().is_err();
            while self.write_batch() {}
            if end {
                return;
            }
        }
    }

    /// Writes the open batch; false if there was none or it failed. Then the next change tries again.
    fn write_batch(&mut self) -> bool {
        let taken = lock(&self.sessions).take_batch();
        let Some((batch, created)) = taken else { return false };
        let now = self.clock.timestamp();
        // A bug in here must not leave calls without a reply.
        let stored = catch_unwind(AssertUnwindSafe(|| self.database.store(&batch, created, now)));
        let stored = stored.unwrap_or(Err(rusqlite::Error::InvalidQuery));
        match &stored {
            Ok(()) => lock(&self.sessions).stored(&batch),
            Err(_) => lock(&self.sessions).not_stored(batch),
        }
        self.failures.report(now.unix_time, &stored);
        stored.is_ok()
    }
}

/// Logs failed writes, at most once a minute, and their end.
struct Failures {
    log: Arc<Log>,
    warned: Option<Instant>,
}

impl Failures {
    fn report(&mut self, unix_time: Duration, stored: &rusqlite::Result<()>) {
        const PAUSE: Duration = Duration::from_secs(60);
        match stored {
            Ok(()) if self.warned.take().is_some() => {
                self.log.warning(unix_time, "the state folder can be written again")
            }
            Err(error) if self.warned.is_none_or(|warned| warned.elapsed() >= PAUSE) => {
                self.warned = Some(Instant::now());
                let text = format!("cannot write the state folder, so calls that change something get 503: {error}");
                self.log.warning(unix_time, &text);
            }
            _ => {}
        }
    }
}

//! Control over time and the disk in tests. Pass your own [`Clock`] to
//! [`Client::with_clock`](crate::Client::with_clock). Only with the feature `test-util`.

pub use crate::clock::{Clock, Instant, Signal, SystemClock};
use once_cell::sync::Lazy;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Blocks all journal I/O in a folder, like a disk that hangs, until dropped.
#[derive(Debug)]
pub struct HeldJournal(PathBuf);

#[derive(Default)]
struct Held {
    /// The folders, and how many threads each of them blocks.
    folders: Mutex<Vec<(PathBuf, usize)>>,
    changed: Condvar,
}

static HELD: Lazy<Held> = Lazy::new(Held::default);

impl Held {
    fn folders(&self) -> MutexGuard<'_, Vec<(PathBuf, usize)>> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, condition: impl FnMut(&mut Vec<(PathBuf, usize)>) -> bool) {
        drop(self.changed.wait_while(self.folders(), condition));
    }
}

impl HeldJournal {
    /// Blocks the journals in this folder from now on.
    ///
    /// # Panics
    /// If there is no such folder.
    pub fn new(folder: &Path) -> HeldJournal {
        let folder = folder.canonicalize().expect("the journal folder exists");
        HELD.folders().push((folder.clone(), 0));
        HeldJournal(folder)
    }

    /// Waits until a journal is blocked.
    pub fn wait_until_reached(&self) {
        HELD.wait_while(|folders| !folders.iter().any(|(folder, waiting)| *folder == self.0 && *waiting > 0));
    }
}

impl Drop for HeldJournal {
    fn drop(&mut self) {
        HELD.folders().retain(|(folder, _)| *folder != self.0);
        HELD.changed.notify_all();
    }
}

/// Blocks while this folder is held.
pub(crate) fn pass(journal: &Path) {
    if let Some((_, waiting)) = HELD.folders().iter_mut().find(|(folder, _)| folder == journal) {
        *waiting += 1;
        HELD.changed.notify_all();
    }
    HELD.wait_while(|folders| folders.iter().any(|(folder, _)| folder == journal));
}

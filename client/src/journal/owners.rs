//! The journals of this process. A file's lock belongs to the process: it does not distinguish clients of one process,
//! and closing any handle of the file releases it. So no journal opens a file that another one of this process owns,
//! and only one at a time opens a folder's files of other processes.

use super::Own;
use crate::clock::lock;
use crate::sys::PerProcess;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use uuid::Uuid;

/// The owner of a file: a journal that is or was open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct OwnerId(Uuid);

impl OwnerId {
    pub(super) fn new() -> OwnerId {
        OwnerId(Uuid::new_v4())
    }

    pub(super) fn parse(text: &str) -> Option<OwnerId> {
        // Another spelling would be another file name.
        Uuid::try_parse(text).ok().map(OwnerId).filter(|id| id.to_string() == text)
    }

    pub(super) fn number(self) -> u128 {
        self.0.as_u128()
    }
}

impl fmt::Display for OwnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Default)]
struct Owners {
    /// Held briefly. Acquired last.
    registered: Mutex<Vec<Registered>>,
    /// For each folder, a lock that is held while files of other processes are open in it. Acquired first.
    others: Mutex<HashMap<PathBuf, Arc<Mutex<()>>>>,
}

struct Registered {
    id: OwnerId,
    folder: PathBuf,
    own: Weak<Mutex<Own>>,
}

static OWNERS: PerProcess<Owners> = PerProcess::new();

/// Hold this lock to open files in the folder that this process does not own.
pub(super) fn others_of(folder: &Path) -> Arc<Mutex<()>> {
    Arc::clone(lock(&OWNERS.get().others).entry(folder.to_owned()).or_default())
}

/// The owner with this id, if this process has it.
pub(super) fn find(id: OwnerId) -> Option<Weak<Mutex<Own>>> {
    let registered = lock(&OWNERS.get().registered);
    registered.iter().find(|other| other.id == id).map(|other| other.own.clone())
}

/// Whether a process that this one was forked from had this owner. Its file is open here too, but a forked child does
/// not inherit the lock.
pub(super) fn is_inherited(id: OwnerId) -> bool {
    // A lock that another thread held at the fork is never released here.
    let had = |owners: &Owners| owners.registered.try_lock().is_ok_and(|them| them.iter().any(|other| other.id == id));
    OWNERS.inherited().any(had)
}

/// The open journals of this process in this folder.
pub(super) fn all_in(folder: &Path) -> Vec<Arc<Mutex<Own>>> {
    let registered = lock(&OWNERS.get().registered);
    registered.iter().filter(|owner| owner.folder == folder).filter_map(|owner| owner.own.upgrade()).collect()
}

/// An owner of this process, until it is dropped.
pub(super) struct Registration(OwnerId);

impl Registration {
    pub(super) fn new(folder: &Path, own: &Weak<Mutex<Own>>) -> Registration {
        let id = OwnerId::new();
        lock(&OWNERS.get().registered).push(Registered { id, folder: folder.to_owned(), own: own.clone() });
        Registration(id)
    }

    pub(super) fn id(&self) -> OwnerId {
        self.0
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        lock(&OWNERS.get().registered).retain(|owner| owner.id != self.0);
    }
}

//! The client's journal: files for finding sessions after a crash. A forgotten session costs money until its lease
//! expires (docs/journal.md).
//!
//! A record is on disk before the request that creates its session is sent. Each journal has its own file, which it
//! keeps locked and only appends to, so no client waits for another. The files of dead owners can be claimed.

mod adoption;
mod file;
mod folder;
mod line;
mod owners;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use adoption::Adopted;
pub(crate) use record::{Record, RecordId, RecordState, sort_by_number};

use crate::clock::{Clock, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Lease, NewSession, SessionId, SessionProperties};
use crate::sys::{OpenFiles, generation};
use crate::wire::Service;
use file::{Change, Dead, OwnFile};
use folder::{Folder, damaged, of_another_copy};
use line::Why;
use record::latest;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// An open journal. Methods that change it wait for the disk: do not call these on a rendering thread. Unless stated
/// otherwise, errors are [`ErrorKind::Storage`], or [`ErrorKind::OutOfResources`] if the process has run out of files.
pub(crate) struct Journal {
    folder: Folder,
    clock: Arc<dyn Clock>,
    /// The generation of the process that made it. A forked child has a copy, which it must not use.
    process: u32,
    own: Arc<Mutex<Own>>,
}

/// The journal's own records, and the file that has them. This copy is authoritative.
#[derive(Default)]
struct Own {
    records: HashMap<RecordId, Numbered>,
    /// The number of the latest record.
    latest: u64,
    /// Created with the first record.
    file: Option<OwnFile>,
    /// The file lacks something that could not be written: the next change writes a new file.
    stale: bool,
    ended: Option<Ended>,
}

/// A record, and its number in the order of their creates.
struct Numbered {
    number: u64,
    record: Record,
}

/// What an ended journal leaves behind.
struct Ended {
    /// The file of the records that are left, if there are any.
    left: Option<PathBuf>,
    result: Result<()>,
}

/// What the other owners of the folder have recorded.
#[derive(Default)]
pub(crate) struct Survey {
    /// The records of sessions that may still be running, oldest first, each with whether its owner is alive.
    pub(crate) records: Vec<(Record, bool)>,
    /// Files that were left alone.
    pub(crate) problems: Vec<Error>,
}

impl Survey {
    /// The records of dead owners.
    pub(crate) fn left_behind(self) -> Vec<Record> {
        self.records.into_iter().filter(|(_, lives)| !lives).map(|(record, _)| record).collect()
    }
}

impl Journal {
    /// Opens the journal in this folder, which is created if missing. Fails if it is not writable.
    pub(crate) fn open(folder: &Path, clock: Arc<dyn Clock>) -> Result<Journal> {
        Ok(Journal { folder: Folder::at(folder)?, clock, process: generation(), own: Arc::default() })
    }

    /// Records a create that is about to be sent. If this fails, the create must not be sent.
    pub(crate) fn begin(&self, service: &Service, new: &NewSession) -> Result<RecordId> {
        self.begin_record(Record::new(self.clock.unix_time(), service, new))
    }

    /// Like [`Journal::begin`], for an id that the application gave.
    pub(crate) fn begin_given(&self, service: &Service, new: &NewSession) -> Result<RecordId> {
        let mut record = Record::new(self.clock.unix_time(), service, new);
        record.id_given = true;
        self.begin_record(record)
    }

    fn begin_record(&self, record: Record) -> Result<RecordId> {
        let mut own = self.alive()?;
        let id = record.id;
        own.insert(record.clone());
        let written = self.write(&mut own, &line::of_record(&record)).and_then(|()| self.sync(&mut own));
        if written.is_err() {
            own.records.remove(&id);
            // The file may have the record anyway.
            own.stale |= own.file.is_some();
        }
        written.map(|()| id)
    }

    /// Records that the create is sent only now: it had to wait.
    pub(crate) fn sent_now(&self, id: RecordId) -> Result<()> {
        let now = self.clock.unix_time();
        self.change(id, |record| record.written = now)
    }

    /// Records that the session exists, and its id. Like every later change, it takes effect in memory even if it
    /// cannot be written; the next change writes it too. Once written, it survives the end of the process; some seconds
    /// later, or after [`flush`](Journal::flush), also a power failure.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the record does not belong to this journal. The same holds for
    /// [`lost`](Journal::lost).
    pub(crate) fn complete(&self, id: RecordId, session: &SessionId) -> Result<()> {
        self.change(id, |record| {
            record.session_id = Some(session.clone());
            record.state = RecordState::Created;
        })
    }

    /// Records that the reply was lost, so that it is unknown whether there is a session.
    pub(crate) fn lost(&self, id: RecordId) -> Result<()> {
        self.change(id, |record| record.state = RecordState::Lost)
    }

    /// Records the sessions that a lost create may have made, before they are named to a caller, who may change their
    /// leases.
    pub(crate) fn name_candidates(&self, id: RecordId, sessions: &[SessionProperties]) -> Result<()> {
        self.change(id, |record| {
            for session in sessions {
                let lease = session.max_lease.and_then(|length| Lease::new(length).ok()).unwrap_or(record.max_lease);
                record.candidates.insert(session.id.clone(), lease);
            }
        })
    }

    /// Removes a create that was certainly not carried out.
    pub(crate) fn remove(&self, id: RecordId) -> Result<()> {
        self.end_all(&[id], Why::Ended)
    }

    /// Removes a session that has ended. A session without a record here is not an error.
    pub(crate) fn ended(&self, service: &Service, session: &SessionId) -> Result<()> {
        self.end_all(&self.of(service, session)?, Why::Ended)
    }

    /// Records a changed lease. A record is kept only until a day after its lease.
    pub(crate) fn extended(&self, service: &Service, session: &SessionId, max_lease: Lease) -> Result<()> {
        self.change_all(service, session, |record| record.max_lease = record.max_lease.max(max_lease))?;
        let own = self.own();
        own.iter().filter(|record| record.names(service, session)).try_for_each(|record| {
            let name = |record: &mut Record| record.candidates.extend([(session.clone(), max_lease)]);
            self.change_if_own(record.id, name).map(drop)
        })
    }

    /// Records that the session is left running on purpose, so that it does not look like one that a crash left behind.
    pub(crate) fn released(&self, service: &Service, session: &SessionId) -> Result<()> {
        self.change_all(service, session, |record| record.state = RecordState::Released)?;
        self.flush()
    }

    /// The records that this journal owns, oldest first.
    pub(crate) fn own(&self) -> Vec<Record> {
        self.mine().map(|own| own.in_order()).unwrap_or_default()
    }

    /// The records of other owners. Waits for none of them: the file of a stopped process can be read too.
    pub(crate) fn others(&self) -> Result<Survey> {
        let now = self.clock.unix_time();
        let mut survey = Survey::default();
        let (mut living, mut dead): (Vec<Record>, Vec<Record>) = (self.own(), Vec::new());
        let of_mine = living.len();
        let (owners, strange) = self.folder.list()?;
        let others = self.folder.open_others();
        // After the listing: a listed file that another copy of the library has created is still open.
        let here = OpenFiles::now();
        for owner in owners {
            if let Some(own) = owners::find(owner) {
                let own = own.upgrade().filter(|own| !Arc::ptr_eq(own, &self.own));
                living.extend(own.iter().flat_map(|own| lock(own).in_order()));
                continue;
            }
            let path = self.folder.file_of(owner);
            if here.include(&path) && !owners::is_inherited(owner) {
                survey.problems.push(of_another_copy(&path));
                continue;
            }
            match file::look(&path) {
                Ok(Some(seen)) if seen.lives => living.extend(seen.contents.records),
                Ok(Some(seen)) if file::is_spent(&seen.contents, now) => {
                    if let Ok(Some(spent)) = Dead::claim(&path) {
                        spent.remove_if_spent(now);
                    }
                }
                Ok(Some(seen)) => {
                    survey.problems.extend(seen.contents.damaged.then(|| damaged(&path)));
                    dead.extend(seen.contents.records);
                }
                Ok(None) => {}
                // Without its records, other sessions could be taken for this client's.
                Err(error) if error.kind() == ErrorKind::OutOfResources => return Err(error),
                Err(problem) => survey.problems.push(problem),
            }
        }
        survey.problems.extend(strange.iter().filter_map(|path| file::look(path).err()));
        drop(others);

        let known: HashSet<RecordId> = living.iter().map(|record| record.id).collect();
        let left = latest(dead.into_iter().filter(|record| !known.contains(&record.id)));
        survey.records.extend(living.into_iter().skip(of_mine).map(|record| (record, true)));
        survey.records.extend(left.into_iter().map(|record| (record, false)));
        survey.records.retain(|(record, _)| !record.is_over(now));
        sort_by_number(&mut survey.records, |(record, _)| record.written.as_nanos());
        Ok(survey)
    }

    /// The time, by the clock that dates the records.
    pub(crate) fn unix_time(&self) -> std::time::Duration {
        self.clock.unix_time()
    }

    /// Gives up these records as if this journal had ended: any journal can adopt them, including this one.
    pub(crate) fn leave_behind(&self, ids: &[RecordId]) -> Result<()> {
        let _others = self.folder.open_others();
        let mut own = self.alive()?;
        let left: Vec<Record> = own.in_order().into_iter().filter(|record| ids.contains(&record.id)).collect();
        if left.is_empty() {
            return Ok(());
        }
        let lines: String = left.iter().map(line::of_record).collect();
        // The new file is unlocked from here on, so its owner counts as dead.
        drop(OwnFile::create(&self.folder, &std::sync::Weak::new(), &lines)?);
        left.iter().for_each(|record| drop(own.records.remove(&record.id)));
        let moved: String = left.iter().map(|record| line::of_end(record.id, Why::Moved)).collect();
        self.write(&mut own, &moved)
    }

    /// Gives up all records that may be of these sessions.
    pub(crate) fn leave_sessions_behind(&self, sessions: &[(Arc<Service>, SessionId)]) -> Result<()> {
        let is_of = |record: &Record, service: &Service, session: &SessionId| {
            record.is_of(service, session) || record.names(service, session)
        };
        let own = self.own();
        let left = own.iter().filter(|record| sessions.iter().any(|(service, id)| is_of(record, service, id)));
        self.leave_behind(&left.map(|record| record.id).collect::<Vec<_>>())
    }

    /// Gives up all records: from now on they are left behind. Records that no other journal has adopted can still be
    /// changed. Later calls return the result of the first.
    pub(crate) fn end(&self) -> Result<()> {
        let mut own = self.mine()?;
        if own.ended.is_none() {
            let result = if own.stale { self.replace(&mut own) } else { Ok(()) };
            let left = match own.file.take() {
                Some(file) if own.records.is_empty() => {
                    file.remove();
                    None
                }
                file => file.map(|file| file.path().to_owned()),
            };
            own.ended = Some(Ended { left, result });
        }
        own.ended.as_ref().map_or(Ok(()), |ended| ended.result.clone())
    }

    /// Whether [`end`](Journal::end) would wait for the disk. Does not wait itself.
    pub(crate) fn ends_slowly(&self) -> bool {
        // The thread that holds it may be writing.
        self.own
            .try_lock()
            .map_or(true, |own| own.ended.is_none() && (own.stale || own.file.is_some() && own.records.is_empty()))
    }

    /// Writes what could not be written before, and flushes everything, so that it survives a power failure.
    pub(crate) fn flush(&self) -> Result<()> {
        let mut own = self.mine()?;
        match &own.ended {
            Some(ended) => ended.result.clone(),
            None if own.stale => self.replace(&mut own),
            None => self.sync(&mut own),
        }
    }

    /// The own records, unless this is a copy in a forked child.
    fn mine(&self) -> Result<MutexGuard<'_, Own>> {
        if generation() != self.process {
            return Err(Error::forked());
        }
        #[cfg(feature = "test-util")]
        crate::test_util::pass(self.folder.path());
        Ok(lock(&self.own))
    }

    fn alive(&self) -> Result<MutexGuard<'_, Own>> {
        let own = self.mine()?;
        match own.ended {
            None => Ok(own),
            Some(_) => Err(Error::new(ErrorKind::ShutDown, "the client was shut down or freed; create another")),
        }
    }

    /// The own records of this session.
    fn of(&self, service: &Service, session: &SessionId) -> Result<Vec<RecordId>> {
        let own = self.mine()?;
        let records = own.records.values().map(|it| &it.record).filter(|record| record.is_of(service, session));
        Ok(records.map(|record| record.id).collect())
    }

    fn change_all(&self, service: &Service, session: &SessionId, change: impl Fn(&mut Record)) -> Result<()> {
        self.of(service, session)?.into_iter().try_for_each(|id| self.change_if_own(id, &change).map(drop))
    }

    fn change(&self, id: RecordId, change: impl FnOnce(&mut Record)) -> Result<()> {
        match self.change_if_own(id, change)? {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Internal, "the journal does not own this record; please report this")),
        }
    }

    /// Changes a record. Returns `false` if it is not here: another thread may have found that its session has ended.
    fn change_if_own(&self, id: RecordId, change: impl FnOnce(&mut Record)) -> Result<bool> {
        let mut own = self.mine()?;
        let Some(it) = own.records.get_mut(&id) else { return Ok(false) };
        change(&mut it.record);
        it.record.changes += 1;
        let change = Change::Record(it.record.clone());
        self.note(own, id, change).map(|()| true)
    }

    fn end_all(&self, ids: &[RecordId], why: Why) -> Result<()> {
        for id in ids {
            let mut own = self.mine()?;
            if own.records.remove(id).is_some() {
                self.note(own, *id, Change::Over(why))?;
            }
        }
        Ok(())
    }

    /// Writes a change that was made in memory.
    fn note(&self, mut own: MutexGuard<'_, Own>, id: RecordId, change: Change) -> Result<()> {
        let Some(ended) = &own.ended else { return self.write(&mut own, &change.line(id)) };
        let Some(left) = ended.left.clone() else { return Ok(()) };
        // Files of others are opened before own records are locked.
        drop(own);
        let _others = self.folder.open_others();
        let Some(mut dead) = Dead::claim(&left)? else { return Ok(()) };
        if dead.records().iter().any(|record| record.id == id) {
            dead.change(id, change)?;
        }
        dead.remove_if_spent(self.clock.unix_time());
        Ok(())
    }

    /// Appends lines for changes that the records already have, or writes a new file if one is due.
    fn write(&self, own: &mut Own, lines: &str) -> Result<()> {
        match &mut own.file {
            // A removed file is useless to the next run, and one whose lock was lost is no longer this client's.
            Some(file) if !own.stale && !file.is_large() && file.is_in_place() => {
                let appended = file.append(lines);
                own.stale = appended.is_err();
                appended.map_err(|cause| self.folder.cannot("be written to", &cause))
            }
            _ => self.replace(own),
        }
    }

    fn sync(&self, own: &mut Own) -> Result<()> {
        let synced = own.file.as_mut().map_or(Ok(()), OwnFile::sync);
        synced.map_err(|cause| self.folder.cannot("be written to", &cause))
    }

    /// Writes a new file with the current records, and removes the old one.
    fn replace(&self, own: &mut Own) -> Result<()> {
        let new = if own.records.is_empty() {
            None
        } else {
            let lines: String = own.in_order().iter().map(line::of_record).collect();
            Some(OwnFile::create(&self.folder, &Arc::downgrade(&self.own), &lines)?)
        };
        if let Some(old) = std::mem::replace(&mut own.file, new) {
            old.remove();
        }
        own.stale = false;
        Ok(())
    }
}

impl Own {
    fn insert(&mut self, record: Record) {
        self.latest += 1;
        self.records.insert(record.id, Numbered { number: self.latest, record });
    }

    fn in_order(&self) -> Vec<Record> {
        let mut records: Vec<&Numbered> = self.records.values().collect();
        sort_by_number(&mut records, |it| it.number.into());
        records.into_iter().map(|it| it.record.clone()).collect()
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // In a forked child, the file is the parent's.
        let _ = self.end();
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Journal").field(&self.folder.path()).finish()
    }
}

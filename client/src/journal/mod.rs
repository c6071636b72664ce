//! The client's journal: a file for finding sessions after a crash. A forgotten session costs money until its lease
//! expires (docs/journal.md).
//!
//! A record is on disk before the request that creates its session is sent. Several journals, in one or several
//! processes, may share a file. Each record has an owner, and only records of dead owners can be adopted.

mod file;
mod line;
mod owner;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use record::{Record, RecordId, RecordState};

use crate::clock::{Clock, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Lease, NewSession, SessionId};
use crate::wire::Service;
use file::JournalFile;
use line::Line;
use owner::Owner;
use record::OwnerId;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// An open journal. Every method that changes it waits for the disk, and for up to five seconds for other programs: do
/// not call these on a rendering thread. Unless stated otherwise, errors are [`ErrorKind::Storage`].
pub(crate) struct Journal {
    file: JournalFile,
    clock: Arc<dyn Clock>,
    id: OwnerId,
    own: Mutex<Own>,
}

/// The owner and its records. This copy is authoritative: the file is written from it, and may lag behind or be
/// damaged.
struct Own {
    owner: Owner,
    records: Vec<Record>,
    /// Released records that must still be written.
    left: Vec<Record>,
    /// A write has failed since the file last matched this state.
    unwritten: bool,
}

impl Journal {
    /// Opens or creates the journal at this path. Its folder must exist. Fails if it cannot be written.
    pub(crate) fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Journal> {
        let file = JournalFile::at(path)?;
        // Checked first, so that no lock file is created next to a file that is not a journal.
        file.read()?;
        let owner = Owner::register(&file, &file.lock()?)?;
        let id = owner.id();
        let own = Mutex::new(Own { owner, records: Vec::new(), left: Vec::new(), unwritten: false });
        let journal = Journal { file, clock, id, own };
        journal.write(&mut lock(&journal.own))?;
        journal.sweep()?;
        Ok(journal)
    }

    /// Records a create that is about to be sent. If this fails, the create must not be sent.
    pub(crate) fn begin(&self, service: &Service, new: &NewSession) -> Result<RecordId> {
        let mut own = lock(&self.own);
        if !own.owner.lives() {
            return Err(Error::new(
                ErrorKind::ShutDown,
                "the client of this journal was shut down or freed; make another",
            ));
        }
        let record = Record::new(self.id, self.clock.unix_time(), service, new);
        let id = record.id;
        own.records.push(record);
        let written = self.write(&mut own);
        if written.is_err() {
            own.records.pop();
        }
        written.map(|()| id)
    }

    /// Records that the session exists, and its id. This and every later change takes effect in memory even if it
    /// cannot be written; the next write includes it.
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

    /// Removes a create that was certainly not carried out.
    pub(crate) fn remove(&self, id: RecordId) -> Result<()> {
        self.forget(|record| record.id == id)
    }

    /// Removes a session that has ended. A session without a record here is not an error.
    pub(crate) fn ended(&self, service: &Service, session: &SessionId) -> Result<()> {
        self.forget(|record| record.is_of(service, session))
    }

    /// Records a changed lease. A record is kept only until a day after its lease.
    pub(crate) fn extended(&self, service: &Service, session: &SessionId, max_lease: Lease) -> Result<()> {
        let mut own = lock(&self.own);
        let mut records = own.records.iter_mut().filter(|record| record.is_of(service, session)).peekable();
        if records.peek().is_none() {
            return Ok(());
        }
        records.for_each(|record| record.max_lease = max_lease);
        self.write(&mut own)
    }

    /// The records that this journal owns.
    pub(crate) fn own(&self) -> Vec<Record> {
        lock(&self.own).records.clone()
    }

    /// The records of dead owners whose sessions may still be running.
    pub(crate) fn left_behind(&self) -> Result<Vec<Record>> {
        Ok(self.others()?.into_iter().filter(|(_, lives)| !lives).map(|(record, _)| record).collect())
    }

    /// The records of other owners whose sessions may still be running, and whether the owner is alive.
    pub(crate) fn others(&self) -> Result<Vec<(Record, bool)>> {
        let now = self.clock.unix_time();
        let _lock = self.file.lock()?;
        let lines = self.file.read()?;
        let records = lines.into_iter().filter_map(|line| match line {
            Line::Record(record) if record.owner != self.id && !record.is_over(now) => Some(record),
            _ => None,
        });
        Ok(records
            .map(|record| (owner::lives(&self.file, record.owner), record))
            .map(|(lives, it)| (it, lives))
            .collect())
    }

    /// The time, by the clock that dates the records.
    pub(crate) fn unix_time(&self) -> std::time::Duration {
        self.clock.unix_time()
    }

    /// Takes ownership of those of these records that are still left behind, and returns them. A record goes to one
    /// owner only.
    pub(crate) fn adopt(&self, ids: &[RecordId]) -> Result<Vec<Record>> {
        self.rewrite(&mut lock(&self.own), ids)
    }

    /// Releases these records as if this journal had ended: any journal can adopt them again, including this one.
    pub(crate) fn leave_behind(&self, ids: &[RecordId]) -> Result<()> {
        let mut own = lock(&self.own);
        // No journal has this new id, so its owner counts as dead.
        let no_owner = OwnerId::new();
        let mut left: Vec<Record> = own.records.extract_if(.., |record| ids.contains(&record.id)).collect();
        left.iter_mut().for_each(|record| record.owner = no_owner);
        own.left.extend(left);
        self.write(&mut own)
    }

    /// Releases all records: from now on they are left behind. Those that no other journal has adopted can still be
    /// changed.
    pub(crate) fn end(&self) -> Result<()> {
        let flushed = self.flush();
        let mut own = lock(&self.own);
        own.end();
        flushed
    }

    /// Retries a failed write, if there was one.
    pub(crate) fn flush(&self) -> Result<()> {
        let mut own = lock(&self.own);
        if own.unwritten { self.write(&mut own) } else { Ok(()) }
    }

    fn change(&self, id: RecordId, change: impl FnOnce(&mut Record)) -> Result<()> {
        let mut own = lock(&self.own);
        let Some(record) = own.records.iter_mut().find(|record| record.id == id) else {
            return Err(Error::new(ErrorKind::Internal, "the journal has no such record of its own"));
        };
        change(record);
        self.write(&mut own)
    }

    fn forget(&self, which: impl Fn(&Record) -> bool) -> Result<()> {
        let mut own = lock(&self.own);
        let before = own.records.len();
        own.records.retain(|record| !which(record));
        if own.records.len() == before { Ok(()) } else { self.write(&mut own) }
    }

    fn write(&self, own: &mut Own) -> Result<()> {
        self.rewrite(own, &[]).map(drop)
    }

    /// The only way to change the file: the lines of other owners unchanged, except obsolete ones; then our own lines,
    /// including those of `wanted` that can be adopted.
    fn rewrite(&self, own: &mut Own, wanted: &[RecordId]) -> Result<Vec<Record>> {
        own.unwritten = true;
        let lock = self.file.lock()?;
        own.owner.renew(&self.file)?;
        let now = self.clock.unix_time();
        let read = self.file.read()?;
        if !own.owner.lives() {
            // A record that another journal has adopted is no longer ours.
            own.records.retain(|record| is_noted(&read, record));
        }
        let mut adopted = Vec::new();
        let mut lines = Vec::new();
        let mut without_records = Vec::new();
        for line in read {
            match line {
                Line::Record(record) if record.owner == self.id || own.has(record.id) => {}
                Line::Record(mut record)
                    if (record.is_over(now) || wanted.contains(&record.id))
                        && !owner::lives(&self.file, record.owner) =>
                {
                    without_records.push(record.owner);
                    if !record.is_over(now) {
                        record.owner = self.id;
                        adopted.push(record);
                    }
                }
                other => lines.push(other),
            }
        }
        without_records.retain(|id| !has_record(&lines, *id));
        lines.extend(own.records.iter().chain(&own.left).chain(&adopted).cloned().map(Line::Record));

        self.file.replace(&lock, &lines)?;
        // From here on no other journal can adopt them, even if the write turns out not to be durable.
        own.records.extend_from_slice(&adopted);
        own.left.clear();
        self.file.sync_folder()?;
        own.unwritten = false;
        without_records.into_iter().for_each(|id| owner::bury(&self.file, id));
        Ok(adopted)
    }

    /// Removes the lock files of dead owners without records.
    fn sweep(&self) -> Result<()> {
        let _lock = self.file.lock()?;
        let lines = self.file.read()?;
        for id in owner::all(&self.file) {
            if id != self.id && !has_record(&lines, id) {
                owner::bury(&self.file, id);
            }
        }
        Ok(())
    }
}

fn has_record(lines: &[Line], owner: OwnerId) -> bool {
    lines.iter().any(|line| matches!(line, Line::Record(record) if record.owner == owner))
}

/// Whether this record is present with the same owner.
fn is_noted(lines: &[Line], wanted: &Record) -> bool {
    let is =
        |line: &Line| matches!(line, Line::Record(record) if record.id == wanted.id && record.owner == wanted.owner);
    lines.iter().any(is)
}

impl Own {
    fn end(&mut self) {
        if self.records.is_empty() {
            self.owner.leave_no_trace();
        }
        self.owner.die();
    }

    fn has(&self, id: RecordId) -> bool {
        self.records.iter().any(|record| record.id == id)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let own = self.own.get_mut().unwrap_or_else(PoisonError::into_inner);
        if own.owner.lives() {
            own.end();
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Journal").field(&self.file.path()).finish()
    }
}

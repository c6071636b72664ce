//! The client's journal: the file that finds a session again after a crash, as one that nobody remembers costs money until
//! its lease runs out (docs/journal.md).
//!
//! A record is on the disk before the request that creates its session is sent. Several journals may share a file, in one
//! process or in several: each record has an owner, and only the records of the dead can be adopted.

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

/// An open journal. Every method that changes it waits for the disk, and for up to five seconds for other programs: none is
/// for a thread that draws. Where nothing else is said, errors are [`ErrorKind::Storage`].
pub(crate) struct Journal {
    file: JournalFile,
    clock: Arc<dyn Clock>,
    id: OwnerId,
    own: Mutex<Own>,
}

/// The owner and its records. They are written from here, so the file may lag behind or be damaged.
struct Own {
    owner: Owner,
    records: Vec<Record>,
    /// Records that were let go of, to be written so.
    left: Vec<Record>,
    /// A write has failed since they last stood in the file as they are here.
    unwritten: bool,
}

impl Journal {
    /// Opens the journal at this path, or begins it; its folder must exist. That it can be written is seen here.
    pub(crate) fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Journal> {
        let file = JournalFile::at(path)?;
        // Beside a file that is something else, not even a lock is made.
        file.read()?;
        let owner = Owner::register(&file, &file.lock()?)?;
        let id = owner.id();
        let own = Mutex::new(Own { owner, records: Vec::new(), left: Vec::new(), unwritten: false });
        let journal = Journal { file, clock, id, own };
        journal.write(&mut lock(&journal.own))?;
        journal.sweep()?;
        Ok(journal)
    }

    /// Notes a create that is about to be sent. It must not be sent if this fails.
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

    /// Notes that the session exists, and its id. Like every change from here on, it holds in memory also if it cannot be
    /// written, and is written with the next one.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] for a record that is not this journal's, here and in [`lost`](Journal::lost).
    pub(crate) fn complete(&self, id: RecordId, session: &SessionId) -> Result<()> {
        self.change(id, |record| {
            record.session_id = Some(session.clone());
            record.state = RecordState::Created;
        })
    }

    /// Notes that the answer was lost: nobody knows whether there is a session.
    pub(crate) fn lost(&self, id: RecordId) -> Result<()> {
        self.change(id, |record| record.state = RecordState::Lost)
    }

    /// Forgets a create that was certainly not carried out.
    pub(crate) fn remove(&self, id: RecordId) -> Result<()> {
        self.forget(|record| record.id == id)
    }

    /// Forgets a session that has ended. One that has no record here is no error.
    pub(crate) fn ended(&self, service: &Service, session: &SessionId) -> Result<()> {
        self.forget(|record| record.is_of(service, session))
    }

    /// Notes that a session's lease was changed, as a record is kept only a day longer than that.
    pub(crate) fn extended(&self, service: &Service, session: &SessionId, max_lease: Lease) -> Result<()> {
        let mut own = lock(&self.own);
        let mut records = own.records.iter_mut().filter(|record| record.is_of(service, session)).peekable();
        if records.peek().is_none() {
            return Ok(());
        }
        records.for_each(|record| record.max_lease = max_lease);
        self.write(&mut own)
    }

    /// The records that this journal answers for.
    pub(crate) fn own(&self) -> Vec<Record> {
        lock(&self.own).records.clone()
    }

    /// The records of owners that are dead, of sessions that may still run.
    pub(crate) fn left_behind(&self) -> Result<Vec<Record>> {
        Ok(self.others()?.into_iter().filter(|(_, lives)| !lives).map(|(record, _)| record).collect())
    }

    /// The records of other owners, of sessions that may still run, and whether the owner lives.
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

    /// What time it is, by the clock that records are written by.
    pub(crate) fn unix_time(&self) -> std::time::Duration {
        self.clock.unix_time()
    }

    /// Takes over those of these records that are still left behind, and returns them. No two owners get the same one.
    pub(crate) fn adopt(&self, ids: &[RecordId]) -> Result<Vec<Record>> {
        self.rewrite(&mut lock(&self.own), ids)
    }

    /// Lets go of these records, as if this journal had ended: they can be adopted again, also by itself.
    pub(crate) fn leave_behind(&self, ids: &[RecordId]) -> Result<()> {
        let mut own = lock(&self.own);
        // Nobody has this name, so whoever has it is dead.
        let nobody = OwnerId::new();
        let mut left: Vec<Record> = own.records.extract_if(.., |record| ids.contains(&record.id)).collect();
        left.iter_mut().for_each(|record| record.owner = nobody);
        own.left.extend(left);
        self.write(&mut own)
    }

    /// Lets go of all records: from now on they are left behind. Those that nobody has adopted can still be changed.
    pub(crate) fn end(&self) -> Result<()> {
        let flushed = self.flush();
        let mut own = lock(&self.own);
        own.end();
        flushed
    }

    /// Writes what a failed write has left unwritten, if anything.
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

    /// The one way to change the file: everybody else's lines as they are, less those that are of no use; then the own
    /// ones, with those of `wanted` that can be adopted.
    fn rewrite(&self, own: &mut Own, wanted: &[RecordId]) -> Result<Vec<Record>> {
        own.unwritten = true;
        let lock = self.file.lock()?;
        own.owner.renew(&self.file)?;
        let now = self.clock.unix_time();
        let read = self.file.read()?;
        if !own.owner.lives() {
            // Whoever has adopted one answers for it now.
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
        // From here on nobody else can adopt them, whether or not this lasts.
        own.records.extend_from_slice(&adopted);
        own.left.clear();
        self.file.sync_folder()?;
        own.unwritten = false;
        without_records.into_iter().for_each(|id| owner::bury(&self.file, id));
        Ok(adopted)
    }

    /// Removes what owners have left that died without records.
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

/// Whether this record is there, with this owner.
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

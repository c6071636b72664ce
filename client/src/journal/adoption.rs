//! Taking over the records of dead owners.

use super::file::{self, Change, Dead};
use super::line::{self, Why};
use super::record::latest;
use super::{Journal, Own, Record, RecordId, RecordState, owners};
use crate::clock::lock;
use crate::error::{Error, Result};
use crate::sys::OpenFiles;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A claimed file stays open until its records are moved, and a process may open few.
const AT_ONCE: usize = 32;

/// What [`Journal::adopt`] has taken over.
#[derive(Debug, Default)]
pub(crate) struct Adopted {
    pub(crate) records: Vec<Record>,
    /// Files of dead owners that could not be claimed.
    pub(crate) problems: Vec<Error>,
}

/// What was found in a file of another owner.
pub(super) struct FileRead {
    path: PathBuf,
    /// Files only grow, so one that still has this length has not changed.
    length: u64,
    /// Those of the wanted records that it has.
    has: Vec<RecordId>,
}

impl FileRead {
    fn now(path: PathBuf, wanted: &HashSet<RecordId>) -> Result<FileRead> {
        let length = length_of(&path);
        let has = file::records(&path)?.iter().map(|record| record.id).filter(|id| wanted.contains(id)).collect();
        Ok(FileRead { path, length, has })
    }
}

impl Journal {
    /// Takes ownership of those of these records whose owners are dead. Of those that share a file, it takes all, or
    /// none if they cannot be written. Each record goes to one owner only. Records that another process is just claiming
    /// stay with it.
    pub(crate) fn adopt(&self, ids: &[RecordId]) -> Result<Adopted> {
        let wanted: HashSet<RecordId> = ids.iter().copied().collect();
        let _others = self.folder.open_others();
        let files = self.read_others(&wanted)?;
        let mut adopted = Adopted::default();
        for part in parts(&files) {
            match self.adopt_at_once(&part, &files, &mut adopted.problems) {
                Ok(records) => adopted.records.extend(records),
                // What is left stays where it is, for the next call.
                Err(error) if adopted.records.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(adopted)
    }

    pub(super) fn read_others(&self, wanted: &HashSet<RecordId>) -> Result<Vec<FileRead>> {
        self.files_of_others()?.map(|path| FileRead::now(path, wanted)).collect()
    }

    fn adopt_at_once(&self, part: &[&FileRead], files: &[FileRead], problems: &mut Vec<Error>) -> Result<Vec<Record>> {
        let now = self.clock.unix_time();
        let mut wanted: HashSet<RecordId> = part.iter().flat_map(|file| &file.has).copied().collect();
        for other in owners::all_in(self.folder.path()).iter().filter(|other| !Arc::ptr_eq(other, &self.own)) {
            wanted.retain(|id| !lock(other).records.contains_key(id));
        }
        let mut own = self.alive()?;
        wanted.retain(|id| !own.records.contains_key(id));
        let claimed = self.claim(part, files, &mut wanted, problems)?;
        let copies = claimed.iter().flat_map(Dead::records).filter(|record| wanted.contains(&record.id));
        let mut adopted = latest(copies.cloned());
        if !adopted.is_empty() {
            self.take_over(&mut own, &mut adopted)?;
        }
        for mut dead in claimed {
            for record in &adopted {
                if dead.records().iter().any(|copy| copy.id == record.id) {
                    // If that fails, later readers prefer the copy of a living owner.
                    let _ = dead.change(record.id, Change::Over(Why::Moved));
                }
            }
            dead.remove_if_spent(now);
        }
        Ok(adopted)
    }

    /// Claims those of these files that have some of these records. Removes from `wanted` what another owner has or may
    /// get.
    pub(super) fn claim(
        &self,
        part: &[&FileRead],
        files: &[FileRead],
        wanted: &mut HashSet<RecordId>,
        problems: &mut Vec<Error>,
    ) -> Result<Vec<Dead>> {
        let mut claimed: Vec<Dead> = Vec::new();
        // Others take a claimed file for a living owner's, so only files with wanted records are claimed.
        for file in part.iter().filter(|file| file.has.iter().any(|id| wanted.contains(id))) {
            match Dead::claim(&file.path) {
                Ok(dead) => claimed.extend(dead),
                Err(problem) => problems.push(problem),
            }
        }
        // Files may change until they are claimed, and an adopter that died halfway leaves a record in two of them. A
        // claimed file is not opened again, because closing it would unlock it.
        for path in self.files_of_others()?.filter(|path| claimed.iter().all(|dead| dead.path() != path)) {
            // They are listed in order.
            let read = files.binary_search_by(|file| file.path.cmp(&path)).ok().map(|index| &files[index]);
            match read.filter(|file| file.length == length_of(&path)) {
                Some(unchanged) => wanted.retain(|id| !unchanged.has.contains(id)),
                None => {
                    let now_has = file::records(&path)?;
                    wanted.retain(|id| now_has.iter().all(|record| record.id != *id));
                }
            }
        }
        Ok(claimed)
    }

    /// The files that this process does not own.
    fn files_of_others(&self) -> Result<impl Iterator<Item = PathBuf>> {
        let (owners, _) = self.folder.list()?;
        let here = OpenFiles::now();
        let others = owners.into_iter().filter(|owner| owners::find(*owner).is_none());
        Ok(others
            .map(|owner| (owner, self.folder.file_of(owner)))
            .filter(move |(owner, path)| !here.include(path) || owners::is_inherited(*owner))
            .map(|(_, path)| path))
    }

    /// Copies records into the own file: all of them, even if the power fails afterwards, or none.
    fn take_over(&self, own: &mut Own, records: &mut [Record]) -> Result<()> {
        for record in records.iter_mut() {
            record.state = match record.state {
                RecordState::Released => RecordState::Created,
                // No live owner is creating it any more.
                RecordState::Creating if record.session_id.is_none() => RecordState::Lost,
                state => state,
            };
            record.changes += 1;
            own.insert(record.clone());
        }
        let lines: String = records.iter().map(line::of_record).collect();
        let written = self.write(own, &lines).and_then(|()| self.sync(own));
        if written.is_err() {
            records.iter().for_each(|record| drop(own.records.remove(&record.id)));
            own.stale |= own.file.is_some();
        }
        written
    }
}

/// The files with wanted records, in parts to be claimed together: those that share a record, which an adopter that died
/// halfway has left in two, are in one part.
fn parts(files: &[FileRead]) -> Vec<Vec<&FileRead>> {
    let mut left: Vec<&FileRead> = files.iter().filter(|file| !file.has.is_empty()).collect();
    let mut parts: Vec<Vec<&FileRead>> = Vec::new();
    while !left.is_empty() {
        let mut together = vec![left.remove(0)];
        let mut shared: HashSet<RecordId> = HashSet::new();
        let mut next = 0;
        while let Some(file) = together.get(next) {
            shared.extend(&file.has);
            together.extend(left.extract_if(.., |other| other.has.iter().any(|id| shared.contains(id))));
            next += 1;
        }
        match parts.last_mut() {
            Some(part) if part.len() + together.len() <= AT_ONCE => part.extend(together),
            _ => parts.push(together),
        }
    }
    parts
}

fn length_of(path: &Path) -> u64 {
    fs::symlink_metadata(path).map_or(0, |found| found.len())
}

//! Taking over the records of dead owners.

use super::file::{self, Change, Dead};
use super::line::{self, Why};
use super::record::latest;
use super::{Journal, Own, Record, RecordId, RecordState, owners};
use crate::clock::lock;
use crate::error::Result;
use crate::sys::OpenFiles;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

impl Journal {
    /// Takes ownership of those of these records whose owners are dead, and returns them. Of those that share a file, it
    /// takes all, or none if they cannot be written. Each record goes to one owner only. Records that another process
    /// is just claiming stay with it.
    pub(crate) fn adopt(&self, ids: &[RecordId]) -> Result<Vec<Record>> {
        // A claimed file stays open until its records are moved, and a process may open few.
        const AT_ONCE: usize = 32;
        let wanted: HashSet<RecordId> = ids.iter().copied().collect();
        let _others = self.folder.open_others();
        let mut adopted = Vec::new();
        for files in self.files_with(&wanted)?.chunks(AT_ONCE) {
            let mut part: HashSet<RecordId> = files.iter().flatten().copied().collect();
            match self.adopt_at_once(&mut part) {
                Ok(records) => adopted.extend(records),
                // What is left stays where it is, for the next call.
                Err(error) if adopted.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(adopted)
    }

    /// For each file that has some of these records, which ones.
    fn files_with(&self, wanted: &HashSet<RecordId>) -> Result<Vec<Vec<RecordId>>> {
        let in_file = |path: PathBuf| -> Vec<RecordId> {
            file::records(&path).iter().map(|record| record.id).filter(|id| wanted.contains(id)).collect()
        };
        Ok(self.files_of_others()?.map(in_file).filter(|found| !found.is_empty()).collect())
    }

    fn adopt_at_once(&self, wanted: &mut HashSet<RecordId>) -> Result<Vec<Record>> {
        let now = self.clock.unix_time();
        for other in owners::all_in(self.folder.path()).iter().filter(|other| !Arc::ptr_eq(other, &self.own)) {
            wanted.retain(|id| !lock(other).records.contains_key(id));
        }
        let mut own = self.alive()?;
        wanted.retain(|id| !own.records.contains_key(id));
        let claimed = self.claim(wanted)?;
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

    /// Claims the files that have some of these records. Removes from `wanted` what another owner has or may get.
    pub(super) fn claim(&self, wanted: &mut HashSet<RecordId>) -> Result<Vec<Dead>> {
        let mut claimed: Vec<Dead> = Vec::new();
        // Others take a claimed file for a living owner's, so only files with wanted records are claimed.
        for path in self.files_of_others()? {
            if file::records(&path).iter().any(|record| wanted.contains(&record.id))
                && let Ok(Some(dead)) = Dead::claim(&path)
            {
                claimed.push(dead);
            }
        }
        // Files may change until they are claimed, and an adopter that died halfway leaves a record in two of them. A
        // claimed file is not opened again, because closing it would unlock it.
        for path in self.files_of_others()? {
            if claimed.iter().all(|dead| dead.path() != path) {
                for record in file::records(&path) {
                    wanted.remove(&record.id);
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

//! Journals on a real disk.

mod adoption;
mod damage;
mod processes;

use super::*;
use crate::clock::{Instant, Signal, SystemClock};
use crate::model::SessionSize;
use crate::wire::tests::service;
use std::fs;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use uuid::Uuid;

/// A temporary folder for one test.
struct TestFolder(PathBuf);

impl TestFolder {
    fn new() -> TestFolder {
        let path = std::env::temp_dir().join(format!("arr-journal-{}", Uuid::new_v4()));
        fs::create_dir(&path).unwrap();
        TestFolder(path)
    }

    fn open(&self) -> Journal {
        Journal::open(&self.0, Arc::new(SystemClock)).unwrap()
    }

    fn files(&self) -> Vec<PathBuf> {
        fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// The text of the one file.
    fn text(&self) -> String {
        let files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        fs::read_to_string(&files[0]).unwrap()
    }

    /// Leaves behind records of an owner that has gone.
    fn leave_behind(&self, count: usize) -> Vec<RecordId> {
        let journal = self.open();
        (0..count).map(|_| journal.begin(&service(), &new_session()).unwrap()).collect()
    }

    /// A file for another owner.
    fn another(&self) -> PathBuf {
        self.0.join(format!("{}.journal", Uuid::new_v4()))
    }

    /// The number of records in all files; one in two files counts twice.
    fn copies(&self) -> usize {
        self.files().iter().map(|path| file::records(path).unwrap().len()).sum()
    }

    fn left(&self) -> Vec<Record> {
        self.open().others().unwrap().left_behind()
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A wall clock that the test sets.
#[derive(Debug, Default)]
struct WallClock(AtomicU64);

impl Clock for WallClock {
    fn now(&self) -> Instant {
        Instant::NEVER
    }

    fn unix_time(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }

    fn sleep(&self, _: &Signal, _: u64, _: Instant) {}
}

fn new_session() -> NewSession {
    NewSession::new(SessionSize::Standard, Lease::from_secs(3600).unwrap())
}

fn id(text: &str) -> SessionId {
    SessionId::parse(text).unwrap()
}

fn ids(records: &[Record]) -> Vec<RecordId> {
    records.iter().map(|record| record.id).collect()
}

fn left_by_others(journal: &Journal) -> Vec<RecordId> {
    ids(&journal.others().unwrap().left_behind())
}

/// Makes flushing fail, and longer writes fail after this many bytes.
fn fill_the_disk(journal: &Journal, room: usize) {
    lock(&journal.own).file.as_mut().unwrap().fill_the_disk(room);
}

#[test]
fn a_create_is_on_disk_from_before_it_is_sent_until_the_session_ends() {
    let folder = TestFolder::new();
    let journal = folder.open();
    assert_eq!(folder.files(), [""; 0].map(PathBuf::from), "only a create writes a file");
    let last = || folder.text().lines().last().unwrap().to_owned();

    let record = journal.begin(&service(), &new_session()).unwrap();
    assert!(last().contains(r#""state":"creating""#));
    assert_eq!((journal.own()[0].state, &journal.own()[0].session_id), (RecordState::Creating, &None));

    journal.lost(record).unwrap();
    assert!(last().contains(r#""state":"lost","changes":1"#));

    journal.complete(record, &id("abc")).unwrap();
    assert!(last().contains(r#""session_id":"abc","state":"created""#));

    journal.extended(&service(), &id("abc"), Lease::new(Duration::from_secs(7200)).unwrap()).unwrap();
    journal.extended(&service(), &id("other"), Lease::new(Lease::MAX).unwrap()).unwrap();
    assert!(last().contains(r#""max_lease_seconds":7200"#));

    journal.ended(&service(), &id("other")).unwrap();
    assert_eq!(journal.own().len(), 1);
    journal.ended(&service(), &id("abc")).unwrap();
    assert!(journal.own().is_empty() && last().contains(r#""state":"ended""#));

    let refused = journal.begin(&service(), &new_session()).unwrap();
    journal.remove(refused).unwrap();
    journal.remove(refused).unwrap();
    assert_eq!(journal.complete(refused, &id("abc")).unwrap_err().kind(), ErrorKind::Internal);
    assert_eq!(folder.text().lines().count(), 8, "nothing is written twice");
    drop(journal);
    assert!(folder.files().is_empty(), "nothing is left running");
}

#[cfg(unix)]
#[test]
fn files_and_folders_are_private_to_the_user() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TestFolder::new();
    let inner = folder.0.join("made");
    let journal = Journal::open(&inner, Arc::new(SystemClock)).unwrap();
    journal.begin(&service(), &new_session()).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inner), 0o700);
    assert_eq!(mode(&fs::read_dir(&inner).unwrap().next().unwrap().unwrap().path()), 0o600);
}

#[test]
fn an_unusable_folder_is_refused_with_a_remedy() {
    let folder = TestFolder::new();
    let file = folder.0.join("file");
    fs::write(&file, "").unwrap();
    for (path, expected) in [
        (file.clone(), "is a file; give a folder"),
        (folder.0.join("a/b"), "cannot be created"),
        (file.join("c"), "cannot be found"),
    ] {
        let error = Journal::open(&path, Arc::new(SystemClock)).unwrap_err();
        assert!(error.kind() == ErrorKind::Storage && error.message().contains(expected), "{path:?}: {error}");
    }
}

#[test]
fn an_ended_journal_changes_only_records_that_were_not_adopted() {
    let folder = TestFolder::new();
    let (ended, other) = (folder.open(), folder.open());
    let records: Vec<_> = (0..3).map(|_| ended.begin(&service(), &new_session()).unwrap()).collect();
    ended.end().unwrap();
    ended.end().unwrap();
    assert_eq!(left_by_others(&other), records);
    assert_eq!(ended.begin(&service(), &new_session()).unwrap_err().kind(), ErrorKind::ShutDown);

    other.adopt(&records[..1]).unwrap();
    ended.complete(records[0], &id("late")).unwrap();
    assert_eq!(folder.copies(), 3, "another journal has adopted it");
    ended.remove(records[0]).unwrap();
    ended.remove(records[1]).unwrap();
    ended.complete(records[2], &id("late")).unwrap();
    assert_eq!(ids(&other.own()), records[..1]);
    let left = other.others().unwrap().left_behind();
    assert_eq!((ids(&left), &left[0].session_id), (records[2..].to_vec(), &Some(id("late"))));
    ended.remove(records[2]).unwrap();
    assert_eq!(folder.files().len(), 1, "the file is removed with its last record");
}

#[test]
fn sessions_that_have_certainly_ended_are_dropped_unless_their_owner_lives() {
    let folder = TestFolder::new();
    let clock = Arc::new(WallClock::default());
    let open = || Journal::open(&folder.0, clock.clone()).unwrap();
    let (living, dead) = (open(), open());
    let kept = living.begin(&service(), &new_session()).unwrap();
    dead.begin(&service(), &new_session()).unwrap();
    drop(dead);

    clock.0.store(3600 + 86_400, Ordering::Relaxed);
    assert_eq!(open().others().unwrap().records.len(), 2);
    clock.0.fetch_add(1, Ordering::Relaxed);
    assert!(open().others().unwrap().records.is_empty());
    assert_eq!((ids(&living.own()), folder.files().len()), (vec![kept], 1));
}

#[test]
fn a_file_does_not_grow_forever() {
    let folder = TestFolder::new();
    let journal = folder.open();
    let kept = journal.begin(&service(), &new_session()).unwrap();
    let first = folder.files();
    // Each change has more than 300 bytes.
    for _ in 0..5_000 {
        journal.lost(kept).unwrap();
    }
    assert!(folder.text().len() < 1_100_000);
    assert_ne!(folder.files(), first, "it was replaced");
    drop(journal);
    assert_eq!(ids(&folder.left()), [kept]);
}

#[test]
fn clients_that_start_together_share_the_folder_that_one_of_them_creates() {
    const CLIENTS: usize = 8;
    let folder = TestFolder::new();
    for round in 0..50 {
        let (path, start) = (folder.0.join(round.to_string()), Barrier::new(CLIENTS));
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    start.wait();
                    Journal::open(&path, Arc::new(SystemClock)).unwrap();
                });
            }
        });
    }
}

#[test]
fn two_spellings_of_a_path_are_one_folder() {
    let folder = TestFolder::new();
    fs::create_dir(folder.0.join("sub")).unwrap();
    let left = folder.leave_behind(1);
    let detour = Journal::open(&folder.0.join("sub").join(".."), Arc::new(SystemClock)).unwrap();
    assert_eq!(left_by_others(&detour), left);
}

#[test]
fn concurrent_writes_lose_nothing() {
    let folder = TestFolder::new();
    let left: Vec<Journal> = thread::scope(|scope| {
        let write = || {
            let journal = folder.open();
            for _ in 0..5 {
                journal.begin(&service(), &new_session()).unwrap();
            }
            journal
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(write)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    drop(left);
    assert_eq!(folder.left().len(), 20);
}

#[test]
fn debug_output_shows_only_the_folder() {
    let folder = TestFolder::new();
    let journal = folder.open();
    journal.begin(&service(), &new_session().with_id(id("mine"))).unwrap();
    assert_eq!(format!("{journal:?}"), format!("Journal({:?})", fs::canonicalize(&folder.0).unwrap()));
}

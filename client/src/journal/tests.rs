//! Journals on a real disk: several at a time, with live and dead owners.

use super::*;
use crate::clock::{Instant, Signal, SystemClock};
use crate::model::SessionSize;
use crate::wire::tests::service;
use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use uuid::Uuid;

/// A temporary folder for one test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("arr-journal-{}", Uuid::new_v4()));
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn journal(&self) -> PathBuf {
        self.0.join("sessions.journal")
    }

    fn open(&self) -> Journal {
        Journal::open(&self.journal(), Arc::new(SystemClock)).unwrap()
    }

    /// The other files in the folder, besides the journal and its lock.
    fn rest(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "sessions.journal" && name != "sessions.journal.lock").collect()
    }

    /// Creates a folder in place of the draft, which makes every write fail.
    fn refuse_writes(&self) -> PathBuf {
        let path = self.0.join("sessions.journal.tmp");
        fs::create_dir(&path).unwrap();
        path
    }
}

impl Drop for Folder {
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

/// Leaves records behind from an owner that has gone.
fn leave_behind(folder: &Folder, count: usize) -> Vec<RecordId> {
    let journal = folder.open();
    (0..count).map(|_| journal.begin(&service(), &new_session()).unwrap()).collect()
}

fn ids(records: &[Record]) -> Vec<RecordId> {
    records.iter().map(|record| record.id).collect()
}

fn refused(path: &Path) -> String {
    let error = Journal::open(path, Arc::new(SystemClock)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    error.message().to_owned()
}

#[test]
fn a_create_is_on_the_disk_from_its_beginning_to_the_sessions_end() {
    let folder = Folder::new();
    let journal = folder.open();
    let on_disk = || fs::read_to_string(folder.journal()).unwrap();

    let record = journal.begin(&service(), &new_session()).unwrap();
    assert!(on_disk().contains(r#""state":"creating""#));
    assert_eq!((journal.own()[0].state, &journal.own()[0].session_id), (RecordState::Creating, &None));

    journal.lost(record).unwrap();
    assert!(on_disk().contains(r#""state":"lost""#));

    journal.complete(record, &id("abc")).unwrap();
    assert!(on_disk().contains(r#""session_id":"abc","state":"created""#));

    journal.extended(&service(), &id("abc"), Lease::new(Duration::from_secs(7200)).unwrap()).unwrap();
    journal.extended(&service(), &id("other"), Lease::new(Lease::MAX).unwrap()).unwrap();
    assert!(on_disk().contains(r#""max_lease_seconds":7200"#));

    journal.ended(&service(), &id("other")).unwrap();
    assert_eq!(journal.own().len(), 1);
    journal.ended(&service(), &id("abc")).unwrap();
    assert_eq!((journal.own(), on_disk().lines().count()), (Vec::new(), 1));

    let refused = journal.begin(&service(), &new_session()).unwrap();
    journal.remove(refused).unwrap();
    journal.remove(refused).unwrap();
    assert_eq!(on_disk().lines().count(), 1);
    assert_eq!(journal.complete(refused, &id("abc")).unwrap_err().kind(), ErrorKind::Internal);
}

#[test]
fn the_dead_leave_records_behind_and_the_living_do_not() {
    let folder = Folder::new();
    let (first, second) = (folder.open(), folder.open());
    let kept = first.begin(&service(), &new_session().with_id(id("mine"))).unwrap();
    assert_eq!(second.left_behind().unwrap(), []);
    assert_eq!(second.adopt(&[kept]).unwrap(), []);
    assert_eq!(first.left_behind().unwrap(), [], "nor does one leave anything to itself");

    drop(first);
    assert_eq!(ids(&second.left_behind().unwrap()), [kept]);
    let adopted = second.adopt(&[kept]).unwrap();
    assert_eq!(adopted[0].session_id, Some(id("mine")));
    assert_eq!((second.own(), second.left_behind().unwrap()), (adopted, Vec::new()));
    assert_eq!(folder.rest().len(), 1, "the dead owner's lock has gone with its last record");

    second.ended(&service(), &id("mine")).unwrap();
    drop(second);
    assert_eq!(folder.rest(), Vec::<String>::new());
}

#[test]
fn a_damaged_journal_gives_what_is_whole_and_is_clean_after_the_next_write() {
    let folder = Folder::new();
    let left = leave_behind(&folder, 3);
    let mut text = fs::read_to_string(folder.journal()).unwrap();
    let second = text.match_indices("\"format\"").nth(1).unwrap().0;
    text.replace_range(second..=second, "?");
    fs::write(folder.journal(), &text[..text.len() - 1]).unwrap();

    let journal = folder.open();
    assert_eq!(ids(&journal.left_behind().unwrap()), [left[0], left[2]]);
    assert!(!fs::read_to_string(folder.journal()).unwrap().contains('?'));
}

#[test]
fn an_own_record_that_was_damaged_is_written_again() {
    let folder = Folder::new();
    let journal = folder.open();
    let record = journal.begin(&service(), &new_session()).unwrap();
    fs::remove_file(folder.journal()).unwrap();
    journal.complete(record, &id("abc")).unwrap();
    assert!(fs::read_to_string(folder.journal()).unwrap().contains("\"abc\""));
}

#[test]
fn the_records_of_a_later_version_stay() {
    let folder = Folder::new();
    leave_behind(&folder, 1);
    let later = r#"{"format":2,"what":"nobody knows"}"#;
    let text = line::to_text(&[Line::Later(later.into())]);
    fs::write(folder.journal(), &text).unwrap();
    let journal = folder.open();
    journal.begin(&service(), &new_session()).unwrap();
    assert_eq!(journal.left_behind().unwrap(), []);
    assert!(fs::read_to_string(folder.journal()).unwrap().starts_with(&text));
}

#[test]
fn a_draft_that_was_left_changes_nothing() {
    let folder = Folder::new();
    let left = leave_behind(&folder, 1);
    fs::write(folder.0.join("sessions.journal.tmp"), "arr-session jour").unwrap();
    let journal = folder.open();
    assert_eq!(ids(&journal.left_behind().unwrap()), left);
    drop(journal);
    assert_eq!(folder.rest().len(), 1, "only the dead owner's lock");
}

#[test]
fn a_failed_write_is_reported_and_retried() {
    let folder = Folder::new();
    let journal = folder.open();
    let record = journal.begin(&service(), &new_session()).unwrap();
    let obstacle = folder.refuse_writes();

    let error = journal.begin(&service(), &new_session()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.message().contains("cannot be written") && error.message().contains("give another path"), "{error}");
    assert_eq!(ids(&journal.own()), [record], "a create that is not sent has no record");
    assert_eq!(journal.complete(record, &id("abc")).unwrap_err().kind(), ErrorKind::Storage);
    assert_eq!(journal.flush().unwrap_err().kind(), ErrorKind::Storage);

    fs::remove_dir(obstacle).unwrap();
    journal.flush().unwrap();
    assert!(fs::read_to_string(folder.journal()).unwrap().contains("\"abc\""));
}

#[test]
fn an_adoption_that_cannot_be_written_is_none() {
    let folder = Folder::new();
    let left = leave_behind(&folder, 1);
    let (one, other) = (folder.open(), folder.open());
    let obstacle = folder.refuse_writes();
    assert_eq!(one.adopt(&left).unwrap_err().kind(), ErrorKind::Storage);
    fs::remove_dir(obstacle).unwrap();
    assert_eq!(one.own(), []);
    assert_eq!(ids(&other.adopt(&left).unwrap()), left);
}

#[test]
fn released_records_can_be_adopted_once_by_any_journal() {
    let folder = Folder::new();
    let left = leave_behind(&folder, 2);
    let (one, other) = (folder.open(), folder.open());
    one.adopt(&left).unwrap();
    let obstacle = folder.refuse_writes();
    assert_eq!(one.leave_behind(&left).unwrap_err().kind(), ErrorKind::Storage);
    fs::remove_dir(obstacle).unwrap();
    one.flush().unwrap();
    assert_eq!((one.own(), other.left_behind().unwrap().len()), (Vec::new(), 2));
    assert_eq!(ids(&one.adopt(&left[..1]).unwrap()), left[..1]);
    assert_eq!(ids(&other.adopt(&left).unwrap()), left[1..]);
}

#[test]
fn an_ended_journal_changes_only_records_that_no_other_has_adopted() {
    let folder = Folder::new();
    let (ended, other) = (folder.open(), folder.open());
    let records: Vec<_> = (0..3).map(|_| ended.begin(&service(), &new_session()).unwrap()).collect();
    ended.end().unwrap();
    ended.end().unwrap();
    assert_eq!(ids(&other.left_behind().unwrap()), records);
    assert_eq!(ended.begin(&service(), &new_session()).unwrap_err().kind(), ErrorKind::ShutDown);

    other.adopt(&records[..1]).unwrap();
    ended.remove(records[0]).unwrap();
    ended.remove(records[1]).unwrap();
    ended.complete(records[2], &id("late")).unwrap();
    assert_eq!(ids(&other.own()), records[..1]);
    let left = other.left_behind().unwrap();
    assert_eq!((ids(&left), &left[0].session_id), (records[2..].to_vec(), &Some(id("late"))));
    other.lost(records[0]).unwrap();
    drop(ended);
    assert_eq!(fs::read_to_string(folder.journal()).unwrap().matches("\"id\"").count(), 2);
}

#[test]
fn a_file_that_is_not_a_journal_is_left_unchanged() {
    let folder = Folder::new();
    fs::write(folder.journal(), "[settings]\n").unwrap();
    assert!(refused(&folder.journal()).contains("holds something else"));
    assert_eq!(fs::read_to_string(folder.journal()).unwrap(), "[settings]\n");
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "nothing was put beside it");

    fs::remove_file(folder.journal()).unwrap();
    let journal = folder.open();
    fs::write(folder.journal(), "[settings]\n").unwrap();
    assert!(journal.begin(&service(), &new_session()).unwrap_err().message().contains("holds something else"));
    assert_eq!(fs::read_to_string(folder.journal()).unwrap(), "[settings]\n");
}

#[test]
fn a_path_that_cannot_be_a_journal_is_refused_with_advice() {
    let folder = Folder::new();
    assert!(refused(&folder.0).contains("is a folder; give the path of a file in it"));
    assert!(refused(&folder.0.join("nowhere").join("sessions.journal")).contains("create the folder"));
    assert!(refused(Path::new("")).contains("not the path of a file"));
    assert!(refused(&folder.0.join("..")).contains("not the path of a file"));
    let huge = folder.0.join("huge");
    fs::File::create(&huge).unwrap().set_len(JournalFile::MOST_BYTES as u64 + 1).unwrap();
    assert!(refused(&huge).contains("more than any journal"));
    assert_eq!(fs::metadata(&huge).unwrap().len(), JournalFile::MOST_BYTES as u64 + 1);
}

#[test]
fn an_unwritable_folder_is_reported() {
    let folder = Folder::new();
    let mut permissions = fs::metadata(&folder.0).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&folder.0, permissions).unwrap();
    if fs::write(folder.0.join("probe"), "").is_ok() {
        println!("skipped: this user, or this system, writes to read-only folders");
        return;
    }
    assert!(refused(&folder.journal()).contains("may be written to"));
}

#[test]
fn a_full_journal_takes_no_more_and_keeps_what_it_has() {
    let folder = Folder::new();
    let text = line::to_text(&[Line::Later("x".repeat(JournalFile::MOST_BYTES - 200))]);
    fs::write(folder.journal(), &text).unwrap();
    let journal = folder.open();
    let error = journal.begin(&service(), &new_session()).unwrap_err();
    assert!(error.message().contains("has no room"), "{error}");
    assert_eq!(fs::read_to_string(folder.journal()).unwrap(), text);
}

#[test]
fn what_has_surely_ended_is_dropped_unless_its_owner_lives() {
    let folder = Folder::new();
    let clock = Arc::new(WallClock::default());
    let open = || Journal::open(&folder.journal(), clock.clone()).unwrap();
    let (living, dead) = (open(), open());
    let kept = living.begin(&service(), &new_session()).unwrap();
    dead.begin(&service(), &new_session()).unwrap();
    drop(dead);

    clock.0.store(3600 + 86_400, Ordering::Relaxed);
    assert_eq!(open().left_behind().unwrap().len(), 1);
    clock.0.fetch_add(1, Ordering::Relaxed);
    assert_eq!(living.left_behind().unwrap(), []);
    drop(open());
    let text = fs::read_to_string(folder.journal()).unwrap();
    assert_eq!(text.matches("\"id\"").count(), 1);
    assert_eq!((ids(&living.own()), folder.rest().len()), (vec![kept], 1));
}

#[test]
fn a_removed_lock_file_is_recreated() {
    let folder = Folder::new();
    let (mine, other) = (folder.open(), folder.open());
    let record = mine.begin(&service(), &new_session()).unwrap();
    for name in folder.rest() {
        fs::remove_file(folder.0.join(name)).unwrap();
    }
    assert_eq!(ids(&other.left_behind().unwrap()), [record], "an owner without a file is dead");
    mine.lost(record).unwrap();
    assert_eq!(other.left_behind().unwrap(), []);

    for name in folder.rest() {
        fs::remove_file(folder.0.join(name)).unwrap();
    }
    assert_eq!(other.adopt(&[record]).unwrap().len(), 1);
    mine.complete(record, &id("abc")).unwrap();
    let text = fs::read_to_string(folder.journal()).unwrap();
    assert!(text.matches("\"id\"").count() == 1 && text.contains("\"abc\""), "one line, of who knows more: {text}");
}

#[test]
fn two_spellings_of_a_path_are_one_journal() {
    let folder = Folder::new();
    fs::create_dir(folder.0.join("sub")).unwrap();
    let first = folder.open();
    let detour = folder.0.join("sub").join("..").join("sessions.journal");
    let second = Journal::open(&detour, Arc::new(SystemClock)).unwrap();
    assert_eq!(first.file.path(), second.file.path());
}

#[test]
fn journals_that_write_at_once_lose_nothing() {
    let folder = Folder::new();
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
    assert_eq!(folder.open().left_behind().unwrap().len(), 20);
}

#[test]
fn concurrent_adopters_never_share_a_record() {
    const ADOPTERS: usize = 6;
    let folder = Folder::new();
    let left = leave_behind(&folder, 12);
    let journals: Vec<Journal> = (0..ADOPTERS).map(|_| folder.open()).collect();
    let start = Barrier::new(ADOPTERS);
    let adopted: Vec<RecordId> = thread::scope(|scope| {
        let adopt = |(n, journal): (usize, &Journal)| {
            // Each adopter wants all records, in its own order, a few at a time.
            let mut wanted = left.clone();
            wanted.rotate_left(n * 2);
            start.wait();
            wanted.chunks(3).flat_map(|ids| journal.adopt(ids).unwrap()).map(|record| record.id).collect::<Vec<_>>()
        };
        let threads: Vec<_> = journals.iter().enumerate().map(|adopter| scope.spawn(move || adopt(adopter))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(adopted.len(), left.len());
    assert_eq!(adopted.into_iter().collect::<HashSet<_>>(), left.into_iter().collect());
}

#[test]
fn a_lock_that_is_never_given_back_is_not_waited_for_for_ever() {
    let folder = Folder::new();
    let mut journal = folder.open();
    journal.file.patience = Duration::from_millis(30);
    let held = folder.open().file.lock().unwrap();
    let error = journal.begin(&service(), &new_session()).unwrap_err();
    assert!(error.kind() == ErrorKind::Storage && error.message().contains("locked by another program"), "{error}");
    drop(held);
    journal.begin(&service(), &new_session()).unwrap();
}

#[test]
fn debug_output_shows_the_path_alone() {
    let folder = Folder::new();
    let journal = folder.open();
    journal.begin(&service(), &new_session().with_id(id("mine"))).unwrap();
    assert_eq!(format!("{journal:?}"), format!("Journal({:?})", journal.file.path()));
}

const PATH_FOR_CHILD: &str = "ARR_TEST_JOURNAL";

/// The child process of the test below. Does nothing when run alone.
#[test]
fn a_process_that_is_going_to_be_killed() {
    let Some(path) = std::env::var_os(PATH_FOR_CHILD) else { return };
    let journal = Journal::open(Path::new(&path), Arc::new(SystemClock)).unwrap();
    journal.begin(&service(), &new_session()).unwrap();
    println!("\nbegun");
    // Also ends if the test that should kill it has died.
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn a_process_that_is_killed_leaves_its_records_behind_and_not_before() {
    let folder = Folder::new();
    let journal = folder.open();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "journal::tests::a_process_that_is_going_to_be_killed", "--nocapture"])
        .env(PATH_FOR_CHILD, folder.journal())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(output.any(|line| line.unwrap() == "begun"));
    assert_eq!(fs::read_to_string(folder.journal()).unwrap().matches("\"creating\"").count(), 1);
    let alive = journal.left_behind();

    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(alive.unwrap(), []);
    let left = journal.left_behind().unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(journal.adopt(&ids(&left)).unwrap().len(), 1);
    assert_eq!(folder.rest().len(), 1, "only the lock of the one that lives");
}

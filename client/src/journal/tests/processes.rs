//! Journals of several processes.

use super::*;
use crate::sys::FileLock;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const CHILD_DOES: &str = "ARR_TEST_DOES";
const PATH_FOR_CHILD: &str = "ARR_TEST_JOURNAL";

/// The child process of the tests below. Does nothing when run alone.
#[test]
fn child_process() {
    let (Ok(does), Ok(path)) = (std::env::var(CHILD_DOES), std::env::var(PATH_FOR_CHILD)) else { return };
    let open = || Journal::open(Path::new(&path), Arc::new(SystemClock)).unwrap();
    let (journal, locked);
    match does.as_str() {
        "lock" => {
            locked = FileLock::try_on(fs::File::options().write(true).open(path).unwrap()).unwrap();
            println!("\nlocked {}", locked.is_some());
        }
        "adopt" => {
            journal = open();
            println!("\nadopted {}", journal.adopt(&left_by_others(&journal)).unwrap().records.len());
        }
        _ => {
            journal = open();
            journal.begin(&service(), &new_session()).unwrap();
            println!("\nbegun 1");
        }
    }
    // Also ends if the test that should kill it has died.
    let _ = std::io::stdin().read_line(&mut String::new());
}

/// A process that is killed on drop.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Starts a process that does this with a folder or a file, and returns it with the line that it printed.
fn process(does: &str, path: &Path) -> (Process, String) {
    process_by(Command::new(std::env::current_exe().unwrap()), does, path)
}

fn process_by(mut command: Command, does: &str, path: &Path) -> (Process, String) {
    let mut child = command
        .args(["--exact", "journal::tests::processes::child_process", "--nocapture"])
        .env(CHILD_DOES, does)
        .env(PATH_FOR_CHILD, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    let said = lines.find(|line| ["begun ", "adopted ", "locked "].iter().any(|it| line.starts_with(it))).unwrap();
    (Process(child), said)
}

/// Whether another process can lock a file.
fn can_be_locked(path: &Path) -> bool {
    process("lock", path).1 == "locked true"
}

#[test]
fn a_process_leaves_its_records_behind_only_once_it_is_killed() {
    let folder = TestFolder::new();
    let journal = folder.open();
    let (killed, _) = process("begin", &folder.0);
    let alive = journal.others().unwrap();
    assert_eq!((alive.records.len(), alive.records[0].1), (1, true));
    assert_eq!(journal.adopt(&[alive.records[0].0.id]).unwrap().records, []);

    drop(killed);
    let left = left_by_others(&journal);
    assert_eq!(left.len(), 1);
    assert_eq!(journal.adopt(&left).unwrap().records.len(), 1);
    assert_eq!(folder.files().len(), 1, "only the living owner's file");
}

/// A record lock ends when any handle of the file is closed, so this process must not open its own files again.
#[test]
fn reading_a_journal_in_its_own_process_does_not_unlock_it() {
    let folder = TestFolder::new();
    let (mine, other) = (folder.open(), folder.open());
    mine.begin(&service(), &new_session()).unwrap();
    let record = mine.own()[0].id;
    for journal in [&mine, &other] {
        journal.others().unwrap();
        journal.adopt(&[record]).unwrap();
    }
    assert_eq!(process("adopt", &folder.0).1, "adopted 0");
    drop(mine);
    assert_eq!(process("adopt", &folder.0).1, "adopted 1");
}

/// Links named like journals lead to this process's file.
#[cfg(unix)]
#[test]
fn a_link_to_an_own_file_does_not_unlock_it() {
    let symlink: fn(&Path, &Path) -> std::io::Result<()> = |own, link| std::os::unix::fs::symlink(own, link);
    for link in [symlink, |own, link| fs::hard_link(own, link)] {
        let folder = TestFolder::new();
        let journal = folder.open();
        let record = journal.begin(&service(), &new_session()).unwrap();
        let own = folder.files().remove(0);
        [folder.another(), folder.0.join("x.journal")].iter().for_each(|path| link(&own, path).unwrap());
        assert_eq!(journal.others().unwrap().problems.len(), 2);
        folder.open().adopt(&[record]).unwrap();
        assert!(!can_be_locked(&own));
    }
}

/// Another copy of the library in this process has the file open: closing it here would unlock it.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_file_of_another_copy_of_the_library_is_left_alone_and_reported() {
    let folder = TestFolder::new();
    let record = folder.leave_behind(1);
    let (file, journal) = (folder.files().remove(0), folder.open());
    let other_copy = FileLock::try_on(fs::File::options().write(true).open(&file).unwrap()).unwrap().unwrap();
    let survey = journal.others().unwrap();
    assert_eq!((survey.records.len(), survey.problems.len()), (0, 1));
    assert!(survey.problems[0].message().contains(file.to_str().unwrap()), "{}", survey.problems[0]);
    assert_eq!(journal.adopt(&record).unwrap().records, []);
    assert!(!can_be_locked(&file));
    drop(other_copy);
    assert_eq!(ids(&journal.adopt(&record).unwrap().records), record);
}

/// For example by a backup in the application that reads the folder.
#[cfg(unix)]
#[test]
fn the_next_create_detects_a_lost_lock() {
    let folder = TestFolder::new();
    let journal = folder.open();
    journal.begin(&service(), &new_session()).unwrap();
    let own = folder.files().remove(0);
    fs::read(&own).unwrap();
    assert!(can_be_locked(&own));
    journal.begin(&service(), &new_session()).unwrap();
    assert!(!can_be_locked(&own), "it is locked again");

    fs::read(&own).unwrap();
    let (_claimed, said) = process("lock", &own);
    assert_eq!(said, "locked true");
    journal.begin(&service(), &new_session()).unwrap();
    let new = folder.files().remove(0);
    assert!(new != own && !can_be_locked(&new), "another process has the old one");
    assert_eq!((folder.files().len(), folder.copies()), (1, 3));
}

/// Each crash leaves a file behind, and a process may open only so many.
#[cfg(unix)]
#[test]
fn more_files_than_a_process_may_open_are_adopted() {
    let folder = TestFolder::new();
    let left: Vec<RecordId> = (0..150).flat_map(|_| folder.leave_behind(1)).collect();
    let mut few = Command::new("sh");
    few.args(["-c", "ulimit -n 100; exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
    assert_eq!(process_by(few, "adopt", &folder.0).1, format!("adopted {}", left.len()));
}

/// Two processes could otherwise adopt the same record.
#[test]
fn a_claimed_file_stays_locked_until_its_records_are_adopted() {
    let folder = TestFolder::new();
    let mut wanted = folder.leave_behind(1).into_iter().collect();
    let journal = folder.open();
    let files = journal.read_others(&wanted).unwrap();
    let (part, mut problems) = (files.iter().collect::<Vec<_>>(), Vec::new());
    let _claimed = journal.claim(&part, &files, &mut wanted, &mut problems).unwrap();
    assert!(wanted.len() == 1 && problems.is_empty() && !can_be_locked(&folder.files()[0]));
}

/// One of the two copies that an adopter leaves if it dies halfway.
#[test]
fn a_record_with_a_copy_claimed_by_another_process_is_left_to_it() {
    let folder = TestFolder::new();
    let left = folder.leave_behind(1);
    fs::copy(&folder.files()[0], folder.another()).unwrap();
    let journal = folder.open();
    for copy in folder.files() {
        let (_claims, said) = process("lock", &copy);
        assert_eq!((said.as_str(), journal.adopt(&left).unwrap().records), ("locked true", vec![]));
    }
    assert_eq!(ids(&journal.adopt(&left).unwrap().records), left);
}

/// Between the reading of the files and the claim, the record's owner has come to life elsewhere.
#[test]
fn a_record_that_another_file_has_by_now_is_left_to_it() {
    let folder = TestFolder::new();
    let left = folder.leave_behind(1);
    let [living, new] = [folder.another(), folder.another()];
    let dead = folder.files().remove(0);
    let text = fs::read_to_string(&dead).unwrap();
    let (header, record) = text.split_once('\n').unwrap();
    fs::write(&living, format!("{header}\n")).unwrap();
    let journal = folder.open();
    for changed in [&living, &new] {
        let mut wanted: HashSet<RecordId> = left.iter().copied().collect();
        let files = journal.read_others(&wanted).unwrap();
        fs::write(changed, format!("{header}\n{record}")).unwrap();
        let (_claims, said) = process("lock", changed);
        let part: Vec<_> = files.iter().collect();
        journal.claim(&part, &files, &mut wanted, &mut Vec::new()).unwrap();
        assert_eq!((said.as_str(), wanted), ("locked true", HashSet::new()));
        fs::remove_file(changed).unwrap();
    }
}

/// An adopter that died halfway has left the record in two files, which are far apart in the list.
#[test]
fn a_record_in_two_of_many_files_is_adopted() {
    let folder = TestFolder::new();
    let left = folder.leave_behind(1);
    let copied = fs::read(&folder.files()[0]).unwrap();
    let many: Vec<RecordId> = (0..40).flat_map(|_| folder.leave_behind(1)).collect();
    fs::remove_file(folder.files().into_iter().find(|path| fs::read(path).unwrap() == copied).unwrap()).unwrap();
    for name in ["00000000-0000-4000-8000-000000000000", "ffffffff-ffff-4fff-bfff-ffffffffffff"] {
        fs::write(folder.0.join(format!("{name}.journal")), &copied).unwrap();
    }
    let adopted = folder.open().adopt(&[&left[..], &many].concat()).unwrap().records;
    assert_eq!((adopted.len(), folder.files().len()), (41, 1));
}

/// Files locked by another process are skipped without waiting.
#[cfg(unix)]
#[test]
fn a_stopped_process_blocks_no_other() {
    let folder = TestFolder::new();
    let (stopped, _) = process("begin", &folder.0);
    assert!(Command::new("kill").args(["-STOP", &stopped.0.id().to_string()]).status().unwrap().success());
    let journal = folder.open();
    let record = journal.begin(&service(), &new_session()).unwrap();
    let others = journal.others().unwrap().records;
    assert_eq!((others.len(), others[0].1), (1, true));
    assert_eq!(journal.adopt(&[others[0].0.id]).unwrap().records, []);
    journal.complete(record, &id("abc")).unwrap();
    journal.end().unwrap();
    drop(stopped);
    assert_eq!(folder.left().len(), 2);
}

//! Damaged, removed and foreign files, and full disks.

use super::*;

#[test]
fn a_crash_while_writing_a_line_costs_only_that_line() {
    let folder = TestFolder::new();
    let left = folder.leave_behind(2);
    let path = folder.files().remove(0);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 7]).unwrap();
    let journal = folder.open();
    assert_eq!(left_by_others(&journal), left[..1]);

    // What is appended later does not stick to the torn line.
    fs::write(&path, &whole[..whole.len() - 7]).unwrap();
    let third = Record::new(SystemClock.unix_time(), &service(), &new_session());
    let mut dead = Dead::claim(&path).unwrap().unwrap();
    dead.change(third.id, Change::Record(third.clone())).unwrap();
    drop(dead);
    assert_eq!(left_by_others(&journal), [left[0], third.id]);
}

#[test]
fn other_files_are_left_alone_and_reported() {
    let folder = TestFolder::new();
    let strange = [
        (format!("{}.journal", Uuid::new_v4()), "\0".repeat(4096), "is not a journal"),
        (format!("{}.journal", Uuid::new_v4()), "arr-session journal 3\n".to_owned(), "another version"),
        ("sessions.journal".to_owned(), "arr-session journal\n\n0 {}\n".to_owned(), "another version"),
        ("notes.txt".to_owned(), "mine".to_owned(), ""),
    ];
    for (name, text, _) in &strange {
        fs::write(folder.0.join(name), text).unwrap();
    }
    fs::create_dir(folder.another()).unwrap();
    let journal = folder.open();
    let record = journal.begin(&service(), &new_session()).unwrap();
    let problems = journal.others().unwrap().problems;
    assert_eq!(problems.len(), 4, "{problems:?}");
    for (name, _, expected) in &strange[..3] {
        let reported =
            problems.iter().any(|it| it.message().contains(name.as_str()) && it.message().contains(expected));
        assert!(reported, "{name}: {problems:?}");
    }
    journal.adopt(&[record]).unwrap();
    drop(journal);
    for (name, text, _) in strange {
        assert_eq!(fs::read_to_string(folder.0.join(name)).unwrap(), text);
    }
}

#[test]
fn a_file_with_lines_of_a_later_version_is_kept() {
    let folder = TestFolder::new();
    let left = folder.leave_behind(1);
    let path = folder.files().remove(0);
    let json = r#"{"id":"x","state":"paused"}"#;
    let sum = json
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |sum: u64, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let text = fs::read_to_string(&path).unwrap() + &format!("{sum:016x} {json}\n");
    fs::write(&path, &text).unwrap();
    let journal = folder.open();
    assert_eq!(ids(&journal.adopt(&left).unwrap().records), left);
    assert!(fs::read_to_string(&path).unwrap().starts_with(&text));
}

#[test]
fn the_next_create_replaces_a_removed_file() {
    let folder = TestFolder::new();
    let journal = folder.open();
    let first = journal.begin(&service(), &new_session()).unwrap();
    fs::remove_file(&folder.files()[0]).unwrap();
    let second = journal.begin(&service(), &new_session()).unwrap();
    drop(journal);
    assert_eq!(ids(&folder.left()), [first, second]);
}

#[test]
fn a_create_that_cannot_be_written_fails() {
    let folder = TestFolder::new();
    let journal = folder.open();
    let record = journal.begin(&service(), &new_session()).unwrap();
    fs::remove_dir_all(&folder.0).unwrap();
    let error = journal.begin(&service(), &new_session()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.message().contains("free space") && error.message().contains("give another folder"), "{error}");
    assert_eq!(ids(&journal.own()), [record], "a create that is not sent has no record");

    fs::create_dir(&folder.0).unwrap();
    journal.flush().unwrap();
    drop(journal);
    assert_eq!(ids(&folder.left()), [record]);
}

#[test]
fn a_failed_change_is_written_with_the_next() {
    let folder = TestFolder::new();
    let journal = folder.open();
    let record = journal.begin(&service(), &new_session()).unwrap();
    fill_the_disk(&journal, 0);
    assert_eq!(journal.complete(record, &id("abc")).unwrap_err().kind(), ErrorKind::Storage);
    assert!(folder.text().lines().last().unwrap().contains("creating"));
    journal.extended(&service(), &id("abc"), Lease::from_secs(7200).unwrap()).unwrap();
    let text = folder.text();
    assert!(text.contains(r#""max_lease_seconds":7200"#) && text.contains(r#""session_id":"abc""#), "{text}");
}

/// Its line may be in the file anyway.
#[test]
fn a_create_that_could_not_be_flushed_is_not_left_behind() {
    let folder = TestFolder::new();
    let journal = folder.open();
    let first = journal.begin(&service(), &new_session()).unwrap();
    fill_the_disk(&journal, 10_000);
    assert_eq!(journal.begin(&service(), &new_session()).unwrap_err().kind(), ErrorKind::Storage);
    assert_eq!(folder.copies(), 2);
    drop(journal);
    assert_eq!(ids(&folder.left()), [first]);
}

#[test]
fn a_release_is_flushed() {
    let folder = TestFolder::new();
    let journal = folder.open();
    let record = journal.begin(&service(), &new_session()).unwrap();
    journal.complete(record, &id("abc")).unwrap();
    fill_the_disk(&journal, 10_000);
    journal.extended(&service(), &id("abc"), Lease::from_secs(7200).unwrap()).unwrap();
    assert_eq!(journal.released(&service(), &id("abc")).unwrap_err().kind(), ErrorKind::Storage);
}

#[test]
fn the_next_create_replaces_a_truncated_file() {
    let folder = TestFolder::new();
    let journal = folder.open();
    let first = journal.begin(&service(), &new_session()).unwrap();
    fs::File::create(&folder.files()[0]).unwrap();
    let second = journal.begin(&service(), &new_session()).unwrap();
    drop(journal);
    assert_eq!(ids(&folder.left()), [first, second]);
}

/// Written at its old offset, the change would hide the truncation.
#[test]
fn the_next_change_replaces_a_truncated_file() {
    for length in [0, 22, 500] {
        let folder = TestFolder::new();
        let journal = folder.open();
        let [first, second, third] = ["a", "b", "c"].map(|name| {
            let record = journal.begin(&service(), &new_session()).unwrap();
            journal.complete(record, &id(name)).unwrap();
            record
        });
        fs::File::options().write(true).open(&folder.files()[0]).unwrap().set_len(length).unwrap();
        journal.ended(&service(), &id("c")).unwrap();
        let fourth = journal.begin(&service(), &new_session()).unwrap();
        drop(journal);
        assert_eq!(ids(&folder.left()), [first, second, fourth], "{third} has ended");
    }
}

/// Opening a pipe could block forever.
#[cfg(unix)]
#[test]
fn a_pipe_is_left_alone_and_reported() {
    let folder = TestFolder::new();
    for path in [folder.another(), folder.0.join("x.journal")] {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    }
    let journal = folder.open();
    let problems = journal.others().unwrap().problems;
    assert!(problems.len() == 2 && problems.iter().all(|it| it.message().contains("not a plain file")), "{problems:?}");
    journal.adopt(&[journal.begin(&service(), &new_session()).unwrap()]).unwrap();
    assert_eq!(folder.files().len(), 3);
}

#[test]
fn other_files_of_the_folder_are_neither_opened_nor_removed() {
    let folder = TestFolder::new();
    for name in ["probe", ".probe", "journal", "lock", "notes.txt"] {
        fs::write(folder.0.join(name), "precious").unwrap();
    }
    let names = || {
        fs::read_dir(&folder.0).unwrap().map(|it| it.unwrap().file_name()).collect::<std::collections::BTreeSet<_>>()
    };
    let before = names();
    drop(folder.open());
    assert_eq!(names(), before);
    for name in &before {
        assert_eq!(fs::read_to_string(folder.0.join(name)).unwrap(), "precious");
    }
}

/// The lines may have named sessions that are still running.
#[test]
fn a_file_with_a_damaged_line_is_kept_and_reported() {
    let folder = TestFolder::new();
    let left = folder.leave_behind(1);
    let path = folder.files().remove(0);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("standard", "premium")).unwrap();
    let journal = folder.open();
    for _ in 0..2 {
        let survey = journal.others().unwrap();
        assert!(survey.records.is_empty() && survey.problems.len() == 1, "{:?}", survey.problems);
        assert!(survey.problems[0].message().contains("damaged"), "{}", survey.problems[0]);
        assert_eq!(journal.adopt(&left).unwrap().records, []);
    }
    assert!(path.exists());
}

/// For example by a backup that makes hard links. The next run would not open such a file.
#[cfg(unix)]
#[test]
fn the_next_create_replaces_a_file_that_was_linked() {
    let moved: fn(&Path, &Path) = |own, away| {
        fs::rename(own, away).unwrap();
        std::os::unix::fs::symlink(away, own).unwrap();
    };
    for link in [moved, |own, away| fs::hard_link(own, away).unwrap()] {
        let (folder, away) = (TestFolder::new(), TestFolder::new());
        let journal = folder.open();
        journal.begin(&service(), &new_session()).unwrap();
        link(&folder.files().remove(0), &away.0.join("away"));
        journal.begin(&service(), &new_session()).unwrap();
        drop(journal);
        assert_eq!(folder.left().len(), 2);
        assert_eq!(folder.files().len(), 1);
    }
}

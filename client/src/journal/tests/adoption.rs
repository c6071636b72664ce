//! Records that pass from dead owners to living ones.

use super::*;
use crate::model::SessionStatus;

#[test]
fn only_dead_owners_leave_records_behind() {
    let folder = TestFolder::new();
    let (first, second) = (folder.open(), folder.open());
    let kept = first.begin(&service(), &new_session().with_id(id("mine"))).unwrap();
    assert_eq!(left_by_others(&second), []);
    assert_eq!(second.others().unwrap().records.len(), 1);
    assert_eq!(second.adopt(&[kept]).unwrap().records, []);
    assert!(first.others().unwrap().records.is_empty(), "an owner's own records are not left behind");

    drop(first);
    assert_eq!(left_by_others(&second), [kept]);
    let adopted = second.adopt(&[kept]).unwrap().records;
    assert_eq!(adopted[0].session_id, Some(id("mine")));
    assert_eq!((second.own(), left_by_others(&second)), (adopted, Vec::new()));
    assert_eq!(folder.files().len(), 1, "the dead owner's file is removed with its last record");

    second.ended(&service(), &id("mine")).unwrap();
    drop(second);
    assert!(folder.files().is_empty());
}

#[test]
fn an_adoption_that_cannot_be_written_adopts_nothing() {
    // Room for one record of two; then room for both, but they cannot be flushed.
    for room in [600, 10_000] {
        let folder = TestFolder::new();
        let left = [folder.leave_behind(1), folder.leave_behind(1)].concat();
        let (one, other) = (folder.open(), folder.open());
        let own = one.begin(&service(), &new_session()).unwrap();
        fill_the_disk(&one, room);
        assert_eq!(one.adopt(&left).unwrap_err().kind(), ErrorKind::Storage);
        assert_eq!(ids(&one.own()), [own]);
        drop(one);
        assert_eq!(folder.copies(), 3, "each record is in one file");
        assert_eq!(other.adopt(&left).unwrap().records.len(), 2);
    }
}

/// A slow disk holds the locks of one folder's journals.
#[test]
fn an_adoption_waits_for_no_other_folder() {
    let (folder, slow) = (TestFolder::new(), TestFolder::new());
    let left = folder.leave_behind(1);
    let (journal, other) = (folder.open(), slow.open());
    other.begin(&service(), &new_session()).unwrap();
    let held = (lock(&other.own), other.folder.open_others());
    let (ends, ended) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            let seen = journal.others().unwrap().records.len();
            ends.send((seen, journal.adopt(&left).unwrap().records.len())).unwrap();
        });
        let adopted = ended.recv_timeout(Duration::from_secs(20));
        drop(held);
        assert_eq!(adopted, Ok((1, 1)));
    });
}

/// What is left of a session if its adopter dies before it has written to the dead owner's file, whose name sorts
/// before or after all others.
fn after_a_crash_in_an_adoption(name: &str, owner: impl Fn(&Journal), adopter: impl Fn(&Journal)) -> Record {
    let folder = TestFolder::new();
    let dead = folder.open();
    let record = dead.begin(&service(), &new_session().with_id(id("abc"))).unwrap();
    owner(&dead);
    drop(dead);
    let before = fs::read(&folder.files()[0]).unwrap();
    let journal = folder.open();
    journal.adopt(&[record]).unwrap();
    adopter(&journal);
    drop(journal);
    fs::write(folder.0.join(format!("{name}.journal")), before).unwrap();
    let journal = folder.open();
    let found = journal.others().unwrap().left_behind();
    assert_eq!(ids(&found), [record]);
    assert_eq!(ids(&journal.adopt(&[record]).unwrap().records), [record]);
    assert_eq!(journal.own()[0].max_lease, found[0].max_lease);
    assert_eq!((folder.files().len(), left_by_others(&folder.open())), (1, Vec::new()));
    found.into_iter().next().unwrap()
}

#[test]
fn if_an_adopter_dies_halfway_the_later_copy_counts() {
    let extend = |journal: &Journal| journal.extended(&service(), &id("abc"), Lease::from_secs(7200).unwrap()).unwrap();
    let release = |journal: &Journal| journal.released(&service(), &id("abc")).unwrap();
    let complete = |journal: &Journal| journal.complete(journal.own()[0].id, &id("abc")).unwrap();
    for name in ["00000000-0000-4000-8000-000000000000", "ffffffff-ffff-4fff-bfff-ffffffffffff"] {
        let extended = after_a_crash_in_an_adoption(name, complete, extend);
        assert_eq!(extended.max_lease, Lease::from_secs(7200).unwrap());
        let released = after_a_crash_in_an_adoption(name, complete, release);
        assert_eq!(released.state, RecordState::Released);
        let adopted = after_a_crash_in_an_adoption(name, release, |_| ());
        assert_eq!(adopted.state, RecordState::Created, "it is no longer left running on purpose");
    }
}

#[test]
fn a_record_with_a_living_owner_is_not_left_behind() {
    let folder = TestFolder::new();
    let left = folder.leave_behind(1);
    let dead = folder.files().remove(0);
    let before = fs::read(&dead).unwrap();
    let adopter = folder.open();
    adopter.adopt(&left).unwrap();
    fs::write(&dead, before).unwrap();
    for journal in [&adopter, &folder.open()] {
        assert_eq!((left_by_others(journal), journal.adopt(&left).unwrap().records), (vec![], vec![]));
    }
}

#[test]
fn given_up_records_can_be_adopted_once_by_any_journal() {
    let folder = TestFolder::new();
    let left = folder.leave_behind(2);
    let (one, other) = (folder.open(), folder.open());
    one.adopt(&left).unwrap();
    one.leave_behind(&left).unwrap();
    assert!(one.own().is_empty());
    assert_eq!(left_by_others(&other), left);
    assert_eq!(ids(&one.adopt(&left[..1]).unwrap().records), left[..1]);
    assert_eq!(ids(&other.adopt(&left).unwrap().records), left[1..]);
    drop((one, other));
    assert_eq!(folder.left().len(), 2);
}

#[test]
fn a_released_session_can_be_adopted() {
    let folder = TestFolder::new();
    let journal = folder.open();
    let record = journal.begin(&service(), &new_session().with_id(id("mine"))).unwrap();
    journal.complete(record, &id("mine")).unwrap();
    journal.released(&service(), &id("mine")).unwrap();
    drop(journal);
    let next = folder.open();
    assert_eq!(next.others().unwrap().left_behind()[0].state, RecordState::Released);
    next.adopt(&[record]).unwrap();
    assert_eq!(next.own()[0].state, RecordState::Created);
    drop(next);
    assert_eq!(folder.left()[0].state, RecordState::Created);
}

#[test]
fn a_session_that_ends_at_the_moment_of_its_release_is_no_error() {
    let folder = TestFolder::new();
    let journal = folder.open();
    for _ in 0..300 {
        let record = journal.begin(&service(), &new_session().with_id(id("mine"))).unwrap();
        journal.complete(record, &id("mine")).unwrap();
        let start = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            let monitor = scope.spawn(|| {
                start.wait();
                journal.ended(&service(), &id("mine"))
            });
            start.wait();
            journal.released(&service(), &id("mine")).unwrap();
            monitor.join().unwrap().unwrap();
        });
        assert_eq!(journal.own(), []);
    }
}

#[test]
fn concurrent_adopters_never_share_a_record() {
    const ADOPTERS: usize = 6;
    let folder = TestFolder::new();
    let left = folder.leave_behind(12);
    let journals: Vec<Journal> = (0..ADOPTERS).map(|_| folder.open()).collect();
    let start = Barrier::new(ADOPTERS);
    let adopted: Vec<RecordId> = thread::scope(|scope| {
        let adopt = |(n, journal): (usize, &Journal)| {
            // Each adopter wants all records, in its own order, a few at a time.
            let mut wanted = left.clone();
            wanted.rotate_left(n * 2);
            start.wait();
            wanted
                .chunks(3)
                .flat_map(|ids| journal.adopt(ids).unwrap().records)
                .map(|record| record.id)
                .collect::<Vec<_>>()
        };
        let threads: Vec<_> = journals.iter().enumerate().map(|adopter| scope.spawn(move || adopt(adopter))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(adopted.len(), left.len());
    assert_eq!(adopted.into_iter().collect::<HashSet<_>>(), left.into_iter().collect());
}

/// Otherwise other clients would take it for a create in progress, and could not decide on their own candidates.
#[test]
fn a_create_whose_owner_died_is_lost_once_it_is_adopted() {
    let folder = TestFolder::new();
    let left = folder.leave_behind(1);
    let (adopter, other) = (folder.open(), folder.open());
    assert_eq!(adopter.adopt(&left).unwrap().records[0].state, RecordState::Lost);
    let seen = other.others().unwrap().records;
    assert!(matches!(&seen[..], [(record, true)] if !record.is_being_created_at(&service())), "{seen:?}");
}

/// The file contains the candidates and their changed leases. The record is kept as long as its longest lease.
#[test]
fn the_candidates_of_a_lost_create_go_with_its_record() {
    let folder = TestFolder::new();
    let dead = folder.open();
    let record = dead.begin(&service(), &new_session()).unwrap();
    dead.lost(record).unwrap();
    let session = |name| SessionProperties::bare(id(name), SessionStatus::Ready);
    dead.name_candidates(record, &["a", "b"].map(session)).unwrap();
    let long = Lease::from_secs(5 * 86_400).unwrap();
    dead.extended(&service(), &id("b"), long).unwrap();
    drop(dead);

    let journal = folder.open();
    let left = journal.others().unwrap().left_behind();
    let asked = left[0].max_lease;
    assert_eq!(left[0].candidates.clone().into_iter().collect::<Vec<_>>(), [(id("a"), asked), (id("b"), long)]);
    assert!(
        left[0].is_undecided()
            && !left[0].is_over(left[0].written + asked.duration() + Duration::from_secs(3 * 86_400))
    );
    assert!(left[0].is_over(left[0].written + Duration::from_secs(7 * 86_400)));

    journal.adopt(&[record]).unwrap();
    let elsewhere = (Arc::new(service()), id("c"));
    journal.leave_sessions_behind(&[elsewhere]).unwrap();
    assert_eq!(ids(&journal.own()), [record]);
    journal.leave_sessions_behind(&[(Arc::new(service()), id("a"))]).unwrap();
    assert_eq!((ids(&journal.own()), left_by_others(&folder.open())), (vec![], vec![record]));
}

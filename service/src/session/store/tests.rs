//! The store: how long a session is remembered, whose it is, and which one an id selects.

use super::*;
use crate::session::settings::SessionSize;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const BEGINNING: Timestamp = Timestamp { now: Duration::ZERO, unix_time: Duration::ZERO };
const SETTINGS: SessionSettings = SessionSettings { size: SessionSize::Standard, max_lease: DAY };

fn sessions() -> SessionStore {
    SessionStore::new(&Config { startup: Duration::ZERO, ..Config::default() })
}

fn named(id: &str) -> SessionId {
    SessionId::parse(id).expect("an id")
}

#[test]
fn an_ended_session_is_remembered_for_thirty_days() {
    let (mut sessions, account) = (sessions(), Uuid::new_v4());
    let id = sessions.create(BEGINNING, account, SETTINGS);
    let selector = SessionSelector::Exact(id.as_str());
    let expired_at = DAY;
    let last_moment = expired_at + 30 * DAY - Duration::from_nanos(1);
    assert!(sessions.find(last_moment, account, selector).is_some());
    assert!(sessions.find(expired_at + 30 * DAY, account, selector).is_none());
    assert!(sessions.views(expired_at + 30 * DAY).is_empty());
}

#[test]
fn a_session_belongs_to_one_account() {
    let (mut sessions, mine, yours) = (sessions(), Uuid::new_v4(), Uuid::new_v4());
    let id = sessions.create(BEGINNING, mine, SETTINGS);
    let selector = SessionSelector::GuidIgnoringCase(id.as_str());
    assert!(sessions.find(Duration::ZERO, yours, selector).is_none());
    assert_eq!(sessions.stop(Duration::ZERO, yours, selector), None);
    assert_eq!(sessions.active(Duration::ZERO, yours, 0).count(), 0);
    assert_eq!(sessions.active(Duration::ZERO, mine, 0).count(), 1);
}

#[test]
fn an_id_is_taken_as_long_as_its_session_is_remembered() {
    let (mut sessions, account) = (sessions(), Uuid::new_v4());
    let create = |sessions: &mut SessionStore, now, settings| {
        let timestamp = Timestamp { now, unix_time: now };
        let creation = sessions.create_as(timestamp, account, named("mine"), settings);
        creation.map(|creation| matches!(creation, Creation::New(_)))
    };
    let other = SessionSettings { size: SessionSize::Premium, ..SETTINGS };
    assert_eq!(create(&mut sessions, Duration::ZERO, SETTINGS), Ok(true));
    assert_eq!(create(&mut sessions, Duration::ZERO, SETTINGS), Ok(false));
    assert_eq!(create(&mut sessions, Duration::ZERO, other), Err(SettingsConflict));
    assert_eq!(create(&mut sessions, 2 * DAY, SETTINGS), Ok(false), "expired, and still there");
    assert_eq!(create(&mut sessions, 31 * DAY, other), Ok(true), "forgotten");
}

#[test]
fn of_two_sessions_with_one_id_the_active_one_is_selected() {
    let (mut sessions, one, two) = (sessions(), Uuid::new_v4(), Uuid::new_v4());
    for account in [one, two] {
        assert!(matches!(sessions.create_as(BEGINNING, account, named("x"), SETTINGS), Ok(Creation::New(_))));
    }
    assert!(sessions.fail(Duration::ZERO, "x", "the first"));
    assert!(sessions.fail(Duration::ZERO, "x", "the second"));
    assert!(!sessions.fail(Duration::ZERO, "x", "there is no third"));
    let messages: Vec<_> = sessions.views(Duration::ZERO).into_iter().filter_map(|view| view.message).collect();
    assert_eq!(messages, ["the first", "the second"]);
}

#[test]
fn beyond_the_limit_the_first_session_to_end_is_forgotten() {
    let (mut sessions, account) = (sessions(), Uuid::new_v4());
    let long = SessionSettings { max_lease: 2 * DAY, ..SETTINGS };
    let oldest = sessions.create(BEGINNING, account, long);
    for _ in 0..MOST_REMEMBERED {
        sessions.create(BEGINNING, account, SETTINGS);
    }
    assert_eq!(sessions.active(DAY, account, 0).count(), 1);
    assert_eq!(sessions.views(DAY).len(), MOST_REMEMBERED + 1);
    assert_eq!(sessions.views(2 * DAY).len(), MOST_REMEMBERED);
    assert!(sessions.find(2 * DAY, account, SessionSelector::Exact(oldest.as_str())).is_some(), "it ended last");
    assert_eq!(sessions.ids.len(), MOST_REMEMBERED);
}

#[test]
fn a_session_is_active_until_its_end_even_if_that_moves() {
    let (mut sessions, account) = (sessions(), Uuid::new_v4());
    let ids = [0; 3].map(|_| sessions.create(BEGINNING, account, SETTINGS));
    let [extended, stopped, forced] = ids.each_ref().map(SessionId::as_str);
    let start = Duration::ZERO;
    assert!(sessions.extend(start, account, SessionSelector::Exact(extended), 3 * DAY).is_some());
    assert_eq!(sessions.stop(start, account, SessionSelector::Exact(stopped)), Some(()));
    assert!(sessions.force(start, forced, SessionStatus::Stopping, None).is_ok());
    let mut active = |now| sessions.active(now, account, 0).map(|it| it.identity.number).collect::<Vec<_>>();
    assert_eq!([active(start), active(2 * DAY), active(3 * DAY)], [vec![1, 3], vec![1, 3], vec![3]]);
    assert!(sessions.force(4 * DAY, forced, SessionStatus::Stopped, None).is_ok());
    assert_eq!(sessions.active(4 * DAY, account, 0).count(), 0);
}

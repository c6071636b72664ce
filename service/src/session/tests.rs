//! The state machine in round numbers: created at 100 s, ready at 110 s, a lease of 60 s, expired at 170 s.

use std::time::Duration;

use uuid::Uuid;

use super::id::SessionId;
use super::lifecycle::{LeaseRefused, Session, SessionIdentity};
use super::renderer::RendererAllocator;
use super::settings::{SessionSettings, SessionSize};
use super::status::{SessionStatus, StatusRefused};
use crate::clock::Timestamp;

const NANOSECOND: Duration = Duration::from_nanos(1);

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn session() -> Session {
    with_startup(at(10))
}

fn with_startup(startup: Duration) -> Session {
    session_of(SessionSettings { size: SessionSize::Standard, max_lease: at(60) }, at(100), startup)
}

fn session_of(settings: SessionSettings, now: Duration, startup: Duration) -> Session {
    let identity = SessionIdentity { id: SessionId::generate(), account: Uuid::nil(), number: 1 };
    let timestamp = Timestamp { now, unix_time: at(1_600_000_000) };
    Session::new(identity, settings, timestamp, startup, RendererAllocator::default().allocate())
}

#[test]
fn a_session_starts_gets_ready_and_expires_at_exact_times() {
    let session = session();
    assert_eq!(session.status(at(100)), SessionStatus::Starting);
    assert_eq!(session.status(at(110) - NANOSECOND), SessionStatus::Starting);
    assert_eq!(session.status(at(110)), SessionStatus::Ready);
    assert_eq!(session.status(at(170) - NANOSECOND), SessionStatus::Ready);
    assert_eq!(session.status(at(170)), SessionStatus::Expired);
    assert_eq!(session.status(Duration::MAX), SessionStatus::Expired);
}

#[test]
fn without_a_startup_time_a_session_is_ready_at_once() {
    let session = with_startup(Duration::ZERO);
    assert_eq!(session.status(at(100)), SessionStatus::Ready);
    assert!(session.hostname(at(100)).is_some());
}

#[test]
fn elapsed_time_counts_from_ready_to_the_end() {
    let mut session = session();
    assert_eq!(session.elapsed(at(105)), Duration::ZERO);
    assert_eq!(session.elapsed(at(110)), Duration::ZERO);
    assert_eq!(session.elapsed(at(111)), at(1));
    assert_eq!(session.elapsed(at(170)), at(60));
    assert_eq!(session.elapsed(at(999)), at(60));
    session.stop(at(130), at(5));
    assert_eq!(session.elapsed(at(999)), at(20));
}

#[test]
fn a_stop_takes_its_time_and_cannot_be_undone() {
    let mut session = session();
    session.stop(at(120), at(5));
    assert_eq!(session.status(at(120)), SessionStatus::Stopping);
    session.stop(at(124), at(5));
    assert_eq!(session.status(at(125)), SessionStatus::Stopped);
    assert_eq!(session.end(), at(125));
    assert_eq!(session.status(at(999)), SessionStatus::Stopped);
    assert_eq!(session.message(at(999)), None);
}

#[test]
fn a_session_stopped_before_ready_never_had_a_renderer() {
    let mut session = session();
    session.stop(at(105), Duration::ZERO);
    assert_eq!(session.status(at(105)), SessionStatus::Stopped);
    assert_eq!((session.hostname(at(999)), session.was_ready(at(999))), (None, false));
    assert_eq!(session.elapsed(at(999)), Duration::ZERO);
}

#[test]
fn stopping_an_expired_session_leaves_it_expired() {
    let mut session = session();
    session.stop(at(170), at(5));
    assert_eq!(session.status(at(170)), SessionStatus::Expired);
}

#[test]
fn the_hostname_appears_at_ready_and_the_ports_vanish_at_the_end() {
    let session = session();
    assert_eq!(session.hostname(at(110) - NANOSECOND), None);
    assert_eq!(session.ports(at(110) - NANOSECOND), None);
    let hostname = session.hostname(at(110)).expect("a server");
    assert!(hostname.ends_with(".mixedreality.azure.com"));
    let (inspector, handshake) = session.ports(at(110)).expect("ready");
    assert!((49_152..=65_534).contains(&inspector) && (49_152..=65_534).contains(&handshake));
    assert_ne!(inspector, handshake);
    assert_eq!(session.hostname(at(170)), Some(hostname));
    assert_eq!(session.ports(at(170)), None);
}

#[test]
fn a_lease_only_grows_and_only_before_the_end() {
    let mut session = session();
    let not_larger = Err(LeaseRefused::NotLarger { current: at(60) });
    assert_eq!(session.extend(at(105), at(60)), not_larger);
    assert_eq!(session.extend(at(105), at(59)), not_larger);
    assert_eq!(session.extend(at(105), at(61)), Ok(()));
    assert_eq!(session.extend(at(171) - NANOSECOND, at(90)), Ok(()));
    assert_eq!(session.status(at(199)), SessionStatus::Ready);
    assert_eq!(session.extend(at(200), at(900)), Err(LeaseRefused::Over(SessionStatus::Expired)));
}

#[test]
fn a_stopping_session_keeps_its_lease() {
    let mut session = session();
    session.stop(at(120), at(5));
    assert_eq!(session.extend(at(121), at(900)), Err(LeaseRefused::Over(SessionStatus::Stopping)));
}

#[test]
fn a_failure_has_a_message_and_is_final() {
    let mut session = session();
    assert!(session.fail(at(105), "no server is free"));
    assert_eq!(session.status(at(105)), SessionStatus::Error);
    assert_eq!(session.status(at(110)), SessionStatus::Error);
    assert_eq!(session.message(at(110)).as_deref(), Some("no server is free"));
    assert_eq!(session.hostname(at(110)), None);
    assert_eq!(session.end(), at(105));
    assert!(!session.fail(at(120), "again"));
    session.stop(at(120), Duration::ZERO);
    assert_eq!(session.status(at(120)), SessionStatus::Error);
}

#[test]
fn an_expired_session_says_why() {
    let session = session();
    assert_eq!(session.message(at(169)), None);
    assert_eq!(session.message(at(170)).as_deref(), Some("The maximum lease time of 00:01:00 has passed."));
    assert_eq!(session.end(), at(170));
}

#[test]
fn huge_times_do_not_overflow() {
    let settings = SessionSettings { size: SessionSize::Standard, max_lease: Duration::MAX };
    let mut session = session_of(settings, at(1), Duration::MAX);
    assert_eq!(session.status(at(2)), SessionStatus::Starting);
    session.stop(at(2), Duration::MAX);
    assert_eq!(session.status(at(3)), SessionStatus::Stopping);
}

#[test]
fn sizes_are_read_in_any_letter_case() {
    assert_eq!(SessionSize::parse("standard"), Some(SessionSize::Standard));
    assert_eq!(SessionSize::parse("Premium"), Some(SessionSize::Premium));
    assert_eq!(SessionSize::parse("small"), None);
    assert_eq!(SessionSize::parse(""), None);
}

#[test]
fn a_status_is_forced_only_along_existing_transitions() {
    use SessionStatus::{Error, Expired, Ready, Starting, Stopped, Stopping};
    let all = SessionStatus::ALL;
    for (from, allowed) in [
        (Starting, &[Ready, Stopping, Stopped, Expired, Error][..]),
        (Ready, &[Stopping, Stopped, Expired, Error]),
        (Stopping, &[Stopped, Error]),
        (Stopped, &[]),
        (Expired, &[]),
        (Error, &[]),
    ] {
        for to in all {
            let mut session = session();
            if from != Starting {
                session.force(at(102), from, None).expect("Starting can become any other status");
            }
            let expected = if allowed.contains(&to) { Ok(()) } else { Err(StatusRefused::Impossible { from, to }) };
            assert_eq!(session.force(at(103), to, None), expected, "{from} to {to}");
            assert_eq!(session.status(at(103)), if allowed.contains(&to) { to } else { from });
        }
    }
}

#[test]
fn a_forced_ready_starts_the_lease() {
    let mut session = session();
    assert_eq!(session.force(at(104), SessionStatus::Ready, None), Ok(()));
    assert!(session.hostname(at(104)).is_some());
    assert_eq!(session.elapsed(at(105)), at(1));
    assert_eq!(session.status(at(164)), SessionStatus::Expired);
}

#[test]
fn a_forced_stopping_lasts_until_the_forced_end() {
    let mut session = session();
    assert_eq!(session.force(at(120), SessionStatus::Stopping, None), Ok(()));
    assert_eq!(session.status(at(999_999)), SessionStatus::Stopping);
    assert_eq!(session.force(at(130), SessionStatus::Stopped, Some("done")), Ok(()));
    assert_eq!((session.elapsed(at(140)), session.end()), (at(10), at(130)));
    assert_eq!(session.message(at(140)).as_deref(), Some("done"));
}

#[test]
fn a_forced_expiry_says_why_and_when() {
    let mut session = session();
    assert_eq!(session.force(at(120), SessionStatus::Expired, None), Ok(()));
    assert_eq!((session.elapsed(at(999)), session.end()), (at(10), at(120)));
    assert_eq!(session.message(at(120)).as_deref(), Some("The maximum lease time of 00:01:00 has passed."));
}

#[test]
fn only_an_end_takes_a_message() {
    let mut session = session();
    let refused = Err(StatusRefused::NoPlaceForMessage(SessionStatus::Ready));
    assert_eq!(session.force(at(101), SessionStatus::Ready, Some("x")), refused);
    assert_eq!(session.status(at(101)), SessionStatus::Starting);
}
